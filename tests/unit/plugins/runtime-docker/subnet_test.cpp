#include "plugins/shared/engine_http/subnet.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace alca::engine_http {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

constexpr Ipv4Subnet kPool1{0xAC1E0000, 16};
constexpr Ipv4Subnet kPool2{0x0AD50000, 16};
constexpr Ipv4Subnet kPool3{0x0AEC0000, 16};
constexpr Ipv4Subnet kLastResort{0xC0A80000, 16};
constexpr const char* kId = "550e8400-e29b-41d4-a716-446655440000";

TEST(SubnetTest, RoutesAreReadFromTheKernelsTable) {
    const auto routes = parse_routes(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
        "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        "tun0\t0100000A\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n"
        "broken\tzz\n"
        "odd\t0000000A\t00000000\t0001\t0\t0\t0\t00FF00FF\t0\t0\t0\n");
    EXPECT_THAT(routes, ElementsAre(Ipv4Subnet{0xAC110000, 16}, Ipv4Subnet{0xC0000200, 24},
                                    Ipv4Subnet{0x0A000001, 32}));
}

TEST(SubnetTest, RoutesOfAFullTunnelCollideWithNothing) {
    const auto routes = parse_routes(
        "tun0\t00000000\t01000A0A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"    // 0.0.0.0/1
        "tun0\t00000080\t01000A0A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"    // 128.0.0.0/1
        "tun0\t00000008\t01000A0A\t0003\t0\t0\t0\t000000FC\t0\t0\t0\n"    // 8.0.0.0/6
        "tun0\t0000000A\t01000A0A\t0003\t0\t0\t0\t000000FF\t0\t0\t0\n");  // 10.0.0.0/8
    EXPECT_THAT(routes, ElementsAre(Ipv4Subnet{0x0A000000, 8}));
}

TEST(SubnetTest, NothingIsReadFromAnEmptyTable) { EXPECT_TRUE(parse_routes("").empty()); }

TEST(SubnetTest, OverlapIsSymmetricAndByTheWiderMask) {
    const Ipv4Subnet wide{0xAC100000, 12};
    EXPECT_TRUE(wide.overlaps(kPool1));
    EXPECT_TRUE(kPool1.overlaps(wide));
    EXPECT_FALSE(kPool1.overlaps(kPool2));
    EXPECT_TRUE((Ipv4Subnet{0, 0}.overlaps(kPool2)));
    EXPECT_FALSE((Ipv4Subnet{0xAC1E0010, 28}.overlaps({0xAC1E0020, 28})));
}

TEST(SubnetTest, TheSameIdGetsTheSameSubnet) {
    const auto first = SubnetCandidates(kId, {}).next();
    ASSERT_TRUE(first);
    EXPECT_EQ(SubnetCandidates(kId, {}).next(), first);
    EXPECT_NE(SubnetCandidates("another", {}).next(), first);
    EXPECT_EQ(first->prefix, 28);
    EXPECT_TRUE(first->overlaps(kPool1));
}

TEST(SubnetTest, ATakenSubnetIsSkipped) {
    const auto first = SubnetCandidates(kId, {}).next();
    ASSERT_TRUE(first);
    // A single host route inside it is enough.
    const auto second = SubnetCandidates(kId, {{first->address + 5, 32}}).next();
    ASSERT_TRUE(second);
    EXPECT_FALSE(second->overlaps(*first));
}

TEST(SubnetTest, APoolThatIsRoutedIsLeftForTheNext) {
    const auto second = SubnetCandidates(kId, {{0xAC100000, 12}}).next();
    ASSERT_TRUE(second);
    EXPECT_TRUE(second->overlaps(kPool2));
    const auto third = SubnetCandidates(kId, {kPool1, kPool2}).next();
    ASSERT_TRUE(third);
    EXPECT_TRUE(third->overlaps(kPool3));
    EXPECT_FALSE(SubnetCandidates(kId, {kPool1, kPool2, kPool3, kLastResort}).next());
}

TEST(SubnetTest, HostThatRoutesEveryPoolGetsTheLastResortBesideItsOwnNetwork) {
    const Ipv4Subnet ten{0x0A000000, 8};
    const Ipv4Subnet home{0xC0A80100, 24};  // 192.168.1.0
    SubnetCandidates candidates(kId, {ten, {0xAC100000, 12}, home});
    std::size_t count = 0;
    while (const auto next = candidates.next()) {
        EXPECT_TRUE(next->overlaps(kLastResort));
        EXPECT_FALSE(next->overlaps(home));
        ++count;
    }
    EXPECT_EQ(count, 4096U - 16U);
}

TEST(SubnetTest, CandidatesAreAllDifferentUntilThePoolsEnd) {
    SubnetCandidates candidates(kId, {});
    std::vector<std::uint32_t> seen;
    while (const auto next = candidates.next()) seen.push_back(next->address);
    EXPECT_EQ(seen.size(), 4U * 4096U);
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end());
}

TEST(SubnetTest, TextIsWhatEnginesRead) {
    const Ipv4Subnet subnet{0xAC1E0010, 28};
    EXPECT_EQ(subnet.text(), "172.30.0.16/28");
    EXPECT_EQ(subnet.first_address(), "172.30.0.17");
}

TEST(SubnetTest, Ipv6PrefixesAreUniqueLocalAndDifferByAttempt) {
    const auto first = ipv6_subnet(kId, 0);
    EXPECT_THAT(first.text, StartsWith("fd"));
    EXPECT_THAT(first.text, ::testing::EndsWith("::/64"));
    EXPECT_EQ(first.text.substr(0, first.text.size() - 3) + "1", first.first_address);
    EXPECT_EQ(ipv6_subnet(kId, 0).text, first.text);
    EXPECT_NE(ipv6_subnet(kId, 1).text, first.text);
    EXPECT_NE(ipv6_subnet("another", 0).text, first.text);
}

// An engine answers in the canonical form; what is compared with its answer must have it too.
TEST(SubnetTest, Ipv6AddressesAreCanonical) {
    for (int attempt = 0; attempt < 500; ++attempt) {
        const std::string address = ipv6_subnet(kId, attempt).first_address;
        in6_addr binary{};
        std::array<char, INET6_ADDRSTRLEN> canonical{};
        ASSERT_EQ(::inet_pton(AF_INET6, address.c_str(), &binary), 1) << address;
        ::inet_ntop(AF_INET6, &binary, canonical.data(), canonical.size());
        EXPECT_EQ(address, canonical.data());
    }
}

}  // namespace
}  // namespace alca::engine_http
