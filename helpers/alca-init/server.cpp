#include "server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "visit.hpp"

namespace alca::init {
namespace {

constexpr int kBacklog = 128;
constexpr useconds_t kPauseUs = 10'000;

// Only a process outside our PID namespace has no number in it.
bool is_from_outside(int connection) {
    ucred peer{};
    socklen_t length = sizeof peer;
    return ::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid == 0;
}

}  // namespace

Fd listen_at(std::string_view path, Text& fault) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        fault.set({"the path of --serve is too long"});
        return Fd();
    }
    std::copy(path.begin(), path.end(), static_cast<char*>(address.sun_path));
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (::unlink(static_cast<char*>(address.sun_path)) != 0 && errno != ENOENT) {
        fault.set({"cannot remove the old ", path, ": ", describe_error(errno).view()});
        return Fd();
    }
    // Whoever may enter the directory on the host may connect; nobody else can.
    const mode_t mask = ::umask(0);
    const bool is_bound =
        socket.is_open() &&
        ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        ::listen(socket.get(), kBacklog) == 0;
    const int error = errno;
    ::umask(mask);
    if (is_bound) return socket;
    fault.set({"cannot serve at ", path, ": ", describe_error(error).view()});
    return Fd();
}

void welcome_client(int listener) {
    Fd connection(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    // No descriptor or memory: it would be reported as ready again at once.
    if (!connection.is_open() && errno != EAGAIN && errno != EINTR) ::usleep(kPauseUs);
    if (!connection.is_open() || !is_from_outside(connection.get())) return;
    const pid_t pid = ::fork();
    if (pid == 0) serve_visit(std::move(connection));
    // Without a process the connection closes, and the client takes another way.
}

}  // namespace alca::init
