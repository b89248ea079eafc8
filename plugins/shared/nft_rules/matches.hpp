// nft_rules/matches.hpp - the words that rules.cpp is written in: each is one `nft` phrase.
#ifndef ALCA_NFT_RULES_MATCHES_HPP
#define ALCA_NFT_RULES_MATCHES_HPP

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/shared/nft_rules/expressions.hpp"

namespace alca::nft {

// Part of a rule, or a whole one: expressions in the order in which the kernel runs them.
using Phrase = std::vector<ExpressionPtr>;

// ---- interfaces
[[nodiscard]] Phrase from_any_sandbox();                     // iifname "alca*"
[[nodiscard]] Phrase from_no_sandbox();                      // iifname != "alca*"
[[nodiscard]] Phrase to_any_sandbox();                       // oifname "alca*"
[[nodiscard]] Phrase to_no_sandbox();                        // oifname != "alca*"
[[nodiscard]] Phrase from_interface(std::string_view name);  // iifname "name"
[[nodiscard]] Phrase to_interface(std::string_view name);
[[nodiscard]] Phrase by_sandbox(const std::string& map);         // iifname vmap @map
[[nodiscard]] Phrase by_target_sandbox(const std::string& map);  // oifname vmap @map
[[nodiscard]] Phrase count_sandbox(const std::string& map);      // counter name iifname map @map
[[nodiscard]] Phrase sandbox_faster_than(
    const std::string& set, std::uint64_t per_second,
    std::uint32_t burst_packets);  // update @set { iifname limit ... }

// ---- connection tracking
[[nodiscard]] Phrase ct_state(std::uint32_t states);  // NF_CT_STATE_BIT... values, any of them
[[nodiscard]] Phrase ct_status(std::uint32_t bits);
[[nodiscard]] Phrase ct_reply();  // ct direction reply
// Of `bits` those in `set` are set and the others are not. Matches no packet that is not tracked.
[[nodiscard]] Phrase ct_status_is(std::uint32_t bits, std::uint32_t set);
[[nodiscard]] Phrase ct_answered_not_by(const Bytes& address);  // ct reply ip saddr !=
[[nodiscard]] Phrase ct_answered_not_at(std::uint16_t port);    // ct reply proto-src !=

// ---- headers
[[nodiscard]] Phrase protocol(std::uint8_t number);      // meta l4proto
[[nodiscard]] Phrase protocol_not(std::uint8_t number);  // meta l4proto !=
// meta nfproto !=, the family by the size of the address.
[[nodiscard]] Phrase family_not_of(const Bytes& address);
[[nodiscard]] Phrase protocol_in(const std::string& set);
[[nodiscard]] Phrase protocol_not_in(const std::string& set);
[[nodiscard]] Phrase icmp4_type_in(const std::string& set);
[[nodiscard]] Phrase icmp6_type_in(const std::string& set);
[[nodiscard]] Phrase hop_limit(std::uint8_t hops);  // behind an IPv6 match only
[[nodiscard]] Phrase is_ip6();
[[nodiscard]] Phrase not_a_plain_header4();  // IPv6, or IPv4 with options
[[nodiscard]] Phrase ip4_option(std::uint8_t number);
[[nodiscard]] Phrase ip6_header(std::uint8_t number);
[[nodiscard]] Phrase to_port(std::uint16_t port);  // th dport; behind protocol_in
[[nodiscard]] Phrase to_ports(std::uint16_t first, std::uint16_t last);  // behind protocol
// ip or ip6 daddr first-last, by the size of the addresses.
[[nodiscard]] Phrase to_addresses(const Bytes& first, const Bytes& last);
[[nodiscard]] Phrase to_address4_in(const std::string& set);
[[nodiscard]] Phrase to_address6_in(const std::string& set);
[[nodiscard]] Phrase from_address4_in(const std::string& set);
[[nodiscard]] Phrase from_address6_in(const std::string& set);
[[nodiscard]] Phrase to_address4_not_in(const std::string& set);
[[nodiscard]] Phrase to_address6_not_in(const std::string& set);
[[nodiscard]] Phrase by_address4(const std::string& map);  // ip daddr vmap @map
[[nodiscard]] Phrase by_address6(const std::string& map);
// update @set { name . ip daddr ... }; name: NFT_META_IIFNAME or NFT_META_OIFNAME
[[nodiscard]] Phrase note_target4(const std::string& set, nft_meta_keys name = NFT_META_IIFNAME);
[[nodiscard]] Phrase note_target6(const std::string& set, nft_meta_keys name = NFT_META_IIFNAME);

// ---- routing
[[nodiscard]] Phrase target_on_same_interface();  // fib daddr . iif oif exists
[[nodiscard]] Phrase source_not_on_interface();   // fib saddr . iif oif missing
[[nodiscard]] Phrase target_not_unicast();        // fib daddr type != unicast
[[nodiscard]] Phrase target_is_unicast();         // fib daddr type unicast
[[nodiscard]] Phrase target_is_this_host();       // fib daddr type local
[[nodiscard]] Phrase target_type_in(const std::string& set);

[[nodiscard]] Phrase target_is_not_this_host();  // fib daddr type != local

// ---- limits: match what is too much
[[nodiscard]] Phrase faster(std::uint64_t packets_per_second, std::uint32_t burst_packets);
[[nodiscard]] Phrase more_than(std::uint64_t bytes_per_second, std::uint32_t burst_bytes);

// ---- packet mark
[[nodiscard]] Phrase add_to_mark(std::uint32_t bits);  // meta mark set meta mark | bits

// ---- verdicts
// dnat ip or ip6 to address:port, by the size of the address. Behind protocol.
[[nodiscard]] Phrase send_to(const Bytes& address, std::uint16_t port);
[[nodiscard]] Phrase send_to_this_host(std::uint16_t port);  // redirect to :port
[[nodiscard]] Phrase accept();
[[nodiscard]] Phrase drop();
[[nodiscard]] Phrase go_to(const std::string& chain);
[[nodiscard]] Phrase jump(const std::string& chain);

// One phrase out of several. Takes ExpressionPtr and Phrase.
inline void append(Phrase& to, ExpressionPtr part) { to.push_back(std::move(part)); }
inline void append(Phrase& to, Phrase part) {
    for (ExpressionPtr& expression : part) to.push_back(std::move(expression));
}
template <class... Parts>
[[nodiscard]] Phrase phrase(Parts... parts) {
    Phrase all;
    (append(all, std::move(parts)), ...);
    return all;
}

}  // namespace alca::nft

#endif
