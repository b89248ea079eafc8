#include "core/flow/exec_inside.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "core/os/file.hpp"

namespace alca::flow {
namespace {

// Signals that end a command when they are sent to it; after so many without effect the user means
// it.
constexpr int kPatience = 3;

// Feeds the stub: frames for input, signals and window sizes into the pipe that the engine reads.
// Runs in a thread of its own beside Runtime::exec, until stop is readable or the pipe has closed.
class Feeder {
  public:
    // give_up_fd: an eventfd, raised when the user insists and the command still does not end.
    Feeder(const CommandIo& io, bool tty, os::Fd pipe, int stop_fd, int give_up_fd)
        : io_(io), tty_(tty), pipe_(std::move(pipe)), stop_fd_(stop_fd), give_up_fd_(give_up_fd) {}

    // Closing the pipe tells the stub that the client is gone: it ends the command.
    void run(const std::string& first_frame) noexcept {
        feed(first_frame);
        pipe_.reset();
        wait_for_the_end();
    }

  private:
    // An engine that does not answer must not hold the user: one more signal gives it up.
    void wait_for_the_end() {
        if (io_.signals == nullptr) return;
        while (true) {
            std::array<pollfd, 2> entries{{{stop_fd_, POLLIN, 0}, {io_.signals->fd(), POLLIN, 0}}};
            if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return;
            if (entries[0].revents != 0) return;
            while (const auto signal = io_.signals->take()) {
                if (*signal != SIGWINCH) static_cast<void>(::eventfd_write(give_up_fd_, 1));
            }
        }
    }

    void feed(const std::string& first_frame) {
        if (!send(first_frame)) return;
        if (io_.in < 0 && !send(input_end_frame())) return;
        bool input_open = io_.in >= 0;
        while (true) {
            std::array<pollfd, 4> entries{
                {{stop_fd_, POLLIN, 0},
                 {io_.signals != nullptr ? io_.signals->fd() : -1, POLLIN, 0},
                 {input_open ? io_.in : -1, POLLIN, 0},
                 {pipe_.get(), 0, 0}}};
            if (::poll(entries.data(), entries.size(), -1) < 0) {
                if (errno == EINTR) continue;
                return;
            }
            if (entries[0].revents != 0 || (entries[3].revents & POLLERR) != 0) return;
            if (entries[1].revents != 0 && !forward_signals()) return;
            if (entries[2].revents != 0 && !forward_input(input_open)) return;
        }
    }

    [[nodiscard]] bool forward_signals() {
        while (const auto signal = io_.signals->take()) {
            if (*signal == SIGWINCH) {
                const auto size = tty_ ? os::window_size(io_.in) : std::nullopt;
                if (size && !send(window_size_frame(*size))) return false;
                continue;
            }
            if ((*signal == SIGINT || *signal == SIGTERM) && ++insisted_ > kPatience) return false;
            if (!send(signal_frame(*signal))) return false;
        }
        return true;
    }

    [[nodiscard]] bool forward_input(bool& input_open) {
        const ssize_t count = ::read(io_.in, buffer_.data(), buffer_.size());
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) return true;
        if (count > 0) return send(input_frame({buffer_.data(), static_cast<std::size_t>(count)}));
        input_open = false;
        // A terminal that is gone (EIO) is not the end of the input but the end of the client.
        if (tty_) return false;
        return send(input_end_frame());
    }

    // Writes a frame. While a command that reads nothing keeps the pipe full, no signal frame can
    // get past the input in front of it: then a signal closes the pipe, and the stub ends the
    // command.
    [[nodiscard]] bool send(std::string_view data) {
        while (!data.empty()) {
            const ssize_t count = ::write(pipe_.get(), data.data(), data.size());
            if (count >= 0) {
                data.remove_prefix(static_cast<std::size_t>(count));
                continue;
            }
            if (errno == EINTR) continue;
            if (errno != EAGAIN) return false;
            const int signals = io_.signals != nullptr ? io_.signals->fd() : -1;
            std::array<pollfd, 3> entries{
                {{stop_fd_, POLLIN, 0}, {signals, POLLIN, 0}, {pipe_.get(), POLLOUT, 0}}};
            if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return false;
            if (entries[0].revents != 0) return false;
            if (entries[1].revents != 0 && io_.signals->take().value_or(SIGWINCH) != SIGWINCH) {
                return false;
            }
        }
        return true;
    }

    const CommandIo& io_;
    bool tty_;
    os::Fd pipe_;
    int stop_fd_;
    int give_up_fd_;
    int insisted_ = 0;
    std::array<char, kMaxInputFrameBytes> buffer_{};
};

// The caller's call for a command that gets the signals itself: they must not also cancel it.
class SignalledCall final : public Call {
  public:
    SignalledCall(const Call& call, int give_up_fd) : call_(call), give_up_fd_(give_up_fd) {}
    [[nodiscard]] int cancel_fd() const override { return give_up_fd_; }
    void log(LogLevel level, std::string_view line) const override { call_.log(level, line); }
    void progress(const Progress& progress) const override { call_.progress(progress); }

  private:
    const Call& call_;
    int give_up_fd_;
};

struct Pipe {
    os::Fd read;
    os::Fd write;
};

// The write end does not block; the read end, which the runtime plugin gets, does.
Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return fail("cannot make a pipe: " + os::errno_text(errno));
    }
    Pipe pipe{os::Fd(ends[0]), os::Fd(ends[1])};
    if (::fcntl(pipe.write.get(), F_SETFL, O_NONBLOCK) != 0) {
        return fail("cannot set up a pipe: " + os::errno_text(errno));
    }
    return pipe;
}

}  // namespace

Result<int> exec_inside(Runtime& runtime, const Call& call, const InsideRequest& request,
                        const CommandIo& io) {
    auto first_frame = command_frame(request.command);
    if (!first_frame) return fail(first_frame.error());
    auto pipe = make_pipe();
    if (!pipe) return fail(pipe.error());
    const os::Fd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const os::Fd give_up(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!stop || !give_up) return fail("cannot make an eventfd: " + os::errno_text(errno));

    Feeder feeder(io, request.command.tty, std::move(pipe->write), stop.get(), give_up.get());
    std::jthread thread([&feeder, &first_frame] { feeder.run(*first_frame); });

    ExecRequest exec{.sandbox = request.sandbox,
                     .argv = {kInitPath, "stub"},
                     .env = {},
                     .cwd = "/",
                     .user = request.user};
    if (!request.refused_address.empty()) {
        exec.argv.emplace_back("--refused");
        exec.argv.push_back(request.refused_address);
    }
    const Stdio stdio{.in = pipe->read.get(), .out = io.out, .err = io.err};
    const SignalledCall signalled(call, give_up.get());
    auto code = runtime.exec(io.signals != nullptr ? signalled : call, exec, stdio);

    // Cannot fail: the counter of an eventfd that nobody else writes is far from its limit.
    static_cast<void>(::eventfd_write(stop.get(), 1));
    return code;
}

}  // namespace alca::flow
