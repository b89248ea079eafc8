#include "core/config/expand.hpp"

#include <gmock/gmock.h>

#include "support.hpp"

namespace alca::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Environment& environment() {
    static const Environment kEnvironment{{"X", "1"}, {"EMPTY", ""}, {"A-B", "dash"}, {"_y2", "z"}};
    return kEnvironment;
}

TEST(ExpandTest, ReferencesAreReplacedAnywhere) {
    EXPECT_EQ(expand("${X}", environment()), "1");
    EXPECT_EQ(expand("a${X}b${X}c", environment()), "a1b1c");
    EXPECT_EQ(expand("${A-B}${_y2}", environment()), "dashz");
    EXPECT_EQ(expand("", environment()), "");
}

TEST(ExpandTest, DefaultCountsWhenUnsetOrEmpty) {
    EXPECT_EQ(expand("${NO:-d e:f}", environment()), "d e:f");
    EXPECT_EQ(expand("${EMPTY:-d}", environment()), "d");
    EXPECT_EQ(expand("${X:-d}", environment()), "1");
    EXPECT_EQ(expand("${NO:-}", environment()), "");
    EXPECT_EQ(expand("${EMPTY}", environment()), "");
}

TEST(ExpandTest, UnsetWithoutDefaultIsAnError) {
    const auto value = expand("a${NO}b", environment());
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().code, Code::invalid);
    EXPECT_THAT(value.error().message, HasSubstr("undefined environment variable: $NO"));
}

TEST(ExpandTest, OtherDollarsAreLiteral) {
    EXPECT_EQ(expand("$X costs 5$ $$ $(id) `id`", environment()), "$X costs 5$ $$ $(id) `id`");
    EXPECT_EQ(expand("$${X}", environment()), "${X}");
    EXPECT_EQ(expand("$$${X}", environment()), "$${X}");
}

TEST(ExpandTest, ValuesAreNotExpandedAgain) {
    EXPECT_EQ(expand("${V}", {{"V", "${X} $X"}}), "${X} $X");
}

TEST(ExpandTest, MalformedReferencesAreErrors) {
    for (const char* text : {"${", "${X", "${}", "${1X}", "${X+y}", "${X-}-y", "${X:y}", "${X Y}",
                             "${NO:-${X}}", "${alca:HOST_IP}", "${:-d}"}) {
        // "${X-}-y" is the name "X-", which is not set.
        EXPECT_FALSE(expand(text, environment())) << text;
    }
}

TEST(ExpandPathTest, BareNamesAreReplacedToo) {
    EXPECT_EQ(expand_path("$X/${X}/$X-y", environment()), "1/1/1-y");
    EXPECT_EQ(expand_path("a$", environment()), "a$");
    EXPECT_EQ(expand_path("a$1", environment()), "a$1");
    EXPECT_THAT(expand_path("$NO/x", environment()).error().message,
                HasSubstr("undefined environment variable: $NO"));
}

TEST(ReferencedNamesTest, NamesComeOnceAndInOrder) {
    EXPECT_THAT(referenced_names("${B}${A}${B:-x} $C $${D}"), ElementsAre("B", "A"));
    EXPECT_THAT(referenced_names("${A} ${"), ElementsAre("A"));
}

using EnvironmentTest = ConfigTest;

TEST_F(EnvironmentTest, CreationGetsAllAndEnterOnlyWhatOverrides) {
    environment_ = {{"TERM", "xterm"}, {"TOKEN", "t"}};
    const Config config = good(
        "[envs]\nA = \"a\"\nB = { value = \"${TOKEN}\", override_on_enter = true }\nE = \"\"\n");
    const auto creation = creation_environment(config, environment_);
    ASSERT_TRUE(creation);
    EXPECT_THAT(*creation, ElementsAre(testing::Pair("A", "a"), testing::Pair("B", "t"),
                                       testing::Pair("TERM", "xterm")));
    const auto enter = enter_environment(config, environment_);
    ASSERT_TRUE(enter);
    EXPECT_THAT(*enter, ElementsAre(testing::Pair("B", "t"), testing::Pair("TERM", "xterm")));
}

TEST_F(EnvironmentTest, AllUnsetVariablesAreReportedWithTheirPlaces) {
    const Config config = good("[envs]\nA = \"${NO}\"\nB = \"${NOT}\"\n");
    const auto creation = creation_environment(config, environment_);
    ASSERT_FALSE(creation);
    EXPECT_THAT(creation.error().message, HasSubstr(".alca.toml:3:5: envs.A: undefined"));
    EXPECT_THAT(creation.error().message, HasSubstr(".alca.toml:4:5: envs.B: undefined"));
}

}  // namespace
}  // namespace alca::config
