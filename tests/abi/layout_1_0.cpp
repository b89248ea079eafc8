// Offsets of every member of ABI 1.0 on LP64. A released member never moves: a line here is added
// for a new member and never changed. Compiled against today's headers and the frozen ones.
#include "alca/firewall.h"
#include "alca/plugin.h"
#include "alca/presets.h"
#include "alca/runtime.h"

static_assert(sizeof(void*) == 8 && sizeof(size_t) == 8, "the table below is for LP64");

#define ALCA_AT(type, member, offset) \
    static_assert(offsetof(type, member) == (offset), #type "." #member " has moved")

ALCA_AT(alca_str, data, 0);
ALCA_AT(alca_str, len, 8);
static_assert(sizeof(alca_str) == 16, "alca_str is passed by value");

ALCA_AT(alca_call, size, 0);
ALCA_AT(alca_call, host, 8);
ALCA_AT(alca_call, cancel_fd, 16);
ALCA_AT(alca_call, reply, 24);
ALCA_AT(alca_call, fail, 32);
ALCA_AT(alca_call, log, 40);
ALCA_AT(alca_call, progress, 48);

ALCA_AT(alca_stdio, size, 0);
ALCA_AT(alca_stdio, in, 8);
ALCA_AT(alca_stdio, out, 12);
ALCA_AT(alca_stdio, err, 16);
ALCA_AT(alca_stdio, tty, 20);
ALCA_AT(alca_stdio, resize_fd, 24);

ALCA_AT(alca_winsize, rows, 0);
ALCA_AT(alca_winsize, cols, 2);
static_assert(sizeof(alca_winsize) == 4, "alca_winsize is a record in a pipe");

ALCA_AT(alca_plugin, size, 0);
ALCA_AT(alca_plugin, abi_minor, 8);
ALCA_AT(alca_plugin, id, 16);
ALCA_AT(alca_plugin, version, 24);
ALCA_AT(alca_plugin, provides, 32);
ALCA_AT(alca_plugin, query, 40);
ALCA_AT(alca_plugin, create, 48);
ALCA_AT(alca_plugin, destroy, 56);

ALCA_AT(alca_runtime_1, size, 0);
ALCA_AT(alca_runtime_1, probe, 8);
ALCA_AT(alca_runtime_1, prepare, 16);
ALCA_AT(alca_runtime_1, create, 24);
ALCA_AT(alca_runtime_1, start, 32);
ALCA_AT(alca_runtime_1, stop, 40);
ALCA_AT(alca_runtime_1, remove, 48);
ALCA_AT(alca_runtime_1, status, 56);
ALCA_AT(alca_runtime_1, list, 64);
ALCA_AT(alca_runtime_1, exec, 72);
ALCA_AT(alca_runtime_1, run_net_helper, 80);

ALCA_AT(alca_firewall_1, size, 0);
ALCA_AT(alca_firewall_1, probe, 8);
ALCA_AT(alca_firewall_1, apply, 16);
ALCA_AT(alca_firewall_1, verify, 24);
ALCA_AT(alca_firewall_1, remove, 32);
ALCA_AT(alca_firewall_1, list, 40);
ALCA_AT(alca_firewall_1, report, 48);
ALCA_AT(alca_firewall_1, connect, 56);

ALCA_AT(alca_presets_1, size, 0);
ALCA_AT(alca_presets_1, list, 8);
ALCA_AT(alca_presets_1, render, 16);

static_assert(ALCA_OK == 0 && ALCA_FAILED == -1 && ALCA_UNSUPPORTED == -2 &&
                  ALCA_UNAVAILABLE == -3 && ALCA_NOT_FOUND == -4 && ALCA_INVALID == -5 &&
                  ALCA_DENIED == -6 && ALCA_CANCELLED == -7,
              "status codes are numbers in other languages' bindings");
static_assert(ALCA_DEBUG == 0 && ALCA_INFO == 1 && ALCA_WARN == 2 && ALCA_ERROR == 3,
              "log levels are numbers in other languages' bindings");
