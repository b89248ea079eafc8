// nft_rules/addresses.hpp - addresses as set keys: network byte order, 4 or 16 bytes.
#ifndef ALCA_NFT_RULES_ADDRESSES_HPP
#define ALCA_NFT_RULES_ADDRESSES_HPP

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/shared/nft_rules/interface_name.hpp"

namespace alca::nft {

// An address range of one prefix. end: the first address behind it; nothing when the range
// reaches the last address there is.
struct Range {
    Bytes begin;
    std::optional<Bytes> end;
};

// `prefix` is one of our own constants, such as "10.0.0.0/8": asserted, not checked.
[[nodiscard]] Range range(std::string_view prefix);

// 4 or 16 bytes; nothing when `text` is no numeric address.
[[nodiscard]] std::optional<Bytes> parse_address(const std::string& text);

// Both ends belong to it; of one size.
struct AddressRange {
    Bytes first;
    Bytes last;
    auto operator<=>(const AddressRange&) const = default;
};
// "10.0.0.0/8" or a single address; bits behind the prefix do not matter. Nothing for other text.
[[nodiscard]] std::optional<AddressRange> parse_prefix(const std::string& text);
// Of `address` and all that share its first `bits`.
[[nodiscard]] AddressRange prefix_range(const Bytes& address, unsigned bits);
// The address behind `address`; nothing behind the last one.
[[nodiscard]] std::optional<Bytes> next(Bytes address);

// Whether a sandbox could reach it through its bridge: not loopback, unspecified, multicast, IPv6
// link-local (another link) or mapped IPv4.
[[nodiscard]] bool is_reachable(const Bytes& address);

// The resolvers that a sandbox may ask, each list sorted and without doubles.
struct Resolvers {
    std::vector<Bytes> v4;
    std::vector<Bytes> v6;
};

// Skips text that is no address, and addresses that are not reachable.
[[nodiscard]] Resolvers resolvers(const std::vector<std::string>& addresses);

}  // namespace alca::nft

#endif
