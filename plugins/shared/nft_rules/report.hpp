// nft_rules/report.hpp - what the kernel has refused to one sandbox.
#ifndef ALCA_NFT_RULES_REPORT_HPP
#define ALCA_NFT_RULES_REPORT_HPP

#include "alca/firewall.hpp"
#include "plugins/shared/nft_rules/interface_name.hpp"
#include "plugins/shared/nft_rules/transport.hpp"

namespace alca::nft {

// Empty for an interface that is not registered. Errors: as Netlink.
[[nodiscard]] Result<FirewallReport> read_report(Netlink& netlink, const InterfaceName& interface);

}  // namespace alca::nft

#endif
