#include "plugins/shared/nft_rules/table.hpp"

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include <algorithm>
#include <cassert>

#include "plugins/shared/nft_rules/addresses.hpp"

namespace alca::nft {
namespace {

// Key types by nft's own numbers (libnftables, enum datatypes). The kernel does not look at them.
struct KeyType {
    std::uint32_t number;
    std::uint32_t bytes;
};
constexpr KeyType kAddress4{7, 4};
constexpr KeyType kAddress6{8, 16};
constexpr KeyType kProtocol{12, 1};
constexpr KeyType kService{13, 2};
constexpr KeyType kIcmpType{14, 1};
constexpr KeyType kIcmp6Type{29, 1};
constexpr KeyType kFibType{38, 4};
constexpr KeyType kInterface{41, kInterfaceKeyBytes};

// A key of two fields: 6 bits of type for each, each field padded to 4 bytes.
constexpr KeyType operator+(KeyType left, KeyType right) {
    const auto padded = [](std::uint32_t bytes) { return (bytes + 3) / 4 * 4; };
    return {left.number << 6 | right.number, padded(left.bytes) + padded(right.bytes)};
}

SetSpec make_set(std::string name, KeyType key) {
    SetSpec set;
    set.name = std::move(name);
    set.key_type = key.number;
    set.key_bytes = key.bytes;
    set.is_text_key = key.number == kInterface.number;
    return set;
}

SetSpec verdict_map(const char* name, KeyType key) {
    SetSpec map = make_set(name, key);
    map.flags = NFT_SET_MAP;
    map.value = SetSpec::Value::verdict;
    return map;
}

SetSpec interval_set(const char* name, KeyType key) {
    SetSpec set = make_set(name, key);
    set.flags = NFT_SET_INTERVAL;
    return set;
}

SetSpec sandbox_counters(std::string_view reason) {
    SetSpec map = make_set(counter_map(reason), kInterface);
    map.flags = NFT_SET_OBJECT;
    map.value = SetSpec::Value::counter;
    return map;
}

// A set that nobody can change while a rule uses it.
SetSpec constant(const char* name, KeyType key, const std::vector<Bytes>& members) {
    SetSpec set = make_set(name, key);
    set.flags = NFT_SET_CONSTANT;
    set.max_elements = static_cast<std::uint32_t>(members.size());
    set.is_fixed = true;
    for (const Bytes& member : members) set.elements.push_back({.key = member});
    return set;
}

SetSpec blocked(const char* name, KeyType address) {
    SetSpec set = make_set(name, kInterface + address + kProtocol + kService);
    set.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT;
    set.max_elements = 8192;
    set.timeout = std::chrono::hours(1);
    set.element_counters = true;
    return set;
}

// A rate for each sandbox, so that a flood of one takes nothing from the others.
SetSpec rates(const char* name) {
    SetSpec set = make_set(name, kInterface);
    set.flags = NFT_SET_EVAL;
    set.max_elements = 4096;
    return set;
}

struct Denied {
    const char* prefix;
    const char* chain;
};

// In ascending order: the kernel takes intervals as a sorted list of begins and ends.
constexpr std::array kDenied4 = {
    Denied{"0.0.0.0/8", "d_lan"},        // "this network"; OrbStack's host
    Denied{"10.0.0.0/8", "d_lan"},       // private
    Denied{"100.64.0.0/10", "d_cgnat"},  // carrier NAT; VPN meshes
    Denied{"127.0.0.0/8", "d_lan"},      // loopback
    Denied{"168.63.129.16", "d_meta"},   // Azure's host agent
    Denied{"169.254.0.0/16", "d_meta"},  // link-local; cloud metadata
    Denied{"172.16.0.0/12", "d_lan"},    // private
    Denied{"192.0.0.0/24", "d_meta"},    // protocol assignments; Oracle's metadata
    Denied{"192.168.0.0/16", "d_lan"},   // private
    Denied{"198.18.0.0/15", "d_lan"},    // benchmarks; OrbStack's network
    Denied{"224.0.0.0/4", "d_mcast"},    // multicast
    Denied{"240.0.0.0/4", "d_mcast"},    // reserved; broadcast
};
constexpr std::array kDenied6 = {
    Denied{"::/96", "d_lan"},                  // unspecified, loopback, IPv4-compatible
    Denied{"::ffff:0:0/96", "d_lan"},          // mapped IPv4
    Denied{"64:ff9b::/104", "d_lan"},          // NAT64: 0.0.0.0/8, and the denied IPv4 in it below
    Denied{"64:ff9b::a00:0/104", "d_lan"},     // 10.0.0.0/8
    Denied{"64:ff9b::6440:0/106", "d_cgnat"},  // 100.64.0.0/10
    Denied{"64:ff9b::7f00:0/104", "d_lan"},    // 127.0.0.0/8
    Denied{"64:ff9b::a83f:8110", "d_meta"},    // 168.63.129.16
    Denied{"64:ff9b::a9fe:0/112", "d_meta"},   // 169.254.0.0/16
    Denied{"64:ff9b::ac10:0/108", "d_lan"},    // 172.16.0.0/12
    Denied{"64:ff9b::c000:0/120", "d_meta"},   // 192.0.0.0/24
    Denied{"64:ff9b::c0a8:0/112", "d_lan"},    // 192.168.0.0/16
    Denied{"64:ff9b::c612:0/111", "d_lan"},    // 198.18.0.0/15
    Denied{"64:ff9b::e000:0/99", "d_mcast"},   // 224.0.0.0/4 and 240.0.0.0/4
    Denied{"64:ff9b:1::/48", "d_lan"},         // NAT64 of the local network
    Denied{"100::/64", "d_lan"},               // discard
    Denied{"2001::/32", "d_lan"},              // Teredo
    Denied{"2002::/16", "d_lan"},              // 6to4
    Denied{"fc00::/7", "d_lan"},               // unique local
    Denied{"fe80::/10", "d_lan"},              // link-local
    Denied{"fec0::/10", "d_lan"},              // site-local
    Denied{"ff00::/8", "d_mcast"},             // multicast
};

template <std::size_t N>
SetSpec deny_map(const char* name, KeyType key, const std::array<Denied, N>& denied) {
    SetSpec map = verdict_map(name, key);
    map.flags |= NFT_SET_INTERVAL;
    map.is_fixed = true;
    for (const auto& [prefix, chain] : denied) {
        const Range addresses = range(prefix);
        map.elements.push_back(
            {.key = addresses.begin, .verdict = Verdict{.code = NFT_GOTO, .chain = chain}});
        if (addresses.end) map.elements.push_back({.key = *addresses.end, .interval_end = true});
    }
    return map;
}

Bytes host_order(std::uint32_t value) {
    const auto* first = reinterpret_cast<const std::uint8_t*>(&value);
    return {first, first + sizeof value};
}

void add_constants(std::vector<SetSpec>& sets) {
    sets.push_back(constant("ports", kProtocol, {{IPPROTO_TCP}, {IPPROTO_UDP}}));
    sets.push_back(constant("protocols", kProtocol,
                            {{IPPROTO_ICMP}, {IPPROTO_TCP}, {IPPROTO_UDP}, {IPPROTO_ICMPV6}}));
    sets.push_back(constant("icmp4_errors", kIcmpType,
                            {{ICMP_DEST_UNREACH}, {ICMP_TIME_EXCEEDED}, {ICMP_PARAMETERPROB}}));
    sets.push_back(constant(
        "icmp6_errors", kIcmp6Type,
        {{ICMPV6_DEST_UNREACH}, {ICMPV6_PKT_TOOBIG}, {ICMPV6_TIME_EXCEED}, {ICMPV6_PARAMPROB}}));
    sets.push_back(constant("neighbour", kIcmp6Type, {{135}, {136}}));  // solicit, advertise
    sets.push_back(
        constant("to_many", kFibType,
                 {host_order(RTN_BROADCAST), host_order(RTN_ANYCAST), host_order(RTN_MULTICAST)}));
}

}  // namespace

std::string counter_map(std::string_view reason) { return "c_" + std::string(reason); }

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

const SetSpec& TableSpec::set(std::string_view name) const {
    const auto found = std::find_if(
        sets.begin(), sets.end(), [&](const SetSpec& candidate) { return candidate.name == name; });
    assert(found != sets.end());
    return *found;
}

std::vector<SetSpec> static_sets() {
    std::vector<SetSpec> sets;
    sets.push_back(verdict_map(kRegistry, kInterface));
    sets.push_back(verdict_map(kArriving, kInterface));
    sets.push_back(make_set(kDns4, kAddress4));
    sets.push_back(make_set(kDns6, kAddress6));
    sets.push_back(interval_set(kOnLink4, kAddress4));
    sets.push_back(interval_set(kOnLink6, kAddress6));
    sets.push_back(verdict_map(kProxied, kInterface));
    sets.push_back(verdict_map(kLimited, kInterface));
    sets.push_back(make_set(kRestricted, kInterface));
    for (const std::string_view reason : kReasons) sets.push_back(sandbox_counters(reason));
    sets.push_back(blocked(kBlocked4, kAddress4));
    sets.push_back(blocked(kBlocked6, kAddress6));
    sets.push_back(rates(kNoteLimit));
    sets.push_back(rates(kAnswerLimit));
    add_constants(sets);
    sets.push_back(deny_map(kDeny4, kAddress4, kDenied4));
    sets.push_back(deny_map(kDeny6, kAddress6, kDenied6));
    return sets;
}

std::vector<AddressRange> denied_ranges() {
    std::vector<AddressRange> ranges;
    const auto add = [&ranges](const auto& denied) {
        for (const auto& [prefix, chain] : denied) ranges.push_back(*parse_prefix(prefix));
    };
    add(kDenied4);
    add(kDenied6);
    return ranges;
}

TableSpec static_table() { return {{"nopolicy"}, static_sets(), static_chains()}; }

}  // namespace alca::nft
