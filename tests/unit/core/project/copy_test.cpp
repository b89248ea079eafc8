#include "core/project/copy.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include "support.hpp"

namespace alca::project {
namespace {

using testing::HasSubstr;

class CopyTest : public ProjectTest {
  protected:
    [[nodiscard]] State state() const {
        State state = make_state(directory());
        state.created_at = "2026-11-24T06:37:00Z";
        return state;
    }
    [[nodiscard]] fs::path file() const { return project() / ".alca" / "state.json"; }
};

TEST_F(CopyTest, HoldsTheFourDocumentedKeys) {
    const State original = state();
    ASSERT_TRUE(write_copy(original, "Docker"));
    const auto json = parse_object(read(file()));
    ASSERT_TRUE(json);
    EXPECT_EQ(*json, (Json{{"project_id", original.project_id},
                           {"container_name", original.container_name},
                           {"runtime", "Docker"},
                           {"created_at", "2026-11-24T06:37:00Z"}}));
    EXPECT_EQ(mode(file()), 0644U);
}

TEST_F(CopyTest, OldCopyIsReplacedAndNothingElseIsLeft) {
    ASSERT_TRUE(write_copy(state(), "Docker"));
    ASSERT_TRUE(write_copy(state(), "Podman"));
    EXPECT_THAT(read(file()), HasSubstr("Podman"));
    EXPECT_EQ(std::distance(fs::directory_iterator(project() / ".alca"), fs::directory_iterator()),
              1);
}

TEST_F(CopyTest, CheckPassesWhenNothingOrADirectoryIsThereAndMakesNothing) {
    EXPECT_TRUE(check_copy(project()));
    EXPECT_FALSE(fs::exists(project() / ".alca"));
    fs::create_directory(project() / ".alca");
    EXPECT_TRUE(check_copy(project()));
}

TEST_F(CopyTest, SymlinkInPlaceOfTheDirectoryIsAnErrorAndNotFollowed) {
    fs::create_directory(base() / "elsewhere");
    fs::create_directory_symlink(base() / "elsewhere", project() / ".alca");
    EXPECT_EQ(check_copy(project()).error().code, Code::invalid);
    const auto written = write_copy(state(), "Docker");
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().message, HasSubstr("is not a real directory"));
    EXPECT_TRUE(fs::is_empty(base() / "elsewhere"));
}

TEST_F(CopyTest, DanglingSymlinkIsAnError) {
    fs::create_symlink(base() / "nowhere", project() / ".alca");
    EXPECT_FALSE(check_copy(project()));
    EXPECT_FALSE(write_copy(state(), "Docker"));
    EXPECT_FALSE(fs::exists(base() / "nowhere"));
}

TEST_F(CopyTest, FileInPlaceOfTheDirectoryIsAnError) {
    write(project() / ".alca", "");
    EXPECT_THAT(check_copy(project()).error().message, HasSubstr("remove it"));
    EXPECT_FALSE(write_copy(state(), "Docker"));
}

TEST_F(CopyTest, SymlinkInPlaceOfTheFileIsReplacedNotFollowed) {
    write(base() / "victim", "keep");
    fs::create_directory(project() / ".alca");
    fs::create_symlink(base() / "victim", file());
    ASSERT_TRUE(write_copy(state(), "Docker"));
    EXPECT_EQ(read(base() / "victim"), "keep");
    EXPECT_FALSE(fs::is_symlink(file()));
}

TEST_F(CopyTest, DirectoryInPlaceOfTheFileIsAnErrorAndLeavesNoTemporaryFile) {
    fs::create_directories(file() / "x");
    const auto written = write_copy(state(), "Docker");
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().message, HasSubstr(file().string()));
    EXPECT_EQ(std::distance(fs::directory_iterator(project() / ".alca"), fs::directory_iterator()),
              1);
}

TEST_F(CopyTest, ReadOnlyDirectoryIsDenied) {
    if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
    fs::create_directory(project() / ".alca");
    fs::permissions(project() / ".alca", fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_FALSE(write_copy(state(), "Docker"));
}

}  // namespace
}  // namespace alca::project
