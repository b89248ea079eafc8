// nft_rules/on_link.hpp - the networks that this machine is directly part of.
//
// The constant ranges of table.cpp hold private addresses only. A LAN may have public ones: the
// global IPv6 addresses of every home network, an office with public IPv4.
#ifndef ALCA_NFT_RULES_ON_LINK_HPP
#define ALCA_NFT_RULES_ON_LINK_HPP

#include <vector>

#include "plugins/shared/nft_rules/addresses.hpp"
#include "plugins/shared/nft_rules/routing.hpp"

namespace alca::nft {

// Each list sorted, ranges neither overlap nor touch.
struct OnLink {
    std::vector<AddressRange> v4;
    std::vector<AddressRange> v6;
};

// What of the on-link routes is a network and not refused anyway. Left out: bridges of sandboxes,
// the loopback interface, what `refused` covers, and prefixes shorter than /8 (IPv4) or /16 (IPv6):
// those are ways to the internet, such as a tunnel's 0.0.0.0/1.
[[nodiscard]] OnLink on_link(std::vector<Route> routes, const std::vector<AddressRange>& refused);

// Whether all of `range` lies within one of `by`.
[[nodiscard]] bool is_covered(const AddressRange& range, const std::vector<AddressRange>& by);

}  // namespace alca::nft

#endif
