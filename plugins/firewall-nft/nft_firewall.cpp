#include "plugins/firewall-nft/nft_firewall.hpp"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "plugins/firewall-nft/helper_client.hpp"
#include "plugins/shared/nft_rules/probe.hpp"

namespace alca::nft {
namespace {

constexpr const char* kLayer = "host nftables (inet alca)";

struct Target {
    Sandbox sandbox;
    Surroundings around;
};

// On-link networks are those of now: an old answer of `apply` is a difference in `verify`.
Result<OnLink> on_link_of(Kernel& kernel) {
    auto routes = read_on_link_routes(kernel);
    if (!routes) return fail(routes.error());
    return on_link(std::move(*routes), denied_ranges());
}

Result<Target> target_of(Kernel& kernel, const FirewallRequest& request,
                         std::optional<std::uint32_t> caller) {
    auto interface = InterfaceName::parse(request.interface);
    if (!interface) return fail(interface.error());
    auto allow = allowances(request.allow);
    if (!allow) return fail(allow.error());
    auto networks = on_link_of(kernel);
    if (!networks) return fail(networks.error());
    auto through = proxy(request.proxy);
    if (!through) return fail(through.error());
    const bool strict = request.strict && request.policy == NetworkPolicy::internet;
    return Target{.sandbox = {.interface = std::move(*interface),
                              .policy = request.policy,
                              .allow = std::move(*allow),
                              .proxy = std::move(*through),
                              .limits = request.limits,
                              .strict = strict,
                              .owner = caller},
                  .around = {resolvers(request.dns), std::move(*networks)}};
}

// This host by its addresses: its own, and what the engine says that the sandbox calls it by.
// Private ones are refused anyway, and change whenever an engine makes a network: they count only
// where something is allowed, which never means this host unless it says so.
Result<Resolvers> host_addresses(Kernel& host, const FirewallRequest& request) {
    auto own = read_own_addresses(host);
    if (!own) return fail(own.error());
    if (request.allow.empty()) {
        const auto denied = denied_ranges();
        std::erase_if(*own, [&](const Bytes& address) {
            return is_covered({.first = address, .last = address}, denied);
        });
    }
    for (const std::string& gateway : request.gateways) {
        auto address = parse_address(gateway);
        if (!address) return fail(Code::invalid, "a gateway that is no address: " + gateway);
        own->push_back(std::move(*address));
    }
    std::sort(own->begin(), own->end());
    own->erase(std::unique(own->begin(), own->end()), own->end());
    Resolvers split;
    for (Bytes& address : *own) {
        (address.size() == 4 ? split.v4 : split.v6).push_back(std::move(address));
    }
    return split;
}

Result<InsideView> view_of(Kernel& host, const FirewallRequest& request) {
    if (request.policy != NetworkPolicy::internet) {
        return fail(Code::invalid, "rules inside a sandbox are for the policy \"internet\" only");
    }
    auto allow = allowances(request.allow);
    if (!allow) return fail(allow.error());
    auto networks = on_link_of(host);
    if (!networks) return fail(networks.error());
    auto addresses = host_addresses(host, request);
    if (!addresses) return fail(addresses.error());
    return InsideView{.resolvers = resolvers(request.dns),
                      .on_link = std::move(*networks),
                      .host = std::move(*addresses),
                      .allow = std::move(*allow),
                      .published = request.published};
}

// Whether a probe's datagram to this host might be let out. A network never means this host.
bool allows_probe(const AllowRule& rule) {
    if (rule.to.find('/') != std::string::npos) return false;
    const auto& protocols = rule.protocols;
    const bool udp = protocols.empty() ||
                     std::find(protocols.begin(), protocols.end(), "udp") != protocols.end();
    const bool port = rule.ports.empty() ||
                      std::any_of(rule.ports.begin(), rule.ports.end(), [](const PortRange& ports) {
                          return ports.first <= kProbePort && kProbePort <= ports.last;
                      });
    return udp && port;
}

// Gateways are this host, which a sandbox may not reach.
std::vector<Bytes> must_be_refused(const FirewallRequest& request) {
    std::vector<Bytes> addresses;
    if (std::any_of(request.allow.begin(), request.allow.end(), allows_probe)) return addresses;
    for (const std::string& gateway : request.gateways) {
        if (auto address = parse_address(gateway)) addresses.push_back(std::move(*address));
    }
    return addresses;
}

bool has_capability(unsigned number) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    if (::syscall(SYS_capget, &header, sets.data()) != 0) return false;
    return (sets.at(number / 32).effective & (1U << (number % 32))) != 0;
}

}  // namespace

// Has no settings: what another version may put there does not concern this one.
Result<std::unique_ptr<NftFirewall>> NftFirewall::make(const Json& /*settings*/) {
    return std::make_unique<NftFirewall>();
}

// Root's are nobody's; through a container they are the user's who started it.
std::optional<std::uint32_t> NftFirewall::owner() const {
    if (caller_) return caller_;
    if (there_ != nullptr && ::getuid() != 0) return ::getuid();
    return std::nullopt;
}

// The routing rule of a strict sandbox stays when the table, which says whose it is, was taken
// away.
Result<void> NftFirewall::check_owner(Ruleset& rules, const InterfaceName& interface) {
    if (!caller_) return {};
    const auto registered = rules.list();
    if (!registered) return fail(registered.error());
    const bool is_own =
        std::find(registered->begin(), registered->end(), interface.text()) != registered->end();
    if (is_own) return {};
    if (auto own = rules.check_owner(interface); !own) return own;
    const auto strict = IpRules(kernel()).difference(interface, /*wanted=*/false);
    if (!strict) return fail(strict.error());
    if (strict->empty()) return {};
    return fail(Code::denied, "this sandbox is strict, and nothing says whose it is any more");
}

Result<void> NftFirewall::connect(const Call& /*call*/, int fd) {
    auto kernel = through_relay(fd);
    if (!kernel) return fail(kernel.error());
    there_ = std::move(*kernel);
    ruleset_.reset();
    return {};
}

Result<Ruleset*> NftFirewall::ruleset() {
    if (!ruleset_) {
        auto opened = Ruleset::open(there_ ? there_ : here_, caller_);
        if (!opened) return fail(opened.error());
        ruleset_.emplace(std::move(*opened));
    }
    return &*ruleset_;
}

Result<InsideRuleset> NftFirewall::inside(const FirewallRequest& request) {
    // Connected means that alca-net is there: the process is nobody's business then.
    if (there_ != nullptr) return InsideRuleset::open(there_);
    if (request.pid == 0) {
        return fail(Code::invalid, "no way into the sandbox: neither pid nor connection");
    }
    auto kernel = namespace_of(static_cast<pid_t>(request.pid));
    if (!kernel) return fail(kernel.error());
    return InsideRuleset::open(std::move(*kernel));
}

Result<FirewallProbe> NftFirewall::probe(const Call& call) {
    FirewallProbe probe;
    probe.layer = kLayer;
    probe.strict = probe.traffic = probe.inside = true;
    probe.enters = has_capability(CAP_SYS_ADMIN) && has_capability(CAP_NET_ADMIN);
    const auto rules = ruleset();
    // All of nfnetlink asks for CAP_NET_ADMIN, so the cheapest question tells whether we have it.
    const Result<void> answer = rules ? (*rules)->ask_kernel() : fail(rules.error());
    probe.available = answer.has_value();
    if (answer) return probe;
    probe.needs_root = answer.error().code == Code::denied;
    probe.reason = answer.error().message;
    if (!may_ask_helper({}, answer.error().code)) return probe;
    const auto helper = ask_helper(call, "probe");
    if (helper) {
        probe.available = probe.by_helper = true;
        probe.needs_root = false;
        probe.reason.clear();
    } else if (helper.error().code != Code::not_found) {
        probe.reason = helper.error().message;
    }
    return probe;
}

bool NftFirewall::may_ask_helper(const FirewallRequest& request, Code code) const {
    return code == Code::denied && there_ == nullptr && !caller_ &&
           request.layer == FirewallLayer::host;
}

// Here first; where the right is missing, through the installed helper, if there is one.
Result<void> NftFirewall::apply(const Call& call, const FirewallRequest& request) {
    auto done = apply_here(call, request);
    if (done || !may_ask_helper(request, done.error().code)) return done;
    auto helped = ask_helper(call, "apply", request);
    if (!helped && helped.error().code == Code::not_found) return done;
    return helped ? Result<void>() : fail(helped.error());
}

Result<FirewallVerdict> NftFirewall::verify(const Call& call, const FirewallRequest& request) {
    auto verdict = verify_here(call, request);
    if (verdict || !may_ask_helper(request, verdict.error().code)) return verdict;
    const auto helped = ask_helper(call, "verify", request);
    if (!helped && helped.error().code == Code::not_found) return verdict;
    return helped ? FirewallVerdict::from_json(*helped) : fail(helped.error());
}

Result<void> NftFirewall::remove(const Call& call, const FirewallRequest& request) {
    auto done = remove_here(call, request);
    if (done || !may_ask_helper(request, done.error().code)) return done;
    auto helped = ask_helper(call, "remove", request);
    if (!helped && helped.error().code == Code::not_found) return done;
    return helped ? Result<void>() : fail(helped.error());
}

Result<FirewallReport> NftFirewall::report(const Call& call, const FirewallRequest& request) {
    auto report = report_here(request);
    if (report || !may_ask_helper(request, report.error().code)) return report;
    const auto helped = ask_helper(call, "report", request);
    if (!helped && helped.error().code == Code::not_found) return report;
    return helped ? FirewallReport::from_json(*helped) : fail(helped.error());
}

Result<void> NftFirewall::apply_here(const Call& call, const FirewallRequest& request) {
    if (request.layer == FirewallLayer::inside) {
        const auto view = view_of(*here_, request);
        if (!view) return fail(view.error());
        auto rules = inside(request);
        if (!rules) return fail(rules.error());
        return rules->apply(call, *view);
    }
    const auto rules = ruleset();
    if (!rules) return fail(rules.error());
    const auto target = target_of(kernel(), request, owner());
    if (!target) return fail(target.error());
    const InterfaceName& interface = target->sandbox.interface;
    if (auto own = check_owner(**rules, interface); !own) return own;
    // Ahead of the registration: closed until what passes gets the mark, never the other way round.
    IpRules routing(kernel());
    auto switched = target->sandbox.strict ? routing.put(interface) : routing.remove(interface);
    if (!switched) return switched;
    return (*rules)->apply(call, target->sandbox, target->around);
}

Result<FirewallVerdict> NftFirewall::verify_here(const Call& call, const FirewallRequest& request) {
    Result<std::string> problem;
    if (request.layer == FirewallLayer::inside) {
        const auto view = view_of(*here_, request);
        if (!view) return fail(view.error());
        auto rules = inside(request);
        if (!rules) return fail(rules.error());
        problem = rules->verify(call, *view, must_be_refused(request));
    } else {
        const auto rules = ruleset();
        if (!rules) return fail(rules.error());
        const auto target = target_of(kernel(), request, owner());
        if (!target) return fail(target.error());
        problem = (*rules)->verify(call, target->sandbox, target->around);
        if (problem && problem->empty()) {
            problem =
                IpRules(kernel()).difference(target->sandbox.interface, target->sandbox.strict);
        }
    }
    if (!problem) return fail(problem.error());
    return FirewallVerdict{.intact = problem->empty(), .problem = std::move(*problem)};
}

Result<void> NftFirewall::remove_here(const Call& call, const FirewallRequest& request) {
    if (request.layer == FirewallLayer::inside) {
        auto rules = inside(request);
        if (!rules) return fail(rules.error());
        return rules->remove(call);
    }
    const auto interface = InterfaceName::parse(request.interface);
    if (!interface) return fail(interface.error());
    const auto rules = ruleset();
    if (!rules) return fail(rules.error());
    if (auto own = check_owner(**rules, *interface); !own) return own;
    if (auto removed = (*rules)->remove(call, *interface); !removed) return removed;
    return IpRules(kernel()).remove(*interface);
}

Result<std::vector<std::string>> NftFirewall::list(const Call& /*call*/) {
    const auto rules = ruleset();
    if (!rules) return fail(rules.error());
    return (*rules)->list();
}

Result<FirewallReport> NftFirewall::report_here(const FirewallRequest& request) {
    if (request.layer == FirewallLayer::inside) {
        auto rules = inside(request);
        if (!rules) return fail(rules.error());
        return rules->report();
    }
    const auto interface = InterfaceName::parse(request.interface);
    if (!interface) return fail(interface.error());
    const auto rules = ruleset();
    if (!rules) return fail(rules.error());
    return (*rules)->report(*interface);
}

}  // namespace alca::nft
