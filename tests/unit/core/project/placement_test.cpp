#include <gmock/gmock.h>

#include "support.hpp"

namespace alca::project {
namespace {

using testing::HasSubstr;
using Kind = Placement::Kind;

class PlacementTest : public ProjectTest {
  protected:
    [[nodiscard]] Placement place(const fs::path& path) const {
        const auto directory = look_at(path);
        EXPECT_TRUE(directory);
        auto placement = store().place(*directory);
        EXPECT_TRUE(placement);
        return std::move(placement).value_or(Placement{});
    }
};

TEST_F(PlacementTest, UnknownDirectoryIsFresh) { EXPECT_EQ(place(project()).kind, Kind::fresh); }

TEST_F(PlacementTest, KnownDirectoryIsTheSame) {
    ASSERT_TRUE(store().save(make_state(directory())));
    const Placement placement = place(project());
    EXPECT_EQ(placement.kind, Kind::same);
    EXPECT_TRUE(placement.state.has_value());
}

TEST_F(PlacementTest, AnotherDeviceNumberAloneIsStillTheSame) {
    State state = make_state(directory());
    state.directory.device += 1;
    ASSERT_TRUE(store().save(state));
    EXPECT_EQ(place(project()).kind, Kind::same);
}

TEST_F(PlacementTest, MovedDirectoryIsFoundUnderItsOldPath) {
    const State state = make_state(directory());
    ASSERT_TRUE(store().save(state));
    fs::rename(project(), base() / "renamed");
    const Placement placement = place(base() / "renamed");
    EXPECT_EQ(placement.kind, Kind::moved);
    EXPECT_EQ(placement.from, project());
    ASSERT_TRUE(placement.state.has_value());
    EXPECT_EQ(placement.state->project_id, state.project_id);
}

TEST_F(PlacementTest, MovedDirectoryIsFoundAlsoWhenAnotherTookItsPlace) {
    ASSERT_TRUE(store().save(make_state(directory())));
    fs::rename(project(), base() / "renamed");
    fs::create_directory(project());
    EXPECT_EQ(place(base() / "renamed").kind, Kind::moved);
    EXPECT_EQ(place(project()).kind, Kind::replaced);
}

TEST_F(PlacementTest, CopyIsFresh) {
    ASSERT_TRUE(store().save(make_state(directory())));
    fs::copy(project(), base() / "copy", fs::copy_options::recursive);
    EXPECT_EQ(place(base() / "copy").kind, Kind::fresh);
    EXPECT_EQ(place(project()).kind, Kind::same);
}

TEST_F(PlacementTest, UnreadableStateOfAnotherProjectDoesNotMatter) {
    ASSERT_TRUE(store().prepare());
    write(state_dir() / "projects" / "bad.json", "{");
    EXPECT_EQ(place(project()).kind, Kind::fresh);
}

TEST_F(PlacementTest, MessagesNamePathsAndWhatToDo) {
    Placement placement;
    placement.kind = Kind::moved;
    placement.from = "/old";
    const std::string moved = misplaced(placement, {"/new", 1, 2}).message;
    EXPECT_THAT(moved, HasSubstr("project directory has moved from /old to /new"));
    EXPECT_THAT(moved, HasSubstr("project path mismatch"));
    EXPECT_THAT(moved, HasSubstr("'alca down', then 'alca up'"));
    placement.kind = Kind::replaced;
    EXPECT_THAT(misplaced(placement, {"/new", 1, 2}).message,
                HasSubstr("/new is another directory"));
}

}  // namespace
}  // namespace alca::project
