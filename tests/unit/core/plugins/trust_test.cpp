#include "core/plugins/trust.hpp"

#include <gmock/gmock.h>

#include "unit/core/plugins/support.hpp"

namespace alca::plugins {
namespace {

using test::TempDir;
using ::testing::HasSubstr;

class TrustTest : public ::testing::Test {
  protected:
    void SetUp() override {
        test::write(file, "code");
        ::chmod((dir.path() / "sub").c_str(), 0755);
    }

    [[nodiscard]] Result<fs::path> check(const fs::path& path) const {
        return check_trust(path, context);
    }
    void expect_denied(const fs::path& path, const std::string& text) const {
        const auto result = check(path);
        ASSERT_FALSE(result) << *result;
        EXPECT_EQ(result.error().code, Code::denied);
        EXPECT_THAT(result.error().message, HasSubstr(text));
    }

    TempDir dir;
    fs::path file = dir.path() / "sub" / "x.so";
    TrustContext context{::geteuid(), {}, {}};
};

TEST_F(TrustTest, AcceptsAFileThatOnlyItsOwnerCanWrite) {
    const auto result = check(file);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(*result, file);
}

TEST_F(TrustTest, RefusesAFileThatOthersCanWrite) {
    ::chmod(file.c_str(), 0646);
    expect_denied(file, file.string() + " is writable by everybody; run: chmod go-w ");
}

TEST_F(TrustTest, RefusesAGroupWritableDirectory) {
    ::chmod(file.parent_path().c_str(), 0775);
    expect_denied(file, file.parent_path().string() + " is writable by its group; run: chmod go-w");
}

TEST_F(TrustTest, RefusesAStickyDirectoryOfSomebodyElse) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: gives a file to another user";
    ::chmod(file.parent_path().c_str(), 01777);
    ASSERT_TRUE(check(file));  // root's own sticky directory
    ASSERT_EQ(::chown(file.parent_path().c_str(), 1, 1), 0);
    expect_denied(file, "belongs to uid 1, must belong to root");
    context.user = 1;
    expect_denied(file, "is writable by everybody");
}

TEST_F(TrustTest, RefusesAFileOfAnotherUser) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: gives a file to another user";
    ASSERT_EQ(::chown(file.c_str(), 1, 1), 0);
    expect_denied(file, "belongs to uid 1, must belong to root; run: chown -h 0 ");
    context.user = 1;
    EXPECT_TRUE(check(file));
}

TEST_F(TrustTest, FollowsALinkOfTheUsersToTheFile) {
    const fs::path link = dir.path() / "link.so";
    fs::create_symlink("sub/../sub/x.so", link);
    const auto result = check(link);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(*result, file);
}

TEST_F(TrustTest, RefusesALinkOfAnotherUser) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: gives a link to another user";
    const fs::path link = dir.path() / "link.so";
    fs::create_symlink(file, link);
    ASSERT_EQ(::lchown(link.c_str(), 1, 1), 0);
    expect_denied(link, link.string() + " belongs to uid 1");
}

TEST_F(TrustTest, ChecksTheDirectoriesThatALinkLeadsThrough) {
    // link -> open/inner -> x.so: somebody could exchange open/inner.
    const fs::path open = dir.path() / "open";
    fs::create_directory(open);
    fs::create_symlink(file, open / "inner");
    fs::create_symlink(open / "inner", dir.path() / "link.so");
    ASSERT_TRUE(check(dir.path() / "link.so"));
    ::chmod(open.c_str(), 0777);
    expect_denied(dir.path() / "link.so", open.string() + " is writable by everybody");
}

TEST_F(TrustTest, RefusesALoopOfLinks) {
    fs::create_symlink("b", dir.path() / "a");
    fs::create_symlink("a", dir.path() / "b");
    const auto result = check(dir.path() / "a");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::invalid);
    EXPECT_THAT(result.error().message, HasSubstr("too many links"));
}

TEST_F(TrustTest, RefusesWhatIsNoRegularFile) {
    const auto directory = check(dir.path());
    ASSERT_FALSE(directory);
    EXPECT_EQ(directory.error().code, Code::invalid);
    ASSERT_EQ(::mkfifo((dir.path() / "fifo").c_str(), 0600), 0);
    EXPECT_FALSE(check(dir.path() / "fifo"));
}

TEST_F(TrustTest, RefusesARelativePath) {
    EXPECT_EQ(check("x.so").error().code, Code::invalid);
    EXPECT_EQ(check("").error().code, Code::invalid);
}

TEST_F(TrustTest, SaysThatAFileIsMissing) {
    EXPECT_EQ(check(dir.path() / "none.so").error().code, Code::not_found);
}

TEST_F(TrustTest, RefusesAFileInsideTheProject) {
    context.project_root = dir.path();
    expect_denied(file, "is inside the project, where the agent can write");
    context.project_root = dir.path() / "su";  // not a parent, only a prefix of the text
    EXPECT_TRUE(check(file));
}

TEST_F(TrustTest, SeesTheProjectThroughLinks) {
    const fs::path link = dir.path() / "project";
    fs::create_symlink("sub", link);
    context.project_root = link;
    expect_denied(file, "is inside the project");
}

TEST_F(TrustTest, RefusesAFileInsideAWritableMount) {
    context.writable_mounts = {"/nonexistent", file.parent_path() / ""};
    expect_denied(file, "which a sandbox can write");
}

}  // namespace
}  // namespace alca::plugins
