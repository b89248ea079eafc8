#include "core/os/interrupt.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>

namespace alca::os {
namespace {

constexpr int kPatienceMs = 10'000;
constexpr unsigned kPatienceSeconds = 20;

bool becomes_readable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, kPatienceMs) == 1;
}

bool is_readable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
}

// Runs `body` in a child, which has signals of its own. Returns its wait status.
int in_child(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(kPatienceSeconds);  // a child that hangs ends, and its test fails
        ::_exit(body());
    }
    int status = -1;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

class InterruptTest : public testing::TestWithParam<int> {};

TEST_P(InterruptTest, TheFirstSignalCancelsAndStaysReadable) {
    const int status = in_child([] {
        const auto interrupt = Interrupt::watch();
        if (!interrupt || is_readable(interrupt->cancel_fd())) return 1;
        ::kill(::getpid(), GetParam());
        if (!becomes_readable(interrupt->cancel_fd())) return 2;
        return is_readable(interrupt->cancel_fd()) ? 0 : 3;
    });

    ASSERT_TRUE(WIFEXITED(status)) << status;
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_P(InterruptTest, TheSecondSignalEndsTheProcess) {
    const int status = in_child([] {
        const auto interrupt = Interrupt::watch();
        if (!interrupt) return 1;
        ::kill(::getpid(), GetParam());
        if (!becomes_readable(interrupt->cancel_fd())) return 2;
        ::kill(::getpid(), GetParam());
        while (true) ::pause();
    });

    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    EXPECT_EQ(WTERMSIG(status), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Signals, InterruptTest, testing::Values(SIGINT, SIGTERM, SIGHUP),
                         [](const auto& signal) {
                             return std::string(sigabbrev_np(signal.param));
                         });

TEST(InterruptEndTest, WithoutASignalTheWatchEndsWithItsObject) {
    const int status = in_child([] {
        auto interrupt = Interrupt::watch();
        return interrupt ? 0 : 1;
    });

    ASSERT_TRUE(WIFEXITED(status)) << status;
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(InterruptEndTest, AfterASignalTheWatchEndsWithItsObject) {
    const int status = in_child([] {
        auto interrupt = Interrupt::watch();
        if (!interrupt) return 1;
        ::kill(::getpid(), SIGINT);
        return becomes_readable(interrupt->cancel_fd()) ? 0 : 2;
    });

    ASSERT_TRUE(WIFEXITED(status)) << status;
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(InterruptEndTest, TheDescriptorIsNotInherited) {
    const int status = in_child([] {
        const auto interrupt = Interrupt::watch();
        if (!interrupt) return 1;
        return (::fcntl(interrupt->cancel_fd(), F_GETFD) & FD_CLOEXEC) != 0 ? 0 : 2;
    });

    ASSERT_TRUE(WIFEXITED(status)) << status;
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace alca::os
