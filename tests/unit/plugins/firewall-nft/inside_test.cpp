// The layer inside the sandbox's own namespace, by both ways into it; counted at the target.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>

#include "netns.hpp"
#include "plugins/firewall-nft/nft_firewall.hpp"
#include "plugins/shared/nft_rules/relay_protocol.hpp"
#include "quiet_call.hpp"
#include "town.hpp"

namespace alca::nft::test {
namespace {

using testing::HasSubstr;

constexpr std::array kLanTargets = {"192.168.77.2",       "10.77.0.2",        "172.20.0.2",
                                    "100.64.7.2",         "169.254.169.254",  "fd77::2",
                                    "64:ff9b::c0a8:4d02", "2002:c0a8:4d02::1"};
constexpr std::array kHostTargets = {"10.88.1.1", "10.88.2.1", "192.168.77.1", "198.51.100.1",
                                     "fd88:1::1", "fd77::1",   "fd88:2::1",    "2001:db8:100::1"};
constexpr std::array kInternetTargets = {"203.0.113.9", "2001:db8:9::9"};
constexpr std::array kSiblingTargets = {"10.88.2.2", "fd88:2::2"};

enum class Way { by_pid, by_relay };

// A child in `where`, until the object ends.
class Child {
  public:
    // Returns when the child is there: until then its namespace is the machine's own.
    template <class Function>
    Child(const Netns& where, Function function) {
        std::array<int, 2> arrived{-1, -1};
        if (::pipe2(arrived.data(), O_CLOEXEC) != 0) ADD_FAILURE() << "no pipe";
        pid_ = ::fork();
        if (pid_ == 0) {
            where.enter();
            static_cast<void>(::write(arrived[1], "!", 1));
            function();
            ::_exit(99);
        }
        ::close(arrived[1]);
        char byte = 0;
        EXPECT_EQ(::read(arrived[0], &byte, 1), 1);
        ::close(arrived[0]);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    [[nodiscard]] pid_t pid() const { return pid_; }

  private:
    pid_t pid_ = -1;
};

class InsideTest : public testing::TestWithParam<Way> {
  protected:
    void SetUp() override {
        ALCA_SKIP_WITHOUT_NETNS();
        town_ = std::make_unique<Town>();
        firewall_ = std::make_unique<NftFirewall>();
        request_.sandbox_id = "test";
        request_.interface = "alcaa";
        request_.layer = FirewallLayer::inside;
        request_.dns = {"10.77.0.2", "fd77::2"};
        request_.gateways = {"10.88.1.1", "fd88:1::1"};
        if (GetParam() == Way::by_pid) {
            child_ = std::make_unique<Child>(town_->a, [] { ::pause(); });
            request_.pid = child_->pid();
            return;
        }
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0);
        child_ = std::make_unique<Child>(town_->a, [this] {
            ::dup2(ends_[1], STDIN_FILENO);
            ::dup2(ends_[1], STDOUT_FILENO);
            ::execl(ALCA_NET_PROGRAM, "alca-net", nullptr);
        });
        const auto connected = firewall_->connect(QuietCall(), ends_[0]);
        ASSERT_TRUE(connected.has_value()) << connected.error().message;
    }
    void TearDown() override {
        for (const int fd : ends_) ::close(fd);
    }

    void apply() {
        const auto done = town_->host.run([&] { return firewall_->apply(QuietCall(), request_); });
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }
    std::string problem() {
        const auto verdict =
            town_->host.run([&] { return firewall_->verify(QuietCall(), request_); });
        if (!verdict) return verdict.error().message;
        return verdict->intact ? "" : verdict->problem;
    }
    FirewallReport report() {
        auto report = town_->host.run([&] { return firewall_->report(QuietCall(), request_); });
        EXPECT_TRUE(report.has_value());
        return report.value_or(FirewallReport{});
    }

    std::unique_ptr<Town> town_;
    std::unique_ptr<NftFirewall> firewall_;
    std::unique_ptr<Child> child_;
    std::array<int, 2> ends_{-1, -1};
    FirewallRequest request_;
};

INSTANTIATE_TEST_SUITE_P(Ways, InsideTest, testing::Values(Way::by_pid, Way::by_relay),
                         [](const auto& instance) {
                             return std::string(instance.param == Way::by_pid ? "ByPid"
                                                                              : "ByRelay");
                         });

TEST_P(InsideTest, ClosesEverythingButTheInternetAndNotOnePacketArrives) {
    Listener internet(town_->internet, kPort);
    Listener host(town_->host, kPort);
    Listener sibling(town_->b, kPort);
    // The control: all of it is open without rules.
    for (const auto* target : kHostTargets) EXPECT_EQ(tcp(town_->a, target), 0) << target;
    for (const auto* target : kSiblingTargets) EXPECT_EQ(tcp(town_->a, target), 0) << target;
    host.received(100);
    sibling.received(100);
    apply();
    EXPECT_EQ(problem(), "");
    Sniffer lan(town_->lan, "eth0");
    Sniffer neighbour(town_->b, "eth0");
    for (const auto* target : kLanTargets) {
        EXPECT_EQ(tcp(town_->a, target), ECONNREFUSED) << target;
        EXPECT_EQ(udp(town_->a, target), EPERM) << target;
    }
    for (const auto* target : kHostTargets) {
        EXPECT_EQ(tcp(town_->a, target), ECONNREFUSED) << target;
        EXPECT_EQ(udp(town_->a, target), EPERM) << target;
    }
    for (const auto* target : kSiblingTargets) {
        EXPECT_EQ(tcp(town_->a, target), ECONNREFUSED) << target;
    }
    EXPECT_EQ(lan.seen(), 0);
    EXPECT_EQ(neighbour.seen(), 0);
    EXPECT_EQ(host.received(200), 0);
    for (const auto* target : kInternetTargets) EXPECT_EQ(tcp(town_->a, target), 0) << target;
    EXPECT_GE(internet.received(1000), 1);
}

TEST_P(InsideTest, TellsWhatWasRefused) {
    apply();
    EXPECT_EQ(tcp(town_->a, "192.168.77.2"), ECONNREFUSED);
    EXPECT_EQ(udp(town_->a, "fd77::2", 53535), EPERM);
    EXPECT_EQ(tcp(town_->a, "169.254.169.254", 80), ECONNREFUSED);
    EXPECT_EQ(tcp(town_->a, "10.88.1.1"), ECONNREFUSED);
    const FirewallReport found = report();
    EXPECT_EQ(found.refused.at("lan"), 2U);
    EXPECT_EQ(found.refused.at("meta"), 1U);
    EXPECT_EQ(found.refused.at("host"), 1U);
    EXPECT_EQ(found.refused.at("inbound"), 0U);
    EXPECT_THAT(found.blocked,
                testing::UnorderedElementsAre(BlockedTarget{"192.168.77.2", "tcp", kPort, 1},
                                              BlockedTarget{"fd77::2", "udp", 53535, 1},
                                              BlockedTarget{"169.254.169.254", "tcp", 80, 1},
                                              BlockedTarget{"10.88.1.1", "tcp", kPort, 1}));
}

TEST_P(InsideTest, ResolversAreReachedOnTheirPortOnly) {
    Listener dns(town_->lan, 53);
    Listener other(town_->lan, 54);
    apply();
    for (const auto* resolver : {"10.77.0.2", "fd77::2"}) {
        EXPECT_EQ(tcp(town_->a, resolver, 53), 0) << resolver;
        EXPECT_EQ(tcp(town_->a, resolver, 54), ECONNREFUSED) << resolver;
    }
    EXPECT_EQ(tcp(town_->a, "192.168.77.2", 53), ECONNREFUSED);
    EXPECT_EQ(other.received(100), 0);
}

TEST_P(InsideTest, AllowedDestinationsAreReachedAndNothingBesides) {
    Listener lan(town_->lan, kPort);
    Listener host(town_->host, kPort);
    request_.allow = {{.to = "192.168.77.0/24", .protocols = {"tcp"}, .ports = {{kPort, kPort}}},
                      {.to = AllowRule::kHost, .protocols = {"udp"}, .ports = {{kPort, kPort}}}};
    apply();
    EXPECT_EQ(problem(), "");
    EXPECT_EQ(tcp(town_->a, "192.168.77.2"), 0);
    EXPECT_EQ(udp(town_->a, "192.168.77.2"), EPERM);
    EXPECT_EQ(tcp(town_->a, "192.168.77.2", kPort + 1), ECONNREFUSED);
    // The host's own address in an allowed network stays closed.
    EXPECT_EQ(tcp(town_->a, "192.168.77.1"), ECONNREFUSED);
    lan.received(100);
    host.received(100);
    for (const auto* address : {"10.88.1.1", "192.168.77.1", "fd88:1::1"}) {
        EXPECT_EQ(udp(town_->a, address, kPort, 0), 0) << address;
        EXPECT_EQ(host.received(1000), 1) << address;
    }
    EXPECT_EQ(tcp(town_->a, "10.88.1.1"), ECONNREFUSED);
    request_.allow.clear();
    apply();
    EXPECT_EQ(tcp(town_->a, "192.168.77.2"), ECONNREFUSED);
}

TEST_P(InsideTest, NewRulesCutWhatIsOpen) {
    Listener lan(town_->lan, kPort);
    const Socket inside = connected(town_->a, "192.168.77.2");
    const Socket outside = lan.accept();
    EXPECT_EQ(inside.send_and_wait(), ETIMEDOUT);  // it goes out, and nobody answers
    apply();
    EXPECT_NE(inside.send_and_wait(), ETIMEDOUT);
}

TEST_P(InsideTest, NobodyComesInButToPublishedPorts) {
    Listener service(town_->a, kPort);
    Listener other(town_->a, kPort + 1);
    EXPECT_EQ(tcp(town_->lan, "10.88.1.2", kPort + 1), 0);
    other.received(100);
    request_.published = {{.protocol = "tcp", .port = kPort}};
    apply();
    EXPECT_EQ(tcp(town_->lan, "10.88.1.2", kPort), 0);
    EXPECT_EQ(tcp(town_->host, "10.88.1.2", kPort), 0);
    EXPECT_EQ(tcp(town_->lan, "10.88.1.2", kPort + 1, 300), ETIMEDOUT);
    EXPECT_EQ(other.received(100), 0);
    EXPECT_EQ(report().refused.at("inbound"), 1U);
}

TEST_P(InsideTest, APortOfThisHostOnlyIsReachedFromNowhereElse) {
    Listener service(town_->a, kPort);
    request_.published = {{.protocol = "tcp", .port = kPort, .local = true}};
    apply();
    EXPECT_EQ(tcp(town_->host, "10.88.1.2", kPort), 0);
    EXPECT_EQ(service.received(500), 1);
    EXPECT_EQ(tcp(town_->lan, "10.88.1.2", kPort, 300), ETIMEDOUT);
    EXPECT_EQ(tcp(town_->b, "10.88.1.2", kPort, 300), ETIMEDOUT);
    EXPECT_EQ(service.received(100), 0);
    request_.published = {{.protocol = "tcp", .port = kPort}};
    apply();
    EXPECT_EQ(tcp(town_->lan, "10.88.1.2", kPort, 300), 0);
}

TEST_P(InsideTest, WhatWasChangedIsSeenAndRepaired) {
    EXPECT_THAT(problem(), HasSubstr("table inet alca is missing"));
    apply();
    EXPECT_EQ(problem(), "");
    town_->a.nft("insert rule inet alca out accept\n");
    EXPECT_THAT(problem(), HasSubstr("chain out"));
    apply();
    EXPECT_EQ(problem(), "");
    town_->a.nft("delete element inet alca host4 { 198.51.100.1 }\n");
    EXPECT_THAT(problem(), HasSubstr("of set host4 is missing"));
    apply();
    town_->a.nft("flush chain inet alca in\n");
    EXPECT_THAT(problem(), HasSubstr("rule 1 of chain in is missing"));
    apply();
    town_->a.nft("flush ruleset\n");
    EXPECT_THAT(problem(), HasSubstr("table inet alca is missing"));
    apply();
    EXPECT_EQ(problem(), "");
    // Another host address than before: the old rules are not enough.
    town_->host.ip("addr add 198.51.100.77/32 dev lo\n");
    EXPECT_THAT(problem(), HasSubstr("set host4 is missing"));
}

// Right rules prove nothing where packets do not pass them: one packet to a gateway is tried.
TEST_P(InsideTest, VerifyTriesAPacketToo) {
    apply();
    EXPECT_EQ(problem(), "");
    // Redirected to itself before the rules look at it.
    town_->a.nft(
        "add table ip foreign\n"
        "add chain ip foreign c { type nat hook output priority -150; }\n"
        "add rule ip foreign c ip daddr 10.88.1.1 dnat to 203.0.113.9\n");
    EXPECT_THAT(problem(), HasSubstr("a packet to 10.88.1.1 was not refused (it went out)"));
}

TEST_P(InsideTest, RemoveLeavesNothing) {
    apply();
    const auto removed = town_->host.run([&] { return firewall_->remove(QuietCall(), request_); });
    ASSERT_TRUE(removed.has_value()) << removed.error().message;
    EXPECT_EQ(town_->a.nft_list("ruleset"), "");
    EXPECT_TRUE(town_->host.run([&] { return firewall_->remove(QuietCall(), request_); }));
}

// Networks of engines come and go all the time.
TEST_P(InsideTest, AnotherPrivateAddressOfTheHostIsNoDifference) {
    apply();
    town_->host.ip("addr add 172.31.7.1/24 dev lo\naddr add 10.99.9.1/24 dev alcab\n");
    EXPECT_EQ(problem(), "");
    EXPECT_EQ(tcp(town_->a, "172.31.7.1"), ECONNREFUSED);
    // With something allowed it counts, but for those on bridges of sandboxes.
    request_.allow = {{.to = "172.31.0.0/16"}};
    apply();
    EXPECT_EQ(tcp(town_->a, "172.31.7.1"), ECONNREFUSED);
    town_->host.ip("addr add 10.99.8.1/24 dev alcab\n");
    EXPECT_EQ(problem(), "");
    town_->host.ip("addr add 172.31.8.1/24 dev lo\n");
    EXPECT_THAT(problem(), HasSubstr("set host4 is missing"));
}

TEST_P(InsideTest, ForeignTablesStayAsTheyAre) {
    town_->a.nft("add table ip foreign\nadd chain ip foreign c\n");
    apply();
    EXPECT_THAT(town_->a.nft_list("table ip foreign"), HasSubstr("chain c"));
}

TEST_P(InsideTest, OpenPolicyHasNoRulesInside) {
    request_.policy = NetworkPolicy::open;
    const auto done = town_->host.run([&] { return firewall_->apply(QuietCall(), request_); });
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, Code::invalid);
}

TEST(NamespaceOfTest, ItsOwnNamespaceIsRefused) {
    const auto kernel = namespace_of(::getpid());
    ASSERT_FALSE(kernel.has_value());
    EXPECT_EQ(kernel.error().code, Code::invalid);
    EXPECT_EQ(namespace_of(0x7ffffff0).error().code, Code::not_found);
}

// ---- the program at the other end

class NetHelperTest : public testing::Test {
  protected:
    void SetUp() override {
        ALCA_SKIP_WITHOUT_NETNS();
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(ends_[1], STDIN_FILENO);
            ::dup2(ends_[1], STDOUT_FILENO);
            ::execl(ALCA_NET_PROGRAM, "alca-net", nullptr);
            ::_exit(99);
        }
        ::close(ends_[1]);
        std::array<char, relay::kHello.size()> hello{};
        ASSERT_EQ(::recv(ends_[0], hello.data(), hello.size(), MSG_WAITALL),
                  static_cast<ssize_t>(hello.size()));
        EXPECT_EQ(hello, relay::kHello);
    }
    void TearDown() override { ::close(ends_[0]); }

    void send(const relay::Request& request) const {
        ASSERT_EQ(::send(ends_[0], &request, sizeof request, MSG_NOSIGNAL),
                  static_cast<ssize_t>(sizeof request));
    }
    int exit_code() const {
        ::shutdown(ends_[0], SHUT_WR);
        int status = 0;
        ::waitpid(pid_, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    std::array<int, 2> ends_{-1, -1};
    pid_t pid_ = -1;
};

TEST_F(NetHelperTest, EndsWithItsInput) { EXPECT_EQ(exit_code(), 0); }

TEST_F(NetHelperTest, EndsAtAnUnknownOperation) {
    send({.operation = 77, .argument = NETLINK_NETFILTER, .bytes = 0});
    EXPECT_EQ(exit_code(), 2);
}

TEST_F(NetHelperTest, OpensNoOtherKindOfSocket) {
    send({.operation = relay::open_netlink, .argument = NETLINK_GENERIC, .bytes = 0});
    EXPECT_EQ(exit_code(), 2);
}

TEST_F(NetHelperTest, RefusesARequestThatIsTooLarge) {
    send({.operation = relay::send_netlink,
          .argument = NETLINK_NETFILTER,
          .bytes = static_cast<std::uint32_t>(relay::kMaxRequestBytes) + 1});
    EXPECT_EQ(exit_code(), 2);
}

TEST_F(NetHelperTest, EndsAtARequestThatBreaksOff) {
    send({.operation = relay::send_netlink, .argument = NETLINK_NETFILTER, .bytes = 100});
    EXPECT_EQ(exit_code(), 2);
}

TEST_F(NetHelperTest, TellsErrorsOfSocketsThatAreNotOpen) {
    send({.operation = relay::receive_now, .argument = NETLINK_NETFILTER, .bytes = 0});
    relay::Reply reply;
    ASSERT_EQ(::recv(ends_[0], &reply, sizeof reply, MSG_WAITALL),
              static_cast<ssize_t>(sizeof reply));
    EXPECT_EQ(reply.error, EBADF);
    EXPECT_EQ(exit_code(), 0);
}

}  // namespace
}  // namespace alca::nft::test
