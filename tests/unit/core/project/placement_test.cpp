#include <gmock/gmock.h>

#include "support.hpp"

namespace alca::project {
namespace {

using testing::HasSubstr;
using Kind = Placement::Kind;

class PlacementTest : public ProjectTest {
  protected:
    // Of a project whose sandbox exists.
    [[nodiscard]] State live_state() const {
        State state = make_state(directory());
        state.phase = Phase::ready;
        return state;
    }
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
    const State state = live_state();
    ASSERT_TRUE(store().save(state));
    fs::rename(project(), base() / "renamed");
    const Placement placement = place(base() / "renamed");
    EXPECT_EQ(placement.kind, Kind::moved);
    EXPECT_EQ(placement.from, project());
    ASSERT_TRUE(placement.state.has_value());
    EXPECT_EQ(placement.state->project_id, state.project_id);
}

TEST_F(PlacementTest, MovedDirectoryIsFoundAlsoWhenAnotherTookItsPlace) {
    ASSERT_TRUE(store().save(live_state()));
    fs::rename(project(), base() / "renamed");
    fs::create_directory(project());
    EXPECT_EQ(place(base() / "renamed").kind, Kind::moved);
    EXPECT_EQ(place(project()).kind, Kind::replaced);
}

TEST_F(PlacementTest, OnceTakenDownAReplacedDirectoryIsFreshAndInheritsNothing) {
    ASSERT_TRUE(store().save(make_state(directory())));
    fs::rename(project(), base() / "kept so that its inode is not used again");
    fs::create_directory(project());
    const Placement placement = place(project());
    EXPECT_EQ(placement.kind, Kind::fresh);
    EXPECT_FALSE(placement.state.has_value());
}

TEST_F(PlacementTest, OnceTakenDownAMovedDirectoryIsFreshAndInheritsNothing) {
    ASSERT_TRUE(store().save(make_state(directory())));
    fs::rename(project(), base() / "renamed");
    const Placement placement = place(base() / "renamed");
    EXPECT_EQ(placement.kind, Kind::fresh);
    EXPECT_FALSE(placement.state.has_value());
}

TEST_F(PlacementTest, DirectoryThatMovedToWhereAnotherWasTakenDownHasMoved) {
    const fs::path other = base() / "other";
    fs::create_directory(other);
    const auto was = look_at(other);
    ASSERT_TRUE(was);
    ASSERT_TRUE(store().save(make_state(*was)));
    ASSERT_TRUE(store().save(live_state()));
    fs::rename(other, base() / "kept");
    fs::rename(project(), other);
    const Placement placement = place(other);
    EXPECT_EQ(placement.kind, Kind::moved);
    EXPECT_EQ(placement.from, project());
}

TEST_F(PlacementTest, CopyIsFresh) {
    ASSERT_TRUE(store().save(live_state()));
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
