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
    auto routes = read_on_link_routes();
    if (!routes) return fail(routes.error());
    const bool strict = request.strict && request.policy == NetworkPolicy::internet;
    return Target{.sandbox = {std::move(*interface), request.policy, std::move(*allow), strict},
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

Result<IpRules*> NftFirewall::ip_rules() {
    if (!ip_rules_) {
        auto opened = IpRules::open();
        if (!opened) return fail(opened.error());
        ip_rules_.emplace(std::move(*opened));
    }
    return &*ip_rules_;
}

Result<FirewallProbe> NftFirewall::probe(const Call& /*call*/) {
    FirewallProbe probe;
    probe.layer = kLayer;
    probe.strict = true;
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
    const auto routing = ip_rules();
    if (!routing) return fail(routing.error());
    // Ahead of the registration: closed until what passes gets the mark, never the other way round.
    const InterfaceName& interface = target->sandbox.interface;
    const auto switched =
        target->sandbox.strict ? (*routing)->put(interface) : (*routing)->remove(interface);
    if (!switched) return fail(switched.error());
    return (*rules)->apply(call, target->sandbox, target->around);
}

Result<FirewallVerdict> NftFirewall::verify(const Call& call, const FirewallRequest& request) {
    const auto target = target_of(request);
    if (!target) return fail(target.error());
    const auto rules = ruleset();
    if (!rules) return fail(rules.error());
    auto problem = (*rules)->verify(call, target->sandbox, target->around);
    if (!problem) return fail(problem.error());
    const auto routing = ip_rules();
    if (!routing) return fail(routing.error());
    if (problem->empty()) {
        problem = (*routing)->difference(target->sandbox.interface, target->sandbox.strict);
        if (!problem) return fail(problem.error());
    }
    return FirewallVerdict{.intact = problem->empty(), .problem = std::move(*problem)};
}

Result<void> NftFirewall::remove(const Call& call, const FirewallRequest& request) {
    const auto interface = InterfaceName::parse(request.interface);
    if (!interface) return fail(interface.error());
    const auto rules = ruleset();
    if (!rules) return fail(rules.error());
    if (auto removed = (*rules)->remove(call, *interface); !removed) return removed;
    const auto routing = ip_rules();
    if (!routing) return fail(routing.error());
    return (*routing)->remove(*interface);
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
