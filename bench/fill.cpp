// fill PLUGIN INTERFACE SANDBOXES: puts the real rules up in this network namespace, for INTERFACE
// and for as many others as make SANDBOXES in all. Exits with 1 at the first call that fails.
#include <fmt/format.h>

#include "firewall_plugin.hpp"

namespace {

int fill(const alca_plugin& plugin, const char* interface, int sandboxes) {
    alca::bench::Firewall firewall(plugin);
    if (!firewall.create()) return 1;
    for (int i = 1; i < sandboxes; ++i) {
        if (!firewall.apply(fmt::format("alca{}", i))) return 1;
    }
    return firewall.apply(interface) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const int sandboxes = argc == 4 ? alca::bench::parse_count(argv[3]) : 0;
    if (sandboxes == 0) {
        fmt::print(stderr, "usage: fill PLUGIN INTERFACE SANDBOXES\n");
        return 2;
    }
    const alca_plugin* const plugin = alca::bench::load(argv[1]);
    return plugin == nullptr ? 1 : fill(*plugin, argv[2], sandboxes);
}
