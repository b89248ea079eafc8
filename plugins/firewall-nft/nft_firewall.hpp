// firewall-nft/nft_firewall.hpp - alca.firewall/1 over nf_tables, both layers.
#ifndef ALCA_NFT_FIREWALL_HPP
#define ALCA_NFT_FIREWALL_HPP

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alca/firewall.hpp"
#include "plugins/shared/nft_rules/inside.hpp"
#include "plugins/shared/nft_rules/ip_rules.hpp"
#include "plugins/shared/nft_rules/ruleset.hpp"

namespace alca::nft {

// Works in the network namespace of the thread that makes the first call; inside a sandbox's, where
// a request says so; or, once connected, where the alca-net at the other end is. Remembers nothing
// but its sockets: what is in force is in the kernel. Does not use FirewallRequest::sandbox_id: the
// kernel knows a sandbox by its interface only.
class NftFirewall final : public Firewall {
  public:
    NftFirewall() = default;
    // For the network helper: on behalf of one user, who has but his own sandboxes, and on the
    // layer of the host only.
    explicit NftFirewall(uid_t caller) : caller_(caller) {}

    [[nodiscard]] static Result<std::unique_ptr<NftFirewall>> make(const Json& settings);

    [[nodiscard]] Result<FirewallProbe> probe(const Call& call) override;
    [[nodiscard]] Result<void> apply(const Call& call, const FirewallRequest& request) override;
    [[nodiscard]] Result<FirewallVerdict> verify(const Call& call,
                                                 const FirewallRequest& request) override;
    [[nodiscard]] Result<void> remove(const Call& call, const FirewallRequest& request) override;
    [[nodiscard]] Result<std::vector<std::string>> list(const Call& call) override;
    [[nodiscard]] Result<FirewallReport> report(const Call& call,
                                                const FirewallRequest& request) override;
    [[nodiscard]] Result<void> connect(const Call& call, int fd) override;

  private:
    [[nodiscard]] Kernel& kernel() { return there_ ? *there_ : *here_; }
    [[nodiscard]] std::optional<std::uint32_t> owner() const;
    Result<void> check_owner(Ruleset& rules, const InterfaceName& interface);
    Result<Ruleset*> ruleset();
    [[nodiscard]] bool may_ask_helper(const FirewallRequest& request, Code code) const;
    Result<void> apply_here(const Call& call, const FirewallRequest& request);
    Result<FirewallVerdict> verify_here(const Call& call, const FirewallRequest& request);
    Result<void> remove_here(const Call& call, const FirewallRequest& request);
    Result<FirewallReport> report_here(const FirewallRequest& request);
    Result<InsideRuleset> inside(const FirewallRequest& request);

    std::optional<std::uint32_t> caller_;
    std::shared_ptr<Kernel> here_ = this_namespace();
    std::shared_ptr<Kernel> there_;   // at the other end of `connect`
    std::optional<Ruleset> ruleset_;  // from the first call on
};

}  // namespace alca::nft

#endif
