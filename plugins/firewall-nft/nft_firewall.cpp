#include "plugins/firewall-nft/nft_firewall.hpp"

namespace alca::nft {
namespace {

constexpr const char* kLayer = "host nftables (inet alca)";

}  // namespace

// Has no settings: what another version may put there does not concern this one.
Result<std::unique_ptr<NftFirewall>> NftFirewall::make(const Json& /*settings*/) {
    return std::make_unique<NftFirewall>();
}

Result<Ruleset*> NftFirewall::ruleset() {
    if (!ruleset_) {
        auto netlink = Netlink::open();
        if (!netlink) return fail(netlink.error());
        ruleset_.emplace(std::move(*netlink));
    }
    return &*ruleset_;
}

Result<FirewallProbe> NftFirewall::probe(const Call& /*call*/) {
    FirewallProbe probe;
    probe.layer = kLayer;
    const auto rules = ruleset();
    // All of nfnetlink asks for CAP_NET_ADMIN, so the cheapest question tells whether we have it.
    const Result<void> answer = rules ? (*rules)->ask_kernel() : fail(rules.error());
    probe.available = answer.has_value();
    if (answer) return probe;
    probe.needs_root = answer.error().code == Code::denied;
    probe.reason = answer.error().message;
    return probe;
}

Result<void> NftFirewall::apply(const Call& call, const FirewallRequest& request) {
    const auto interface = InterfaceName::parse(request.interface);
    if (!interface) return fail(interface.error());
    const auto rules = ruleset();
    if (!rules) return fail(rules.error());
    return (*rules)->apply(call, {*interface, request.policy}, resolvers(request.dns));
}

Result<FirewallVerdict> NftFirewall::verify(const Call& call, const FirewallRequest& request) {
    const auto interface = InterfaceName::parse(request.interface);
    if (!interface) return fail(interface.error());
    const auto rules = ruleset();
    if (!rules) return fail(rules.error());
    auto problem = (*rules)->verify(call, {*interface, request.policy}, resolvers(request.dns));
    if (!problem) return fail(problem.error());
    return FirewallVerdict{.intact = problem->empty(), .problem = std::move(*problem)};
}

Result<void> NftFirewall::remove(const Call& call, const FirewallRequest& request) {
    const auto interface = InterfaceName::parse(request.interface);
    if (!interface) return fail(interface.error());
    const auto rules = ruleset();
    if (!rules) return fail(rules.error());
    return (*rules)->remove(call, *interface);
}

Result<std::vector<std::string>> NftFirewall::list(const Call& /*call*/) {
    const auto rules = ruleset();
    if (!rules) return fail(rules.error());
    return (*rules)->list();
}

}  // namespace alca::nft
