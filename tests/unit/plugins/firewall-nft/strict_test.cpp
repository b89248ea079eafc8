// Strict sandboxes: what happens to them when somebody takes the table away. Packets are counted at
// the target.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>

#include "netns.hpp"
#include "plugins/firewall-nft/nft_firewall.hpp"
#include "quiet_call.hpp"
#include "town.hpp"

namespace alca::nft::test {
namespace {

constexpr std::array kLanTargets = {"192.168.77.2", "10.77.0.2", "fd77::2"};
constexpr std::array kInternetTargets = {"203.0.113.9", "2001:db8:9::9"};
constexpr const char* kDelete = "delete table inet alca";
constexpr const char* kFlush = "flush ruleset";

struct Request {
    std::string interface = "alcaa";
    bool strict = true;
    std::vector<AllowRule> allow = {};
    NetworkPolicy policy = NetworkPolicy::internet;
};

class StrictTest : public testing::Test {
  protected:
    void SetUp() override {
        ALCA_SKIP_WITHOUT_NETNS();
        town_ = std::make_unique<Town>();
        // As Docker sets it, where the module is there.
        town_->host.sysctl("bridge/bridge-nf-call-iptables", "1");
        town_->host.sysctl("bridge/bridge-nf-call-ip6tables", "1");
        firewall_ = std::make_unique<NftFirewall>();
    }

    static FirewallRequest full(const Request& request) {
        return {.sandbox_id = "test",
                .interface = request.interface,
                .policy = request.policy,
                .dns = {"10.77.0.2", "fd77::2"},
                .allow = request.allow,
                .strict = request.strict};
    }
    void apply(const Request& request) {
        const auto done =
            town_->host.run([&] { return firewall_->apply(QuietCall(), full(request)); });
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }
    void remove(const Request& request) {
        const auto done =
            town_->host.run([&] { return firewall_->remove(QuietCall(), full(request)); });
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }
    // "" when intact.
    std::string problem(const Request& request) {
        const auto verdict =
            town_->host.run([&] { return firewall_->verify(QuietCall(), full(request)); });
        EXPECT_TRUE(verdict.has_value());
        return verdict && !verdict->intact ? verdict->problem : "";
    }

    // Whether any packet of TCP and UDP from `sandbox` came to the local network or the internet.
    bool is_forwarded(const Netns& sandbox, const char* target) {
        Sniffer lan(town_->lan, "eth0");
        Sniffer internet(town_->internet, "eth0");
        static_cast<void>(tcp(sandbox, target, kPort, 200));
        static_cast<void>(udp(sandbox, target, kPort, 100));
        return lan.seen() + internet.seen() > 0;
    }
    void expect_forwarded(const Netns& sandbox, bool forwarded) {
        for (const char* target : kLanTargets) {
            EXPECT_EQ(is_forwarded(sandbox, target), forwarded) << target;
        }
        for (const char* target : kInternetTargets) {
            EXPECT_EQ(is_forwarded(sandbox, target), forwarded) << target;
        }
    }
    void expect_policy_holds(const Netns& sandbox) {
        Listener internet(town_->internet, kPort);
        for (const char* target : kInternetTargets) {
            EXPECT_EQ(tcp(sandbox, target), 0) << target;
            EXPECT_EQ(udp(sandbox, target, kPort, 0), 0) << target;
        }
        EXPECT_GE(internet.received(1000), 1);
        for (const char* target : kLanTargets) {
            EXPECT_EQ(tcp(sandbox, target), ECONNREFUSED) << target;
            EXPECT_FALSE(is_forwarded(sandbox, target)) << target;
        }
    }

    std::unique_ptr<Town> town_;
    std::unique_ptr<NftFirewall> firewall_;
};

class LostTableTest : public StrictTest, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(How, LostTableTest, testing::Values(kDelete, kFlush),
                         [](const auto& instance) {
                             return std::string(instance.param == kDelete ? "Delete" : "Flush");
                         });

// The control of those below.
TEST_P(LostTableTest, OpensEverythingWithoutStrict) {
    apply({.strict = false});
    expect_policy_holds(town_->a);
    town_->host.nft(GetParam());
    expect_forwarded(town_->a, true);
}

TEST_P(LostTableTest, ForwardsNothingOfAStrictSandbox) {
    apply({});
    expect_policy_holds(town_->a);
    town_->host.nft(GetParam());
    expect_forwarded(town_->a, false);
    apply({});
    expect_policy_holds(town_->a);
}

TEST_P(LostTableTest, ForwardsNothingOfAStrictSandboxWithRulesOfItsOwn) {
    apply({.allow = {{.to = "192.168.77.2"}, {.to = "fd77::2"}}});
    Listener lan(town_->lan, kPort);
    EXPECT_EQ(tcp(town_->a, "192.168.77.2"), 0);
    EXPECT_EQ(tcp(town_->a, "fd77::2"), 0);
    town_->host.nft(GetParam());
    expect_forwarded(town_->a, false);
}

TEST_P(LostTableTest, ClosesTheStrictOneOfTwo) {
    apply({.interface = "alcaa", .strict = true});
    apply({.interface = "alcab", .strict = false});
    expect_policy_holds(town_->a);
    expect_policy_holds(town_->b);
    town_->host.nft(GetParam());
    expect_forwarded(town_->a, false);
    expect_forwarded(town_->b, true);
}

TEST_P(LostTableTest, CutsLiveConnections) {
    apply({});
    Listener internet(town_->internet, kPort);
    const Socket open = connected(town_->a, "203.0.113.9");
    const Socket server = internet.accept();
    town_->host.nft(GetParam());
    Sniffer wire(town_->internet, "eth0");
    EXPECT_NE(open.send_and_wait(), 0);
    EXPECT_EQ(wire.seen(), 0);
}

// The mark does not leave the namespace that it was set in.
TEST_P(LostTableTest, MarkThatASandboxSetsItselfIsNoWayOut) {
    apply({});
    town_->host.nft(GetParam());
    Sniffer internet(town_->internet, "eth0");
    town_->a.run([] {
        const Socket socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        const std::uint32_t mark = kJudgedMark;
        ASSERT_EQ(::setsockopt(socket.fd_, SOL_SOCKET, SO_MARK, &mark, sizeof mark), 0);
        sockaddr_in target{};
        target.sin_family = AF_INET;
        target.sin_port = htons(kPort);
        ASSERT_EQ(inet_pton(AF_INET, "203.0.113.9", &target.sin_addr), 1);
        ASSERT_EQ(::sendto(socket.fd_, "x", 1, 0, reinterpret_cast<const sockaddr*>(&target),
                           sizeof target),
                  1);
    });
    EXPECT_EQ(udp(town_->a, "203.0.113.9", kPort, 100), EHOSTUNREACH);
    EXPECT_EQ(internet.seen(), 0);
}

TEST_F(StrictTest, AnswersOfPublishedPortsComeBack) {
    apply({});
    town_->host.nft(
        "table ip test { chain c { type nat hook prerouting priority dstnat; "
        "tcp dport 8080 dnat to 10.88.1.2:9000; }; }\n"
        "table ip6 test { chain c { type nat hook prerouting priority dstnat; "
        "tcp dport 8080 dnat to [fd88:1::2]:9000; }; }");
    Listener inside(town_->a, kPort);
    EXPECT_EQ(tcp(town_->lan, "192.168.77.1", 8080), 0);
    EXPECT_EQ(tcp(town_->lan, "fd77::1", 8080), 0);
    EXPECT_EQ(inside.received(1000), 2);
}

TEST_F(StrictTest, HostAndSandboxReachEachOtherAsWithoutIt) {
    apply({.allow = {{.to = AllowRule::kHost, .protocols = {"tcp"}, .ports = {{kPort, kPort}}}}});
    Listener inside(town_->a, kPort);
    Listener host(town_->host, kPort);
    for (const char* address : {"10.88.1.2", "fd88:1::2"}) {
        EXPECT_EQ(tcp(town_->host, address), 0) << address;
    }
    for (const char* address : {"10.88.1.1", "fd88:1::1"}) {
        EXPECT_EQ(tcp(town_->a, address), 0) << address;
        EXPECT_EQ(tcp(town_->a, address, kPort + 1), ECONNREFUSED) << address;
    }
}

TEST_F(StrictTest, OtherBitsOfTheMarkStayAsTheyAre) {
    town_->host.nft(
        "table inet test {\n"
        "chain before { type filter hook prerouting priority raw; meta mark set 0x4000; }\n"
        "chain after { type filter hook prerouting priority dstnat; iifname \"alcaa\" "
        "meta mark != 0x2004000 drop; }\n}");
    Listener internet(town_->internet, kPort);
    EXPECT_EQ(tcp(town_->a, "203.0.113.9", kPort, 200), ETIMEDOUT) << "without our bit";
    apply({});
    EXPECT_EQ(tcp(town_->a, "203.0.113.9"), 0);
}

TEST_F(StrictTest, RemoveLeavesNoRoutingRule) {
    const std::string before = town_->host.ip_rules();
    for (const char* interface : {"alcaa", "alcab"}) {
        apply({.interface = interface});
        apply({.interface = interface});
    }
    const std::string during = town_->host.ip_rules();
    std::size_t rules = 0;
    for (std::size_t at = 0; (at = during.find("prohibit", at)) != std::string::npos; ++at) ++rules;
    EXPECT_EQ(rules, 4U) << during;
    remove({.interface = "alcaa"});
    EXPECT_EQ(town_->host.ip_rules().find("alcaa"), std::string::npos);
    EXPECT_NE(town_->host.ip_rules().find("alcab"), std::string::npos);
    remove({.interface = "alcab"});
    EXPECT_EQ(town_->host.ip_rules(), before);
    remove({.interface = "alcab"});
    EXPECT_EQ(town_->host.ip_rules(), before);
}

TEST_F(StrictTest, RemoveTakesTheRoutingRulesAlsoWhenTheTableIsGone) {
    const std::string before = town_->host.ip_rules();
    apply({});
    town_->host.nft(kFlush);
    remove({});
    EXPECT_EQ(town_->host.ip_rules(), before);
}

TEST_F(StrictTest, RulesComeBeforeTheInterfaceAndStayWhenItGoes) {
    const std::string before = town_->host.ip_rules();
    town_->host.ip("link add alcad type bridge\n");
    apply({.interface = "alcad"});
    town_->host.ip("link del alcad\n");
    EXPECT_EQ(problem({.interface = "alcad"}), "");
    apply({.interface = "alcae"});
    town_->host.ip("link add alcae type bridge\n");
    EXPECT_EQ(problem({.interface = "alcae"}), "");
    remove({.interface = "alcad"});
    remove({.interface = "alcae"});
    EXPECT_EQ(town_->host.ip_rules(), before);
}

struct Damage {
    const char* name;
    const char* family;
    const char* instead;  // of the rule that is taken away
};

class RoutingRuleTest : public StrictTest, public testing::WithParamInterface<Damage> {};

INSTANTIATE_TEST_SUITE_P(
    Damages, RoutingRuleTest,
    testing::Values(
        Damage{"Deleted4", "-4", ""}, Damage{"Deleted6", "-6", ""},
        Damage{"OtherAction", "-4", "pref 20 iif alcaa fwmark 0/0x2000000 lookup main"},
        Damage{"OtherInterface", "-6", "pref 20 iif alcab fwmark 0/0x2000000 prohibit"},
        Damage{"OtherMask", "-4", "pref 20 iif alcaa fwmark 0/0x4000 prohibit"},
        Damage{"OtherMark", "-4", "pref 20 iif alcaa fwmark 0x2000000/0x2000000 prohibit"},
        Damage{"EveryPacket", "-4", "pref 20 iif alcaa prohibit"},
        Damage{"OtherPriority", "-6", "pref 40000 iif alcaa fwmark 0/0x2000000 prohibit"},
        Damage{"ForFewerTargets", "-4",
               "pref 20 to 10.0.0.0/8 iif alcaa fwmark 0/0x2000000 prohibit"},
        Damage{"ForOneProtocol", "-6", "pref 20 iif alcaa fwmark 0/0x2000000 ipproto udp prohibit"},
        Damage{"Inverted", "-4", "pref 20 not iif alcaa fwmark 0/0x2000000 prohibit"}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST_P(RoutingRuleTest, DamageIsNoticedAndRepaired) {
    apply({});
    ASSERT_EQ(problem({}), "");
    const auto& [name, family, instead] = GetParam();
    town_->host.ip("rule del pref 20\n", family);
    if (*instead != '\0') town_->host.ip(fmt::format("rule add {}\n", instead), family);
    EXPECT_EQ(problem({}),
              fmt::format("the IPv{} routing rule of alcaa is missing or changed", family + 1));
    apply({});
    EXPECT_EQ(problem({}), "");
}

TEST_F(StrictTest, RoutingRuleThatMustNotBeThereIsNoticedAndTakenAway) {
    const std::string before = town_->host.ip_rules();
    apply({.strict = false});
    town_->host.ip("rule add pref 20 iif alcaa fwmark 0/0x2000000 prohibit\n", "-4");
    EXPECT_NE(problem({.strict = false}).find("must not be"), std::string::npos);
    apply({.strict = false});
    EXPECT_EQ(problem({.strict = false}), "");
    EXPECT_EQ(town_->host.ip_rules(), before);
}

TEST_F(StrictTest, ChangesWhileTheSandboxRuns) {
    const std::string before = town_->host.ip_rules();
    apply({.strict = false});
    EXPECT_NE(problem({.strict = true}), "");
    apply({.strict = true});
    EXPECT_EQ(problem({.strict = true}), "");
    expect_policy_holds(town_->a);
    EXPECT_NE(problem({.strict = false}), "");
    apply({.strict = false});
    EXPECT_EQ(town_->host.ip_rules(), before);
    EXPECT_EQ(problem({.strict = false}), "");
    expect_policy_holds(town_->a);
}

TEST_F(StrictTest, MeansNothingForTheOpenPolicy) {
    const std::string before = town_->host.ip_rules();
    apply({.policy = NetworkPolicy::open});
    EXPECT_EQ(town_->host.ip_rules(), before);
    Listener lan(town_->lan, kPort);
    EXPECT_EQ(tcp(town_->a, "192.168.77.2"), 0);
}

// Another sandbox's repair of the table knows nothing of what is strict: that one is closed until
// it is put up again, and never open.
TEST_F(StrictTest, RepairByAnotherSandboxLeavesItClosed) {
    apply({.interface = "alcaa"});
    apply({.interface = "alcab", .strict = false});
    town_->host.nft("flush chain inet alca pre");
    apply({.interface = "alcab", .strict = false});
    expect_forwarded(town_->a, false);
    EXPECT_NE(problem({.interface = "alcaa"}), "");
    apply({.interface = "alcaa"});
    expect_policy_holds(town_->a);
}

}  // namespace
}  // namespace alca::nft::test
