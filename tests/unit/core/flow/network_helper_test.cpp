#include "core/flow/network_helper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "core/os/capabilities.hpp"
#include "core/os/file_capability.hpp"
#include "tests/support/fakes/temporary_project.hpp"

namespace alca::flow {
namespace {

using testing::HasSubstr;

class NetworkHelperTest : public testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root: files of root with a capability";
        std::ofstream(source_) << "the program";
        ::chmod(source_.c_str(), 0755);
    }

    Result<NetworkHelper> look() { return look_at_network_helper(source_, installed_); }
    std::string problem() {
        const auto found = look();
        return found ? found->problem : found.error().message;
    }
    // Below /tmp everybody could put a file of his own there, so this is refused by itself.
    Result<void> install(const std::string& group = "daemon") {
        return install_network_helper(source_, installed_, group);
    }

    fakes::TemporaryProject project_;
    fs::path source_ = project_.base() / "source";
    // Made for the test and removed with it.
    fs::path directory_ = "/var/lib/alca-test-helper";
    fs::path installed_ = directory_ / "helper";

    void TearDown() override {
        std::error_code error;
        fs::remove_all(directory_, error);
    }
};

TEST_F(NetworkHelperTest, IsInstalledForOneGroupWithOneCapability) {
    EXPECT_FALSE(look()->installed);
    const auto done = install();
    ASSERT_TRUE(done.has_value()) << done.error().message;
    struct stat info{};
    ASSERT_EQ(::stat(installed_.c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 0U);
    EXPECT_EQ(info.st_mode & 07777, 0750U);
    EXPECT_EQ(os::file_capabilities(installed_).value_or(0), os::capability_mask({"NET_ADMIN"}));
    const auto found = look();
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(found->installed);
    EXPECT_FALSE(found->needs_update);
    EXPECT_EQ(found->group, "daemon");
    EXPECT_EQ(found->problem, "");
}

TEST_F(NetworkHelperTest, AnotherContentIsAnUpdate) {
    ASSERT_TRUE(install().has_value());
    std::ofstream(source_) << "a newer program";
    EXPECT_TRUE(look()->needs_update);
    ASSERT_TRUE(install().has_value());
    EXPECT_FALSE(look()->needs_update);
}

TEST_F(NetworkHelperTest, WhatWasChangedIsAProblem) {
    ASSERT_TRUE(install().has_value());
    ::chmod(installed_.c_str(), 0755);
    EXPECT_THAT(problem(), HasSubstr("mode is 755"));
    ASSERT_TRUE(install().has_value());
    ASSERT_EQ(::chown(installed_.c_str(), 1, 1), 0);
    EXPECT_THAT(problem(), HasSubstr("does not belong to root"));
    ASSERT_TRUE(install().has_value());
    ASSERT_TRUE(
        os::set_file_capabilities(installed_, os::capability_mask({"NET_ADMIN", "SYS_ADMIN"}))
            .has_value());
    EXPECT_THAT(problem(), HasSubstr("CAP_NET_ADMIN"));
    EXPECT_TRUE(look()->needs_update);
}

TEST_F(NetworkHelperTest, ADirectoryThatOthersCanChangeIsRefused) {
    fs::create_directory(directory_);
    ::chmod(directory_.c_str(), 0777);
    const auto done = install();
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, Code::denied);
    EXPECT_FALSE(fs::exists(installed_));
}

TEST_F(NetworkHelperTest, AGroupThatIsNotThereIsNamed) {
    const auto done = install("no-such-group");
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, Code::not_found);
    EXPECT_THAT(done.error().message, HasSubstr("no-such-group"));
    EXPECT_EQ(group_called("1").value_or(""), "daemon");
    EXPECT_EQ(group_called("4000000000").value_or(""), "4000000000");
    EXPECT_FALSE(group_called("0x1").has_value());
}

TEST_F(NetworkHelperTest, AMissingProgramIsAnError) {
    fs::remove(source_);
    EXPECT_THAT(install().error().message, HasSubstr("a part of alca is missing"));
}

TEST_F(NetworkHelperTest, UninstallLeavesNothing) {
    ASSERT_TRUE(install().has_value());
    ASSERT_TRUE(uninstall_network_helper(installed_).has_value());
    EXPECT_FALSE(fs::exists(directory_));
    EXPECT_TRUE(uninstall_network_helper(installed_).has_value());
}

TEST_F(NetworkHelperTest, ASymlinkInItsPlaceIsReplacedNotFollowed) {
    fs::create_directory(directory_);
    const fs::path victim = project_.base() / "victim";
    std::ofstream(victim) << "untouched";
    fs::create_symlink(victim, installed_);
    EXPECT_EQ(problem(), "it is no regular file");
    ASSERT_TRUE(install().has_value());
    EXPECT_FALSE(fs::is_symlink(installed_));
    struct stat info{};
    ASSERT_EQ(::stat(victim.c_str(), &info), 0);
    EXPECT_NE(info.st_mode & 07777, 0750U);
}

}  // namespace
}  // namespace alca::flow
