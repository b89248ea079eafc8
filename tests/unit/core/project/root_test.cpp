#include "core/project/root.hpp"

#include <gmock/gmock.h>

#include "support.hpp"

namespace alca::project {
namespace {

using testing::HasSubstr;

using RootTest = ProjectTest;

TEST_F(RootTest, NearestConfigurationUpwardWins) {
    write(base() / ".alca.toml", "");
    write(project() / ".alca.toml", "");
    fs::create_directories(project() / "a/b");
    EXPECT_EQ(find_root(project() / "a/b")->path, project());
    EXPECT_EQ(find_root(project())->path, project());
    EXPECT_EQ(find_root(base())->path, base());
}

TEST_F(RootTest, DirectoryNamedLikeTheFileIsPassedBy) {
    write(base() / ".alca.toml", "");
    fs::create_directory(project() / ".alca.toml");
    EXPECT_EQ(find_root(project())->path, base());
}

TEST_F(RootTest, SymlinkToAFileCounts) {
    write(base() / "real.toml", "");
    fs::create_symlink(base() / "real.toml", project() / ".alca.toml");
    EXPECT_EQ(find_root(project())->path, project());
}

TEST_F(RootTest, NoConfigurationSaysToRunInit) {
    const auto root = find_root(project());
    ASSERT_FALSE(root);
    EXPECT_EQ(root.error().code, Code::not_found);
    EXPECT_EQ(root.error().message, "configuration not found: run 'alca init' first");
}

TEST_F(RootTest, PathIsResolved) {
    write(project() / ".alca.toml", "");
    fs::create_directory_symlink(project(), base() / "link");
    EXPECT_EQ(find_root(base() / "link")->path, project());
}

TEST_F(RootTest, OddNamesAreKeptByteForByte) {
    for (const std::string& name : {std::string("a b"), std::string("$(x) `y` 'z' \"q\""),
                                    std::string("line\nbreak"), std::string(255, 'x')}) {
        fs::create_directory(project() / name);
        write(project() / name / ".alca.toml", "");
        const auto root = find_root(project() / name);
        ASSERT_TRUE(root) << root.error().message;
        EXPECT_EQ(root->path, project() / name);
    }
}

TEST_F(RootTest, PathThatIsNotUtf8IsRefused) {
    fs::create_directory(project() / "a\xff");
    const auto looked = look_at(project() / "a\xff");
    ASSERT_FALSE(looked);
    EXPECT_THAT(looked.error().message, HasSubstr("the path is not UTF-8; rename the directory"));
}

TEST_F(RootTest, FileIsNoProjectDirectory) {
    write(base() / "file", "");
    EXPECT_EQ(look_at(base() / "file").error().code, Code::invalid);
    EXPECT_EQ(look_at(base() / "gone").error().code, Code::not_found);
}

}  // namespace
}  // namespace alca::project
