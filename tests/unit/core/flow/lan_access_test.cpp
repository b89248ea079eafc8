#include "core/flow/lan_access.hpp"

#include <gmock/gmock.h>

#include "support.hpp"

namespace alca::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LanAccessTest : public FlowTest {
  protected:
    LanAccessTest() {
        host.resolve = [this](const std::string& name, int) -> Result<std::vector<std::string>> {
            const auto found = names.find(name);
            if (found == names.end()) return fail(Code::not_found, "no address: " + name);
            return found->second;
        };
        wanted.network.lan_access = {
            {.text = "tcp://nas:80",
             .name = "nas",
             .rule = {.to = "", .protocols = {"tcp"}, .ports = {{80, 80}}}},
            {.text = "10.0.0.5", .name = "", .rule = {.to = "10.0.0.5"}}};
    }
    [[nodiscard]] Result<void> up_wanted() { return flow::up(context(), wanted, {.trust = true}); }
    [[nodiscard]] const FirewallRequest& held() const { return firewall.rules.begin()->second; }

    std::map<std::string, std::vector<std::string>> names{{"nas", {"192.168.1.5", "fd00::5"}}};
    config::Config wanted = config();
};

TEST_F(LanAccessTest, NamesBecomeOneRuleForEachAddressAndAreShown) {
    ASSERT_TRUE(up_wanted());
    EXPECT_THAT(held().allow,
                ElementsAre(AllowRule{"192.168.1.5", {"tcp"}, {{80, 80}}},
                            AllowRule{"fd00::5", {"tcp"}, {{80, 80}}}, AllowRule{"10.0.0.5"}));
    EXPECT_TRUE(ui.has_said("lan-access nas: 192.168.1.5, fd00::5"));
    EXPECT_THAT(lan_access_changes(context(), wanted, state()), IsEmpty());
}

TEST_F(LanAccessTest, ANameWithoutAnAddressStartsNothing) {
    names.clear();
    EXPECT_THAT(message_of(up_wanted()), HasSubstr("no address: nas"));
    EXPECT_EQ(left_over(), "");
}

TEST_F(LanAccessTest, ANameOfWhatMustBeSeenIsRefused) {
    for (const char* address :
         {"127.0.1.1", "0.0.0.0", "169.254.169.254", "168.63.129.16", "192.0.0.192", "224.0.0.1",
          "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "fe80::1", "ff02::1", "64:ff9b::1"}) {
        names["nas"] = {"192.168.1.5", address};
        EXPECT_THAT(message_of(up_wanted()), HasSubstr(address));
    }
    EXPECT_EQ(left_over(), "");
}

TEST_F(LanAccessTest, ANameThatMovedIsToldAndTakenOverByUp) {
    ASSERT_TRUE(up_wanted());
    names["nas"] = {"192.168.1.6"};
    EXPECT_THAT(lan_access_changes(context(), wanted, state()),
                ElementsAre("nas is 192.168.1.6 now; the sandbox may reach 192.168.1.5, fd00::5; "
                            "run: alca up"));
    forget();
    ASSERT_TRUE(up_wanted());
    EXPECT_FALSE(journal.has("runtime.create"));
    EXPECT_EQ(held().allow.front().to, "192.168.1.6");
    EXPECT_THAT(lan_access_changes(context(), wanted, state()), IsEmpty());
}

TEST_F(LanAccessTest, NamesThatNobodyApprovedAreNotLookedUp) {
    ASSERT_TRUE(up_wanted());
    wanted.network.lan_access.push_back({.text = "secret", .name = "secret", .rule = {.to = ""}});
    host.resolve = [](const std::string& name, int) -> Result<std::vector<std::string>> {
        ADD_FAILURE() << name << " was looked up";
        return fail("no");
    };
    EXPECT_THAT(lan_access_changes(context(), wanted, state()),
                ElementsAre(HasSubstr("network.lan-access has changed")));
}

TEST_F(LanAccessTest, AnEditIsToldAndTakenOverByUpWithoutARebuild) {
    ASSERT_TRUE(up_wanted());
    wanted.network.lan_access.pop_back();
    EXPECT_THAT(lan_access_changes(context(), wanted, state()),
                ElementsAre(HasSubstr("network.lan-access has changed")));
    forget();
    ASSERT_TRUE(up_wanted());
    EXPECT_FALSE(journal.has("runtime.create"));
    EXPECT_EQ(held().allow.size(), 2U);
}

TEST_F(LanAccessTest, ResolversOfTheConfigurationAreReachedOnTheirPortAndGivenToTheEngine) {
    wanted.network.lan_access.clear();
    wanted.network.dns = {"192.168.1.1"};
    ASSERT_TRUE(up_wanted());
    EXPECT_THAT(held().allow, ElementsAre(AllowRule{"192.168.1.1", {"tcp", "udp"}, {{53, 53}}}));
    EXPECT_THAT(sandbox().effective.dns, ElementsAre("192.168.1.1"));
}

}  // namespace
}  // namespace alca::flow
