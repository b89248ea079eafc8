#include "plugins/shared/nft_rules/sandbox.hpp"

#include <fmt/format.h>

#include "plugins/shared/nft_rules/readback.hpp"

namespace alca::nft {
namespace {

Element registry_element(const Sandbox& sandbox) {
    return {.key = sandbox.interface.key(), .verdict = verdict_of(sandbox.policy)};
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

}  // namespace

Verdict verdict_of(NetworkPolicy policy) {
    if (policy == NetworkPolicy::open) return {.code = NF_ACCEPT};
    return {.code = NFT_GOTO, .chain = kPolicyInternet};
}

std::optional<NetworkPolicy> policy_of(const Element& registry_element) {
    for (const NetworkPolicy policy : {NetworkPolicy::internet, NetworkPolicy::open}) {
        if (registry_element.verdict == verdict_of(policy)) return policy;
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
                           to_string(verdict_of(sandbox.policy)));
    }
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
    put_element(batch, table.set(kRegistry), state.registry, registry_element(sandbox));
}

void delete_sandbox(Batch& batch, const TableSpec& table, const InterfaceName& interface,
                    const SandboxState& state) {
    batch.delete_elements(table.set(kRegistry), state.registry);
    batch.delete_elements(table.set(kSelf), state.self);
    for (std::size_t i = 0; i < kReasons.size(); ++i) {
        const auto& reason = state.reasons[i];
        batch.delete_elements(table.set(counter_map(kReasons[i])), reason.element);
        if (reason.has_counter) batch.delete_counter(interface.counter(kReasons[i]));
    }
}

}  // namespace alca::nft
