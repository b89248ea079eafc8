// nft_rules/expressions.hpp - one function for each kind of nf_tables expression that we use.
//
// An expression reads a packet into a register, compares a register, or acts. Registers are
// named as the kernel reports them back: NFT_REG_n at 16-byte borders, NFT_REG32_nn elsewhere;
// any other choice would read back as a different rule.
#ifndef ALCA_NFT_RULES_EXPRESSIONS_HPP
#define ALCA_NFT_RULES_EXPRESSIONS_HPP

#include <netinet/in.h>  // ahead of the kernel's headers, which then leave its types to it

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <string>

#include "plugins/shared/nft_rules/interface_name.hpp"
#include "plugins/shared/nft_rules/nftnl.hpp"

namespace alca::nft {

// A chain's name, or the end of the decision.
struct Verdict {
    int code = NF_DROP;   // NF_ACCEPT, NF_DROP, NFT_GOTO, NFT_JUMP
    std::string chain{};  // of NFT_GOTO and NFT_JUMP
    auto operator<=>(const Verdict&) const = default;
};
// As `nft` writes it: "accept", "goto internet".
[[nodiscard]] std::string to_string(const Verdict& verdict);

// ---- load into `reg`
[[nodiscard]] ExpressionPtr load_meta(nft_meta_keys key, nft_registers reg = NFT_REG_1);
[[nodiscard]] ExpressionPtr load_ct(nft_ct_keys key);
// Of the tuple that answers of the connection are expected to have.
[[nodiscard]] ExpressionPtr load_ct_of_reply(nft_ct_keys key);
[[nodiscard]] ExpressionPtr load_value(const Bytes& value, nft_registers reg = NFT_REG_1);
struct Field {
    nft_payload_bases base;
    std::uint32_t offset_bytes;
    std::uint32_t length_bytes;
};
[[nodiscard]] ExpressionPtr load_payload(Field field, nft_registers reg = NFT_REG_1);
[[nodiscard]] ExpressionPtr load_fib_type_of_destination();
// 1 when the address of `side` (NFTA_FIB_F_SADDR or _DADDR) is routed through the interface that
// the packet came in by, else 0.
[[nodiscard]] ExpressionPtr load_fib_same_interface(std::uint32_t side);
// 1 when the IPv4 option or the IPv6 extension header `type` is there, else 0.
[[nodiscard]] ExpressionPtr load_header_present(nft_exthdr_op op, std::uint8_t type);

// ---- work on register 1
[[nodiscard]] ExpressionPtr compare(nft_cmp_ops op, const Bytes& value);
// first and last: of one size, in network byte order; both match.
[[nodiscard]] ExpressionPtr between(const Bytes& first, const Bytes& last);
[[nodiscard]] ExpressionPtr keep_bits(std::uint32_t mask);
[[nodiscard]] ExpressionPtr set_bits(std::uint32_t bits);  // the others stay as they are
[[nodiscard]] ExpressionPtr in_set(const std::string& set);
[[nodiscard]] ExpressionPtr not_in_set(const std::string& set);
// Ends the rule with the verdict that `map` holds for the register; goes on when there is none.
[[nodiscard]] ExpressionPtr verdict_of(const std::string& map);
// Counts in the counter that `map` holds for the register.
[[nodiscard]] ExpressionPtr count_in(const std::string& map);
// Adds or refreshes the register's key in `set`; the rule ends where the set is full.
// limit: nullptr, or an expression kept for each element that the rule must pass.
[[nodiscard]] ExpressionPtr update(const std::string& set, ExpressionPtr limit);

// ---- act
[[nodiscard]] ExpressionPtr store_meta(nft_meta_keys key);  // from register 1
[[nodiscard]] ExpressionPtr count(const std::string& counter);
// Matches what comes in faster than `per_second`, after a burst of `burst_packets`.
[[nodiscard]] ExpressionPtr faster_than(std::uint64_t per_second, std::uint32_t burst_packets);
// The same for bytes; the bucket holds one second's worth and `burst_bytes`.
[[nodiscard]] ExpressionPtr more_bytes_than(std::uint64_t per_second, std::uint32_t burst_bytes);
// To the address in register 1 and the port in register 2. For packets of this family only.
[[nodiscard]] ExpressionPtr destination_nat(std::uint8_t nfproto);
// To this host, by the address of the interface that the packet came in by, and the port in
// register 1.
[[nodiscard]] ExpressionPtr redirect();
[[nodiscard]] ExpressionPtr reject_with_tcp_reset();
// "administratively prohibited", by ICMP or ICMPv6 as the packet is.
[[nodiscard]] ExpressionPtr reject_as_prohibited();
[[nodiscard]] ExpressionPtr decide(const Verdict& verdict);

}  // namespace alca::nft

#endif
