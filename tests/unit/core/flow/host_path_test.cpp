#include "core/flow/host_path.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "support.hpp"

namespace alca::flow {
namespace {

class HostPathTest : public ::testing::Test {
  protected:
    HostPathTest() {
        fs::create_directories(base() / "home");
        fs::create_directories(shared() / "sub");
        std::ofstream(base() / "home/secret") << "secret";
        std::ofstream(shared() / "sub/file") << "file";
        fs::create_directory_symlink("../home", shared() / "escape");
        fs::create_directory_symlink("sub", shared() / "link");
        fs::create_directory_symlink(shared() / "sub", base() / "home/to-sub");
        fs::create_directory_symlink(shared() / "escape", base() / "home/to-escape");
        fs::create_symlink("../shared/escape/secret", base() / "home/to-secret");
    }
    [[nodiscard]] fs::path base() const { return project.base(); }
    [[nodiscard]] fs::path shared() const { return base() / "shared"; }

    // The first bytes of what it leads to; "errno N" when it may not be opened.
    std::string open(const std::string& typed, const fs::path& from,
                     LastLink last = LastLink::followed) const {
        const auto path =
            resolve_host_path(typed, from, {shared(), base() / "no-such-place"}, last);
        if (!path) return path.error().message;
        const auto fd = tree::open_in(path->directory(), path->path.c_str(), O_RDONLY, path->reach);
        if (!fd.is_open()) return "errno " + std::to_string(errno);
        std::string text(6, '\0');
        const ssize_t count = ::read(fd.get(), text.data(), text.size());
        return count < 0 ? "directory" : text.substr(0, static_cast<std::size_t>(count));
    }

    fakes::TemporaryProject project;
    const std::string escape = "errno " + std::to_string(EXDEV);
};

TEST_F(HostPathTest, LinksOfASharedDirectoryDoNotLeadOutOfIt) {
    EXPECT_EQ(open("escape/secret", shared()), escape);
    EXPECT_EQ(open("shared/escape/secret", base()), escape);
    EXPECT_EQ(open((shared() / "escape/secret").string(), "/"), escape);
    EXPECT_EQ(open("../escape/secret", shared() / "sub"), escape);
    // By a way of the user's own into the shared directory.
    EXPECT_EQ(open("to-sub/../escape/secret", base() / "home"), escape);
}

// The user's own link leads to what the sandbox has replaced by a link since.
TEST_F(HostPathTest, NorDoTheyWhenALinkOfTheUsersLeadsToThem) {
    EXPECT_EQ(open("to-escape", base() / "home"), escape);
    EXPECT_EQ(open("to-escape/", base() / "home"), escape);
    EXPECT_EQ(open("to-escape/secret", base() / "home"), escape);
    EXPECT_EQ(open("to-escape/secret", base() / "home", LastLink::kept), escape);
    EXPECT_EQ(open("home/to-secret", base()), escape);
}

// A mount's source in the project, which the sandbox has made a link since.
TEST_F(HostPathTest, ASharedDirectoryBelowAnotherWidensNothing) {
    fs::create_directory_symlink("..", shared() / "cache");
    const auto path = resolve_host_path("escape/secret", shared(), {shared(), shared() / "cache"},
                                        LastLink::kept);
    ASSERT_TRUE(path);
    const auto fd = tree::open_in(path->directory(), path->path.c_str(), O_RDONLY, path->reach);
    EXPECT_FALSE(fd.is_open());
    EXPECT_EQ(errno, EXDEV);
}

TEST_F(HostPathTest, LinksInARingAreAnError) {
    fs::create_symlink("ring", base() / "home/ring");
    EXPECT_THAT(open("ring/x", base() / "home"), testing::HasSubstr("symbolic links"));
}

TEST_F(HostPathTest, LinksThatStayInsideAreFollowed) {
    EXPECT_EQ(open("link/file", shared()), "file");
    EXPECT_EQ(open("link/../sub/file", shared()), "file");
    EXPECT_EQ(open("to-sub/file", base() / "home"), "file");
}

TEST_F(HostPathTest, ElsewherePathsAreThoseOfTheUser) {
    EXPECT_EQ(open("secret", base() / "home"), "secret");
    EXPECT_EQ(open((base() / "home/secret").string(), shared()), "secret");
    EXPECT_EQ(open("to-sub", base() / "home"), "directory");
    EXPECT_EQ(open(".", shared()), "directory");
}

TEST_F(HostPathTest, UpwardOutOfTheSharedDirectoryIsToBeNamedInFull) {
    EXPECT_EQ(open("../home/secret", shared()), "secret");
    EXPECT_EQ(open("sub/../../home/secret", shared()), escape);
}

TEST_F(HostPathTest, ATrailingSlashStays) {
    const auto path = resolve_host_path("sub/", shared(), {shared()}, LastLink::kept);
    ASSERT_TRUE(path);
    EXPECT_EQ(path->path, "./sub/");
}

}  // namespace
}  // namespace alca::flow
