// `up` when a sandbox of this name is there already.
#include <gmock/gmock.h>

#include "core/flow/up.hpp"
#include "support.hpp"

namespace alca::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class UpExistingTest : public FlowTest {};

TEST_F(UpExistingTest, AnotherContainerThanTheEngineWasAskedForMeansToAskAgain) {
    be_up();
    ASSERT_EQ(state().engine.name, "Fake");
    runtime.containers.clear();
    runtime.probe_answer.engine = "Another";
    forget();

    ASSERT_TRUE(up());

    EXPECT_TRUE(journal.has("runtime.probe"));
    EXPECT_EQ(state().engine.name, "Another");
}

TEST_F(UpExistingTest, ASecondUpMakesAndStartsNothing) {
    be_up("[commands]\nup = \"make\"\n");

    ASSERT_TRUE(up("[commands]\nup = \"make\"\n"));

    EXPECT_THAT(journal.entries(),
                ElementsAre("runtime.status", "firewall.probe", "firewall.verify"));
    EXPECT_TRUE(ui.has_said("Container already running"));
    EXPECT_TRUE(ui.warnings.empty());
}

TEST_F(UpExistingTest, AStoppedSandboxGetsItsRulesBeforeItStartsAndIsNotSetUpAgain) {
    be_up("[commands]\nup = \"make\"\n");
    ASSERT_TRUE(down({.keep = true}));
    firewall.rules.clear();  // as after a restart of the machine
    forget();

    ASSERT_TRUE(up("[commands]\nup = \"make\"\n"));

    EXPECT_THAT(journal.entries(),
                ElementsAre("runtime.status", "firewall.probe", "firewall.apply", "firewall.verify",
                            "runtime.start", "runtime.exec verify", "runtime.status"));
    EXPECT_TRUE(is_running());
    EXPECT_EQ(state().phase, project::Phase::ready);
}

TEST_F(UpExistingTest, AStoppedSandboxThatFailsItsProofDoesNotRun) {
    be_up();
    ASSERT_TRUE(down({.keep = true}));
    runtime.spoil = [](fakes::InsideReport& report) {
        ASSERT_TRUE(report.replace("socket AF_VSOCK", "socket AF_VSOCK ok"));
    };

    EXPECT_THAT(message_of(up()), HasSubstr("AF_VSOCK"));
    EXPECT_EQ(sandbox().state, SandboxState::stopped);
}

TEST_F(UpExistingTest, AStoppedSandboxThatWasJoinedToAnotherNetworkIsNotStarted) {
    be_up();
    ASSERT_TRUE(down({.keep = true}));
    sandbox().networks.emplace_back("bridge");
    forget();

    EXPECT_THAT(message_of(up()), HasSubstr("network"));
    EXPECT_FALSE(journal.has("runtime.start"));
}

TEST_F(UpExistingTest, AStoppedSandboxWithAWeaknessIsNotStarted) {
    be_up();
    ASSERT_TRUE(down({.keep = true}));
    sandbox().weaknesses.emplace_back("privileged");
    forget();

    EXPECT_THAT(message_of(up()), HasSubstr("privileged"));
    EXPECT_FALSE(journal.has("runtime.start"));
}

// What the engine left out when the sandbox was made is not there after another start either.
TEST_F(UpExistingTest, AStoppedSandboxThatLacksWhatWasAskedForStaysUnprotected) {
    runtime.distort = [](SandboxStatus& status) { status.effective.pids_limit = 0; };
    be_up("", {.allow_unprotected = true});
    ASSERT_TRUE(down({.keep = true}));
    forget();

    ASSERT_TRUE(up());

    EXPECT_TRUE(state().allow_unprotected);
    EXPECT_THAT(state().unprotected_reason, HasSubstr("process limit"));
    EXPECT_TRUE(ui.has_warned("process limit"));
}

TEST_F(UpExistingTest, AnUnprotectedSandboxThatIsMadeAnewWithAllProtectionIsProtected) {
    runtime.distort = [](SandboxStatus& status) { status.effective.pids_limit = 0; };
    be_up("", {.allow_unprotected = true});
    runtime.distort = nullptr;
    ASSERT_TRUE(down());
    forget();

    ASSERT_TRUE(up());

    EXPECT_FALSE(state().allow_unprotected);
    EXPECT_TRUE(ui.warnings.empty());
}

TEST_F(UpExistingTest, OtherResolversOfTheHostArePutIntoTheRulesWithoutAnAlarm) {
    be_up();
    host.resolvers = {"192.0.2.54"};

    ASSERT_TRUE(up());

    EXPECT_EQ(firewall.rules.begin()->second.dns, host.resolvers);
    EXPECT_EQ(state().firewall.dns, host.resolvers);
    EXPECT_TRUE(ui.warnings.empty());
}

TEST_F(UpExistingTest, APolicyThatBecameStricterIsInForceAfterUp) {
    be_up("[network]\nlan-access = [\"*\"]\n", {.trust = true});
    ASSERT_FALSE(firewall.isolates(state().network.interface));

    ASSERT_TRUE(up());

    EXPECT_TRUE(firewall.isolates(state().network.interface));
    EXPECT_EQ(state().firewall.policy, "internet");
    EXPECT_TRUE(ui.warnings.empty());
}

TEST_F(UpExistingTest, StrictIsTakenOverAndTakenBackWhileTheSandboxRuns) {
    be_up();
    for (const bool strict : {true, false}) {
        forget();
        ASSERT_TRUE(up(strict ? "[network]\nstrict = true\n" : ""));

        EXPECT_EQ(firewall.rules.begin()->second.strict, strict);
        EXPECT_EQ(state().firewall.strict, strict);
        EXPECT_FALSE(journal.has("runtime.create"));
        EXPECT_TRUE(ui.warnings.empty());
    }
}

TEST_F(UpExistingTest, RulesEditedUnderARunningSandboxAreRestoredAndSaidEvenWhenQuiet) {
    be_up();
    ui.quiet = true;
    firewall.rules.begin()->second.policy = NetworkPolicy::open;

    ASSERT_TRUE(up());

    EXPECT_TRUE(firewall.isolates(state().network.interface));
    EXPECT_TRUE(ui.has_warned("have been restored"));
}

TEST_F(UpExistingTest, RulesThatCannotBeRestoredFail) {
    be_up();
    firewall.rules.clear();
    firewall.forgets = true;

    EXPECT_THAT(message_of(up()), HasSubstr("the kernel does not hold them"));
}

TEST_F(UpExistingTest, ARunningSandboxWithAWeaknessIsRefused) {
    be_up();
    sandbox().weaknesses.emplace_back("host network");

    EXPECT_THAT(message_of(up()),
                testing::AllOf(HasSubstr("not isolated as it must be: host network"),
                               HasSubstr("alca down && alca up")));
    EXPECT_FALSE(ui.has_said("Environment ready"));
}

TEST_F(UpExistingTest, ARunningSandboxOnASecondNetworkIsRefused) {
    be_up();
    sandbox().networks.emplace_back("bridge");

    EXPECT_THAT(message_of(up()), HasSubstr("joined to another network"));
}

TEST_F(UpExistingTest, APausedSandboxIsLeftAsItIsAndTheWayOutIsNamed) {
    be_up();
    sandbox().state = SandboxState::paused;

    EXPECT_THAT(message_of(up()), HasSubstr("is paused; unpause it, or run: alca down"));
    EXPECT_EQ(sandbox().state, SandboxState::paused);
}

// The sandbox can turn a directory of the project into a symlink to any place of the machine.
TEST_F(UpExistingTest, AMountSourceThatBecameASymlinkSinceStopsTheStart) {
    fs::create_directory(project.path() / "data");
    constexpr const char* kMount = "[[mounts]]\nsource = \"data\"\ntarget = \"/data\"\n";
    const config::Config approved = config(kMount);
    ASSERT_TRUE(flow::up(context(), approved, {.trust = true}));
    ASSERT_TRUE(down({.keep = true}));
    fs::remove(project.path() / "data");
    fs::create_directory_symlink("/etc", project.path() / "data");
    forget();

    EXPECT_FALSE(flow::up(context(), approved, {}));

    EXPECT_FALSE(journal.has("runtime.start"));
}

TEST_F(UpExistingTest, ASandboxThatWasRemovedBehindOurBackIsMadeAgain) {
    be_up();
    runtime.containers.clear();

    ASSERT_TRUE(up());

    EXPECT_TRUE(is_running());
    EXPECT_TRUE(journal.has("runtime.create"));
    EXPECT_EQ(state().container_id, sandbox().container_id);
}

class UpAfterACrashTest : public UpExistingTest,
                          public testing::WithParamInterface<project::Phase> {};

TEST_P(UpAfterACrashTest, WhatIsThereIsRemovedAndMadeAnew) {
    be_up();
    project::State crashed = state();
    const std::string old = crashed.container_id;
    crashed.phase = GetParam();
    save(crashed);

    ASSERT_TRUE(up());

    EXPECT_TRUE(is_running());
    EXPECT_NE(sandbox().container_id, old);
    EXPECT_EQ(state().phase, project::Phase::ready);
    EXPECT_EQ(runtime.networks.size(), 1U);
    EXPECT_EQ(firewall.rules.size(), 1U);
    EXPECT_TRUE(ui.has_said("Removing what an interrupted run has left"));
}

TEST_P(UpAfterACrashTest, WhatWasNotYetWrittenDownIsFoundByItsName) {
    be_up();
    project::State crashed = state();
    crashed.phase = GetParam();
    crashed.container_id.clear();
    save(crashed);

    ASSERT_TRUE(up());

    EXPECT_EQ(runtime.containers.size(), 1U);
    EXPECT_EQ(state().container_id, sandbox().container_id);
}

INSTANTIATE_TEST_SUITE_P(Phases, UpAfterACrashTest,
                         testing::Values(project::Phase::preparing, project::Phase::created),
                         [](const auto& phase) {
                             return std::string(project::to_string(phase.param));
                         });

// ---- a sandbox that is not ours ---------------------------------------------------------------

TEST_F(UpExistingTest, AForeignContainerOfOurNameIsRefusedAndUntouched) {
    be_up();
    ASSERT_TRUE(down());
    const std::string name = state().container_name;
    SandboxStatus foreign;
    foreign.name = name;
    foreign.state = SandboxState::running;
    foreign.container_id = "foreign";
    foreign.labels = {{"alca.project.id", "00000000-0000-4000-8000-000000000000"}};
    runtime.containers.emplace(name, foreign);
    forget();

    EXPECT_THAT(message_of(up("", {.force = true})), HasSubstr("does not belong to this project"));

    EXPECT_THAT(journal.entries(), ElementsAre("runtime.status"));
    EXPECT_TRUE(is_running());
    EXPECT_EQ(sandbox().container_id, "foreign");
}

TEST_F(UpExistingTest, AContainerWithoutOurLabelsIsRefused) {
    be_up();
    sandbox().labels.clear();

    EXPECT_THAT(message_of(up()), HasSubstr("does not belong to this project"));
}

TEST_F(UpExistingTest, AContainerThatWasMadeForAnotherPathIsRefusedAndBothPathsAreNamed) {
    be_up();
    sandbox().labels["alca.project.path"] = "/somewhere/else";

    const std::string message = message_of(up());

    EXPECT_THAT(message, HasSubstr("/somewhere/else"));
    EXPECT_THAT(message, HasSubstr(project.path().string()));
    EXPECT_TRUE(is_running());
}

TEST_F(UpExistingTest, AProjectDirectoryThatWasReplacedIsRefusedBeforeAnythingIsAsked) {
    be_up();
    fs::rename(project.path(), project.base() / "old");
    fs::create_directory(project.path());

    EXPECT_THAT(message_of(up()), HasSubstr("project path mismatch"));
    EXPECT_TRUE(journal.entries().empty());
}

TEST_F(UpExistingTest, AnotherRuntimeInTheConfigurationAsksForDownFirst) {
    be_up();
    config::Config other = config();
    other.runtime = "podman";

    EXPECT_THAT(message_of(flow::up(context(), other, {})), HasSubstr("run 'alca down'"));
    EXPECT_TRUE(is_running());
}

}  // namespace
}  // namespace alca::flow
