#include "core/flow/up.hpp"

#include <gmock/gmock.h>

#include "core/project/lock.hpp"
#include "support.hpp"

namespace alca::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class UpTest : public FlowTest {};

// ---- order ------------------------------------------------------------------------------------

TEST_F(UpTest, TheOwnerOfNewFilesIsToldWhenItIsNotTheCaller) {
    ASSERT_TRUE(up());
    EXPECT_TRUE(ui.has_said("user = \"host\""));
    ui.forget();
    ASSERT_TRUE(up());
    EXPECT_FALSE(ui.has_said("user = \"host\""));
    World as_host;
    ASSERT_TRUE(as_host.up("user = \"host\"\n"));
    EXPECT_FALSE(as_host.ui.has_said("belong to root"));
    World root;
    root.host.uid = 0;
    ASSERT_TRUE(root.up());
    EXPECT_FALSE(root.ui.has_said("belong to root"));
}

TEST_F(UpTest, AFirewallThatIsNotAvailableAndDoesNotSayWhyStopsIt) {
    firewall.probe_answer.available = false;
    firewall.probe_answer.reason.clear();

    EXPECT_THAT(message_of(up()), HasSubstr("is not available; nothing was started"));

    EXPECT_TRUE(runtime.containers.empty());
}

TEST_F(UpTest, RulesStandBeforeTheContainerExistsAndAllIsProvedBeforeSetUp) {
    ASSERT_TRUE(up("[commands]\nup = \"make\"\n"));

    EXPECT_THAT(
        journal.entries(),
        ElementsAre("runtime.status", "runtime.probe", "firewall.probe", "runtime.prepare",
                    "firewall.apply", "firewall.verify", "runtime.create", "runtime.status",
                    "runtime.start", "runtime.exec verify", "runtime.exec stub", "runtime.status"));
}

TEST_F(UpTest, SaysReadyAndRemembersWhatItMade) {
    ASSERT_TRUE(up());

    const project::State is = state();
    EXPECT_EQ(is.phase, project::Phase::ready);
    EXPECT_EQ(is.runtime, "runtime-fake");
    EXPECT_EQ(is.container_id, sandbox().container_id);
    EXPECT_EQ(is.network.gateways, runtime.gateways);
    EXPECT_EQ(is.firewall.plugin, "firewall-fake");
    EXPECT_EQ(is.firewall.policy, "internet");
    EXPECT_EQ(is.firewall.dns, host.resolvers);
    EXPECT_FALSE(is.allow_unprotected);
    EXPECT_TRUE(is_running());
    EXPECT_TRUE(ui.has_said("Environment ready"));
    EXPECT_TRUE(ui.warnings.empty());
}

TEST_F(UpTest, HandsTheWholeSpecificationToTheEngine) {
    ASSERT_TRUE(up());

    const SandboxSpec& is = sandbox().effective;
    EXPECT_EQ(is.image, "debian:12");
    EXPECT_EQ(is.project_path, project.path().string());
    EXPECT_EQ(is.labels.at("alca.project.id"), state().project_id);
    EXPECT_EQ(is.labels.at("alca.project.path"), project.path().string());
    EXPECT_EQ(is.network.interface, state().network.interface);
    EXPECT_TRUE(is.no_new_privileges);
    EXPECT_FALSE(is.seccomp.empty());
    EXPECT_EQ(is.pids_limit, 4096);
}

TEST_F(UpTest, NothingIsAskedOfTheEngineWhenAMountSourceIsMissing) {
    const auto config = this->config("[[mounts]]\nsource = \"gone\"\ntarget = \"/gone\"\n");

    EXPECT_THAT(message_of(flow::up(context(), config, {})), HasSubstr("gone"));
    EXPECT_TRUE(journal.entries().empty());
}

TEST_F(UpTest, NothingIsAskedOfTheEngineWhenAnEnvironmentValueCannotBeExpanded) {
    const auto done = up("[envs]\nTOKEN = \"${ALCA_TEST_UNSET}\"\n", {.trust = true});

    EXPECT_THAT(message_of(done), HasSubstr("ALCA_TEST_UNSET"));
    EXPECT_TRUE(journal.entries().empty());
}

TEST_F(UpTest, NothingIsAskedOfTheEngineWhenTheCopyOfTheStateHasNoPlace) {
    fakes::write_text(project.path() / ".alca", "a file");

    EXPECT_THAT(message_of(up()), HasSubstr(".alca"));
    EXPECT_TRUE(journal.entries().empty());
}

TEST_F(UpTest, AnEngineThatDoesNotAnswerIsTheErrorAndItsReasonTheMessage) {
    runtime.probe_answer.available = false;
    runtime.probe_answer.reason = "no engine at unix:///x; start it";

    const auto done = up();

    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::unavailable);
    EXPECT_EQ(done.error().message, "no engine at unix:///x; start it");
    EXPECT_EQ(left_over(), "");
}

// ---- protection -------------------------------------------------------------------------------

TEST_F(UpTest, NothingIsMadeWithoutAFirewallAndTheErrorSaysWhyAndNamesTheWayOut) {
    firewall.probe_answer = {.available = false,
                             .needs_root = true,
                             .layer = "",
                             .reason = "rules need CAP_NET_ADMIN; run alca as root"};

    const auto done = up();

    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::denied);
    EXPECT_THAT(done.error().message, HasSubstr("rules need CAP_NET_ADMIN; run alca as root"));
    EXPECT_THAT(done.error().message, HasSubstr("--allow-unprotected"));
    EXPECT_THAT(journal.entries(),
                ElementsAre("runtime.status", "runtime.probe", "firewall.probe"));
}

TEST_F(UpTest, NothingIsMadeWhenNoFirewallPluginIsInstalled) {
    has_firewall = false;

    EXPECT_THAT(message_of(up()), HasSubstr("no firewall plugin is installed"));
    EXPECT_EQ(left_over(), "");
}

TEST_F(UpTest, RulesOfThisMachineDoNotCountForAnEngineThatRoutesElsewhere) {
    runtime.probe_answer.shares_kernel = false;
    EXPECT_THAT(message_of(up()), HasSubstr("network isolation is not possible"));

    runtime.probe_answer.shares_kernel = true;
    runtime.probe_answer.rootless = true;
    EXPECT_THAT(message_of(up()), HasSubstr("rootless engine"));
    EXPECT_EQ(left_over(), "");
    EXPECT_FALSE(journal.has("firewall.apply"));
}

TEST_F(UpTest, AllowUnprotectedIsRecordedAndWarnedAboutEvenWhenQuiet) {
    ui.quiet = true;
    firewall.probe_answer = {
        .available = false, .needs_root = true, .layer = "", .reason = "rules need CAP_NET_ADMIN"};

    ASSERT_TRUE(up("", {.allow_unprotected = true}));

    EXPECT_TRUE(is_running());
    EXPECT_TRUE(state().allow_unprotected);
    EXPECT_THAT(state().unprotected_reason, HasSubstr("rules need CAP_NET_ADMIN"));
    EXPECT_EQ(state().firewall.plugin, "");
    EXPECT_TRUE(ui.has_warned("UNPROTECTED"));
    EXPECT_TRUE(ui.has_warned("rules need CAP_NET_ADMIN"));
    EXPECT_TRUE(ui.said.empty());
}

TEST_F(UpTest, ASandboxThatIsProtectedDoesNotBecomeUnprotectedByTheFlagAlone) {
    ASSERT_TRUE(up("", {.allow_unprotected = true}));

    EXPECT_FALSE(state().allow_unprotected);
    EXPECT_TRUE(ui.warnings.empty());
    EXPECT_TRUE(firewall.isolates(state().network.interface));
}

TEST_F(UpTest, StrictReachesTheFirewallAndIsKept) {
    ASSERT_TRUE(up("[network]\nstrict = true\n"));

    EXPECT_TRUE(firewall.rules.begin()->second.strict);
    EXPECT_TRUE(state().firewall.strict);
}

TEST_F(UpTest, StrictIsAnErrorWithAFirewallThatDoesNotKnowIt) {
    firewall.probe_answer.strict = false;
    ASSERT_TRUE(up()) << "without it";
    ASSERT_TRUE(down());
    forget();

    const auto done = up("[network]\nstrict = true\n", {.allow_unprotected = true});

    EXPECT_THAT(message_of(done), HasSubstr("cannot do network.strict"));
    EXPECT_EQ(left_over(), "");
    EXPECT_FALSE(journal.has("firewall.apply"));
}

TEST_F(UpTest, AnOpenPolicyNeedsNoRightForTheFirewall) {
    firewall.probe_answer = {
        .available = false, .needs_root = true, .layer = "", .reason = "rules need CAP_NET_ADMIN"};

    const auto done = up("[network]\nlan-access = [\"*\"]\n", {.trust = true});

    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(state().firewall.policy, "open");
    EXPECT_FALSE(state().allow_unprotected);
    EXPECT_TRUE(ui.warnings.empty());
}

TEST_F(UpTest, RulesThatTheKernelDoesNotHoldStopUpBeforeTheContainerExists) {
    firewall.forgets = true;

    EXPECT_THAT(message_of(up()), HasSubstr("the kernel does not hold them"));
    EXPECT_FALSE(journal.has("runtime.create"));
    EXPECT_EQ(left_over(), "");
}

TEST_F(UpTest, AFindingFromInsideStopsUpAndIsNamed) {
    runtime.spoil = [](fakes::InsideReport& report) {
        ASSERT_TRUE(report.replace("status Seccomp ", "status Seccomp 0"));
    };

    EXPECT_THAT(message_of(up()), HasSubstr("no system call filter is in force"));
    EXPECT_EQ(left_over(), "");
    EXPECT_EQ(state().phase, project::Phase::absent);
}

TEST_F(UpTest, AnAnswerFromInsideThatCannotBeReadStopsUp) {
    runtime.spoil = [](fakes::InsideReport& report) { report.add("hello"); };

    EXPECT_THAT(message_of(up()), HasSubstr("unexpected line from the sandbox: hello"));
    EXPECT_EQ(left_over(), "");
}

TEST_F(UpTest, AllowUnprotectedKeepsAFindingFromInsideInTheState) {
    runtime.spoil = [](fakes::InsideReport& report) {
        ASSERT_TRUE(report.replace("status Seccomp ", "status Seccomp 0"));
    };

    ASSERT_TRUE(up("", {.allow_unprotected = true}));

    EXPECT_TRUE(state().allow_unprotected);
    EXPECT_THAT(state().unprotected_reason, HasSubstr("no system call filter is in force"));
    EXPECT_TRUE(ui.has_warned("no system call filter is in force"));
}

// ---- commands.up ------------------------------------------------------------------------------

TEST_F(UpTest, TheSetUpCommandRunsAsRootInTheWorkDirectory) {
    ASSERT_TRUE(up("workdir = \"/src\"\n[commands]\nup = \"make 'a b' && x\"\n"));

    ASSERT_EQ(runtime.commands.size(), 1U);
    EXPECT_THAT(runtime.commands[0].argv, ElementsAre("/bin/sh", "-c", "make 'a b' && x"));
    EXPECT_EQ(runtime.commands[0].user, "0:0");
    EXPECT_EQ(runtime.commands[0].cwd, "/src");
    EXPECT_THAT(runtime.commands[0].env, ElementsAre("ALCA_GID=1001", "ALCA_UID=1000"));
}

TEST_F(UpTest, ACommandThatOnlyKeepsAContainerAliveIsNotRun) {
    ASSERT_TRUE(up("[commands]\nup = \"sleep infinity\"\n"));

    EXPECT_TRUE(runtime.commands.empty());
    EXPECT_TRUE(is_running());
}

TEST_F(UpTest, AFailingSetUpCommandRemovesTheSandboxAndNamesItsExitCode) {
    runtime.exit_code = 3;

    EXPECT_THAT(message_of(up("[commands]\nup = \"false\"\n")), HasSubstr("exit code 3"));

    EXPECT_EQ(left_over(), "");
    EXPECT_EQ(state().phase, project::Phase::absent);
}

// The sandbox can put anything at .alca while it is set up: that neither leads the copy astray nor
// stops a sandbox that is ready.
TEST_F(UpTest, ACopyThatCannotBeWrittenIsAWarning) {
    fs::create_directory(project.base() / "elsewhere");
    runtime.stub = [&](const Call&, const ExecRequest&, const Stdio& io) -> Result<int> {
        static_cast<void>(fakes::read_command_frame(io.in));
        fs::create_directory_symlink(project.base() / "elsewhere", project.path() / ".alca");
        return 0;
    };

    const auto done = up("[commands]\nup = \"evil\"\n");

    ASSERT_TRUE(done) << done.error().message;
    EXPECT_TRUE(ui.has_warned(".alca"));
    EXPECT_TRUE(fs::is_empty(project.base() / "elsewhere"));
}

// ---- lock -------------------------------------------------------------------------------------

TEST_F(UpTest, WaitsForAnotherAlcaWithAMessageAndCanBeCancelled) {
    const auto other = project::ProjectLock::acquire(store, project.path(), {});
    ASSERT_TRUE(other);
    call.cancel();

    const auto done = up();

    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::cancelled);
    EXPECT_TRUE(ui.has_warned("another alca is working on this project"));
    EXPECT_TRUE(journal.entries().empty());
}

}  // namespace
}  // namespace alca::flow
