/* alca/runtime.h - interface alca.runtime/1: runs sandboxes on one container engine.
 *
 * Order of calls for one sandbox: prepare, create, start, exec..., stop, remove. The host puts the
 * network rules up between prepare and create, so nothing may run before start.
 * A cancelled prepare or create returns only when the engine makes nothing more (10 s at most): the
 * host cleans up next.
 * Requests and answers: sdk/schema/runtime.schema.json; in C++: alca/runtime.hpp.
 */
#ifndef ALCA_RUNTIME_H
#define ALCA_RUNTIME_H
/* NOLINTBEGIN: C, not C++ */

#include "alca/plugin.h"

#define ALCA_RUNTIME_1 "alca.runtime/1"
typedef struct alca_runtime_1 {
    size_t size;
    alca_method probe;   /* {} -> {available, engine, version, endpoint, reason, ...} */
    alca_method prepare; /* {sandbox} -> {image, network}; image present, network made */
    alca_method create;  /* {sandbox} -> {container_id}; made, not started */
    alca_method start;   /* {sandbox: ref} -> {}; already running is success */
    alca_method stop;    /* {sandbox: ref} -> {}; kept, start works again; not running is success */
    alca_method remove;  /* {sandbox: ref, keep_network} -> {}; stops it; absent is success */
    alca_method status;  /* {sandbox: ref} -> {state, ..., effective}; absent: state "absent" */
    alca_method list;    /* {} -> {sandboxes: [...]}, all that carry the label alca.project.id */
    /* {sandbox: ref, argv, env, cwd, user} -> {}; exit_code is the command's own.
     * Cancelled: the command's input ends, nothing more is read from it, and ALCA_CANCELLED is
     * returned. What then becomes of the command is the host's business. */
    alca_status (*exec)(void* self, const alca_call* call, alca_str request, const alca_stdio* io,
                        int32_t* exit_code);
    /* {archive, inside, sandbox: ref} -> {}. Runs the program /alca-net of a root file system that
     * holds nothing else, given as the path of a tar file, as root with CAP_NET_ADMIN and no other
     * right: inside, in the network namespace of a running sandbox; else in the one that the engine
     * routes in. The end of its input ends it. Nothing of it stays running. exit_code: 0 where the
     * engine does not keep it. */
    alca_status (*run_net_helper)(void* self, const alca_call* call, alca_str request,
                                  const alca_stdio* io, int32_t* exit_code);
} alca_runtime_1;

/* NOLINTEND */
#endif
