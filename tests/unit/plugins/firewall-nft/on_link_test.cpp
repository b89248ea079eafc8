#include "plugins/shared/nft_rules/on_link.hpp"

#include <gtest/gtest.h>

#include "plugins/shared/nft_rules/table.hpp"

namespace alca::nft::test {
namespace {

Route route(const std::string& prefix, const std::string& interface = "eth0") {
    const std::size_t slash = prefix.find('/');
    return {.to = *parse_prefix(prefix),
            .prefix_bits = static_cast<unsigned>(std::stoul(prefix.substr(slash + 1))),
            .interface = interface};
}
std::vector<AddressRange> ranges(const std::vector<std::string>& prefixes) {
    std::vector<AddressRange> all;
    for (const std::string& prefix : prefixes) all.push_back(*parse_prefix(prefix));
    return all;
}

TEST(OnLinkTest, PublicNetworksOfBothFamiliesAreKept) {
    const OnLink found =
        on_link({route("203.0.113.0/24"), route("2001:db8:1::/64"), route("198.51.100.7/32")},
                denied_ranges());
    EXPECT_EQ(found.v4, ranges({"198.51.100.7", "203.0.113.0/24"}));
    EXPECT_EQ(found.v6, ranges({"2001:db8:1::/64"}));
}

TEST(OnLinkTest, WhatIsRefusedAnywayAndOurOwnBridgesAreLeftOut) {
    const OnLink found = on_link(
        {route("10.0.0.0/24"), route("172.17.0.0/16", "docker0"), route("fe80::/64"),
         route("fd00:1::/64"), route("203.0.113.0/28", "alca0123"), route("203.0.113.0/24", "lo")},
        denied_ranges());
    EXPECT_TRUE(found.v4.empty());
    EXPECT_TRUE(found.v6.empty());
}

TEST(OnLinkTest, WaysToTheInternetAreNoNetworks) {
    const OnLink found = on_link(
        {route("0.0.0.0/1", "tun0"), route("128.0.0.0/1", "tun0"), route("2000::/3", "tun0")}, {});
    EXPECT_TRUE(found.v4.empty());
    EXPECT_TRUE(found.v6.empty());
}

TEST(OnLinkTest, NetworksThatOverlapOrTouchBecomeOne) {
    const OnLink found = on_link({route("203.0.113.128/25"), route("203.0.113.64/26"),
                                  route("203.0.113.0/25"), route("203.0.115.0/24")},
                                 {});
    EXPECT_EQ(found.v4, ranges({"203.0.113.0/24", "203.0.115.0/24"}));
}

TEST(OnLinkTest, TheLastAddressEndsARange) {
    const OnLink found = on_link({route("255.255.255.0/24"), route("255.255.255.255/32")}, {});
    EXPECT_EQ(found.v4, ranges({"255.255.255.0/24"}));
}

TEST(PrefixTest, BitsBehindThePrefixDoNotMatter) {
    EXPECT_EQ(parse_prefix("10.1.2.3/9"), parse_prefix("10.0.0.0/9"));
    EXPECT_EQ(parse_prefix("10.1.2.3/9")->last, (Bytes{10, 127, 255, 255}));
    EXPECT_EQ(parse_prefix("10.1.2.3")->first, parse_prefix("10.1.2.3")->last);
    EXPECT_EQ(parse_prefix("0.0.0.0/0")->last, (Bytes{255, 255, 255, 255}));
    for (const char* text :
         {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/8 ", "x/8", "::/129"}) {
        EXPECT_FALSE(parse_prefix(text)) << text;
    }
}

}  // namespace
}  // namespace alca::nft::test
