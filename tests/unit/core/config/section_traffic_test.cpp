#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "core/config/proxy.hpp"
#include "support.hpp"

namespace alca::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class TrafficTest : public ConfigTest {
  protected:
    [[nodiscard]] std::string proxy_error(const std::string& text) const {
        return error("network.proxy = \"" + text + "\"");
    }
};

TEST_F(TrafficTest, AProxyIsReadInItsCanonicalForm) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"10.0.0.5:1080", "10.0.0.5:1080"},
        {" 203.0.113.9:65535\\t", "203.0.113.9:65535"},
        {"[fd00:0::5]:1", "[fd00::5]:1"},
        {"${alca:HOST_IP}:1080", "${alca:HOST_IP}:1080"}};
    for (const auto& [written, canonical] : cases) {
        const Config config = good("network.ipv6 = true\nnetwork.proxy = \"" + written + "\"");
        ASSERT_TRUE(config.network.proxy.has_value()) << written;
        EXPECT_EQ(proxy_text(*config.network.proxy), canonical);
        EXPECT_EQ(parse_proxy(canonical).value(), *config.network.proxy);
    }
    EXPECT_EQ(good("network.proxy = \"${alca:HOST_IP}:1080\"").network.proxy,
              (TcpProxy{.to = TcpProxy::kHost, .port = 1080}));
    EXPECT_FALSE(good("network.proxy = \"\"").network.proxy.has_value());
    EXPECT_FALSE(good("").network.proxy.has_value());
}

TEST_F(TrafficTest, AProxyThatIsNoneIsAnErrorWithItsPlace) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"10.0.0.5", "expected host:port format"},
        {":1080", "expected host:port format"},
        {"[]:1080", "expected host:port format"},
        {"[fd00::5]", "expected host:port format"},
        {"${alca:HOST_IP}", "expected host:port format"},
        {"proxy.local:1080", "host must be an IP address, not a hostname"},
        {"http://10.0.0.5:1080", "host must be an IP address, not a hostname"},
        {"10.0.0.0/8:1080", "host must be an IP address, not a hostname"},
        {"[fe80::1%eth0]:1080", "host must be an IP address, not a hostname"},
        {"10.0.0.5\\u0000:1080", "network.proxy"},
        {"host:1080", "host must be an IP address, not a hostname"},
        {"10.0.0.5:", "port must be 1-65535"},
        {"10.0.0.5:0", "port must be 1-65535"},
        {"10.0.0.5:65536", "port must be 1-65535"},
        {"10.0.0.5:-1", "port must be 1-65535"},
        {"10.0.0.5:80x", "port must be 1-65535"},
        {"10.0.0.5:80-90", "port must be 1-65535"},
        {"fd00::5:1080", "write the IPv6 address in brackets"},
        {"[10.0.0.5]:1080", "write the IPv4 address without brackets"},
        {"${alca:GATEWAY}:1080", "unknown alca token; valid tokens: HOST_IP"},
        {"[${alca:HOST_IP}]:1080", "unknown alca token; valid tokens: HOST_IP"},
        {"127.0.0.1:1080", "for this machine write ${alca:HOST_IP}"},
        {"[::1]:1080", "for this machine write ${alca:HOST_IP}"},
        {"0.0.0.0:1080", "cannot be a proxy's address"},
        {"224.0.0.1:1080", "cannot be a proxy's address"},
        {"[fe80::1]:1080", "cannot be a proxy's address"},
        {"[::ffff:10.0.0.5]:1080", "write it as 10.0.0.5"}};
    for (const auto& [written, why] : cases) {
        const std::string told = proxy_error(written);
        EXPECT_THAT(told, StartsWith(".alca.toml:2:17: network.proxy")) << written;
        EXPECT_THAT(told, HasSubstr(why)) << written;
    }
}

TEST_F(TrafficTest, AnIPv6ProxyNeedsASandboxWithIPv6) {
    EXPECT_THAT(proxy_error("[fd00::5]:1080"), HasSubstr("set network.ipv6 = true"));
}

TEST_F(TrafficTest, LimitsAreRead) {
    const Config config = good("[network.limits]\nbandwidth = \"1.5M\"\nnew-connections = 100\n");
    EXPECT_EQ(config.network.limits, (TrafficLimits{.bytes_per_second = 1536UL * 1024,
                                                    .new_connections_per_second = 100}));
    EXPECT_EQ(good("[network.limits]\nbandwidth = \"\"").network.limits, TrafficLimits{});
    EXPECT_EQ(good("network.limits.bandwidth = \"16k\"").network.limits.bytes_per_second, 16384U);
    EXPECT_EQ(good("network.limits.bandwidth = \"10g\"").network.limits.bytes_per_second,
              10ULL << 30);
    EXPECT_EQ(good("").network.limits, TrafficLimits{});
}

TEST_F(TrafficTest, LimitsThatCannotBeHeldAreErrorsWithTheirPlace) {
    for (const char* text : {"15k", "11g", "0", "16383"}) {
        const std::string told = error(std::string("network.limits.bandwidth = \"") + text + "\"");
        EXPECT_THAT(told, StartsWith(".alca.toml:2:28: network.limits.bandwidth: must be from 16k"))
            << text;
    }
    for (const char* text : {"fast", "-1", "20 mbit", "1e9"}) {
        EXPECT_THAT(error(std::string("network.limits.bandwidth = \"") + text + "\""),
                    HasSubstr("is not an amount of bytes a second; write it as \"500k\""))
            << text;
    }
    for (const char* text : {"0", "-1", "1000001"}) {
        EXPECT_THAT(error(std::string("network.limits.new-connections = ") + text),
                    HasSubstr("network.limits.new-connections: must be from 1 to 1000000 a second"))
            << text;
    }
    EXPECT_THAT(error("network.limits.connections = 5"),
                HasSubstr("unknown key \"connections\" in network.limits"));
}

}  // namespace
}  // namespace alca::config
