// nft_rules/inside.hpp - the table `inet alca` inside a sandbox's own network namespace: the second
// layer, which needs nothing from the host's. Reasons and measurements: docs/adr/0010.
//
// It decides about what the sandbox sends, before the packet is on its way. Who may not change it:
// everybody without CAP_NET_ADMIN in that namespace, root of the sandbox included.
#ifndef ALCA_NFT_RULES_INSIDE_HPP
#define ALCA_NFT_RULES_INSIDE_HPP

#include <memory>
#include <string>
#include <vector>

#include "alca/call.hpp"
#include "alca/firewall.hpp"
#include "alca/result.hpp"
#include "plugins/shared/nft_rules/addresses.hpp"
#include "plugins/shared/nft_rules/on_link.hpp"
#include "plugins/shared/nft_rules/readback.hpp"
#include "plugins/shared/nft_rules/sandbox.hpp"
#include "plugins/shared/nft_rules/transport.hpp"

namespace alca::nft {

// What one sandbox may reach, in terms of addresses alone: from inside nothing else tells them
// apart.
struct InsideView {
    Resolvers resolvers;
    OnLink on_link;
    Resolvers host;  // this host by its addresses
    std::vector<Allowance> allow = {};
    std::vector<PublishedPort> published = {};  // may be connected to from outside
};

[[nodiscard]] TableSpec inside_table(const InsideView& view);

// Errors of every function: as Netlink, and cancelled.
class InsideRuleset {
  public:
    [[nodiscard]] static Result<InsideRuleset> open(std::shared_ptr<Kernel> kernel);

    // In one transaction, and only if anything differs; counters then start anew.
    [[nodiscard]] Result<void> apply(const Call& call, const InsideView& view);
    // "" when the kernel holds what `apply` puts there and refuses a packet to each of `refused`,
    // else what is wrong first.
    [[nodiscard]] Result<std::string> verify(const Call& call, const InsideView& view,
                                             const std::vector<Bytes>& refused);
    [[nodiscard]] Result<void> remove(const Call& call);
    [[nodiscard]] Result<FirewallReport> report();

  private:
    InsideRuleset(std::shared_ptr<Kernel> kernel, Netlink netlink)
        : kernel_(std::move(kernel)), netlink_(std::move(netlink)) {}

    std::shared_ptr<Kernel> kernel_;
    Netlink netlink_;
};

}  // namespace alca::nft

#endif
