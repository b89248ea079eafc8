// nft_rules/own_rules.hpp - what one sandbox has beyond the rules that hold for all: destinations
// that it may reach, a proxy, limits. Each is a chain that only its packets enter.
#ifndef ALCA_NFT_RULES_OWN_RULES_HPP
#define ALCA_NFT_RULES_OWN_RULES_HPP

#include <optional>
#include <string>
#include <vector>

#include "alca/firewall.hpp"
#include "plugins/shared/nft_rules/interface_name.hpp"
#include "plugins/shared/nft_rules/table.hpp"

namespace alca::nft {

// One rule of a sandbox's own chain.
struct Allowance {
    std::optional<AddressRange> addresses;  // nothing: this host, by any address
    std::uint8_t protocol = 0;              // 0: every one
    std::optional<PortRange> ports;         // nothing: every one. Only with a protocol
};
// Errors: invalid (an address that is none, more than 256 allowances).
[[nodiscard]] Result<std::vector<Allowance>> allowances(const std::vector<AllowRule>& rules);

struct Proxy {
    Bytes address;  // empty: this host
    std::uint16_t port = 0;
};
// Errors: invalid (an address that is none, or that no packet can be sent to from outside).
[[nodiscard]] Result<std::optional<Proxy>> proxy(const std::optional<TcpProxy>& wanted);

struct Sandbox {
    InterfaceName interface;
    NetworkPolicy policy;
    std::vector<Allowance> allow = {};
    std::optional<Proxy> proxy = {};
    TrafficLimits limits = {};
    bool strict = false;                      // ip_rules.hpp: what it lets pass is marked
    std::optional<std::uint32_t> owner = {};  // the user whose it is; nothing: root's
};

// Without its own rules it could do more than with them.
[[nodiscard]] bool is_restricted(const Sandbox& sandbox);

// Each is nothing when this sandbox needs none.
// What it may do, instead of the policy's chain.
[[nodiscard]] std::optional<ChainSpec> decision_chain(const Sandbox& sandbox);
// Where its TCP connections go.
[[nodiscard]] std::optional<ChainSpec> proxy_chain(const Sandbox& sandbox);
// What of the packets to it is too much.
[[nodiscard]] std::optional<ChainSpec> limit_chain(const Sandbox& sandbox);

}  // namespace alca::nft

#endif
