// plugins/shared/engine_http/subnet.hpp - addresses for a sandbox's network.
//
// An engine's own pools end after some 27 networks, so we choose: a /28 out of kPools that no
// route of this host covers.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_SUBNET_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_SUBNET_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alca::engine_http {

struct Ipv4Subnet {
    std::uint32_t address = 0;  // host byte order, host bits zero
    int prefix = 0;             // 0..32

    [[nodiscard]] bool overlaps(const Ipv4Subnet& other) const;
    [[nodiscard]] std::string text() const;           // "172.30.0.16/28"
    [[nodiscard]] std::string first_address() const;  // "172.30.0.17", for the bridge
    friend bool operator==(const Ipv4Subnet&, const Ipv4Subnet&) = default;
};

struct Ipv6Subnet {
    std::string text;           // "fd12:3456:789a:bcde::/64"
    std::string first_address;  // "fd12:3456:789a:bcde::1"
};

// What the kernel routes, from the text of /proc/net/route. Routes wider than a /8 are left out:
// they are default routes, whole or in parts as VPNs make them, and collide with nothing. Lines
// that do not parse are skipped.
[[nodiscard]] std::vector<Ipv4Subnet> parse_routes(std::string_view proc_net_route);

// The candidates for one sandbox, best first: the same id gets the same answer again while it is
// free, so that a rebuilt sandbox keeps its addresses.
class SubnetCandidates {
  public:
    SubnetCandidates(std::string_view id, std::vector<Ipv4Subnet> taken);

    // The next free one; nullopt when the pools are used up.
    [[nodiscard]] std::optional<Ipv4Subnet> next();

  private:
    std::vector<Ipv4Subnet> taken_;
    std::uint32_t start_ = 0;
    std::uint32_t step_ = 0;
};

// A unique local prefix (RFC 4193) made from the id; attempt: 0, 1, ... gives different ones.
[[nodiscard]] Ipv6Subnet ipv6_subnet(std::string_view id, int attempt);

}  // namespace alca::engine_http

#endif
