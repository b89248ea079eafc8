// nft_rules/readback.hpp - what the kernel holds, in a form that compares: without handles,
// counters and everything else that changes by itself.
#ifndef ALCA_NFT_RULES_READBACK_HPP
#define ALCA_NFT_RULES_READBACK_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/shared/nft_rules/table.hpp"
#include "plugins/shared/nft_rules/transport.hpp"

namespace alca::nft {

struct ChainText {
    std::string hook;                // "" when the kernel does not enter here by itself
    std::vector<std::string> rules;  // one line each, as libnftnl prints expressions
};

// The static part of the table.
struct Snapshot {
    bool is_present = false;
    std::uint32_t flags = 0;  // of the table; any, such as dormant, is wrong
    std::map<std::string, ChainText> chains;
    std::map<std::string, std::string> sets;            // name -> definition
    std::map<std::string, std::vector<Element>> fixed;  // elements of fixed sets, sorted
    std::vector<std::string> counters;                  // of TableSpec::counters, those there
};

// What `table` reads back as, once it is in the kernel.
[[nodiscard]] Snapshot expected(const TableSpec& table);

// What is there, as far as `table` says what to look for. Its cost does not depend on the number
// of sandboxes. Errors: as Netlink.
[[nodiscard]] Result<Snapshot> read_static(Netlink& netlink, const TableSpec& table);

// The chain of one sandbox's own rules, or nothing.
[[nodiscard]] Result<std::optional<ChainText>> read_chain(Netlink& netlink,
                                                          const std::string& name);
// What `chain` reads back as.
[[nodiscard]] ChainText expected(const ChainSpec& chain);
// "" when equal, else the first difference.
[[nodiscard]] std::string chain_difference(const std::string& name, const ChainText& expected,
                                           const ChainText& actual);

// "" when equal, else the first difference, by chain and rule, set and element:
// "rule 2 of chain pre is not ours".
[[nodiscard]] std::string difference(const Snapshot& expected, const Snapshot& actual);

// The same for the elements of one set, both sorted.
[[nodiscard]] std::string element_difference(const std::string& set,
                                             const std::vector<Element>& expected,
                                             const std::vector<Element>& actual);

[[nodiscard]] Result<bool> has_table(Netlink& netlink);
// All elements of a set, sorted; empty when there is no such set.
[[nodiscard]] Result<std::vector<Element>> read_elements(Netlink& netlink, const std::string& set);
// The element with this key, or none.
[[nodiscard]] Result<std::vector<Element>> read_element(Netlink& netlink, const SetSpec& set,
                                                        const Bytes& key);
[[nodiscard]] Result<bool> has_counter(Netlink& netlink, const std::string& name);

}  // namespace alca::nft

#endif
