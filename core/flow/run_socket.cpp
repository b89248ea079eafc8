#include "core/flow/run_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/os/file.hpp"

namespace alca::flow {
namespace {

fs::path directory_of(const Host& host, const project::State& state) {
    return host.state_directory / "run" / state.project_id;
}

Error not_there(std::string_view what, int error) {
    return {Code::unavailable, fmt::format("{}: {}", what, os::errno_text(error))};
}

// By its descriptor: no link is followed, and the path may be longer than an address holds.
sockaddr_un address_of(const os::Fd& socket_file) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    fmt::format_to_n(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1,
                     "/proc/self/fd/{}", socket_file.get());
    return address;
}

}  // namespace

Result<fs::path> make_run_directory(const Host& host, const project::State& state) {
    const fs::path directory = directory_of(host, state);
    if (auto made = os::make_directories(directory, 0700); !made) return fail(made.error());
    std::error_code error;
    fs::path resolved = fs::canonical(directory, error);
    if (error) return fail(fmt::format("{}: {}", directory.string(), error.message()));
    return resolved;
}

bool remove_run_directory(const Host& host, const project::State& state) {
    const fs::path directory = directory_of(host, state);
    std::string aside = directory.string() + ".old-XXXXXX";
    std::error_code error;
    if (!fs::exists(fs::symlink_status(directory, error))) return true;
    if (::mkdtemp(aside.data()) == nullptr ||
        ::rename(directory.c_str(), aside.c_str()) != 0) {  // over the empty one
        return false;
    }
    fs::remove_all(aside, error);
    return !error;
}

Result<os::Fd> connect_to_init(const Host& host, const project::State& state) {
    const fs::path directory = directory_of(host, state);
    const os::Fd parent(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!parent) return fail(not_there(directory.string(), errno));
    const os::Fd file(::openat(parent.get(), kRunSocket, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!file) return fail(not_there(kRunSocket, errno));
    struct stat info{};
    if (::fstat(file.get(), &info) != 0 || !S_ISSOCK(info.st_mode)) {
        return fail(Code::denied, "something else stands in the place of the socket");
    }
    os::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return fail(not_there("cannot make a socket", errno));
    const sockaddr_un address = address_of(file);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        return fail(not_there("cannot connect to process 1 of the sandbox", errno));
    }
    // Who listens, by the number that it has here: the kernel says it, and nobody inside can.
    ucred peer{};
    socklen_t length = sizeof peer;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 ||
        peer.pid != state.process.pid) {
        return fail(Code::denied, "it is not process 1 of the sandbox that listens");
    }
    return socket;
}

}  // namespace alca::flow
