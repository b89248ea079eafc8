#include "core/os/crash.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "core/os/fd.hpp"

namespace alca::os {
namespace {

TEST(BreadcrumbTest, NamesTheInnermostPlugin) {
    Breadcrumb breadcrumb;
    EXPECT_EQ(breadcrumb.plugin(), nullptr);
    {
        const Breadcrumb::Scope outer(breadcrumb, "outer");
        {
            const Breadcrumb::Scope inner(breadcrumb, "inner");
            EXPECT_STREQ(breadcrumb.plugin(), "inner");
        }
        EXPECT_STREQ(breadcrumb.plugin(), "outer");
    }
    EXPECT_EQ(breadcrumb.plugin(), nullptr);
}

TEST(BreadcrumbTest, EachThreadHasItsOwn) {
    Breadcrumb breadcrumb;
    const Breadcrumb::Scope scope(breadcrumb, "main");
    std::string other;
    std::jthread([&] {
        const Breadcrumb::Scope inner(breadcrumb, "thread");
        other = breadcrumb.plugin();
    }).join();
    EXPECT_EQ(other, "thread");
    EXPECT_STREQ(breadcrumb.plugin(), "main");
}

TEST(BreadcrumbTest, AThreadOfThePluginsOwnIsBlamedOnIt) {
    Breadcrumb breadcrumb;
    const Breadcrumb::Scope scope(breadcrumb, "main");
    std::string seen;
    std::jthread([&] { seen = breadcrumb.plugin(); }).join();
    EXPECT_EQ(seen, "main");
}

TEST(BreadcrumbTest, MoreThreadsThanSlotsAreHarmless) {
    Breadcrumb breadcrumb;
    std::array<std::jthread, 40> threads;
    for (std::jthread& thread : threads) {
        thread = std::jthread([&] {
            for (int i = 0; i < 100; ++i) const Breadcrumb::Scope scope(breadcrumb, "x");
        });
    }
    for (std::jthread& thread : threads) thread.join();
    EXPECT_EQ(breadcrumb.plugin(), nullptr);
}

void no_core_file() {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
}

TEST(CrashHandlerTest, ACrashOutsideOfPluginsNamesNone) {
    EXPECT_EXIT(
        {
            no_core_file();
            const Breadcrumb breadcrumb;
            const TerminalState terminal;
            const CrashHandler handler(breadcrumb, terminal);
            std::abort();
        },
        ::testing::KilledBySignal(SIGABRT), "^alca: crashed \\(SIGABRT\\); run the command again");
}

// A pseudo-terminal keeps its mode when the process that set it dies.
TEST(CrashHandlerTest, RestoresTheTerminal) {
    const Fd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(terminal);
    ASSERT_EQ(::grantpt(terminal.get()), 0);
    ASSERT_EQ(::unlockpt(terminal.get()), 0);
    termios saved{};
    ASSERT_EQ(::tcgetattr(terminal.get(), &saved), 0);
    ASSERT_NE(saved.c_lflag & ECHO, 0U);
    termios raw = saved;
    ::cfmakeraw(&raw);
    ASSERT_EQ(::tcsetattr(terminal.get(), TCSANOW, &raw), 0);

    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        no_core_file();
        const Breadcrumb breadcrumb;
        TerminalState state;
        state.fd = terminal.get();
        state.saved = saved;
        state.active = true;
        const CrashHandler handler(breadcrumb, state);
        ::raise(SIGSEGV);
        ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) << status;
    termios after{};
    ASSERT_EQ(::tcgetattr(terminal.get(), &after), 0);
    EXPECT_EQ(after.c_lflag, saved.c_lflag);
}

TEST(CrashHandlerTest, UndoesWhatACommandLeftOn) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const Fd read(ends[0]);
    Fd write(ends[1]);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        no_core_file();
        const Breadcrumb breadcrumb;
        TerminalModes modes;
        TerminalState state;
        state.modes = &modes;
        state.active = true;
        ::dup2(write.get(), STDOUT_FILENO);
        const CrashHandler handler(breadcrumb, state);
        modes.scan("\x1b[?1049h\x1b[?25l");
        ::raise(SIGSEGV);
        ::_exit(0);
    }
    write.reset();
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    std::array<char, 100> bytes{};
    const ssize_t count = ::read(read.get(), bytes.data(), bytes.size());
    ASSERT_GT(count, 0);
    EXPECT_EQ(std::string(bytes.data(), static_cast<std::size_t>(count)),
              "\x1b[?1049l\x1b[?25h\x1b[m");
}

TEST(CrashHandlerTest, IsGoneAfterItsLife) {
    {
        const Breadcrumb breadcrumb;
        const TerminalState terminal;
        const CrashHandler handler(breadcrumb, terminal);
    }
    struct sigaction action{};
    ASSERT_EQ(::sigaction(SIGSEGV, nullptr, &action), 0);
    EXPECT_EQ(action.sa_handler, SIG_DFL);
}

}  // namespace
}  // namespace alca::os
