// The client's half of relay_protocol.hpp.
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include "plugins/shared/nft_rules/kernel.hpp"
#include "plugins/shared/nft_rules/relay_protocol.hpp"

namespace alca::nft {
namespace {

// For one answer. A container that is to start alca-net needs the longest.
constexpr int kPatienceMs = 60'000;

// All bytes, or false: the stream has ended or is silent.
bool read_all(int fd, void* to, std::size_t size) {
    auto* at = static_cast<std::uint8_t*>(to);
    while (size > 0) {
        pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
        const int ready = ::poll(&readable, 1, kPatienceMs);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        const ssize_t got = ::recv(fd, at, size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        at += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

bool write_all(int fd, std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    return true;
}

class Relay {
  public:
    explicit Relay(int fd) : fd_(fd) {}

    // errno of the far side; EPIPE: there is none any more. More than `buffer` holds: ENOSPC.
    int call(relay::Request request, std::span<const std::uint8_t> payload,
             std::span<std::uint8_t> buffer, std::size_t& size) {
        request.bytes = static_cast<std::uint32_t>(payload.size());
        const auto* head = reinterpret_cast<const std::uint8_t*>(&request);
        std::vector<std::uint8_t> bytes(head, head + sizeof request);
        bytes.insert(bytes.end(), payload.begin(), payload.end());
        relay::Reply reply;
        if (!write_all(fd_, bytes) || !read_all(fd_, &reply, sizeof reply)) return EPIPE;
        if (reply.bytes > relay::kMaxReplyBytes) return EPROTO;
        std::vector<std::uint8_t> answer(reply.bytes);
        if (!read_all(fd_, answer.data(), answer.size())) return EPIPE;
        size = answer.size();
        if (reply.error != 0) return reply.error;
        if (size > buffer.size()) return ENOSPC;
        std::copy(answer.begin(), answer.end(), buffer.begin());
        return 0;
    }

  private:
    int fd_;
};

class RelayWire final : public Wire {
  public:
    RelayWire(Relay relay, int protocol)
        : relay_(relay), protocol_(static_cast<std::uint32_t>(protocol)) {}

    int send(std::span<const std::uint8_t> datagram) override {
        if (datagram.size() > relay::kMaxRequestBytes) return EMSGSIZE;
        std::size_t none = 0;
        return relay_.call({relay::send_netlink, protocol_}, datagram, {}, none);
    }
    int receive(std::span<std::uint8_t> buffer, std::size_t& size, bool wait) override {
        const auto operation = wait ? relay::receive_netlink : relay::receive_now;
        return relay_.call({operation, protocol_}, {}, buffer, size);
    }
    [[nodiscard]] std::uint32_t port() const override { return 0; }

  private:
    Relay relay_;
    std::uint32_t protocol_;
};

class RelayedKernel final : public Kernel {
  public:
    explicit RelayedKernel(int fd) : relay_(fd) {}

    Result<std::unique_ptr<Wire>> open(int protocol) override {
        std::size_t none = 0;
        const int error =
            relay_.call({relay::open_netlink, static_cast<std::uint32_t>(protocol)}, {}, {}, none);
        if (error != 0) {
            return fail(error == EPROTONOSUPPORT ? Code::unavailable : Code::failed,
                        "cannot open a netlink socket through alca-net: " +
                            std::generic_category().message(error));
        }
        return std::make_unique<RelayWire>(relay_, protocol);
    }
    Result<int> probe(const Bytes& address) override {
        std::size_t none = 0;
        const int error = relay_.call({relay::probe}, address, {}, none);
        if (error == EPIPE || error == EPROTO) return fail("alca-net has ended");
        return error;
    }

  private:
    Relay relay_;
};

}  // namespace

Result<std::unique_ptr<Kernel>> through_relay(int fd) {
    std::array<char, relay::kHello.size()> hello{};
    if (!read_all(fd, hello.data(), hello.size()) || hello != relay::kHello) {
        return fail(Code::unavailable, "alca-net did not start where the rules must be put up");
    }
    return std::make_unique<RelayedKernel>(fd);
}

}  // namespace alca::nft
