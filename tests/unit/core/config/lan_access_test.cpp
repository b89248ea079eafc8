#include "core/config/lan_access.hpp"

#include <gmock/gmock.h>

namespace alca::config {
namespace {

using testing::HasSubstr;

std::string error(std::string_view text) {
    const auto rule = parse_lan_rule(text);
    return rule ? "accepted" : rule.error().message;
}

TEST(LanAccessTest, AddressAloneMeansEverythingThere) {
    const auto rule = parse_lan_rule(" 192.168.1.5 ");
    ASSERT_TRUE(rule);
    EXPECT_EQ(rule->address, "192.168.1.5");
    EXPECT_EQ(rule->protocol, LanProtocol::all);
    EXPECT_EQ(rule->port, 0);
    EXPECT_EQ(rule->prefix_length, -1);
    EXPECT_EQ(parse_lan_rule("10.0.0.1:*")->protocol, LanProtocol::all);
    EXPECT_TRUE(parse_lan_rule("*")->everything);
}

TEST(LanAccessTest, ProtocolAndPortFollowTheTable) {
    EXPECT_EQ(parse_lan_rule("10.0.0.1:22")->protocol, LanProtocol::tcp);
    EXPECT_EQ(parse_lan_rule("10.0.0.1:22")->port, 22);
    EXPECT_EQ(parse_lan_rule("udp://10.0.0.1")->protocol, LanProtocol::udp);
    EXPECT_EQ(parse_lan_rule("udp://10.0.0.1")->port, 0);
    EXPECT_EQ(parse_lan_rule("tcp://10.0.0.1:*")->protocol, LanProtocol::tcp);
    EXPECT_EQ(parse_lan_rule("*://10.0.0.1:53")->protocol, LanProtocol::tcp_and_udp);
    EXPECT_EQ(parse_lan_rule("*://10.0.0.1")->protocol, LanProtocol::all);
}

TEST(LanAccessTest, BothFamiliesAndPrefixesAreRead) {
    EXPECT_EQ(parse_lan_rule("10.0.0.0/8")->prefix_length, 8);
    EXPECT_EQ(parse_lan_rule("fd00::/8")->prefix_length, 8);
    EXPECT_TRUE(parse_lan_rule("fd00::1")->ipv6);
    EXPECT_EQ(parse_lan_rule("[fd00::1]:443")->port, 443);
    EXPECT_EQ(parse_lan_rule("[fd00::1]")->port, 0);
    EXPECT_EQ(parse_lan_rule("tcp://[fd00::/64]:80")->prefix_length, 64);
    EXPECT_EQ(parse_lan_rule("${alca:HOST_IP}:8080")->port, 8080);
    EXPECT_EQ(parse_lan_rule("${alca:HOST_IP}")->address, "${alca:HOST_IP}");
}

TEST(LanAccessTest, ErrorsSayWhatIsWrong) {
    EXPECT_THAT(error(""), HasSubstr("empty rule string"));
    EXPECT_THAT(error("   "), HasSubstr("empty rule string"));
    EXPECT_THAT(error("[fd00::1"), HasSubstr("missing closing bracket"));
    EXPECT_THAT(error("[fd00::1]x"), HasSubstr("unexpected characters after IPv6 address"));
    EXPECT_THAT(error("[10.0.0.1]:80"), HasSubstr("expected IPv6 address but got IPv4"));
    EXPECT_THAT(error("example.org"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("10.0.0.300"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("fe80::1%eth0"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("10.0.0.0/33"), HasSubstr("invalid CIDR"));
    EXPECT_THAT(error("10.0.0.0/"), HasSubstr("invalid CIDR"));
    EXPECT_THAT(error("10.0.0.1:"), HasSubstr("invalid port"));
    EXPECT_THAT(error("10.0.0.1:80-90"), HasSubstr("invalid port"));
    EXPECT_THAT(error("10.0.0.1:0"), HasSubstr("port 0 out of range (1-65535)"));
    EXPECT_THAT(error("10.0.0.1:65536"), HasSubstr("port 65536 out of range (1-65535)"));
    EXPECT_THAT(error("icmp://10.0.0.1"), HasSubstr("protocol must be"));
    EXPECT_THAT(error("://10.0.0.1"), HasSubstr("protocol must be"));
    EXPECT_THAT(error("${alca:OTHER}"), HasSubstr("valid tokens: HOST_IP"));
    EXPECT_THAT(error("${alca:HOST_IP}x"), HasSubstr("lan-access rule"));
}

}  // namespace
}  // namespace alca::config
