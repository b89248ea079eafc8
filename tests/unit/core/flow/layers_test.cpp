// Both layers of network rules, by each way, through whole commands.
#include "core/flow/layers.hpp"

#include <gmock/gmock.h>

#include "core/flow/protection.hpp"
#include "core/flow/run.hpp"
#include "core/flow/status.hpp"
#include "support.hpp"

namespace alca::flow {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class LayersTest : public FlowTest {
  protected:
    // What the process may do itself.
    void direct(bool on_host, bool within) {
        firewall.probe_answer.available = on_host;
        firewall.probe_answer.enters = within;
        firewall.probe_answer.reason = on_host ? "" : "needs CAP_NET_ADMIN";
    }
    void containers() { runtime.probe_answer.net_helper = true; }
    void allow(const std::string& layers) { host.environment["ALCA_NETWORK_LAYERS"] = layers; }

    std::string interface() { return state().network.interface; }
    StatusReport status_now() {
        auto report = flow::status(context(), config(), state());
        if (report) return *std::move(report);
        ADD_FAILURE() << report.error().message;
        return {};
    }
    Result<int> run() {
        return flow::run(context(), config(), state(),
                         {.argv = {"true"},
                          .caller_directory = project.path(),
                          .tty = false,
                          .size = {},
                          .on_start = {}},
                         {});
    }
};

TEST_F(LayersTest, BothAreUsedWhereBothArePossible) {
    direct(true, true);
    ASSERT_TRUE(up());
    EXPECT_TRUE(firewall.rules.contains(interface()));
    ASSERT_TRUE(firewall.inside.contains(interface()));
    const FirewallRequest& inside = firewall.inside.at(interface());
    EXPECT_EQ(inside.pid, fakes::FakeRuntime::kPid);
    EXPECT_EQ(inside.gateways, runtime.gateways);
    EXPECT_EQ(status_now().isolation.layers,
              "2 of 2 layers: host, direct; inside the sandbox, direct");
    EXPECT_TRUE(status_now().isolation.intact);
}

// Each is seen alone: what is inside would stop a packet before the host's rules could.
TEST_F(LayersTest, TheHostsLayerIsProvedBeforeTheOneInsideIsThere) {
    direct(true, true);
    ASSERT_TRUE(up());
    EXPECT_THAT(journal.entries(),
                testing::IsSupersetOf({"runtime.exec verify", "firewall.apply inside"}));
    const auto& entries = journal.entries();
    EXPECT_LT(std::find(entries.begin(), entries.end(), "runtime.exec verify"),
              std::find(entries.begin(), entries.end(), "firewall.apply inside"));
}

TEST_F(LayersTest, WithoutRightsBothGoThroughAContainer) {
    direct(false, false);
    containers();
    ASSERT_TRUE(up());
    EXPECT_TRUE(firewall.rules.contains(interface()));
    EXPECT_TRUE(firewall.inside.contains(interface()));
    EXPECT_THAT(journal.entries(), Contains("runtime.run_net_helper host"));
    EXPECT_THAT(journal.entries(), Contains("runtime.run_net_helper inside"));
    EXPECT_EQ(status_now().isolation.layers,
              "2 of 2 layers: host, container; inside the sandbox, container");
    ASSERT_TRUE(down());
    EXPECT_EQ(left_over(), "");
}

TEST_F(LayersTest, WithoutRightsAndContainersNothingStarts) {
    direct(false, false);
    EXPECT_THAT(message_of(up()), HasSubstr("needs CAP_NET_ADMIN"));
    EXPECT_EQ(left_over(), "");
}

// What this process may do here says nothing about another kernel.
TEST_F(LayersTest, AnEngineInAMachineOfItsOwnIsReachedByContainerOnly) {
    direct(true, true);
    runtime.probe_answer.shares_kernel = false;
    EXPECT_THAT(message_of(up()), HasSubstr("the engine's machine"));
    containers();
    ASSERT_TRUE(up());
    EXPECT_EQ(status_now().isolation.layers,
              "2 of 2 layers: host, container; inside the sandbox, container");
}

TEST_F(LayersTest, OneLayerIsEnoughAndIsProvedFromInside) {
    direct(false, false);
    containers();
    allow("inside");
    ASSERT_TRUE(up());
    EXPECT_TRUE(firewall.rules.empty());
    EXPECT_TRUE(firewall.inside.contains(interface()));
    const auto& entries = journal.entries();
    EXPECT_GT(std::find(entries.begin(), entries.end(), "runtime.exec verify"),
              std::find(entries.begin(), entries.end(), "firewall.apply inside"));
    EXPECT_EQ(status_now().isolation.layers, "1 of 2 layers: inside the sandbox, container");
}

TEST_F(LayersTest, RulesInsideThatRefuseNothingEndTheSandbox) {
    direct(false, false);
    containers();
    allow("inside");
    runtime.spoil = [](fakes::InsideReport& report) {
        ASSERT_TRUE(report.replace("probe 172.30.0.17 ", "probe 172.30.0.17 ECONNREFUSED"));
    };
    EXPECT_THAT(message_of(up()), HasSubstr("was not refused by our rules"));
    EXPECT_EQ(left_over(), "");
}

TEST_F(LayersTest, RulesThatTheKernelForgetsEndTheSandbox) {
    direct(false, false);
    containers();
    firewall.forgets = true;
    EXPECT_THAT(message_of(up()), HasSubstr("the kernel does not hold them"));
    EXPECT_EQ(left_over(), "");
}

TEST_F(LayersTest, AnOpenSandboxHasNoRulesInside) {
    direct(true, true);
    ASSERT_TRUE(up("[network]\nlan-access = [\"*\"]\n", {.trust = true}));
    EXPECT_TRUE(firewall.inside.empty());
    EXPECT_EQ(firewall.rules.at(interface()).policy, NetworkPolicy::open);
}

TEST_F(LayersTest, PublishedPortsAndAllowedDestinationsAreKnownInside) {
    direct(true, true);
    ASSERT_TRUE(up("[network]\nports = [\"8080:80\", \"53/udp\"]\nlan-access = [\"10.0.0.5:80\"]\n",
                   {.trust = true}));
    const FirewallRequest& inside = firewall.inside.at(interface());
    EXPECT_THAT(inside.published,
                ElementsAre(PublishedPort{"udp", 53, true}, PublishedPort{"tcp", 80, true}));
    ASSERT_EQ(inside.allow.size(), 1U);
    EXPECT_EQ(inside.allow[0].to, "10.0.0.5");
}

TEST_F(LayersTest, WhatIsLostInsideIsRestoredByUp) {
    direct(true, true);
    be_up();
    firewall.inside.clear();
    EXPECT_THAT(status_now().isolation.problems,
                ElementsAre(HasSubstr("network rules inside the sandbox")));
    ASSERT_TRUE(up());
    EXPECT_TRUE(firewall.inside.contains(interface()));
    EXPECT_THAT(ui.warnings, ElementsAre(HasSubstr("inside the sandbox were not as they must be")));
}

TEST_F(LayersTest, AStoppedSandboxGetsThemAnewWhenItStarts) {
    direct(true, true);
    be_up();
    ASSERT_TRUE(down({.keep = true}));
    ASSERT_TRUE(up());
    EXPECT_TRUE(firewall.inside.contains(interface()));
    EXPECT_TRUE(status_now().isolation.intact);
}

TEST_F(LayersTest, ALayerThatIsInForceIsNeverGivenUpSilently) {
    direct(true, true);
    containers();
    be_up();
    direct(false, false);
    allow("inside");
    EXPECT_THAT(message_of(up()), HasSubstr("no way to this layer is allowed"));
    EXPECT_TRUE(firewall.rules.contains(interface()));
}

TEST_F(LayersTest, AnEngineThatTellsNoProcessHasOneLayer) {
    direct(true, true);
    runtime.tells_pid = false;
    ASSERT_TRUE(up());
    EXPECT_TRUE(firewall.inside.empty());
    EXPECT_EQ(status_now().isolation.layers, "1 of 2 layers: host, direct");
    EXPECT_THAT(ui.warnings, ElementsAre(HasSubstr("one layer only")));
    direct(false, true);
    EXPECT_FALSE(up("", {.force = true}));
}

// ---- run

TEST_F(LayersTest, RunAsksTheStubToTryTheRulesInside) {
    direct(true, true);
    be_up();
    std::vector<std::string> argv;
    runtime.stub = [&](const Call&, const ExecRequest& request, const Stdio&) -> Result<int> {
        argv = request.argv;
        return 0;
    };
    ASSERT_TRUE(run());
    EXPECT_THAT(argv, ElementsAre("/alca-init", "stub", "--refused", "172.30.0.17"));
}

TEST_F(LayersTest, RunStartsNoContainerForRulesThatTheStubTries) {
    direct(false, false);
    containers();
    be_up();
    ASSERT_TRUE(run());
    EXPECT_THAT(journal.entries(), Not(Contains(HasSubstr("run_net_helper"))));
}

TEST_F(LayersTest, RunReadsTheRulesOfTheHostByContainerWhereNothingElseProvesThem) {
    direct(false, false);
    containers();
    allow("host");
    be_up();
    ASSERT_TRUE(run());
    EXPECT_THAT(journal.entries(), Contains("runtime.run_net_helper host"));
    firewall.rules.clear();
    ASSERT_TRUE(run());  // restored, and said
    EXPECT_TRUE(firewall.rules.contains(interface()));
    EXPECT_THAT(ui.warnings, Not(IsEmpty()));
}

TEST_F(LayersTest, WhereTheHostIsAllowedTheProbeIsNotTried) {
    direct(true, true);
    be_up("[network]\nlan-access = [\"${alca:HOST_IP}\"]\n", {.trust = true});
    EXPECT_EQ(refused_address(state()), "");
    project::State other = state();
    other.firewall.allow = {{.to = AllowRule::kHost, .protocols = {"udp"}, .ports = {{8, 10}}}};
    EXPECT_EQ(refused_address(other), "");
    other.firewall.allow = {{.to = AllowRule::kHost, .protocols = {"udp"}, .ports = {{10, 20}}},
                            {.to = AllowRule::kHost, .protocols = {"tcp"}}};
    EXPECT_EQ(refused_address(other), "172.30.0.17");
    other.firewall.inside = false;
    EXPECT_EQ(refused_address(other), "");
}

TEST_F(LayersTest, WhereTheProbeShowsNothingRunReadsTheRulesInside) {
    direct(true, true);
    allow("inside");
    const std::string text = "[network]\nlan-access = [\"${alca:HOST_IP}\"]\n";
    be_up(text, {.trust = true});
    firewall.inside.clear();
    ASSERT_TRUE(flow::run(context(), config(text), state(),
                          {.argv = {"true"},
                           .caller_directory = project.path(),
                           .tty = false,
                           .size = {},
                           .on_start = {}},
                          {}));
    EXPECT_TRUE(firewall.inside.contains(interface()));
    EXPECT_THAT(ui.warnings, ElementsAre(HasSubstr("inside the sandbox were not as they must be")));
}

TEST_F(LayersTest, AChangeThatReachedOneLayerOnlyStartsNothingUntilItIsFinished) {
    direct(true, true);
    be_up("[network]\nlan-access = [\"10.0.0.5:80\"]\n", {.trust = true});
    // Runtime status, firewall probe, apply and verify for the host, then the layer inside.
    journal.plan({.at = 4, .error = Error{Code::failed, "no memory"}, .action = {}});
    ASSERT_THAT(message_of(up()), HasSubstr("no memory"));
    ASSERT_EQ(journal.entries().back(), "firewall.apply inside");
    ASSERT_FALSE(firewall.inside.at(interface()).allow.empty());
    forget();

    EXPECT_THAT(message_of(run()), HasSubstr("was not finished; run: alca up"));
    EXPECT_TRUE(runtime.commands.empty());
    EXPECT_FALSE(status_now().isolation.intact);

    ASSERT_TRUE(up());
    EXPECT_TRUE(firewall.inside.at(interface()).allow.empty());
    EXPECT_TRUE(run());
    EXPECT_TRUE(status_now().isolation.intact);

    project::State unfinished = state();
    unfinished.firewall.settled = false;
    save(unfinished);
    EXPECT_FALSE(status_now().isolation.intact);
}

TEST_F(LayersTest, RunReadsByContainerWhatOnlyTheHostsLayerHas) {
    direct(false, false);
    containers();
    const std::string text = "[network]\nproxy = \"10.0.0.5:1080\"\n";
    be_up(text, {.trust = true});
    ASSERT_TRUE(flow::run(context(), config(text), state(),
                          {.argv = {"true"},
                           .caller_directory = project.path(),
                           .tty = false,
                           .size = {},
                           .on_start = {}},
                          {}));
    EXPECT_THAT(journal.entries(), Contains("runtime.run_net_helper host"));
}

// ---- what the layer inside cannot do

TEST_F(LayersTest, ProxyLimitsStrictAndNetAdminNeedTheHostsLayer) {
    direct(false, false);
    containers();
    allow("inside");
    for (const char* text : {"[network]\nproxy = \"10.0.0.5:1080\"\n",
                             "[network]\nlan-access = [\"*\"]\nproxy = \"10.0.0.5:1080\"\n",
                             "[network]\nlimits = { bandwidth = \"1m\" }\n",
                             "[network]\nstrict = true\n", "caps = [\"NET_ADMIN\"]\n"}) {
        EXPECT_THAT(message_of(up(text, {.trust = true})), HasSubstr("layer of the host")) << text;
        EXPECT_EQ(left_over(), "") << text;
    }
}

TEST_F(LayersTest, APluginThatDoesNotKnowTheLayerOrTheProxyIsNotTrustedWithIt) {
    direct(true, true);
    firewall.probe_answer.inside = false;
    firewall.probe_answer.traffic = false;
    ASSERT_TRUE(up());
    EXPECT_TRUE(firewall.inside.empty());
    EXPECT_EQ(status_now().isolation.layers, "1 of 2 layers: host, direct");
    EXPECT_THAT(message_of(up("[network]\nproxy = \"10.0.0.5:1080\"\n", {.trust = true})),
                HasSubstr("knows neither network.proxy"));
}

// ---- changes of a sandbox that is there

TEST_F(LayersTest, OpeningTheNetworkTakesTheRulesInsideAway) {
    direct(true, true);
    be_up();
    ASSERT_TRUE(up("[network]\nlan-access = [\"*\"]\n", {.trust = true}));
    EXPECT_TRUE(firewall.inside.empty());
    EXPECT_EQ(firewall.rules.at(interface()).policy, NetworkPolicy::open);
    EXPECT_FALSE(state().firewall.inside);
    ASSERT_TRUE(up());
    EXPECT_TRUE(firewall.inside.contains(interface()));
}

TEST_F(LayersTest, OpeningTheNetworkTakesTheOnlyRulesAway) {
    direct(true, true);
    allow("inside:direct");
    ASSERT_TRUE(up());
    ASSERT_TRUE(up("[network]\nlan-access = [\"*\"]\n", {.trust = true}));
    EXPECT_TRUE(firewall.inside.empty());
    EXPECT_FALSE(state().firewall.inside);
    EXPECT_TRUE(status_now().isolation.intact);
    ASSERT_TRUE(up());
    EXPECT_TRUE(firewall.inside.contains(interface()));
}

TEST_F(LayersTest, AStoppedSandboxKeepsItsLayers) {
    direct(true, true);
    be_up();
    ASSERT_TRUE(down({.keep = true}));
    allow("host");
    EXPECT_THAT(message_of(up()), HasSubstr("no way to this layer is allowed"));
    EXPECT_FALSE(is_running());
}

TEST_F(LayersTest, AStartWithoutRulesLeavesNoLayerInForceThatIsNotThere) {
    direct(true, true);
    be_up();
    ASSERT_TRUE(down({.keep = true}));
    direct(false, false);
    ASSERT_TRUE(up("", {.allow_unprotected = true}));
    EXPECT_FALSE(state().firewall.inside);
    EXPECT_EQ(refused_address(state()), "");
}

TEST_F(LayersTest, ASandboxThatEndsMeanwhileIsNotReady) {
    direct(true, true);
    bool begun = false;
    firewall.on_inside_apply = [&] {
        begun = true;
        sandbox().state = SandboxState::stopped;
    };
    EXPECT_THAT(message_of(up()), HasSubstr("ended while its network rules were put up"));
    EXPECT_TRUE(begun);
    EXPECT_EQ(left_over(), "");
}

// What was entered by its number was then the namespace of somebody else.
TEST_F(LayersTest, ASandboxThatIsAnotherProcessMeanwhileIsNotReady) {
    direct(true, true);
    firewall.on_inside_apply = [&] { ++sandbox().pid; };
    EXPECT_THAT(message_of(up()), HasSubstr("ended while its network rules were put up"));
    EXPECT_EQ(left_over(), "");
    firewall.on_inside_apply = [&] { sandbox().started_at = "later"; };
    EXPECT_THAT(message_of(up()), HasSubstr("ended while its network rules were put up"));
    EXPECT_EQ(left_over(), "");
}

// ---- what was refused

TEST_F(LayersTest, CountersOfBothLayersAreAddedUp) {
    direct(true, true);
    be_up();
    firewall.report_answer = {{{"lan", 2}, {"spoof", 1}}, {{"10.0.0.1", "tcp", 80, 2}}};
    firewall.inside_report_answer = {{{"lan", 3}},
                                     {{"10.0.0.1", "tcp", 80, 3}, {"10.0.0.2", "udp", 53, 1}}};
    const RulesReport rules = look_at_rules(context(), state(), fakes::FakeRuntime::kPid);
    EXPECT_EQ(rules.refused.refused.at("lan"), 5U);
    EXPECT_EQ(rules.refused.refused.at("spoof"), 1U);
    EXPECT_THAT(rules.refused.blocked, ElementsAre(BlockedTarget{"10.0.0.1", "tcp", 80, 5},
                                                   BlockedTarget{"10.0.0.2", "udp", 53, 1}));
}

// ---- ALCA_NETWORK_LAYERS

TEST_F(LayersTest, WaysCanBeRestricted) {
    direct(true, true);
    containers();
    allow("host:container,inside:direct");
    ASSERT_TRUE(up());
    EXPECT_EQ(status_now().isolation.layers,
              "2 of 2 layers: host, container; inside the sandbox, direct");
}

TEST_F(LayersTest, UnknownWordsAreErrors) {
    direct(true, true);
    for (const char* text : {"hosts", "host:sudo", "inside:", ",", "host,,inside"}) {
        allow(text);
        EXPECT_THAT(message_of(up()), HasSubstr("ALCA_NETWORK_LAYERS")) << text;
    }
    EXPECT_EQ(left_over(), "");
}

}  // namespace
}  // namespace alca::flow
