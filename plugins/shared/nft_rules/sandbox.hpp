// nft_rules/sandbox.hpp - one sandbox in the table: an element of the registry, of `self`, and a
// counter for each reason with the map element that leads to it; with rules of its own, a chain.
#ifndef ALCA_NFT_RULES_SANDBOX_HPP
#define ALCA_NFT_RULES_SANDBOX_HPP

#include <optional>
#include <string>
#include <vector>

#include "alca/firewall.hpp"
#include "plugins/shared/nft_rules/batch.hpp"
#include "plugins/shared/nft_rules/interface_name.hpp"
#include "plugins/shared/nft_rules/readback.hpp"
#include "plugins/shared/nft_rules/transport.hpp"

namespace alca::nft {

// One rule of a sandbox's own chain.
struct Allowance {
    std::optional<AddressRange> addresses;  // nothing: this host, by any address
    std::uint8_t protocol = 0;              // 0: every one
    std::optional<PortRange> ports;         // nothing: every one. Only with a protocol
};
// Errors: invalid (an address that is none, more than 256 allowances).
[[nodiscard]] Result<std::vector<Allowance>> allowances(const std::vector<AllowRule>& rules);

struct Sandbox {
    InterfaceName interface;
    NetworkPolicy policy;
    std::vector<Allowance> allow = {};
    bool strict = false;  // ip_rules.hpp: what it lets pass is marked
    std::optional<std::uint32_t> owner = {};  // the user whose it is; nothing: root's
};

// What the kernel holds of one sandbox, whole or in parts.
struct SandboxState {
    std::vector<Element> registry;  // none or one
    std::vector<Element> self;
    std::optional<ChainText> chain;
    struct Reason {
        std::vector<Element> element;
        bool has_counter = false;
    };
    std::array<Reason, kReasons.size()> reasons;  // in the order of kReasons
};

[[nodiscard]] Verdict verdict_of(const Sandbox& sandbox);
// Nothing for a verdict that no policy has.
[[nodiscard]] std::optional<NetworkPolicy> policy_of(const Element& registry_element);

// Its cost does not depend on how many sandboxes there are. Errors: as Netlink.
[[nodiscard]] Result<SandboxState> read_sandbox(Netlink& netlink, const TableSpec& table,
                                                const InterfaceName& interface);
// "" when all of `sandbox` is there and right, else what is not.
[[nodiscard]] std::string difference(const Sandbox& sandbox, const SandboxState& state);

// Adds what is missing in `state` and replaces what is wrong. Counters that exist keep counting.
void put_sandbox(Batch& batch, const TableSpec& table, const Sandbox& sandbox,
                 const SandboxState& state);
// Takes away all that `state` has.
void delete_sandbox(Batch& batch, const TableSpec& table, const InterfaceName& interface,
                    const SandboxState& state);

}  // namespace alca::nft

#endif
