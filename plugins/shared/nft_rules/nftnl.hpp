// nft_rules/nftnl.hpp - owning handles over libnftnl's C objects.
#ifndef ALCA_NFT_RULES_NFTNL_HPP
#define ALCA_NFT_RULES_NFTNL_HPP

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>

#include <memory>
#include <new>

namespace alca::nft {

template <auto Free>
struct NftnlDeleter {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

using TablePtr = std::unique_ptr<nftnl_table, NftnlDeleter<nftnl_table_free>>;
using ChainPtr = std::unique_ptr<nftnl_chain, NftnlDeleter<nftnl_chain_free>>;
using RulePtr = std::unique_ptr<nftnl_rule, NftnlDeleter<nftnl_rule_free>>;
using ExpressionPtr = std::unique_ptr<nftnl_expr, NftnlDeleter<nftnl_expr_free>>;
using SetPtr = std::unique_ptr<nftnl_set, NftnlDeleter<nftnl_set_free>>;
using ElementPtr = std::unique_ptr<nftnl_set_elem, NftnlDeleter<nftnl_set_elem_free>>;
using ObjectPtr = std::unique_ptr<nftnl_obj, NftnlDeleter<nftnl_obj_free>>;

// libnftnl's constructors fail for want of memory only.
template <class Ptr>
[[nodiscard]] Ptr own(typename Ptr::pointer object) {
    if (object == nullptr) throw std::bad_alloc();
    return Ptr(object);
}

}  // namespace alca::nft

#endif
