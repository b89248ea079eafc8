#include "plugins/firewall-nft/nft_firewall.hpp"

namespace alca::nft {
namespace {

constexpr const char* kLayer = "host nftables (inet alca)";

struct Target {
    Sandbox sandbox;
    Surroundings around;
};

// On-link networks are those of now: an old answer of `apply` is a difference in `verify`.
Result<Target> target_of(const FirewallRequest& request) {
    auto interface = InterfaceName::parse(request.interface);
    if (!interface) return fail(interface.error());
    auto allow = allowances(request.allow);
    if (!allow) return fail(allow.error());
    auto through = proxy(request.proxy);
    if (!through) return fail(through.error());
    auto routes = read_on_link_routes();
    if (!routes) return fail(routes.error());
    return Target{.sandbox = {std::move(*interface), request.policy, std::move(*allow),
                              std::move(*through), request.limits},
                  .around = {resolvers(request.dns), on_link(std::move(*routes), denied_ranges())}};
}

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
    const auto target = target_of(request);
    if (!target) return fail(target.error());
    const auto rules = ruleset();
    if (!rules) return fail(rules.error());
    return (*rules)->apply(call, target->sandbox, target->around);
}

Result<FirewallVerdict> NftFirewall::verify(const Call& call, const FirewallRequest& request) {
    const auto target = target_of(request);
    if (!target) return fail(target.error());
    const auto rules = ruleset();
    if (!rules) return fail(rules.error());
    auto problem = (*rules)->verify(call, target->sandbox, target->around);
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

Result<FirewallReport> NftFirewall::report(const Call& /*call*/, const FirewallRequest& request) {
    const auto interface = InterfaceName::parse(request.interface);
    if (!interface) return fail(interface.error());
    const auto rules = ruleset();
    if (!rules) return fail(rules.error());
    return (*rules)->report(*interface);
}

}  // namespace alca::nft
