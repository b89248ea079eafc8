#include "core/config/lan_access.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace alca::config {
namespace {

using testing::HasSubstr;

std::string error(std::string_view text) {
    const auto rule = parse_lan_rule(text);
    return rule ? "accepted" : rule.error().message;
}

LanRule rule(std::string_view text) {
    const auto parsed = parse_lan_rule(text);
    if (parsed && parsed->has_value()) return **parsed;
    ADD_FAILURE() << text << ": " << error(text);
    return {};
}

TEST(LanAccessTest, StarAloneIsEverything) {
    for (const char* text : {"*", " *\t"}) {
        const auto parsed = parse_lan_rule(text);
        ASSERT_TRUE(parsed.has_value());
        EXPECT_FALSE(parsed->has_value());
    }
}

struct Case {
    const char* text;
    const char* canonical;
    AllowRule rule;
};

TEST(LanAccessTest, MeansWhatTheGrammarSays) {
    const std::vector<std::string> tcp{"tcp"};
    const std::vector<std::string> udp{"udp"};
    const std::vector<std::string> both{"tcp", "udp"};
    const Case cases[] = {
        {" 192.168.1.5 ", "192.168.1.5", {"192.168.1.5"}},
        {"10.0.0.1:*", "10.0.0.1", {"10.0.0.1"}},
        {"10.0.0.1:22", "tcp://10.0.0.1:22", {"10.0.0.1", tcp, {{22, 22}}}},
        {"udp://10.0.0.1", "udp://10.0.0.1", {"10.0.0.1", udp}},
        {"tcp://10.0.0.1:*", "tcp://10.0.0.1", {"10.0.0.1", tcp}},
        {"*://10.0.0.1:53", "*://10.0.0.1:53", {"10.0.0.1", both, {{53, 53}}}},
        {"*://10.0.0.1", "10.0.0.1", {"10.0.0.1"}},
        {"10.1.2.3/8", "10.0.0.0/8", {"10.0.0.0/8"}},
        {"10.1.2.3/32", "10.1.2.3", {"10.1.2.3"}},
        {"FD00::0:1", "fd00::1", {"fd00::1"}},
        {"fd12::/8", "fd00::/8", {"fd00::/8"}},
        {"[fd00::1]:443", "tcp://[fd00::1]:443", {"fd00::1", tcp, {{443, 443}}}},
        {"[fd00::1]", "fd00::1", {"fd00::1"}},
        {"tcp://[fd00::/64]:80", "tcp://[fd00::/64]:80", {"fd00::/64", tcp, {{80, 80}}}},
        {"${alca:HOST_IP}:8080", "tcp://${alca:HOST_IP}:8080", {"host", tcp, {{8080, 8080}}}},
        {"${alca:HOST_IP}", "${alca:HOST_IP}", {"host"}},
        {"tcp://10.0.0.5:8000-8100,9000",
         "tcp://10.0.0.5:8000-8100,9000",
         {"10.0.0.5", tcp, {{8000, 8100}, {9000, 9000}}}},
        {"10.0.0.5:90,80-85,86,84-89", "tcp://10.0.0.5:80-90", {"10.0.0.5", tcp, {{80, 90}}}},
        {"10.0.0.5:1-65535,65535", "tcp://10.0.0.5:1-65535", {"10.0.0.5", tcp, {{1, 65535}}}},
    };
    for (const Case& each : cases) {
        const LanRule parsed = rule(each.text);
        EXPECT_EQ(parsed.rule, each.rule) << each.text;
        EXPECT_EQ(parsed.text, each.canonical) << each.text;
        EXPECT_EQ(parsed.name, "") << each.text;
        EXPECT_EQ(rule(parsed.text), parsed) << "the canonical form means the same";
    }
}

TEST(LanAccessTest, NamesAreLookedUpLater) {
    const LanRule parsed = rule("tcp://NAS.local:445");
    EXPECT_EQ(parsed.name, "nas.local");
    EXPECT_EQ(parsed.rule.to, "");
    EXPECT_EQ(parsed.text, "tcp://nas.local:445");
    EXPECT_EQ(rule("nas").name, "nas");
    EXPECT_EQ(rule("host").name, "host");
    EXPECT_EQ(rule("host").text, "host");
}

TEST(LanAccessTest, ResolversAreAddressesThatASandboxCanReach) {
    EXPECT_EQ(*parse_resolver("192.168.1.1"), "192.168.1.1");
    EXPECT_EQ(*parse_resolver("FD00::0:53"), "fd00::53");
    for (const std::string& text :
         {std::string("dns.local"), std::string("127.0.0.53"), std::string("::1"),
          std::string("0.0.0.0"), std::string("::"), std::string("224.0.0.1"),
          std::string("ff02::1"), std::string("::ffff:10.0.0.1"), std::string("1.1.1.1:53"),
          std::string("1.1.1.1\0x", 9), std::string()}) {
        EXPECT_FALSE(parse_resolver(text)) << text;
    }
}

TEST(LanAccessTest, ErrorsSayWhatIsWrong) {
    EXPECT_THAT(error(""), HasSubstr("empty rule string"));
    EXPECT_THAT(error("   "), HasSubstr("empty rule string"));
    EXPECT_THAT(error("[fd00::1"), HasSubstr("missing closing bracket"));
    EXPECT_THAT(error("[fd00::1]x"), HasSubstr("unexpected characters after IPv6 address"));
    EXPECT_THAT(error("[10.0.0.1]:80"), HasSubstr("expected IPv6 address but got IPv4"));
    EXPECT_THAT(error("10.0.0"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("1.2.3.4.5"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("a_b"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("-a"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("a..b"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error(std::string(64, 'a')), HasSubstr("invalid IP address"));
    EXPECT_THAT(error(std::string_view("10.0.0.1\0", 9)), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("nas/24"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("localhost:80"), HasSubstr("${alca:HOST_IP}"));
    EXPECT_THAT(error("::ffff:10.0.0.1"), HasSubstr("write it as IPv4"));
    EXPECT_THAT(error("0.0.0.0/0"), HasSubstr("write \"*\""));
    EXPECT_THAT(error("::/0"), HasSubstr("write \"*\""));
    EXPECT_THAT(error(std::string(1U << 20, '1')), HasSubstr("longer than 4096 bytes"));
    EXPECT_THAT(error("10.0.0.300"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("fe80::1%eth0"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("10.0.0.0/33"), HasSubstr("invalid CIDR"));
    EXPECT_THAT(error("10.0.0.0/"), HasSubstr("invalid CIDR"));
    EXPECT_THAT(error("10.0.0.1:"), HasSubstr("invalid port"));
    EXPECT_THAT(error("10.0.0.1:90-80"), HasSubstr("from the lower to the higher port"));
    EXPECT_THAT(error("10.0.0.1:80-"), HasSubstr("invalid port"));
    EXPECT_THAT(error("10.0.0.1:80,,90"), HasSubstr("invalid port"));
    EXPECT_THAT(error("10.0.0.1:80-90-95"), HasSubstr("invalid port"));
    EXPECT_THAT(error("10.0.0.1:80,*"), HasSubstr("invalid port"));
    EXPECT_THAT(error("10.0.0.1:1-70000"), HasSubstr("port 70000 out of range"));
    std::string many = "10.0.0.1:1";
    for (int port = 3; port < 133; port += 2) many += "," + std::to_string(port);
    EXPECT_THAT(error(many), HasSubstr("more than 64 ports"));
    EXPECT_THAT(error("10.0.0.1:0"), HasSubstr("port 0 out of range (1-65535)"));
    EXPECT_THAT(error("10.0.0.1:65536"), HasSubstr("port 65536 out of range (1-65535)"));
    EXPECT_THAT(error("icmp://10.0.0.1"), HasSubstr("protocol must be"));
    EXPECT_THAT(error("://10.0.0.1"), HasSubstr("protocol must be"));
    EXPECT_THAT(error("${alca:OTHER}"), HasSubstr("valid tokens: HOST_IP"));
    EXPECT_THAT(error("${alca:HOST_IP}x"), HasSubstr("lan-access rule"));
}

}  // namespace
}  // namespace alca::config
