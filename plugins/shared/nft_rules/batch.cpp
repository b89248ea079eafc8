#include "plugins/shared/nft_rules/batch.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

namespace alca::nft {
namespace {

constexpr std::size_t kScratchBytes = 64UL * 1024;
// An element is below 200 bytes on the wire, so that a message stays within the scratch buffer
// and its attributes within their 16-bit lengths.
constexpr std::size_t kElementsPerMessage = 200;
constexpr std::uint32_t kVerdictData = 0xffffff00;  // NFT_DATA_VERDICT, unsigned
constexpr std::uint32_t kFirstSequence = 1;         // the batch's begin

SetPtr describe(const SetSpec& spec) {
    auto set = own<SetPtr>(nftnl_set_alloc());
    nftnl_set_set_u32(set.get(), NFTNL_SET_FAMILY, NFPROTO_INET);
    nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, kTable);
    nftnl_set_set_str(set.get(), NFTNL_SET_NAME, spec.name.c_str());
    return set;
}

// nft's own note on byte order; without it `nft list` prints names in maps as "".
void mark_text_key(nftnl_set* set) {
    const std::uint32_t host_endian = 1;
    std::array<std::uint8_t, 2 + sizeof host_endian> note{NFTNL_UDATA_SET_KEYBYTEORDER,
                                                          sizeof host_endian};
    std::memcpy(note.data() + 2, &host_endian, sizeof host_endian);
    nftnl_set_set_data(set, NFTNL_SET_USERDATA, note.data(), note.size());
}

void define(nftnl_set* set, const SetSpec& spec) {
    nftnl_set_set_u32(set, NFTNL_SET_FLAGS, spec.flags);
    nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, spec.key_type);
    nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, spec.key_bytes);
    if (spec.value == SetSpec::Value::verdict) {
        nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, kVerdictData);
        nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, 0);
    }
    if (spec.value == SetSpec::Value::counter) {
        nftnl_set_set_u32(set, NFTNL_SET_OBJ_TYPE, NFT_OBJECT_COUNTER);
    }
    if (spec.max_elements != 0) nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, spec.max_elements);
    if (spec.timeout.count() != 0) {
        nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT, static_cast<std::uint64_t>(spec.timeout.count()));
    }
    if (spec.is_text_key) mark_text_key(set);
    if (spec.element_counters) nftnl_set_add_expr(set, nftnl_expr_alloc("counter"));
}

// As `nft` writes a comment, so that a listing shows it.
void note_owner(nftnl_set_elem* element, std::uint32_t owner) {
    const std::string text = fmt::format("{}{}", kOwnerNote, owner);
    std::vector<std::uint8_t> note{NFTNL_UDATA_SET_ELEM_COMMENT,
                                   static_cast<std::uint8_t>(text.size() + 1)};
    note.insert(note.end(), text.begin(), text.end());
    note.push_back(0);
    nftnl_set_elem_set(element, NFTNL_SET_ELEM_USERDATA, note.data(),
                       static_cast<std::uint32_t>(note.size()));
}

ElementPtr describe(const Element& spec) {
    auto element = own<ElementPtr>(nftnl_set_elem_alloc());
    nftnl_set_elem_set(element.get(), NFTNL_SET_ELEM_KEY, spec.key.data(),
                       static_cast<std::uint32_t>(spec.key.size()));
    if (spec.interval_end) {
        nftnl_set_elem_set_u32(element.get(), NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
    }
    if (spec.verdict) {
        nftnl_set_elem_set_u32(element.get(), NFTNL_SET_ELEM_VERDICT,
                               static_cast<std::uint32_t>(spec.verdict->code));
        if (!spec.verdict->chain.empty()) {
            nftnl_set_elem_set_str(element.get(), NFTNL_SET_ELEM_CHAIN,
                                   spec.verdict->chain.c_str());
        }
    }
    if (!spec.counter.empty()) {
        nftnl_set_elem_set_str(element.get(), NFTNL_SET_ELEM_OBJREF, spec.counter.c_str());
    }
    if (spec.owner) note_owner(element.get(), *spec.owner);
    return element;
}

}  // namespace

Batch::Batch(std::uint32_t generation) : scratch_(kScratchBytes) {
    frame(NFNL_MSG_BATCH_BEGIN, generation);
}

// generation: 0 leaves the check out, which the batch's end needs.
void Batch::frame(std::uint16_t type, std::uint32_t generation) {
    nlmsghdr* header = mnl_nlmsg_put_header(scratch_.data());
    header->nlmsg_type = type;
    header->nlmsg_flags = NLM_F_REQUEST;
    header->nlmsg_seq = kFirstSequence + static_cast<std::uint32_t>(steps_.size()) +
                        (type == NFNL_MSG_BATCH_END ? 1 : 0);
    auto* message = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
    message->nfgen_family = AF_UNSPEC;
    message->version = NFNETLINK_V0;
    message->res_id = htons(NFNL_SUBSYS_NFTABLES);
    if (generation != 0) mnl_attr_put_u32(header, NFNL_BATCH_GENID, htonl(generation));
    bytes_.insert(bytes_.end(), scratch_.begin(), scratch_.begin() + header->nlmsg_len);
}

nlmsghdr* Batch::begin(std::uint16_t type, std::uint16_t flags, std::string label) {
    steps_.push_back({type, std::move(label)});
    return nftnl_nlmsg_build_hdr(reinterpret_cast<char*>(scratch_.data()), type, NFPROTO_INET,
                                 flags, last_sequence());
}

void Batch::end(const nlmsghdr* message) {
    assert(message->nlmsg_len <= scratch_.size());
    last_message_ = bytes_.size();
    bytes_.insert(bytes_.end(), scratch_.begin(), scratch_.begin() + message->nlmsg_len);
}

std::uint32_t Batch::last_sequence() const {
    return kFirstSequence + static_cast<std::uint32_t>(steps_.size());
}

std::string_view Batch::label(std::uint32_t sequence) const {
    const std::size_t index = sequence - kFirstSequence - 1;  // wraps for the begin: no label
    return index < steps_.size() ? std::string_view(steps_[index].label) : "change anything";
}

bool Batch::is_deletion(std::uint32_t sequence) const {
    const std::size_t index = sequence - kFirstSequence - 1;
    if (index >= steps_.size()) return false;
    const std::uint16_t type = steps_[index].type;
    return type == NFT_MSG_DELTABLE || type == NFT_MSG_DELSETELEM || type == NFT_MSG_DELOBJ ||
           type == NFT_MSG_DELRULE || type == NFT_MSG_DELCHAIN;
}

std::span<const std::uint8_t> Batch::finish() {
    assert(!is_empty());
    // Success is silent unless asked for: the last message asks.
    reinterpret_cast<nlmsghdr*>(bytes_.data() + last_message_)->nlmsg_flags |= NLM_F_ACK;
    frame(NFNL_MSG_BATCH_END, 0);
    return bytes_;
}

void Batch::add_table() {
    auto table = own<TablePtr>(nftnl_table_alloc());
    nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, kTable);
    nlmsghdr* message = begin(NFT_MSG_NEWTABLE, NLM_F_CREATE, "add table");
    nftnl_table_nlmsg_build_payload(message, table.get());
    end(message);
}

void Batch::delete_table() {
    auto table = own<TablePtr>(nftnl_table_alloc());
    nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, kTable);
    nlmsghdr* message = begin(NFT_MSG_DELTABLE, 0, "delete table");
    nftnl_table_nlmsg_build_payload(message, table.get());
    end(message);
}

void Batch::add_chain(const ChainSpec& spec) {
    auto chain = own<ChainPtr>(nftnl_chain_alloc());
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, kTable);
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, spec.name.c_str());
    if (spec.hook) {
        nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE, spec.hook->type);
        nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, spec.hook->number);
        nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, spec.hook->priority);
        nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_POLICY, NF_ACCEPT);
    }
    nlmsghdr* message = begin(NFT_MSG_NEWCHAIN, NLM_F_CREATE, "add chain " + spec.name);
    nftnl_chain_nlmsg_build_payload(message, chain.get());
    end(message);
}

void Batch::add_rules(const ChainSpec& spec) {
    std::size_t number = 0;
    for (const RulePtr& rule : spec.rules) {
        nlmsghdr* message = begin(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND,
                                  fmt::format("add rule {} of chain {}", ++number, spec.name));
        nftnl_rule_nlmsg_build_payload(message, rule.get());
        end(message);
    }
}

void Batch::delete_rules(const std::string& chain) {
    auto rule = own<RulePtr>(nftnl_rule_alloc());
    nftnl_rule_set_str(rule.get(), NFTNL_RULE_TABLE, kTable);
    nftnl_rule_set_str(rule.get(), NFTNL_RULE_CHAIN, chain.c_str());
    nlmsghdr* message = begin(NFT_MSG_DELRULE, 0, "delete the rules of chain " + chain);
    nftnl_rule_nlmsg_build_payload(message, rule.get());
    end(message);
}

void Batch::delete_chain(const std::string& name) {
    auto chain = own<ChainPtr>(nftnl_chain_alloc());
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, kTable);
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, name.c_str());
    nlmsghdr* message = begin(NFT_MSG_DELCHAIN, 0, "delete chain " + name);
    nftnl_chain_nlmsg_build_payload(message, chain.get());
    end(message);
}

void Batch::add_set(const SetSpec& spec) {
    const SetPtr set = describe(spec);
    define(set.get(), spec);
    nlmsghdr* message = begin(NFT_MSG_NEWSET, NLM_F_CREATE, "add set " + spec.name);
    nftnl_set_set_u32(set.get(), NFTNL_SET_ID, last_sequence());
    nftnl_set_nlmsg_build_payload(message, set.get());
    end(message);
}

void Batch::send_elements(std::uint16_t type, std::uint16_t flags, std::string_view verb,
                          const SetSpec& spec, std::span<const Element> elements) {
    while (!elements.empty()) {
        const SetPtr set = describe(spec);
        const auto part = elements.first(std::min(elements.size(), kElementsPerMessage));
        for (const Element& element : part) {
            nftnl_set_elem_add(set.get(), describe(element).release());
        }
        nlmsghdr* message =
            begin(type, flags, fmt::format("{} elements of set {}", verb, spec.name));
        nftnl_set_elems_nlmsg_build_payload(message, set.get());
        end(message);
        elements = elements.subspan(part.size());
    }
}

void Batch::add_elements(const SetSpec& set, std::span<const Element> elements) {
    send_elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE, "add", set, elements);
}

void Batch::delete_elements(const SetSpec& set, std::span<const Element> elements) {
    send_elements(NFT_MSG_DELSETELEM, 0, "delete", set, elements);
}

void Batch::counter(std::uint16_t type, std::uint16_t flags, std::string_view verb,
                    const std::string& name) {
    auto object = own<ObjectPtr>(nftnl_obj_alloc());
    nftnl_obj_set_str(object.get(), NFTNL_OBJ_TABLE, kTable);
    nftnl_obj_set_str(object.get(), NFTNL_OBJ_NAME, name.c_str());
    nftnl_obj_set_u32(object.get(), NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
    nftnl_obj_set_u64(object.get(), NFTNL_OBJ_CTR_PKTS, 0);
    nftnl_obj_set_u64(object.get(), NFTNL_OBJ_CTR_BYTES, 0);
    nlmsghdr* message = begin(type, flags, fmt::format("{} counter {}", verb, name));
    nftnl_obj_nlmsg_build_payload(message, object.get());
    end(message);
}

void Batch::add_counter(const std::string& name) {
    counter(NFT_MSG_NEWOBJ, NLM_F_CREATE, "add", name);
}

void Batch::delete_counter(const std::string& name) { counter(NFT_MSG_DELOBJ, 0, "delete", name); }

void Batch::put_table(const TableSpec& table, bool is_present) {
    if (is_present) delete_table();
    add_table();
    for (const std::string& name : table.counters) add_counter(name);
    for (const ChainSpec& chain : table.chains) add_chain(chain);  // before all that names them
    for (const SetSpec& set : table.sets) {
        add_set(set);
        add_elements(set, set.elements);
    }
    for (const ChainSpec& chain : table.chains) add_rules(chain);
}

}  // namespace alca::nft
