/* alca/sync.h - DRAFT interface alca.x-sync/1: copies a project into and out of a sandbox.
 *
 * A draft may change in any release. The host of this version declares it for authors to read
 * and does not load it.
 */
#ifndef ALCA_SYNC_H
#define ALCA_SYNC_H
/* NOLINTBEGIN: C, not C++ */

#include "alca/plugin.h"

#define ALCA_SYNC_DRAFT_1 "alca.x-sync/1"
typedef struct alca_sync_draft_1 {
    size_t size;
    alca_method probe;     /* {} -> {available, version, reason} */
    alca_method start;     /* {sandbox, mounts: [{source, target, exclude, read_only}]} -> {} */
    alca_method stop;      /* {sandbox: ref} -> {}; flushes first; absent is success */
    alca_method flush;     /* {sandbox: ref} -> {}; both sides equal, or an error */
    alca_method status;    /* {sandbox: ref} -> {sessions: [...]} */
    alca_method conflicts; /* {sandbox: ref} -> {conflicts: [...]} */
    alca_method resolve;   /* {sandbox: ref, root, winner} -> {} */
} alca_sync_draft_1;

/* NOLINTEND */
#endif
