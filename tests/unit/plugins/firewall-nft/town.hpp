// A host with three sandboxes, a local network and an internet, all in namespaces of the test.
//
//   sandbox a  10.88.1.2  fd88:1::2 --[alcaa]--+            +-- lan       192.168.77.2 and more
//   sandbox b  10.88.2.2  fd88:2::2 --[alcab]--+--- host ---+
//   sandbox c  10.88.3.2  fd88:3::2 --[alcac]--+            +-- internet  203.0.113.9 and more
//
// The gateway of each is .1 and ::1 on its bridge. The host routes for all and hides nobody.
#ifndef ALCA_TESTS_FIREWALL_NFT_TOWN_HPP
#define ALCA_TESTS_FIREWALL_NFT_TOWN_HPP

#include <string>
#include <vector>

#include "netns.hpp"

namespace alca::nft::test {

inline constexpr int kPort = 9000;

// A socket that one end of a conversation holds.
class Socket {
  public:
    explicit Socket(int fd) : fd_(fd) {}
    Socket(Socket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket();

    // Sends one byte. 0, or the errno that came back within a second; ETIMEDOUT is no answer.
    [[nodiscard]] int send_and_wait() const;
    // Sends one byte; whether it arrives at `other_end` within a second.
    [[nodiscard]] bool reaches(const Socket& other_end) const;
    // The errno that comes within `wait_ms`; ETIMEDOUT for none.
    [[nodiscard]] int wait_for_error(int wait_ms) const;
    int fd_;
};

// Listens on one port, TCP and UDP, on every address of its namespace.
class Listener {
  public:
    Listener(const Netns& where, int port);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    // Connections and datagrams that came since the last call, waiting up to `wait_ms` for one.
    int received(int wait_ms = 0);
    // The connection that comes next, within a second; the test fails when none does.
    Socket accept();

  private:
    int tcp_ = -1;
    int udp_ = -1;
};

// Sees every packet that comes in on `interface`, but for ICMPv6 and IGMP: also those that no
// socket would ever get.
class Sniffer {
  public:
    Sniffer(const Netns& where, const std::string& interface);
    ~Sniffer();
    Sniffer(const Sniffer&) = delete;
    Sniffer& operator=(const Sniffer&) = delete;

    // Packets since the last call.
    int seen();

  private:
    int fd_ = -1;
};

// errno of a TCP connect from `where`; 0 connected, ETIMEDOUT no answer within `wait_ms`.
// from: source address, "" for the usual one.
int tcp(const Netns& where, const std::string& address, int port = kPort, int wait_ms = 1000,
        const std::string& from = "");
// An open connection; the test fails when there is none.
Socket connected(const Netns& where, const std::string& address, int port = kPort);
// Sends one datagram; errno that comes back within `wait_ms`, 0 for none.
int udp(const Netns& where, const std::string& address, int port = kPort, int wait_ms = 1000,
        const std::string& from = "");

// A new link carries packets up to a second after it was set up. Waits until `to` answers.
void wait_for_link(const Netns& from, const std::string& to);

// Ready when the constructor returns: all links carry packets.
class Town {
  public:
    Town();

    Netns host;
    Netns lan;
    Netns internet;
    Netns a;
    Netns b;
    Netns c;
};

}  // namespace alca::nft::test

#endif
