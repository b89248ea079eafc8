#include "core/flow/approve.hpp"

#include <gmock/gmock.h>

#include "support.hpp"

namespace alca::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kPort = "[network]\nports = [\"8080:80\"]\n";
constexpr const char* kTwoPorts = "[network]\nports = [\"8080:80\", \"9090:90\"]\n";

class ApproveTest : public FlowTest {};

TEST_F(ApproveTest, WithoutATerminalPowersAreDeniedBeforeAnythingIsMade) {
    const auto done = up(kPort);

    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::denied);
    EXPECT_THAT(done.error().message, HasSubstr("alca up --trust"));
    EXPECT_THAT(journal.entries(), IsEmpty());
    EXPECT_EQ(left_over(), "");
}

TEST_F(ApproveTest, EachPowerIsNamedEvenWhenQuiet) {
    ui.quiet = true;

    ASSERT_FALSE(up(kTwoPorts));

    EXPECT_TRUE(ui.has_warned("8080"));
    EXPECT_TRUE(ui.has_warned("9090"));
}

TEST_F(ApproveTest, NoOnTheTerminalStartsNothing) {
    ui.answer = false;

    EXPECT_THAT(message_of(up(kPort)), HasSubstr("nothing was started"));
    EXPECT_THAT(journal.entries(), IsEmpty());
}

TEST_F(ApproveTest, YesOnTheTerminalIsRemembered) {
    ui.answer = true;
    ASSERT_TRUE(up(kPort));
    EXPECT_THAT(ui.questions, SizeIs(1));
    forget();
    ui.answer = std::nullopt;

    EXPECT_TRUE(up(kPort));
    EXPECT_THAT(ui.questions, IsEmpty());
}

TEST_F(ApproveTest, TrustApprovesWithoutAQuestionAndIsRemembered) {
    ASSERT_TRUE(up(kPort, {.trust = true}));
    EXPECT_THAT(ui.questions, IsEmpty());
    EXPECT_THAT(state().approved_powers, SizeIs(1));

    EXPECT_TRUE(up(kPort));
}

TEST_F(ApproveTest, APlainConfigurationAsksForNothing) {
    ASSERT_TRUE(up());

    EXPECT_THAT(ui.questions, IsEmpty());
    EXPECT_THAT(state().approved_powers, IsEmpty());
}

TEST_F(ApproveTest, AnApprovalOutlivesDown) {
    be_up(kPort, {.trust = true});
    ASSERT_TRUE(down());

    EXPECT_TRUE(up(kPort));
}

TEST_F(ApproveTest, APowerThatIsAddedLaterIsAskedForAndTheOldOneIsNot) {
    be_up(kPort, {.trust = true});

    EXPECT_FALSE(up(kTwoPorts));

    EXPECT_TRUE(ui.has_warned("9090"));
    EXPECT_FALSE(ui.has_warned("8080"));
}

TEST_F(ApproveTest, APowerThatWasRemovedAndComesBackIsAskedForAgain) {
    be_up(kTwoPorts, {.trust = true});
    be_up(kPort);

    EXPECT_THAT(message_of(up(kTwoPorts)), HasSubstr("powers need your approval"));
}

TEST_F(ApproveTest, APowerThatWasRemovedFromAStoppedSandboxIsAskedForAgain) {
    be_up(kTwoPorts, {.trust = true});
    ASSERT_TRUE(down({.keep = true}));
    be_up(kPort);

    EXPECT_FALSE(up(kTwoPorts));
}

TEST_F(ApproveTest, ADeniedPowerDoesNotTakeAwayWhatWasApproved) {
    be_up(kPort, {.trust = true});
    ASSERT_FALSE(up(kTwoPorts));

    EXPECT_TRUE(up(kPort));
}

TEST_F(ApproveTest, OpenNetworkIsAPower) {
    EXPECT_FALSE(up("[network]\nlan-access = [\"*\"]\n"));
    EXPECT_TRUE(ui.has_warned("local network"));
}

TEST_F(ApproveTest, TheProjectCannotApproveByWritingTheCopyOfTheState) {
    fs::create_directory(project.path() / ".alca");
    fakes::write_text(project.path() / ".alca" / "state.json",
                      R"({"approved_powers": ["port 127.0.0.1:8080/tcp 80"]})");

    EXPECT_FALSE(up(kPort));
}

}  // namespace
}  // namespace alca::flow
