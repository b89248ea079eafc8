#include "core/config/lan_access.hpp"

#include <gmock/gmock.h>

namespace alca::config {
namespace {

using testing::HasSubstr;

std::string error(std::string_view text) {
    const auto rule = parse_lan_rule(text);
    return rule ? "accepted" : rule.error().message;
}

TEST(LanAccessTest, StarAloneIsEverything) {
    EXPECT_EQ(parse_lan_rule("*"), LanAccess::everything);
    EXPECT_EQ(parse_lan_rule(" *\t"), LanAccess::everything);
}

TEST(LanAccessTest, DestinationsHaveProtocolAndPortOnlyIfTheyWant) {
    for (const char* text :
         {" 192.168.1.5 ", "10.0.0.1:*", "10.0.0.1:22", "udp://10.0.0.1", "tcp://10.0.0.1:*",
          "*://10.0.0.1:53", "*://10.0.0.1", "10.0.0.0/8", "fd00::/8", "fd00::1", "[fd00::1]:443",
          "[fd00::1]", "tcp://[fd00::/64]:80", "${alca:HOST_IP}:8080", "${alca:HOST_IP}"}) {
        EXPECT_EQ(parse_lan_rule(text), LanAccess::one_destination) << text;
    }
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
