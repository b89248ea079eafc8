#include "helpers/alca-init/environment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace alca::init {
namespace {

constexpr std::string_view kPasswd = "agent:x:1000:1000::/home/agent:/bin/sh\n";

std::vector<std::string> merge(std::vector<std::string> own, std::vector<std::string> wanted,
                               std::uint32_t uid = 1000) {
    std::vector<char*> own_list;
    own_list.reserve(own.size() + 1);
    for (std::string& entry : own) own_list.push_back(entry.data());
    own_list.push_back(nullptr);
    StringList wanted_list;
    EXPECT_TRUE(wanted_list.reserve(wanted.size()));
    for (std::string& entry : wanted) wanted_list.add(entry.data());
    Bytes storage;
    StringList merged;
    EXPECT_TRUE(merge_environment(own_list.data(), wanted_list, kPasswd, uid, storage, merged));
    EXPECT_EQ(merged.data()[merged.size()], nullptr);
    std::vector<std::string> result(merged.items().begin(), merged.items().end());
    std::sort(result.begin(), result.end());
    return result;
}

using Entries = std::vector<std::string>;

TEST(EnvironmentTest, ClientWinsOverEngine) {
    EXPECT_EQ(merge({"A=engine", "B=engine", "HOME=/h", "USER=u"}, {"A=client"}),
              (Entries{"A=client", "B=engine", "HOME=/h", "USER=u"}));
}

TEST(EnvironmentTest, PrefixOfANameIsAnotherName) {
    EXPECT_EQ(merge({"AB=1", "HOME=/h", "USER=u"}, {"A=2"}),
              (Entries{"A=2", "AB=1", "HOME=/h", "USER=u"}));
}

TEST(EnvironmentTest, HomeAndUserComeFromPasswd) {
    EXPECT_EQ(merge({}, {}), (Entries{"HOME=/home/agent", "USER=agent"}));
}

TEST(EnvironmentTest, RootDirectoryAsEngineHomeIsReplaced) {
    EXPECT_EQ(merge({"HOME=/"}, {}), (Entries{"HOME=/home/agent", "USER=agent"}));
}

TEST(EnvironmentTest, RootDirectoryAsClientHomeStays) {
    EXPECT_EQ(merge({"HOME=/root"}, {"HOME=/"}), (Entries{"HOME=/", "USER=agent"}));
}

TEST(EnvironmentTest, UnknownUserLivesInRootDirectory) {
    EXPECT_EQ(merge({"HOME=/"}, {}, 7), (Entries{"HOME=/"}));
}

TEST(EnvironmentTest, FindsOnlyWholeNames) {
    std::string path = "PATH=/bin";
    StringList list;
    ASSERT_TRUE(list.reserve(1));
    list.add(path.data());
    EXPECT_STREQ(find_variable(list, "PATH"), "/bin");
    EXPECT_EQ(find_variable(list, "PAT"), nullptr);
    EXPECT_EQ(find_variable(list, "PATHS"), nullptr);
}

}  // namespace
}  // namespace alca::init
