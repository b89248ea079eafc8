// nft_rules/sandbox.hpp - one sandbox in the table: an element of the registry, of `arriving`, and
// a counter for each reason with the map element that leads to it; with rules of its own, chains.
#ifndef ALCA_NFT_RULES_SANDBOX_HPP
#define ALCA_NFT_RULES_SANDBOX_HPP

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "plugins/shared/nft_rules/batch.hpp"
#include "plugins/shared/nft_rules/interface_name.hpp"
#include "plugins/shared/nft_rules/own_rules.hpp"
#include "plugins/shared/nft_rules/readback.hpp"
#include "plugins/shared/nft_rules/transport.hpp"

namespace alca::nft {

// The verdict maps that have an element for a sandbox, and what the chain that it leads to is
// called. The registry has one always; its verdict may be a policy that needs no chain of its own.
struct Branch {
    const char* map;
    std::string_view chain_prefix;
    int verdict;  // NFT_GOTO, or NFT_JUMP where other rules follow
};
inline constexpr std::array<Branch, 3> kBranches{{{kProxied, kProxyChainPrefix, NFT_GOTO},
                                                  {kLimited, kLimitChainPrefix, NFT_JUMP},
                                                  {kRegistry, kOwnChainPrefix, NFT_GOTO}}};

// What the kernel holds of one sandbox, whole or in parts.
struct SandboxState {
    struct OfBranch {
        std::vector<Element> element;  // none or one
        std::optional<ChainText> chain;
    };
    std::array<OfBranch, kBranches.size()> branches;  // in the order of kBranches
    std::vector<Element> arriving;                    // none or one
    std::vector<Element> restricted;
    struct Reason {
        std::vector<Element> element;
        bool has_counter = false;
    };
    std::array<Reason, kReasons.size()> reasons;  // in the order of kReasons

    [[nodiscard]] const std::vector<Element>& registry() const { return branches.back().element; }
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
