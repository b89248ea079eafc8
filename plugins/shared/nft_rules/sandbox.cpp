#include "plugins/shared/nft_rules/sandbox.hpp"

#include <fmt/format.h>

namespace alca::nft {
namespace {

Element counter_element(const InterfaceName& interface, std::string_view reason) {
    return {.key = interface.key(), .counter = interface.counter(reason)};
}

std::vector<Element> arriving_element(const Sandbox& sandbox) {
    const char* chain = limit_chain(sandbox) ? kArrivedLimited : kArrived;
    return {{.key = sandbox.interface.key(), .verdict = Verdict{.code = NFT_GOTO, .chain = chain}}};
}

std::vector<Element> restricted_element(const Sandbox& sandbox) {
    if (!is_restricted(sandbox)) return {};
    return {{.key = sandbox.interface.key()}};
}

// In one transaction an element may leave and come back with another value.
void put_element(Batch& batch, const SetSpec& set, const std::vector<Element>& present,
                 const std::vector<Element>& wanted) {
    const bool same_owner =
        present.empty() || wanted.empty() || present.front().owner == wanted.front().owner;
    if (present == wanted && same_owner) return;
    batch.delete_elements(set, present);
    batch.add_elements(set, wanted);
}

// ---- branches

struct WantedBranch {
    std::vector<Element> element;
    std::optional<ChainSpec> chain;
};

// In the order of kBranches.
std::array<WantedBranch, kBranches.size()> wanted_branches(const Sandbox& sandbox) {
    std::array<WantedBranch, kBranches.size()> wanted;
    wanted[0].chain = proxy_chain(sandbox);
    wanted[1].chain = limit_chain(sandbox);
    wanted[2].chain = decision_chain(sandbox);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        auto& [element, chain] = wanted.at(i);
        if (!chain) continue;
        element = {{.key = sandbox.interface.key(),
                    .verdict = Verdict{.code = kBranches.at(i).verdict, .chain = chain->name}}};
    }
    if (!wanted[2].chain) {
        wanted[2].element = {{.key = sandbox.interface.key(), .verdict = verdict_of(sandbox)}};
    }
    wanted[2].element.front().owner = sandbox.owner;
    return wanted;
}

std::string element_problem(const std::string& name, std::string_view set,
                            const std::vector<Element>& wanted,
                            const std::vector<Element>& present) {
    if (present == wanted) return "";
    if (present.empty()) return fmt::format("element {} of set {} is missing", name, set);
    if (wanted.empty()) return fmt::format("element {} of set {} is not ours", name, set);
    return fmt::format("element {} of set {} is \"{}\" instead of \"{}\"", name, set,
                       to_string(present.front().verdict.value_or(Verdict{})),
                       to_string(wanted.front().verdict.value_or(Verdict{})));
}

std::string chain_problem(const std::string& name, const std::optional<ChainSpec>& wanted,
                          const std::optional<ChainText>& present) {
    if (!wanted) return present ? fmt::format("chain {} is not ours", name) : "";
    if (!present) return fmt::format("chain {} is missing", name);
    return chain_difference(name, expected(*wanted), *present);
}

// A chain is whole before an element leads to it, and is left before it goes.
void put_branch(Batch& batch, const SetSpec& map, const std::string& name,
                const WantedBranch& wanted, const SandboxState::OfBranch& present) {
    if (wanted.chain && !chain_problem(name, wanted.chain, present.chain).empty()) {
        if (present.chain) batch.delete_rules(name);
        if (!present.chain) batch.add_chain(*wanted.chain);
        batch.add_rules(*wanted.chain);
    }
    put_element(batch, map, present.element, wanted.element);
    if (!wanted.chain && present.chain) {
        batch.delete_rules(name);
        batch.delete_chain(name);
    }
}

}  // namespace

Verdict verdict_of(const Sandbox& sandbox) {
    if (decision_chain(sandbox)) {
        return {.code = NFT_GOTO, .chain = sandbox.interface.chain(kOwnChainPrefix)};
    }
    if (sandbox.policy == NetworkPolicy::open) return {.code = NF_ACCEPT};
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
    for (std::size_t i = 0; i < kBranches.size(); ++i) {
        const auto& [map, prefix, verdict] = kBranches[i];
        auto element = read_element(netlink, table.set(map), interface.key());
        if (!element) return fail(element.error());
        auto chain = read_chain(netlink, interface.chain(prefix));
        if (!chain) return fail(chain.error());
        state.branches[i] = {.element = std::move(*element), .chain = std::move(*chain)};
    }
    auto arriving = read_element(netlink, table.set(kArriving), interface.key());
    if (!arriving) return fail(arriving.error());
    state.arriving = std::move(*arriving);
    auto restricted = read_element(netlink, table.set(kRestricted), interface.key());
    if (!restricted) return fail(restricted.error());
    state.restricted = std::move(*restricted);
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
    const auto wanted = wanted_branches(sandbox);
    // The registry, which is last, first: without it nothing else counts.
    for (std::size_t i = kBranches.size(); i-- > 0;) {
        const auto& [element, chain] = state.branches[i];
        auto problem = element_problem(name, kBranches[i].map, wanted[i].element, element);
        if (!problem.empty()) return problem;
        // Who registered it could change it by right.
        if (!element.empty() && element.front().owner != wanted[i].element.front().owner) {
            return fmt::format("element {} of set {} belongs to another user", name,
                               kBranches[i].map);
        }
        problem = chain_problem(sandbox.interface.chain(kBranches[i].chain_prefix), wanted[i].chain,
                                chain);
        if (!problem.empty()) return problem;
    }
    auto problem = element_problem(name, kArriving, arriving_element(sandbox), state.arriving);
    if (!problem.empty()) return problem;
    problem = element_problem(name, kRestricted, restricted_element(sandbox), state.restricted);
    if (!problem.empty()) return problem;
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
                    {counter_element(sandbox.interface, kReasons[i])});
    }
    put_element(batch, table.set(kArriving), state.arriving, arriving_element(sandbox));
    put_element(batch, table.set(kRestricted), state.restricted, restricted_element(sandbox));
    const auto wanted = wanted_branches(sandbox);
    for (std::size_t i = 0; i < kBranches.size(); ++i) {
        put_branch(batch, table.set(kBranches[i].map),
                   sandbox.interface.chain(kBranches[i].chain_prefix), wanted[i],
                   state.branches[i]);
    }
}

void delete_sandbox(Batch& batch, const TableSpec& table, const InterfaceName& interface,
                    const SandboxState& state) {
    for (std::size_t i = kBranches.size(); i-- > 0;) {
        const auto& [element, chain] = state.branches[i];
        batch.delete_elements(table.set(kBranches[i].map), element);
        if (!chain) continue;
        const std::string name = interface.chain(kBranches[i].chain_prefix);
        batch.delete_rules(name);
        batch.delete_chain(name);
    }
    batch.delete_elements(table.set(kArriving), state.arriving);
    batch.delete_elements(table.set(kRestricted), state.restricted);
    for (std::size_t i = 0; i < kReasons.size(); ++i) {
        const auto& reason = state.reasons[i];
        batch.delete_elements(table.set(counter_map(kReasons[i])), reason.element);
        if (reason.has_counter) batch.delete_counter(interface.counter(kReasons[i]));
    }
}

}  // namespace alca::nft
