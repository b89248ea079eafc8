// packets serve: answers datagrams and swallows TCP streams on port 9000 of every IPv4 address;
//   prints "ready" when it does, and goes on until it is killed.
// packets ping ADDRESS COUNT: sends a datagram and waits for it to come back, COUNT times. Prints
//   the shortest of those times in microseconds.
// packets stream ADDRESS MILLISECONDS: sends TCP for so long. Prints Gbit/s.
// packets refused ADDRESS COUNT: connects COUNT times. Prints the median of the milliseconds until
//   "connection refused" came; anything else is a failure.
// Exits with 1, and the reason on stderr, when the other side does not do its part.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint16_t kPort = 9000;
constexpr int kWaitMs = 2000;
constexpr std::size_t kStreamBytes = 128UL * 1024;

[[noreturn]] void stop(std::string_view what) {
    fmt::print(stderr, "packets: {}: {}\n", what, std::strerror(errno));
    std::_Exit(1);
}

sockaddr_in address_of(const char* text) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(kPort);
    if (::inet_pton(AF_INET, text, &address.sin_addr) != 1) stop(text);
    return address;
}

int open_socket(int type) {
    const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0) stop("socket");
    return fd;
}

// errno of the connect, or 0.
int connect_to(int fd, const char* text) {
    const sockaddr_in address = address_of(text);
    const timeval limit{.tv_sec = kWaitMs / 1000, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const auto* target = reinterpret_cast<const sockaddr*>(&address);
    return ::connect(fd, target, sizeof address) == 0 ? 0 : errno;
}

int bound(int type) {
    const int fd = open_socket(type);
    const sockaddr_in any = address_of("0.0.0.0");
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) stop("bind");
    return fd;
}

void swallow(int listener) {
    std::vector<char> buffer(kStreamBytes);
    while (true) {
        const int peer = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (peer < 0) stop("accept");
        while (::recv(peer, buffer.data(), buffer.size(), 0) > 0) {
        }
        ::close(peer);
    }
}

[[noreturn]] void serve() {
    const int udp = bound(SOCK_DGRAM);
    const int tcp = bound(SOCK_STREAM);
    if (::listen(tcp, 64) != 0) stop("listen");
    fmt::print("ready\n");
    std::fflush(stdout);
    const std::jthread streams(swallow, tcp);
    std::array<char, 2048> buffer{};
    while (true) {
        sockaddr_in from{};
        socklen_t size = sizeof from;
        auto* peer = reinterpret_cast<sockaddr*>(&from);
        const ssize_t got = ::recvfrom(udp, buffer.data(), buffer.size(), 0, peer, &size);
        if (got < 0) stop("recvfrom");
        ::sendto(udp, buffer.data(), static_cast<std::size_t>(got), 0, peer, size);
    }
}

void ping(const char* target, int count) {
    const int fd = open_socket(SOCK_DGRAM);
    if (connect_to(fd, target) != 0) stop("connect");
    auto shortest = Clock::duration::max();
    for (int i = 0; i < count; ++i) {
        char byte = 0;
        const auto begin = Clock::now();
        if (::send(fd, &byte, 1, 0) != 1 || ::recv(fd, &byte, 1, 0) != 1) stop("ping");
        shortest = std::min(shortest, Clock::now() - begin);
    }
    fmt::print("{:.2f}\n", std::chrono::duration<double, std::micro>(shortest).count());
}

void stream(const char* target, int length_ms) {
    const int fd = open_socket(SOCK_STREAM);
    if (const int error = connect_to(fd, target); error != 0) stop("connect");
    const std::vector<char> buffer(kStreamBytes);
    const auto begin = Clock::now();
    const auto end = begin + std::chrono::milliseconds(length_ms);
    double bytes = 0;
    while (Clock::now() < end) {
        const ssize_t sent = ::send(fd, buffer.data(), buffer.size(), MSG_NOSIGNAL);
        if (sent <= 0) stop("stream");
        bytes += static_cast<double>(sent);
    }
    // Only what the other side has got: its end of the connection closes behind the last byte.
    char byte = 0;
    if (::shutdown(fd, SHUT_WR) != 0 || ::recv(fd, &byte, 1, 0) != 0) stop("end of the stream");
    const std::chrono::duration<double> took = Clock::now() - begin;
    fmt::print("{:.3f}\n", bytes * 8 / took.count() / 1e9);
}

void refused(const char* target, int count) {
    std::vector<double> times;
    for (int i = 0; i < count; ++i) {
        const int fd = open_socket(SOCK_STREAM);
        const auto begin = Clock::now();
        errno = connect_to(fd, target);
        const std::chrono::duration<double, std::milli> took = Clock::now() - begin;
        if (errno != ECONNREFUSED) stop("the connect was not refused");
        times.push_back(took.count());
        ::close(fd);
    }
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    fmt::print("{:.3f}\n", *middle);
}

// Positive, or 0 if it is no such number.
int parse_count(std::string_view text) {
    int count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    return error == std::errc{} && end == text.data() + text.size() && count > 0 ? count : 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc > 1 ? argv[1] : "";
    if (argc == 2 && what == "serve") serve();
    const int amount = argc == 4 ? parse_count(argv[3]) : 0;
    if (amount > 0 && what == "ping") {
        ping(argv[2], amount);
    } else if (amount > 0 && what == "stream") {
        stream(argv[2], amount);
    } else if (amount > 0 && what == "refused") {
        refused(argv[2], amount);
    } else {
        fmt::print(stderr, "usage: packets serve | ping|stream|refused ADDRESS AMOUNT\n");
        return 2;
    }
    return 0;
}
