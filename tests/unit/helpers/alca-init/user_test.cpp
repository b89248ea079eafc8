#include "helpers/alca-init/user.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "helpers/alca-init/directory.hpp"
#include "helpers/alca-init/fd.hpp"

namespace alca::init {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kUid = 4001;
constexpr std::uint32_t kGid = 4002;

TEST(UserTest, ReadsItsFourParts) {
    User user;
    Text fault;
    ASSERT_TRUE(parse_user("1000:0:_agent-1:/home/a b", user, fault));
    EXPECT_EQ(user.uid, 1000U);
    EXPECT_EQ(user.gid, 0U);
    EXPECT_EQ(user.name, "_agent-1");
    EXPECT_EQ(user.home, "/home/a b");
}

TEST(UserTest, RefusesEveryWrongPart) {
    for (const char* text : {"",
                             "1000",
                             "1000:1000",
                             "1000:1000:agent",
                             "0:0:root:/root",
                             "-1:1:a:/h",
                             "+1:1:a:/h",
                             "4294967295:1:a:/h",
                             "1:4294967295:a:/h",
                             "99999999999999999999:1:a:/h",
                             "1x:1:a:/h",
                             "1::a:/h",
                             "1:1::/h",
                             "1:1:Agent:/h",
                             "1:1:1a:/h",
                             "1:1:-a:/h",
                             "1:1:a b:/h",
                             "1:1:a23456789012345678901234567890123:/h",
                             "1:1:a:",
                             "1:1:a:h",
                             "1:1:a:/h/../etc",
                             "1:1:a:/h/..",
                             "1:1:a:/./h",
                             "1:1:a:/h:/bin/sh",
                             "1:1:a:/h\nroot::0:0::/:/bin/sh"}) {
        User user;
        Text fault;
        EXPECT_FALSE(parse_user(text, user, fault)) << text;
        EXPECT_FALSE(fault.view().empty()) << text;
    }
}

// Works in a directory that stands for the root of an image. Owners can be changed by root only.
class PrepareUserTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root to change owners";
        std::string pattern = ::testing::TempDir() + "alca-init-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
        write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
        write("etc/group", "root:x:0:\n");
    }
    void TearDown() override {
        std::error_code ignored;
        if (!root_.empty()) fs::remove_all(root_, ignored);
    }

    void write(const std::string& path, const std::string& text) const {
        fs::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path) << text;
    }
    [[nodiscard]] std::string read(const std::string& path) const {
        std::ifstream file(root_ / path);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void make_directory(const std::string& path, std::uint32_t owner) const {
        fs::create_directories(root_ / path);
        ASSERT_EQ(::chown((root_ / path).c_str(), owner, owner), 0);
    }
    [[nodiscard]] std::uint32_t owner_of(const std::string& path) const {
        struct stat status{};
        EXPECT_EQ(::lstat((root_ / path).c_str(), &status), 0) << path;
        return status.st_uid;
    }

    bool prepare(std::vector<std::string_view> own = {}, std::string_view home = "/home/agent") {
        const Fd root(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        return prepare_user(root.get(), {.uid = kUid, .gid = kGid, .name = "agent", .home = home},
                            own, fault_);
    }

    fs::path root_;
    Text fault_;
};

TEST_F(PrepareUserTest, AddsUserGroupAndHome) {
    ASSERT_TRUE(prepare()) << fault_.view();
    EXPECT_EQ(read("etc/passwd"),
              "root:x:0:0:root:/root:/bin/sh\nagent:x:4001:4002::/home/agent:/bin/sh\n");
    EXPECT_EQ(read("etc/group"), "root:x:0:\nagent:x:4002:\n");
    EXPECT_EQ(owner_of("home/agent"), kUid);
    EXPECT_EQ(owner_of("home"), 0U);
}

TEST_F(PrepareUserTest, SecondTimeChangesNothing) {
    ASSERT_TRUE(prepare()) << fault_.view();
    const std::string passwd = read("etc/passwd");
    const std::string group = read("etc/group");
    ASSERT_TRUE(prepare()) << fault_.view();
    EXPECT_EQ(read("etc/passwd"), passwd);
    EXPECT_EQ(read("etc/group"), group);
}

TEST_F(PrepareUserTest, PrefersBash) {
    write("bin/bash", "");
    fs::permissions(root_ / "bin/bash", fs::perms::owner_all);
    ASSERT_TRUE(prepare()) << fault_.view();
    EXPECT_TRUE(read("etc/passwd").ends_with(":/home/agent:/bin/bash\n"));
}

TEST_F(PrepareUserTest, KeepsTheEntryAndHomeThatAUserHas) {
    write("etc/passwd", "node:x:4001:1::/home/node:/bin/sh\n");
    ASSERT_TRUE(prepare()) << fault_.view();
    EXPECT_EQ(read("etc/passwd"), "node:x:4001:1::/home/node:/bin/sh\n");
    EXPECT_EQ(owner_of("home/node"), kUid);
    EXPECT_FALSE(fs::exists(root_ / "home/agent"));
}

TEST_F(PrepareUserTest, TakenNamesGetTheId) {
    write("etc/passwd", "agent:x:1:1::/:/bin/sh\n");
    write("etc/group", "agent:x:1:\n");
    ASSERT_TRUE(prepare()) << fault_.view();
    EXPECT_TRUE(read("etc/passwd").ends_with("\nagent-4001:x:4001:4002::/home/agent:/bin/sh\n"));
    EXPECT_TRUE(read("etc/group").ends_with("\nagent-4002:x:4002:\n"));
}

TEST_F(PrepareUserTest, RefusesWhenBothNamesAreTaken) {
    write("etc/passwd", "agent:x:1:1::/:/bin/sh\nagent-4001:x:2:2::/:/bin/sh\n");
    EXPECT_FALSE(prepare());
    EXPECT_NE(fault_.view().find("choose another user name"), std::string_view::npos);
}

TEST_F(PrepareUserTest, CompletesALastLineWithoutNewline) {
    write("etc/passwd", "root:x:0:0:root:/root:/bin/sh");
    ASSERT_TRUE(prepare()) << fault_.view();
    EXPECT_EQ(read("etc/passwd"),
              "root:x:0:0:root:/root:/bin/sh\nagent:x:4001:4002::/home/agent:/bin/sh\n");
}

TEST_F(PrepareUserTest, ImageWithoutAnyFilesIsEnough) {
    fs::remove_all(root_ / "etc");
    ASSERT_TRUE(prepare()) << fault_.view();
    EXPECT_EQ(read("etc/passwd"), "agent:x:4001:4002::/home/agent:/bin/sh\n");
}

TEST_F(PrepareUserTest, RefusesSymbolicLinkAsPasswd) {
    write("elsewhere", "");
    fs::remove(root_ / "etc/passwd");
    fs::create_symlink("../elsewhere", root_ / "etc/passwd");
    EXPECT_FALSE(prepare());
    EXPECT_EQ(read("elsewhere"), "");
}

TEST_F(PrepareUserTest, RefusesFifoAsPasswdWithoutWaiting) {
    fs::remove(root_ / "etc/passwd");
    ASSERT_EQ(::mkfifo((root_ / "etc/passwd").c_str(), 0644), 0);
    EXPECT_FALSE(prepare());
}

TEST_F(PrepareUserTest, GivesAwayRootsDirectories) {
    make_directory("home/agent/.claude", 0);
    ASSERT_TRUE(prepare({"/home/agent/.claude"})) << fault_.view();
    EXPECT_EQ(owner_of("home/agent"), kUid);
    EXPECT_EQ(owner_of("home/agent/.claude"), kUid);
}

TEST_F(PrepareUserTest, DoesNotGiveAwayWhatIsBelow) {
    make_directory("home/agent/sub", 0);
    write("home/agent/file", "");
    ASSERT_TRUE(prepare()) << fault_.view();
    EXPECT_EQ(owner_of("home/agent/sub"), 0U);
    EXPECT_EQ(owner_of("home/agent/file"), 0U);
}

TEST_F(PrepareUserTest, RefusesDirectoryOfAnotherUser) {
    make_directory("home/agent", 5);
    EXPECT_FALSE(prepare());
    EXPECT_EQ(
        fault_.view(),
        "directory /home/agent belongs to uid 5, not to 4001; choose another directory or user");
    EXPECT_EQ(owner_of("home/agent"), 5U);
}

TEST_F(PrepareUserTest, RefusesSymbolicLinks) {
    make_directory("secret", 0);
    make_directory("home", 0);
    fs::create_directory_symlink("/secret", root_ / "home/agent");
    EXPECT_FALSE(prepare());
    EXPECT_NE(fault_.view().find("symbolic link"), std::string_view::npos);
    fs::create_directory_symlink("../secret", root_ / "home/link");
    EXPECT_FALSE(prepare({}, "/home/link/deep"));
    EXPECT_FALSE(prepare({"/home/link"}, "/home/good"));
    EXPECT_EQ(owner_of("secret"), 0U);
}

TEST_F(PrepareUserTest, RefusesSystemDirectories) {
    write("usr/sbin/program", "");
    write("var/lib/file", "");
    for (const char* home : {"/", "//", "/usr/sbin", "/usr", "/etc", "/var"}) {
        EXPECT_FALSE(prepare({}, home)) << home;
        EXPECT_NE(fault_.view().find("system directory"), std::string_view::npos) << home;
    }
    EXPECT_EQ(owner_of("usr/sbin"), 0U);
    EXPECT_EQ(owner_of("var"), 0U);
}

TEST_F(PrepareUserTest, EmptySystemDirectoryIsAFreshVolume) {
    make_directory("usr/local/cache", 0);
    make_directory("data/lost+found", 0);
    ASSERT_TRUE(prepare({"/usr/local/cache", "/data"})) << fault_.view();
    EXPECT_EQ(owner_of("usr/local/cache"), kUid);
    EXPECT_EQ(owner_of("data"), kUid);
}

TEST_F(PrepareUserTest, RefusesFileAsHome) {
    write("home/agent", "");
    EXPECT_FALSE(prepare());
    EXPECT_EQ(owner_of("home/agent"), 0U);
}

TEST_F(PrepareUserTest, RefusesBrokenHomeOfTheImage) {
    write("etc/passwd", "node:x:4001:1::home/node:/bin/sh\n");
    EXPECT_FALSE(prepare());
    EXPECT_NE(fault_.view().find("is no absolute path"), std::string_view::npos);
}

}  // namespace
}  // namespace alca::init
