/* A plugin that needs a symbol which nobody has. */
#include "alca/plugin.h"

const alca_plugin* not_there_at_all(void);

const alca_plugin* alca_plugin_v1(void) { return not_there_at_all(); }
