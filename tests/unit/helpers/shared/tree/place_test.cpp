#include "helpers/shared/tree/place.hpp"

#include <cerrno>

#include "support.hpp"

namespace alca::tree {
namespace {

class PlaceTest : public ::testing::Test {
  protected:
    PlaceTest() {
        scratch.make_directory("in/there");
        scratch.make_directory("out");
        scratch.write("in/file", "");
        fs::create_symlink("there", scratch.path() / "in/link");
        fs::create_symlink("../out", scratch.path() / "in/escape");
        directory = scratch.open("in");
    }

    // Where it leads, relative to the scratch directory, or "errno N".
    std::string find(const char* path, std::string_view name, Reach reach = Reach::beneath) {
        Place place;
        if (!find_place(directory.get(), path, reach, name, place)) {
            return "errno " + std::to_string(errno);
        }
        const auto real =
            fs::read_symlink("/proc/self/fd/" + std::to_string(place.directory.get()));
        return real.lexically_relative(scratch.path()).string() + " + " +
               std::string(place.top.view()) + (place.must_be_directory ? " (directory)" : "");
    }

    Scratch scratch;
    Fd directory;
};

TEST_F(PlaceTest, IntoADirectoryThatIsThere) {
    EXPECT_EQ(find("there", "x"), "in/there + x");
    EXPECT_EQ(find("there/", "x"), "in/there + x");
    EXPECT_EQ(find(".", "x"), "in + x");
    EXPECT_EQ(find("", "x"), "in + x");
    EXPECT_EQ(find("there", "."), "in/there + ");
    EXPECT_EQ(find("link", "x"), "in/there + x");
}

TEST_F(PlaceTest, AsANewNameOrInPlaceOfAFile) {
    EXPECT_EQ(find("new", "x"), "in + new");
    EXPECT_EQ(find("file", "x"), "in + file");
    EXPECT_EQ(find("there/new", "x"), "in/there + new");
    EXPECT_EQ(find("new/", "x"), "in + new (directory)");
    EXPECT_EQ(find("new", "."), "in + new (directory)");
}

TEST_F(PlaceTest, NothingIsMadeOnTheWay) {
    EXPECT_EQ(find("no/new", "x"), "errno " + std::to_string(ENOENT));
    EXPECT_EQ(find("file/new", "x"), "errno " + std::to_string(ENOTDIR));
    EXPECT_EQ(find("new/.", "x"), "errno " + std::to_string(ENOENT));
    EXPECT_EQ(find("new/..", "x"), "errno " + std::to_string(ENOENT));
}

TEST_F(PlaceTest, NotOutOfTheDirectoryThatHolds) {
    const std::string escape = "errno " + std::to_string(EXDEV);
    EXPECT_EQ(find("escape", "x"), escape);
    EXPECT_EQ(find("escape/new", "x"), escape);
    EXPECT_EQ(find("../out", "x"), escape);
    EXPECT_EQ(find("/", "x"), escape);
    EXPECT_EQ(find("escape", "x", Reach::anywhere), "out + x");
    EXPECT_EQ(find("escape/new", "x", Reach::anywhere), "out + new");
}

TEST_F(PlaceTest, ANameInTheRootDirectory) {
    Place place;
    ASSERT_TRUE(find_place(AT_FDCWD, "/no-such-name", Reach::anywhere, "x", place));
    EXPECT_EQ(fs::read_symlink("/proc/self/fd/" + std::to_string(place.directory.get())), "/");
    EXPECT_EQ(place.top.view(), "no-such-name");
}

}  // namespace
}  // namespace alca::tree
