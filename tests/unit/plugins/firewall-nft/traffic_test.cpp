// What sandboxes reach and what reaches them, counted at the target.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "netns.hpp"
#include "plugins/firewall-nft/nft_firewall.hpp"
#include "quiet_call.hpp"
#include "town.hpp"

namespace alca::nft::test {
namespace {

// On the local network, one of each kind of address that is never internet.
constexpr std::array kLanTargets = {"192.168.77.2",       "10.77.0.2",        "172.20.0.2",
                                    "100.64.7.2",         "169.254.169.254",  "fd77::2",
                                    "64:ff9b::c0a8:4d02", "2002:c0a8:4d02::1"};
// The host by each of its addresses, as sandbox a can name them; the last is filled in.
constexpr std::array kHostTargets = {"10.88.1.1", "10.88.2.1", "192.168.77.1", "198.51.100.1",
                                     "fd88:1::1", "fd77::1",   "fd88:2::1",    "2001:db8:100::1"};
constexpr std::array kInternetTargets = {"203.0.113.9", "2001:db8:9::9"};
constexpr std::array kSiblingTargets = {"10.88.2.2", "fd88:2::2"};

bool is_v6(const std::string& address) { return address.find(':') != std::string::npos; }
// What a sandbox's UDP socket learns of "administratively prohibited".
int prohibited(const std::string& address) { return is_v6(address) ? EACCES : EHOSTUNREACH; }

// Parameter: whether bridged packets pass iptables hooks too (br_netfilter), as Docker sets it.
class TrafficTest : public testing::TestWithParam<bool> {
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

    void apply(const std::string& interface, NetworkPolicy policy = NetworkPolicy::internet,
               const std::vector<AllowRule>& allow = {}) {
        const FirewallRequest request{.sandbox_id = "test",
                                      .interface = interface,
                                      .policy = policy,
                                      .dns = {"10.77.0.2", "fd77::2"},
                                      .allow = allow};
        const auto done = town_->host.run([&] { return firewall_->apply(QuietCall(), request); });
        ASSERT_TRUE(done.has_value()) << done.error().message;
    }

    std::unique_ptr<Town> town_;
    std::unique_ptr<NftFirewall> firewall_;
};

INSTANTIATE_TEST_SUITE_P(BridgeNetfilter, TrafficTest, testing::Bool(), [](const auto& instance) {
    return std::string(instance.param ? "On" : "Off");
});

// The control of every test below: what they find closed is open when no rules are there.
TEST_P(TrafficTest, WithoutRulesEverythingIsOpen) {
    Listener lan(town_->lan, kPort);
    Listener host(town_->host, kPort);
    Listener internet(town_->internet, kPort);
    Listener sibling(town_->b, kPort);
    for (const auto* target : kLanTargets) {
        EXPECT_EQ(tcp(town_->a, target), 0) << target;
        EXPECT_EQ(udp(town_->a, target, kPort, 0), 0) << target;
        EXPECT_GE(lan.received(1000), 1) << target;
    }
    for (const auto* target : kHostTargets) {
        EXPECT_EQ(tcp(town_->a, target), 0) << target;
        EXPECT_GE(host.received(1000), 1) << target;
    }
    for (const auto* target : kInternetTargets) EXPECT_EQ(tcp(town_->a, target), 0) << target;
    for (const auto* target : kSiblingTargets) EXPECT_EQ(tcp(town_->a, target), 0) << target;
}

TEST_P(TrafficTest, LocalNetworkIsClosedAndNotOnePacketArrives) {
    apply("alcaa");
    Sniffer lan(town_->lan, "eth0");
    for (const auto* target : kLanTargets) {
        EXPECT_EQ(tcp(town_->a, target), ECONNREFUSED) << target;
        EXPECT_EQ(udp(town_->a, target), prohibited(target)) << target;
    }
    EXPECT_EQ(lan.seen(), 0);
    EXPECT_GE(town_->host.counter("c_a_lan"), 2);
    EXPECT_GE(town_->host.counter("c_a_cgnat"), 2);
    EXPECT_GE(town_->host.counter("c_a_meta"), 2);
    EXPECT_NE(
        town_->host.nft_list("set inet alca blocked4").find("\"alcaa\" . 10.77.0.2 . tcp . 9000"),
        std::string::npos);
    EXPECT_NE(
        town_->host.nft_list("set inet alca blocked6").find("\"alcaa\" . fd77::2 . udp . 9000"),
        std::string::npos);
}

TEST_P(TrafficTest, ReportTellsWhatWasRefusedToThisSandboxOnly) {
    apply("alcaa");
    apply("alcab");
    EXPECT_EQ(tcp(town_->a, "192.168.77.2"), ECONNREFUSED);
    EXPECT_EQ(udp(town_->a, "fd77::2", 53535), prohibited("fd77::2"));
    EXPECT_EQ(tcp(town_->a, "10.88.1.1"), ECONNREFUSED);
    EXPECT_EQ(tcp(town_->b, "10.77.0.2"), ECONNREFUSED);
    const auto report = town_->host.run([&] {
        FirewallRequest of;
        of.interface = "alcaa";
        return firewall_->report(QuietCall(), of);
    });
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->refused.at("lan"), 2U);
    EXPECT_EQ(report->refused.at("host"), 1U);
    EXPECT_EQ(report->refused.at("spoof"), 0U);
    std::vector<BlockedTarget> blocked = report->blocked;
    std::sort(blocked.begin(), blocked.end(),
              [](const auto& x, const auto& y) { return x.address < y.address; });
    const std::vector<BlockedTarget> expected{
        {.address = "10.88.1.1", .protocol = "tcp", .port = kPort, .packets = 1},
        {.address = "192.168.77.2", .protocol = "tcp", .port = kPort, .packets = 1},
        {.address = "fd77::2", .protocol = "udp", .port = 53535, .packets = 1}};
    EXPECT_EQ(blocked, expected);
}

TEST_P(TrafficTest, WhatIsAllowedIsReachedAndNothingBesideIt) {
    apply("alcaa", NetworkPolicy::internet,
          {{.to = "192.168.77.0/24", .protocols = {"tcp"}, .ports = {{kPort, kPort + 1}}},
           {.to = "fd77::2", .protocols = {"udp"}}});
    Listener lan(town_->lan, kPort);
    Listener last(town_->lan, kPort + 1);
    Listener behind(town_->lan, kPort + 2);
    EXPECT_EQ(tcp(town_->a, "192.168.77.2"), 0);
    EXPECT_EQ(tcp(town_->a, "192.168.77.2", kPort + 1), 0);
    EXPECT_EQ(udp(town_->a, "fd77::2", kPort, 0), 0);
    EXPECT_GE(lan.received(1000), 1);
    static_cast<void>(lan.received(200));

    EXPECT_EQ(tcp(town_->a, "192.168.77.2", kPort + 2), ECONNREFUSED);
    EXPECT_EQ(udp(town_->a, "192.168.77.2"), prohibited("192.168.77.2"));
    EXPECT_EQ(tcp(town_->a, "10.77.0.2"), ECONNREFUSED);
    EXPECT_EQ(tcp(town_->a, "fd77::2"), ECONNREFUSED);
    // The host is part of the network that is allowed, and is not meant by it.
    Listener host(town_->host, kPort);
    EXPECT_EQ(tcp(town_->a, "192.168.77.1"), ECONNREFUSED);
    EXPECT_EQ(host.received(200), 0);
    EXPECT_EQ(behind.received(200), 0);
    EXPECT_EQ(lan.received(0), 0);
    // A sandbox beside it has no part in it.
    apply("alcab");
    EXPECT_EQ(tcp(town_->b, "192.168.77.2"), ECONNREFUSED);
    EXPECT_EQ(tcp(town_->a, "192.168.77.2", kPort, 1000, "10.99.9.9"), ETIMEDOUT) << "spoofed";
}

TEST_P(TrafficTest, AllowedHostIsReachedByEachOfItsAddressesOnThatPortOnly) {
    apply("alcaa", NetworkPolicy::internet,
          {{.to = AllowRule::kHost, .protocols = {"tcp"}, .ports = {{kPort, kPort}}}});
    Listener host(town_->host, kPort);
    Listener other(town_->host, kPort + 1);
    for (const auto* target : kHostTargets) {
        EXPECT_EQ(tcp(town_->a, target), 0) << target;
        EXPECT_EQ(tcp(town_->a, target, kPort + 1), ECONNREFUSED) << target;
        EXPECT_EQ(udp(town_->a, target), prohibited(target)) << target;
    }
    EXPECT_EQ(other.received(), 0);
}

TEST_P(TrafficTest, WhatIsNoLongerAllowedIsCutAtOnce) {
    apply("alcaa", NetworkPolicy::internet, {{.to = "192.168.77.2"}});
    Listener lan(town_->lan, kPort);
    const Socket open = connected(town_->a, "192.168.77.2");
    const Socket server = lan.accept();
    apply("alcaa", NetworkPolicy::internet, {{.to = "192.168.77.3"}});
    Sniffer wire(town_->lan, "eth0");
    EXPECT_NE(open.send_and_wait(), 0);
    EXPECT_EQ(wire.seen(), 0);
}

// The host's own networks may have public addresses: 198.51.100.0/24 and 2001:db8:100::/64 here.
TEST_P(TrafficTest, PublicAddressesOnTheSameLinkAreClosed) {
    Listener neighbour(town_->internet, kPort);
    EXPECT_EQ(tcp(town_->a, "198.51.100.2"), 0);
    EXPECT_GE(neighbour.received(1000), 1);
    apply("alcaa");
    for (const char* target : {"198.51.100.2", "2001:db8:100::2"}) {
        EXPECT_EQ(tcp(town_->a, target), ECONNREFUSED) << target;
        EXPECT_EQ(udp(town_->a, target), prohibited(target)) << target;
    }
    EXPECT_EQ(neighbour.received(200), 0);
    for (const auto* target : kInternetTargets) EXPECT_EQ(tcp(town_->a, target), 0) << target;
}

TEST_P(TrafficTest, HostIsClosedByEachOfItsAddresses) {
    apply("alcaa");
    Listener host(town_->host, kPort);
    for (const auto* target : kHostTargets) {
        EXPECT_EQ(tcp(town_->a, target), ECONNREFUSED) << target;
        EXPECT_EQ(udp(town_->a, target), prohibited(target)) << target;
    }
    EXPECT_EQ(host.received(), 0);
    EXPECT_EQ(town_->host.counter("c_a_host"), static_cast<int>(2 * kHostTargets.size()));
}

// What alca-init does before a sandbox is ready: a closed port, so that only our rules can say
// "prohibited".
TEST_P(TrafficTest, GatewayAnswersProbesAsProhibited) {
    EXPECT_EQ(udp(town_->a, "10.88.1.1"), ECONNREFUSED);
    EXPECT_EQ(udp(town_->a, "fd88:1::1"), ECONNREFUSED);
    apply("alcaa");
    EXPECT_EQ(udp(town_->a, "10.88.1.1"), EHOSTUNREACH);
    EXPECT_EQ(udp(town_->a, "fd88:1::1"), EACCES);
}

TEST_P(TrafficTest, HostIsClosedByLinkLocalAddress) {
    town_->host.ip("addr add fe80::88/64 dev alcaa nodad\n");
    wait_for_link(town_->a, "fe80::88%eth0");
    Listener host(town_->host, kPort);
    EXPECT_EQ(tcp(town_->a, "fe80::88%eth0"), 0);
    EXPECT_GE(host.received(1000), 1);
    apply("alcaa");
    EXPECT_EQ(tcp(town_->a, "fe80::88%eth0"), ECONNREFUSED);
    EXPECT_EQ(host.received(), 0);
}

TEST_P(TrafficTest, BroadcastAndMulticastReachNobody) {
    Listener host(town_->host, kPort);
    EXPECT_EQ(udp(town_->a, "10.88.1.15", kPort, 0), 0);
    EXPECT_EQ(udp(town_->a, "224.0.0.1", kPort, 0), 0);
    EXPECT_GE(host.received(1000), 1);
    EXPECT_GE(host.received(100), 0);
    apply("alcaa");
    for (const char* target : {"10.88.1.15", "255.255.255.255", "224.0.0.1", "ff02::1%eth0"}) {
        EXPECT_EQ(udp(town_->a, target, kPort, 100), 0) << target;
    }
    EXPECT_EQ(host.received(), 0);
    EXPECT_GE(town_->host.counter("c_a_mcast"), 4);
}

TEST_P(TrafficTest, InternetIsReachedOverBothFamilies) {
    apply("alcaa");
    Listener internet(town_->internet, kPort);
    for (const auto* target : kInternetTargets) {
        EXPECT_EQ(tcp(town_->a, target), 0) << target;
        EXPECT_EQ(internet.received(1000), 1) << target;
        EXPECT_EQ(udp(town_->a, target, kPort, 0), 0) << target;
        EXPECT_EQ(internet.received(1000), 1) << target;
    }
    EXPECT_EQ(town_->host.counter("c_a_lan"), 0);
}

TEST_P(TrafficTest, ErrorsOfInternetHostsComeBack) {
    apply("alcaa");
    EXPECT_EQ(tcp(town_->a, "203.0.113.9"), ECONNREFUSED);  // its own reset: nobody listens
    EXPECT_EQ(udp(town_->a, "203.0.113.9"), ECONNREFUSED);  // its own port unreachable
    EXPECT_EQ(udp(town_->a, "2001:db8:9::9"), ECONNREFUSED);
}

TEST_P(TrafficTest, ResolverIsReachedOnItsPortOnly) {
    apply("alcaa");
    Listener dns(town_->lan, 53);
    Listener other(town_->lan, 54);
    for (const char* resolver : {"10.77.0.2", "fd77::2"}) {
        EXPECT_EQ(tcp(town_->a, resolver, 53), 0) << resolver;
        EXPECT_EQ(dns.received(1000), 1) << resolver;
        EXPECT_EQ(udp(town_->a, resolver, 53, 0), 0) << resolver;
        EXPECT_EQ(dns.received(1000), 1) << resolver;
        EXPECT_EQ(tcp(town_->a, resolver, 54), ECONNREFUSED) << resolver;
        EXPECT_EQ(udp(town_->a, resolver, 54), prohibited(resolver)) << resolver;
    }
    EXPECT_EQ(tcp(town_->a, "192.168.77.2", 53), ECONNREFUSED);  // listens, but is no resolver
    EXPECT_EQ(dns.received(), 0);
    EXPECT_EQ(other.received(), 0);
}

TEST_P(TrafficTest, SiblingSandboxesAreClosedToEachOther) {
    apply("alcaa");
    apply("alcab");
    Sniffer sibling(town_->b, "eth0");
    for (const auto* target : kSiblingTargets) {
        EXPECT_EQ(tcp(town_->a, target), ECONNREFUSED) << target;
        EXPECT_EQ(udp(town_->a, target), prohibited(target)) << target;
    }
    EXPECT_EQ(sibling.seen(), 0);
}

TEST_P(TrafficTest, UnregisteredSandboxReachesNothingAndIsNotReached) {
    apply("alcaa");
    Sniffer lan(town_->lan, "eth0");
    Sniffer internet(town_->internet, "eth0");
    Listener host(town_->host, kPort);
    for (const char* target : {"192.168.77.2", "203.0.113.9", "2001:db8:9::9", "10.88.3.1"}) {
        EXPECT_EQ(tcp(town_->c, target, kPort, 100), ETIMEDOUT) << target;
        EXPECT_EQ(udp(town_->c, target, kPort, 100), 0) << target;
    }
    EXPECT_EQ(lan.seen(), 0);
    EXPECT_EQ(internet.seen(), 0);
    EXPECT_EQ(host.received(), 0);
    Sniffer inside(town_->c, "eth0");
    EXPECT_EQ(udp(town_->lan, "10.88.3.2", kPort, 100), 0);
    EXPECT_EQ(inside.seen(), 0);
    EXPECT_GE(town_->host.counter("nopolicy"), 8);
}

TEST_P(TrafficTest, RemovedSandboxIsClosedWhileItsInterfaceIsThere) {
    apply("alcaa");
    const auto done = town_->host.run([&] {
        return firewall_->remove(QuietCall(),
                                 {.sandbox_id = "test", .interface = "alcaa", .dns = {}});
    });
    ASSERT_TRUE(done.has_value()) << done.error().message;
    Sniffer internet(town_->internet, "eth0");
    EXPECT_EQ(tcp(town_->a, "203.0.113.9", kPort, 100), ETIMEDOUT);
    EXPECT_EQ(internet.seen(), 0);
}

TEST_P(TrafficTest, OpenPolicyBlocksNothingButOtherSandboxes) {
    apply("alcaa", NetworkPolicy::open);
    apply("alcab");
    Listener lan(town_->lan, kPort);
    Listener host(town_->host, kPort);
    Listener internet(town_->internet, kPort);
    for (const auto* target : kLanTargets) EXPECT_EQ(tcp(town_->a, target), 0) << target;
    for (const auto* target : kHostTargets) EXPECT_EQ(tcp(town_->a, target), 0) << target;
    for (const auto* target : kInternetTargets) EXPECT_EQ(tcp(town_->a, target), 0) << target;
    Sniffer sibling(town_->b, "eth0");
    EXPECT_NE(tcp(town_->a, "10.88.2.2", kPort, 200), 0);
    EXPECT_EQ(sibling.seen(), 0);
}

TEST_P(TrafficTest, HostConnectsIntoTheSandbox) {
    apply("alcaa");
    Listener inside(town_->a, kPort);
    EXPECT_EQ(tcp(town_->host, "10.88.1.2"), 0);
    EXPECT_EQ(tcp(town_->host, "fd88:1::2"), 0);
    EXPECT_EQ(inside.received(1000), 2);
}

TEST_P(TrafficTest, LocalNetworkReachesPublishedPortsOnly) {
    apply("alcaa");
    town_->host.nft(
        "table ip test { chain c { type nat hook prerouting priority dstnat; "
        "tcp dport 8080 dnat to 10.88.1.2:9000; }; }");
    Listener inside(town_->a, kPort);
    EXPECT_EQ(tcp(town_->lan, "192.168.77.1", 8080), 0);
    EXPECT_EQ(inside.received(1000), 1);
    Sniffer sniffer(town_->a, "eth0");
    EXPECT_EQ(tcp(town_->lan, "10.88.1.2", kPort, 200), ETIMEDOUT);
    EXPECT_EQ(sniffer.seen(), 0);
}

TEST_P(TrafficTest, PublishedPortOfASiblingIsClosed) {
    apply("alcaa");
    apply("alcab");
    town_->host.nft(
        "table ip test { chain c { type nat hook prerouting priority dstnat; "
        "tcp dport 8080 dnat to 10.88.2.2:9000; }; }");
    Listener sibling(town_->b, kPort);
    for (const char* target : {"10.88.1.1", "10.88.2.1", "192.168.77.1", "198.51.100.1"}) {
        EXPECT_EQ(tcp(town_->a, target, 8080), ECONNREFUSED) << target;
    }
    EXPECT_EQ(sibling.received(), 0);
}

TEST_P(TrafficTest, TighterPolicyCutsLiveConnections) {
    apply("alcaa", NetworkPolicy::open);
    Listener lan(town_->lan, kPort);
    const Socket connection = connected(town_->a, "192.168.77.2");
    const Socket other_end = lan.accept();
    apply("alcaa");
    Sniffer sniffer(town_->lan, "eth0");
    EXPECT_EQ(connection.send_and_wait(), ECONNRESET);
    EXPECT_EQ(sniffer.seen(), 0);
}

TEST_P(TrafficTest, ForeignSourceAddressIsDropped) {
    town_->host.ip("route add 10.99.9.9/32 via 10.88.1.2\n");
    Listener internet(town_->internet, kPort);
    EXPECT_EQ(udp(town_->a, "203.0.113.9", kPort, 0, "10.99.9.9"), 0);
    EXPECT_EQ(internet.received(1000), 1);
    town_->host.ip("route del 10.99.9.9/32\n");
    apply("alcaa");
    Sniffer sniffer(town_->internet, "eth0");
    EXPECT_EQ(udp(town_->a, "203.0.113.9", kPort, 100, "10.99.9.9"), 0);
    EXPECT_EQ(sniffer.seen(), 0);
    EXPECT_EQ(town_->host.counter("c_a_spoof"), 1);
}

// Sends one datagram from a port of `from`, which is an address of `where`.
void send_datagram(const Netns& where, const char* from, int from_port, const char* to, int port) {
    where.run([&] {
        const Socket socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        const auto at = [](const char* address, int number) {
            sockaddr_in result{};
            result.sin_family = AF_INET;
            result.sin_port = htons(static_cast<std::uint16_t>(number));
            EXPECT_EQ(inet_pton(AF_INET, address, &result.sin_addr), 1);
            return result;
        };
        const sockaddr_in source = at(from, from_port);
        const sockaddr_in target = at(to, port);
        EXPECT_EQ(::bind(socket.fd_, reinterpret_cast<const sockaddr*>(&source), sizeof source), 0);
        EXPECT_EQ(::sendto(socket.fd_, "x", 1, 0, reinterpret_cast<const sockaddr*>(&target),
                           sizeof target),
                  1);
    });
}

// What looks like an answer passes by connection state, but only from its sender's side.
TEST_P(TrafficTest, NobodyAnswersInTheNameOfOthers) {
    constexpr int asked = kPort + 1;
    town_->host.ip("route add 10.99.9.9/32 via 192.168.77.2\n");
    apply("alcaa");
    send_datagram(town_->host, "192.168.77.1", kPort, "10.99.9.9", asked);
    Listener host(town_->host, kPort);
    send_datagram(town_->a, "10.99.9.9", asked, "192.168.77.1", kPort);
    EXPECT_EQ(host.received(200), 0);
    EXPECT_EQ(town_->host.counter("c_a_spoof"), 1);
    // The control: where it is expected, it arrives.
    town_->lan.ip("addr add 10.99.9.9/32 dev lo\n");
    send_datagram(town_->lan, "10.99.9.9", asked, "192.168.77.1", kPort);
    EXPECT_EQ(host.received(1000), 1);
}

// Sends one packet of `protocol` with a raw socket, which a sandbox has no right to make.
void send_raw(const Netns& where, const std::string& to, int protocol) {
    where.run([&] {
        const Socket socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol));
        sockaddr_in target{};
        target.sin_family = AF_INET;
        EXPECT_EQ(inet_pton(AF_INET, to.c_str(), &target.sin_addr), 1);
        EXPECT_EQ(::sendto(socket.fd_, "12345678", 8, 0, reinterpret_cast<const sockaddr*>(&target),
                           sizeof target),
                  8);
    });
}

TEST_P(TrafficTest, TunnelsAndOtherProtocolsAreDropped) {
    Sniffer sniffer(town_->internet, "eth0");
    constexpr int ospf = 89;
    constexpr std::array protocols = {static_cast<int>(IPPROTO_IPIP),
                                      static_cast<int>(IPPROTO_IPV6), static_cast<int>(IPPROTO_GRE),
                                      static_cast<int>(IPPROTO_ESP), ospf};
    for (const int protocol : protocols) send_raw(town_->a, "203.0.113.9", protocol);
    EXPECT_EQ(sniffer.seen(), static_cast<int>(protocols.size()));
    apply("alcaa");
    for (const int protocol : protocols) send_raw(town_->a, "203.0.113.9", protocol);
    EXPECT_EQ(sniffer.seen(), 0);
    EXPECT_EQ(town_->host.counter("c_a_proto"), static_cast<int>(protocols.size()));
}

TEST_P(TrafficTest, SourceRoutesAreDropped) {
    apply("alcaa");
    Sniffer sniffer(town_->internet, "eth0");
    for (const std::uint8_t option : {std::uint8_t{131}, std::uint8_t{137}}) {
        town_->a.run([&] {
            const Socket socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
            // Type, length, pointer, one hop.
            const std::array<std::uint8_t, 8> route = {option, 7, 4, 10, 88, 1, 1, 0};
            ASSERT_EQ(::setsockopt(socket.fd_, IPPROTO_IP, IP_OPTIONS, route.data(), route.size()),
                      0);
            sockaddr_in target{};
            target.sin_family = AF_INET;
            target.sin_port = htons(kPort);
            ASSERT_EQ(inet_pton(AF_INET, "203.0.113.9", &target.sin_addr), 1);
            EXPECT_EQ(::sendto(socket.fd_, "x", 1, 0, reinterpret_cast<const sockaddr*>(&target),
                               sizeof target),
                      1);
        });
    }
    EXPECT_EQ(sniffer.seen(), 0);
    EXPECT_EQ(town_->host.counter("c_a_proto"), 2);
}

TEST_P(TrafficTest, FloodOfOneSandboxTakesNothingFromAnother) {
    apply("alcaa");
    apply("alcab");
    Sniffer lan(town_->lan, "eth0");
    for (int port = 1; port <= 2000; ++port) udp(town_->a, "192.168.77.2", port, 0);
    EXPECT_EQ(udp(town_->b, "192.168.77.2"), EHOSTUNREACH);
    EXPECT_EQ(lan.seen(), 0);
    EXPECT_EQ(town_->host.counter("c_a_lan"), 2000);
    const std::string notes = town_->host.nft_list("set inet alca blocked4");
    EXPECT_NE(notes.find("\"alcab\" . 192.168.77.2 . udp . 9000"), std::string::npos);
}

}  // namespace
}  // namespace alca::nft::test
