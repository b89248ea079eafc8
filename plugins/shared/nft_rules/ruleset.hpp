// nft_rules/ruleset.hpp - the table as a whole: sandboxes come, go and are checked.
//
// Each change is read, built and committed on one generation of the ruleset, and done again when
// somebody else was first: any number of processes may work at the same time.
#ifndef ALCA_NFT_RULES_RULESET_HPP
#define ALCA_NFT_RULES_RULESET_HPP

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

namespace alca::nft {

// What is the same for all sandboxes of this machine and changes with it.
struct Surroundings {
    Resolvers resolvers;
    OnLink on_link;
};

// Errors of every function: as Netlink, and cancelled.
class Ruleset {
  public:
    // caller: the user on whose behalf all of it is done, who may change and see only the sandboxes
    // that he has registered (error denied); nothing: all of them. Errors: those of Netlink::open.
    [[nodiscard]] static Result<Ruleset> open(std::shared_ptr<Kernel> kernel,
                                              std::optional<std::uint32_t> caller = {});

    // Changes nothing. Fails as every other function would for want of a right or of nf_tables.
    [[nodiscard]] Result<void> ask_kernel();
    // Whether the caller may change the sandbox at all.
    [[nodiscard]] Result<void> check_owner(const InterfaceName& interface);
    // In one transaction: the static part, whole, if it is missing or was changed, with every
    // sandbox that was registered, without its own rules (its counters start anew), or closed if
    // those restrict it; `sandbox`; and the surroundings.
    [[nodiscard]] Result<void> apply(const Call& call, const Sandbox& sandbox,
                                     const Surroundings& around);
    // "" when the kernel holds what `apply` puts there, else the first difference.
    [[nodiscard]] Result<std::string> verify(const Call& call, const Sandbox& sandbox,
                                             const Surroundings& around);
    // Leaves nothing of the sandbox. The table goes with the last one, unless an interface named
    // "alca..." is still there: without the table that one would be open.
    [[nodiscard]] Result<void> remove(const Call& call, const InterfaceName& interface);
    // Registered interfaces, also of policies that this version does not know, sorted.
    [[nodiscard]] Result<std::vector<std::string>> list();
    [[nodiscard]] Result<FirewallReport> report(const InterfaceName& interface);

  private:
    Ruleset(std::shared_ptr<Kernel> kernel, Netlink netlink, std::optional<std::uint32_t> caller);
    Result<void> check_owner(const std::vector<Element>& registry) const;
    Result<Commit> try_apply(const Sandbox& sandbox, const Surroundings& around);
    Result<Commit> try_remove(const InterfaceName& interface);
    Result<Commit> try_forget(const InterfaceName& interface);
    Result<Commit> commit(Batch& batch);
    Result<std::vector<Sandbox>> registered();
    Result<void> put_surroundings(Batch& batch, const Surroundings& around);
    Result<std::string> difference_now(const Sandbox& sandbox, const Surroundings& around);

    bool any_sandbox_interface();

    std::shared_ptr<Kernel> kernel_;
    Netlink netlink_;
    std::optional<std::uint32_t> caller_;
    TableSpec table_;
    Snapshot expected_;
};

}  // namespace alca::nft

#endif
