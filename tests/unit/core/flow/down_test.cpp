#include "core/flow/down.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "core/project/lock.hpp"
#include "support.hpp"

namespace alca::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DownTest : public FlowTest {};

TEST_F(DownTest, RulesGoLast) {
    be_up();

    ASSERT_TRUE(down());

    EXPECT_THAT(journal.entries(), ElementsAre("firewall.probe", "runtime.status", "runtime.remove",
                                               "firewall.remove"));
    EXPECT_EQ(left_over(), "");
    EXPECT_EQ(state().phase, project::Phase::absent);
    EXPECT_EQ(state().container_id, "");
    EXPECT_EQ(state().firewall.plugin, "");
}

TEST_F(DownTest, SetuidFilesThatAppearedAreTold) {
    be_up();
    const fs::path file = project.path() / "program";
    std::ofstream(file) << "x";
    ASSERT_EQ(::chmod(file.c_str(), 04755), 0);

    ASSERT_TRUE(down());

    EXPECT_TRUE(ui.has_warned(file.string() + " has a set-user-ID"));
}

TEST_F(DownTest, ApprovalsStay) {
    be_up("[network]\nports = [\"8080:80\"]\n", {.trust = true});
    ASSERT_THAT(state().approved_powers, testing::Not(IsEmpty()));

    ASSERT_TRUE(down());

    EXPECT_THAT(state().approved_powers, testing::Not(IsEmpty()));
}

TEST_F(DownTest, WithoutAStateItIsSuccessAndNothingIsAsked) {
    ASSERT_TRUE(down());

    EXPECT_THAT(journal.entries(), IsEmpty());
    EXPECT_TRUE(ui.has_said("No state file found"));
}

TEST_F(DownTest, ASecondDownIsSuccess) {
    be_up();
    ASSERT_TRUE(down());

    EXPECT_TRUE(down());
    EXPECT_EQ(left_over(), "");
}

// An `up` that was killed between making a container and writing that down.
TEST_F(DownTest, AContainerOfOurNameThatTheStateDoesNotKnowOfIsRemoved) {
    be_up();
    project::State forgotten = state();
    forgotten.phase = project::Phase::absent;
    forgotten.container_id.clear();
    save(forgotten);

    ASSERT_TRUE(down());

    EXPECT_TRUE(runtime.containers.empty());
    EXPECT_TRUE(runtime.networks.empty());
}

TEST_F(DownTest, AContainerThatIsGoneLeavesNetworkAndRulesToBeRemoved) {
    be_up();
    runtime.containers.clear();

    ASSERT_TRUE(down());

    EXPECT_EQ(left_over(), "");
    EXPECT_EQ(state().phase, project::Phase::absent);
}

TEST_F(DownTest, KeepStopsAndRemovesNothing) {
    be_up();

    ASSERT_TRUE(down({.keep = true}));

    EXPECT_THAT(journal.entries(), ElementsAre("firewall.probe", "runtime.status", "runtime.stop"));
    EXPECT_EQ(sandbox().state, SandboxState::stopped);
    EXPECT_EQ(runtime.networks.size(), 1U);
    EXPECT_EQ(firewall.rules.size(), 1U);
    EXPECT_EQ(state().phase, project::Phase::ready);
}

TEST_F(DownTest, KeepOfAContainerThatIsGoneIsSuccess) {
    be_up();
    runtime.containers.clear();

    const auto done = down({.keep = true});

    EXPECT_TRUE(done) << done.error().message;
}

class DownForeignTest : public DownTest, public testing::WithParamInterface<bool> {};

TEST_P(DownForeignTest, AForeignContainerIsRefusedAndUntouched) {
    be_up();
    sandbox().labels["alca.project.id"] = "other";

    EXPECT_THAT(message_of(down({.keep = GetParam()})),
                HasSubstr("does not belong to this project"));

    EXPECT_TRUE(is_running());
    EXPECT_EQ(firewall.rules.size(), 1U);
    EXPECT_EQ(state().phase, project::Phase::ready);
}

INSTANTIATE_TEST_SUITE_P(Keep, DownForeignTest, testing::Bool());

TEST_F(DownTest, AnUnfinishedRunIsRemovedToo) {
    be_up();
    project::State crashed = state();
    crashed.phase = project::Phase::preparing;
    crashed.container_id.clear();
    save(crashed);

    ASSERT_TRUE(down());

    EXPECT_EQ(left_over(), "");
}

TEST_F(DownTest, RulesStayWhileTheContainerCannotBeRemoved) {
    be_up();
    journal.plan({.at = 2,
                  .after = false,
                  .error = Error{Code::unavailable, "engine is gone"},
                  .action = {}});

    EXPECT_EQ(message_of(down()), "engine is gone");

    EXPECT_TRUE(firewall.isolates(state().network.interface));
    EXPECT_EQ(state().phase, project::Phase::ready);
}

TEST_F(DownTest, RulesThatCannotBeRemovedAreAnErrorAndTheNextDownTriesAgain) {
    be_up();
    journal.plan({.at = 3,
                  .after = false,
                  .error = Error{Code::denied, "removing rules needs CAP_NET_ADMIN"},
                  .action = {}});
    EXPECT_EQ(message_of(down()), "network rules: removing rules needs CAP_NET_ADMIN");

    ASSERT_TRUE(down());

    EXPECT_EQ(left_over(), "");
}

TEST_F(DownTest, RulesOfAPluginThatIsGoneAreToldAndDoNotStopTheRemoval) {
    be_up();
    has_firewall = false;

    ASSERT_TRUE(down());

    EXPECT_TRUE(runtime.containers.empty());
    EXPECT_TRUE(ui.has_warned("firewall-fake is not installed any more"));
}

TEST_F(DownTest, WhoCannotTakeTheRulesAwayRemovesNothing) {
    be_up();
    firewall.probe_answer = {.available = false,
                             .needs_root = true,
                             .layer = "",
                             .reason = "rules need CAP_NET_ADMIN; run alca as root"};

    const auto done = down();

    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::denied);
    EXPECT_THAT(done.error().message, HasSubstr("run alca as root; nothing was removed"));
    EXPECT_TRUE(is_running());
}

TEST_F(DownTest, AnotherAlcaThatChangedThePluginsMeanwhileIsNoticed) {
    be_up();
    project::State changed = state();
    changed.runtime = "runtime-other";
    save(changed);

    EXPECT_THAT(message_of(down()), HasSubstr("try again"));
    EXPECT_TRUE(is_running());
}

// Cancelled once the removal has begun: it goes on to its end.
TEST_F(DownTest, CancellationDoesNotStopARemovalHalfWay) {
    be_up();
    journal.plan({.at = 0, .after = false, .error = {}, .action = [this] { call.cancel(); }});

    ASSERT_TRUE(down());

    EXPECT_EQ(left_over(), "");
}

TEST_F(DownTest, WaitsForAnotherAlcaAndCanBeCancelledThen) {
    be_up();
    const auto other = project::ProjectLock::acquire(store, project.path(), {});
    ASSERT_TRUE(other);
    call.cancel();

    const auto done = down();

    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::cancelled);
    EXPECT_TRUE(is_running());
    EXPECT_TRUE(ui.has_warned("another alca is working on this project"));
}

}  // namespace
}  // namespace alca::flow
