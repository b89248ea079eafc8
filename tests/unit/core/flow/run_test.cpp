#include "core/flow/run.hpp"

#include <gmock/gmock.h>

#include "core/flow/status.hpp"
#include "support.hpp"

namespace alca::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RunTest : public FlowTest {
  protected:
    Result<int> run(const std::vector<std::string>& argv, const std::string& text = "") {
        return flow::run(context(), config(text), state(),
                         {.argv = argv,
                          .caller_directory = project.path(),
                          .tty = false,
                          .size = {},
                          .on_start = {}},
                         {});
    }
};

// ---- where and what -----------------------------------------------------------------------------

TEST_F(RunTest, TheProjectDirectoryIsTheWorkDirectory) {
    EXPECT_EQ(directory_inside(config(), project.path()), "/workspace");
}

TEST_F(RunTest, ASubdirectoryOfTheProjectIsTheSameOneInside) {
    const config::Config config = this->config("workdir = \"/src\"\n");

    EXPECT_EQ(directory_inside(config, project.path() / "a b" / "$(x)"), "/src/a b/$(x)");
    EXPECT_EQ(directory_inside(config, project.path() / "..not-up"), "/src/..not-up");
}

TEST_F(RunTest, ADirectoryOutsideTheProjectIsTheWorkDirectory) {
    EXPECT_EQ(directory_inside(config(), "/"), "/workspace");
    EXPECT_EQ(directory_inside(config(), project.base()), "/workspace");
    // Only the beginning of the text is the same.
    EXPECT_EQ(directory_inside(config(), project.path().string() + "-other"), "/workspace");
}

TEST_F(RunTest, AnAliasReplacesTheFirstWordOnce) {
    const config::Config config =
        this->config("[commands.aliases]\nclaude = [\"claude\", \"--yes\"]\n");

    EXPECT_THAT(effective_argv(config, {"claude", "claude"}),
                ElementsAre("claude", "--yes", "claude"));
    EXPECT_THAT(effective_argv(config, {"claude2"}), ElementsAre("claude2"));
}

TEST_F(RunTest, WithoutACommandNothingIsPutInFrontOfTheShell) {
    EXPECT_THAT(effective_argv(config("[commands]\nenter = \"nice\"\n"), {}), IsEmpty());
}

TEST_F(RunTest, ArgumentsAreQuotedBehindTheTextOfEnter) {
    const config::Config config = this->config("[commands]\nenter = \"nix develop -c\"\n");

    EXPECT_THAT(effective_argv(config, {"ls", "-l"}),
                ElementsAre("/bin/sh", "-c", "nix develop -c 'ls' '-l'"));
    EXPECT_THAT(
        effective_argv(config, {"it's", "a b", "$(x)`y`\\", "\n", ""}),
        ElementsAre("/bin/sh", "-c", "nix develop -c 'it'\\''s' 'a b' '$(x)`y`\\' '\n' ''"));
}

TEST_F(RunTest, EnterIsPutInFrontOfTheAlias) {
    const config::Config config = this->config(
        "[commands]\nenter = \"nice\"\n[commands.aliases]\nclaude = [\"claude\", \"--yes\"]\n");

    EXPECT_THAT(effective_argv(config, {"claude", "-p"}),
                ElementsAre("/bin/sh", "-c", "nice 'claude' '--yes' '-p'"));
}

// ---- running ------------------------------------------------------------------------------------

TEST_F(RunTest, RunsTheCommandAndReturnsItsExitCode) {
    be_up();
    runtime.exit_code = 3;

    const auto code = run({"ls", "-l"});

    ASSERT_TRUE(code) << code.error().message;
    EXPECT_EQ(*code, 3);
    ASSERT_EQ(runtime.commands.size(), 1U);
    EXPECT_THAT(runtime.commands[0].argv, ElementsAre("ls", "-l"));
    EXPECT_EQ(runtime.commands[0].cwd, "/workspace");
}

TEST_F(RunTest, LooksAtTheRulesBeforeTheCommandRuns) {
    be_up();

    ASSERT_TRUE(run({"ls"}));

    EXPECT_THAT(journal.entries(),
                ElementsAre("runtime.status", "firewall.verify", "runtime.exec stub"));
}

TEST_F(RunTest, AVariableWithOverrideOnEnterIsExpandedNow) {
    be_up("[envs]\nA = { value = \"x\", override_on_enter = true }\nB = \"y\"\n", {.trust = true});

    ASSERT_TRUE(
        run({"ls"}, "[envs]\nA = { value = \"z\", override_on_enter = true }\nB = \"y\"\n"));

    EXPECT_THAT(runtime.commands[0].env, testing::Contains("A=z"));
    EXPECT_THAT(runtime.commands[0].env, testing::Not(testing::Contains("B=y")));
}

TEST_F(RunTest, OnlyATermThatNobodyChoseIsAdapted) {
    constexpr std::uint32_t kTerminal = 1;
    constexpr std::uint32_t kAdaptTerm = 2;
    const std::string chosen = "[envs]\nTERM = \"foot\"\n";
    const auto flags_of = [this](const std::string& text, bool tty,
                                 const std::map<std::string, std::string>& env = {}) {
        EXPECT_TRUE(flow::run(context(), config(text), state(),
                              {.argv = {"ls"},
                               .caller_directory = project.path(),
                               .env = env,
                               .tty = tty,
                               .size = {},
                               .on_start = {}},
                              {}));
        return runtime.commands.back().flags;
    };
    be_up(chosen);

    EXPECT_EQ(flags_of("", true), kTerminal | kAdaptTerm);
    EXPECT_EQ(flags_of("", false), 0U);
    EXPECT_EQ(flags_of("", true, {{"TERM", "foot"}}), kTerminal);
    EXPECT_EQ(flags_of(chosen, true), kTerminal);
}

TEST_F(RunTest, TheUserIsTheCallerWhenTheConfigurationSaysHost) {
    be_up("user = \"host\"\n");

    ASSERT_TRUE(run({"ls"}, "user = \"host\"\n"));

    EXPECT_EQ(runtime.commands[0].user, "1000:1001");
}

TEST_F(RunTest, WithoutAUserInTheConfigurationItIsTheImagesUser) {
    runtime.image_user = "node";
    be_up();

    ASSERT_TRUE(run({"ls"}));

    EXPECT_EQ(runtime.commands[0].user, "node");
}

TEST_F(RunTest, TheStartIsToldWhenAllWasLookedAtAndNotEarlier) {
    be_up();
    Entries before;
    RunRequest request{.argv = {"ls"},
                       .caller_directory = project.path(),
                       .tty = false,
                       .size = {},
                       .on_start = [&]() -> Result<void> {
                           before = journal.entries();
                           return {};
                       }};

    ASSERT_TRUE(flow::run(context(), config(), state(), request, {}));

    EXPECT_THAT(before, ElementsAre("runtime.status", "firewall.verify"));
}

TEST_F(RunTest, AStartThatCannotBePreparedRunsNothing) {
    be_up();
    RunRequest request{.argv = {"ls"},
                       .caller_directory = project.path(),
                       .tty = false,
                       .size = {},
                       .on_start = []() -> Result<void> { return fail("no terminal"); }};

    EXPECT_EQ(message_of(flow::run(context(), config(), state(), request, {})), "no terminal");
    EXPECT_THAT(runtime.commands, IsEmpty());
}

// ---- refusals -----------------------------------------------------------------------------------

class RunRefusesTest : public RunTest {
  protected:
    void expect_refused(const std::string& part) {
        EXPECT_THAT(message_of(run({"ls"})), HasSubstr(part));
        EXPECT_THAT(runtime.commands, IsEmpty());
    }
};

TEST_F(RunRefusesTest, WhenThereIsNoContainer) {
    be_up();
    runtime.containers.clear();
    expect_refused("run 'alca up' first");
}

TEST_F(RunRefusesTest, WhenTheContainerIsStopped) {
    be_up();
    ASSERT_TRUE(down({.keep = true}));
    expect_refused("run 'alca up' first");
}

TEST_F(RunRefusesTest, WhenTheConfigurationAsksForAPowerThatWasNotApproved) {
    be_up();

    EXPECT_THAT(message_of(run({"ls"}, "[envs]\nTOKEN = \"${TERM2:-x}\"\n")),
                HasSubstr("powers that you have not approved"));
    EXPECT_THAT(journal.entries(), IsEmpty());
}

// A `down` that came between the look at the state and the lock: its rules are not put up again.
TEST_F(RunRefusesTest, ToRestoreTheRulesOfASandboxThatWasTakenDownMeanwhile) {
    be_up();
    firewall.rules.clear();
    journal.plan({.at = 1, .after = true, .error = {}, .action = [this] {
                      project::State down = state();
                      down.phase = project::Phase::absent;
                      save(down);
                  }});

    expect_refused("run 'alca up' first");
    EXPECT_TRUE(firewall.rules.empty());
}

TEST_F(RunRefusesTest, WhenTheSandboxWasNeverProved) {
    be_up();
    project::State unproved = state();
    unproved.phase = project::Phase::created;
    save(unproved);
    expect_refused("run 'alca up' first");
}

TEST_F(RunRefusesTest, AForeignContainer) {
    be_up();
    sandbox().labels["alca.project.id"] = "other";
    expect_refused("does not belong to this project");
}

TEST_F(RunRefusesTest, ASandboxWithAWeakness) {
    be_up();
    sandbox().weaknesses = {"privileged"};
    expect_refused("no longer isolated");
}

TEST_F(RunRefusesTest, ASandboxOnASecondNetwork) {
    be_up();
    sandbox().networks.emplace_back("bridge");
    expect_refused("no longer isolated");
}

TEST_F(RunRefusesTest, WhenTheFirewallPluginIsGone) {
    be_up();
    has_firewall = false;
    expect_refused("firewall-fake that holds this sandbox is gone");
}

TEST_F(RunRefusesTest, WhenAnotherFirewallPluginIsInUse) {
    be_up();
    project::State other = state();
    other.firewall.plugin = "firewall-other";
    save(other);
    expect_refused("firewall-other that holds this sandbox is gone");
}

TEST_F(RunRefusesTest, WhenTheStateKnowsOfNoRules) {
    be_up();
    project::State bare = state();
    bare.firewall = {};
    save(bare);
    expect_refused("no network rules");
}

TEST_F(RunRefusesTest, WhenTheRulesCannotBeRestored) {
    be_up();
    firewall.rules.clear();
    firewall.forgets = true;
    expect_refused("the kernel does not hold them");
}

TEST_F(RunRefusesTest, WhenTheRulesCannotBeRead) {
    be_up();
    journal.plan({.at = 1,
                  .after = false,
                  .error = Error{Code::denied, "reading rules needs CAP_NET_ADMIN"},
                  .action = {}});
    expect_refused("network rules: reading rules needs CAP_NET_ADMIN");
}

TEST_F(RunTest, RestoresRulesThatAreGoneAndSaysSoEvenWhenQuiet) {
    be_up();
    ui.quiet = true;
    firewall.rules.clear();

    ASSERT_TRUE(run({"ls"}));

    EXPECT_TRUE(firewall.isolates(state().network.interface));
    EXPECT_TRUE(ui.has_warned("have been restored"));
}

TEST_F(RunTest, ASandboxThatWasAllowedToBeUnprotectedRuns) {
    firewall.probe_answer.available = false;
    be_up("", {.allow_unprotected = true});

    const auto code = run({"ls"});

    EXPECT_TRUE(code) << code.error().message;
}

TEST_F(RunTest, AnOpenSandboxNeedsNoRules) {
    firewall.probe_answer.available = false;
    be_up("[network]\nlan-access = [\"*\"]\n", {.trust = true});

    const auto code = run({"ls"}, "[network]\nlan-access = [\"*\"]\n");

    EXPECT_TRUE(code) << code.error().message;
}

}  // namespace
}  // namespace alca::flow
