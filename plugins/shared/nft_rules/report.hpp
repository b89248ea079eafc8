// nft_rules/report.hpp - what the kernel has refused to one sandbox.
#ifndef ALCA_NFT_RULES_REPORT_HPP
#define ALCA_NFT_RULES_REPORT_HPP

#include <string>
#include <vector>

#include "alca/firewall.hpp"
#include "plugins/shared/nft_rules/interface_name.hpp"
#include "plugins/shared/nft_rules/transport.hpp"

namespace alca::nft {

// Nothing for an interface that is not registered. Errors: as Netlink.
[[nodiscard]] Result<FirewallReport> read_report(Netlink& netlink, const InterfaceName& interface);
// All that the table holds. counters: by which a reason is counted under its own name.
[[nodiscard]] Result<FirewallReport> read_report(Netlink& netlink,
                                                 const std::vector<std::string>& counters);

}  // namespace alca::nft

#endif
