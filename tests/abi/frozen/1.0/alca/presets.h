/* alca/presets.h - interface alca.presets/1: ready configurations for agents.
 *
 * The plugin returns text; the host writes the files and asks before it replaces any.
 * Requests and answers: sdk/schema/presets.schema.json; in C++: alca/presets.hpp.
 */
#ifndef ALCA_PRESETS_H
#define ALCA_PRESETS_H
/* NOLINTBEGIN: C, not C++ */

#include "alca/plugin.h"

#define ALCA_PRESETS_1 "alca.presets/1"
typedef struct alca_presets_1 {
    size_t size;
    alca_method list;   /* {} -> {presets: [{name, summary, agent_version}]} */
    alca_method render; /* {name, image} -> {config, gitignore, notes}; image "" = the preset's */
} alca_presets_1;

/* NOLINTEND */
#endif
