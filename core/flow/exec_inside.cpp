#include "core/flow/exec_inside.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <thread>

#include "core/flow/feeder.hpp"
#include "core/flow/watched_output.hpp"
#include "core/os/file.hpp"

namespace alca::flow {
namespace {

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

    const SignalledCall signalled(call, give_up.get());
    const Call& exec_call = io.signals != nullptr ? signalled : call;
    std::optional<WatchedOutput> terminal;
    if (io.modes != nullptr) {
        auto started = WatchedOutput::start(io.out, *io.modes, exec_call.cancel_fd());
        if (!started) return fail(started.error());
        terminal.emplace(std::move(*started));
    }

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
    const Stdio stdio{
        .in = pipe->read.get(), .out = terminal ? terminal->fd() : io.out, .err = io.err};
    auto code = runtime.exec(exec_call, exec, stdio);
    terminal.reset();

    // Cannot fail: the counter of an eventfd that nobody else writes is far from its limit.
    static_cast<void>(::eventfd_write(stop.get(), 1));
    return code;
}

}  // namespace alca::flow
