#include "core/os/terminal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>

#include <optional>

#include "core/os/fd.hpp"

namespace alca::os {
namespace {

class TerminalTest : public testing::Test {
  protected:
    TerminalTest() {
        int master = -1;
        int slave = -1;
        EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
        master_.reset(master);
        slave_.reset(slave);
    }
    [[nodiscard]] termios modes() const {
        termios modes{};
        EXPECT_EQ(::tcgetattr(slave_.get(), &modes), 0);
        return modes;
    }
    void resize(unsigned short rows, unsigned short columns) const {
        const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
        EXPECT_EQ(::ioctl(master_.get(), TIOCSWINSZ, &size), 0);
    }
    static bool is_raw(const termios& modes) {
        return (modes.c_lflag & (ICANON | ECHO | ISIG)) == 0 && (modes.c_oflag & OPOST) == 0;
    }
    static bool is_cooked(const termios& modes) {
        return (modes.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG) &&
               (modes.c_oflag & OPOST) != 0;
    }

    Fd master_;
    Fd slave_;
};

TEST_F(TerminalTest, IsRawForTheLifeOfTheObjectAndThenAsItWas) {
    ASSERT_TRUE(is_cooked(modes()));
    {
        const auto raw = RawTerminal::enter(slave_.get());
        ASSERT_TRUE(raw) << raw.error().message;
        EXPECT_TRUE(is_raw(modes()));
        EXPECT_TRUE(is_cooked(raw->saved()));
    }
    EXPECT_TRUE(is_cooked(modes()));
}

TEST_F(TerminalTest, AMovedFromObjectRestoresNothing) {
    std::optional<RawTerminal> kept;
    {
        auto raw = RawTerminal::enter(slave_.get());
        ASSERT_TRUE(raw);
        kept.emplace(std::move(*raw));
    }
    EXPECT_TRUE(is_raw(modes()));

    kept.reset();
    EXPECT_TRUE(is_cooked(modes()));
}

TEST_F(TerminalTest, WhatIsNoTerminalCannotBeRaw) {
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));

    const auto raw = RawTerminal::enter(null.get());

    ASSERT_FALSE(raw);
    EXPECT_EQ(raw.error().code, Code::failed);
}

TEST_F(TerminalTest, KnowsItsSizeAndEachNewOne) {
    resize(24, 80);
    EXPECT_EQ(window_size(slave_.get()), (WindowSize{.rows = 24, .cols = 80}));

    resize(50, 300);
    EXPECT_EQ(window_size(slave_.get()), (WindowSize{.rows = 50, .cols = 300}));
}

TEST_F(TerminalTest, ASizeOfZeroIsNotKnown) {
    resize(0, 80);
    EXPECT_EQ(window_size(slave_.get()), std::nullopt);

    resize(24, 0);
    EXPECT_EQ(window_size(slave_.get()), std::nullopt);
}

TEST_F(TerminalTest, WhatIsNoTerminalHasNoSize) {
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));

    EXPECT_EQ(window_size(null.get()), std::nullopt);
    EXPECT_EQ(window_size(-1), std::nullopt);
}

}  // namespace
}  // namespace alca::os
