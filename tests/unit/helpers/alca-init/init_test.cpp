// PID 1, in a PID namespace of its own.

#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "program.hpp"

namespace alca::init::testing {
namespace {

namespace fs = std::filesystem;

std::string read_text(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<pid_t> children_of(pid_t pid) {
    const std::string id = std::to_string(pid);
    return parse_pids(read_text("/proc/" + id + "/task/" + id + "/children"));
}

// Value in KiB of a line of /proc/PID/status.
long status_kib(pid_t pid, const std::string& field) {
    const std::string status = read_text("/proc/" + std::to_string(pid) + "/status");
    const std::size_t at = status.find(field + ":");
    return at == std::string::npos ? -1 : std::stol(status.substr(at + field.size() + 1));
}

class InitTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root to make a PID namespace";
    }

    static std::vector<std::string> command(std::vector<std::string> options = {}) {
        std::vector<std::string> words = {"unshare",         "-pf", "--kill-child", "--mount-proc",
                                          ALCA_INIT_PROGRAM, "init"};
        words.insert(words.end(), options.begin(), options.end());
        return words;
    }
    // The pid of PID 1 as seen from here, once it serves: it then has blocked all signals.
    static pid_t wait_for_init(const Program& program) {
        pid_t pid = -1;
        EXPECT_TRUE(holds_soon([&] {
            const std::vector<pid_t> children = children_of(program.pid());
            if (children.empty()) return false;
            pid = children[0];
            const std::string status = read_text("/proc/" + std::to_string(pid) + "/status");
            return status.starts_with("Name:\talca-init") &&
                   status.find("State:\tS") != std::string::npos;
        }));
        return pid;
    }
    // A shell beside PID 1, as an engine's exec puts it there: its parent is outside.
    static std::vector<std::string> inside(pid_t init, const std::string& script) {
        return {"nsenter", "-t", std::to_string(init), "-p", "-m", "sh", "-c", script};
    }
};

TEST_F(InitTest, TermFromOutsideEndsItWith143) {
    Program program(command());
    ::kill(wait_for_init(program), SIGTERM);
    EXPECT_EQ(program.finish().exit_code, 143);
}

TEST_F(InitTest, IntFromOutsideEndsItWith130) {
    Program program(command());
    ::kill(wait_for_init(program), SIGINT);
    EXPECT_EQ(program.finish().exit_code, 130);
}

TEST_F(InitTest, SignalsFromInsideDoNot) {
    Program program(command());
    const pid_t init = wait_for_init(program);
    Program killer(
        inside(init, "for s in TERM INT HUP QUIT USR1 KILL STOP; do kill -$s 1; done; echo sent"));
    EXPECT_EQ(killer.finish().out, "sent\n");
    // It still reaps, so it still runs, and took what was sent before.
    Program orphan(inside(init, "(sleep 0.1 & echo $!)"));
    EXPECT_EQ(orphan.finish().exit_code, 0);
    EXPECT_TRUE(holds_soon([&] { return children_of(init).empty(); }));
    ::kill(init, SIGTERM);
    EXPECT_EQ(program.finish().exit_code, 143);
}

// Sends TERM to PID 1 of `init`'s namespace with a sender number of 0 written into it. Returns what
// the system call returned: 0 or errno.
int forge_term(pid_t init, int code) {
    const pid_t child = ::fork();
    if (child == 0) {
        const std::string path = "/proc/" + std::to_string(init) + "/ns/pid";
        const int space = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (::setns(space, CLONE_NEWPID) != 0) ::_exit(99);
        const pid_t inner = ::fork();
        if (inner == 0) {
            siginfo_t info{};
            info.si_signo = SIGTERM;
            info.si_code = code;
            info.si_pid = 0;
            ::_exit(::syscall(SYS_rt_sigqueueinfo, 1, SIGTERM, &info) == 0 ? 0 : errno);
        }
        int status = 0;
        ::waitpid(inner, &status, 0);
        ::_exit(WEXITSTATUS(status));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

TEST_F(InitTest, ForgedSenderFromInsideDoesNot) {
    Program program(command());
    const pid_t init = wait_for_init(program);
    EXPECT_EQ(forge_term(init, SI_QUEUE), 0);
    EXPECT_EQ(forge_term(init, SI_USER), EPERM);
    Program orphan(inside(init, "(sleep 0.1 &)"));
    EXPECT_EQ(orphan.finish().exit_code, 0);
    EXPECT_TRUE(holds_soon([&] { return children_of(init).empty(); }));
    EXPECT_TRUE(is_running(init));
}

TEST_F(InitTest, ReapsManyOrphans) {
    Program program(command());
    const pid_t init = wait_for_init(program);
    Program shell(inside(init, "for i in $(seq 200); do (sleep 0.2 &); done"));
    EXPECT_EQ(shell.finish().exit_code, 0);
    EXPECT_TRUE(holds_soon([&] { return children_of(init).empty(); }));
}

TEST_F(InitTest, EndsAtOnceWhenOthersDo) {
    Program program(command({"--grace-ms", "15000"}));
    const pid_t init = wait_for_init(program);
    Program other(
        inside(init, "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done"));
    other.expect_output("ready");
    const auto start = std::chrono::steady_clock::now();
    ::kill(init, SIGTERM);
    EXPECT_EQ(program.finish().exit_code, 143);
    EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(5000));
    EXPECT_EQ(other.finish().out, "ready\nbye\n");
}

TEST_F(InitTest, EndsStoppedProcesses) {
    Program program(command({"--grace-ms", "15000"}));
    const pid_t init = wait_for_init(program);
    // An orphan of PID 1: nsenter would stop itself together with its child.
    Program other(inside(init, "sleep 60 & kill -STOP $!"));
    EXPECT_EQ(other.finish().exit_code, 0);
    EXPECT_EQ(children_of(init).size(), 1U);
    const auto start = std::chrono::steady_clock::now();
    ::kill(init, SIGTERM);
    EXPECT_EQ(program.finish().exit_code, 143);
    EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(5000));
}

TEST_F(InitTest, KillsWhatIgnoresTermAfterTheGraceTime) {
    Program program(command({"--grace-ms", "400"}));
    const pid_t init = wait_for_init(program);
    Program other(inside(init, "trap '' TERM; echo ready; while :; do sleep 1; done"));
    other.expect_output("ready");
    const auto start = std::chrono::steady_clock::now();
    ::kill(init, SIGTERM);
    EXPECT_EQ(program.finish().exit_code, 143);
    EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(400));
    EXPECT_EQ(other.finish().exit_code, 137);
}

TEST_F(InitTest, NeedsLessThanAMebibyteOfMemory) {
    Program program(command());
    const long resident = status_kib(wait_for_init(program), "VmRSS");
    EXPECT_GT(resident, 0);
    EXPECT_LE(resident, 1024);
}

TEST(InitProgramTest, IsStaticAndSmall) {
    EXPECT_LT(fs::file_size(ALCA_INIT_PROGRAM), 1U << 20U);
    std::ifstream file(ALCA_INIT_PROGRAM, std::ios::binary);
    Elf64_Ehdr head{};
    file.read(reinterpret_cast<char*>(&head), sizeof head);
    std::vector<Elf64_Phdr> segments(head.e_phnum);
    file.seekg(static_cast<std::streamoff>(head.e_phoff));
    for (Elf64_Phdr& segment : segments)
        file.read(reinterpret_cast<char*>(&segment), sizeof segment);
    EXPECT_FALSE(segments.empty());
    for (const Elf64_Phdr& segment : segments) EXPECT_NE(segment.p_type, Elf64_Word{PT_INTERP});
}

TEST(InitProgramTest, RefusesToBeAnythingButPid1) {
    const Output output = Program({ALCA_INIT_PROGRAM, "init"}).finish();
    EXPECT_EQ(output.exit_code, 2);
    EXPECT_EQ(output.err,
              "alca-init: init must be PID 1; start it as the command of a container\n");
}

TEST(InitProgramTest, RefusesWrongUsage) {
    const std::vector<std::vector<std::string>> cases = {
        {},
        {"other"},
        {"init", "--user"},
        {"init", "--user", "0:0:root:/root"},
        {"init", "--user", "1:1:a:/h", "--own", "relative"},
        {"init", "--user", "1:1:a:/h", "--own", "/a/../etc"},
        {"init", "--own", "/data"},
        {"init", "--grace-ms", "-1"},
        {"init", "--grace-ms", "60001"},
        {"init", "--grace-ms", "1s"},
        {"init", "--what", "1"},
        {"init", "command"},
    };
    for (const std::vector<std::string>& arguments : cases) {
        std::vector<std::string> words = {ALCA_INIT_PROGRAM};
        words.insert(words.end(), arguments.begin(), arguments.end());
        const Output output = Program(words).finish();
        EXPECT_EQ(output.exit_code, 2) << ::testing::PrintToString(arguments);
        EXPECT_FALSE(output.err.empty());
    }
}

// With a directory that stands for an image's root file system.
class InitUserTest : public InitTest {
  protected:
    void SetUp() override {
        InitTest::SetUp();
        if (IsSkipped()) return;
        std::string pattern = ::testing::TempDir() + "alca-init-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
        fs::copy_file(ALCA_INIT_PROGRAM, root_ / "alca-init");
    }
    void TearDown() override {
        if (!root_.empty()) fs::remove_all(root_);
    }

    [[nodiscard]] std::vector<std::string> read_only_command() const {
        const std::string script = R"(mount --bind "$0" "$0"
            mount -o remount,bind,ro "$0"
            exec unshare -pf --kill-child --root="$0" /alca-init init --user 4001:4002:agent:/home/agent)";
        return {"unshare", "-m", "sh", "-ec", script, root_.string()};
    }

    fs::path root_;
};

TEST_F(InitUserTest, PreparesTheUserBeforeItServes) {
    Program program({"unshare", "-pf", "--kill-child", "--root=" + root_.string(), "/alca-init",
                     "init", "--user", "4001:4002:agent:/home/agent", "--own", "/data"});
    const pid_t init = wait_for_init(program);
    struct stat status{};
    ASSERT_EQ(::stat((root_ / "home/agent").c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 4001U);
    EXPECT_EQ(status.st_gid, 4002U);
    ASSERT_EQ(::stat((root_ / "data").c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 4001U);
    EXPECT_EQ(read_text(root_ / "etc/passwd"), "agent:x:4001:4002::/home/agent:/bin/sh\n");
    ::kill(init, SIGTERM);
    EXPECT_EQ(program.finish().exit_code, 143);
}

TEST_F(InitUserTest, ReadOnlyImageIsAnError) {
    Program program(read_only_command());
    const Output output = program.finish();
    EXPECT_EQ(output.exit_code, 1);
    EXPECT_EQ(
        output.err,
        "alca-init: cannot add a line to /etc/passwd: read-only file system; add the user in the "
        "image or make the root file system writable\n");
}

TEST_F(InitUserTest, ReadOnlyImageThatHasTheUserIsEnough) {
    fs::create_directories(root_ / "etc");
    fs::create_directories(root_ / "home/agent");
    ASSERT_EQ(::chown((root_ / "home/agent").c_str(), 4001, 4002), 0);
    std::ofstream(root_ / "etc/passwd") << "agent:x:4001:4002::/home/agent:/bin/sh\n";
    std::ofstream(root_ / "etc/group") << "agent:x:4002:\n";
    Program program(read_only_command());
    ::kill(wait_for_init(program), SIGTERM);
    EXPECT_EQ(program.finish().exit_code, 143);
}

}  // namespace
}  // namespace alca::init::testing
