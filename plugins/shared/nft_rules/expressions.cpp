#include "plugins/shared/nft_rules/expressions.hpp"

#include <fmt/format.h>
#include <linux/netfilter/nf_nat.h>

namespace alca::nft {
namespace {

ExpressionPtr make(const char* name) { return own<ExpressionPtr>(nftnl_expr_alloc(name)); }

void set_u32(const ExpressionPtr& expression, std::uint16_t attribute, std::uint32_t value) {
    nftnl_expr_set_u32(expression.get(), attribute, value);
}

void set_text(const ExpressionPtr& expression, std::uint16_t attribute, const std::string& text) {
    nftnl_expr_set_str(expression.get(), attribute, text.c_str());
}

// flags: always given, also 0, since the kernel tells them always.
ExpressionPtr lookup(const std::string& set, std::uint32_t flags = 0) {
    auto expression = make("lookup");
    set_u32(expression, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
    set_u32(expression, NFTNL_EXPR_LOOKUP_FLAGS, flags);
    set_text(expression, NFTNL_EXPR_LOOKUP_SET, set);
    return expression;
}

ExpressionPtr fib(std::uint32_t flags, std::uint32_t result) {
    auto expression = make("fib");
    set_u32(expression, NFTNL_EXPR_FIB_FLAGS, flags);
    set_u32(expression, NFTNL_EXPR_FIB_RESULT, result);
    set_u32(expression, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
    return expression;
}

ExpressionPtr over(std::uint32_t type, std::uint64_t per_second, std::uint32_t burst) {
    auto expression = make("limit");
    nftnl_expr_set_u64(expression.get(), NFTNL_EXPR_LIMIT_RATE, per_second);
    nftnl_expr_set_u64(expression.get(), NFTNL_EXPR_LIMIT_UNIT, 1);  // seconds
    set_u32(expression, NFTNL_EXPR_LIMIT_BURST, burst);
    set_u32(expression, NFTNL_EXPR_LIMIT_TYPE, type);
    set_u32(expression, NFTNL_EXPR_LIMIT_FLAGS, NFT_LIMIT_F_INV);
    return expression;
}

ExpressionPtr reject(std::uint32_t type, std::uint8_t code) {
    auto expression = make("reject");
    set_u32(expression, NFTNL_EXPR_REJECT_TYPE, type);
    nftnl_expr_set_u8(expression.get(), NFTNL_EXPR_REJECT_CODE, code);
    return expression;
}

}  // namespace

std::string to_string(const Verdict& verdict) {
    switch (verdict.code) {
        case NF_ACCEPT:
            return "accept";
        case NF_DROP:
            return "drop";
        case NFT_GOTO:
            return "goto " + verdict.chain;
        case NFT_JUMP:
            return "jump " + verdict.chain;
        default:
            return fmt::format("verdict {} {}", verdict.code, verdict.chain);
    }
}

ExpressionPtr load_meta(nft_meta_keys key, nft_registers reg) {
    auto expression = make("meta");
    set_u32(expression, NFTNL_EXPR_META_KEY, key);
    set_u32(expression, NFTNL_EXPR_META_DREG, reg);
    return expression;
}

ExpressionPtr load_ct(nft_ct_keys key) {
    auto expression = make("ct");
    set_u32(expression, NFTNL_EXPR_CT_KEY, key);
    set_u32(expression, NFTNL_EXPR_CT_DREG, NFT_REG_1);
    return expression;
}

ExpressionPtr load_ct_of_reply(nft_ct_keys key) {
    auto expression = load_ct(key);
    nftnl_expr_set_u8(expression.get(), NFTNL_EXPR_CT_DIR, 1);  // IP_CT_DIR_REPLY
    return expression;
}

ExpressionPtr load_value(const Bytes& value, nft_registers reg) {
    auto expression = make("immediate");
    set_u32(expression, NFTNL_EXPR_IMM_DREG, reg);
    nftnl_expr_set(expression.get(), NFTNL_EXPR_IMM_DATA, value.data(),
                   static_cast<std::uint32_t>(value.size()));
    return expression;
}

ExpressionPtr load_payload(Field field, nft_registers reg) {
    auto expression = make("payload");
    set_u32(expression, NFTNL_EXPR_PAYLOAD_DREG, reg);
    set_u32(expression, NFTNL_EXPR_PAYLOAD_BASE, field.base);
    set_u32(expression, NFTNL_EXPR_PAYLOAD_OFFSET, field.offset_bytes);
    set_u32(expression, NFTNL_EXPR_PAYLOAD_LEN, field.length_bytes);
    return expression;
}

ExpressionPtr load_fib_type_of_destination() {
    return fib(NFTA_FIB_F_DADDR, NFT_FIB_RESULT_ADDRTYPE);
}

ExpressionPtr load_fib_same_interface(std::uint32_t side) {
    return fib(side | NFTA_FIB_F_IIF | NFTA_FIB_F_PRESENT, NFT_FIB_RESULT_OIF);
}

ExpressionPtr load_header_present(nft_exthdr_op op, std::uint8_t type) {
    auto expression = make("exthdr");
    set_u32(expression, NFTNL_EXPR_EXTHDR_DREG, NFT_REG_1);
    nftnl_expr_set_u8(expression.get(), NFTNL_EXPR_EXTHDR_TYPE, type);
    set_u32(expression, NFTNL_EXPR_EXTHDR_OFFSET, 0);
    set_u32(expression, NFTNL_EXPR_EXTHDR_LEN, 1);
    set_u32(expression, NFTNL_EXPR_EXTHDR_OP, op);
    set_u32(expression, NFTNL_EXPR_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
    return expression;
}

ExpressionPtr compare(nft_cmp_ops op, const Bytes& value) {
    auto expression = make("cmp");
    set_u32(expression, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
    set_u32(expression, NFTNL_EXPR_CMP_OP, op);
    nftnl_expr_set(expression.get(), NFTNL_EXPR_CMP_DATA, value.data(),
                   static_cast<std::uint32_t>(value.size()));
    return expression;
}

ExpressionPtr between(const Bytes& first, const Bytes& last) {
    auto expression = make("range");
    set_u32(expression, NFTNL_EXPR_RANGE_SREG, NFT_REG_1);
    set_u32(expression, NFTNL_EXPR_RANGE_OP, NFT_RANGE_EQ);
    nftnl_expr_set(expression.get(), NFTNL_EXPR_RANGE_FROM_DATA, first.data(),
                   static_cast<std::uint32_t>(first.size()));
    nftnl_expr_set(expression.get(), NFTNL_EXPR_RANGE_TO_DATA, last.data(),
                   static_cast<std::uint32_t>(last.size()));
    return expression;
}

namespace {

ExpressionPtr bitwise(std::uint32_t mask, std::uint32_t exclusive_or) {
    auto expression = make("bitwise");
    set_u32(expression, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
    set_u32(expression, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
    set_u32(expression, NFTNL_EXPR_BITWISE_LEN, sizeof mask);
    set_u32(expression, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
    nftnl_expr_set(expression.get(), NFTNL_EXPR_BITWISE_MASK, &mask, sizeof mask);
    nftnl_expr_set(expression.get(), NFTNL_EXPR_BITWISE_XOR, &exclusive_or, sizeof exclusive_or);
    return expression;
}

}  // namespace

ExpressionPtr keep_bits(std::uint32_t mask) { return bitwise(mask, 0); }

ExpressionPtr set_bits(std::uint32_t bits) { return bitwise(~bits, bits); }

ExpressionPtr store_meta(nft_meta_keys key) {
    auto expression = make("meta");
    set_u32(expression, NFTNL_EXPR_META_KEY, key);
    set_u32(expression, NFTNL_EXPR_META_SREG, NFT_REG_1);
    return expression;
}

ExpressionPtr in_set(const std::string& set) { return lookup(set); }

ExpressionPtr not_in_set(const std::string& set) { return lookup(set, NFT_LOOKUP_F_INV); }

ExpressionPtr verdict_of(const std::string& map) {
    auto expression = lookup(map);
    set_u32(expression, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
    return expression;
}

ExpressionPtr count_in(const std::string& map) {
    auto expression = make("objref");
    set_u32(expression, NFTNL_EXPR_OBJREF_SET_SREG, NFT_REG_1);
    set_text(expression, NFTNL_EXPR_OBJREF_SET_NAME, map);
    return expression;
}

ExpressionPtr update(const std::string& set, ExpressionPtr limit) {
    auto expression = make("dynset");
    set_u32(expression, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
    set_u32(expression, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
    set_text(expression, NFTNL_EXPR_DYNSET_SET_NAME, set);
    if (limit != nullptr)
        nftnl_expr_add_expr(expression.get(), NFTNL_EXPR_DYNSET_EXPR, limit.release());
    return expression;
}

ExpressionPtr count(const std::string& counter) {
    auto expression = make("objref");
    set_u32(expression, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
    set_text(expression, NFTNL_EXPR_OBJREF_IMM_NAME, counter);
    return expression;
}

ExpressionPtr faster_than(std::uint64_t per_second, std::uint32_t burst_packets) {
    return over(NFT_LIMIT_PKTS, per_second, burst_packets);
}

ExpressionPtr more_bytes_than(std::uint64_t per_second, std::uint32_t burst_bytes) {
    return over(NFT_LIMIT_PKT_BYTES, per_second, burst_bytes);
}

// Ends of ranges and flags are always given, since the kernel tells them always.
ExpressionPtr destination_nat(std::uint8_t nfproto) {
    auto expression = make("nat");
    set_u32(expression, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
    set_u32(expression, NFTNL_EXPR_NAT_FAMILY, nfproto);
    set_u32(expression, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
    set_u32(expression, NFTNL_EXPR_NAT_REG_ADDR_MAX, NFT_REG_1);
    set_u32(expression, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2);
    set_u32(expression, NFTNL_EXPR_NAT_REG_PROTO_MAX, NFT_REG_2);
    set_u32(expression, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED);
    return expression;
}

ExpressionPtr redirect() {
    auto expression = make("redir");
    set_u32(expression, NFTNL_EXPR_REDIR_REG_PROTO_MIN, NFT_REG_1);
    set_u32(expression, NFTNL_EXPR_REDIR_REG_PROTO_MAX, NFT_REG_1);
    set_u32(expression, NFTNL_EXPR_REDIR_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
    return expression;
}

ExpressionPtr reject_with_tcp_reset() { return reject(NFT_REJECT_TCP_RST, 0); }

ExpressionPtr reject_as_prohibited() {
    return reject(NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
}

ExpressionPtr decide(const Verdict& verdict) {
    auto expression = make("immediate");
    set_u32(expression, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    set_u32(expression, NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(verdict.code));
    if (!verdict.chain.empty()) set_text(expression, NFTNL_EXPR_IMM_CHAIN, verdict.chain);
    return expression;
}

}  // namespace alca::nft
