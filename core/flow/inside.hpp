// core/flow/inside.hpp - the proof of isolation: what a sandbox is, read from inside and from the
// engine, compared with what was asked for. Every function here can say no; `up` prints "ready"
// only when none does.
#ifndef ALCA_CORE_FLOW_INSIDE_HPP
#define ALCA_CORE_FLOW_INSIDE_HPP

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "alca/firewall.hpp"
#include "alca/runtime.hpp"

namespace alca::flow {

// What `alca-init verify` found, from /proc and by trying.
struct InsideFacts {
    struct Interface {
        std::string name;
        int family = 0;  // 4 or 6
        std::string address;
    };
    std::map<std::string, std::string, std::less<>> status;  // fields of /proc/self/status
    std::vector<std::string> mounts;                         // lines of /proc/self/mountinfo
    std::vector<Interface> interfaces;
    std::map<std::string, std::string, std::less<>> sockets;  // "AF_VSOCK" -> "ok" or an errno name
    std::map<std::string, std::string, std::less<>>
        probes;  // address -> errno name, "timeout", "answered"
};

// Errors: invalid (a line that is not one of the helper's).
[[nodiscard]] Result<InsideFacts> parse_inside_facts(std::string_view text);

struct Expectation {
    const SandboxSpec& spec;
    std::vector<std::string> gateways;  // the host's addresses on the sandbox's own network
    std::vector<std::string>
        image_volumes;     // targets of the anonymous volumes that the image declares
    bool isolated = true;  // the rules of NetworkPolicy::internet are in the path
    bool inside = false;   // and they are those of FirewallLayer::inside
};

// What is not as it must be, one line each; empty: all of it was seen to hold.
[[nodiscard]] std::vector<std::string> check_inside(const InsideFacts& facts,
                                                    const Expectation& expectation);

// The same for the engine's own account. Engines ignore fields they do not know, so each is
// compared.
[[nodiscard]] std::vector<std::string> check_effective(const SandboxStatus& status,
                                                       const SandboxSpec& spec);

}  // namespace alca::flow

#endif
