#include <gmock/gmock.h>

#include "support.hpp"

namespace alca::config {
namespace {

using testing::HasSubstr;
using testing::Not;

using AppliedFormTest = ConfigTest;

TEST_F(AppliedFormTest, HoldsNoValueOfAnyVariable) {
    environment_ = {{"TOKEN", "from-host"}};
    const std::string text =
        dump(applied_form(good("[envs]\nKEY = \"sk-literal\"\nT = \"pre-${TOKEN}\"\n")));
    EXPECT_THAT(text, Not(HasSubstr("sk-literal")));
    EXPECT_THAT(text, Not(HasSubstr("from-host")));
    EXPECT_THAT(text, Not(HasSubstr("pre-")));
    EXPECT_THAT(text, HasSubstr("KEY"));
}

TEST_F(AppliedFormTest, DependsOnWhatTheFileMeansNotOnHowItIsWritten) {
    EXPECT_EQ(applied_form(good("resources.memory = \"1024m\"\nnetwork.ports = [\"80\"]")),
              applied_form(good("network.ports = [{port = 80}]\nresources.memory = \"1g\"")));
}

TEST_F(AppliedFormTest, EveryPartThatASandboxIsMadeFromChangesIt) {
    const Json plain = applied_form(good(""));
    for (const char* text :
         {"workdir = \"/w\"", "runtime = \"docker\"", "user = \"host\"", "commands.up = \"make\"",
          "mounts = [\".:/m\"]", "mounts = [{volume = \"v\", target = \"/m\"}]",
          "resources.memory = \"1g\"", "resources.cpus = 1", "resources.pids = 5", "envs.A = \"a\"",
          "network.ports = [\"80\"]", "network.ipv6 = true", "network.dns = [\"1.1.1.1\"]",
          "caps = [\"NET_RAW\"]"}) {
        EXPECT_NE(applied_form(good(text)), plain) << text;
    }
    for (const char* text : {"commands.enter = \"nice\"", "commands.aliases.a = [\"b\"]",
                             "network.lan-access = [\"*\"]", "network.lan-access = [\"nas\"]"}) {
        EXPECT_EQ(applied_form(good(text)), plain) << text;
    }
}

TEST_F(AppliedFormTest, LiteralValuesDifferByDigest) {
    EXPECT_NE(applied_form(good("envs.A = \"a\"")), applied_form(good("envs.A = \"b\"")));
    EXPECT_EQ(applied_form(good("envs.A = \"${X}\"")), applied_form(good("envs.A = \"${Y}\"")));
}

}  // namespace
}  // namespace alca::config
