#include "plugins/shared/nft_rules/addresses.hpp"

#include <gtest/gtest.h>

namespace alca::nft {
namespace {

TEST(RangeTest, EndIsTheFirstAddressBehindThePrefix) {
    EXPECT_EQ(range("10.0.0.0/8").begin, (Bytes{10, 0, 0, 0}));
    EXPECT_EQ(range("10.0.0.0/8").end, (Bytes{11, 0, 0, 0}));
    EXPECT_EQ(range("100.64.0.0/10").end, (Bytes{100, 128, 0, 0}));
    EXPECT_EQ(range("fc00::/7").end, parse_address("fe00::"));
}

TEST(RangeTest, CarriesIntoTheByteBefore) {
    EXPECT_EQ(range("192.168.255.0/24").end, (Bytes{192, 169, 0, 0}));
}

TEST(RangeTest, SingleAddressEndsAtTheNext) {
    EXPECT_EQ(range("168.63.129.16").end, (Bytes{168, 63, 129, 17}));
}

TEST(RangeTest, LastRangeHasNoEnd) {
    EXPECT_EQ(range("240.0.0.0/4").end, std::nullopt);
    EXPECT_EQ(range("ff00::/8").end, std::nullopt);
}

TEST(ResolversTest, SortsAndDropsDoubles) {
    const Resolvers found = resolvers({"10.0.0.2", "10.0.0.1", "10.0.0.2", "2001:db8::53"});
    EXPECT_EQ(found.v4, (std::vector<Bytes>{{10, 0, 0, 1}, {10, 0, 0, 2}}));
    EXPECT_EQ(found.v6, (std::vector<Bytes>{parse_address("2001:db8::53").value_or(Bytes{})}));
}

TEST(ResolversTest, SkipsWhatNoSandboxCanReach) {
    const Resolvers found =
        resolvers({"127.0.0.53", "0.0.0.0", "::1", "::", "224.0.0.251", "255.255.255.255",
                   "fe80::1", "fe80::1%eth0", "ff02::fb", "::ffff:10.0.0.1", "router.example", ""});
    EXPECT_TRUE(found.v4.empty());
    EXPECT_TRUE(found.v6.empty());
}

TEST(ResolversTest, KeepsTheCloudResolverOnALinkLocalAddress) {
    EXPECT_EQ(resolvers({"169.254.169.254"}).v4, (std::vector<Bytes>{{169, 254, 169, 254}}));
}

}  // namespace
}  // namespace alca::nft
