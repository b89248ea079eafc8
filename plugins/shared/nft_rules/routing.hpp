// nft_rules/routing.hpp - what RTNETLINK tells of a network namespace: links, addresses, routes.
//
// Errors of all: those of Kernel::open; failed.
#ifndef ALCA_NFT_RULES_ROUTING_HPP
#define ALCA_NFT_RULES_ROUTING_HPP

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "alca/result.hpp"
#include "plugins/shared/nft_rules/addresses.hpp"
#include "plugins/shared/nft_rules/kernel.hpp"

namespace alca::nft {

// Names by index.
[[nodiscard]] Result<std::map<std::uint32_t, std::string>> read_links(Kernel& kernel);

struct Route {
    AddressRange to;
    unsigned prefix_bits = 0;
    std::string interface;
};
// Routes without a gateway of all tables, the local table left out.
[[nodiscard]] Result<std::vector<Route>> read_on_link_routes(Kernel& kernel);

// The namespace's own addresses, 4 or 16 bytes each; sorted, without doubles. Those on bridges of
// sandboxes are left out: they come and go, and are private.
[[nodiscard]] Result<std::vector<Bytes>> read_own_addresses(Kernel& kernel);

}  // namespace alca::nft

#endif
