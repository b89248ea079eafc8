#include "core/flow/run_way.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/flow/run_socket.hpp"
#include "core/flow/sandbox_process.hpp"
#include "core/os/file.hpp"
#include "support.hpp"

namespace alca::flow {
namespace {

using testing::HasSubstr;

// This process stands for process 1 of a sandbox without rules, and listens.
class RunWayTest : public FlowTest {
  protected:
    RunWayTest() {
        sandbox_state.project_id = "00000000-0000-4000-8000-000000000000";
        sandbox_state.phase = project::Phase::ready;
        sandbox_state.firewall.policy = "open";
        const std::string group = os::read_file("/proc/self/cgroup", 1 << 16).value();
        sandbox_state.container_id = group.substr(0, group.find('\n'));
        sandbox_state.process = look_at_process(::getpid(), sandbox_state.container_id);
        EXPECT_NE(sandbox_state.process.pid, 0);

        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const fs::path directory = make_run_directory(host, sandbox_state).value();
        const fs::path before = fs::current_path();
        fs::current_path(directory);  // its path may be longer than an address
        std::string_view(kRunSocket).copy(static_cast<char*>(address.sun_path), 100);
        EXPECT_EQ(
            ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(listener.get(), 8), 0);
        fs::current_path(before);
    }

    [[nodiscard]] RunWay way() const { return look_at_run_way(host, sandbox_state); }

    project::State sandbox_state;
    os::Fd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

TEST_F(RunWayTest, WhatIsAsUpLeftItIsReachedBySocketAlone) {
    EXPECT_TRUE(way().by_socket);
    EXPECT_EQ(way().reason, "");
    EXPECT_EQ(describe(way()), "by the socket of the sandbox");
}

TEST_F(RunWayTest, RulesThatAreNotKnownAreAskedForFirst) {
    sandbox_state.firewall.settled = false;
    EXPECT_TRUE(way().by_socket);
    EXPECT_THAT(way().reason, HasSubstr("was not finished"));
    EXPECT_THAT(describe(way()), HasSubstr("after the engine was asked: a change of the network"));

    sandbox_state.firewall.settled = true;
    sandbox_state.firewall.policy = "internet";
    EXPECT_THAT(way().reason, HasSubstr("has no network rules"));
    sandbox_state.allow_unprotected = true;
    EXPECT_EQ(way().reason, "");
}

TEST_F(RunWayTest, ASandboxThatIsNotReadyIsAskedFor) {
    sandbox_state.phase = project::Phase::created;
    EXPECT_THAT(why_engine_is_asked(host, sandbox_state), HasSubstr("not ready"));
}

TEST_F(RunWayTest, AnotherProcessMeansTheEngine) {
    sandbox_state.process.started += 1;
    EXPECT_FALSE(way().by_socket);
    EXPECT_THAT(way().reason, HasSubstr("not the one that `alca up` verified"));
    sandbox_state.process = {};
    EXPECT_FALSE(way().by_socket);
    EXPECT_THAT(way().reason, HasSubstr("not to be seen from here"));
}

TEST_F(RunWayTest, ASocketThatNobodyServesMeansTheEngine) {
    listener.reset();
    EXPECT_FALSE(way().by_socket);
    EXPECT_THAT(describe(way()), HasSubstr("through the engine: "));
}

TEST_F(RunWayTest, WhoChoosesTheEngineHasIt) {
    host.environment["ALCA_RUN_BY"] = "engine";
    EXPECT_FALSE(way().by_socket);
    EXPECT_THAT(way().reason, HasSubstr("ALCA_RUN_BY"));
}

}  // namespace
}  // namespace alca::flow
