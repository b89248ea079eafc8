// register PLUGIN OTHERS ROUNDS [cpu]: how long the firewall plugin takes to register one more
// sandbox. PLUGIN is the library firewall-nft.so; it is used through the plugin ABI, as alca does.
// Three network namespaces of this process's own hold OTHERS, one and no registered sandboxes.
// Prints one line per round with the microseconds of each, in that order: from begin to end, or
// with "cpu" those that this process was busy for, the kernel's work on its behalf included. Needs
// CAP_SYS_ADMIN and CAP_NET_ADMIN; exits with 1 at the first call that fails.
#include <fmt/format.h>
#include <sched.h>

#include <array>
#include <cstddef>
#include <ctime>
#include <string_view>

#include "firewall_plugin.hpp"

namespace {

using alca::bench::Firewall;
using alca::bench::parse_count;

constexpr const char* kNewcomer = "alcanew";

double now_us(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// One instance of the plugin, at home in a network namespace made for it.
class Namespace {
  public:
    explicit Namespace(const alca_plugin& plugin) : firewall_(plugin) {}

    bool open(int sandboxes) {
        if (::unshare(CLONE_NEWNET) != 0) {
            fmt::print(stderr, "register: no right to make a network namespace\n");
            return false;
        }
        if (!firewall_.create()) return false;
        for (int i = 0; i < sandboxes; ++i) {
            if (!firewall_.apply(fmt::format("alca{}", i))) return false;
        }
        return firewall_.probe();
    }

    // Microseconds, or -1. Afterwards the sandbox is gone again.
    double time_newcomer(clockid_t clock) {
        const double begin = now_us(clock);
        const bool applied = firewall_.apply(kNewcomer);
        const double took_us = now_us(clock) - begin;
        return applied && firewall_.remove(kNewcomer) ? took_us : -1;
    }

  private:
    Firewall firewall_;
};

int measure(const alca_plugin& plugin, int others, int rounds, clockid_t clock) {
    std::array<Namespace, 3> namespaces{Namespace(plugin), Namespace(plugin), Namespace(plugin)};
    if (!namespaces[0].open(others) || !namespaces[1].open(1) || !namespaces[2].open(0)) return 1;
    std::array<double, 3> times{};
    for (int round = 0; round < rounds; ++round) {
        // Another one goes first each time: what one leaves to the kernel may slow the next.
        for (std::size_t i = 0; i < namespaces.size(); ++i) {
            const std::size_t at = (static_cast<std::size_t>(round) + i) % namespaces.size();
            times[at] = namespaces[at].time_newcomer(clock);
            if (times[at] < 0) return 1;
        }
        fmt::print("{:.1f} {:.1f} {:.1f}\n", times[0], times[1], times[2]);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const bool busy_only = argc == 5 && std::string_view(argv[4]) == "cpu";
    const bool right_count = argc == 4 || busy_only;
    const int others = right_count ? parse_count(argv[2]) : 0;
    const int rounds = right_count ? parse_count(argv[3]) : 0;
    if (others == 0 || rounds == 0) {
        fmt::print(stderr, "usage: register PLUGIN OTHERS ROUNDS [cpu]\n");
        return 2;
    }
    const alca_plugin* const plugin = alca::bench::load(argv[1]);
    const clockid_t clock = busy_only ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
    return plugin == nullptr ? 1 : measure(*plugin, others, rounds, clock);
}
