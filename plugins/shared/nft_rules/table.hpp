// nft_rules/table.hpp - what the table `inet alca` must hold, as data: written by batch.hpp,
// compared by readback.hpp.
//
// The static part is the same for every sandbox. A sandbox is elements only (sandbox.hpp), so
// its cost does not depend on how many others there are.
#ifndef ALCA_NFT_RULES_TABLE_HPP
#define ALCA_NFT_RULES_TABLE_HPP

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "plugins/shared/nft_rules/addresses.hpp"
#include "plugins/shared/nft_rules/expressions.hpp"

namespace alca::nft {

inline constexpr const char* kTable = "alca";
inline constexpr const char* kRegistry =
    "sandbox";  // interface -> policy; who is not in it is closed
inline constexpr const char* kDns4 = "dns4";
inline constexpr const char* kDns6 = "dns6";
// Public prefixes of networks that this machine is directly part of.
inline constexpr const char* kOnLink4 = "onlink4";
inline constexpr const char* kOnLink6 = "onlink6";
inline constexpr const char* kDeny4 = "deny4";
inline constexpr const char* kDeny6 = "deny6";
inline constexpr const char* kBlocked4 = "blocked4";  // what was refused, filled by the kernel
inline constexpr const char* kBlocked6 = "blocked6";
inline constexpr const char* kNoteLimit = "notelim";      // how fast each sandbox may fill them
inline constexpr const char* kAnswerLimit = "answerlim";  // how many errors each is sent
inline constexpr const char* kProxied = "proxied";        // interface -> chain of its proxy
inline constexpr const char* kLimited = "limited";        // interface -> chain of what goes to it
inline constexpr const char* kArriving = "arriving";      // interface -> one of the next two chains
inline constexpr const char* kArrived = "arrived";
inline constexpr const char* kArrivedLimited = "arrived_limited";  // those in kLimited
// Those whose own rules also take something away: never without them.
inline constexpr const char* kRestricted = "restricted";
inline constexpr const char* kPolicyInternet = "internet";  // chain
// Chains of single sandboxes; no part of the static table.
inline constexpr std::string_view kOwnChainPrefix = "s_";    // what it may do
inline constexpr std::string_view kProxyChainPrefix = "n_";  // its proxy
inline constexpr std::string_view kLimitChainPrefix = "l_";  // limits of what goes to it

// Before the number of the user, in the note of an element.
inline constexpr std::string_view kOwnerNote = "uid ";

// Why a packet was refused. Each sandbox has a counter for each, found through map "c_<reason>".
inline constexpr std::array<std::string_view, 9> kReasons = {
    "lan", "meta", "cgnat", "mcast", "host", "spoof", "proto", "proxy", "limit"};
[[nodiscard]] std::string counter_map(std::string_view reason);

struct Element {
    Bytes key{};
    bool interval_end = false;         // the first key behind an interval; has no value
    std::optional<Verdict> verdict{};  // of verdict maps
    std::string counter{};             // of counter maps: the object's name
    // A note of ours, no part of what is compared: the user whose sandbox it is.
    std::optional<std::uint32_t> owner{};

    friend bool operator==(const Element& a, const Element& b) {
        return std::tie(a.key, a.interval_end, a.verdict, a.counter) ==
               std::tie(b.key, b.interval_end, b.verdict, b.counter);
    }
    friend auto operator<=>(const Element& a, const Element& b) {
        return std::tie(a.key, a.interval_end, a.verdict, a.counter) <=>
               std::tie(b.key, b.interval_end, b.verdict, b.counter);
    }
};

// As the kernel takes intervals: begins and ends.
[[nodiscard]] std::vector<Element> as_elements(const std::vector<AddressRange>& ranges);

struct SetSpec {
    enum class Value : std::uint8_t { none, verdict, counter };

    std::string name;
    std::uint32_t key_type = 0;  // nft's number, so that `nft list` can print the keys
    std::uint32_t key_bytes = 0;
    bool is_text_key = false;  // tells `nft list` how to print it
    std::uint32_t flags = 0;   // NFT_SET_*
    Value value = Value::none;
    std::uint32_t max_elements = 0;        // 0: no limit
    std::chrono::milliseconds timeout{0};  // 0: elements stay
    bool element_counters = false;
    bool is_fixed = false;  // `elements` are all that it may hold; else sandboxes fill it
    std::vector<Element> elements;
};

struct Hook {
    std::uint32_t number;  // NF_INET_*
    std::int32_t priority;
    const char* type = "filter";  // or "nat"
};

struct ChainSpec {
    std::string name;
    std::optional<Hook> hook;  // base chain with policy accept
    std::vector<RulePtr> rules;
};

struct TableSpec {
    std::vector<std::string> counters;  // of no sandbox
    std::vector<SetSpec> sets;
    std::vector<ChainSpec> chains;

    // `name` must be there: asserted.
    [[nodiscard]] const SetSpec& set(std::string_view name) const;
};

[[nodiscard]] std::vector<SetSpec> static_sets();      // table.cpp
[[nodiscard]] std::vector<ChainSpec> static_chains();  // rules.cpp
// Those that both layers have; they use "d_proto" and sets.
[[nodiscard]] std::vector<ChainSpec> common_chains();  // rules.cpp
[[nodiscard]] TableSpec static_table();
// The ranges of kDeny4 and kDeny6.
[[nodiscard]] std::vector<AddressRange> denied_ranges();

}  // namespace alca::nft

#endif
