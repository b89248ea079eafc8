#include "plugins/shared/nft_rules/ruleset.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "plugins/shared/nft_rules/report.hpp"

namespace alca::nft {
namespace {

using namespace std::chrono_literals;

// Everybody who loses a round lets another one win it, so this many rounds are lost only where
// something changes rules without end.
constexpr int kAttempts = 500;
constexpr int kAttemptsWithoutPause = 5;
constexpr auto kPause = 200us;

// Runs `attempt` until it has done its work on one generation of the ruleset.
template <class Attempt>
Result<void> until_done(const Call& call, Attempt attempt) {
    for (int i = 0; i < kAttempts; ++i) {
        if (call.cancelled()) return fail(Code::cancelled, "interrupted");
        const Result<Commit> result = attempt();
        if (!result) return fail(result.error());
        if (*result == Commit::done) return {};
        if (i >= kAttemptsWithoutPause) std::this_thread::sleep_for(kPause);
    }
    return fail(
        "another program keeps changing the firewall rules; try again when it has finished");
}

bool any_sandbox_interface() {
    struct Free {
        void operator()(struct if_nameindex* list) const { if_freenameindex(list); }
    };
    const std::unique_ptr<struct if_nameindex[], Free> list(if_nameindex());
    if (list == nullptr) return true;  // not known: stay closed
    for (std::size_t i = 0; list[i].if_name != nullptr; ++i) {
        if (std::string_view(list[i].if_name).starts_with(kInterfacePrefix)) return true;
    }
    return false;
}

std::vector<Element> as_elements(const std::vector<Bytes>& keys) {
    std::vector<Element> elements;
    elements.reserve(keys.size());
    for (const Bytes& key : keys) elements.push_back({.key = key});
    return elements;
}

std::vector<Element> as_elements(const std::vector<AddressRange>& ranges) {
    std::vector<Element> elements;
    for (const AddressRange& range : ranges) {
        elements.push_back({.key = range.first});
        if (auto end = next(range.last)) {
            elements.push_back({.key = std::move(*end), .interval_end = true});
        }
    }
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

Ruleset::Ruleset(Netlink netlink)
    : netlink_(std::move(netlink)), table_(static_table()), expected_(expected(table_)) {}

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
        if (interface && policy) found.push_back({std::move(*interface), *policy});
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
        if (auto done = put_surroundings(batch, around); !done) return fail(done.error());
        put_sandbox(batch, table_, sandbox, *state);
        return commit(batch);
    }
    const auto others = registered();
    if (!others) return fail(others.error());
    batch.replace_table(table_);
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
        if (auto interface = InterfaceName::from_key(element.key))
            names.push_back(interface->text());
    }
    return names;
}

Result<FirewallReport> Ruleset::report(const InterfaceName& interface) {
    return read_report(netlink_, interface);
}

}  // namespace alca::nft
