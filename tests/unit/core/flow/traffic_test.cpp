#include "core/flow/traffic.hpp"

#include <gmock/gmock.h>

#include "support.hpp"

namespace alca::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kProxied = "network.proxy = \"10.0.0.5:1080\"\n";
constexpr const char* kLimited =
    "network.limits = { bandwidth = \"20m\", new-connections = 100 }\n";
constexpr const char* kOpen = "network.lan-access = [\"*\"]\n";

class TrafficTest : public FlowTest {
  protected:
    static UpOptions trusting() { return {.trust = true}; }
    [[nodiscard]] const FirewallRequest& held() const { return firewall.rules.begin()->second; }
};

TEST_F(TrafficTest, TheFirewallIsAskedForProxyAndLimits) {
    ASSERT_TRUE(up(std::string(kProxied) + kLimited, trusting()));
    EXPECT_EQ(held().proxy, (TcpProxy{.to = "10.0.0.5", .port = 1080}));
    EXPECT_EQ(held().limits, (TrafficLimits{.bytes_per_second = 20UL * 1024 * 1024,
                                            .new_connections_per_second = 100}));
    EXPECT_TRUE(ui.has_said("All TCP connections go through the proxy 10.0.0.5:1080"));
}

TEST_F(TrafficTest, AProxyNeedsAnApprovalAndLimitsNone) {
    ASSERT_FALSE(up(kProxied));
    EXPECT_EQ(left_over(), "");
    ASSERT_TRUE(up(kLimited));
}

TEST_F(TrafficTest, AnEditIsToldAndTakenOverByUpWithoutARebuild) {
    be_up(kProxied, trusting());
    EXPECT_THAT(traffic_changes(config(kProxied), state()), IsEmpty());
    EXPECT_THAT(traffic_changes(config(kLimited), state()),
                ElementsAre("network.proxy has changed; to take it over, run: alca up",
                            "network.limits have changed; to take them over, run: alca up"));
    ASSERT_TRUE(up(kLimited));
    EXPECT_FALSE(journal.has("runtime.create"));
    EXPECT_FALSE(held().proxy.has_value());
    EXPECT_EQ(held().limits.new_connections_per_second, 100U);
    EXPECT_THAT(traffic_changes(config(kLimited), state()), IsEmpty());
}

TEST_F(TrafficTest, WithoutRulesNothingIsStartedAlsoWhenTheNetworkIsOpen) {
    firewall.probe_answer = {
        .available = false, .needs_root = true, .layer = "", .reason = "no right"};
    for (const char* text : {kProxied, kLimited}) {
        EXPECT_THAT(message_of(up(std::string(kOpen) + text, trusting())), HasSubstr("no right"));
        EXPECT_EQ(left_over(), "");
    }
    EXPECT_TRUE(up(kOpen, trusting()));
}

TEST_F(TrafficTest, AnOpenNetworkHasProxyAndLimitsToo) {
    ASSERT_TRUE(up(std::string(kOpen) + kProxied + kLimited, trusting()));
    EXPECT_EQ(held().policy, NetworkPolicy::open);
    EXPECT_TRUE(held().proxy.has_value());
    EXPECT_NE(held().limits, TrafficLimits{});
}

}  // namespace
}  // namespace alca::flow
