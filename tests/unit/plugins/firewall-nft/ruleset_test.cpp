// What apply, verify and remove do to the kernel's tables. No packet is sent here.
#include "plugins/shared/nft_rules/ruleset.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "netns.hpp"
#include "plugins/firewall-nft/nft_firewall.hpp"
#include "quiet_call.hpp"

namespace alca::nft::test {
namespace {

class RulesetTest : public testing::Test {
  protected:
    void SetUp() override {
        ALCA_SKIP_WITHOUT_NETNS();
        host_ = std::make_unique<Netns>();
    }

    static FirewallRequest request(const std::string& interface,
                                   NetworkPolicy policy = NetworkPolicy::internet) {
        return {.sandbox_id = "test",
                .interface = interface,
                .policy = policy,
                .dns = {"10.77.0.2", "127.0.0.53", "2001:db8::53"}};
    }
    void apply(const FirewallRequest& request) {
        const auto done = host_->run([&] { return firewall_.apply(call_, request); });
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }
    void remove(const std::string& interface) {
        const auto done = host_->run([&] { return firewall_.remove(call_, request(interface)); });
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }
    std::string problem(const FirewallRequest& request) {
        auto verdict = Result<FirewallVerdict>(FirewallVerdict{});
        host_->run([&] { verdict = firewall_.verify(call_, request); });
        EXPECT_TRUE(verdict.has_value());
        if (!verdict) return verdict.error().message;
        EXPECT_EQ(verdict->intact, verdict->problem.empty());
        return verdict->problem;
    }
    std::vector<std::string> list() {
        return host_->run([&] { return firewall_.list(call_).value(); });
    }

    QuietCall call_;
    std::unique_ptr<Netns> host_;
    NftFirewall firewall_;
};

TEST_F(RulesetTest, ReadsBackWhatWasApplied) {
    apply(request("alcaa"));
    EXPECT_EQ(problem(request("alcaa")), "");
    EXPECT_EQ(list(), std::vector<std::string>{"alcaa"});
}

TEST_F(RulesetTest, IsTheTableThatWasReviewed) {
    apply(request("alca0a"));
    const std::string file = std::string(ALCA_TEST_SOURCE_DIR) + "/table.golden.nft";
    std::stringstream golden;
    golden << std::ifstream(file).rdbuf();
    EXPECT_EQ(host_->nft_list("table inet alca"), golden.str())
        << "rules have changed: review them, then write this text to " << file;
}

TEST_F(RulesetTest, ApplyingAgainChangesNothing) {
    apply(request("alcaa"));
    const std::string before = host_->nft_list("table inet alca");
    apply(request("alcaa"));
    EXPECT_EQ(host_->nft_list("table inet alca"), before);
}

TEST_F(RulesetTest, PolicyIsReplaced) {
    apply(request("alcaa"));
    EXPECT_EQ(problem(request("alcaa", NetworkPolicy::open)),
              "element alcaa of set sandbox is \"goto internet\" instead of \"accept\"");
    apply(request("alcaa", NetworkPolicy::open));
    EXPECT_EQ(problem(request("alcaa", NetworkPolicy::open)), "");
    apply(request("alcaa"));
    EXPECT_EQ(problem(request("alcaa")), "");
}

TEST_F(RulesetTest, ResolversAreThoseOfTheRequestAndNoOthers) {
    apply(request("alcaa"));
    FirewallRequest moved = request("alcaa");
    moved.dns = {"10.77.0.3"};
    EXPECT_EQ(problem(moved), "element 0a4d0003 of set dns4 is missing");
    apply(moved);
    EXPECT_EQ(problem(moved), "");
    host_->nft("add element inet alca dns4 { 192.168.1.1 }");
    EXPECT_EQ(problem(moved), "element c0a80101 of set dns4 is not ours");
    apply(moved);
    EXPECT_EQ(problem(moved), "");
}

FirewallRequest with_rules(FirewallRequest request) {
    request.allow = {
        {.to = "10.0.0.5/8", .protocols = {"tcp", "udp"}, .ports = {{80, 80}, {8000, 8100}}},
        {.to = "fd00::1"},
        {.to = AllowRule::kHost, .protocols = {"tcp"}, .ports = {{5432, 5432}}}};
    return request;
}

TEST_F(RulesetTest, OwnRulesAreAChainBetweenWhatHoldsForAll) {
    apply(with_rules(request("alca0a")));
    EXPECT_EQ(problem(with_rules(request("alca0a"))), "");
    EXPECT_EQ(
        host_->nft_list("chain inet alca s_0a"),
        "table inet alca {\n"
        "\tchain s_0a {\n"
        "\t\tjump head\n"
        "\t\tip daddr 10.0.0.0-10.255.255.255 fib daddr type unicast tcp dport 80-80 accept\n"
        "\t\tip daddr 10.0.0.0-10.255.255.255 fib daddr type unicast tcp dport 8000-8100 accept\n"
        "\t\tip daddr 10.0.0.0-10.255.255.255 fib daddr type unicast udp dport 80-80 accept\n"
        "\t\tip daddr 10.0.0.0-10.255.255.255 fib daddr type unicast udp dport 8000-8100 accept\n"
        "\t\tip6 daddr fd00::1-fd00::1 meta l4proto @protocols accept\n"
        "\t\tfib daddr type local tcp dport 5432-5432 accept\n"
        "\t\tgoto internet\n"
        "\t}\n"
        "}\n");
}

TEST_F(RulesetTest, OwnRulesAreReplacedAndGo) {
    apply(with_rules(request("alcaa")));
    apply(request("alcab"));
    FirewallRequest fewer = with_rules(request("alcaa"));
    fewer.allow.pop_back();
    EXPECT_EQ(problem(fewer), "rule 7 of chain s_a was changed");
    apply(fewer);
    EXPECT_EQ(problem(fewer), "");
    EXPECT_EQ(problem(request("alcaa")),
              "element alcaa of set sandbox is \"goto s_a\" instead of \"goto internet\"");
    apply(request("alcaa"));
    EXPECT_EQ(problem(request("alcaa")), "");
    apply(with_rules(request("alcaa")));
    remove("alcaa");
    EXPECT_EQ(host_->nft_list("table inet alca").find("s_a"), std::string::npos);
    EXPECT_EQ(problem(request("alcab")), "");
}

TEST_F(RulesetTest, AnEditedChainOfASandboxIsSeenAndRepaired) {
    const FirewallRequest wanted = with_rules(request("alcaa"));
    apply(wanted);
    host_->nft("insert rule inet alca s_a accept");
    EXPECT_EQ(problem(wanted), "rule 1 of chain s_a was changed");
    apply(wanted);
    host_->nft("add rule inet alca s_a accept");
    EXPECT_EQ(problem(wanted), "rule 9 of chain s_a is not ours");
    apply(wanted);
    host_->nft("flush chain inet alca s_a");
    EXPECT_EQ(problem(wanted), "rule 1 of chain s_a is missing");
    apply(wanted);
    EXPECT_EQ(problem(wanted), "");
    host_->nft("add chain inet alca s_x { type filter hook prerouting priority -400; }");
    EXPECT_EQ(problem(wanted), "chain s_x is not ours");
}

// Only its own `apply` knows a sandbox's rules: until then it has none.
TEST_F(RulesetTest, ARebuiltTableLeavesOthersWithoutTheirOwnRules) {
    apply(with_rules(request("alcaa")));
    host_->nft("flush chain inet alca tail");
    apply(request("alcab"));
    EXPECT_EQ(problem(request("alcaa")), "");
    apply(with_rules(request("alcaa")));
    EXPECT_EQ(problem(with_rules(request("alcaa"))), "");
    EXPECT_EQ(problem(request("alcab")), "");
}

TEST_F(RulesetTest, RulesThatCannotBeMeantAreRefused) {
    for (const char* to : {"", "nas", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "fd00::1%eth0"}) {
        FirewallRequest bad = request("alcaa");
        bad.allow = {{.to = to}};
        const auto done = host_->run([&] { return firewall_.apply(call_, bad); });
        ASSERT_FALSE(done.has_value()) << to;
        EXPECT_EQ(done.error().code, Code::invalid) << to;
    }
    FirewallRequest many = request("alcaa");
    many.allow.assign(257, {.to = "10.0.0.1"});
    EXPECT_FALSE(host_->run([&] { return firewall_.apply(call_, many).has_value(); }));
    EXPECT_EQ(host_->nft_list("ruleset"), "");
}

// 256 of them, so that a batch is known to hold what is allowed at most.
TEST_F(RulesetTest, AsManyRulesAsAllowedAreHeld) {
    FirewallRequest many = request("alcaa");
    for (int i = 0; i < 256; ++i) many.allow.push_back({.to = fmt::format("fd00::{:x}", i + 1)});
    apply(many);
    EXPECT_EQ(problem(many), "");
    remove("alcaa");
    EXPECT_EQ(host_->nft_list("ruleset"), "");
}

FirewallRequest restricted(FirewallRequest request) {
    request.allow = {{.to = "172.20.0.2", .protocols = {"tcp", "udp"}, .ports = {{53, 53}}},
                     {.to = "fd00::1"}};
    request.proxy = TcpProxy{.to = "10.0.0.1", .port = 1080};
    request.limits = {.bytes_per_second = 20'000'000, .new_connections_per_second = 100};
    return request;
}

TEST_F(RulesetTest, ProxyAndLimitsAreChainsOfTheSandbox) {
    apply(restricted(request("alca0a")));
    EXPECT_EQ(problem(restricted(request("alca0a"))), "");
    EXPECT_EQ(
        host_->nft_list("chain inet alca s_0a"),
        "table inet alca {\n"
        "\tchain s_0a {\n"
        "\t\tlimit rate over 20000000 bytes/second burst 128 kbytes drop\n"
        "\t\tjump head\n"
        "\t\tct state new ct status ! confirmed limit rate over 100/second burst 100 packets goto "
        "d_limit\n"
        "\t\tip daddr 172.20.0.2-172.20.0.2 tcp dport 53-53 accept\n"
        "\t\tip daddr 172.20.0.2-172.20.0.2 udp dport 53-53 accept\n"
        "\t\tmeta l4proto tcp ct state invalid,untracked drop\n"
        "\t\tudp dport 443 goto d_proxy\n"
        "\t\tmeta l4proto tcp fib daddr . iif oif exists accept\n"
        "\t\tmeta l4proto tcp fib daddr type != local meta nfproto != ipv4 goto d_proxy\n"
        "\t\tmeta l4proto tcp fib daddr type != local ct status confirmed ct reply ip saddr != "
        "10.0.0.1 goto d_proxy\n"
        "\t\tmeta l4proto tcp fib daddr type != local ct status confirmed ct reply proto-src != "
        "1080 goto d_proxy\n"
        "\t\tip daddr 172.20.0.2-172.20.0.2 tcp dport 53-53 accept\n"
        "\t\tip daddr 172.20.0.2-172.20.0.2 udp dport 53-53 accept\n"
        "\t\tip6 daddr fd00::1-fd00::1 meta l4proto @protocols accept\n"
        "\t\tip daddr 10.0.0.1-10.0.0.1 tcp dport 1080 goto d_proxy\n"
        "\t\tgoto internet\n"
        "\t}\n"
        "}\n");
    EXPECT_EQ(host_->nft_list("chain inet alca n_0a"),
              "table inet alca {\n"
              "\tchain n_0a {\n"
              "\t\tip daddr 172.20.0.2-172.20.0.2 tcp dport 53-53 accept\n"
              "\t\tip daddr 172.20.0.2-172.20.0.2 udp dport 53-53 accept\n"
              "\t\tmeta l4proto tcp dnat ip to 10.0.0.1:1080\n"
              "\t}\n"
              "}\n");
    EXPECT_EQ(host_->nft_list("chain inet alca l_0a"),
              "table inet alca {\n"
              "\tchain l_0a {\n"
              "\t\tlimit rate over 20000000 bytes/second burst 128 kbytes drop\n"
              "\t}\n"
              "}\n");
}

TEST_F(RulesetTest, ProxyAndLimitsAreReplacedAndGo) {
    const FirewallRequest first = restricted(request("alcaa"));
    FirewallRequest second = first;
    second.proxy = TcpProxy{.to = TcpProxy::kHost, .port = 1080};
    FirewallRequest third = first;
    third.limits.bytes_per_second = 1'000'000;
    const FirewallRequest none = request("alcaa");
    const FirewallRequest open = request("alcaa", NetworkPolicy::open);
    FirewallRequest open_limited = open;
    open_limited.limits.new_connections_per_second = 5;
    apply(request("alcab"));
    for (const auto& wanted : {first, second, third, none, open_limited, open, first}) {
        EXPECT_NE(problem(wanted), "");
        apply(wanted);
        EXPECT_EQ(problem(wanted), "");
    }
    apply(none);
    for (const char* chain : {"s_a", "n_a", "l_a"}) {
        EXPECT_EQ(host_->nft_list("table inet alca").find(chain), std::string::npos) << chain;
    }
    apply(first);
    remove("alcaa");
    EXPECT_EQ(host_->nft_list("table inet alca").find("alcaa\""), std::string::npos);
    for (const char* chain : {"s_a", "n_a", "l_a"}) {
        EXPECT_EQ(host_->nft_list("table inet alca").find(chain), std::string::npos) << chain;
    }
    EXPECT_EQ(problem(request("alcab")), "");
}

// Without them the sandbox could do more than with them, so it may do nothing.
TEST_F(RulesetTest, ARebuiltTableClosesSandboxesWithAProxyOrLimits) {
    FirewallRequest limited = request("alcab");
    limited.limits.new_connections_per_second = 5;
    apply(restricted(request("alcaa")));
    apply(limited);
    host_->nft("flush chain inet alca tail");
    apply(request("alcac"));
    EXPECT_EQ(list(), std::vector<std::string>{"alcac"});
    EXPECT_EQ(problem(limited), "element alcab of set sandbox is missing");
    apply(limited);
    EXPECT_EQ(problem(limited), "");
    apply(restricted(request("alcaa")));
    EXPECT_EQ(problem(restricted(request("alcaa"))), "");
}

TEST_F(RulesetTest, AProxyThatCannotBeIsRefused) {
    for (const char* to : {"", "proxy", "127.0.0.1", "::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1",
                           "fe80::1", "::ffff:10.0.0.1", "10.0.0.0/8"}) {
        FirewallRequest bad = request("alcaa");
        bad.proxy = TcpProxy{.to = to, .port = 1080};
        const auto done = host_->run([&] { return firewall_.apply(call_, bad); });
        ASSERT_FALSE(done.has_value()) << to;
        EXPECT_EQ(done.error().code, Code::invalid) << to;
    }
    FirewallRequest bad = request("alcaa");
    bad.proxy = TcpProxy{.to = "10.0.0.1", .port = 0};
    EXPECT_FALSE(host_->run([&] { return firewall_.apply(call_, bad).has_value(); }));
    EXPECT_EQ(host_->nft_list("ruleset"), "");
}

TEST_F(RulesetTest, ALimitThatTheKernelCannotHoldIsAnErrorAndNothingIsPutUp) {
    FirewallRequest huge = request("alcaa");
    huge.limits.bytes_per_second = ~0ULL;
    EXPECT_FALSE(host_->run([&] { return firewall_.apply(call_, huge).has_value(); }));
    EXPECT_EQ(host_->nft_list("ruleset"), "");
    huge.limits.bytes_per_second = 10ULL << 30;  // what a configuration may hold at most
    huge.limits.new_connections_per_second = 1'000'000;
    apply(huge);
    EXPECT_EQ(problem(huge), "");
}

TEST_F(RulesetTest, PublicNetworksOfThisMachineAreFollowed) {
    apply(request("alcaa"));
    host_->ip(
        "link add lan0 type bridge\n"
        "link set lan0 up\n"
        "addr add 203.0.113.5/25 dev lan0\n"
        "addr add 192.168.9.1/24 dev lan0\n"
        "addr add 2001:db8:5::1/64 dev lan0 nodad\n");
    EXPECT_EQ(problem(request("alcaa")), "element cb007100 of set onlink4 is missing");
    apply(request("alcaa"));
    EXPECT_EQ(problem(request("alcaa")), "");
    EXPECT_NE(host_->nft_list("set inet alca onlink4").find("{ 203.0.113.0/25 }"),
              std::string::npos);
    EXPECT_NE(host_->nft_list("set inet alca onlink6").find("{ 2001:db8:5::/64 }"),
              std::string::npos);
    host_->ip("addr add 203.0.113.129/25 dev lan0\nroute add 198.51.100.7/32 dev lan0\n");
    apply(request("alcaa"));
    EXPECT_NE(host_->nft_list("set inet alca onlink4").find("{ 198.51.100.7, 203.0.113.0/24 }"),
              std::string::npos);
    host_->ip("link del lan0\n");
    EXPECT_NE(problem(request("alcaa")), "");
    apply(request("alcaa"));
    EXPECT_EQ(host_->nft_list("set inet alca onlink4").find("elements"), std::string::npos);
}

TEST_F(RulesetTest, AnUnregisteredSandboxIsNotIntact) {
    apply(request("alcaa"));
    EXPECT_EQ(problem(request("alcab")), "element alcab of set sandbox is missing");
}

TEST_F(RulesetTest, NothingAppliedIsNotIntact) {
    EXPECT_EQ(problem(request("alcaa")), "table inet alca is missing");
}

TEST_F(RulesetTest, TableGoesWithTheLastSandbox) {
    apply(request("alcaa"));
    apply(request("alcab", NetworkPolicy::open));
    remove("alcaa");
    EXPECT_EQ(host_->nft_list("table inet alca").find("alcaa"), std::string::npos);
    EXPECT_EQ(host_->nft_list("table inet alca").find("c_a_"), std::string::npos);
    EXPECT_EQ(problem(request("alcab", NetworkPolicy::open)), "");
    remove("alcab");
    EXPECT_EQ(host_->nft_list("ruleset"), "");
}

TEST_F(RulesetTest, TableStaysWhileASandboxInterfaceIsThere) {
    host_->ip("link add alcaa type bridge\n");
    apply(request("alcaa"));
    remove("alcaa");
    EXPECT_NE(host_->nft_list("ruleset").find("chain pre"), std::string::npos);
    EXPECT_TRUE(list().empty());
    host_->ip("link del alcaa\n");
    remove("alcaa");
    EXPECT_EQ(host_->nft_list("ruleset"), "");
}

TEST_F(RulesetTest, RemovingWhatIsNotThereSucceeds) {
    remove("alcaa");
    apply(request("alcab"));
    remove("alcaa");
    remove("alcaa");
    EXPECT_EQ(problem(request("alcab")), "");
}

TEST_F(RulesetTest, RemovesWhatIsLeftOfADamagedSandbox) {
    apply(request("alcaa"));
    apply(request("alcab"));
    host_->nft(
        "delete element inet alca sandbox { \"alcaa\" }\n"
        "delete element inet alca c_lan { \"alcaa\" }\n"
        "delete counter inet alca c_a_lan\n"
        "add chain inet alca foreign\n");
    remove("alcaa");
    EXPECT_EQ(host_->nft_list("table inet alca").find("c_a_"), std::string::npos);
    EXPECT_EQ(host_->nft_list("table inet alca").find("\"alcaa\""), std::string::npos);
}

TEST_F(RulesetTest, RemoveForgetsWhatTheSandboxWasRefused) {
    apply(request("alcaa"));
    apply(request("alcab"));
    host_->nft(
        "add element inet alca blocked4 { \"alcaa\" . 10.0.0.1 . tcp . 22, "
        "\"alcab\" . 10.0.0.1 . tcp . 22 }\n"
        "add element inet alca notelim { \"alcaa\" limit rate over 50/second burst 200 "
        "packets }\n");
    remove("alcaa");
    const std::string left = host_->nft_list("table inet alca");
    EXPECT_EQ(left.find("\"alcaa\""), std::string::npos);
    EXPECT_NE(left.find("\"alcab\" . 10.0.0.1"), std::string::npos);
}

TEST_F(RulesetTest, OtherTablesAreLeftAlone) {
    host_->nft("table inet theirs { chain c { type filter hook forward priority 0; }; }");
    const std::string before = host_->nft_list("ruleset");
    apply(request("alcaa"));
    remove("alcaa");
    EXPECT_EQ(host_->nft_list("ruleset"), before);
}

TEST_F(RulesetTest, DamageIsSeenAlsoAmongManyChainsOfSandboxes) {
    // More of them than static chains: those are read one by one then.
    for (int i = 0; i < 60; ++i) {
        FirewallRequest other = request(fmt::format("alca{}", i));
        other.allow = {{.to = "10.0.0.5"}};
        apply(other);
    }
    apply(request("alcaa"));
    EXPECT_EQ(problem(request("alcaa")), "");
    host_->nft("flush chain inet alca tail");
    EXPECT_EQ(problem(request("alcaa")), "rule 1 of chain tail is missing");
    host_->nft("insert rule inet alca tail accept");
    EXPECT_EQ(problem(request("alcaa")), "rule 1 of chain tail was changed");
}

TEST_F(RulesetTest, RepairKeepsTheOtherSandboxes) {
    apply(request("alcaa"));
    apply(request("alcab", NetworkPolicy::open));
    host_->nft("flush chain inet alca pre");
    apply(request("alcac"));
    EXPECT_EQ(problem(request("alcaa")), "");
    EXPECT_EQ(problem(request("alcab", NetworkPolicy::open)), "");
    EXPECT_EQ(problem(request("alcac")), "");
}

TEST_F(RulesetTest, RepairClosesASandboxWhosePolicyIsUnknown) {
    apply(request("alcaa"));
    apply(request("alcab"));
    host_->nft(
        "delete element inet alca sandbox { \"alcab\" }\n"
        "add element inet alca sandbox { \"alcab\" : goto head }\n"
        "flush chain inet alca pre\n");
    apply(request("alcaa"));
    EXPECT_EQ(problem(request("alcab")), "element alcab of set sandbox is missing");
}

TEST_F(RulesetTest, CancelledApplyChangesNothing) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    ::close(ends[1]);  // readable from now on: end of file
    const QuietCall cancelled(ends[0]);
    const auto done = host_->run([&] { return firewall_.apply(cancelled, request("alcaa")); });
    ::close(ends[0]);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, Code::cancelled);
    EXPECT_EQ(host_->nft_list("ruleset"), "");
}

// ---- every kind of damage is seen, named, and repaired by the next apply

struct Damage {
    const char* name;
    const char* commands;
    const char* problem;
};

class DamageTest : public RulesetTest, public testing::WithParamInterface<Damage> {};

TEST_P(DamageTest, IsSeenAndRepaired) {
    apply(request("alcaa"));
    ASSERT_EQ(problem(request("alcaa")), "");
    host_->nft(GetParam().commands);
    EXPECT_EQ(problem(request("alcaa")), GetParam().problem);
    apply(request("alcaa"));
    EXPECT_EQ(problem(request("alcaa")), "");
}

INSTANTIATE_TEST_SUITE_P(
    Damages, DamageTest,
    testing::Values(
        Damage{"TableDeleted", "delete table inet alca", "table inet alca is missing"},
        Damage{"RulesetFlushed", "flush ruleset", "table inet alca is missing"},
        Damage{"TableAsleep", "add table inet alca { flags dormant; }",
               "table inet alca has flags 0x1"},
        Damage{"ChainFlushed", "flush chain inet alca tail", "rule 1 of chain tail is missing"},
        Damage{"AcceptInserted", "insert rule inet alca head accept",
               "rule 1 of chain head was changed"},
        Damage{"AcceptAppended", "add rule inet alca from_sandbox accept",
               "rule 5 of chain from_sandbox is not ours"},
        Damage{"RuleReplaced",
               "flush chain inet alca internet\n"
               "add rule inet alca internet jump head\n"
               "add rule inet alca internet accept\n"
               "add rule inet alca internet accept\n",
               "rule 2 of chain internet was changed"},
        Damage{"ComparisonChanged",
               "flush chain inet alca pre\n"
               "add rule inet alca pre iifname != \"alcb*\" accept\n"
               "add rule inet alca pre iifname vmap @sandbox\n"
               "add rule inet alca pre goto d_nopolicy\n",
               "rule 1 of chain pre was changed"},
        Damage{
            "PolicyChanged", "add chain inet alca forward { policy drop; }",
            "chain forward has \"type filter hook 2 priority -10 policy drop\" instead of \"type "
            "filter hook 2 priority -10 policy accept\""},
        Damage{"ForeignChain",
               "add chain inet alca foreign { type filter hook prerouting priority -200; }\n"
               "add rule inet alca foreign accept\n",
               "chain foreign is not ours"},
        Damage{"ForeignSet", "add set inet alca foreign { type ipv4_addr; }",
               "set foreign is not ours"},
        Damage{"RangeRemoved", "delete element inet alca deny4 { 192.168.0.0/16 }",
               "element c0a80000 : goto d_lan of set deny4 is missing"},
        Damage{"RangeAllowed",
               "delete element inet alca deny4 { 192.168.0.0/16 }\n"
               "add element inet alca deny4 { 192.168.0.0/16 : accept }\n",
               "element c0a80000 : goto d_lan of set deny4 is missing"},
        Damage{"RangeAdded", "add element inet alca deny6 { 2a00::/16 : accept }",
               "element 2a000000000000000000000000000000 : accept of set deny6 is not ours"},
        Damage{"RangeShortened",
               "delete element inet alca deny4 { 10.0.0.0/8 }\n"
               "add element inet alca deny4 { 10.0.0.0/9 : goto d_lan }\n",
               "element 0b000000 (end) of set deny4 is missing"},
        Damage{"SandboxUnregistered", "delete element inet alca sandbox { \"alcaa\" }",
               "element alcaa of set sandbox is missing"},
        Damage{"SandboxOpened",
               "delete element inet alca sandbox { \"alcaa\" }\n"
               "add element inet alca sandbox { \"alcaa\" : accept }\n",
               "element alcaa of set sandbox is \"accept\" instead of \"goto internet\""},
        Damage{"ArrivingRemoved", "flush map inet alca arriving",
               "element alcaa of set arriving is missing"},
        Damage{"CounterUnmapped", "delete element inet alca c_lan { \"alcaa\" }",
               "element alcaa of set c_lan is missing or wrong"},
        Damage{"CounterDeleted",
               "delete element inet alca c_host { \"alcaa\" }\n"
               "delete counter inet alca c_a_host\n",
               "counter c_a_host is missing"},
        Damage{"CounterOfAnother",
               "delete element inet alca c_meta { \"alcaa\" }\n"
               "add element inet alca c_meta { \"alcaa\" : \"c_a_lan\" }\n",
               "element alcaa of set c_meta is missing or wrong"},
        Damage{"ResolverAdded", "add element inet alca dns6 { fd00::53 }",
               "element fd000000000000000000000000000053 of set dns6 is not ours"},
        Damage{"ResolverRemoved", "flush set inet alca dns4",
               "element 0a4d0002 of set dns4 is missing"}),
    [](const auto& instance) { return std::string(instance.param.name); });

// ---- the same for a sandbox with a proxy and limits

class RestrictedDamageTest : public RulesetTest, public testing::WithParamInterface<Damage> {};

TEST_P(RestrictedDamageTest, IsSeenAndRepaired) {
    const FirewallRequest wanted = restricted(request("alcaa"));
    apply(wanted);
    ASSERT_EQ(problem(wanted), "");
    host_->nft(GetParam().commands);
    EXPECT_EQ(problem(wanted), GetParam().problem);
    apply(wanted);
    EXPECT_EQ(problem(wanted), "");
}

INSTANTIATE_TEST_SUITE_P(
    Damages, RestrictedDamageTest,
    testing::Values(
        Damage{"NatFlushed", "flush chain inet alca nat", "rule 1 of chain nat is missing"},
        Damage{"NatPassedBy", "insert rule inet alca nat accept",
               "rule 1 of chain nat was changed"},
        Damage{"Unproxied", "delete element inet alca proxied { \"alcaa\" }",
               "element alcaa of set proxied is missing"},
        Damage{"ProxyOfAnother",
               "add chain inet alca n_b\n"
               "delete element inet alca proxied { \"alcaa\" }\n"
               "add element inet alca proxied { \"alcaa\" : goto n_b }\n",
               "element alcaa of set proxied is \"goto n_b\" instead of \"goto n_a\""},
        Damage{"ProxyMoved", "insert rule inet alca n_a meta l4proto tcp dnat ip to 10.0.0.2:1080",
               "rule 1 of chain n_a was changed"},
        Damage{"ProxyPassedBy", "insert rule inet alca n_a accept",
               "rule 1 of chain n_a was changed"},
        Damage{"LimitRaised",
               "flush chain inet alca l_a\n"
               "add rule inet alca l_a limit rate over 30000000 bytes/second burst 128 kbytes "
               "drop\n",
               "rule 1 of chain l_a was changed"},
        Damage{"LimitFlushed", "flush chain inet alca l_a", "rule 1 of chain l_a is missing"},
        Damage{"Unlimited", "delete element inet alca limited { \"alcaa\" }",
               "element alcaa of set limited is missing"},
        Damage{"OutputFlushed", "flush chain inet alca output",
               "rule 1 of chain output is missing"},
        Damage{"NoLongerRestricted", "flush set inet alca restricted",
               "element alcaa of set restricted is missing"},
        Damage{"DecisionLeft",
               "delete element inet alca sandbox { \"alcaa\" }\n"
               "add element inet alca sandbox { \"alcaa\" : goto internet }\n",
               "element alcaa of set sandbox is \"goto internet\" instead of \"goto s_a\""}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST_F(RulesetTest, AForeignProxyOfASandboxWithoutOneIsSeenAndGoes) {
    apply(request("alcaa"));
    host_->nft(
        "add chain inet alca n_a\n"
        "add rule inet alca n_a meta l4proto tcp dnat ip to 10.0.0.2:1080\n"
        "add element inet alca proxied { \"alcaa\" : goto n_a }\n");
    EXPECT_EQ(problem(request("alcaa")), "element alcaa of set proxied is not ours");
    apply(request("alcaa"));
    EXPECT_EQ(problem(request("alcaa")), "");
}

// ---- rights and requests

TEST_F(RulesetTest, BadInterfaceIsInvalidAndReachesNoKernel) {
    for (const char* interface : {"eth0", "alca", "alca0123456789ab", "alca*"}) {
        const auto done = host_->run([&] { return firewall_.apply(call_, request(interface)); });
        ASSERT_FALSE(done.has_value());
        EXPECT_EQ(done.error().code, Code::invalid);
    }
    EXPECT_EQ(host_->nft_list("ruleset"), "");
}

TEST_F(RulesetTest, ProbeIsAvailableWithTheRight) {
    const auto probe = host_->run([&] { return firewall_.probe(call_).value(); });
    EXPECT_TRUE(probe.available);
    EXPECT_FALSE(probe.needs_root);
    EXPECT_EQ(probe.layer, "host nftables (inet alca)");
    EXPECT_EQ(probe.reason, "");
}

}  // namespace
}  // namespace alca::nft::test
