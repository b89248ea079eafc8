#include "plugins/shared/engine_http/subnet.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "plugins/shared/engine_http/digest.hpp"

namespace alca::engine_http {

namespace {

constexpr int kPrefix = 28;
constexpr std::uint32_t kSubnetSize = 1U << (32 - kPrefix);
// Private ranges that routers, VPNs and Docker's own pools seldom use, each 2^16 addresses.
// The last one is in wide use, and only for hosts that route all of the others.
constexpr std::array<std::uint32_t, 4> kPools{
    0xAC1E0000,  // 172.30.0.0/16
    0x0AD50000,  // 10.213.0.0/16
    0x0AEC0000,  // 10.236.0.0/16
    0xC0A80000,  // 192.168.0.0/16
};
constexpr std::uint32_t kPerPool = (1U << 16) / kSubnetSize;

// Wider routes stand for "everything else", as the 0.0.0.0/1 and 128.0.0.0/1 of a full-tunnel VPN.
constexpr int kShortestPrefix = 8;

// Columns of /proc/net/route.
constexpr std::size_t kDestination = 1;
constexpr std::size_t kMask = 7;

std::uint32_t mask_of(int prefix) { return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix); }

std::string dotted(std::uint32_t address) {
    return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 0xFF, address >> 8 & 0xFF,
                       address & 0xFF);
}

// In the one form that kernels and engines use: they would print "fd0a::" for "fd0a:0::".
std::string ipv6_text(const std::array<std::uint8_t, 16>& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    return ::inet_ntop(AF_INET6, address.data(), text.data(), text.size());
}

// The kernel prints an address as the number that its bytes are on this machine.
std::optional<std::uint32_t> parse_address(std::string_view hex) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), number, 16);
    if (hex.size() != 8 || error != std::errc() || end != hex.data() + hex.size()) {
        return std::nullopt;
    }
    return ntohl(number);
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t begin = text.find_first_not_of(separators);
        if (begin == std::string_view::npos) return parts;
        text.remove_prefix(begin);
        const std::size_t end = std::min(text.find_first_of(separators), text.size());
        parts.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

}  // namespace

bool Ipv4Subnet::overlaps(const Ipv4Subnet& other) const {
    const std::uint32_t mask = mask_of(std::min(prefix, other.prefix));
    return (address & mask) == (other.address & mask);
}

std::string Ipv4Subnet::text() const { return fmt::format("{}/{}", dotted(address), prefix); }

std::string Ipv4Subnet::first_address() const { return dotted(address + 1); }

std::vector<Ipv4Subnet> parse_routes(std::string_view proc_net_route) {
    std::vector<Ipv4Subnet> routes;
    for (const std::string_view line : split(proc_net_route, "\n")) {
        const auto fields = split(line, "\t ");
        if (fields.size() <= kMask) continue;
        const auto address = parse_address(fields[kDestination]);
        const auto mask = parse_address(fields[kMask]);
        if (!address || !mask) continue;
        const int prefix = std::popcount(*mask);
        if (mask_of(prefix) != *mask || prefix < kShortestPrefix) continue;
        routes.push_back({*address & *mask, prefix});
    }
    return routes;
}

SubnetCandidates::SubnetCandidates(std::string_view id, std::vector<Ipv4Subnet> taken)
    : taken_(std::move(taken)) {
    const std::string digest = sha256_hex(id);
    std::from_chars(digest.data(), digest.data() + 8, start_, 16);
}

std::optional<Ipv4Subnet> SubnetCandidates::next() {
    while (step_ < kPerPool * kPools.size()) {
        const std::uint32_t slot = (start_ + step_) % kPerPool;
        const Ipv4Subnet candidate{kPools.at(step_ / kPerPool) + slot * kSubnetSize, kPrefix};
        ++step_;
        const auto collides = [&candidate](const auto& t) { return t.overlaps(candidate); };
        if (std::none_of(taken_.begin(), taken_.end(), collides)) return candidate;
    }
    return std::nullopt;
}

Ipv6Subnet ipv6_subnet(std::string_view id, int attempt) {
    const std::string digest = sha256_hex(fmt::format("{}/{}", id, attempt));
    std::array<std::uint8_t, 16> address{0xFD};
    for (std::size_t i = 1; i < 8; ++i) {
        const char* const digits = digest.data() + 2 * i;
        std::from_chars(digits, digits + 2, address.at(i), 16);
    }
    const std::string network = ipv6_text(address);
    address.back() = 1;
    return {network + "/64", ipv6_text(address)};
}

}  // namespace alca::engine_http
