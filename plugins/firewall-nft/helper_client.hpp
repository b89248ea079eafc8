// firewall-nft/helper_client.hpp - asks the installed network helper.
#ifndef ALCA_FIREWALL_NFT_HELPER_CLIENT_HPP
#define ALCA_FIREWALL_NFT_HELPER_CLIENT_HPP

#include <optional>

#include "alca/call.hpp"
#include "alca/firewall.hpp"
#include "alca/result.hpp"

namespace alca::nft {

// Errors: not_found (none is installed, or this user may not start it), unavailable (it is of
// another version), cancelled, failed, and those that the helper answers.
[[nodiscard]] Result<Json> ask_helper(const Call& call, const char* method,
                                      const std::optional<FirewallRequest>& request = {});

}  // namespace alca::nft

#endif
