// nft_rules/chain.hpp - writes the rules of one chain, phrase by phrase.
#ifndef ALCA_NFT_RULES_CHAIN_HPP
#define ALCA_NFT_RULES_CHAIN_HPP

#include <optional>
#include <string>
#include <utility>

#include "plugins/shared/nft_rules/matches.hpp"
#include "plugins/shared/nft_rules/table.hpp"

namespace alca::nft {

// One chain that is being written: each call adds a rule, made of phrases in order.
class Chain {
  public:
    explicit Chain(std::string name, std::optional<Hook> hook = std::nullopt) {
        spec_.name = std::move(name);
        spec_.hook = hook;
    }

    template <class... Parts>
    Chain& rule(Parts... parts) {
        auto rule = own<RulePtr>(nftnl_rule_alloc());
        nftnl_rule_set_u32(rule.get(), NFTNL_RULE_FAMILY, NFPROTO_INET);
        nftnl_rule_set_str(rule.get(), NFTNL_RULE_TABLE, kTable);
        nftnl_rule_set_str(rule.get(), NFTNL_RULE_CHAIN, spec_.name.c_str());
        for (ExpressionPtr& part : phrase(std::move(parts)...)) {
            nftnl_rule_add_expr(rule.get(), part.release());
        }
        spec_.rules.push_back(std::move(rule));
        return *this;
    }

    [[nodiscard]] ChainSpec take() { return std::move(spec_); }

  private:
    ChainSpec spec_;
};

}  // namespace alca::nft

#endif
