#include "visit.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "account.hpp"
#include "bytes.hpp"
#include "command.hpp"
#include "files.hpp"
#include "hello.hpp"
#include "passwd.hpp"
#include "probe.hpp"
#include "stub.hpp"
#include "text.hpp"

namespace alca::init {
namespace {

constexpr int kHelloSeconds = 5;
constexpr std::size_t kMaxPasswdBytes = std::size_t{4} << 20;
constexpr std::size_t kStreams = 2;  // where the command's stdout and stderr go

void limit_wait(int connection, int seconds) {
    const timeval limit{.tv_sec = seconds, .tv_usec = 0};
    ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

// Adds up to `count` bytes to `at`, and takes descriptors that come along. 0: the client is gone,
// too slow, or sent what does not belong there.
std::size_t receive_part(int connection, char* at, std::size_t count,
                         std::array<Fd, kStreams>& streams) {
    iovec part{.iov_base = at, .iov_len = count};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kStreams)> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ssize_t received = -1;
    do {
        received = ::recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    } while (received < 0 && errno == EINTR);
    if (received <= 0) return 0;
    for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr;
         head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t fds = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < fds; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
            Fd owned(fd);
            if (i < kStreams && fds == kStreams) streams.at(i) = std::move(owned);
        }
    }
    return static_cast<std::size_t>(received);
}

bool receive(int connection, char* at, std::size_t count, std::array<Fd, kStreams>& streams) {
    while (count > 0) {
        const std::size_t part = receive_part(connection, at, count, streams);
        if (part == 0) return false;
        at += part;
        count -= part;
    }
    return true;
}

// False: whoever it is does not speak the protocol.
bool receive_hello(int connection, Hello& hello, std::array<Fd, kStreams>& streams) {
    std::array<char, kFrameHeadBytes> head{};
    if (!receive(connection, head.data(), head.size(), streams)) return false;
    const std::size_t length = hello_length({head.data(), head.size()});
    if (length == 0 || !receive(connection, hello.payload.data(), length, streams)) return false;
    return parse_hello(length, hello) && streams[0].is_open() && streams[1].is_open();
}

void send_frame(const AnswerFrame& frame) {
    const std::string_view bytes = frame.view();
    // A client that is gone does not matter any more.
    static_cast<void>(::send(STDIN_FILENO, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

// The three streams of this process from now on.
bool take_streams(Fd& connection, std::array<Fd, kStreams>& streams) {
    // None of them may be one of the three places already: dup2(2) would close it.
    std::array<int, 3> high{};
    for (std::size_t i = 0; i < high.size(); ++i) {
        const int fd = i == 0 ? connection.get() : streams.at(i - 1).get();
        high.at(i) = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (high.at(i) < 0) return false;
    }
    for (std::size_t i = 0; i < high.size(); ++i) {
        if (::dup2(high.at(i), static_cast<int>(i)) < 0) return false;
    }
    // Not closed by their owners again: those numbers may stand for the three by now.
    static_cast<void>(connection.release());
    for (Fd& stream : streams) static_cast<void>(stream.release());
    return true;
}

// HOME is then found for the user, as an engine does it. Not one that the sandbox was made with: an
// engine sets only what nobody has set, and then to the home of PID 1's own user.
void forget_own_home(const Account& account) {
    const char* home = ::getenv("HOME");
    if (home == nullptr || account.uid == ::getuid()) return;
    Bytes passwd;
    static_cast<void>(read_file("/etc/passwd", kMaxPasswdBytes, passwd));
    const auto own = find_user(passwd.view(), ::getuid());
    if (own && own->home == home) ::unsetenv("HOME");
}

int serve(const Hello& hello) {
    Text answer;
    if (!hello.refused.empty() && !is_refused(hello.refused, answer)) {
        complain("alca", {"the network rules inside the sandbox are not in force (a packet to ",
                          hello.refused, ": ", answer.view(), "); run: alca up"});
        send_frame(welcome(hello));
        return kExitOwnFailure;
    }
    Account account;
    if (!find_account(hello.user, account, answer)) {
        send_frame(decline(answer.view()));
        ::_exit(0);
    }
    forget_own_home(account);
    if (!become_account(account)) {
        answer.set({"cannot become user ", hello.user, ": ", describe_error(errno).view()});
        send_frame(decline(answer.view()));
        ::_exit(0);
    }
    send_frame(welcome(hello));
    limit_wait(STDIN_FILENO, 0);
    return serve_client();
}

}  // namespace

void serve_visit(Fd connection) {
    limit_wait(connection.get(), kHelloSeconds);
    Hello hello;
    std::array<Fd, kStreams> streams;
    if (!receive_hello(connection.get(), hello, streams)) ::_exit(0);
    if (!take_streams(connection, streams) || !close_inherited()) ::_exit(0);
    const int code = serve(hello);
    // The end of the command's output comes before its exit code.
    ::close(STDOUT_FILENO);
    ::close(STDERR_FILENO);
    send_frame(exit_code_frame(code));
    ::_exit(0);
}

}  // namespace alca::init
