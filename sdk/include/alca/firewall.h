/* alca/firewall.h - interface alca.firewall/1: limits where a sandbox may connect.
 *
 * A sandbox is known by its network interface in the kernel that routes for it, never by an
 * address. A plugin of this interface closes every interface whose name starts with "alca"
 * and is not registered.
 * Requests and answers: sdk/schema/firewall.schema.json; in C++: alca/firewall.hpp.
 */
#ifndef ALCA_FIREWALL_H
#define ALCA_FIREWALL_H
/* NOLINTBEGIN: C, not C++ */

#include "alca/plugin.h"

#define ALCA_FIREWALL_1 "alca.firewall/1"
typedef struct alca_firewall_1 {
    size_t size;
    alca_method probe; /* {} -> {available, needs_root, layer, reason} */
    /* {sandbox_id, interface, policy, dns, allow, proxy, limits} -> {}; replaces, atomically */
    alca_method apply;
    alca_method verify; /* the same -> {intact, problem}; reads back */
    alca_method remove; /* {sandbox_id, interface} -> {}; absent is success */
    alca_method list;   /* {} -> {interfaces: [...]} that are registered */
    alca_method report; /* {sandbox_id, interface} -> {refused, blocked}; since it was registered */
} alca_firewall_1;

/* NOLINTEND */
#endif
