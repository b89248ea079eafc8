// The directory that a sandbox can write: what may stand there in the socket's place.
#include "core/flow/run_socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>

#include "support.hpp"

namespace alca::flow {
namespace {

class RunSocketTest : public FlowTest {
  protected:
    RunSocketTest() {
        sandbox_state.project_id = "00000000-0000-4000-8000-000000000000";
        sandbox_state.process.pid = ::getpid();
        directory = make_run_directory(host, sandbox_state).value();
    }

    // This process listens at `name` in the directory, whatever the length of its path.
    os::Fd listen(const std::string& name) {
        os::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const fs::path before = fs::current_path();
        fs::current_path(directory);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
        EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
                  0);
        EXPECT_EQ(::listen(socket.get(), 1), 0);
        fs::current_path(before);
        return socket;
    }
    [[nodiscard]] bool connects() const { return connect_to_init(host, sandbox_state).has_value(); }

    project::State sandbox_state;
    fs::path directory;
};

TEST_F(RunSocketTest, TheProcessThatIsKnownIsReached) {
    EXPECT_FALSE(connects());
    const os::Fd listener = listen(kRunSocket);
    EXPECT_TRUE(connects());
}

TEST_F(RunSocketTest, AnotherProcessIsNot) {
    const os::Fd listener = listen(kRunSocket);
    sandbox_state.process.pid = 1;
    EXPECT_FALSE(connects());
}

TEST_F(RunSocketTest, NoLinkIsFollowedToASocket) {
    const os::Fd listener = listen("elsewhere");
    fs::create_symlink("elsewhere", directory / kRunSocket);
    EXPECT_FALSE(connects());
    fs::remove(directory / kRunSocket);
    fs::rename(directory / "elsewhere", directory / kRunSocket);
    ASSERT_TRUE(connects());

    const fs::path moved = directory.string() + "-moved";
    fs::rename(directory, moved);
    fs::create_symlink(moved, directory);
    EXPECT_FALSE(connects());
}

TEST_F(RunSocketTest, WhatIsNoSocketIsRefused) {
    std::ofstream(directory / kRunSocket) << "x";
    EXPECT_EQ(connect_to_init(host, sandbox_state).error().code, Code::denied);
    fs::remove(directory / kRunSocket);
    fs::create_directory(directory / kRunSocket);
    EXPECT_EQ(connect_to_init(host, sandbox_state).error().code, Code::denied);
}

TEST_F(RunSocketTest, APathMayBeLongerThanAnAddress) {
    host.state_directory /= std::string(150, 'x');
    directory = make_run_directory(host, sandbox_state).value();
    const os::Fd listener = listen(kRunSocket);
    EXPECT_TRUE(connects());
}

TEST_F(RunSocketTest, OnlyTheUserMayEnterAndNothingIsLeft) {
    EXPECT_EQ(fs::status(directory).permissions(), fs::perms::owner_all);
    fs::create_directories(directory / "a" / "b");
    std::ofstream(directory / "a" / "file") << "x";
    EXPECT_TRUE(remove_run_directory(host, sandbox_state));
    EXPECT_TRUE(fs::is_empty(directory.parent_path()));
    EXPECT_TRUE(remove_run_directory(host, sandbox_state));
}

}  // namespace
}  // namespace alca::flow
