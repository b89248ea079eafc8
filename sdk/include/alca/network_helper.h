/* alca/network_helper.h - DRAFT interface alca.x-network-helper/1: what lets a user without
 * root put up network rules.
 *
 * A draft may change in any release. The host of this version declares it for authors to read
 * and does not load it.
 */
#ifndef ALCA_NETWORK_HELPER_H
#define ALCA_NETWORK_HELPER_H
/* NOLINTBEGIN: C, not C++ */

#include "alca/plugin.h"

#define ALCA_NETWORK_HELPER_DRAFT_1 "alca.x-network-helper/1"
typedef struct alca_network_helper_draft_1 {
    size_t size;
    alca_method status;    /* {} -> {installed, version, needs_update} */
    alca_method install;   /* {} -> {}; repeated is success */
    alca_method uninstall; /* {} -> {}; absent is success */
} alca_network_helper_draft_1;

/* NOLINTEND */
#endif
