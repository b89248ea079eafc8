// The bytes that go to the stub, as the engine would carry them.
#include "core/flow/exec_inside.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

#include "core/os/file.hpp"
#include "support.hpp"

namespace alca::flow {
namespace {

using namespace std::string_literals;
using fakes::read_command_frame;
using fakes::read_frame;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kInput = 2;
constexpr std::uint32_t kInputEnd = 3;
constexpr std::uint32_t kSignal = 4;
constexpr std::uint32_t kWindowSize = 5;
constexpr int kPatienceMs = 10'000;

// The next frame; type 0, which no frame has, when none comes.
fakes::Frame next_frame(int in) { return read_frame(in).value_or(fakes::Frame{}); }

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        read.reset(ends[0]);
        write.reset(ends[1]);
    }
    os::Fd read;
    os::Fd write;
};

// The mask of the test's thread comes back at the end.
class SignalMask {
  public:
    SignalMask() { ::pthread_sigmask(SIG_SETMASK, nullptr, &saved_); }
    ~SignalMask() { ::pthread_sigmask(SIG_SETMASK, &saved_, nullptr); }
    SignalMask(const SignalMask&) = delete;
    SignalMask& operator=(const SignalMask&) = delete;

  private:
    sigset_t saved_{};
};

class ExecInsideTest : public FlowTest {
  protected:
    ExecInsideTest() {
        be_up();
        auto blocked = os::SignalFd::block({SIGINT, SIGTERM, SIGUSR1, SIGWINCH});
        if (blocked) signals_.emplace(std::move(*blocked));
    }

    using Stub = std::function<Result<int>(int in)>;
    // Runs `cat` inside; `stub` stands for alca-init there and has read the command already.
    Result<int> run(const CommandIo& io, const Stub& stub, bool tty = false) {
        runtime.stub = [&](const Call&, const ExecRequest&, const Stdio& stdio) -> Result<int> {
            if (!read_command_frame(stdio.in)) return fail("no command frame");
            return stub(stdio.in);
        };
        return exec_inside(
            runtime, call,
            {.sandbox = make_ref(state()),
             .user = "",
             .command = {.argv = {"cat"}, .env = {}, .cwd = "/", .tty = tty, .size = {}}},
            io);
    }
    [[nodiscard]] const os::SignalFd* signals() const { return signals_ ? &*signals_ : nullptr; }
    static void send_signal(int number) { ::kill(::getpid(), number); }
    // Without reading: whether the writing end closes while its bytes are still in the pipe.
    static bool closes(int in) {
        pollfd entry{in, 0, 0};
        return ::poll(&entry, 1, kPatienceMs) == 1 && (entry.revents & POLLHUP) != 0;
    }

  private:
    SignalMask mask_;
    std::optional<os::SignalFd> signals_;
};

TEST_F(ExecInsideTest, TheCommandComesFirstAndIsInNoArgumentOfTheEngine) {
    ExecRequest seen;
    fakes::InsideCommand command;
    runtime.stub = [&](const Call&, const ExecRequest& request, const Stdio& io) -> Result<int> {
        seen = request;
        command = read_command_frame(io.in).value_or(fakes::InsideCommand{});
        return 0;
    };

    const auto code = exec_inside(runtime, call,
                                  {.sandbox = make_ref(state()),
                                   .user = "1000:1001",
                                   .command = {.argv = {"echo", "a b", "\xff\n"},
                                               .env = {{"TOKEN", "secret"}},
                                               .cwd = "/workspace/x",
                                               .tty = false,
                                               .size = {}}},
                                  {});

    ASSERT_TRUE(code) << code.error().message;
    EXPECT_THAT(seen.argv, ElementsAre(kInitPath, "stub"));
    EXPECT_THAT(seen.env, IsEmpty());
    EXPECT_EQ(seen.user, "1000:1001");
    EXPECT_EQ(seen.sandbox.container_id, sandbox().container_id);
    EXPECT_THAT(command.argv, ElementsAre("echo", "a b", "\xff\n"));
    EXPECT_THAT(command.env, ElementsAre("TOKEN=secret"));
    EXPECT_EQ(command.cwd, "/workspace/x");
}

TEST_F(ExecInsideTest, ReturnsTheExitCode) {
    const auto code = run({}, [](int) { return 42; });

    ASSERT_TRUE(code);
    EXPECT_EQ(*code, 42);
}

TEST_F(ExecInsideTest, PassesOnTheErrorOfTheEngine) {
    EXPECT_EQ(message_of(run({}, [](int) -> Result<int> { return fail("engine is gone"); })),
              "engine is gone");
}

TEST_F(ExecInsideTest, ACommandThatCannotBeSentIsNotStarted) {
    const auto code = exec_inside(
        runtime, call,
        {.sandbox = make_ref(state()),
         .user = "",
         .command = {.argv = {"a\0b"s}, .env = {}, .cwd = "/", .tty = false, .size = {}}},
        {});

    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().code, Code::invalid);
    EXPECT_THAT(journal.entries(), IsEmpty());
}

TEST_F(ExecInsideTest, WithoutInputTheEndFollowsTheCommand) {
    fakes::Frame next;

    ASSERT_TRUE(run({}, [&](int in) {
        next = next_frame(in);
        return 0;
    }));

    EXPECT_EQ(next.type, kInputEnd);
}

TEST_F(ExecInsideTest, InputComesWholeInOrderAndInFramesOfAllowedSize) {
    Pipe input;
    std::string sent;
    for (int i = 0; i < 100'000; ++i) sent += std::to_string(i);
    std::jthread writer([&] {
        static_cast<void>(os::write_all(input.write.get(), sent));
        input.write.reset();
    });
    std::string received;
    std::uint32_t last = 0;
    std::size_t largest = 0;

    ASSERT_TRUE(run({.in = input.read.get()}, [&](int in) {
        while (last != kInputEnd) {
            const auto frame = read_frame(in);
            if (!frame) break;
            last = frame->type;
            received += frame->payload;
            largest = std::max(largest, frame->payload.size());
        }
        return 0;
    }));

    EXPECT_EQ(last, kInputEnd);
    EXPECT_TRUE(received == sent) << received.size() << " bytes came of " << sent.size();
    EXPECT_LE(largest, kMaxInputFrameBytes);
}

TEST_F(ExecInsideTest, ASignalIsHandedOn) {
    Pipe input;
    fakes::Frame frame;

    ASSERT_TRUE(run({.in = input.read.get(), .signals = signals()}, [&](int in) {
        send_signal(SIGUSR1);
        frame = next_frame(in);
        return 0;
    }));

    EXPECT_EQ(frame.type, kSignal);
    EXPECT_EQ(frame.payload, "\x0a\0\0\0"s);
}

TEST_F(ExecInsideTest, AfterThreeInterruptsWithoutEffectTheFourthClosesThePipe) {
    Pipe input;
    std::vector<std::uint32_t> types;
    bool closed = false;

    ASSERT_TRUE(run({.in = input.read.get(), .signals = signals()}, [&](int in) {
        for (int i = 0; i < 3; ++i) {
            send_signal(SIGINT);
            const auto frame = next_frame(in);
            types.push_back(frame.type);
        }
        send_signal(SIGTERM);
        closed = closes(in) && !read_frame(in);
        return 0;
    }));

    EXPECT_THAT(types, ElementsAre(kSignal, kSignal, kSignal));
    EXPECT_TRUE(closed);
}

TEST_F(ExecInsideTest, AnInterruptGetsPastInputThatNobodyReads) {
    const os::Fd endless(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
    bool closed = false;

    const auto code = run({.in = endless.get(), .signals = signals()}, [&](int in) -> Result<int> {
        // A frame of input is larger than the pipe: half of the pipe means that the feeder waits
        // in the middle of a frame.
        const int enough = ::fcntl(in, F_GETPIPE_SZ) / 2;
        const auto deadline =
            std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
        for (int held = 0; held < enough; ::sched_yield()) {
            if (::ioctl(in, FIONREAD, &held) != 0) return fail("FIONREAD");
            if (std::chrono::steady_clock::now() > deadline) return fail("no input came");
        }
        send_signal(SIGINT);
        closed = closes(in);
        return 130;
    });

    ASSERT_TRUE(code) << code.error().message;
    EXPECT_TRUE(closed);
}

TEST_F(ExecInsideTest, ACommandThatEndsWithoutReadingItsInputIsNotWaitedFor) {
    const os::Fd endless(::open("/dev/zero", O_RDONLY | O_CLOEXEC));

    const auto code = run({.in = endless.get()}, [](int) { return 7; });

    ASSERT_TRUE(code);
    EXPECT_EQ(*code, 7);
}

TEST_F(ExecInsideTest, CancellationClosesThePipe) {
    Pipe input;
    os::Fd other_end;

    const auto code = run({.in = input.read.get()}, [&](int in) -> Result<int> {
        other_end.reset(::fcntl(in, F_DUPFD_CLOEXEC, 0));
        return fail(Code::cancelled, "cancelled");
    });

    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().code, Code::cancelled);
    EXPECT_TRUE(closes(other_end.get()));
    EXPECT_FALSE(read_frame(other_end.get()));
}

// With signals the command gets them and the engine's call is not cancelled by them; who insists is
// heard all the same.
TEST_F(ExecInsideTest, AnEngineThatDoesNotAnswerIsGivenUpOnlyWhenTheUserInsists) {
    const os::Fd endless(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
    bool cancelled_by_the_first = true;
    runtime.stub = [&](const Call& inner, const ExecRequest&, const Stdio& io) -> Result<int> {
        call.cancel();  // the same Ctrl-C, seen by the whole program
        send_signal(SIGINT);
        if (!closes(io.in)) return fail("the pipe stays open");
        cancelled_by_the_first = inner.cancelled();
        send_signal(SIGINT);
        pollfd entry{inner.cancel_fd(), POLLIN, 0};
        if (::poll(&entry, 1, kPatienceMs) != 1) return fail("was not given up");
        return fail(Code::cancelled, "given up");
    };
    // Nobody reads: the pipe is full at once, and the first signal closes it.
    const auto code = exec_inside(runtime, call,
                                  {.sandbox = make_ref(state()),
                                   .user = "",
                                   .command = {.argv = {"cat", std::string(100'000, 'x')},
                                               .env = {},
                                               .cwd = "/",
                                               .tty = false,
                                               .size = {}}},
                                  {.in = endless.get(), .signals = signals()});

    EXPECT_EQ(message_of(code), "given up");
    EXPECT_FALSE(cancelled_by_the_first);
}

// ---- terminal -----------------------------------------------------------------------------------

class ExecOnTerminalTest : public ExecInsideTest {
  protected:
    ExecOnTerminalTest() {
        int master = -1;
        int slave = -1;
        EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
        master_.reset(master);
        slave_.reset(slave);
        auto raw = os::RawTerminal::enter(slave);
        if (raw) raw_.emplace(std::move(*raw));
    }

    Result<int> exec_on_terminal(os::TerminalModes& modes) {
        return exec_inside(
            runtime, call,
            {.sandbox = make_ref(state()),
             .user = "",
             .command = {.argv = {"cat"}, .env = {}, .cwd = "/", .tty = true, .size = {}}},
            {.in = slave_.get(), .out = slave_.get(), .signals = signals(), .modes = &modes});
    }

    os::Fd master_;
    os::Fd slave_;
    std::optional<os::RawTerminal> raw_;
};

TEST_F(ExecOnTerminalTest, AChangedWindowIsHandedOnWithItsSize) {
    fakes::Frame frame;

    ASSERT_TRUE(run(
        {.in = slave_.get(), .signals = signals()},
        [&](int in) {
            const winsize size{.ws_row = 40, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
            EXPECT_EQ(::ioctl(master_.get(), TIOCSWINSZ, &size), 0);
            send_signal(SIGWINCH);
            frame = next_frame(in);
            return 0;
        },
        /*tty=*/true));

    EXPECT_EQ(frame.type, kWindowSize);
    EXPECT_EQ(frame.payload, "\x28\0\x64\0"s);
}

TEST_F(ExecOnTerminalTest, WithoutATerminalInsideAChangedWindowIsNotHandedOn) {
    fakes::Frame frame;

    ASSERT_TRUE(run({.in = slave_.get(), .signals = signals()}, [&](int in) {
        send_signal(SIGWINCH);
        send_signal(SIGUSR1);
        frame = next_frame(in);
        static_cast<void>(os::write_all(master_.get(), "x"));
        EXPECT_EQ(next_frame(in).type, kInput);
        return 0;
    }));

    EXPECT_EQ(frame.type, kSignal);
    EXPECT_EQ(frame.payload, "\x0a\0\0\0"s);
}

TEST_F(ExecOnTerminalTest, OutputReachesTheTerminalWholeAndItsModesAreKnown) {
    const std::string output = std::string(200'000, 'x') + "\x1b[?1049h.";
    os::TerminalModes modes;
    runtime.stub = [&](const Call&, const ExecRequest&, const Stdio& stdio) -> Result<int> {
        EXPECT_TRUE(os::write_all(stdio.out, output));
        return 137;
    };
    std::string seen;
    std::jthread reader([&] {
        std::array<char, 4096> bytes{};
        while (seen.size() < output.size()) {
            const ssize_t count = ::read(master_.get(), bytes.data(), bytes.size());
            if (count <= 0) return;
            seen.append(bytes.data(), static_cast<std::size_t>(count));
        }
    });

    const auto code = exec_on_terminal(modes);

    reader.join();
    ASSERT_TRUE(code);
    EXPECT_EQ(*code, 137);
    EXPECT_TRUE(seen == output);
    EXPECT_EQ(modes.reset().view(), "\x1b[?1049l\x1b[m");
}

TEST_F(ExecOnTerminalTest, ATerminalThatTakesNothingIsGivenUpWithTheCommand) {
    os::TerminalModes modes;
    runtime.stub = [&](const Call& stub_call, const ExecRequest&,
                       const Stdio& stdio) -> Result<int> {
        EXPECT_TRUE(os::write_all(stdio.out, std::string(50'000, 'x')));
        for (int i = 0; i < 6; ++i) {
            send_signal(SIGTERM);
            pollfd given_up{stub_call.cancel_fd(), POLLIN, 0};
            if (::poll(&given_up, 1, 200) == 1) return fail(Code::cancelled, "interrupted");
        }
        return fail("was not given up");
    };

    EXPECT_EQ(message_of(exec_on_terminal(modes)), "interrupted");
}

TEST_F(ExecOnTerminalTest, ATerminalThatIsGoneEndsTheClientAndNotItsInput) {
    bool closed = false;
    fakes::Frame frame;

    ASSERT_TRUE(run(
        {.in = slave_.get(), .signals = signals()},
        [&](int in) {
            master_.reset();
            closed = closes(in);
            frame = next_frame(in);
            return 0;
        },
        /*tty=*/true));

    EXPECT_TRUE(closed);
    EXPECT_EQ(frame.type, 0U);
}

}  // namespace
}  // namespace alca::flow
