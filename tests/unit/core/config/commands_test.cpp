#include <gmock/gmock.h>

#include "support.hpp"

namespace alca::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using CommandsTest = ConfigTest;

TEST_F(CommandsTest, TextAndTableFormMeanTheSame) {
    EXPECT_EQ(good("commands.up = \"make\"").commands.up, "make");
    EXPECT_EQ(good("commands.up = {command = \"make\", append = true}").commands.up, "make");
    EXPECT_EQ(good("commands.enter = {command = \"nice\"}").commands.enter, "nice");
}

TEST_F(CommandsTest, AliasReplacesTheFirstWordOnce) {
    const Config config =
        good("[commands.aliases]\nclaude = [\"claude\", \"--flag\"]\n\"--flag\" = [\"wrong\"]\n");
    EXPECT_THAT(with_alias(config, {"claude", "-p", "hi"}),
                ElementsAre("claude", "--flag", "-p", "hi"));
    EXPECT_THAT(with_alias(config, {"ls", "claude"}), ElementsAre("ls", "claude"));
}

TEST_F(CommandsTest, AliasWithoutAProgramIsAnError) {
    EXPECT_THAT(error("commands.aliases.a = []"), HasSubstr("must name a program"));
    EXPECT_THAT(error("commands.aliases.a = [\"\"]"), HasSubstr("must name a program"));
    EXPECT_THAT(error("commands.aliases.\"\" = [\"a\"]"), HasSubstr("must name a program"));
}

TEST(KeepaliveTest, TextThatOnlyWaitsIsRecognised) {
    for (const char* text :
         {"sleep infinity", "  sleep   infinity \n", "exec sleep infinity", "/bin/sleep infinity",
          "sleep inf;", "tail -f /dev/null", "tail -F /dev/null", "/usr/bin/tail -f /dev/null",
          "cat", "exec cat"}) {
        EXPECT_TRUE(is_keepalive(text)) << text;
    }
}

TEST(KeepaliveTest, TextThatDoesMoreIsNot) {
    for (const char* text :
         {"", " ", "exec", "sleep 5", "sleep infinity & make", "make; sleep infinity",
          "sleep infinity; make", "sleep infinity\nmake", "cat file", "cat;ls", "tail -f log",
          "tail -f /dev/null | sh", "echo cat", "sleep infinity infinity", "./cat"}) {
        EXPECT_FALSE(is_keepalive(text)) << text;
    }
}

}  // namespace
}  // namespace alca::config
