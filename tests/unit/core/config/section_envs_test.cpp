#include <gmock/gmock.h>

#include "core/config/expand.hpp"
#include "support.hpp"

namespace alca::config {
namespace {

using EnvsTest = ConfigTest;

TEST_F(EnvsTest, BuiltInVariablesAreThereAndOverrideOnEnter) {
    const Config config = good("");
    ASSERT_EQ(config.envs.size(), 10U);
    for (const std::string_view name : builtin_environment()) {
        ASSERT_TRUE(config.envs.contains(name)) << name;
        EXPECT_TRUE(config.envs.find(name)->second.override_on_enter) << name;
    }
}

TEST_F(EnvsTest, EntryOfTheSameNameReplacesABuiltInWhole) {
    const Config config = good("envs.TERM = \"dumb\"");
    EXPECT_EQ(config.envs.find("TERM")->second.value, "dumb");
    EXPECT_FALSE(config.envs.find("TERM")->second.override_on_enter);
}

TEST_F(EnvsTest, NamesThatNoEnvironmentCanHoldAreErrors) {
    for (const char* name : {"\"\"", "\"A=B\"", "\"A\\n\""}) {
        EXPECT_THAT(error(std::string("envs.") + name + " = \"x\""),
                    testing::HasSubstr("cannot be the name of a variable"))
            << name;
    }
    good("envs.\"npm_config_@x:y\" = \"z\"");
}

}  // namespace
}  // namespace alca::config
