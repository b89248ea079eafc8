#include "core/flow/exec_by_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "core/flow/feeder.hpp"
#include "core/flow/mover.hpp"
#include "core/os/file.hpp"

namespace alca::flow {
namespace {

constexpr std::chrono::milliseconds kHello{1000};
constexpr int kLostContactExit = 137;  // killed: what an engine reports for it

struct Pipe {
    os::Fd read;  // does not block
    os::Fd write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return fail("cannot make a pipe: " + os::errno_text(errno));
    }
    Pipe pipe{os::Fd(ends[0]), os::Fd(ends[1])};
    if (::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK) != 0) {
        return fail("cannot set up a pipe: " + os::errno_text(errno));
    }
    return pipe;
}

// The hello with the two descriptors.
bool send_hello(int connection, const std::string& hello, const std::array<int, 2>& streams) {
    std::string bytes = hello;
    iovec part{.iov_base = bytes.data(), .iov_len = bytes.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof streams)> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof streams);
    std::memcpy(CMSG_DATA(head), streams.data(), sizeof streams);
    // All of it or nothing: it is far smaller than an empty socket's buffer.
    return ::sendmsg(connection, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

// What alca-init answers. The other end may be hostile: small frames only.
class Answers {
  public:
    explicit Answers(int connection) : connection_(connection) {}

    // The next one, if it is complete. Nothing and is_gone(): there will be none any more.
    std::optional<Answer> next() {
        while (true) {
            auto answer = take_answer(bytes_);
            if (answer || is_gone_) return answer;
            std::array<char, kMaxAnswerBytes> buffer{};
            const ssize_t count = ::recv(connection_, buffer.data(), buffer.size(), 0);
            if (count < 0 && errno == EINTR) continue;
            if (count < 0 && errno == EAGAIN) return std::nullopt;
            is_gone_ = count <= 0 || bytes_.size() > kMaxAnswerBytes;
            if (!is_gone_) bytes_.append(buffer.data(), static_cast<std::size_t>(count));
        }
    }
    [[nodiscard]] bool is_gone() const { return is_gone_; }

  private:
    int connection_;
    std::string bytes_;
    bool is_gone_ = false;
};

Result<void> await_welcome(const Call& call, int connection, Answers& answers,
                           const std::string& nonce) {
    const auto end = std::chrono::steady_clock::now() + kHello;
    while (true) {
        if (const auto answer = answers.next()) {
            if (answer->type == AnswerType::decline) {
                return fail(Code::unsupported, printable(answer->payload));
            }
            if (answer->type == AnswerType::welcome && answer->payload == welcome_payload(nonce)) {
                return {};
            }
            return fail(Code::unsupported, "process 1 of the sandbox speaks another protocol");
        }
        if (answers.is_gone()) return fail(Code::unsupported, "it did not answer");
        std::array<pollfd, 2> entries{{{connection, POLLIN, 0}, {call.cancel_fd(), POLLIN, 0}}};
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        const int ready = left.count() <= 0 ? 0
                                            : ::poll(entries.data(), entries.size(),
                                                     static_cast<int>(left.count()));
        if (ready < 0 && errno == EINTR) continue;
        if (ready == 0) return fail(Code::unsupported, "it did not answer in time");
        if (entries[1].revents != 0) return fail(Code::cancelled, "interrupted");
    }
}

// Takes the output until the exit code is known. nullopt: the sandbox has ended.
Result<std::optional<int>> take_output(int connection, Answers& answers,
                                       std::array<Mover, 2>& output, int give_up_fd) {
    while (true) {
        if (const auto answer = answers.next()) {
            if (answer->type == AnswerType::exit) return answer->exit_code;
            return fail("process 1 of the sandbox broke the run protocol");
        }
        if (answers.is_gone()) return std::nullopt;
        std::array<pollfd, 4> entries{{{connection, POLLIN, 0},
                                       {give_up_fd, POLLIN, 0},
                                       output[0].entry(),
                                       output[1].entry()}};
        if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) {
            return fail("cannot wait for the command: " + os::errno_text(errno));
        }
        if (entries[1].revents != 0) return fail(Code::cancelled, "interrupted");
        if (entries[2].revents != 0) output[0].move();
        if (entries[3].revents != 0) output[1].move();
    }
}

// What was there when the command ended, and no more: others may go on writing. A user who does not
// want to wait for it says so by a signal.
void take_rest(std::array<Mover, 2>& output, int give_up_fd) {
    for (Mover& mover : output) {
        std::size_t left = mover.waiting();
        while (left > 0 && mover.is_open()) {
            const std::size_t moved = mover.move(left);
            left -= std::min(left, moved);
            if (!mover.is_blocked()) {
                if (moved == 0) break;
                continue;
            }
            std::array<pollfd, 2> entries{{mover.entry(), {give_up_fd, POLLIN, 0}}};
            if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return;
            if (entries[1].revents != 0) return;
        }
        mover.close_if_ended();
    }
}

// Only what it needs, and signals end it.
void become_background(const std::array<Mover, 2>& output) {
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0) ::_exit(0);
    ::dup2(nothing, STDIN_FILENO);
    const int low = std::min(output[0].source(), output[1].source());  // -1: that one is closed
    const int high = std::max(output[0].source(), output[1].source());
    if (low > STDERR_FILENO) ::close_range(STDERR_FILENO + 1, static_cast<unsigned>(low) - 1, 0);
    const int after_low = std::max(low, STDERR_FILENO) + 1;
    if (high > after_low) {
        ::close_range(static_cast<unsigned>(after_low), static_cast<unsigned>(high) - 1, 0);
    }
    ::close_range(static_cast<unsigned>(std::max(high, STDERR_FILENO)) + 1, ~0U, 0);
}

// Nobody who waits for the end of a stream waits for one that nothing writes to any more.
void let_go_of_targets(const std::array<Mover, 2>& output) {
    for (const Mover& mover : output) {
        if (!mover.is_open() && mover.target() > STDIN_FILENO) ::close(mover.target());
    }
}

// Whoever still writes is a background job of the command's. As with a local command its output
// goes where the command's went, and the exit code does not wait for it. Not to a terminal, though:
// a sandbox that has ended its command writes nothing more there.
void leave_to_background(std::array<Mover, 2>& output) {
    for (Mover& mover : output) {
        if (::isatty(mover.target()) == 1) mover.close();
    }
    if (!output[0].is_open() && !output[1].is_open()) return;
    if (::fork() != 0) return;
    become_background(output);
    while (true) {
        let_go_of_targets(output);
        if (!output[0].is_open() && !output[1].is_open()) break;
        std::array<pollfd, 2> entries{{output[0].entry(), output[1].entry()}};
        if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) break;
        for (Mover& mover : output) mover.move();
    }
    ::_exit(0);
}

}  // namespace

Result<int> exec_by_socket(const Call& call, os::Fd connection, const InsideRequest& request,
                           const CommandIo& io) {
    auto first_frame = command_frame(request.command);
    if (!first_frame) return fail(first_frame.error());
    auto out = make_pipe();
    auto err = make_pipe();
    if (!out || !err) return fail(out ? err.error() : out.error());
    std::string nonce(kNonceBytes, '\0');
    if (::getrandom(nonce.data(), nonce.size(), 0) != static_cast<ssize_t>(nonce.size())) {
        return fail("cannot get random bytes: " + os::errno_text(errno));
    }
    const auto hello = hello_frame(nonce, request.user, request.refused_address);
    if (!hello) return fail(hello.error());
    if (!send_hello(connection.get(), *hello, {out->write.get(), err->write.get()})) {
        return fail(Code::unsupported, "it takes no command: " + os::errno_text(errno));
    }
    out->write.reset();
    err->write.reset();
    Answers answers(connection.get());
    if (auto met = await_welcome(call, connection.get(), answers, nonce); !met) {
        return fail(met.error());
    }

    if (request.on_start) {
        if (auto started = request.on_start(); !started) return fail(started.error());
    }
    const os::Fd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const os::Fd give_up(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    os::Fd carrier(::fcntl(connection.get(), F_DUPFD_CLOEXEC, 0));
    if (!stop || !give_up || !carrier) {
        return fail("cannot make a descriptor: " + os::errno_text(errno));
    }
    std::array<Mover, 2> output{Mover(std::move(out->read), io.out),
                                Mover(std::move(err->read), io.err)};
    if (io.modes != nullptr) output[0].watch(*io.modes);
    Result<std::optional<int>> code;
    {
        Feeder feeder(io, request.command.tty, std::move(carrier), stop.get(), give_up.get());
        const std::jthread thread([&feeder, &first_frame] { feeder.run(*first_frame); });
        const int cancel = io.signals != nullptr ? give_up.get() : call.cancel_fd();
        code = take_output(connection.get(), answers, output, cancel);
        if (code) take_rest(output, cancel);
        // Cannot fail: the counter of an eventfd that nobody else writes is far from its limit.
        static_cast<void>(::eventfd_write(stop.get(), 1));
    }
    if (!code) return fail(code.error());
    const std::optional<int>& exit_code = *code;
    if (!exit_code.has_value()) return kLostContactExit;
    for (const Mover& mover : output) {
        if (mover.error() == 0) continue;
        return fail("the command's output could not be written: " + os::errno_text(mover.error()));
    }
    // The terminal of a command stays inside: when that has ended, nothing comes any more.
    if (!request.command.tty && request.follows_background) leave_to_background(output);
    return *exit_code;
}

}  // namespace alca::flow
