// register PLUGIN OTHERS ROUNDS: how long the firewall plugin takes to register one more sandbox.
// PLUGIN is the library firewall-nft.so; it is used through the plugin ABI, as alca does.
// Three network namespaces of this process's own hold OTHERS, one and no registered sandboxes.
// Prints one line per round with the microseconds of each, in that order. Needs CAP_SYS_ADMIN and
// CAP_NET_ADMIN; exits with 1 at the first call that fails.
#include <dlfcn.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "alca/firewall.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kNewcomer = "alcanew";

// Also the answers' end: nothing but success is of interest here.
void ignore(const alca_call*, alca_str) {}
void ignore_log(const alca_call*, int32_t, alca_str) {}
void print_reason(const alca_call*, alca_str reason) {
    fmt::print(stderr, "register: {}\n", std::string_view(reason.data, reason.len));
}

constexpr alca_call kCall{sizeof(alca_call), nullptr, -1, ignore, print_reason, ignore_log, ignore};

const alca_plugin* load(const char* file) {
    // Kept until exit: the library is never unloaded.
    void* const library = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
    void* const entry = library == nullptr ? nullptr : ::dlsym(library, "alca_plugin_v1");
    if (entry == nullptr) {
        fmt::print(stderr, "register: {}\n", ::dlerror());
        return nullptr;
    }
    return reinterpret_cast<decltype(&alca_plugin_v1)>(entry)();
}

// One instance of the plugin, at home in a network namespace made for it.
class Namespace {
  public:
    explicit Namespace(const alca_plugin& plugin)
        : plugin_(plugin),
          firewall_(static_cast<const alca_firewall_1*>(plugin.query(ALCA_FIREWALL_1))) {}
    ~Namespace() {
        if (self_ != nullptr) plugin_.destroy(self_);
    }
    Namespace(const Namespace&) = delete;
    Namespace& operator=(const Namespace&) = delete;

    // The instance stays in the namespace of its first call, wherever the thread goes afterwards.
    bool open(int sandboxes) {
        if (firewall_ == nullptr || ::unshare(CLONE_NEWNET) != 0) {
            fmt::print(stderr, "register: no firewall, or no right to make a network namespace\n");
            return false;
        }
        if (plugin_.create(&kCall, {"{}", 2}, &self_) != ALCA_OK) return false;
        for (int i = 0; i < sandboxes; ++i) {
            if (!apply(fmt::format("alca{}", i))) return false;
        }
        return call(firewall_->probe, "{}");
    }

    // Microseconds, or -1. Afterwards the sandbox is gone again.
    double time_newcomer() {
        const auto begin = Clock::now();
        const bool applied = apply(kNewcomer);
        const std::chrono::duration<double, std::micro> took = Clock::now() - begin;
        return applied && call(firewall_->remove, request(kNewcomer)) ? took.count() : -1;
    }

  private:
    static std::string request(std::string_view interface) {
        return fmt::format(
            R"({{"sandbox_id":"bench","interface":"{}","policy":"internet","dns":["192.0.2.53"]}})",
            interface);
    }
    bool apply(std::string_view interface) { return call(firewall_->apply, request(interface)); }
    bool call(alca_method method, const std::string& request) {
        return method(self_, &kCall, {request.data(), request.size()}) == ALCA_OK;
    }

    const alca_plugin& plugin_;
    const alca_firewall_1* firewall_;
    void* self_ = nullptr;
};

// Positive, or 0 if it is no such number.
int parse_count(std::string_view text) {
    int count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    return error == std::errc{} && end == text.data() + text.size() && count > 0 ? count : 0;
}

int measure(const alca_plugin& plugin, int others, int rounds) {
    std::array<Namespace, 3> namespaces{Namespace(plugin), Namespace(plugin), Namespace(plugin)};
    if (!namespaces[0].open(others) || !namespaces[1].open(1) || !namespaces[2].open(0)) return 1;
    std::array<double, 3> times{};
    for (int round = 0; round < rounds; ++round) {
        // Another one goes first each time: what one leaves to the kernel may slow the next.
        for (std::size_t i = 0; i < namespaces.size(); ++i) {
            const std::size_t at = (static_cast<std::size_t>(round) + i) % namespaces.size();
            times[at] = namespaces[at].time_newcomer();
            if (times[at] < 0) return 1;
        }
        fmt::print("{:.1f} {:.1f} {:.1f}\n", times[0], times[1], times[2]);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const int others = argc == 4 ? parse_count(argv[2]) : 0;
    const int rounds = argc == 4 ? parse_count(argv[3]) : 0;
    if (others == 0 || rounds == 0) {
        fmt::print(stderr, "usage: register PLUGIN OTHERS ROUNDS\n");
        return 2;
    }
    const alca_plugin* const plugin = load(argv[1]);
    return plugin == nullptr ? 1 : measure(*plugin, others, rounds);
}
