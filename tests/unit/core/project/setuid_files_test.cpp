#include "core/project/setuid_files.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/project/state.hpp"
#include "support.hpp"

namespace alca::project {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kLongAgo = "2000-01-01T00:00:00Z";

class SetuidFilesTest : public ProjectTest {
  protected:
    fs::path make(const fs::path& path, mode_t mode) const {
        fs::create_directories((project() / path).parent_path());
        write(project() / path, "x");
        EXPECT_EQ(::chmod((project() / path).c_str(), mode), 0);
        return project() / path;
    }
};

TEST_F(SetuidFilesTest, BothBitsAreFoundInAnyDepthAndNothingElseIs) {
    const fs::path user = make("a/b/user", 04755);
    make("a/plain", 0755);
    fs::create_symlink(user, project() / "link");
    EXPECT_EQ(::chmod((project() / "a").c_str(), 02755), 0);
    EXPECT_THAT(find_setuid_files(project(), kLongAgo, seconds(5)).paths, ElementsAre(user));

    fs::remove(user);
    const fs::path group = make("group", 02755);
    EXPECT_THAT(find_setuid_files(project(), kLongAgo, seconds(5)).paths, ElementsAre(group));
}

TEST_F(SetuidFilesTest, WhatWasThereBeforeIsTheUsersOwn) {
    make("old", 04755);
    EXPECT_THAT(find_setuid_files(project(), "2999-01-01T00:00:00Z", seconds(5)).paths, IsEmpty());
}

TEST_F(SetuidFilesTest, EndsWhenItsTimeOrItsRoomIsUsedUp) {
    for (int i = 0; i < 30; ++i) make(std::to_string(i), 04755);
    const SetuidFiles many = find_setuid_files(project(), kLongAgo, seconds(5));
    EXPECT_THAT(many.paths, SizeIs(20));
    EXPECT_FALSE(many.complete);
    EXPECT_FALSE(find_setuid_files(project(), kLongAgo, seconds(-1)).complete);
}

// Root reads everything, so this looks as somebody else where it can.
TEST_F(SetuidFilesTest, ADirectoryThatCannotBeReadIsIncomplete) {
    make("closed/program", 04755);
    EXPECT_EQ(::chmod((project() / "closed").c_str(), 0711), 0);
    ASSERT_EQ(::chmod(base().c_str(), 0755), 0);
    if (::geteuid() == 0) {
        ASSERT_EQ(::seteuid(65534), 0);
    } else {
        EXPECT_EQ(::chmod((project() / "closed").c_str(), 0111), 0);
    }
    const SetuidFiles found = find_setuid_files(project(), kLongAgo, seconds(5));
    if (::getuid() == 0) {
        ASSERT_EQ(::seteuid(0), 0);
    }
    EXPECT_EQ(::chmod((project() / "closed").c_str(), 0755), 0);
    EXPECT_THAT(found.paths, IsEmpty());
    EXPECT_FALSE(found.complete);
    EXPECT_TRUE(find_setuid_files(project(), kLongAgo, seconds(5)).complete);
}

TEST_F(SetuidFilesTest, AMissingDirectoryIsIncomplete) {
    EXPECT_FALSE(find_setuid_files(project() / "none", kLongAgo, seconds(5)).complete);
}

}  // namespace
}  // namespace alca::project
