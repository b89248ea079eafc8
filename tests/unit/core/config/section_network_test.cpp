#include <fmt/format.h>
#include <gmock/gmock.h>

#include <ctime>

#include "support.hpp"

namespace alca::config {
namespace {

using testing::HasSubstr;

class NetworkTest : public ConfigTest {
  protected:
    [[nodiscard]] Port port(const std::string& text) const {
        const Config config = good("network.ports = [" + text + "]");
        return config.network.ports.size() == 1 ? config.network.ports[0] : Port{};
    }
    [[nodiscard]] std::string port_error(const std::string& text) const {
        return error("network.ports = [" + text + "]");
    }
};

TEST_F(NetworkTest, PortStringsAreRead) {
    EXPECT_EQ(port("\"80\""), (Port{"127.0.0.1", 80, 80, "tcp"}));
    EXPECT_EQ(port("\"8080:80\""), (Port{"127.0.0.1", 8080, 80, "tcp"}));
    EXPECT_EQ(port("\"0.0.0.0:8080:80/udp\""), (Port{"0.0.0.0", 8080, 80, "udp"}));
    EXPECT_EQ(port("\"53/udp\""), (Port{"127.0.0.1", 53, 53, "udp"}));
}

TEST_F(NetworkTest, PortTablesAreRead) {
    EXPECT_EQ(port("{port = 80}"), (Port{"127.0.0.1", 80, 80, "tcp"}));
    EXPECT_EQ(port("{port = 80, hostPort = 0, hostIp = \"\", protocol = \"\"}"),
              (Port{"127.0.0.1", 80, 80, "tcp"}));
    EXPECT_EQ(port("{port = 80, hostPort = 81, hostIp = \"::1\", protocol = \"udp\"}"),
              (Port{"::1", 81, 80, "udp"}));
}

TEST_F(NetworkTest, BadPortsAreErrors) {
    EXPECT_THAT(port_error("\"\""), HasSubstr("network.ports[0]: port string is empty"));
    EXPECT_THAT(port_error("\":80\""), HasSubstr("port number is empty"));
    EXPECT_THAT(port_error("\"x:80\""), HasSubstr("port \"x\" is not a number"));
    EXPECT_THAT(port_error("\"80x\""), HasSubstr("is not a number"));
    EXPECT_THAT(port_error("\"0\""), HasSubstr("port 0 out of range 1-65535"));
    EXPECT_THAT(port_error("\"65536\""), HasSubstr("port 65536 out of range 1-65535"));
    EXPECT_THAT(port_error("\"80/sctp\""), HasSubstr("protocol \"sctp\" must be tcp or udp"));
    EXPECT_THAT(port_error("\"localhost:1:2\""),
                HasSubstr("hostIp \"localhost\" is not a valid IP"));
    EXPECT_THAT(port_error("\"::1:80:80\""), HasSubstr("too many colons"));
    EXPECT_THAT(port_error("{hostPort = 80}"),
                HasSubstr("port is required and must be an integer"));
    EXPECT_THAT(port_error("{port = 80, hostPort = 70000}"), HasSubstr("port 70000 out of range"));
    EXPECT_THAT(port_error("\"80\", {port = 90, hostPort = 80}"), HasSubstr("already used"));
}

TEST_F(NetworkTest, SameNumberForTcpAndUdpIsNoConflict) {
    EXPECT_EQ(good("network.ports = [\"53\", \"53/udp\"]").network.ports.size(), 2U);
}

TEST_F(NetworkTest, StrictIsAskedForAndNotWithTheStar) {
    EXPECT_FALSE(good("").network.strict);
    EXPECT_TRUE(good("network.strict = true").network.strict);
    EXPECT_FALSE(good("network.strict = false\nnetwork.lan-access = [\"*\"]").network.strict);
    EXPECT_THAT(error("network.strict = \"yes\""), HasSubstr("network.strict"));
    EXPECT_THAT(error("network.strict = true\nnetwork.lan-access = [\"*\"]"),
                HasSubstr("network.strict: with lan-access = [\"*\"] there is nothing to keep"));
}

TEST_F(NetworkTest, OnlyTheStarOpensTheNetwork) {
    EXPECT_FALSE(good("network.lan-access = []").network.open);
    EXPECT_TRUE(good("network.lan-access = [\" * \"]").network.open);
    EXPECT_TRUE(good("network.lan-access = [\"10.0.0.1\", \"*\"]").network.open);
}

TEST_F(NetworkTest, EntriesOfLanAccessAreKeptOnceAndInOrder) {
    const auto config =
        good("network.lan-access = [\"nas:445\", \"10.1.0.0/8\", \"tcp://NAS:445\"]");
    ASSERT_EQ(config.network.lan_access.size(), 2U);
    EXPECT_EQ(config.network.lan_access[0].text, "tcp://nas:445");
    EXPECT_EQ(config.network.lan_access[1].text, "10.0.0.0/8");
    EXPECT_TRUE(good("network.lan-access = [\"10.0.0.1\", \"*\"]").network.lan_access.empty());
}

TEST_F(NetworkTest, BadEntriesOfLanAccessAreNamedWithTheirPlace) {
    EXPECT_THAT(error("network.lan-access = [\"host_local\"]"),
                HasSubstr("network.lan-access[0]: lan-access rule \"host_local\": invalid IP"));
    EXPECT_THAT(error("network.lan-access = [\"*\", \"1.2.3\"]"),
                HasSubstr("network.lan-access[1]: lan-access rule \"1.2.3\": invalid IP"));
    const std::string both = error("network.lan-access = [\"10.0.0.1:0\",\n  7, \"a\\u0000b\"]");
    EXPECT_THAT(both, HasSubstr(".alca.toml:2:23: network.lan-access[0]: lan-access rule "
                                "\"10.0.0.1:0\": port 0 out of range (1-65535)"));
    EXPECT_THAT(both, HasSubstr(".alca.toml:3:3: network.lan-access[1]: expected a string"));
    EXPECT_THAT(both, HasSubstr(".alca.toml:3:6: network.lan-access[2]: "));
    EXPECT_THAT(error("network.lan-access = \"10.0.0.1\""),
                HasSubstr(".alca.toml:2:22: network.lan-access: expected an array of strings"));
}

TEST_F(NetworkTest, StarBesideABadEntryDoesNotExcuseIt) {
    EXPECT_THAT(error("network.lan-access = [\"*\", \"localhost\"]"),
                HasSubstr(".alca.toml:2:28: network.lan-access[1]: lan-access rule \"localhost\""));
}

// "10.0.0.0", "10.0.0.1", ... with `behind` behind each.
std::string addresses(int count, const std::string& behind = "") {
    std::string list;
    for (int i = 0; i < count; ++i) {
        list += fmt::format("\"10.{}.{}.{}{}\",", i >> 16, (i >> 8) & 255, i & 255, behind);
    }
    return list;
}

TEST_F(NetworkTest, MoreDestinationsThanTheFirewallTakesAreAnError) {
    const auto list = [](const std::string& items) {
        return "network.lan-access = [" + items + "]";
    };
    EXPECT_EQ(good(list(addresses(256))).network.lan_access.size(), 256U);
    EXPECT_THAT(error(list("\n" + addresses(256) + "\n  \"nas\"")),
                HasSubstr(".alca.toml:4:3: network.lan-access[256]: more than 256 destinations"));
    good(list(addresses(64) + addresses(64, ":80,443") + addresses(16, ":2-9,20-29,4,6")));
    good(list(addresses(32, ":1,3,5,7,9,11,13,15")));
    EXPECT_THAT(error(list(addresses(33, ":1,3,5,7,9,11,13,15"))),
                HasSubstr("lan-access[32]: more"));
    good(list(addresses(64, "/32") + addresses(16, ":1,3,5,7,9,11")));
    EXPECT_THAT(error(list("\"*://10.0.0.1:1\"," + addresses(255))), HasSubstr("[255]: more than"));
    good(list("\"nas\"," + addresses(254)));
    EXPECT_THAT(error(list("\"nas\"," + addresses(255))), HasSubstr("[255]: more than"));
    good(list(addresses(256) + addresses(256)));
    EXPECT_TRUE(good(list(addresses(300) + "\"*\"")).network.open);
}

TEST_F(NetworkTest, ResolversCountAmongTheDestinations) {
    const std::string dns = "\nnetwork.dns = [\"192.168.1.1\"]";
    EXPECT_TRUE(parse("image = \"i\"\nnetwork.lan-access = [" + addresses(254) + "]" + dns));
    EXPECT_THAT(error("network.lan-access = [" + addresses(255) + "]" + dns),
                HasSubstr("network.lan-access[254]: more than 256 destinations"));
}

TEST_F(NetworkTest, FileFullOfEntriesIsReadInTimeThatGrowsWithIt) {
    const std::clock_t begin = std::clock();  // of this process: others may keep the machine busy
    EXPECT_THAT(error("network.lan-access = [" + addresses(50000) + "]"),
                HasSubstr("network.lan-access[256]: more than 256"));
    EXPECT_THAT(error("network.dns = [" + addresses(50000, ":1") + "]"), HasSubstr("49990 more"));
    EXPECT_LT(std::clock() - begin, 10 * CLOCKS_PER_SEC);
}

TEST_F(NetworkTest, ResolversAreAFewAddresses) {
    EXPECT_THAT(good("network.dns = [\"192.168.1.1\", \"FD00::53\"]").network.dns,
                testing::ElementsAre("192.168.1.1", "fd00::53"));
    EXPECT_THAT(error("network.dns = [\"1.1.1.1\", \"dns.local\"]"),
                HasSubstr(".alca.toml:2:27: network.dns[1]: \"dns.local\": must be an IPv4 or IPv6 "
                          "address"));
    EXPECT_THAT(
        good("network.dns = [\"1.1.1.1\", \"fd00::1\", \"1.1.1.1\", \"FD00:0::1\"]").network.dns,
        testing::ElementsAre("1.1.1.1", "fd00::1"));
    EXPECT_THAT(error("network.dns = [\"1.1.1.1\", \"1.1.1.2\", \"1.1.1.3\", \"1.1.1.4\"]"),
                HasSubstr(".alca.toml:2:49: network.dns[3]: 3 resolvers at most"));
    EXPECT_THAT(error("network.dns = \"1.1.1.1\""),
                HasSubstr(".alca.toml:2:15: network.dns: expected an array of strings"));
}

}  // namespace
}  // namespace alca::config
