#include "probe.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "fd.hpp"

namespace alca::init {
namespace {

constexpr std::uint16_t kDiscardPort = 9;
// Long enough for duplicate address detection to end: until then IPv6 has no source address.
constexpr int kTries = 15;
constexpr int kWaitMs = 300;

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

bool parse_address(std::string_view text, Address& address) {
    std::array<char, INET6_ADDRSTRLEN> literal{};
    if (text.size() >= literal.size()) return false;
    text.copy(literal.data(), text.size());
    sockaddr_in v4{};
    if (::inet_pton(AF_INET, literal.data(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(kDiscardPort);
        std::memcpy(&address.storage, &v4, sizeof v4);
        address.size = sizeof v4;
        return true;
    }
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET6, literal.data(), &v6.sin6_addr) != 1) return false;
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(kDiscardPort);
    std::memcpy(&address.storage, &v6, sizeof v6);
    address.size = sizeof v6;
    return true;
}

// The error or byte that came back for what was sent; 0 for a byte, -1 for nothing yet.
int read_answer(int socket) {
    char byte = 0;
    if (::recv(socket, &byte, 1, MSG_DONTWAIT) >= 0) return 0;
    return errno == EAGAIN || errno == EINTR ? -1 : errno;
}

// One byte, one wait. An error for an earlier byte may also be reported by the send itself.
int try_once(int socket) {
    const char byte = 0;
    if (::send(socket, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN &&
        errno != EINTR)
        return errno;
    pollfd readable{.fd = socket, .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, kWaitMs) <= 0) return -1;
    return read_answer(socket);
}

}  // namespace

bool probe(std::string_view address, Text& answer) {
    Address target;
    if (!parse_address(address, target)) {
        answer.set({"probe address ", address, " is no IPv4 or IPv6 address"});
        return false;
    }
    const Fd socket(::socket(target.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket.is_open()) {
        // A kernel without the family reaches nothing by it.
        answer.set({errno == EAFNOSUPPORT ? "local-" : "", error_name(errno)});
        return errno == EAFNOSUPPORT;
    }
    // Without IP_RECVERR: then "no such host" of our own kernel, an EHOSTUNREACH too, is not
    // reported, and EHOSTUNREACH means "administratively prohibited".
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&target.storage), target.size) !=
        0) {
        answer.set({errno == ENETUNREACH ? "" : "local-", error_name(errno)});
        return true;
    }
    for (int i = 0; i < kTries; ++i) {
        const int result = try_once(socket.get());
        if (result < 0) continue;
        answer.set({result == 0 ? std::string_view("answered") : error_name(result)});
        return true;
    }
    answer.set({"timeout"});
    return true;
}

bool is_refused(std::string_view address, Text& answer) {
    Address target;
    if (!parse_address(address, target)) {
        answer.set({address, " is no IPv4 or IPv6 address"});
        return false;
    }
    const Fd socket(::socket(target.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket.is_open()) {
        answer.set({error_name(errno)});
        return false;
    }
    if (::sendto(socket.get(), "", 1, MSG_DONTWAIT | MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&target.storage), target.size) >= 0) {
        answer.set({"it went out"});
        return false;
    }
    const int error = errno;
    answer.set({error_name(error)});
    return error == EPERM;
}

}  // namespace alca::init
