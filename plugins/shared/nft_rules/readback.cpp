#include "plugins/shared/nft_rules/readback.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libnftnl/common.h>
#include <libnftnl/udata.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace alca::nft {
namespace {

std::string text(const char* string) { return string == nullptr ? std::string() : string; }

// ---- rules

int append_expression(nftnl_expr* expression, void* line) {
    std::array<char, 1024> buffer{};
    nftnl_expr_snprintf(buffer.data(), buffer.size(), expression, NFTNL_OUTPUT_DEFAULT, 0);
    std::string printed = buffer.data();
    // The kernel tells a timeout for each dynset, also for one that was made without.
    const std::string_view no_timeout = " timeout 0ms";
    if (const auto at = printed.find(no_timeout); at != std::string::npos) {
        printed.erase(at, no_timeout.size());
    }
    auto& out = *static_cast<std::string*>(line);
    out += fmt::format("[{} {}]", text(nftnl_expr_get_str(expression, NFTNL_EXPR_NAME)), printed);
    return 0;
}

std::string line(const nftnl_rule* rule) {
    std::string out;
    nftnl_expr_foreach(const_cast<nftnl_rule*>(rule), append_expression, &out);
    return out;
}

std::string hook_text(std::string_view type, std::uint32_t number, std::int32_t priority,
                      std::uint32_t policy) {
    return fmt::format("type {} hook {} priority {} policy {}", type, number, priority,
                       policy == NF_ACCEPT ? "accept" : "drop");
}

// ---- sets

int append_name(nftnl_expr* expression, void* names) {
    auto& out = *static_cast<std::string*>(names);
    out += " " + text(nftnl_expr_get_str(expression, NFTNL_EXPR_NAME));
    return 0;
}

struct Definition {
    std::uint32_t flags, key_type, key_bytes, max_elements;
    SetSpec::Value value;
    std::uint64_t timeout_ms;
    std::string expressions;
};

std::string to_string(const Definition& set) {
    return fmt::format("flags {:#x} key {}/{} value {} size {} timeout {} each{}", set.flags,
                       set.key_type, set.key_bytes, static_cast<int>(set.value), set.max_elements,
                       set.timeout_ms, set.expressions);
}

std::string definition(const SetSpec& spec) {
    return to_string({.flags = spec.flags,
                      .key_type = spec.key_type,
                      .key_bytes = spec.key_bytes,
                      .max_elements = spec.max_elements,
                      .value = spec.value,
                      .timeout_ms = static_cast<std::uint64_t>(spec.timeout.count()),
                      .expressions = spec.element_counters ? " counter" : ""});
}

std::string definition(nftnl_set* set) {
    const std::uint32_t flags = nftnl_set_get_u32(set, NFTNL_SET_FLAGS);
    std::string expressions;
    nftnl_set_expr_foreach(set, append_name, &expressions);
    auto value = SetSpec::Value::none;
    if ((flags & NFT_SET_MAP) != 0) value = SetSpec::Value::verdict;
    if ((flags & NFT_SET_OBJECT) != 0) value = SetSpec::Value::counter;
    return to_string({.flags = flags,
                      .key_type = nftnl_set_get_u32(set, NFTNL_SET_KEY_TYPE),
                      .key_bytes = nftnl_set_get_u32(set, NFTNL_SET_KEY_LEN),
                      .max_elements = nftnl_set_get_u32(set, NFTNL_SET_DESC_SIZE),
                      .value = value,
                      .timeout_ms = nftnl_set_get_u64(set, NFTNL_SET_TIMEOUT),
                      .expressions = expressions});
}

// The note that batch.cpp makes; nothing for any other.
std::optional<std::uint32_t> owner_of(const nftnl_set_elem* element) {
    std::uint32_t size = 0;
    const void* note =
        nftnl_set_elem_get(const_cast<nftnl_set_elem*>(element), NFTNL_SET_ELEM_USERDATA, &size);
    if (note == nullptr || size < 2) return std::nullopt;
    std::string_view text(static_cast<const char*>(note), size);
    const bool is_comment = text[0] == NFTNL_UDATA_SET_ELEM_COMMENT;
    text.remove_prefix(2);
    if (!is_comment || !text.starts_with(kOwnerNote)) return std::nullopt;
    text.remove_prefix(kOwnerNote.size());
    std::uint32_t owner = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), owner);
    if (error != std::errc() || end == text.data()) return std::nullopt;
    return owner;
}

int append_element(nftnl_set_elem* element, void* elements) {
    Element found;
    std::uint32_t size = 0;
    const void* key = nftnl_set_elem_get(element, NFTNL_SET_ELEM_KEY, &size);
    const auto* bytes = static_cast<const std::uint8_t*>(key);
    if (bytes != nullptr) found.key.assign(bytes, bytes + size);
    if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_FLAGS)) {
        const std::uint32_t flags = nftnl_set_elem_get_u32(element, NFTNL_SET_ELEM_FLAGS);
        found.interval_end = (flags & NFT_SET_ELEM_INTERVAL_END) != 0;
    }
    if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_VERDICT)) {
        const std::uint32_t code = nftnl_set_elem_get_u32(element, NFTNL_SET_ELEM_VERDICT);
        const char* chain = nftnl_set_elem_get_str(element, NFTNL_SET_ELEM_CHAIN);
        found.verdict = Verdict{.code = static_cast<int>(code), .chain = text(chain)};
    }
    if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_OBJREF)) {
        found.counter = text(nftnl_set_elem_get_str(element, NFTNL_SET_ELEM_OBJREF));
    }
    found.owner = owner_of(element);
    static_cast<std::vector<Element>*>(elements)->push_back(std::move(found));
    return 0;
}

std::vector<Element> elements(const std::vector<Message>& messages) {
    std::vector<Element> found;
    for (const Message& message : messages) {
        auto set = own<SetPtr>(nftnl_set_alloc());
        if (nftnl_set_elems_nlmsg_parse(message.header(), set.get()) < 0) continue;
        nftnl_set_elem_foreach(set.get(), append_element, &found);
    }
    std::sort(found.begin(), found.end());
    return found;
}

// ---- reading

Result<void> read_table(Netlink& netlink, Snapshot& snapshot) {
    const auto answer = netlink.get(NFT_MSG_GETTABLE, [](nlmsghdr* message) {
        mnl_attr_put_strz(message, NFTA_TABLE_NAME, kTable);
    });
    if (!answer) return fail(answer.error());
    if (answer->empty()) return {};
    auto table = own<TablePtr>(nftnl_table_alloc());
    nftnl_table_nlmsg_parse(answer->front().header(), table.get());
    snapshot.is_present = true;
    snapshot.flags = nftnl_table_get_u32(table.get(), NFTNL_TABLE_FLAGS);
    return {};
}

std::string hook_of(const nftnl_chain* chain) {
    if (!nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM)) return {};
    return hook_text(text(nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE)),
                     nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM),
                     nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO),
                     nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY));
}

// Where the kernel does not enter by itself, only elements lead there: sandbox.hpp looks.
bool is_of_one_sandbox(std::string_view chain) {
    return chain.starts_with(kOwnChainPrefix) || chain.starts_with(kProxyChainPrefix) ||
           chain.starts_with(kLimitChainPrefix);
}

// The kernel has no dump of one table's chains: it tells all of the family. Returns how many are of
// single sandboxes, and so not in `snapshot`.
Result<std::size_t> read_chains(Netlink& netlink, Snapshot& snapshot) {
    std::size_t left_out = 0;
    const auto answer = netlink.dump(NFT_MSG_GETCHAIN, [](nlmsghdr*) {});
    if (!answer) return fail(answer.error());
    for (const Message& message : *answer) {
        auto chain = own<ChainPtr>(nftnl_chain_alloc());
        if (nftnl_chain_nlmsg_parse(message.header(), chain.get()) < 0) continue;
        if (text(nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_TABLE)) != kTable) continue;
        const std::string name = text(nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_NAME));
        const std::string hook = hook_of(chain.get());
        const bool is_left_out = is_of_one_sandbox(name) && hook.empty();
        if (is_left_out) ++left_out;
        if (!is_left_out) snapshot.chains[name].hook = hook;
    }
    return left_out;
}

// Of the chains that are in `snapshot`; only_chain: "" = of all of them.
Result<void> read_rules(Netlink& netlink, Snapshot& snapshot, const std::string& only_chain = "") {
    const auto answer = netlink.dump(NFT_MSG_GETRULE, [&](nlmsghdr* message) {
        mnl_attr_put_strz(message, NFTA_RULE_TABLE, kTable);
        if (!only_chain.empty()) mnl_attr_put_strz(message, NFTA_RULE_CHAIN, only_chain.c_str());
    });
    if (!answer) return fail(answer.error());
    for (const Message& message : *answer) {
        auto rule = own<RulePtr>(nftnl_rule_alloc());
        if (nftnl_rule_nlmsg_parse(message.header(), rule.get()) < 0) continue;
        const std::string chain = text(nftnl_rule_get_str(rule.get(), NFTNL_RULE_CHAIN));
        const auto found = snapshot.chains.find(chain);
        if (found != snapshot.chains.end()) found->second.rules.push_back(line(rule.get()));
    }
    return {};
}

// In one dump, or, where most of that would be rules of other sandboxes, in one for each chain.
Result<void> read_static_rules(Netlink& netlink, Snapshot& snapshot, std::size_t other_chains) {
    if (other_chains <= snapshot.chains.size()) return read_rules(netlink, snapshot);
    for (const auto& [name, chain] : snapshot.chains) {
        if (auto done = read_rules(netlink, snapshot, name); !done) return done;
    }
    return {};
}

Result<void> read_sets(Netlink& netlink, const TableSpec& table, Snapshot& snapshot) {
    const auto answer = netlink.dump(NFT_MSG_GETSET, [](nlmsghdr* message) {
        mnl_attr_put_strz(message, NFTA_SET_TABLE, kTable);
    });
    if (!answer) return fail(answer.error());
    for (const Message& message : *answer) {
        auto set = own<SetPtr>(nftnl_set_alloc());
        if (nftnl_set_nlmsg_parse(message.header(), set.get()) < 0) continue;
        snapshot.sets[text(nftnl_set_get_str(set.get(), NFTNL_SET_NAME))] = definition(set.get());
    }
    for (const SetSpec& set : table.sets) {
        if (!set.is_fixed) continue;
        auto members = read_elements(netlink, set.name);
        if (!members) return fail(members.error());
        snapshot.fixed[set.name] = std::move(*members);
    }
    return {};
}

// ---- comparing

std::string to_string(const Element& element) {
    std::string key;
    for (const std::uint8_t byte : element.key) key += fmt::format("{:02x}", byte);
    if (element.interval_end) return key + " (end)";
    return element.verdict ? key + " : " + to_string(*element.verdict) : key + element.counter;
}

template <class Value>
std::string name_difference(std::string_view kind, const std::map<std::string, Value>& expected,
                            const std::map<std::string, Value>& actual) {
    for (const auto& [name, value] : expected) {
        if (!actual.contains(name)) return fmt::format("{} {} is missing", kind, name);
    }
    for (const auto& [name, value] : actual) {
        if (!expected.contains(name)) return fmt::format("{} {} is not ours", kind, name);
    }
    return "";
}

}  // namespace

std::string chain_difference(const std::string& name, const ChainText& expected,
                             const ChainText& actual) {
    if (expected.hook != actual.hook) {
        return fmt::format("chain {} has \"{}\" instead of \"{}\"", name, actual.hook,
                           expected.hook);
    }
    const std::size_t common = std::min(expected.rules.size(), actual.rules.size());
    for (std::size_t i = 0; i < common; ++i) {
        if (expected.rules[i] != actual.rules[i]) {
            return fmt::format("rule {} of chain {} was changed", i + 1, name);
        }
    }
    if (actual.rules.size() < expected.rules.size()) {
        return fmt::format("rule {} of chain {} is missing", common + 1, name);
    }
    if (actual.rules.size() > expected.rules.size()) {
        return fmt::format("rule {} of chain {} is not ours", common + 1, name);
    }
    return "";
}

std::string element_difference(const std::string& set, const std::vector<Element>& expected,
                               const std::vector<Element>& actual) {
    std::vector<Element> only;
    std::set_difference(expected.begin(), expected.end(), actual.begin(), actual.end(),
                        std::back_inserter(only));
    if (!only.empty())
        return fmt::format("element {} of set {} is missing", to_string(only[0]), set);
    std::set_difference(actual.begin(), actual.end(), expected.begin(), expected.end(),
                        std::back_inserter(only));
    if (!only.empty())
        return fmt::format("element {} of set {} is not ours", to_string(only[0]), set);
    return "";
}

ChainText expected(const ChainSpec& chain) {
    ChainText text;
    if (chain.hook) {
        text.hook =
            hook_text(chain.hook->type, chain.hook->number, chain.hook->priority, NF_ACCEPT);
    }
    for (const RulePtr& rule : chain.rules) text.rules.push_back(line(rule.get()));
    return text;
}

Result<std::optional<ChainText>> read_chain(Netlink& netlink, const std::string& name) {
    const auto answer = netlink.get(NFT_MSG_GETCHAIN, [&](nlmsghdr* message) {
        mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, kTable);
        mnl_attr_put_strz(message, NFTA_CHAIN_NAME, name.c_str());
    });
    if (!answer) return fail(answer.error());
    if (answer->empty()) return std::nullopt;
    auto chain = own<ChainPtr>(nftnl_chain_alloc());
    if (nftnl_chain_nlmsg_parse(answer->front().header(), chain.get()) < 0) return std::nullopt;
    Snapshot snapshot;
    snapshot.chains[name].hook = hook_of(chain.get());
    if (auto done = read_rules(netlink, snapshot, name); !done) return fail(done.error());
    return std::move(snapshot.chains[name]);
}

Snapshot expected(const TableSpec& table) {
    Snapshot snapshot;
    snapshot.is_present = true;
    snapshot.counters = table.counters;
    for (const ChainSpec& chain : table.chains) {
        snapshot.chains[chain.name] = expected(chain);
    }
    for (const SetSpec& set : table.sets) {
        snapshot.sets[set.name] = definition(set);
        if (!set.is_fixed) continue;
        std::vector<Element>& members = snapshot.fixed[set.name];
        members = set.elements;
        std::sort(members.begin(), members.end());
    }
    return snapshot;
}

Result<Snapshot> read_static(Netlink& netlink, const TableSpec& table) {
    Snapshot snapshot;
    if (auto done = read_table(netlink, snapshot); !done) return fail(done.error());
    if (!snapshot.is_present) return snapshot;
    const auto others = read_chains(netlink, snapshot);
    if (!others) return fail(others.error());
    if (auto done = read_static_rules(netlink, snapshot, *others); !done) return fail(done.error());
    if (auto done = read_sets(netlink, table, snapshot); !done) return fail(done.error());
    for (const std::string& name : table.counters) {
        const auto found = has_counter(netlink, name);
        if (!found) return fail(found.error());
        if (*found) snapshot.counters.push_back(name);
    }
    return snapshot;
}

std::string difference(const Snapshot& expected, const Snapshot& actual) {
    if (!actual.is_present) return fmt::format("table inet {} is missing", kTable);
    if (actual.flags != expected.flags) {
        return fmt::format("table inet {} has flags {:#x}", kTable, actual.flags);
    }
    if (auto text = name_difference("chain", expected.chains, actual.chains); !text.empty())
        return text;
    for (const auto& [name, chain] : expected.chains) {
        auto text = chain_difference(name, chain, actual.chains.at(name));
        if (!text.empty()) return text;
    }
    if (auto text = name_difference("set", expected.sets, actual.sets); !text.empty()) return text;
    for (const auto& [name, set] : expected.sets) {
        if (set != actual.sets.at(name)) return fmt::format("set {} was changed", name);
    }
    for (const auto& [name, members] : expected.fixed) {
        auto text = element_difference(name, members, actual.fixed.at(name));
        if (!text.empty()) return text;
    }
    return actual.counters == expected.counters ? "" : "a counter is missing";
}

Result<bool> has_table(Netlink& netlink) {
    Snapshot snapshot;
    if (auto done = read_table(netlink, snapshot); !done) return fail(done.error());
    return snapshot.is_present;
}

Result<std::vector<Element>> read_elements(Netlink& netlink, const std::string& set) {
    const auto answer = netlink.dump(NFT_MSG_GETSETELEM, [&](nlmsghdr* message) {
        mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, kTable);
        mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set.c_str());
    });
    if (!answer) return fail(answer.error());
    return elements(*answer);
}

Result<std::vector<Element>> read_element(Netlink& netlink, const SetSpec& spec, const Bytes& key) {
    const auto answer = netlink.get(NFT_MSG_GETSETELEM, [&](nlmsghdr* message) {
        auto set = own<SetPtr>(nftnl_set_alloc());
        nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, kTable);
        nftnl_set_set_str(set.get(), NFTNL_SET_NAME, spec.name.c_str());
        auto element = own<ElementPtr>(nftnl_set_elem_alloc());
        nftnl_set_elem_set(element.get(), NFTNL_SET_ELEM_KEY, key.data(),
                           static_cast<std::uint32_t>(key.size()));
        nftnl_set_elem_add(set.get(), element.release());
        nftnl_set_elems_nlmsg_build_payload(message, set.get());
    });
    if (!answer) return fail(answer.error());
    return elements(*answer);
}

Result<bool> has_counter(Netlink& netlink, const std::string& name) {
    const auto answer = netlink.get(NFT_MSG_GETOBJ, [&](nlmsghdr* message) {
        mnl_attr_put_strz(message, NFTA_OBJ_TABLE, kTable);
        mnl_attr_put_strz(message, NFTA_OBJ_NAME, name.c_str());
        mnl_attr_put_u32(message, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
    });
    if (!answer) return fail(answer.error());
    return !answer->empty();
}

}  // namespace alca::nft
