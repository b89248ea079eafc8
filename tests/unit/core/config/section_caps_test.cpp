#include <gmock/gmock.h>

#include "support.hpp"

namespace alca::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using CapsTest = ConfigTest;

TEST_F(CapsTest, ArrayAddsToTheSix) {
    EXPECT_THAT(
        good("caps = [\"cap_net_admin\", \"KILL\"]").caps,
        ElementsAre("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_ADMIN", "SETGID", "SETUID"));
}

TEST_F(CapsTest, EmptyFormsGiveTheSix) {
    for (const char* text : {"caps = []", "caps = {}", "caps = {drop = [], add = []}"}) {
        EXPECT_EQ(good(text).caps, good("").caps) << text;
    }
}

TEST_F(CapsTest, TableIsTakenAsWritten) {
    EXPECT_THAT(good("caps = {drop = [\"ALL\"]}").caps, testing::IsEmpty());
    EXPECT_THAT(good("caps = {drop = [\"all\"], add = [\"NET_RAW\"]}").caps,
                ElementsAre("NET_RAW"));
}

TEST_F(CapsTest, TableWithoutDropAllStartsFromDockersSetLessNetRaw) {
    const auto caps = good("caps = {drop = [\"MKNOD\"], add = [\"SYS_PTRACE\"]}").caps;
    EXPECT_EQ(caps.size(), 13U);
    EXPECT_THAT(caps, Contains("SYS_PTRACE"));
    EXPECT_THAT(caps, Contains("SETPCAP"));
    EXPECT_THAT(caps, Not(Contains("MKNOD")));
    EXPECT_THAT(caps, Not(Contains("NET_RAW")));
}

TEST_F(CapsTest, AllMeansEveryName) {
    EXPECT_EQ(good("caps = [\"ALL\"]").caps.size(), 41U);
    EXPECT_THAT(good("caps = {drop = [\"SYS_ADMIN\"], add = [\"ALL\"]}").caps,
                Not(Contains("SYS_ADMIN")));
}

TEST_F(CapsTest, UnknownNamesAreErrorsWithASuggestion) {
    EXPECT_THAT(
        error("caps = [\"NET_ADMN\"]"),
        HasSubstr("caps[0]: \"NET_ADMN\" is not a capability; did you mean \"NET_ADMIN\"?"));
    EXPECT_THAT(error("caps.drop = [\"EVERYTHING_AT_ONCE\"]"), HasSubstr("caps.drop[0]: "));
    EXPECT_THAT(error("caps.add = [\"\"]"), HasSubstr("caps.add[0]: "));
}

TEST_F(CapsTest, NameInBothListsIsAnError) {
    EXPECT_THAT(error("caps = {drop = [\"ALL\", \"KILL\"], add = [\"CAP_KILL\"]}"),
                HasSubstr("KILL is in both drop and add"));
}

}  // namespace
}  // namespace alca::config
