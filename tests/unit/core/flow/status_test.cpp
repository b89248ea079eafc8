#include "core/flow/status.hpp"

#include <gmock/gmock.h>

#include "support.hpp"

namespace alca::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StatusTest : public FlowTest {
  protected:
    Result<StatusReport> status(const std::string& text = "") {
        return flow::status(context(), config(text), state());
    }
    // The report of a test in which there must be one.
    StatusReport report(const std::string& text = "") {
        auto report = status(text);
        if (report) return *std::move(report);
        ADD_FAILURE() << report.error().message;
        return {};
    }
};

TEST_F(StatusTest, AnIntactSandboxNamesItsLayerAndPolicy) {
    be_up();

    const StatusReport is = report();

    EXPECT_EQ(is.sandbox.state, SandboxState::running);
    EXPECT_TRUE(is.isolation.intact);
    EXPECT_EQ(is.isolation.layers, "1 of 2 layers: host, direct");
    EXPECT_EQ(is.isolation.policy, "internet");
    EXPECT_THAT(is.isolation.problems, IsEmpty());
    EXPECT_THAT(is.drift, IsEmpty());
}

TEST_F(StatusTest, LooksAndChangesNothing) {
    be_up();
    firewall.rules.clear();

    static_cast<void>(report());

    EXPECT_THAT(journal.entries(), ElementsAre("runtime.status", "firewall.verify",
                                               "firewall.report", "firewall.probe"));
    EXPECT_TRUE(firewall.rules.empty());
}

TEST_F(StatusTest, AfterDownTheContainerIsAbsent) {
    be_up();
    ASSERT_TRUE(down());

    EXPECT_EQ(report().sandbox.state, SandboxState::absent);
}

TEST_F(StatusTest, AStoppedSandboxIsNotCalledIntact) {
    be_up();
    ASSERT_TRUE(down({.keep = true}));

    const StatusReport is = report();

    EXPECT_EQ(is.sandbox.state, SandboxState::stopped);
    EXPECT_FALSE(is.isolation.intact);
}

TEST_F(StatusTest, AForeignContainerIsAnError) {
    be_up();
    sandbox().labels.clear();

    EXPECT_THAT(message_of(status()), HasSubstr("does not belong to this project"));
}

TEST_F(StatusTest, RulesThatDifferAreAProblem) {
    be_up();
    firewall.rules.begin()->second.policy = NetworkPolicy::open;

    const StatusReport is = report();

    EXPECT_FALSE(is.isolation.intact);
    EXPECT_THAT(is.isolation.problems, ElementsAre("network rules: the rules differ"));
}

TEST_F(StatusTest, RulesThatCannotBeReadAreNotCalledIntact) {
    be_up();
    journal.plan({.at = 1,
                  .after = false,
                  .error = Error{Code::denied, "reading rules needs CAP_NET_ADMIN"},
                  .action = {}});

    const StatusReport is = report();

    EXPECT_FALSE(is.isolation.intact);
    EXPECT_THAT(is.isolation.problems, ElementsAre(HasSubstr("needs CAP_NET_ADMIN")));
}

TEST_F(StatusTest, AFirewallPluginThatIsGoneIsAProblem) {
    be_up();
    has_firewall = false;

    EXPECT_THAT(report().isolation.problems,
                ElementsAre("the firewall plugin firewall-fake is not installed any more"));
}

TEST_F(StatusTest, AWeaknessAndASecondNetworkAreProblems) {
    be_up();
    sandbox().weaknesses = {"privileged"};
    sandbox().networks.emplace_back("bridge");

    const StatusReport is = report();

    EXPECT_FALSE(is.isolation.intact);
    EXPECT_THAT(is.isolation.problems,
                ElementsAre("undone by: privileged", HasSubstr("another network")));
}

TEST_F(StatusTest, AnUnprotectedSandboxIsNotIntactAndSaysWhy) {
    firewall.probe_answer = {
        .available = false, .needs_root = true, .layer = "", .reason = "rules need CAP_NET_ADMIN"};
    be_up("", {.allow_unprotected = true});

    const StatusReport is = report();

    EXPECT_FALSE(is.isolation.intact);
    EXPECT_EQ(is.isolation.layers, "");
    EXPECT_THAT(is.isolation.unprotected_reason, HasSubstr("rules need CAP_NET_ADMIN"));
    EXPECT_THAT(is.isolation.problems, ElementsAre("there are no network rules"));
}

TEST_F(StatusTest, AnOpenSandboxWithoutRulesIsAsItWasAskedFor) {
    firewall.probe_answer.available = false;
    be_up("[network]\nlan-access = [\"*\"]\n", {.trust = true});

    const StatusReport is = report("[network]\nlan-access = [\"*\"]\n");

    EXPECT_EQ(is.isolation.policy, "open");
    EXPECT_TRUE(is.isolation.intact);
    EXPECT_THAT(is.isolation.problems, IsEmpty());
}

TEST_F(StatusTest, AChangedConfigurationIsDrift) {
    be_up();

    const StatusReport is = report("workdir = \"/src\"\n");

    // And the mount of the project, which moves with it.
    ASSERT_EQ(is.drift.size(), 2U);
    EXPECT_EQ(project::to_line(is.drift[1]), "Workdir: /workspace → /src");
    EXPECT_TRUE(is.isolation.intact);
}

TEST_F(StatusTest, StrictThatWasEditedIsTold) {
    be_up("[network]\nstrict = true\n");

    EXPECT_THAT(report("[network]\nstrict = true\n").isolation.notes, IsEmpty());
    EXPECT_THAT(report().isolation.notes, ElementsAre(HasSubstr("network.strict has changed")));
}

}  // namespace
}  // namespace alca::flow
