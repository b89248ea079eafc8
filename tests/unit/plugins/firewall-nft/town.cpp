#include "town.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace alca::nft::test {
namespace {

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
};

// "fe80::1%eth0" names the interface by its name in the calling thread's namespace.
Address address(const std::string& text, int port) {
    Address result;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(static_cast<std::uint16_t>(port));
        std::memcpy(&result.storage, &v4, sizeof v4);
        result.size = sizeof v4;
        return result;
    }
    const std::size_t percent = text.find('%');
    EXPECT_EQ(inet_pton(AF_INET6, text.substr(0, percent).c_str(), &v6.sin6_addr), 1) << text;
    if (percent != std::string::npos) {
        v6.sin6_scope_id = if_nametoindex(text.substr(percent + 1).c_str());
    }
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(static_cast<std::uint16_t>(port));
    std::memcpy(&result.storage, &v6, sizeof v6);
    result.size = sizeof v6;
    return result;
}

int open_socket(const Address& target, int type, const std::string& from) {
    const int fd = ::socket(target.storage.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    EXPECT_GE(fd, 0);
    const int on = 1;
    EXPECT_EQ(::setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on), 0);
    if (!from.empty()) {
        const Address source = address(from, 0);
        EXPECT_EQ(::bind(fd, source.get(), source.size), 0) << from;
    }
    return fd;
}

// true: something to read, or an error; false: the time is up.
bool wait_for(int fd, short events, int wait_ms) {
    pollfd entry{fd, events, 0};
    return ::poll(&entry, 1, wait_ms) > 0;
}

int pending_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    EXPECT_EQ(::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
    return error;
}

int connect_and_wait(int fd, const Address& target, int wait_ms) {
    if (::connect(fd, target.get(), target.size) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    return wait_for(fd, POLLOUT, wait_ms) ? pending_error(fd) : ETIMEDOUT;
}

int listen_on(int type, int port) {
    const int fd = ::socket(AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(static_cast<std::uint16_t>(port));
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
    return fd;
}

}  // namespace

Listener::Listener(const Netns& where, int port) {
    where.run([&] {
        tcp_ = listen_on(SOCK_STREAM, port);
        EXPECT_EQ(::listen(tcp_, 64), 0);
        udp_ = listen_on(SOCK_DGRAM, port);
    });
}

Listener::~Listener() {
    ::close(tcp_);
    ::close(udp_);
}

int Listener::received(int wait_ms) {
    pollfd entries[2] = {{tcp_, POLLIN, 0}, {udp_, POLLIN, 0}};
    ::poll(entries, 2, wait_ms);
    int count = 0;
    char byte = 0;
    while (::recv(udp_, &byte, 1, 0) >= 0) ++count;
    while (true) {
        const int peer = ::accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
        if (peer < 0) return count;
        ::close(peer);
        ++count;
    }
}

Socket Listener::accept() {
    EXPECT_TRUE(wait_for(tcp_, POLLIN, 1000));
    return Socket(::accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC));
}

Sniffer::Sniffer(const Netns& where, const std::string& interface) {
    where.run([&] {
        fd_ = ::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL));
        sockaddr_ll link{};
        link.sll_family = AF_PACKET;
        link.sll_protocol = htons(ETH_P_ALL);
        link.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
        EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&link), sizeof link), 0);
    });
}

Sniffer::~Sniffer() { ::close(fd_); }

int Sniffer::seen() {
    int count = 0;
    std::array<std::uint8_t, 2048> packet{};
    while (true) {
        sockaddr_ll from{};
        socklen_t size = sizeof from;
        const ssize_t got = ::recvfrom(fd_, packet.data(), packet.size(), 0,
                                       reinterpret_cast<sockaddr*>(&from), &size);
        if (got < 0) return count;
        if (from.sll_pkttype == PACKET_OUTGOING) continue;
        const bool is_v4 = from.sll_protocol == htons(ETH_P_IP);
        const bool is_v6 = from.sll_protocol == htons(ETH_P_IPV6);
        // Neighbour discovery and multicast reports are not ours: IGMP; ICMPv6, or 0 ahead of it.
        if (is_v4 && packet[9] != IPPROTO_IGMP) ++count;
        if (is_v6 && packet[6] != IPPROTO_ICMPV6 && packet[6] != 0) ++count;
    }
}

Socket::~Socket() {
    if (fd_ >= 0) ::close(fd_);
}

int Socket::send_and_wait() const {
    if (::send(fd_, "x", 1, MSG_NOSIGNAL) < 0) return errno;
    if (!wait_for(fd_, POLLIN, 1000)) return ETIMEDOUT;
    return pending_error(fd_);
}

bool Socket::reaches(const Socket& other_end) const {
    char byte = 0;
    return ::send(fd_, "x", 1, MSG_NOSIGNAL) == 1 && wait_for(other_end.fd_, POLLIN, 1000) &&
           ::recv(other_end.fd_, &byte, 1, MSG_DONTWAIT) == 1;
}

int Socket::wait_for_error(int wait_ms) const {
    return wait_for(fd_, POLLIN, wait_ms) ? pending_error(fd_) : ETIMEDOUT;
}

int tcp(const Netns& where, const std::string& to, int port, int wait_ms, const std::string& from) {
    return where.run([&] {
        const Address target = address(to, port);
        const Socket socket(open_socket(target, SOCK_STREAM, from));
        return connect_and_wait(socket.fd_, target, wait_ms);
    });
}

Socket connected(const Netns& where, const std::string& to, int port) {
    return Socket(where.run([&] {
        const Address target = address(to, port);
        const int fd = open_socket(target, SOCK_STREAM, "");
        EXPECT_EQ(connect_and_wait(fd, target, 1000), 0);
        return fd;
    }));
}

int udp(const Netns& where, const std::string& to, int port, int wait_ms, const std::string& from) {
    return where.run([&] {
        const Address target = address(to, port);
        const Socket socket(open_socket(target, SOCK_DGRAM, from));
        if (::connect(socket.fd_, target.get(), target.size) != 0) return errno;
        if (::send(socket.fd_, "x", 1, 0) < 0) return errno;
        return wait_for(socket.fd_, POLLIN, wait_ms) ? pending_error(socket.fd_) : 0;
    });
}

void wait_for_link(const Netns& from, const std::string& to) {
    constexpr int closed_port = 1;
    for (int attempt = 0; attempt < 100; ++attempt) {
        if (udp(from, to, closed_port, 50) == ECONNREFUSED) return;
    }
    ADD_FAILURE() << "no link to " << to;
}

namespace {

void add_sandbox(const Netns& host, const Netns& sandbox, char name, int number) {
    host.ip(fmt::format(R"(link add alca{0} type bridge
addr add 10.88.{1}.1/28 dev alca{0}
addr add fd88:{1}::1/64 dev alca{0} nodad
link set alca{0} up
link add v{0} type veth peer name eth0 netns {2}
link set v{0} master alca{0} up
)",
                        name, number, sandbox.path()));
    sandbox.ip(fmt::format(R"(link set eth0 up
addr add 10.88.{0}.2/28 dev eth0
addr add fd88:{0}::2/64 dev eth0 nodad
addr add 10.99.9.9/32 dev lo
route add default via 10.88.{0}.1
route add ::/0 via fd88:{0}::1
)",
                           number));
}

void add_lan(const Netns& host, const Netns& lan) {
    host.ip(fmt::format(R"(link add vlan type veth peer name eth0 netns {}
link set vlan up
addr add 192.168.77.1/24 dev vlan
addr add fd77::1/64 dev vlan nodad
route add 10.77.0.0/24 via 192.168.77.2
route add 100.64.7.0/24 via 192.168.77.2
route add 169.254.169.254/32 via 192.168.77.2
route add 172.20.0.0/16 via 192.168.77.2
route add 64:ff9b::/96 via fd77::2
route add 2002:c0a8:4d02::/48 via fd77::2
)",
                        lan.path()));
    lan.ip(R"(link set eth0 up
addr add 192.168.77.2/24 dev eth0
addr add 10.77.0.2/32 dev lo
addr add 100.64.7.2/32 dev lo
addr add 169.254.169.254/32 dev lo
addr add 172.20.0.2/32 dev lo
addr add fd77::2/64 dev eth0 nodad
addr add 64:ff9b::c0a8:4d02/128 dev lo
addr add 2002:c0a8:4d02::1/128 dev lo
route add default via 192.168.77.1
route add ::/0 via fd77::1
)");
}

void add_internet(const Netns& host, const Netns& internet) {
    host.ip(fmt::format(R"(link add vwan type veth peer name eth0 netns {}
link set vwan up
addr add 198.51.100.1/24 dev vwan
addr add 2001:db8:100::1/64 dev vwan nodad
route add default via 198.51.100.2
route add ::/0 via 2001:db8:100::2
)",
                        internet.path()));
    internet.ip(R"(link set eth0 up
addr add 198.51.100.2/24 dev eth0
addr add 203.0.113.9/32 dev lo
addr add 2001:db8:100::2/64 dev eth0 nodad
addr add 2001:db8:9::9/128 dev lo
route add default via 198.51.100.1
route add ::/0 via 2001:db8:100::1
)");
}

}  // namespace

Town::Town() {
    for (const Netns* each : {&host, &lan, &internet, &a, &b, &c}) {
        each->sysctl("ipv6/conf/default/accept_dad", "0");
        // The kernel answers at most one prohibited packet a second to one host. Tests send more.
        each->sysctl("ipv4/icmp_ratelimit", "0");
        each->sysctl("ipv6/icmp/ratelimit", "0");
    }
    host.sysctl("ipv4/ip_forward", "1");
    host.sysctl("ipv6/conf/all/forwarding", "1");
    add_sandbox(host, a, 'a', 1);
    add_sandbox(host, b, 'b', 2);
    add_sandbox(host, c, 'c', 3);
    add_lan(host, lan);
    add_internet(host, internet);
    for (const char* to :
         {"10.88.1.2", "fd88:1::2", "10.88.2.2", "fd88:2::2", "10.88.3.2", "fd88:3::2",
          "192.168.77.2", "fd77::2", "198.51.100.2", "2001:db8:100::2"}) {
        wait_for_link(host, to);
    }
}

}  // namespace alca::nft::test
