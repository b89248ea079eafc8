#include "core/os/signals.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace alca::os {
namespace {

bool is_readable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
}

// Signals of this process; the mask comes back at the end of each test.
class SignalsTest : public testing::Test {
  protected:
    void SetUp() override { ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_); }
    void TearDown() override { ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr); }

  private:
    sigset_t mask_{};
};

TEST_F(SignalsTest, ABlockedSignalIsReadFromTheDescriptor) {
    const auto signals = SignalFd::block({SIGUSR1, SIGWINCH});
    ASSERT_TRUE(signals) << signals.error().message;
    EXPECT_FALSE(is_readable(signals->fd()));

    ASSERT_EQ(::raise(SIGUSR1), 0);

    EXPECT_TRUE(is_readable(signals->fd()));
    EXPECT_EQ(signals->take(), SIGUSR1);
    EXPECT_EQ(signals->take(), std::nullopt);
}

TEST_F(SignalsTest, NothingPendingIsNothingAndIsNotWaitedFor) {
    const auto signals = SignalFd::block({SIGUSR1});
    ASSERT_TRUE(signals);

    EXPECT_EQ(signals->take(), std::nullopt);
}

TEST_F(SignalsTest, EachPendingSignalIsTakenOnce) {
    const auto signals = SignalFd::block({SIGUSR1, SIGUSR2});
    ASSERT_TRUE(signals);
    ::raise(SIGUSR2);
    ::raise(SIGUSR1);

    EXPECT_EQ(signals->take(), SIGUSR1);
    EXPECT_EQ(signals->take(), SIGUSR2);
    EXPECT_EQ(signals->take(), std::nullopt);
}

TEST_F(SignalsTest, TheDescriptorIsNotInherited) {
    const auto signals = SignalFd::block({SIGUSR1});
    ASSERT_TRUE(signals);

    EXPECT_EQ(::fcntl(signals->fd(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

}  // namespace
}  // namespace alca::os
