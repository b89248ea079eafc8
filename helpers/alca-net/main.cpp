// alca-net: system calls on netlink sockets, one at a time, for the other end of stdin and stdout.
// The protocol: plugins/shared/nft_rules/relay_protocol.hpp.
#include <linux/netlink.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "plugins/shared/nft_rules/probe.hpp"
#include "plugins/shared/nft_rules/relay_protocol.hpp"

namespace {

namespace relay = alca::nft::relay;

constexpr int kNotTheProtocol = 2;

struct Buffers {
    std::array<std::uint8_t, relay::kMaxRequestBytes> request;
    std::array<std::uint8_t, relay::kMaxReplyBytes> reply;
};

// By protocol: routing and netfilter.
struct Sockets {
    int route = -1;
    int netfilter = -1;

    // nullptr for any other.
    int* of(std::uint32_t protocol) {
        if (protocol == NETLINK_ROUTE) return &route;
        return protocol == NETLINK_NETFILTER ? &netfilter : nullptr;
    }
};

bool read_all(void* to, std::size_t size) {
    auto* at = static_cast<std::uint8_t*>(to);
    while (size > 0) {
        const ssize_t got = ::read(STDIN_FILENO, at, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

bool write_all(const void* from, std::size_t size) {
    const auto* at = static_cast<const std::uint8_t*>(from);
    while (size > 0) {
        const ssize_t sent = ::write(STDOUT_FILENO, at, size);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        at += sent;
        size -= static_cast<std::size_t>(sent);
    }
    return true;
}

int open_netlink(std::uint32_t protocol, int& socket) {
    if (socket >= 0) ::close(socket);
    socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, static_cast<int>(protocol));
    if (socket < 0) return errno;
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return errno;
    // Errors then come without a copy of the message they are about.
    const int on = 1;
    ::setsockopt(socket, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    // A batch of rules is one datagram.
    const int room = static_cast<int>(relay::kMaxRequestBytes) + 64 * 1024;
    if (::setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0)
        ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    return 0;
}

int send_netlink(int socket, const Buffers& buffers, std::size_t size) {
    while (::send(socket, buffers.request.data(), size, 0) < 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

// While an answer is waited for nothing may come in but its end.
bool wait_for(int socket) {
    std::array<pollfd, 2> entries{pollfd{socket, POLLIN, 0}, pollfd{STDIN_FILENO, POLLIN, 0}};
    while (::poll(entries.data(), entries.size(), -1) < 0) {
        if (errno != EINTR) return false;
    }
    return entries[0].revents != 0;
}

int receive_netlink(int socket, int flags, Buffers& buffers, std::uint32_t& size) {
    if (socket >= 0 && (flags & MSG_DONTWAIT) == 0 && !wait_for(socket)) return ECANCELED;
    while (true) {
        // MSG_TRUNC: the real length, so that a cut message cannot pass for a whole one.
        const ssize_t got =
            ::recv(socket, buffers.reply.data(), buffers.reply.size(), flags | MSG_TRUNC);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (static_cast<std::size_t>(got) > buffers.reply.size()) return ENOSPC;
        size = static_cast<std::uint32_t>(got);
        return 0;
    }
}

// False: not the protocol.
bool perform(Sockets& sockets, Buffers& buffers, const relay::Request& request,
             relay::Reply& reply) {
    if (request.operation == relay::probe) {
        reply.error = alca::nft::send_probe(buffers.request.data(), request.bytes);
        return true;
    }
    int* socket = sockets.of(request.argument);
    if (socket == nullptr) return false;
    switch (request.operation) {
        case relay::open_netlink:
            reply.error = open_netlink(request.argument, *socket);
            return true;
        case relay::send_netlink:
            reply.error = send_netlink(*socket, buffers, request.bytes);
            return true;
        case relay::receive_netlink:
            reply.error = receive_netlink(*socket, 0, buffers, reply.bytes);
            return true;
        case relay::receive_now:
            reply.error = receive_netlink(*socket, MSG_DONTWAIT, buffers, reply.bytes);
            return true;
        default:
            return false;
    }
}

}  // namespace

int main() {
    ::prctl(PR_SET_DUMPABLE, 0);  // nobody looks into a process that may change rules
    if (!write_all(relay::kHello.data(), relay::kHello.size())) return 1;
    static Buffers buffers;  // a batch of rules may be large, the stack is not
    Sockets sockets;
    relay::Request request;
    while (read_all(&request, sizeof request)) {
        if (request.bytes > buffers.request.size() ||
            !read_all(buffers.request.data(), request.bytes))
            return kNotTheProtocol;
        relay::Reply reply;
        if (!perform(sockets, buffers, request, reply)) return kNotTheProtocol;
        if (!write_all(&reply, sizeof reply) || !write_all(buffers.reply.data(), reply.bytes))
            return 1;
    }
    return 0;
}
