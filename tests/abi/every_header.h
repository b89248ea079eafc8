/* Every C header of the SDK; compiled in each C and C++ standard that plugins may use. */
#include "alca/firewall.h"
#include "alca/plugin.h"
#include "alca/presets.h"
#include "alca/runtime.h"
#include "alca/sync.h"

static inline int uses_has(const alca_runtime_1* table) { return ALCA_HAS(table, exec) ? 1 : 0; }
