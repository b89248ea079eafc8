// Where the TCP connections of a sandbox with a proxy go, counted at the targets.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>
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

constexpr int kProxyPort = 1080;
constexpr int kQuicPort = 443;
const TcpProxy kOnHost{.to = TcpProxy::kHost, .port = kProxyPort};
const TcpProxy kOnLan{.to = "10.77.0.2", .port = kProxyPort};
const TcpProxy kOnLan6{.to = "fd77::2", .port = kProxyPort};
const TcpProxy kOnInternet{.to = "203.0.113.9", .port = kProxyPort};

constexpr const char* kInternet = "203.0.113.9";
constexpr const char* kInternet6 = "2001:db8:9::9";

// The destination that the client of this connection asked for, "address port".
std::string original_destination(const Socket& connection) {
    constexpr int kIp6OriginalDestination = 80;  // IP6T_SO_ORIGINAL_DST
    std::array<char, INET6_ADDRSTRLEN> text{};
    sockaddr_in v4{};
    socklen_t size = sizeof v4;
    if (::getsockopt(connection.fd_, IPPROTO_IP, SO_ORIGINAL_DST, &v4, &size) == 0) {
        ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
        return fmt::format("{} {}", text.data(), ntohs(v4.sin_port));
    }
    sockaddr_in6 v6{};
    size = sizeof v6;
    if (::getsockopt(connection.fd_, IPPROTO_IPV6, kIp6OriginalDestination, &v6, &size) != 0) {
        return "unknown";
    }
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return fmt::format("{} {}", text.data(), ntohs(v6.sin6_port));
}

// Parameter: as of TrafficTest.
class ProxyTest : public testing::TestWithParam<bool> {
  protected:
    void SetUp() override {
        ALCA_SKIP_WITHOUT_NETNS();
        town_ = std::make_unique<Town>();
        const char* value = GetParam() ? "1" : "0";
        const bool known = town_->host.sysctl("bridge/bridge-nf-call-iptables", value) &&
                           town_->host.sysctl("bridge/bridge-nf-call-ip6tables", value);
        if (!known && GetParam())
            GTEST_SKIP() << "br_netfilter is not loaded; try: modprobe br_netfilter";
        firewall_ = std::make_unique<NftFirewall>();
    }

    static FirewallRequest request(const std::optional<TcpProxy>& proxy,
                                   const std::vector<AllowRule>& allow = {}) {
        return {.sandbox_id = "test",
                .interface = "alcaa",
                .policy = NetworkPolicy::internet,
                .dns = {"10.77.0.2", "fd77::2"},
                .allow = allow,
                .proxy = proxy};
    }
    void apply(const FirewallRequest& request) {
        const auto done = town_->host.run([&] { return firewall_->apply(QuietCall(), request); });
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }
    void apply(const std::optional<TcpProxy>& proxy, const std::vector<AllowRule>& allow = {}) {
        apply(request(proxy, allow));
    }

    std::unique_ptr<Town> town_;
    std::unique_ptr<NftFirewall> firewall_;
};

INSTANTIATE_TEST_SUITE_P(BridgeNetfilter, ProxyTest, testing::Bool(), [](const auto& instance) {
    return std::string(instance.param ? "On" : "Off");
});

TEST_P(ProxyTest, InternetArrivesAtAProxyOnThisHostThatLearnsTheDestination) {
    apply(kOnHost);
    Listener proxy(town_->host, kProxyPort);
    Listener internet(town_->internet, kPort);
    const Socket v4 = connected(town_->a, kInternet);
    EXPECT_EQ(original_destination(proxy.accept()), fmt::format("{} {}", kInternet, kPort));
    const Socket v6 = connected(town_->a, kInternet6);
    EXPECT_EQ(original_destination(proxy.accept()), fmt::format("{} {}", kInternet6, kPort));
    EXPECT_EQ(internet.received(200), 0);
    EXPECT_EQ(town_->host.counter("c_a_proxy"), 0);
}

TEST_P(ProxyTest, InternetArrivesAtAProxyOfTheLocalNetwork) {
    Listener proxy(town_->lan, kProxyPort);
    Listener internet(town_->internet, kPort);
    apply(kOnLan);
    const Socket v4 = connected(town_->a, kInternet);
    const Socket other_end = proxy.accept();
    EXPECT_TRUE(v4.reaches(other_end));
    apply(kOnLan6);
    EXPECT_EQ(tcp(town_->a, kInternet6), 0);
    EXPECT_EQ(proxy.received(1000), 1);
    EXPECT_EQ(internet.received(200), 0);
}

TEST_P(ProxyTest, SandboxesWithoutAProxyHaveNone) {
    Listener proxy(town_->host, kProxyPort);
    Listener internet(town_->internet, kPort);
    apply(kOnHost);
    FirewallRequest other = request(std::nullopt);
    other.interface = "alcab";
    apply(other);
    EXPECT_EQ(tcp(town_->b, kInternet), 0);
    EXPECT_EQ(internet.received(1000), 1);
    EXPECT_EQ(proxy.received(), 0);
}

TEST_P(ProxyTest, LocalNetworkAndMetadataAreClosedThroughAProxyToo) {
    for (const TcpProxy& where : {kOnHost, kOnLan}) {
        apply(where);
        Listener on_host(town_->host, kProxyPort);
        Sniffer lan(town_->lan, "eth0");
        for (const char* target : {"192.168.77.2", "10.77.0.2", "169.254.169.254", "100.64.7.2"}) {
            EXPECT_EQ(tcp(town_->a, target), ECONNREFUSED) << target;
            EXPECT_EQ(udp(town_->a, target), EHOSTUNREACH) << target;
        }
        EXPECT_EQ(tcp(town_->a, "fd77::2"), ECONNREFUSED);
        EXPECT_EQ(on_host.received(200), 0);
        EXPECT_EQ(lan.seen(), 0);
    }
}

TEST_P(ProxyTest, NobodyAsksForTheProxyItself) {
    apply(kOnLan);
    Listener on_lan(town_->lan, kProxyPort);
    EXPECT_EQ(tcp(town_->a, "10.77.0.2", kProxyPort), ECONNREFUSED);
    EXPECT_EQ(on_lan.received(200), 0);
    apply(kOnHost);
    Listener on_host(town_->host, kProxyPort);
    for (const char* address : {"10.88.1.1", "192.168.77.1", "198.51.100.1", "fd88:1::1"}) {
        EXPECT_EQ(tcp(town_->a, address, kProxyPort), ECONNREFUSED) << address;
    }
    EXPECT_EQ(on_host.received(200), 0);
    apply(kOnInternet);
    Listener on_internet(town_->internet, kProxyPort);
    EXPECT_EQ(tcp(town_->a, kInternet, kProxyPort), ECONNREFUSED);
    EXPECT_EQ(on_internet.received(200), 0);
    EXPECT_EQ(town_->host.counter("c_a_proxy"), 2);  // by the two that are not on this host
    EXPECT_EQ(tcp(town_->a, kInternet), 0);
    EXPECT_EQ(on_internet.received(1000), 1);
}

TEST_P(ProxyTest, QuicIsRefusedAtOnceAndOtherUdpPasses) {
    apply(kOnHost);
    Listener quic(town_->internet, kQuicPort);
    Listener internet(town_->internet, kPort);
    EXPECT_EQ(udp(town_->a, kInternet, kQuicPort), EHOSTUNREACH);
    EXPECT_EQ(udp(town_->a, kInternet6, kQuicPort), EACCES);
    EXPECT_EQ(quic.received(200), 0);
    EXPECT_EQ(town_->host.counter("c_a_proxy"), 2);
    EXPECT_EQ(udp(town_->a, kInternet, kPort, 0), 0);
    EXPECT_EQ(internet.received(1000), 1);
    EXPECT_EQ(udp(town_->a, kInternet6, kPort, 0), 0);
    EXPECT_EQ(internet.received(1000), 1);
}

TEST_P(ProxyTest, TheFamilyThatTheProxyDoesNotServeIsRefused) {
    Listener proxy(town_->lan, kProxyPort);
    Sniffer internet(town_->internet, "eth0");
    apply(kOnLan);
    EXPECT_EQ(tcp(town_->a, kInternet6), ECONNREFUSED);
    EXPECT_EQ(town_->host.counter("c_a_proxy"), 1);
    apply(kOnLan6);
    EXPECT_EQ(tcp(town_->a, kInternet), ECONNREFUSED);
    EXPECT_EQ(town_->host.counter("c_a_proxy"), 2);
    EXPECT_EQ(proxy.received(200), 0);
    EXPECT_EQ(internet.seen(), 0);
}

TEST_P(ProxyTest, WhatIsAllowedGoesThroughTheProxyToo) {
    apply(kOnHost, {{.to = "192.168.77.2"}});
    Listener proxy(town_->host, kProxyPort);
    Listener lan(town_->lan, kPort);
    const Socket connection = connected(town_->a, "192.168.77.2");
    EXPECT_EQ(original_destination(proxy.accept()), fmt::format("192.168.77.2 {}", kPort));
    EXPECT_EQ(lan.received(200), 0);
    EXPECT_EQ(udp(town_->a, "192.168.77.2", kPort, 0), 0);
    EXPECT_EQ(lan.received(1000), 1);
}

TEST_P(ProxyTest, AllowedServicesOfThisHostStayWhatTheyAre) {
    const AllowRule service{
        .to = AllowRule::kHost, .protocols = {"tcp"}, .ports = {{kPort, kPort}}};
    Listener proxy(town_->lan, kProxyPort);
    Listener host(town_->host, kPort);
    for (const TcpProxy& where : {kOnLan, kOnHost}) {
        apply(where, {service});
        for (const char* address : {"10.88.1.1", "192.168.77.1", "198.51.100.1", "fd88:1::1"}) {
            const Socket connection = connected(town_->a, address);
            const Socket other_end = host.accept();
            EXPECT_TRUE(connection.reaches(other_end)) << address;
        }
    }
    EXPECT_EQ(proxy.received(200), 0);
}

TEST_P(ProxyTest, ResolversAreAskedDirectly) {
    apply(kOnHost, {{.to = "172.20.0.2", .protocols = {"tcp", "udp"}, .ports = {{53, 53}}}});
    Listener proxy(town_->host, kProxyPort);
    Listener dns(town_->lan, 53);
    for (const char* resolver : {"10.77.0.2", "fd77::2", "172.20.0.2"}) {
        const Socket connection = connected(town_->a, resolver, 53);
        const Socket other_end = dns.accept();
        EXPECT_TRUE(connection.reaches(other_end)) << resolver;
        EXPECT_EQ(udp(town_->a, resolver, 53, 0), 0) << resolver;
        EXPECT_EQ(dns.received(1000), 1) << resolver;
    }
    EXPECT_EQ(proxy.received(200), 0);
    // A resolver of the other family too.
    apply(kOnLan6);
    EXPECT_EQ(tcp(town_->a, "10.77.0.2", 53), 0);
    EXPECT_EQ(dns.received(1000), 1);
}

TEST_P(ProxyTest, ConnectionsOfBeforeAreCut) {
    for (const int port : {kPort, kProxyPort}) {
        Listener internet(town_->internet, port);
        for (const TcpProxy& where : {kOnHost, kOnLan}) {
            apply(std::nullopt);
            const Socket connection = connected(town_->a, kInternet, port);
            const Socket other_end = internet.accept();
            apply(where);
            Sniffer wire(town_->internet, "eth0");
            EXPECT_EQ(connection.send_and_wait(), ECONNRESET) << port;
            EXPECT_EQ(wire.seen(), 0) << port;
        }
    }
}

// The first packet has passed, so the kernel has decided where the connection goes; what answers
// would make it whole.
TEST_P(ProxyTest, ConnectionsThatWereNotAnsweredYetAreCut) {
    town_->internet.nft("table ip t { chain c { type filter hook input priority 0; drop; }; }");
    apply(std::nullopt);
    const Socket half_open(town_->a.run([] {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_in target{};
        target.sin_family = AF_INET;
        target.sin_port = htons(kPort);
        EXPECT_EQ(::inet_pton(AF_INET, kInternet, &target.sin_addr), 1);
        EXPECT_NE(::connect(fd, reinterpret_cast<const sockaddr*>(&target), sizeof target), 0);
        return fd;
    }));
    apply(kOnLan);
    Sniffer wire(town_->internet, "eth0");
    // The second try of the kernel, a second later, is the one that must not pass.
    EXPECT_EQ(half_open.wait_for_error(3000), ECONNREFUSED);
    EXPECT_EQ(wire.seen(), 0);
}

TEST_P(ProxyTest, ConnectionsOfAnotherProxyAreCut) {
    Listener first(town_->lan, kProxyPort);
    Listener second(town_->lan, kProxyPort + 1);
    apply(kOnLan);
    const Socket connection = connected(town_->a, kInternet);
    const Socket other_end = first.accept();
    apply(TcpProxy{.to = kOnLan.to, .port = kProxyPort + 1});
    EXPECT_EQ(connection.send_and_wait(), ECONNRESET);
    const Socket again = connected(town_->a, kInternet);
    const Socket other_end_again = second.accept();
    apply(TcpProxy{.to = "192.168.77.2", .port = kProxyPort + 1});
    EXPECT_EQ(again.send_and_wait(), ECONNRESET);
}

// NAT needs a connection that the kernel keeps track of; another program may have said not to.
TEST_P(ProxyTest, PacketsThatAreNotTrackedDoNotPassByIt) {
    town_->host.nft(
        "table inet test { chain c { type filter hook prerouting priority raw; "
        "meta l4proto tcp notrack; }; }");
    apply(std::nullopt);
    Sniffer wire(town_->internet, "eth0");
    EXPECT_EQ(tcp(town_->a, kInternet, kPort, 200), ETIMEDOUT) << "answers are no connection's";
    EXPECT_GE(wire.seen(), 1);
    apply(kOnHost);
    EXPECT_EQ(tcp(town_->a, kInternet, kPort, 200), ETIMEDOUT);
    EXPECT_EQ(wire.seen(), 0);
}

TEST_P(ProxyTest, WithoutTheProxyConnectionsAreDirectAgain) {
    apply(kOnHost);
    apply(std::nullopt);
    Listener proxy(town_->host, kProxyPort);
    Listener internet(town_->internet, kPort);
    EXPECT_EQ(tcp(town_->a, kInternet), 0);
    EXPECT_EQ(internet.received(1000), 1);
    EXPECT_EQ(proxy.received(), 0);
}

TEST_P(ProxyTest, WhenNobodyListensNothingPassesByIt) {
    apply(kOnLan);
    Listener internet(town_->internet, kPort);
    EXPECT_EQ(tcp(town_->a, kInternet), ECONNREFUSED);
    EXPECT_EQ(internet.received(200), 0);
}

TEST_P(ProxyTest, AnOpenSandboxIsProxiedToo) {
    FirewallRequest open = request(kOnHost);
    open.policy = NetworkPolicy::open;
    apply(request(std::nullopt));
    Listener internet(town_->internet, kPort);
    const Socket of_before = connected(town_->a, kInternet);
    const Socket other_end = internet.accept();
    apply(open);
    Listener proxy(town_->host, kProxyPort);
    Listener lan(town_->lan, kPort);
    EXPECT_EQ(of_before.send_and_wait(), ECONNRESET);
    EXPECT_EQ(tcp(town_->a, "192.168.77.2"), 0);
    EXPECT_EQ(proxy.received(1000), 1);
    EXPECT_EQ(tcp(town_->a, kInternet6), 0);
    EXPECT_EQ(proxy.received(1000), 1);
    EXPECT_EQ(udp(town_->a, kInternet, kQuicPort), EHOSTUNREACH);
    EXPECT_EQ(udp(town_->a, "192.168.77.2", kPort, 0), 0);
    EXPECT_EQ(lan.received(1000), 1);
    EXPECT_EQ(internet.received(), 0);
}

// As Docker publishes ports, in a chain that comes after ours.
TEST_P(ProxyTest, PublishedPortsAreReachedAndAnswer) {
    town_->host.nft(
        "table ip test { chain c { type nat hook prerouting priority dstnat; "
        "tcp dport 8080 dnat to 10.88.1.2:9000; }; }");
    Listener inside(town_->a, kPort);
    for (const NetworkPolicy policy : {NetworkPolicy::internet, NetworkPolicy::open}) {
        FirewallRequest wanted = request(kOnHost);
        wanted.policy = policy;
        apply(wanted);
        const Socket connection = connected(town_->lan, "192.168.77.1", 8080);
        const Socket other_end = inside.accept();
        EXPECT_TRUE(connection.reaches(other_end));
        EXPECT_TRUE(other_end.reaches(connection));
    }
}

TEST_P(ProxyTest, MembersOfTheSandboxesOwnNetworkAreNotProxied) {
    Netns member;
    town_->host.ip(
        fmt::format("link add vd type veth peer name eth0 netns {}\n"
                    "link set vd master alcaa up\n",
                    member.path()));
    member.ip(
        "link set eth0 up\n"
        "addr add 10.88.1.3/28 dev eth0\n");
    wait_for_link(town_->a, "10.88.1.3");
    apply(kOnLan);
    Listener proxy(town_->lan, kProxyPort);
    Listener other(member, kPort);
    const Socket connection = connected(town_->a, "10.88.1.3");
    const Socket other_end = other.accept();
    EXPECT_TRUE(connection.reaches(other_end));
    EXPECT_EQ(proxy.received(), 0);
}

}  // namespace
}  // namespace alca::nft::test
