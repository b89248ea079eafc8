#include "plugins/shared/nft_rules/sandbox.hpp"

#include <fmt/format.h>

#include "plugins/shared/nft_rules/chain.hpp"
#include "plugins/shared/nft_rules/ip_rules.hpp"

namespace alca::nft {
namespace {

Element registry_element(const Sandbox& sandbox) {
    return {.key = sandbox.interface.key(), .verdict = verdict_of(sandbox), .owner = sandbox.owner};
}

Element self_element(const InterfaceName& interface) {
    Element element{.key = interface.key()};
    const Bytes again = interface.key();
    element.key.insert(element.key.end(), again.begin(), again.end());
    return element;
}

Element counter_element(const InterfaceName& interface, std::string_view reason) {
    return {.key = interface.key(), .counter = interface.counter(reason)};
}

// In one transaction an element may leave and come back with another value.
void put_element(Batch& batch, const SetSpec& set, const std::vector<Element>& present,
                 const Element& wanted) {
    const std::vector<Element> target{wanted};
    if (present == target) return;
    batch.delete_elements(set, present);
    batch.add_elements(set, target);
}

bool has_chain(const Sandbox& sandbox) {
    return sandbox.policy == NetworkPolicy::internet && (sandbox.strict || !sandbox.allow.empty());
}

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

// What no sandbox may do comes first, then what this one may, then what holds for all.
ChainSpec own_chain(const Sandbox& sandbox) {
    Chain chain(sandbox.interface.chain());
    // Ahead of all: also replies and answers to errors must be routed. What is refused behind it
    // goes nowhere, with or without the mark.
    if (sandbox.strict) chain.rule(add_to_mark(kJudgedMark));
    if (!sandbox.allow.empty()) chain.rule(jump("head"));
    for (const Allowance& allowance : sandbox.allow) chain.rule(match(allowance), accept());
    chain.rule(go_to(kPolicyInternet));
    return chain.take();
}

std::string chain_problem(const Sandbox& sandbox, const SandboxState& state) {
    const std::string name = sandbox.interface.chain();
    if (!has_chain(sandbox)) return state.chain ? fmt::format("chain {} is not ours", name) : "";
    if (!state.chain) return fmt::format("chain {} is missing", name);
    return chain_difference(name, expected(own_chain(sandbox)), *state.chain);
}

}  // namespace

Result<std::vector<Allowance>> allowances(const std::vector<AllowRule>& rules) {
    constexpr std::size_t kMost = 256;
    std::vector<Allowance> all;
    for (const AllowRule& rule : rules) {
        Allowance allowance;
        if (rule.to != AllowRule::kHost) allowance.addresses = parse_prefix(rule.to);
        if (rule.to != AllowRule::kHost && !allowance.addresses) {
            return fail(Code::invalid, fmt::format("\"{}\" is no address", rule.to));
        }
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
                all.push_back({allowance.addresses, protocol, range});
            }
        }
        if (all.size() > kMost) {
            return fail(Code::invalid, "more than 256 allowed destinations for one sandbox");
        }
    }
    return all;
}

Verdict verdict_of(const Sandbox& sandbox) {
    if (sandbox.policy == NetworkPolicy::open) return {.code = NF_ACCEPT};
    if (has_chain(sandbox)) return {.code = NFT_GOTO, .chain = sandbox.interface.chain()};
    return {.code = NFT_GOTO, .chain = kPolicyInternet};
}

std::optional<NetworkPolicy> policy_of(const Element& registry_element) {
    const Verdict verdict = registry_element.verdict.value_or(Verdict{});
    if (verdict.code == NF_ACCEPT) return NetworkPolicy::open;
    const bool is_own = verdict.chain.starts_with(kOwnChainPrefix);
    if (verdict.code == NFT_GOTO && (is_own || verdict.chain == kPolicyInternet)) {
        return NetworkPolicy::internet;
    }
    return std::nullopt;
}

Result<SandboxState> read_sandbox(Netlink& netlink, const TableSpec& table,
                                  const InterfaceName& interface) {
    SandboxState state;
    auto registry = read_element(netlink, table.set(kRegistry), interface.key());
    if (!registry) return fail(registry.error());
    state.registry = std::move(*registry);
    auto self = read_element(netlink, table.set(kSelf), self_element(interface).key);
    if (!self) return fail(self.error());
    state.self = std::move(*self);
    auto chain = read_chain(netlink, interface.chain());
    if (!chain) return fail(chain.error());
    state.chain = std::move(*chain);
    for (std::size_t i = 0; i < kReasons.size(); ++i) {
        auto element = read_element(netlink, table.set(counter_map(kReasons[i])), interface.key());
        if (!element) return fail(element.error());
        const auto counter = has_counter(netlink, interface.counter(kReasons[i]));
        if (!counter) return fail(counter.error());
        state.reasons[i] = {.element = std::move(*element), .has_counter = *counter};
    }
    return state;
}

std::string difference(const Sandbox& sandbox, const SandboxState& state) {
    const std::string& name = sandbox.interface.text();
    if (state.registry.empty())
        return fmt::format("element {} of set {} is missing", name, kRegistry);
    if (state.registry != std::vector{registry_element(sandbox)}) {
        return fmt::format("element {} of set {} is \"{}\" instead of \"{}\"", name, kRegistry,
                           to_string(state.registry.front().verdict.value_or(Verdict{})),
                           to_string(verdict_of(sandbox)));
    }
    if (auto problem = chain_problem(sandbox, state); !problem.empty()) return problem;
    if (state.self.empty()) return fmt::format("element {} of set {} is missing", name, kSelf);
    for (std::size_t i = 0; i < kReasons.size(); ++i) {
        const auto& reason = state.reasons[i];
        if (!reason.has_counter) {
            return fmt::format("counter {} is missing", sandbox.interface.counter(kReasons[i]));
        }
        if (reason.element != std::vector{counter_element(sandbox.interface, kReasons[i])}) {
            return fmt::format("element {} of set {} is missing or wrong", name,
                               counter_map(kReasons[i]));
        }
    }
    return "";
}

void put_sandbox(Batch& batch, const TableSpec& table, const Sandbox& sandbox,
                 const SandboxState& state) {
    for (std::size_t i = 0; i < kReasons.size(); ++i) {
        const auto& reason = state.reasons[i];
        if (!reason.has_counter) batch.add_counter(sandbox.interface.counter(kReasons[i]));
        put_element(batch, table.set(counter_map(kReasons[i])), reason.element,
                    counter_element(sandbox.interface, kReasons[i]));
    }
    put_element(batch, table.set(kSelf), state.self, self_element(sandbox.interface));
    // A chain is whole before the registry leads to it, and is left before it goes.
    const std::string name = sandbox.interface.chain();
    const bool is_right = chain_problem(sandbox, state).empty();
    if (has_chain(sandbox) && !is_right) {
        const ChainSpec chain = own_chain(sandbox);
        if (state.chain) batch.delete_rules(name);
        if (!state.chain) batch.add_chain(chain);
        batch.add_rules(chain);
    }
    put_element(batch, table.set(kRegistry), state.registry, registry_element(sandbox));
    if (!has_chain(sandbox) && state.chain) {
        batch.delete_rules(name);
        batch.delete_chain(name);
    }
}

void delete_sandbox(Batch& batch, const TableSpec& table, const InterfaceName& interface,
                    const SandboxState& state) {
    batch.delete_elements(table.set(kRegistry), state.registry);
    if (state.chain) {
        batch.delete_rules(interface.chain());
        batch.delete_chain(interface.chain());
    }
    batch.delete_elements(table.set(kSelf), state.self);
    for (std::size_t i = 0; i < kReasons.size(); ++i) {
        const auto& reason = state.reasons[i];
        batch.delete_elements(table.set(counter_map(kReasons[i])), reason.element);
        if (reason.has_counter) batch.delete_counter(interface.counter(kReasons[i]));
    }
}

}  // namespace alca::nft
