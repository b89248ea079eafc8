#include <gmock/gmock.h>

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
}

TEST_F(NetworkTest, MoreDestinationsThanTheKernelIsGivenAreAnError) {
    std::string list;
    for (int i = 0; i < 129; ++i) list += "\"10.0.0." + std::to_string(i) + "\",";
    EXPECT_THAT(error("network.lan-access = [" + list + "]"), HasSubstr("more than 128 pairs"));
}

TEST_F(NetworkTest, ResolversAreAFewAddresses) {
    EXPECT_THAT(good("network.dns = [\"192.168.1.1\", \"FD00::53\"]").network.dns,
                testing::ElementsAre("192.168.1.1", "fd00::53"));
    EXPECT_THAT(error("network.dns = [\"1.1.1.1\", \"dns.local\"]"),
                HasSubstr("network.dns[1]: \"dns.local\": must be an IPv4 or IPv6 address"));
    EXPECT_THAT(error("network.dns = [\"1.1.1.1\", \"1.1.1.2\", \"1.1.1.3\", \"1.1.1.4\"]"),
                HasSubstr("3 resolvers at most"));
    EXPECT_THAT(error("network.dns = \"1.1.1.1\""), HasSubstr("an array of strings"));
}

}  // namespace
}  // namespace alca::config
