// Jobs by the program as it is shipped.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
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

class JobTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "alca-test-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        directory = pattern;
    }
    void TearDown() override {
        for (const std::string& name : started) static_cast<void>(job({"end", name, "0"}));
        std::error_code error;
        fs::remove_all(directory, error);
    }

    [[nodiscard]] Program begin(std::vector<std::string> words) const {
        words.insert(words.begin(), {ALCA_INIT_PROGRAM, "job", directory.string()});
        return Program(words);
    }
    [[nodiscard]] Output job(std::vector<std::string> words) const {
        return begin(std::move(words)).finish();
    }
    Output start(const std::string& name, const std::string& script) {
        started.push_back(name);
        return job({"start", name, "sh", "-c", script});
    }
    [[nodiscard]] std::string list() const { return job({"list"}).out; }
    [[nodiscard]] pid_t keeper_of(const std::string& name) const {
        std::ifstream record(directory / (name + ".job"));
        std::string word;
        pid_t keeper = -1;
        EXPECT_TRUE(record >> word >> keeper && word == "keeper" && keeper > 1);
        return keeper;
    }
    [[nodiscard]] bool soon(const std::string& text) const {
        return holds_soon([&] { return list().find(text) != std::string::npos; });
    }

    fs::path directory;
    std::vector<std::string> started;
};

TEST_F(JobTest, ItsNameIsPrintedAndItsOutputKept) {
    const Output output = start("", "echo out; echo err >&2; exit 4");
    EXPECT_EQ(output.out, "sh\n");
    EXPECT_EQ(output.exit_code, 0);
    EXPECT_TRUE(soon("\n exit 4 "));
    const std::string text = list();
    EXPECT_TRUE(text.starts_with("job sh ended " + std::to_string(::getuid()) + ":")) << text;
    EXPECT_NE(text.find("\n command sh -c echo out; echo err >&2; exit 4\n"), std::string::npos);
    EXPECT_EQ(job({"log", "sh", "all"}).out, "out\nerr\n");
    EXPECT_EQ(job({"log", "sh", "1"}).out, "err\n");
    EXPECT_EQ(job({"log", "sh", "0"}).out, "");
}

TEST_F(JobTest, TheCommandHasNoInput) {
    EXPECT_EQ(start("x", "cat; echo end").exit_code, 0);
    EXPECT_TRUE(soon("job x ended"));
    EXPECT_EQ(job({"log", "x", "all"}).out, "end\n");
}

TEST_F(JobTest, WhatCannotBeStartedIsToldAsByRunAndLeavesNothing) {
    const Output missing = job({"start", "x", "/no/such"});
    EXPECT_EQ(missing.exit_code, 127);
    EXPECT_EQ(missing.err, "alca: /no/such: command not found\n");
    EXPECT_EQ(missing.out, "");
    EXPECT_EQ(job({"start", "x", "/etc/passwd"}).exit_code, 126);
    EXPECT_TRUE(fs::is_empty(directory));
}

TEST_F(JobTest, NamesWithoutWishAreFree) {
    EXPECT_EQ(start("", "sleep 100").out, "sh\n");
    started.back() = "sh";
    EXPECT_EQ(start("", "exit 0").out, "sh-2\n");
    started.back() = "sh-2";
    EXPECT_TRUE(soon("job sh-2 ended"));
    EXPECT_EQ(start("", "exit 0").out, "sh-3\n");
    started.back() = "sh-3";
    EXPECT_EQ(job({"start", "", "/bin/no name", "x"}).exit_code, 127);
}

TEST_F(JobTest, ARunningNameIsTakenAnEndedOneIsNot) {
    EXPECT_EQ(start("web", "sleep 100").exit_code, 0);
    const Output again = start("web", "echo second");
    EXPECT_EQ(again.exit_code, 125);
    EXPECT_NE(again.err.find("a job web is running"), std::string::npos) << again.err;
    EXPECT_EQ(job({"end", "web", "1000"}).exit_code, 0);
    EXPECT_EQ(start("web", "echo second").exit_code, 0);
    EXPECT_TRUE(soon("job web ended"));
    EXPECT_EQ(job({"log", "web", "all"}).out, "second\n");
}

TEST_F(JobTest, EndingEndsAllThatItHasStarted) {
    ASSERT_EQ(start("x",
                    "trap '' TERM; setsid sh -c 'trap \"\" TERM HUP; echo $$; exec sleep 100' & "
                    "echo $$; wait; sleep 100")
                  .exit_code,
              0);
    ASSERT_TRUE(holds_soon([&] { return parse_pids(job({"log", "x", "all"}).out).size() == 2; }));
    const std::vector<pid_t> pids = parse_pids(job({"log", "x", "all"}).out);
    EXPECT_TRUE(is_running(pids[0]) && is_running(pids[1]));
    EXPECT_EQ(job({"end", "x", "200"}).exit_code, 0);
    EXPECT_FALSE(is_running(pids[0]) || is_running(pids[1]));
    EXPECT_TRUE(soon(" exit 137 "));
    EXPECT_EQ(job({"end", "x", "200"}).exit_code, 125);
}

TEST_F(JobTest, EndedAtOnceMeansKilled) {
    for (int i = 0; i < 10; ++i) {
        ASSERT_EQ(start("x", "trap '' TERM; while :; do sleep 0.01; done").exit_code, 0);
        EXPECT_EQ(job({"end", "x", "0"}).exit_code, 0);
        EXPECT_TRUE(job({"show", "x"}).out.starts_with("job x ended ")) << i;
    }
}

TEST_F(JobTest, AStoppedKeeperIsNoRefuge) {
    ASSERT_EQ(start("x", "trap '' TERM; sleep 0.1; kill -STOP $PPID; while :; do sleep 0.01; done")
                  .exit_code,
              0);
    const std::string keeper = std::to_string(keeper_of("x"));
    ASSERT_TRUE(holds_soon([&] {
        std::ifstream status("/proc/" + keeper + "/status");
        const std::string text{std::istreambuf_iterator<char>(status), {}};
        return text.find("State:\tT") != std::string::npos;
    }));
    EXPECT_EQ(job({"end", "x", "0"}).exit_code, 0);
    EXPECT_TRUE(soon("job x ended"));
}

// What it has started goes on, and can be ended.
TEST_F(JobTest, AJobWhoseCommandHasEndedMayStillRun) {
    ASSERT_EQ(start("x", "sleep 100 & exit 3").exit_code, 0);
    EXPECT_TRUE(soon(" exit 3 "));
    EXPECT_TRUE(job({"show", "x"}).out.starts_with("job x running "));
    EXPECT_EQ(job({"end", "x", "1000"}).exit_code, 0);
    EXPECT_TRUE(job({"show", "x"}).out.starts_with("job x ended "));
}

TEST_F(JobTest, ASignalIsForTheCommand) {
    ASSERT_EQ(start("x", "trap 'echo got; exit 3' USR1; echo ready; while :; do sleep 0.05; done")
                  .exit_code,
              0);
    ASSERT_TRUE(holds_soon([&] { return job({"log", "x", "all"}).out == "ready\n"; }));
    EXPECT_EQ(job({"signal", "x", std::to_string(SIGUSR1)}).exit_code, 0);
    EXPECT_TRUE(soon(" exit 3 "));
    // In between the shell may say that its sleep was ended: the signal is for their group.
    EXPECT_TRUE(job({"log", "x", "all"}).out.ends_with("got\n"));
}

TEST_F(JobTest, FollowingEndsWithTheJob) {
    ASSERT_EQ(start("x", "for i in 1 2 3; do echo $i; sleep 0.2; done").exit_code, 0);
    EXPECT_EQ(job({"log", "x", "all", "follow"}).out, "1\n2\n3\n");
    EXPECT_TRUE(soon("job x ended"));
}

TEST_F(JobTest, OfALongOutputTheEndIsKept) {
    ASSERT_EQ(start("x", "seq 1 3000000").exit_code, 0);
    EXPECT_TRUE(soon("job x ended"));
    const std::string log = job({"log", "x", "all"}).out;
    EXPECT_TRUE(log.ends_with("\n2999999\n3000000\n"));
    EXPECT_GE(log.size(), std::size_t{4} << 20);
    EXPECT_LE(log.size(), (std::size_t{8} << 20) + 65536);
    EXPECT_EQ(job({"log", "x", "2"}).out, "2999999\n3000000\n");
}

TEST_F(JobTest, AJobWhoseKeeperWasKilledIsLost) {
    ASSERT_EQ(start("x", "echo $$; exec sleep 100").exit_code, 0);
    const pid_t keeper = keeper_of("x");
    ASSERT_TRUE(holds_soon([&] { return !parse_pids(job({"log", "x", "all"}).out).empty(); }));
    const pid_t child = parse_pids(job({"log", "x", "all"}).out)[0];
    ASSERT_EQ(::kill(keeper, SIGKILL), 0);
    EXPECT_TRUE(soon("job x lost"));
    // Its number may be somebody else's by now: nobody is sent anything.
    EXPECT_EQ(job({"end", "x", "0"}).exit_code, 125);
    ::kill(child, SIGKILL);
}

// Whoever lists and reads may be root, and whoever wrote it anybody inside.
TEST_F(JobTest, WhatIsNoRecordIsLeftOut) {
    fs::create_symlink("/etc/passwd", directory / "link.job");
    fs::create_directory(directory / "dir.job");
    ASSERT_EQ(::mkfifo((directory / "fifo.job").c_str(), 0600), 0);
    std::ofstream(directory / "-x.job") << "keeper 1\n";
    std::ofstream(directory / "big.job") << std::string(5000, 'x');
    std::ofstream(directory / "fake.job") << "job root running 0:0\nexit 0 1\n";
    EXPECT_EQ(list(), "job fake ended " + std::to_string(::getuid()) + ":" +
                          std::to_string(::getgid()) + "\n exit 0 1\n");
    fs::create_symlink("/etc/passwd", directory / "fake.log");
    EXPECT_EQ(job({"log", "fake", "all"}).out, "");
    EXPECT_EQ(job({"end", "fake", "0"}).exit_code, 125);
}

TEST_F(JobTest, TwoAtOnceUnderOneNameAreOneJob) {
    std::vector<Program> programs;
    programs.reserve(8);
    for (int i = 0; i < 8; ++i) programs.push_back(begin({"start", "x", "sleep", "100"}));
    int count = 0;
    for (Program& program : programs) count += program.finish().exit_code == 0 ? 1 : 0;
    started.emplace_back("x");
    EXPECT_EQ(count, 1);
}

TEST_F(JobTest, WrongUseIsAnError) {
    for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                  {"list", "x"},
                                                  {"start", "x"},
                                                  {"start", "../x", "true"},
                                                  {"start", ".x", "true"},
                                                  {"start", std::string(64, 'x'), "true"},
                                                  {"log", "x"},
                                                  {"log", "x", "-1"},
                                                  {"signal", "x", "0"},
                                                  {"signal", "x", "32"},
                                                  {"end", "x", "x"}}) {
        const Output output = job(words);
        EXPECT_EQ(output.exit_code, 125);
        EXPECT_TRUE(output.err.starts_with("alca: ")) << output.err;
        EXPECT_TRUE(fs::is_empty(directory));
    }
    EXPECT_NE(job({"log", "none", "all"}).exit_code, 0);
}

}  // namespace
}  // namespace alca::init::testing
