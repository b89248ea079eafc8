// firewall-nft/nft_firewall.hpp - layer H: alca.firewall/1 over the host's nf_tables, in this
// process.
#ifndef ALCA_NFT_FIREWALL_HPP
#define ALCA_NFT_FIREWALL_HPP

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alca/firewall.hpp"
#include "plugins/shared/nft_rules/ip_rules.hpp"
#include "plugins/shared/nft_rules/ruleset.hpp"

namespace alca::nft {

// Works in the network namespace of the thread that makes the first call. Remembers nothing but
// its socket: what is in force is in the kernel. Does not use FirewallRequest::sandbox_id: the
// kernel knows a sandbox by its interface only.
class NftFirewall final : public Firewall {
  public:
    [[nodiscard]] static Result<std::unique_ptr<NftFirewall>> make(const Json& settings);

    [[nodiscard]] Result<FirewallProbe> probe(const Call& call) override;
    [[nodiscard]] Result<void> apply(const Call& call, const FirewallRequest& request) override;
    [[nodiscard]] Result<FirewallVerdict> verify(const Call& call,
                                                 const FirewallRequest& request) override;
    [[nodiscard]] Result<void> remove(const Call& call, const FirewallRequest& request) override;
    [[nodiscard]] Result<std::vector<std::string>> list(const Call& call) override;
    [[nodiscard]] Result<FirewallReport> report(const Call& call,
                                                const FirewallRequest& request) override;

  private:
    Result<Ruleset*> ruleset();
    Result<IpRules*> ip_rules();

    std::optional<Ruleset> ruleset_;  // from the first call on
    std::optional<IpRules> ip_rules_;
};

}  // namespace alca::nft

#endif
