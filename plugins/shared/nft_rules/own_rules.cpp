#include "plugins/shared/nft_rules/own_rules.hpp"

#include <fmt/format.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/in.h>

#include "plugins/shared/nft_rules/chain.hpp"
#include "plugins/shared/nft_rules/ip_rules.hpp"

namespace alca::nft {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::uint16_t kQuicPort = 443;
// Above the largest packet that the kernel passes in one piece, 64 KiB, at any rate.
constexpr std::uint32_t kBurstBytes = 128 * 1024;

constexpr std::uint32_t kNew = NF_CT_STATE_BIT(IP_CT_NEW);
constexpr std::uint32_t kEstablished = NF_CT_STATE_BIT(IP_CT_ESTABLISHED);
constexpr std::uint32_t kNotTracked = NF_CT_STATE_INVALID_BIT | NF_CT_STATE_UNTRACKED_BIT;

Phrase match(const Allowance& allowance) {
    Phrase match = allowance.addresses
                       ? to_addresses(allowance.addresses->first, allowance.addresses->last)
                       : target_is_this_host();
    // Who allows a network means the others in it, not this machine or all of them at once.
    if (allowance.addresses && allowance.addresses->first != allowance.addresses->last) {
        append(match, target_is_unicast());
    }
    // Never tunnels: a receiver on this machine would let out what is inside them.
    append(match,
           allowance.protocol != 0 ? protocol(allowance.protocol) : protocol_in("protocols"));
    if (allowance.ports) append(match, to_ports(allowance.ports->first, allowance.ports->last));
    return match;
}

// A resolver keeps its connections: a proxy would not know what to do with them.
bool is_resolver(const Allowance& allowance) {
    return allowance.addresses && allowance.ports == PortRange{kDnsPort, kDnsPort};
}

void accept_resolvers(Chain& chain, const Sandbox& sandbox) {
    for (const Allowance& allowance : sandbox.allow) {
        if (is_resolver(allowance)) chain.rule(match(allowance), accept());
    }
}

// TCP that a proxy is meant for. Services of this host are not, and are decided by other rules.
template <class... Parts>
void refuse_tcp(Chain& chain, Parts... parts) {
    chain.rule(protocol(IPPROTO_TCP), target_is_not_this_host(), std::move(parts)...,
               go_to("d_proxy"));
}

// Destination NAT is decided by a connection's first packet, so a connection of before would pass
// the proxy by: each later packet must belong to one that the proxy answers.
void refuse_what_passes_by(Chain& chain, const Proxy& proxy) {
    if (proxy.address.empty()) {
        refuse_tcp(chain, ct_status_is(IPS_CONFIRMED | IPS_DST_NAT, IPS_CONFIRMED));
    } else {
        refuse_tcp(chain, family_not_of(proxy.address));
        refuse_tcp(chain, ct_status(IPS_CONFIRMED), ct_answered_not_by(proxy.address));
    }
    refuse_tcp(chain, ct_status(IPS_CONFIRMED), ct_answered_not_at(proxy.port));
}

void judge_for_proxy(Chain& chain, const Sandbox& sandbox, const Proxy& proxy) {
    accept_resolvers(chain, sandbox);
    // NAT leaves these alone.
    chain.rule(protocol(IPPROTO_TCP), ct_state(kNotTracked), drop());
    chain.rule(protocol(IPPROTO_UDP), to_port(kQuicPort), go_to("d_proxy"));
    // A member of the sandbox's own network, seen here where bridged packets pass these hooks too.
    chain.rule(protocol(IPPROTO_TCP), target_on_same_interface(), accept());
    refuse_what_passes_by(chain, proxy);
}

void limit_new_connections(Chain& chain, std::uint32_t per_second) {
    // Until it is answered, a connection's later packets are "new" as well, but known.
    chain.rule(ct_state(kNew), ct_status_is(IPS_CONFIRMED, 0), faster(per_second, per_second),
               go_to("d_limit"));
}

// What no sandbox may do comes first, then what this one may, then what holds for all.
void judge_by_policy(Chain& chain, const Sandbox& sandbox) {
    for (const Allowance& allowance : sandbox.allow) chain.rule(match(allowance), accept());
    // A proxy with a public address would be asked to connect to itself.
    if (sandbox.proxy && !sandbox.proxy->address.empty()) {
        const Bytes& address = sandbox.proxy->address;
        chain.rule(to_addresses(address, address), protocol(IPPROTO_TCP),
                   to_port(sandbox.proxy->port), go_to("d_proxy"));
    }
    chain.rule(go_to(kPolicyInternet));
}

Result<Allowance> without_ports(const AllowRule& rule) {
    Allowance allowance;
    if (rule.to == AllowRule::kHost) return allowance;
    allowance.addresses = parse_prefix(rule.to);
    if (allowance.addresses) return allowance;
    return fail(Code::invalid, fmt::format("\"{}\" is no address", rule.to));
}

}  // namespace

Result<std::vector<Allowance>> allowances(const std::vector<AllowRule>& rules) {
    constexpr std::size_t kMost = 256;
    std::vector<Allowance> all;
    for (const AllowRule& rule : rules) {
        const auto destination = without_ports(rule);
        if (!destination) return fail(destination.error());
        std::vector<std::uint8_t> protocols;
        protocols.reserve(rule.protocols.size());
        for (const std::string& name : rule.protocols) {
            protocols.push_back(name == "udp" ? IPPROTO_UDP : IPPROTO_TCP);
        }
        if (protocols.empty()) protocols = {0};
        std::vector<std::optional<PortRange>> ports(rule.ports.begin(), rule.ports.end());
        if (ports.empty()) ports = {std::nullopt};
        for (const std::uint8_t protocol : protocols) {
            for (const auto& range : ports) {
                all.push_back({destination->addresses, protocol, range});
            }
        }
        if (all.size() > kMost) {
            return fail(Code::invalid, "more than 256 allowed destinations for one sandbox");
        }
    }
    return all;
}

Result<std::optional<Proxy>> proxy(const std::optional<TcpProxy>& wanted) {
    if (!wanted) return std::nullopt;
    if (wanted->port == 0) return fail(Code::invalid, "a proxy needs a port");
    Proxy proxy{.address = {}, .port = wanted->port};
    if (wanted->to == TcpProxy::kHost) return proxy;
    const auto address = parse_address(wanted->to);
    if (!address) return fail(Code::invalid, fmt::format("\"{}\" is no address", wanted->to));
    if (!is_reachable(*address)) {
        return fail(Code::invalid, fmt::format("{} cannot be a proxy's address", wanted->to));
    }
    proxy.address = *address;
    return proxy;
}

bool is_restricted(const Sandbox& sandbox) {
    return sandbox.proxy.has_value() || sandbox.limits != TrafficLimits{};
}

std::optional<ChainSpec> decision_chain(const Sandbox& sandbox) {
    const bool internet = sandbox.policy == NetworkPolicy::internet;
    const bool allows = internet && !sandbox.allow.empty();
    const bool strict = internet && sandbox.strict;
    const bool restricted = is_restricted(sandbox);
    if (!allows && !strict && !restricted) return std::nullopt;
    const TrafficLimits& limits = sandbox.limits;
    Chain chain(sandbox.interface.chain(kOwnChainPrefix));
    // Ahead of all: also replies and answers to errors must be routed. What is refused behind it
    // goes nowhere, with or without the mark.
    if (strict) chain.rule(add_to_mark(kJudgedMark));
    // Of all packets, answers too.
    if (limits.bytes_per_second != 0) {
        chain.rule(more_than(limits.bytes_per_second, kBurstBytes), drop());
    }
    if (allows || (internet && restricted)) {
        chain.rule(jump("head"));
    } else if (!internet) {
        chain.rule(ct_state(kEstablished), ct_reply(), accept());
    }
    if (limits.new_connections_per_second != 0) {
        limit_new_connections(chain, limits.new_connections_per_second);
    }
    if (sandbox.proxy) judge_for_proxy(chain, sandbox, *sandbox.proxy);
    if (internet) {
        judge_by_policy(chain, sandbox);
    } else {
        chain.rule(accept());
    }
    return chain.take();
}

std::optional<ChainSpec> proxy_chain(const Sandbox& sandbox) {
    if (!sandbox.proxy) return std::nullopt;
    const auto& [address, port] = *sandbox.proxy;
    Chain chain(sandbox.interface.chain(kProxyChainPrefix));
    accept_resolvers(chain, sandbox);
    chain.rule(protocol(IPPROTO_TCP),
               address.empty() ? send_to_this_host(port) : send_to(address, port));
    return chain.take();
}

std::optional<ChainSpec> limit_chain(const Sandbox& sandbox) {
    const std::uint64_t bytes_per_second = sandbox.limits.bytes_per_second;
    if (bytes_per_second == 0) return std::nullopt;
    Chain chain(sandbox.interface.chain(kLimitChainPrefix));
    chain.rule(more_than(bytes_per_second, kBurstBytes), drop());
    return chain.take();
}

}  // namespace alca::nft
