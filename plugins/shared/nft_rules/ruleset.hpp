// nft_rules/ruleset.hpp - the table as a whole: sandboxes come, go and are checked.
//
// Each change is read, built and committed on one generation of the ruleset, and done again when
// somebody else was first: any number of processes may work at the same time.
#ifndef ALCA_NFT_RULES_RULESET_HPP
#define ALCA_NFT_RULES_RULESET_HPP

#include <string>
#include <vector>

#include "alca/call.hpp"
#include "alca/firewall.hpp"
#include "alca/result.hpp"
#include "plugins/shared/nft_rules/addresses.hpp"
#include "plugins/shared/nft_rules/readback.hpp"
#include "plugins/shared/nft_rules/sandbox.hpp"

namespace alca::nft {

// Errors of every function: as Netlink, and cancelled.
class Ruleset {
  public:
    explicit Ruleset(Netlink netlink);

    // Changes nothing. Fails as every other function would for want of a right or of nf_tables.
    [[nodiscard]] Result<void> ask_kernel();
    // In one transaction: the static part, whole, if it is missing or was changed, with every
    // sandbox that was registered (their counters start anew); `sandbox`; and the resolvers.
    [[nodiscard]] Result<void> apply(const Call& call, const Sandbox& sandbox,
                                     const Resolvers& resolvers);
    // "" when the kernel holds what `apply` puts there, else the first difference.
    [[nodiscard]] Result<std::string> verify(const Call& call, const Sandbox& sandbox,
                                             const Resolvers& resolvers);
    // Leaves nothing of the sandbox. The table goes with the last one, unless an interface named
    // "alca..." is still there: without the table that one would be open.
    [[nodiscard]] Result<void> remove(const Call& call, const InterfaceName& interface);
    // Registered interfaces, also of policies that this version does not know, sorted.
    [[nodiscard]] Result<std::vector<std::string>> list();

  private:
    Result<Commit> try_apply(const Sandbox& sandbox, const Resolvers& resolvers);
    Result<Commit> try_remove(const InterfaceName& interface);
    Result<Commit> try_forget(const InterfaceName& interface);
    Result<Commit> commit(Batch& batch);
    Result<std::vector<Sandbox>> registered();
    Result<void> put_resolvers(Batch& batch, const Resolvers& resolvers);
    Result<std::string> difference_now(const Sandbox& sandbox, const Resolvers& resolvers);

    Netlink netlink_;
    TableSpec table_;
    Snapshot expected_;
};

}  // namespace alca::nft

#endif
