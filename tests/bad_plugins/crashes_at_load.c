/* A plugin that crashes before any function of it is called. */
#include <stddef.h>

#include "alca/plugin.h"

__attribute__((constructor)) static void crash(void) { *(volatile int*)8 = 1; }

const alca_plugin* alca_plugin_v1(void) { return NULL; }
