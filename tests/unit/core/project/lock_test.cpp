#include "core/project/lock.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "support.hpp"

namespace alca::project {
namespace {

using testing::HasSubstr;

// A child process that holds the lock of `path` until it is killed.
class Holder {
  public:
    Holder(const Store& store, const fs::path& path) {
        std::array<int, 2> ready{};
        if (::pipe2(ready.data(), O_CLOEXEC) != 0) return;
        child_ = ::fork();
        if (child_ == 0) {
            const auto lock = ProjectLock::acquire(store, path, {});
            const char answer = lock ? 'y' : 'n';
            if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
            while (true) ::pause();
        }
        char answer = 'n';
        ok_ = ::read(ready[0], &answer, 1) == 1 && answer == 'y';
        ::close(ready[0]);
        ::close(ready[1]);
    }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    ~Holder() { kill(); }

    [[nodiscard]] bool ok() const { return ok_; }
    void kill() {
        if (child_ <= 0) return;
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
        child_ = -1;
    }

  private:
    pid_t child_ = -1;
    bool ok_ = false;
};

using LockTest = ProjectTest;

TEST_F(LockTest, FreeLockIsTakenWithoutAMessage) {
    bool waited = false;
    EXPECT_TRUE(ProjectLock::acquire(store(), project(), {true, -1, [&] { waited = true; }}));
    EXPECT_FALSE(waited);
    EXPECT_EQ(mode(store().lock_file(project())), 0600U);
}

TEST_F(LockTest, HeldLockFailsAtOnceWhenNotWaiting) {
    const Holder holder(store(), project());
    ASSERT_TRUE(holder.ok());
    const auto lock = ProjectLock::acquire(store(), project(), {false, -1, {}});
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().code, Code::unavailable);
    EXPECT_THAT(lock.error().message, HasSubstr("another alca is at work on this project"));
}

TEST_F(LockTest, LocksOfOtherProjectsDoNotMatter) {
    const Holder holder(store(), project());
    ASSERT_TRUE(holder.ok());
    EXPECT_TRUE(ProjectLock::acquire(store(), base() / "other", {false, -1, {}}));
}

TEST_F(LockTest, WaitingSaysSoOnceAndEndsWhenTheHolderIsKilled) {
    Holder holder(store(), project());
    ASSERT_TRUE(holder.ok());
    int messages = 0;
    const auto lock = ProjectLock::acquire(store(), project(), {true, -1, [&] {
                                                                    ++messages;
                                                                    holder.kill();
                                                                }});
    EXPECT_TRUE(lock);
    EXPECT_EQ(messages, 1);
}

TEST_F(LockTest, WaitingEndsWhenItIsCancelled) {
    const Holder holder(store(), project());
    ASSERT_TRUE(holder.ok());
    std::array<int, 2> cancel{};
    ASSERT_EQ(::pipe2(cancel.data(), O_CLOEXEC), 0);
    const auto lock = ProjectLock::acquire(
        store(), project(), {true, cancel[0], [&] { EXPECT_EQ(::write(cancel[1], "x", 1), 1); }});
    ::close(cancel[0]);
    ::close(cancel[1]);
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().code, Code::cancelled);
}

TEST_F(LockTest, LockEndsWithTheObject) {
    {
        ASSERT_TRUE(ProjectLock::acquire(store(), project(), {}));
    }
    EXPECT_TRUE(ProjectLock::acquire(store(), project(), {false, -1, {}}));
}

TEST_F(LockTest, SymlinkInPlaceOfTheFileIsRefused) {
    ASSERT_TRUE(store().prepare());
    fs::create_symlink(base() / "target", store().lock_file(project()));
    const auto lock = ProjectLock::acquire(store(), project(), {});
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().code, Code::invalid);
    EXPECT_FALSE(fs::exists(base() / "target"));
}

}  // namespace
}  // namespace alca::project
