// nft_rules/ip_rules.hpp - the dead man's switch of a strict sandbox: a routing rule, outside of
// nf_tables, that lets nothing from its bridge be forwarded but what our table has marked. Without
// the table nothing is marked. One rule for IPv4 and one for IPv6:
//
//   20: from all fwmark 0/0x2000000 iif alca0a prohibit
//
// What it cannot close: this machine itself, since the kernel looks for local addresses first.
// Every route lookup of the machine looks at every rule, so the cost grows with the number of
// strict sandboxes. Why so: docs/adr/0012-strict-is-a-routing-rule.md.
#ifndef ALCA_NFT_RULES_IP_RULES_HPP
#define ALCA_NFT_RULES_IP_RULES_HPP

#include <libmnl/libmnl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "alca/result.hpp"
#include "plugins/shared/nft_rules/interface_name.hpp"
#include "plugins/shared/nft_rules/kernel.hpp"

namespace alca::nft {

// The bit of the packet mark that says "our table has judged this". Taken by others, as far as
// known: kube-proxy 0x4000 and 0x8000; netavark and CNI port maps 0x2000; Tailscale 0xff0000;
// Cilium 0xf00; WireGuard 0xca6c and Mullvad 0x6d6f6c65 as whole numbers. All other bits are left
// as they are.
inline constexpr std::uint32_t kJudgedMark = 0x02000000;
// Ahead of every rule that could name a route (Tailscale 5210, main 32766), behind local (0).
inline constexpr std::uint32_t kRulePriority = 20;

// The routing rules of one network namespace.
// Errors of every call: denied (no CAP_NET_ADMIN), failed.
class IpRules {
  public:
    // Borrows `kernel`.
    explicit IpRules(Kernel& kernel) : kernel_(kernel), buffer_(std::size_t{32} * 1024) {}

    // Already there is success. Errors: also unavailable (a kernel without policy routing).
    [[nodiscard]] Result<void> put(const InterfaceName& interface);
    // Already gone is success.
    [[nodiscard]] Result<void> remove(const InterfaceName& interface);
    // "" when the rules are there (wanted) or are not, else what differs.
    [[nodiscard]] Result<std::string> difference(const InterfaceName& interface, bool wanted);

  private:
    // 0 or errno.
    int change(std::uint16_t type, std::uint16_t flags, std::uint8_t family,
               const std::string& interface);
    int dump(std::uint8_t family, const std::string& interface, bool& found);
    int exchange(nlmsghdr* request, mnl_cb_t note, void* data);
    // A socket for all that one method asks.
    Result<void> open();

    Kernel& kernel_;
    std::unique_ptr<Wire> wire_;
    std::vector<std::uint8_t> buffer_;
    std::uint32_t sequence_ = 0;
};

}  // namespace alca::nft

#endif
