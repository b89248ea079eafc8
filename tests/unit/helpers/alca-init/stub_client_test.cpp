// What the stub does when the client breaks the protocol or goes away.

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "frames.hpp"
#include "program.hpp"

namespace alca::init::testing {
namespace {

// Prints its own pid and that of a grandchild in a session of its own; both stay whatever TERM and
// HUP say.
constexpr const char* kStubborn =
    "trap '' TERM HUP; setsid sh -c 'trap \"\" TERM HUP; echo $$; while :; do sleep 1; done' & "
    "echo $$; wait; while :; do sleep 1; done";

std::vector<pid_t> start_stubborn(Program& stub, bool has_terminal = false) {
    stub.send(exec_frame({.arguments = {"sh", "-c", kStubborn}, .has_terminal = has_terminal}));
    stub.expect_lines(2);
    EXPECT_EQ(parse_pids(stub.output()).size(), 2U) << stub.output();
    return parse_pids(stub.output());
}

void expect_gone(const std::vector<pid_t>& pids) {
    for (const pid_t pid : pids) EXPECT_FALSE(is_running(pid)) << pid;
}

TEST(StubClientTest, ClientThatGoesTakesTheWholeTreeAlong) {
    Program stub = start_stub();
    const std::vector<pid_t> pids = start_stubborn(stub);
    stub.close_stdin();
    EXPECT_EQ(stub.finish().exit_code, 128 + SIGHUP);
    expect_gone(pids);
}

TEST(StubClientTest, ClientThatGoesTakesTheWholeTerminalAlong) {
    Program stub = start_stub();
    const std::vector<pid_t> pids = start_stubborn(stub, true);
    stub.close_stdin();
    EXPECT_EQ(stub.finish().exit_code, 128 + SIGHUP);
    expect_gone(pids);
}

TEST(StubClientTest, EndOfStdinFrameIsNotTheClientsEnd) {
    Program stub = start_stub();
    stub.send(shell_frame("cat; echo still here") + end_frame());
    const Output output = stub.finish();
    EXPECT_EQ(output.exit_code, 0);
    EXPECT_EQ(output.out, "still here\n");
}

TEST(StubClientTest, HangUpComesFirst) {
    Program stub = start_stub();
    stub.send(shell_frame("trap 'echo hup; exit 0' HUP; echo ready; while :; do sleep 0.05; done"));
    stub.expect_output("ready\n");
    stub.close_stdin();
    EXPECT_EQ(stub.finish().out, "ready\nhup\n");
}

TEST(StubClientTest, TermComesSecond) {
    Program stub = start_stub();
    stub.send(
        shell_frame("trap '' HUP; trap 'echo term; exit 0' TERM; echo ready; "
                    "while :; do sleep 0.05; done"));
    stub.expect_output("ready\n");
    stub.close_stdin();
    EXPECT_EQ(stub.finish().out, "ready\nterm\n");
}

TEST(StubClientTest, ClientEndIsSeenBehindDataThatNobodyTakes) {
    Program stub = start_stub();
    stub.send(shell_frame("echo ready; exec sleep 60"));
    stub.expect_output("ready");
    // More than the stub keeps: the rest stays in the pipe. A writer that is stuck in it is cut
    // off.
    for (int i = 0; i < 17; ++i) stub.send(data_frame(std::string(std::size_t{64} << 10, 'x')));
    stub.close_stdin();
    EXPECT_EQ(stub.finish().exit_code, 128 + SIGHUP);
}

TEST(StubClientTest, ClientEndIsSeenThroughARelayThatIsStuck) {
    // An engine's copy loop sees the end of its input only after it got rid of what it holds.
    Program relay({"sh", "-c", "cat | \"$0\" stub", ALCA_INIT_PROGRAM});
    relay.send(shell_frame("echo ready; exec sleep 60"));
    relay.expect_output("ready");
    for (int i = 0; i < 20; ++i) relay.send(data_frame(std::string(std::size_t{64} << 10, 'x')));
    relay.close_stdin();
    EXPECT_EQ(relay.finish().exit_code, 128 + SIGHUP);
}

TEST(StubClientTest, SignalIsSeenBehindDataThatNobodyTakes) {
    Program stub = start_stub();
    stub.send(shell_frame("exec sleep 60"));
    for (int i = 0; i < 20; ++i) stub.send(data_frame(std::string(std::size_t{64} << 10, 'x')));
    stub.send(signal_frame(SIGTERM));
    EXPECT_EQ(stub.finish().exit_code, 143);
}

TEST(StubClientTest, StreamThatEndsBeforeACommandIs125) {
    const std::string whole = shell_frame("echo must not run");
    for (const std::size_t size : {std::size_t{0}, std::size_t{5}, whole.size() - 1}) {
        Program stub = start_stub();
        stub.send(whole.substr(0, size));
        stub.close_stdin();
        const Output output = stub.finish();
        EXPECT_EQ(output.exit_code, 125);
        EXPECT_EQ(output.out, "");
        EXPECT_NE(output.err.find("the client ended before it named a command"), std::string::npos);
    }
}

TEST(StubClientTest, BrokenFirstFrameStartsNothing) {
    const std::string good = exec_payload({.arguments = {"echo", "ran"}});
    for (const std::string& frames :
         {data_frame("x"), frame(1, ""), frame(1, good + "x"), frame(1, good.substr(0, 25)),
          frame(0, good), std::string("\1\0\0\0\xff\xff\xff\xff", 8),
          std::string("GET / HTTP/1.1\r\n\r\n"),
          exec_frame({.arguments = {"echo", "ran"}, .directory = "relative"})}) {
        const Output output = run_stub(frames);
        EXPECT_EQ(output.exit_code, 125);
        EXPECT_EQ(output.out, "");
        EXPECT_TRUE(output.err.starts_with("alca: run protocol: ")) << output.err;
    }
}

TEST(StubClientTest, BrokenLaterFrameKillsTheCommand) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {frame(9, ""), "unknown frame type"},
        {shell_frame("true"), "second exec frame"},
        {signal_frame(64), "signal is not in 1..31"},
        {window_frame(1, 1), "window frame for a command without terminal"},
        {end_frame() + data_frame("x"), "stdin data after its end"},
        {data_frame(std::string((std::size_t{64} << 10) + 1, 'x')),
         "stdin frame is larger than 64 KiB"},
    };
    for (const auto& [frames, reason] : cases) {
        Program stub = start_stub();
        const std::vector<pid_t> pids = start_stubborn(stub);
        stub.send(frames);
        const Output output = stub.finish();
        EXPECT_EQ(output.exit_code, 125) << reason;
        EXPECT_EQ(output.err, "alca: run protocol: " + reason + "; the command was killed\n");
        expect_gone(pids);
    }
}

TEST(StubClientTest, SignalsToTheStubItselfDoNotEndIt) {
    Program stub = start_stub();
    stub.send(exec_frame({.arguments = {"cat"}}) + data_frame("ready\n"));
    stub.expect_output("ready");
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1}) ::kill(stub.pid(), number);
    stub.send(data_frame("alive\n") + end_frame());
    EXPECT_EQ(stub.finish().out, "ready\nalive\n");
}

TEST(StubClientTest, TakesNoArguments) {
    Program stub({ALCA_INIT_PROGRAM, "stub", "--help"});
    EXPECT_EQ(stub.finish().exit_code, 125);
}

}  // namespace
}  // namespace alca::init::testing
