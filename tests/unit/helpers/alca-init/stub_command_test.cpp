// How a command is started and what comes back, without a terminal.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>

#include "frames.hpp"
#include "program.hpp"

namespace alca::init::testing {
namespace {

namespace fs = std::filesystem;

TEST(StubCommandTest, ExitCodePasses) {
    for (const int code : {0, 1, 7, 125, 255})
        EXPECT_EQ(run_stub(shell_frame("exit " + std::to_string(code))).exit_code, code);
}

TEST(StubCommandTest, DeathBySignalIs128PlusSignal) {
    EXPECT_EQ(run_stub(shell_frame("kill -KILL $$")).exit_code, 137);
    EXPECT_EQ(run_stub(shell_frame("kill -SEGV $$")).exit_code, 139);
}

TEST(StubCommandTest, StreamsStayApart) {
    const Output output = run_stub(shell_frame("echo out; echo err >&2"));
    EXPECT_EQ(output.out, "out\n");
    EXPECT_EQ(output.err, "err\n");
}

TEST(StubCommandTest, MissingCommandIs127) {
    const Output output = run_stub(exec_frame({.arguments = {"no-such-command"}}));
    EXPECT_EQ(output.exit_code, 127);
    EXPECT_EQ(output.out, "");
    EXPECT_EQ(output.err, "alca: no-such-command: command not found\n");
}

TEST(StubCommandTest, EmptyNameIsNotFound) {
    EXPECT_EQ(run_stub(exec_frame({.arguments = {""}})).exit_code, 127);
}

TEST(StubCommandTest, MissingPathIs127) {
    EXPECT_EQ(run_stub(exec_frame({.arguments = {"/no/such/program"}})).exit_code, 127);
    EXPECT_EQ(run_stub(exec_frame({.arguments = {"/dev/null/program"}})).exit_code, 127);
}

TEST(StubCommandTest, PathOfTheClientIsSearched) {
    Exec exec{.arguments = {"true"}, .environment = {"PATH=/nowhere"}};
    EXPECT_EQ(run_stub(exec_frame(exec)).exit_code, 127);
    exec.environment = {"PATH=/nowhere:/etc/passwd:/usr/bin:/bin"};
    EXPECT_EQ(run_stub(exec_frame(exec)).exit_code, 0);
    exec.environment = {"PATH=:/nowhere"};
    exec.directory = "/usr/bin";
    EXPECT_EQ(run_stub(exec_frame(exec)).exit_code, 0);
}

class StubFileTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = ::testing::TempDir() + "alca-init-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
    }
    void TearDown() override { fs::remove_all(directory_); }

    [[nodiscard]] std::string make(const std::string& name, const std::string& text,
                                   mode_t mode) const {
        const std::string path = directory_ / name;
        std::ofstream(path) << text;
        EXPECT_EQ(::chmod(path.c_str(), mode), 0);
        return path;
    }

    fs::path directory_;
};

TEST_F(StubFileTest, FileWithoutRightIs126) {
    const std::string path = make("tool", "#!/bin/sh\n", 0644);
    const Output output = run_stub(exec_frame({.arguments = {path}}));
    EXPECT_EQ(output.exit_code, 126);
    EXPECT_EQ(output.err, "alca: " + path + ": permission denied\n");
    EXPECT_EQ(run_stub(exec_frame({.arguments = {"tool"},
                                   .environment = {"PATH=" + directory_.string() + ":/bin"}}))
                  .exit_code,
              126);
}

TEST_F(StubFileTest, FileWithoutRightDoesNotHideALaterOne) {
    static_cast<void>(make("true", "", 0644));
    EXPECT_EQ(
        run_stub(exec_frame({.arguments = {"true"},
                             .environment = {"PATH=" + directory_.string() + ":/usr/bin:/bin"}}))
            .exit_code,
        0);
}

TEST_F(StubFileTest, FileThatIsNoProgramIs126) {
    const Output output =
        run_stub(exec_frame({.arguments = {make("data", "echo not a program\n", 0755)}}));
    EXPECT_EQ(output.exit_code, 126);
    EXPECT_NE(output.err.find("not a program of this machine"), std::string::npos) << output.err;
}

TEST_F(StubFileTest, MissingInterpreterIs126) {
    const Output output =
        run_stub(exec_frame({.arguments = {make("script", "#!/no/such/interpreter\n", 0755)}}));
    EXPECT_EQ(output.exit_code, 126);
    EXPECT_NE(output.err.find("interpreter"), std::string::npos) << output.err;
}

TEST(StubCommandTest, TooManyArgumentBytesAre126) {
    Exec exec{.arguments = {"true", std::string(std::size_t{3} << 20, 'x')}};
    const Output output = run_stub(exec_frame(exec));
    EXPECT_EQ(output.exit_code, 126);
    EXPECT_EQ(output.err, "alca: true: argument list too long\n");
}

TEST(StubCommandTest, MissingDirectoryIs125) {
    const Output output = run_stub(exec_frame({.arguments = {"true"}, .directory = "/no/such"}));
    EXPECT_EQ(output.exit_code, 125);
    EXPECT_EQ(output.err,
              "alca: cannot enter directory /no/such: no such file or directory; check workdir\n");
}

TEST(StubCommandTest, DirectoryIsEntered) {
    EXPECT_EQ(run_stub(exec_frame({.arguments = {"pwd"}, .directory = "/usr"})).out, "/usr\n");
}

TEST(StubCommandTest, ArgumentsAndEnvironmentAreExactBytes) {
    const std::string bytes = "\xff\xfe \"'$(x)\n\x01\xc3";
    const Output output = run_stub(exec_frame({
        .arguments = {"sh", "-c", R"(printf '%s|%s|%s' "$1" "$2" "$V")", "sh", bytes, ""},
        .environment = {"V=" + bytes},
    }));
    EXPECT_EQ(output.out, bytes + "||" + bytes);
}

TEST(StubCommandTest, OneMegabyteOfArgumentsArrives) {
    Exec exec{.arguments = {"sh", "-c", R"(cat /proc/$$/cmdline | wc -c)", "sh"}};
    std::size_t expected = 0;
    for (int i = 0; i < 10'000; ++i) exec.arguments.push_back(std::string(100, 'a'));
    for (const std::string& argument : exec.arguments) expected += argument.size() + 1;
    EXPECT_EQ(run_stub(exec_frame(exec)).out, std::to_string(expected) + "\n");
}

TEST(StubCommandTest, NoArgumentsStartAShell) {
    const Output output = run_stub(exec_frame({.arguments = {}}) +
                                   data_frame("echo \"$0 $((40 + 2))\"\nexit 3\n") + end_frame());
    EXPECT_EQ(output.exit_code, 3);
    EXPECT_TRUE(output.out == "bash 42\n" || output.out == "sh 42\n") << output.out;
}

TEST_F(StubFileTest, ImageWithoutShellIs127) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to change the root directory";
    fs::copy_file(ALCA_INIT_PROGRAM, directory_ / "alca-init");
    fs::create_directory(directory_ / "proc");
    const std::string root = directory_;
    Program stub({"unshare", "-m", "sh", "-c",
                  "mount --rbind /proc \"$0/proc\" && exec chroot \"$0\" /alca-init stub", root});
    stub.send(exec_frame({.arguments = {}}));
    const Output output = stub.finish();
    EXPECT_EQ(output.exit_code, 127);
    EXPECT_NE(output.err.find("the image has no shell"), std::string::npos) << output.err;
}

// The shell gives the stub a fourth descriptor and an ignored signal, as an engine might.
Output run_burdened_stub(const Exec& exec) {
    Program stub({"sh", "-c", "trap '' USR1; exec \"$0\" stub 9</dev/null", ALCA_INIT_PROGRAM});
    stub.send(exec_frame(exec));
    return stub.finish();
}

TEST(StubCommandTest, CommandHasThreeDescriptors) {
    // ls itself opens the fourth.
    EXPECT_EQ(run_burdened_stub({.arguments = {"ls", "/proc/self/fd"}}).out, "0\n1\n2\n3\n");
}

TEST(StubCommandTest, CommandHasDefaultSignals) {
    EXPECT_EQ(
        run_burdened_stub({.arguments = {"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"}}).out,
        "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST(StubCommandTest, CommandLeadsItsOwnSession) {
    const Output output = run_stub(shell_frame("echo $$; cut -d' ' -f5,6 /proc/$$/stat"));
    const std::vector<pid_t> ids = parse_pids(output.out);
    ASSERT_EQ(ids.size(), 3U) << output.out;
    EXPECT_EQ(ids[1], ids[0]);
    EXPECT_EQ(ids[2], ids[0]);
}

TEST(StubCommandTest, StdinEnds) {
    const Output output =
        run_stub(exec_frame({.arguments = {"cat"}}) + data_frame("in\0put") + end_frame());
    EXPECT_EQ(output.out, "in");
    EXPECT_EQ(run_stub(exec_frame({.arguments = {"cat"}}) + end_frame()).exit_code, 0);
}

TEST(StubCommandTest, CommandThatClosesItsStdinLivesOn) {
    Program stub = start_stub();
    stub.send(shell_frame("exec <&-; echo closed; sleep 0.3; echo done"));
    stub.expect_output("closed\n");
    for (int i = 0; i < 64; ++i) stub.send(data_frame(std::string(60'000, 'x')));
    stub.send(end_frame());
    EXPECT_EQ(stub.finish().out, "closed\ndone\n");
}

TEST(StubCommandTest, SignalsReachTheCommandAndItsHandler) {
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGKILL}) {
        Program stub = start_stub();
        stub.send(exec_frame({.arguments = {"cat"}}) + data_frame("ready"));
        stub.expect_output("ready");
        stub.send(signal_frame(static_cast<std::uint32_t>(number)));
        EXPECT_EQ(stub.finish().exit_code, 128 + number);
    }
    Program stub = start_stub();
    stub.send(shell_frame("trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"));
    stub.expect_output("ready");
    stub.send(signal_frame(SIGTERM));
    EXPECT_EQ(stub.finish().exit_code, 9);
}

TEST(StubCommandTest, SignalReachesTheWholeGroup) {
    Program stub = start_stub();
    stub.send(shell_frame("sleep 60 & echo $!; wait"));
    stub.expect_output("\n");
    const std::vector<pid_t> pids = parse_pids(stub.output());
    stub.send(signal_frame(SIGTERM));
    EXPECT_EQ(stub.finish().exit_code, 143);
    ASSERT_EQ(pids.size(), 1U);
    EXPECT_TRUE(holds_soon([&] { return !is_running(pids[0]); }));
}

TEST(StubCommandTest, BackgroundJobDelaysNothingAndKeepsItsOutput) {
    Program stub = start_stub();
    const auto start = std::chrono::steady_clock::now();
    stub.send(shell_frame("(sleep 2; echo late) & exit 5"));
    EXPECT_EQ(stub.finish().exit_code, 5);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(1500));
    stub.expect_output("late");
}

TEST(StubCommandTest, ClosedStdoutEndsTheWriter) {
    Program stub = start_stub();
    stub.send(exec_frame({.arguments = {"yes"}}));
    stub.expect_output("y\n");
    stub.close_stdout();
    EXPECT_EQ(stub.finish().exit_code, 128 + SIGPIPE);
}

// 64 KiB that differ from one number to the next.
class Block {
  public:
    Block() {
        std::mt19937_64 random(4);
        for (std::size_t at = 0; at < bytes_.size(); at += 8)
            bytes_.replace(at, 8, little_endian(random(), 8));
    }
    const std::string& number(std::uint64_t n) {
        bytes_.replace(bytes_.size() / 2, 8, little_endian(n, 8));
        return bytes_;
    }

  private:
    std::string bytes_ = std::string(std::size_t{64} << 10, '\0');
};

bool read_exactly(int fd, std::string& bytes) {
    for (std::size_t have = 0; have < bytes.size();) {
        const ssize_t count = ::read(fd, bytes.data() + have, bytes.size() - have);
        if (count <= 0) return false;
        have += static_cast<std::size_t>(count);
    }
    return true;
}

TEST(StubCommandTest, OneGibibyteBothWaysAtOnce) {
    static constexpr std::uint64_t kBlocks = 16'384;
    Program stub = start_stub();
    stub.send(exec_frame({.arguments = {"cat"}}));
    const std::jthread writer([&stub] {
        Block block;
        for (std::uint64_t n = 0; n < kBlocks; ++n) stub.send(data_frame(block.number(n)));
        stub.send(end_frame());
    });
    ::fcntl(stub.stdout_fd(), F_SETFL, 0);
    Block expected;
    std::string block(expected.number(0).size(), '\0');
    std::uint64_t same = 0;
    while (same < kBlocks && read_exactly(stub.stdout_fd(), block) &&
           block == expected.number(same))
        ++same;
    EXPECT_EQ(same, kBlocks);
    if (same < kBlocks) ::kill(stub.pid(), SIGKILL);  // lets the writer end
    ::fcntl(stub.stdout_fd(), F_SETFL, O_NONBLOCK);
    const Output output = stub.finish();
    EXPECT_EQ(output.exit_code, 0);
    EXPECT_EQ(output.out, "");
}

}  // namespace
}  // namespace alca::init::testing
