#include "alca/spawn.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <array>
#include <thread>

namespace alca {
namespace {

using std::chrono::milliseconds;

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) == 0) {
            read = ends[0];
            write = ends[1];
        }
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
        ::close(read);
        if (write >= 0) ::close(write);
    }
    [[nodiscard]] std::string read_to_end() {
        ::close(std::exchange(write, -1));
        std::string text;
        char buffer[512];
        ssize_t count = 0;
        while ((count = ::read(read, buffer, sizeof buffer)) > 0) {
            text.append(buffer, static_cast<std::size_t>(count));
        }
        return text;
    }
    int read = -1, write = -1;
};

struct Outcome {
    std::string out;
    Result<int> code;
};

Outcome run(Command command) {
    Pipe pipe;
    command.out = pipe.write;
    auto child = spawn(command);
    if (!child) return {"", fail(child.error())};
    std::string out = pipe.read_to_end();
    return {std::move(out), child->wait(-1, milliseconds(0))};
}

Outcome shell(const std::string& script) { return run({.argv = {"/bin/sh", "-c", script}}); }

TEST(SpawnTest, ReturnsTheExitCode) {
    EXPECT_EQ(*shell("exit 7").code, 7);
    EXPECT_EQ(*shell("kill -TERM $$").code, 128 + SIGTERM);
}

TEST(SpawnTest, PassesArgumentsAsTheyAre) {
    const std::string odd = "a b\"'$(x)\n*";
    EXPECT_EQ(run({.argv = {"printf", "%s", odd}}).out, odd);
}

TEST(SpawnTest, EnvironmentIsExactlyTheOneGiven) {
    EXPECT_EQ(run({.argv = {"/usr/bin/env"}, .env = {{{"A", "1"}, {"B", "x y"}}}}).out,
              "A=1\nB=x y\n");
}

TEST(SpawnTest, StartsInTheGivenDirectory) {
    EXPECT_EQ(run({.argv = {"/bin/pwd"}, .cwd = "/usr"}).out, "/usr\n");
}

TEST(SpawnTest, MissingStreamsAreDevNull) {
    EXPECT_EQ(shell("readlink /proc/self/fd/0; readlink /proc/self/fd/2").out,
              "/dev/null\n/dev/null\n");
}

TEST(SpawnTest, StreamsMayBeAnyPermutationOfTheStandardOnes) {
    // The child's stdin is our stdout and so on: dup2 one after the other would lose one.
    Pipe pipe;
    const int saved = ::fcntl(0, F_DUPFD_CLOEXEC, 3);
    ASSERT_EQ(::dup2(pipe.write, 0), 0);
    auto child = spawn({.argv = {"/bin/sh", "-c", "echo text"}, .in = 1, .out = 0, .err = 2});
    ::dup2(saved, 0);
    ::close(saved);
    ASSERT_TRUE(child) << child.error().message;
    EXPECT_EQ(pipe.read_to_end(), "text\n");
    EXPECT_EQ(*child->wait(-1, milliseconds(0)), 0);
}

TEST(SpawnTest, NoOtherDescriptorIsHandedDown) {
    const int leak = ::open("/dev/zero", O_RDONLY);  // NOLINT(android-cloexec-open): the subject
    ASSERT_GE(leak, 0);
    EXPECT_EQ(shell("ls -l /proc/self/fd | grep -c /dev/zero").out, "0\n");
    ::close(leak);
}

TEST(SpawnTest, SignalMaskAndDispositionsAreReset) {
    sigset_t blocked;
    sigset_t before;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGTERM);
    ::sigaddset(&blocked, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
    ::signal(SIGPIPE, SIG_IGN);
    const Outcome blocked_out = shell("awk '/SigBlk/ { print $2 }' /proc/self/status");
    const Outcome ignored_out = shell("awk '/SigIgn/ { print $2 }' /proc/self/status");
    ::signal(SIGPIPE, SIG_DFL);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    // Of the signals that a program can name; 32 and 33 are the C library's own.
    constexpr unsigned long long named = 0x7fffffff;
    EXPECT_EQ(std::stoull(blocked_out.out, nullptr, 16) & named, 0U);
    EXPECT_EQ(std::stoull(ignored_out.out, nullptr, 16) & named, 0U);
}

TEST(SpawnTest, TheChildLeadsItsOwnProcessGroup) {
    auto child = spawn({.argv = {"/bin/sleep", "60"}});
    ASSERT_TRUE(child);
    EXPECT_EQ(::getpgid(child->pid()), child->pid());
}

TEST(SpawnTest, SaysWhyAProgramCannotBeStarted) {
    EXPECT_EQ(spawn({}).error().code, Code::invalid);
    EXPECT_EQ(spawn({.argv = {"/no/such/program"}}).error().code, Code::not_found);
    EXPECT_EQ(spawn({.argv = {"no-such-program-at-all"}}).error().code, Code::not_found);
    const auto denied = spawn({.argv = {"/etc/passwd"}});
    EXPECT_EQ(denied.error().code, Code::denied);
    EXPECT_EQ(denied.error().message, "/etc/passwd: Permission denied");
}

TEST(SpawnTest, CancelEndsTheWholeGroup) {
    const int cancel = ::eventfd(0, EFD_CLOEXEC);
    Pipe pipe;
    // The grandchild holds the pipe: its end shows that it has ended too.
    auto child = spawn({.argv = {"/bin/sh", "-c", "sleep 60 & echo up; wait"}, .out = pipe.write});
    ASSERT_TRUE(child);
    char text[3];
    ASSERT_EQ(::read(pipe.read, text, sizeof text), 3);
    ASSERT_EQ(::eventfd_write(cancel, 1), 0);
    const auto code = child->wait(cancel, milliseconds(10000));
    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().code, Code::cancelled);
    EXPECT_EQ(pipe.read_to_end(), "");
    ::close(cancel);
}

TEST(SpawnTest, CancelKillsAfterTheGrace) {
    const int cancel = ::eventfd(1, EFD_CLOEXEC);
    Pipe pipe;
    auto child =
        spawn({.argv = {"/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 60; done"},
               .out = pipe.write});
    ASSERT_TRUE(child);
    char text[3];
    ASSERT_EQ(::read(pipe.read, text, sizeof text), 3);
    const auto start = std::chrono::steady_clock::now();
    const auto code = child->wait(cancel, milliseconds(50));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
    EXPECT_EQ(code.error().code, Code::cancelled);
    ::close(cancel);
}

TEST(SpawnTest, AChildThatNobodyWaitsForIsKilledAndReaped) {
    pid_t pid = -1;
    {
        auto child = spawn({.argv = {"/bin/sleep", "60"}});
        ASSERT_TRUE(child);
        pid = child->pid();
    }
    EXPECT_EQ(::waitpid(pid, nullptr, 0), -1);
    EXPECT_EQ(::kill(pid, 0), -1);
}

}  // namespace
}  // namespace alca
