// How much and how often a sandbox with limits may send and receive, measured at the other end.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "netns.hpp"
#include "plugins/firewall-nft/nft_firewall.hpp"
#include "quiet_call.hpp"
#include "town.hpp"

namespace alca::nft::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr const char* kInternet = "203.0.113.9";
constexpr const char* kInternet6 = "2001:db8:9::9";
constexpr std::uint32_t kConnections = 10;   // a second
constexpr std::uint64_t kBytes = 2'000'000;  // a second

class LimitTest : public testing::Test {
  protected:
    void SetUp() override {
        ALCA_SKIP_WITHOUT_NETNS();
        town_ = std::make_unique<Town>();
        firewall_ = std::make_unique<NftFirewall>();
    }

    void apply(const TrafficLimits& limits, NetworkPolicy policy = NetworkPolicy::internet,
               const std::string& interface = "alcaa") {
        const FirewallRequest request{.sandbox_id = "test",
                                      .interface = interface,
                                      .policy = policy,
                                      .dns = {"10.77.0.2"},
                                      .limits = limits};
        const auto done = town_->host.run([&] { return firewall_->apply(QuietCall(), request); });
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }

    std::unique_ptr<Town> town_;
    std::unique_ptr<NftFirewall> firewall_;
};

// Bytes that arrive at `to` while `from` sends as much as it can for `time`.
std::uint64_t transfer(const Socket& from, const Socket& to, std::chrono::milliseconds time) {
    const auto end = steady_clock::now() + time;
    const std::vector<char> out(std::size_t{64} * 1024);
    std::vector<char> in(out.size());
    std::uint64_t bytes = 0;
    while (steady_clock::now() < end) {
        pollfd ends[2] = {{from.fd_, POLLOUT, 0}, {to.fd_, POLLIN, 0}};
        ::poll(ends, 2, 50);
        if ((ends[0].revents & POLLOUT) != 0) {
            ::send(from.fd_, out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        }
        const ssize_t got = ::recv(to.fd_, in.data(), in.size(), MSG_DONTWAIT);
        if (got > 0) bytes += static_cast<std::uint64_t>(got);
    }
    return bytes;
}

// The first second's worth may pass at once, and so may the burst; headers count too.
constexpr std::uint64_t most(std::uint64_t seconds) { return kBytes * (seconds + 1) + 256 * 1024; }

TEST_F(LimitTest, BandwidthIsHeldInEachDirection) {
    Listener internet(town_->internet, kPort);
    const Socket connection = connected(town_->a, kInternet);
    const Socket other_end = internet.accept();
    EXPECT_GT(transfer(connection, other_end, 500ms), most(3)) << "the link is slow by itself";
    const Socket second = connected(town_->a, kInternet);
    const Socket second_end = internet.accept();
    apply({.bytes_per_second = kBytes});
    const std::uint64_t out = transfer(second, second_end, 2s);
    EXPECT_LE(out, most(2));
    EXPECT_GE(out, kBytes);
    const Socket third = connected(town_->a, kInternet);
    const Socket third_end = internet.accept();
    const std::uint64_t in = transfer(third_end, third, 2s);
    EXPECT_LE(in, most(2));
    EXPECT_GE(in, kBytes);
    fmt::print("limit {} bytes/s; in 2 s out {}, in {}\n", kBytes, out, in);
}

// Answers to connections from outside, and what this host itself sends.
TEST_F(LimitTest, BandwidthIsHeldBetweenThisHostAndTheSandbox) {
    apply({.bytes_per_second = kBytes}, NetworkPolicy::open);
    Listener inside(town_->a, kPort);
    const Socket connection = connected(town_->host, "10.88.1.2");
    const Socket other_end = inside.accept();
    const std::uint64_t in = transfer(connection, other_end, 2s);
    EXPECT_LE(in, most(2));
    EXPECT_GE(in, kBytes);
    const Socket second = connected(town_->host, "10.88.1.2");
    const Socket second_end = inside.accept();
    const std::uint64_t out = transfer(second_end, second, 2s);
    EXPECT_LE(out, most(2));
    EXPECT_GE(out, kBytes);
    fmt::print("limit {} bytes/s; in 2 s host to sandbox {}, back {}\n", kBytes, in, out);
}

TEST_F(LimitTest, OtherSandboxesAreNotSlowedDown) {
    apply({.bytes_per_second = kBytes});
    apply({}, NetworkPolicy::internet, "alcab");
    Listener internet(town_->internet, kPort);
    const Socket connection = connected(town_->b, kInternet);
    const Socket other_end = internet.accept();
    EXPECT_GT(transfer(connection, other_end, 500ms), most(2));
}

TEST_F(LimitTest, TooManyNewConnectionsAreRefusedAndPassASecondLater) {
    Listener internet(town_->internet, kPort);
    for (const NetworkPolicy policy : {NetworkPolicy::internet, NetworkPolicy::open}) {
        apply({.new_connections_per_second = kConnections}, policy);
        const auto begin = steady_clock::now();
        int passed = 0;
        int refused = 0;
        for (int i = 0; i < 100; ++i) {
            const int error = tcp(town_->a, i % 2 == 0 ? kInternet : kInternet6);
            passed += error == 0 ? 1 : 0;
            refused += error == ECONNREFUSED ? 1 : 0;
        }
        const auto seconds = std::chrono::duration<double>(steady_clock::now() - begin).count();
        EXPECT_EQ(passed + refused, 100) << "answered at once";
        EXPECT_GE(passed, static_cast<int>(kConnections));
        EXPECT_LE(passed, static_cast<int>(kConnections * (seconds + 1)) + 1);
        EXPECT_EQ(udp(town_->a, kInternet), EHOSTUNREACH);
        EXPECT_GE(town_->host.counter("c_a_limit"), refused + 1);
        int error = ECONNREFUSED;
        while (error != 0 && steady_clock::now() - begin < 10s) {
            error = tcp(town_->a, kInternet);
            std::this_thread::sleep_for(50ms);
        }
        EXPECT_EQ(error, 0);
    }
}

TEST_F(LimitTest, OpenConnectionsGoOnWhileNewOnesAreRefused) {
    apply({.new_connections_per_second = kConnections});
    Listener internet(town_->internet, kPort);
    const Socket connection = connected(town_->a, kInternet);
    const Socket other_end = internet.accept();
    int error = 0;
    for (int i = 0; i < 200 && error == 0; ++i) error = tcp(town_->a, kInternet);
    EXPECT_EQ(error, ECONNREFUSED);
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(connection.reaches(other_end));
}

// The kernel calls a connection new until it is answered.
TEST_F(LimitTest, PacketsThatNobodyAnswersAreOneConnection) {
    apply({.new_connections_per_second = kConnections});
    Listener internet(town_->internet, kPort);
    const Socket stream(town_->a.run([] {
        const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_in target{};
        target.sin_family = AF_INET;
        target.sin_port = htons(kPort);
        EXPECT_EQ(::inet_pton(AF_INET, kInternet, &target.sin_addr), 1);
        EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&target), sizeof target), 0);
        return fd;
    }));
    constexpr int kPackets = 100;
    int received = 0;
    for (int i = 0; i < kPackets; ++i) {
        EXPECT_EQ(::send(stream.fd_, "x", 1, 0), 1);
        received += internet.received(i + 1 < kPackets ? 0 : 500);
    }
    EXPECT_EQ(received, kPackets);
    EXPECT_EQ(town_->host.counter("c_a_limit"), 0);
}

TEST_F(LimitTest, ChangedLimitsHoldAtOnce) {
    apply({.new_connections_per_second = 1000000});
    Listener internet(town_->internet, kPort);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(tcp(town_->a, kInternet), 0);
    apply({.new_connections_per_second = 1});
    int refused = 0;
    for (int i = 0; i < 10; ++i) refused += tcp(town_->a, kInternet) == ECONNREFUSED ? 1 : 0;
    EXPECT_GE(refused, 5);
    apply({});
    for (int i = 0; i < 10; ++i) EXPECT_EQ(tcp(town_->a, kInternet), 0);
}

}  // namespace
}  // namespace alca::nft::test
