#include "plugins/shared/nft_rules/matches.hpp"

#include <linux/rtnetlink.h>
#include <netinet/in.h>

namespace alca::nft {
namespace {

constexpr Field kVersionAndLength{NFT_PAYLOAD_NETWORK_HEADER, 0, 1};
constexpr Field kSource4{NFT_PAYLOAD_NETWORK_HEADER, 12, 4};
constexpr Field kSource6{NFT_PAYLOAD_NETWORK_HEADER, 8, 16};
constexpr Field kTarget4{NFT_PAYLOAD_NETWORK_HEADER, 16, 4};
constexpr Field kTarget6{NFT_PAYLOAD_NETWORK_HEADER, 24, 16};
constexpr Field kHopLimit{NFT_PAYLOAD_NETWORK_HEADER, 7, 1};
constexpr Field kIcmpType{NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1};
constexpr Field kTargetPort{NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2};

std::uint8_t family_of(const Bytes& address) {
    return address.size() == kTarget4.length_bytes ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

// Numbers in host byte order, as meta, ct and fib load them.
Bytes host_order(std::uint32_t value) {
    const auto* first = reinterpret_cast<const std::uint8_t*>(&value);
    return {first, first + sizeof value};
}

Bytes network_order(std::uint16_t value) {
    return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value & 0xff)};
}

Bytes flag(bool value) { return {static_cast<std::uint8_t>(value ? 1 : 0)}; }

// "alca*": four bytes of the name are compared, the rest is not.
Phrase name_is_sandbox(nft_meta_keys key, nft_cmp_ops op) {
    return phrase(load_meta(key),
                  compare(op, Bytes(kInterfacePrefix.begin(), kInterfacePrefix.end())));
}

// The whole name, with the zeros behind it.
Phrase name_is(nft_meta_keys key, std::string_view name) {
    Bytes padded(name.begin(), name.end());
    padded.resize(kInterfaceKeyBytes);
    return phrase(load_meta(key), compare(NFT_CMP_EQ, padded));
}

Phrase family(std::uint8_t nfproto) {
    return phrase(load_meta(NFT_META_NFPROTO), compare(NFT_CMP_EQ, {nfproto}));
}

Phrase any_bit(ExpressionPtr load, std::uint32_t bits) {
    return phrase(std::move(load), keep_bits(bits), compare(NFT_CMP_NEQ, host_order(0)));
}

}  // namespace

Phrase from_any_sandbox() { return name_is_sandbox(NFT_META_IIFNAME, NFT_CMP_EQ); }
Phrase from_no_sandbox() { return name_is_sandbox(NFT_META_IIFNAME, NFT_CMP_NEQ); }
Phrase to_any_sandbox() { return name_is_sandbox(NFT_META_OIFNAME, NFT_CMP_EQ); }
Phrase to_no_sandbox() { return name_is_sandbox(NFT_META_OIFNAME, NFT_CMP_NEQ); }
Phrase from_interface(std::string_view name) { return name_is(NFT_META_IIFNAME, name); }
Phrase to_interface(std::string_view name) { return name_is(NFT_META_OIFNAME, name); }

Phrase by_sandbox(const std::string& map) {
    return phrase(load_meta(NFT_META_IIFNAME), verdict_of(map));
}

Phrase by_target_sandbox(const std::string& map) {
    return phrase(load_meta(NFT_META_OIFNAME), verdict_of(map));
}

Phrase count_sandbox(const std::string& map) {
    return phrase(load_meta(NFT_META_IIFNAME), count_in(map));
}

Phrase sandbox_faster_than(const std::string& set, std::uint64_t per_second,
                           std::uint32_t burst_packets) {
    return phrase(load_meta(NFT_META_IIFNAME), update(set, faster_than(per_second, burst_packets)));
}

Phrase ct_state(std::uint32_t states) { return any_bit(load_ct(NFT_CT_STATE), states); }
Phrase ct_status(std::uint32_t bits) { return any_bit(load_ct(NFT_CT_STATUS), bits); }
Phrase ct_reply() { return phrase(load_ct(NFT_CT_DIRECTION), compare(NFT_CMP_EQ, flag(true))); }

Phrase ct_status_is(std::uint32_t bits, std::uint32_t set) {
    return phrase(load_ct(NFT_CT_STATUS), keep_bits(bits), compare(NFT_CMP_EQ, host_order(set)));
}

Phrase ct_answered_not_by(const Bytes& address) {
    const bool v4 = address.size() == kTarget4.length_bytes;
    return phrase(load_ct_of_reply(v4 ? NFT_CT_SRC_IP : NFT_CT_SRC_IP6),
                  compare(NFT_CMP_NEQ, address));
}

Phrase ct_answered_not_at(std::uint16_t port) {
    return phrase(load_ct_of_reply(NFT_CT_PROTO_SRC), compare(NFT_CMP_NEQ, network_order(port)));
}

Phrase protocol(std::uint8_t number) {
    return phrase(load_meta(NFT_META_L4PROTO), compare(NFT_CMP_EQ, {number}));
}

Phrase protocol_not(std::uint8_t number) {
    return phrase(load_meta(NFT_META_L4PROTO), compare(NFT_CMP_NEQ, {number}));
}

Phrase family_not_of(const Bytes& address) {
    return phrase(load_meta(NFT_META_NFPROTO), compare(NFT_CMP_NEQ, {family_of(address)}));
}

Phrase protocol_in(const std::string& set) {
    return phrase(load_meta(NFT_META_L4PROTO), in_set(set));
}

// Nearly all packets are one of the two, and a comparison costs less than a look into the set.
Phrase protocol_not_in(const std::string& set) {
    return phrase(load_meta(NFT_META_L4PROTO), compare(NFT_CMP_NEQ, {IPPROTO_TCP}),
                  compare(NFT_CMP_NEQ, {IPPROTO_UDP}), not_in_set(set));
}

Phrase icmp4_type_in(const std::string& set) {
    return phrase(family(NFPROTO_IPV4), protocol(IPPROTO_ICMP), load_payload(kIcmpType),
                  in_set(set));
}

Phrase icmp6_type_in(const std::string& set) {
    return phrase(family(NFPROTO_IPV6), protocol(IPPROTO_ICMPV6), load_payload(kIcmpType),
                  in_set(set));
}

Phrase hop_limit(std::uint8_t hops) {
    return phrase(load_payload(kHopLimit), compare(NFT_CMP_EQ, {hops}));
}

Phrase is_ip6() { return family(NFPROTO_IPV6); }

Phrase not_a_plain_header4() {
    return phrase(load_payload(kVersionAndLength), compare(NFT_CMP_NEQ, {0x45}));
}

Phrase ip4_option(std::uint8_t number) {
    return phrase(family(NFPROTO_IPV4), load_header_present(NFT_EXTHDR_OP_IPV4, number),
                  compare(NFT_CMP_EQ, flag(true)));
}

Phrase ip6_header(std::uint8_t number) {
    return phrase(family(NFPROTO_IPV6), load_header_present(NFT_EXTHDR_OP_IPV6, number),
                  compare(NFT_CMP_EQ, flag(true)));
}

Phrase to_port(std::uint16_t port) {
    return phrase(load_payload(kTargetPort), compare(NFT_CMP_EQ, network_order(port)));
}

Phrase to_ports(std::uint16_t first, std::uint16_t last) {
    return phrase(load_payload(kTargetPort), between(network_order(first), network_order(last)));
}

Phrase to_addresses(const Bytes& first, const Bytes& last) {
    const bool v4 = first.size() == kTarget4.length_bytes;
    return phrase(family(v4 ? NFPROTO_IPV4 : NFPROTO_IPV6), load_payload(v4 ? kTarget4 : kTarget6),
                  between(first, last));
}

Phrase to_address4_in(const std::string& set) {
    return phrase(family(NFPROTO_IPV4), load_payload(kTarget4), in_set(set));
}

Phrase to_address6_in(const std::string& set) {
    return phrase(family(NFPROTO_IPV6), load_payload(kTarget6), in_set(set));
}

Phrase from_address4_in(const std::string& set) {
    return phrase(family(NFPROTO_IPV4), load_payload(kSource4), in_set(set));
}

Phrase from_address6_in(const std::string& set) {
    return phrase(family(NFPROTO_IPV6), load_payload(kSource6), in_set(set));
}

Phrase to_address4_not_in(const std::string& set) {
    return phrase(family(NFPROTO_IPV4), load_payload(kTarget4), not_in_set(set));
}

Phrase to_address6_not_in(const std::string& set) {
    return phrase(family(NFPROTO_IPV6), load_payload(kTarget6), not_in_set(set));
}

Phrase by_address4(const std::string& map) {
    return phrase(family(NFPROTO_IPV4), load_payload(kTarget4), verdict_of(map));
}

Phrase by_address6(const std::string& map) {
    return phrase(family(NFPROTO_IPV6), load_payload(kTarget6), verdict_of(map));
}

// The key fills registers from 1 on: name in 16 bytes, then each field in a multiple of 4.
Phrase note_target4(const std::string& set, nft_meta_keys name) {
    return phrase(family(NFPROTO_IPV4), load_meta(name), load_payload(kTarget4, NFT_REG_2),
                  load_meta(NFT_META_L4PROTO, NFT_REG32_05),
                  load_payload(kTargetPort, NFT_REG32_06), update(set, nullptr));
}

Phrase note_target6(const std::string& set, nft_meta_keys name) {
    return phrase(family(NFPROTO_IPV6), load_meta(name), load_payload(kTarget6, NFT_REG_2),
                  load_meta(NFT_META_L4PROTO, NFT_REG_3), load_payload(kTargetPort, NFT_REG32_09),
                  update(set, nullptr));
}

Phrase target_on_same_interface() {
    return phrase(load_fib_same_interface(NFTA_FIB_F_DADDR), compare(NFT_CMP_EQ, host_order(1)));
}

Phrase source_not_on_interface() {
    return phrase(load_fib_same_interface(NFTA_FIB_F_SADDR), compare(NFT_CMP_EQ, host_order(0)));
}

Phrase target_not_unicast() {
    return phrase(load_fib_type_of_destination(), compare(NFT_CMP_NEQ, host_order(RTN_UNICAST)));
}

Phrase target_is_unicast() {
    return phrase(load_fib_type_of_destination(), compare(NFT_CMP_EQ, host_order(RTN_UNICAST)));
}

Phrase target_is_this_host() {
    return phrase(load_fib_type_of_destination(), compare(NFT_CMP_EQ, host_order(RTN_LOCAL)));
}

Phrase target_is_not_this_host() {
    return phrase(load_fib_type_of_destination(), compare(NFT_CMP_NEQ, host_order(RTN_LOCAL)));
}

Phrase target_type_in(const std::string& set) {
    return phrase(load_fib_type_of_destination(), in_set(set));
}

Phrase add_to_mark(std::uint32_t bits) {
    return phrase(load_meta(NFT_META_MARK), set_bits(bits), store_meta(NFT_META_MARK));
}

Phrase faster(std::uint64_t packets_per_second, std::uint32_t burst_packets) {
    return phrase(faster_than(packets_per_second, burst_packets));
}

Phrase more_than(std::uint64_t bytes_per_second, std::uint32_t burst_bytes) {
    return phrase(more_bytes_than(bytes_per_second, burst_bytes));
}

Phrase send_to(const Bytes& address, std::uint16_t port) {
    return phrase(load_value(address), load_value(network_order(port), NFT_REG_2),
                  destination_nat(family_of(address)));
}

Phrase send_to_this_host(std::uint16_t port) {
    return phrase(load_value(network_order(port)), redirect());
}

Phrase accept() { return phrase(decide({.code = NF_ACCEPT})); }
Phrase drop() { return phrase(decide({.code = NF_DROP})); }
Phrase go_to(const std::string& chain) {
    return phrase(decide({.code = NFT_GOTO, .chain = chain}));
}
Phrase jump(const std::string& chain) { return phrase(decide({.code = NFT_JUMP, .chain = chain})); }

}  // namespace alca::nft
