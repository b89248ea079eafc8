#include "plugins/shared/nft_rules/kernel.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>

#include "plugins/shared/nft_rules/probe.hpp"

namespace alca::nft {
namespace {

std::string text(int error) { return std::generic_category().message(error); }

class LocalWire final : public Wire {
  public:
    explicit LocalWire(mnl_socket* socket) : socket_(socket) {}

    int send(std::span<const std::uint8_t> datagram) override {
        make_room(datagram.size());
        while (::send(fd(), datagram.data(), datagram.size(), 0) < 0) {
            if (errno != EINTR) return errno;
        }
        return 0;
    }

    int receive(std::span<std::uint8_t> buffer, std::size_t& size, bool wait) override {
        const int flags = MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT);
        while (true) {
            // MSG_TRUNC: the real length, so that a cut message cannot pass for a whole one.
            const ssize_t got = ::recv(fd(), buffer.data(), buffer.size(), flags);
            if (got >= 0 && static_cast<std::size_t>(got) > buffer.size()) return ENOSPC;
            size = static_cast<std::size_t>(got);
            if (got >= 0) return 0;
            if (errno != EINTR) return errno;
        }
    }

    [[nodiscard]] std::uint32_t port() const override {
        return mnl_socket_get_portid(socket_.get());
    }

  private:
    struct Close {
        void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
    };

    [[nodiscard]] int fd() const { return mnl_socket_get_fd(socket_.get()); }

    // A batch is one datagram. FORCE may pass the system's limit with CAP_NET_ADMIN.
    void make_room(std::size_t bytes) {
        if (bytes <= room_) return;
        const int wanted = static_cast<int>(bytes) + 64 * 1024;
        if (::setsockopt(fd(), SOL_SOCKET, SO_SNDBUFFORCE, &wanted, sizeof wanted) < 0) {
            ::setsockopt(fd(), SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
        }
        room_ = bytes;
    }

    std::unique_ptr<mnl_socket, Close> socket_;
    std::size_t room_ = std::size_t{32} * 1024;  // what every system grants
};

Result<std::unique_ptr<Wire>> open_here(int protocol) {
    mnl_socket* socket = mnl_socket_open2(protocol, SOCK_CLOEXEC);
    if (socket == nullptr) {
        const bool absent = errno == EPROTONOSUPPORT;
        return fail(
            absent ? Code::unavailable : Code::failed,
            fmt::format("cannot open a netlink socket: {}{}", text(errno),
                        absent ? "; is nf_tables in this kernel? try: modprobe nf_tables" : ""));
    }
    auto wire = std::make_unique<LocalWire>(socket);
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        return fail("cannot bind a netlink socket: " + text(errno));
    }
    // Errors then come without a copy of the message they are about.
    int on = 1;
    mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof on);
    return wire;
}

class ThisNamespace final : public Kernel {
  public:
    Result<std::unique_ptr<Wire>> open(int protocol) override { return open_here(protocol); }
    Result<int> probe(const Bytes& address) override {
        return send_probe(address.data(), address.size());
    }
};

// Sockets belong for good to the namespace they were made in: a thread that goes there makes them.
class OtherNamespace final : public Kernel {
  public:
    explicit OtherNamespace(int fd) : fd_(fd) {}
    OtherNamespace(const OtherNamespace&) = delete;
    OtherNamespace& operator=(const OtherNamespace&) = delete;
    ~OtherNamespace() override { ::close(fd_); }

    Result<std::unique_ptr<Wire>> open(int protocol) override {
        return inside<std::unique_ptr<Wire>>([protocol] { return open_here(protocol); });
    }
    Result<int> probe(const Bytes& address) override {
        return inside<int>(
            [&]() -> Result<int> { return send_probe(address.data(), address.size()); });
    }

    // Changes nothing: only whether one may.
    Result<void> enter() {
        const auto entered = inside<int>([]() -> Result<int> { return 0; });
        return entered ? Result<void>() : fail(entered.error());
    }

  private:
    template <class Value, class Function>
    Result<Value> inside(Function function) const {
        Result<Value> result = fail("not run");
        std::thread([&] {
            if (::setns(fd_, CLONE_NEWNET) == 0) {
                result = function();
            } else {
                result =
                    fail(errno == EPERM ? Code::denied : Code::failed,
                         fmt::format("cannot enter the sandbox's network namespace: {}{}",
                                     text(errno), errno == EPERM ? "; run alca with sudo" : ""));
            }
        }).join();
        return result;
    }

    int fd_;
};

bool same_namespace(int fd, int other) {
    struct stat one{};
    struct stat two{};
    return ::fstat(fd, &one) != 0 || ::fstat(other, &two) != 0 ||
           (one.st_dev == two.st_dev && one.st_ino == two.st_ino);
}

}  // namespace

std::unique_ptr<Kernel> this_namespace() { return std::make_unique<ThisNamespace>(); }

Result<std::unique_ptr<Kernel>> namespace_of(pid_t pid) {
    const std::string path = fmt::format("/proc/{}/ns/net", pid);
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        Code code = Code::failed;
        if (errno == ENOENT) code = Code::not_found;
        if (errno == EACCES || errno == EPERM) code = Code::denied;
        return fail(code, fmt::format("cannot open the network namespace of process {}: {}", pid,
                                      text(errno)));
    }
    auto kernel = std::make_unique<OtherNamespace>(fd);
    const int own = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    const bool same = own < 0 || same_namespace(fd, own);
    if (own >= 0) ::close(own);
    if (same) {
        return fail(Code::invalid,
                    fmt::format("process {} has no network namespace of its own", pid));
    }
    if (auto entered = kernel->enter(); !entered) return fail(entered.error());
    return kernel;
}

}  // namespace alca::nft
