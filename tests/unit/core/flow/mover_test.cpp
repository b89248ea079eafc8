#include "core/flow/mover.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>

#include <array>
#include <cerrno>
#include <string>
#include <thread>

#include "core/os/file.hpp"
#include "tests/support/fakes/temporary_project.hpp"

namespace alca::flow {
namespace {

struct Pipe {
    explicit Pipe(int flags = 0) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | flags), 0);
        read.reset(ends[0]);
        write.reset(ends[1]);
    }
    os::Fd read;
    os::Fd write;
};

class MoverTest : public testing::Test {
  protected:
    MoverTest() { ::signal(SIGPIPE, SIG_IGN); }
    fakes::TemporaryProject project;
    Pipe source{O_NONBLOCK};
    std::string file = (project.path() / "out").string();

    [[nodiscard]] std::string content() const { return os::read_file(file, 1 << 24).value(); }
};

TEST_F(MoverTest, MovesToAFileAndClosesAtTheEnd) {
    const os::Fd target(::open(file.c_str(), O_WRONLY | O_CREAT, 0600));
    ASSERT_TRUE(os::write_all(source.write.get(), "bytes"));
    Mover mover(std::move(source.read), target.get());
    mover.move();
    EXPECT_EQ(content(), "bytes");
    EXPECT_TRUE(mover.is_open());
    EXPECT_FALSE(mover.is_blocked());
    source.write.reset();
    mover.move();
    EXPECT_FALSE(mover.is_open());
    EXPECT_EQ(mover.entry().fd, -1);
}

TEST_F(MoverTest, AFileThatIsAppendedToGetsCopies) {
    ASSERT_TRUE(os::write_file_atomic(file, "old ", 0600));
    const os::Fd target(::open(file.c_str(), O_WRONLY | O_APPEND));
    ASSERT_TRUE(os::write_all(source.write.get(), "new"));
    Mover mover(std::move(source.read), target.get());
    mover.move();
    EXPECT_EQ(content(), "old new");
}

TEST_F(MoverTest, AFullTargetIsWaitedForAndNothingIsLost) {
    Pipe target;
    std::string sent(1 << 20, 'x');
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i % 251);
    Mover mover(std::move(source.read), target.write.get());
    std::thread writer([&] {
        ::fcntl(source.write.get(), F_SETFL, 0);
        static_cast<void>(os::write_all(source.write.get(), sent));
        source.write.reset();
    });
    bool was_blocked = false;
    std::string received;
    while (mover.is_open()) {
        mover.move();
        if (mover.is_blocked()) {
            was_blocked = true;
            EXPECT_EQ(mover.entry().fd, target.write.get());
            std::array<char, 65536> buffer{};
            const ssize_t count = ::read(target.read.get(), buffer.data(), buffer.size());
            ASSERT_GT(count, 0);
            received.append(buffer.data(), static_cast<std::size_t>(count));
        }
    }
    writer.join();
    target.write.reset();
    std::array<char, 65536> buffer{};
    while (true) {
        const ssize_t count = ::read(target.read.get(), buffer.data(), buffer.size());
        if (count <= 0) break;
        received.append(buffer.data(), static_cast<std::size_t>(count));
    }
    EXPECT_TRUE(was_blocked);
    EXPECT_EQ(received, sent);
}

TEST_F(MoverTest, AReaderThatHasGoneClosesThePipe) {
    Pipe target;
    target.read.reset();
    ASSERT_TRUE(os::write_all(source.write.get(), "bytes"));
    Mover mover(std::move(source.read), target.write.get());
    mover.move();
    EXPECT_FALSE(mover.is_open());
    EXPECT_FALSE(os::write_all(source.write.get(), "more"));
    EXPECT_EQ(mover.error(), 0) << "nobody wants it any more";
}

TEST_F(MoverTest, ATargetThatIsFullIsAnError) {
    for (const int flags : {0, O_APPEND}) {
        Pipe full_source{O_NONBLOCK};
        const os::Fd target(::open("/dev/full", O_WRONLY | flags));
        ASSERT_TRUE(os::write_all(full_source.write.get(), "bytes"));
        Mover mover(std::move(full_source.read), target.get());
        mover.move();
        EXPECT_FALSE(mover.is_open());
        EXPECT_EQ(mover.error(), ENOSPC);
    }
}

TEST_F(MoverTest, AWatchedTargetGetsTheSameBytesAndTheModesAreKnown) {
    const os::Fd target(::open(file.c_str(), O_WRONLY | O_CREAT, 0600));
    os::TerminalModes modes;
    Mover mover(std::move(source.read), target.get());
    mover.watch(modes);
    for (const std::string_view part : {"text\x1b[?10", "49h"}) {
        ASSERT_TRUE(os::write_all(source.write.get(), part));
        mover.move();
    }
    EXPECT_EQ(content(), "text\x1b[?1049h");
    EXPECT_EQ(modes.reset().view(), "\x1b[?1049l\x1b[m");
}

TEST_F(MoverTest, ATerminalThatTakesNothingIsNotWaitedForAndNothingIsLost) {
    int master = -1;
    int slave = -1;
    ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
    const os::Fd reader(master);
    const os::Fd terminal(slave);
    ::fcntl(reader.get(), F_SETFL, O_NONBLOCK);
    os::TerminalModes modes;
    Mover mover(std::move(source.read), terminal.get());
    mover.watch(modes);
    const std::string sent(50'000, 'x');
    ASSERT_TRUE(os::write_all(source.write.get(), sent));
    source.write.reset();
    mover.move();
    EXPECT_TRUE(mover.is_blocked());
    EXPECT_EQ(::fcntl(terminal.get(), F_GETFL) & O_NONBLOCK, 0);
    std::string received;
    std::array<char, 4096> buffer{};
    while (received.size() < sent.size()) {
        mover.move();
        const ssize_t count = ::read(reader.get(), buffer.data(), buffer.size());
        if (count > 0) received.append(buffer.data(), static_cast<std::size_t>(count));
    }
    EXPECT_EQ(received, sent);
}

TEST_F(MoverTest, WhatATargetDidNotTakeIsNoModeOfIt) {
    const os::Fd target(::open("/dev/full", O_WRONLY));
    os::TerminalModes modes;
    Mover mover(std::move(source.read), target.get());
    mover.watch(modes);
    ASSERT_TRUE(os::write_all(source.write.get(), "\x1b[?1049h"));
    mover.move();
    EXPECT_EQ(mover.error(), ENOSPC);
    EXPECT_EQ(modes.reset().view(), "");
}

TEST_F(MoverTest, WithoutATargetBytesAreThrownAway) {
    ASSERT_TRUE(os::write_all(source.write.get(), "bytes"));
    Mover mover(std::move(source.read), -1);
    mover.move();
    EXPECT_TRUE(mover.is_open());
    EXPECT_EQ(mover.waiting(), 0U);
}

// Both ends, and only for a stream that is worth it.
TEST_F(MoverTest, PipesOfALongStreamAreMadeWider) {
    Pipe target;
    const int narrow = ::fcntl(target.read.get(), F_GETPIPE_SZ);
    const int from = source.read.get();
    Mover mover(std::move(source.read), target.write.get());
    const std::string part(std::size_t{16} << 10, 'x');
    std::string taken(part.size(), '\0');
    for (int i = 0; i < 17; ++i) {
        EXPECT_EQ(::fcntl(target.read.get(), F_GETPIPE_SZ), i < 16 ? narrow : 1 << 20) << i;
        ASSERT_TRUE(os::write_all(source.write.get(), part));
        EXPECT_EQ(mover.move(), part.size());
        ASSERT_EQ(::read(target.read.get(), taken.data(), taken.size()), std::ssize(part));
    }
    EXPECT_EQ(::fcntl(from, F_GETPIPE_SZ), 1 << 20);
}

}  // namespace
}  // namespace alca::flow
