#include "core/config/lan_access.hpp"

#include <gmock/gmock.h>

#include <algorithm>
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
        {"udp://${alca:HOST_IP}:*", "udp://${alca:HOST_IP}", {"host", udp}},
        {"udp://10.0.0.0/8:53", "udp://10.0.0.0/8:53", {"10.0.0.0/8", udp, {{53, 53}}}},
        {"tcp://fd00::1", "tcp://fd00::1", {"fd00::1", tcp}},
        {"*://[fd00::1]:*", "fd00::1", {"fd00::1"}},
        {"fd00::ff/128", "fd00::ff", {"fd00::ff"}},
        {"10.129.2.3/9", "10.128.0.0/9", {"10.128.0.0/9"}},
        {"10.0.0.5:65535,1", "tcp://10.0.0.5:1,65535", {"10.0.0.5", tcp, {{1, 1}, {65535, 65535}}}},
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
    EXPECT_EQ(rule("3com.example").name, "3com.example");
    EXPECT_EQ(rule("0xnas").name, "0xnas");
    const std::string label(63, 'a');
    EXPECT_EQ(rule(label).name, label);
    const std::string longest = label + '.' + label + '.' + label + '.' + std::string(61, 'b');
    EXPECT_EQ(rule(longest).name.size(), 253U);
    EXPECT_THAT(error(longest + 'b'), HasSubstr("invalid IP address"));
    EXPECT_EQ(rule("localhost.example").name, "localhost.example");
}

TEST(LanAccessTest, NumbersInAnyNotationAreNoNames) {
    for (const char* text : {"0x7f000001", "0XC0A80101", "10.0x5", "0x", "010.0.0.1", "1",
                             "167772165", "a.1", "nas.0xff", "10.0.0.0x1:80"}) {
        EXPECT_THAT(error(text), HasSubstr("invalid IP address")) << text;
    }
}

TEST(LanAccessTest, HostileBytesAreRefusedAndShownHarmless) {
    std::vector<std::string> texts{"nas\xff",
                                   "\xc0\xaf",
                                   std::string("nas\0x", 5),
                                   "nas\x1b[2J",
                                   "nas\n10.0.0.1",
                                   "10.0.0.1:8\xff",
                                   "[\0::1]",
                                   "t\xffp://nas",
                                   "n\xc3\xa4s.example",
                                   "\xe2\x80\xae"
                                   "nas"};
    texts.emplace_back(4096, '[');
    texts.emplace_back(4096, ':');
    texts.emplace_back(1U << 20, '\xff');
    for (const std::string& text : texts) {
        const std::string said = error(text);
        EXPECT_TRUE(said.starts_with("lan-access rule")) << said;
        EXPECT_LT(said.size(), 600U);
        EXPECT_TRUE(
            std::all_of(said.begin(), said.end(), [](char c) { return c >= ' ' && c < 127; }) ||
            text.find("\xc3") != std::string::npos)
            << said;
    }
}

TEST(LanAccessTest, ResolversAreAddressesThatASandboxCanReach) {
    EXPECT_EQ(*parse_resolver("192.168.1.1"), "192.168.1.1");
    EXPECT_EQ(*parse_resolver("FD00::0:53"), "fd00::53");
    for (const std::string& text :
         {std::string("dns.local"), std::string("127.0.0.53"), std::string("::1"),
          std::string("0.0.0.0"), std::string("::"), std::string("224.0.0.1"),
          std::string("ff02::1"), std::string("::ffff:10.0.0.1"), std::string("1.1.1.1:53"),
          std::string("fe80::1%eth0"), std::string("255.255.255.255"), std::string("10.0.0.0/8"),
          std::string("\xff"), std::string(1U << 20, '1'), std::string("1.1.1.1\0x", 9),
          std::string()}) {
        const auto parsed = parse_resolver(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_LT(parsed.error().message.size(), 600U);
    }
    EXPECT_THAT(parse_resolver("::ffff:10.0.0.1").error().message,
                HasSubstr("write it as 10.0.0.1"));
}

TEST(LanAccessTest, ErrorsSayWhatIsWrong) {
    EXPECT_THAT(error(""), HasSubstr("empty rule string"));
    EXPECT_THAT(error("   "), HasSubstr("empty rule string"));
    EXPECT_THAT(error("[fd00::1"), HasSubstr("missing closing bracket"));
    EXPECT_THAT(error("[fd00::1]x"), HasSubstr("unexpected characters after IPv6 address"));
    EXPECT_THAT(error("[10.0.0.1]:80"), HasSubstr("expected IPv6 address but got IPv4"));
    EXPECT_THAT(error("[nas]:80"), HasSubstr("brackets hold an IPv6 address"));
    EXPECT_THAT(error("[${alca:HOST_IP}]:80"), HasSubstr("brackets hold an IPv6 address"));
    EXPECT_THAT(error("[]"), HasSubstr("brackets hold an IPv6 address"));
    EXPECT_THAT(error("10.0.0"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("1.2.3.4.5"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("a_b"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("-a"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("a..b"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error(std::string(64, 'a')), HasSubstr("invalid IP address"));
    EXPECT_THAT(error(std::string_view("10.0.0.1\0", 9)), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("nas/24"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("localhost:80"), HasSubstr("${alca:HOST_IP}"));
    EXPECT_THAT(error("a.localhost"), HasSubstr("${alca:HOST_IP}"));
    EXPECT_THAT(error("::ffff:10.0.0.1"),
                HasSubstr("expected IPv4 address but got IPv6; write it as 10.0.0.1"));
    EXPECT_THAT(error("[::ffff:a00:1]:80"), HasSubstr("write it as 10.0.0.1"));
    EXPECT_THAT(error("::ffff:0:0/96"), HasSubstr("expected IPv4 address but got IPv6"));
    EXPECT_THAT(error("0.0.0.0/0"), HasSubstr("write \"*\""));
    EXPECT_THAT(error("::/0"), HasSubstr("write \"*\""));
    EXPECT_THAT(error(std::string(1U << 20, '1')), HasSubstr("longer than 4096 bytes"));
    EXPECT_THAT(error("10.0.0.300"), HasSubstr("invalid IP address"));
    EXPECT_THAT(error("fe80::1%eth0"), HasSubstr("invalid IP address; leave out the zone"));
    EXPECT_THAT(error("[fe80::1%2]:80"), HasSubstr("invalid IP address; leave out the zone"));
    EXPECT_THAT(error("fe80::1%eth0/64"), HasSubstr("invalid IP address; leave out the zone"));
    EXPECT_THAT(error("nas%eth0"), HasSubstr("invalid IP address or host name"));
    EXPECT_THAT(error("10.0.0.0/33"), HasSubstr("invalid CIDR"));
    EXPECT_THAT(error("10.0.0.0/"), HasSubstr("invalid CIDR"));
    EXPECT_THAT(error("10.0.0.0/-1"), HasSubstr("invalid CIDR"));
    EXPECT_THAT(error("fd00::/129"), HasSubstr("invalid CIDR"));
    EXPECT_THAT(error("fd00::/64:80"), HasSubstr("invalid CIDR"));
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
