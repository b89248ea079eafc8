#include "plugins/shared/nft_rules/ruleset.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/shared/nft_rules/report.hpp"
#include "plugins/shared/nft_rules/until_done.hpp"

namespace alca::nft {
namespace {

std::vector<Element> as_elements(const std::vector<Bytes>& keys) {
    std::vector<Element> elements;
    elements.reserve(keys.size());
    for (const Bytes& key : keys) elements.push_back({.key = key});
    return elements;
}

// By set, each sorted.
std::array<std::pair<const char*, std::vector<Element>>, 4> elements_of(
    const Surroundings& around) {
    return {{{kDns4, as_elements(around.resolvers.v4)},
             {kDns6, as_elements(around.resolvers.v6)},
             {kOnLink4, as_elements(around.on_link.v4)},
             {kOnLink6, as_elements(around.on_link.v6)}}};
}

}  // namespace

Ruleset::Ruleset(std::shared_ptr<Kernel> kernel, Netlink netlink,
                 std::optional<std::uint32_t> caller)
    : kernel_(std::move(kernel)),
      netlink_(std::move(netlink)),
      caller_(caller),
      table_(static_table()),
      expected_(expected(table_)) {}

Result<Ruleset> Ruleset::open(std::shared_ptr<Kernel> kernel, std::optional<std::uint32_t> caller) {
    auto netlink = Netlink::open(*kernel);
    if (!netlink) return fail(netlink.error());
    return Ruleset(std::move(kernel), std::move(*netlink), caller);
}

Result<void> Ruleset::check_owner(const std::vector<Element>& registry) const {
    if (!caller_ || registry.empty() || registry.front().owner == caller_) return {};
    return fail(Code::denied,
                "this sandbox was registered by root, through a container, or by another user");
}

Result<void> Ruleset::check_owner(const InterfaceName& interface) {
    const auto registry = read_element(netlink_, table_.set(kRegistry), interface.key());
    if (!registry) return fail(registry.error());
    return check_owner(*registry);
}

bool Ruleset::any_sandbox_interface() {
    const auto links = read_links(*kernel_);
    if (!links) return true;  // not known: stay closed
    return std::any_of(links->begin(), links->end(),
                       [](const auto& link) { return link.second.starts_with(kInterfacePrefix); });
}

Result<void> Ruleset::ask_kernel() {
    const auto generation = netlink_.generation();
    if (!generation) return fail(generation.error());
    return {};
}

Result<Commit> Ruleset::commit(Batch& batch) {
    if (batch.is_empty()) return Commit::done;
    return netlink_.commit(batch);
}

Result<std::vector<Sandbox>> Ruleset::registered() {
    const auto elements = read_elements(netlink_, kRegistry);
    if (!elements) return fail(elements.error());
    const auto restricted = read_elements(netlink_, kRestricted);
    if (!restricted) return fail(restricted.error());
    std::vector<Sandbox> found;
    for (const Element& element : *elements) {
        // Its own rules are not known here, and without them it would be open: closed instead.
        if (std::binary_search(restricted->begin(), restricted->end(), Element{.key = element.key}))
            continue;
        auto interface = InterfaceName::from_key(element.key);
        const auto policy = policy_of(element);
        if (interface && policy) {
            found.push_back(
                {.interface = std::move(*interface), .policy = *policy, .owner = element.owner});
        }
    }
    return found;
}

Result<void> Ruleset::put_surroundings(Batch& batch, const Surroundings& around) {
    for (const auto& [name, wanted] : elements_of(around)) {
        const auto present = read_elements(netlink_, name);
        if (!present) return fail(present.error());
        if (*present == wanted) continue;
        // All of them: the halves of intervals cannot change one by one.
        batch.delete_elements(table_.set(name), *present);
        batch.add_elements(table_.set(name), wanted);
    }
    return {};
}

Result<Commit> Ruleset::try_apply(const Sandbox& sandbox, const Surroundings& around) {
    const auto generation = netlink_.generation();
    if (!generation) return fail(generation.error());
    const auto actual = read_static(netlink_, table_);
    if (!actual) return fail(actual.error());
    Batch batch(*generation);
    if (nft::difference(expected_, *actual).empty()) {
        const auto state = read_sandbox(netlink_, table_, sandbox.interface);
        if (!state) return fail(state.error());
        if (auto own = check_owner(state->registry()); !own) return fail(own.error());
        if (auto done = put_surroundings(batch, around); !done) return fail(done.error());
        put_sandbox(batch, table_, sandbox, *state);
        return commit(batch);
    }
    const auto others = registered();
    if (!others) return fail(others.error());
    if (auto own = check_owner(sandbox.interface); !own) return fail(own.error());
    batch.put_table(table_, actual->is_present);
    for (const auto& [name, wanted] : elements_of(around)) {
        batch.add_elements(table_.set(name), wanted);
    }
    for (const Sandbox& other : *others) {
        if (other.interface != sandbox.interface) put_sandbox(batch, table_, other, {});
    }
    put_sandbox(batch, table_, sandbox, {});
    return commit(batch);
}

Result<void> Ruleset::apply(const Call& call, const Sandbox& sandbox, const Surroundings& around) {
    return until_done(call, [&] { return try_apply(sandbox, around); });
}

Result<std::string> Ruleset::difference_now(const Sandbox& sandbox, const Surroundings& around) {
    const auto actual = read_static(netlink_, table_);
    if (!actual) return fail(actual.error());
    if (auto text = nft::difference(expected_, *actual); !text.empty()) return text;
    const auto state = read_sandbox(netlink_, table_, sandbox.interface);
    if (!state) return fail(state.error());
    if (auto own = check_owner(state->registry()); !own) return fail(own.error());
    if (auto text = nft::difference(sandbox, *state); !text.empty()) return text;
    for (const auto& [name, wanted] : elements_of(around)) {
        const auto present = read_elements(netlink_, name);
        if (!present) return fail(present.error());
        if (auto text = element_difference(name, wanted, *present); !text.empty()) return text;
    }
    return std::string();
}

Result<std::string> Ruleset::verify(const Call& call, const Sandbox& sandbox,
                                    const Surroundings& around) {
    std::string problem;
    const auto done = until_done(call, [&]() -> Result<Commit> {
        const auto before = netlink_.generation();
        if (!before) return fail(before.error());
        auto text = difference_now(sandbox, around);
        if (!text) return fail(text.error());
        problem = std::move(*text);
        const auto after = netlink_.generation();
        if (!after) return fail(after.error());
        return *before == *after ? Commit::done : Commit::outdated;
    });
    if (!done) return fail(done.error());
    return problem;
}

Result<Commit> Ruleset::try_remove(const InterfaceName& interface) {
    const auto generation = netlink_.generation();
    if (!generation) return fail(generation.error());
    const auto present = has_table(netlink_);
    if (!present) return fail(present.error());
    if (!*present) return Commit::done;
    if (auto own = check_owner(interface); !own) return fail(own.error());
    const auto sandboxes = read_elements(netlink_, kRegistry);
    if (!sandboxes) return fail(sandboxes.error());
    const bool others =
        std::any_of(sandboxes->begin(), sandboxes->end(),
                    [&](const Element& other) { return other.key != interface.key(); });
    Batch batch(*generation);
    if (!others && !any_sandbox_interface()) {
        batch.delete_table();
        return commit(batch);
    }
    const auto state = read_sandbox(netlink_, table_, interface);
    if (!state) return fail(state.error());
    delete_sandbox(batch, table_, interface, *state);
    return commit(batch);
}

// Takes the sandbox's elements out of the sets that the kernel fills. They come and go without a
// new generation, so one may be gone before we delete it: then the rest is read again.
Result<Commit> Ruleset::try_forget(const InterfaceName& interface) {
    const auto generation = netlink_.generation();
    if (!generation) return fail(generation.error());
    Batch batch(*generation);
    const Bytes key = interface.key();
    for (const char* set : {kBlocked4, kBlocked6, kNoteLimit, kAnswerLimit}) {
        auto elements = read_elements(netlink_, set);
        if (!elements) return fail(elements.error());
        std::erase_if(*elements, [&](const Element& element) {
            return !std::equal(key.begin(), key.end(), element.key.begin(),
                               element.key.begin() + static_cast<std::ptrdiff_t>(key.size()));
        });
        batch.delete_elements(table_.set(set), *elements);
    }
    return commit(batch);
}

Result<void> Ruleset::remove(const Call& call, const InterfaceName& interface) {
    if (auto done = until_done(call, [&] { return try_remove(interface); }); !done) return done;
    return until_done(call, [&] { return try_forget(interface); });
}

Result<std::vector<std::string>> Ruleset::list() {
    const auto elements = read_elements(netlink_, kRegistry);
    if (!elements) return fail(elements.error());
    std::vector<std::string> names;
    for (const Element& element : *elements) {
        if (caller_ && element.owner != caller_) continue;
        if (auto interface = InterfaceName::from_key(element.key))
            names.push_back(interface->text());
    }
    return names;
}

Result<FirewallReport> Ruleset::report(const InterfaceName& interface) {
    if (auto own = check_owner(interface); !own) return fail(own.error());
    return read_report(netlink_, interface);
}

}  // namespace alca::nft
