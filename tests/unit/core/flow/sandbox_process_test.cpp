#include "core/flow/sandbox_process.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/os/file.hpp"

namespace alca::flow {
namespace {

// What the control group of this process is called: stands for a container's id.
std::string own_group() {
    std::string text = os::read_file("/proc/self/cgroup", 1 << 16).value();
    text.erase(text.find_last_not_of('\n') + 1);
    return text.substr(text.rfind(':') + 1);
}

TEST(SandboxProcessTest, AProcessIsKnownByStartAndInterfaces) {
    const auto process = look_at_process(::getpid(), own_group());
    EXPECT_EQ(process.pid, ::getpid());
    EXPECT_GT(process.started, 0U);
    EXPECT_THAT(process.interfaces, testing::Contains("lo"));
    EXPECT_TRUE(std::is_sorted(process.interfaces.begin(), process.interfaces.end()));
}

TEST(SandboxProcessTest, AProcessOfAnotherContainerIsNobody) {
    EXPECT_EQ(look_at_process(::getpid(), "0123456789abcdef").pid, 0);
    EXPECT_EQ(look_at_process(::getpid(), "").pid, 0);
    EXPECT_EQ(look_at_process(0, own_group()).pid, 0);
}

TEST(SandboxProcessTest, AChangedOrEndedProcessIsNotUnchanged) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }
    project::State state;
    state.container_id = own_group();
    state.process = look_at_process(child, state.container_id);
    EXPECT_TRUE(is_running_unchanged(state));
    project::State other = state;
    other.process.interfaces.emplace_back("eth1");
    EXPECT_FALSE(is_running_unchanged(other));
    other = state;
    ++other.process.started;
    EXPECT_FALSE(is_running_unchanged(other));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_FALSE(is_running_unchanged(state));
    EXPECT_FALSE(is_running_unchanged(project::State()));
}

}  // namespace
}  // namespace alca::flow
