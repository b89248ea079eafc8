#include "core/flow/sandbox_process.hpp"

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

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

TEST(SandboxProcessTest, ANetworkThatIsJoinedIsSeen) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: a network namespace";
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe(ready.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const char made = ::unshare(CLONE_NEWNET) == 0 ? 1 : 0;
        static_cast<void>(::write(ready[1], &made, 1));
        ::pause();
        ::_exit(0);
    }
    char made = 0;
    ASSERT_EQ(::read(ready[0], &made, 1), 1);
    ASSERT_EQ(made, 1);
    project::State state;
    state.container_id = own_group();
    state.process = look_at_process(child, state.container_id);
    EXPECT_TRUE(is_running_unchanged(state));

    const std::string network = "--net=/proc/" + std::to_string(child) + "/ns/net";
    const pid_t adds = ::fork();
    if (adds == 0) {
        ::execlp("nsenter", "nsenter", network.c_str(), "ip", "link", "add", "eth1", "type", "veth",
                 nullptr);
        ::_exit(127);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(adds, &status, 0), adds);
    ASSERT_EQ(status, 0);
    EXPECT_FALSE(is_running_unchanged(state));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace alca::flow
