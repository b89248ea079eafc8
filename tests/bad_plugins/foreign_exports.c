/* A plugin that was linked without the export map: a symbol of its own gets out. */
#include <stddef.h>

#include "alca/plugin.h"

int helper_of_the_plugin(void);
int helper_of_the_plugin(void) { return 1; }

const alca_plugin* alca_plugin_v1(void) { return NULL; }
