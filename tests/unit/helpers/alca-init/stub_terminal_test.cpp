// Commands on a terminal.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "frames.hpp"
#include "program.hpp"

namespace alca::init::testing {
namespace {

TEST(StubTerminalTest, FirstSizeIsRightEveryTime) {
    for (int i = 0; i < 20; ++i) {
        const Output output = run_stub(exec_frame(
            {.arguments = {"stty", "size"}, .has_terminal = true, .rows = 33, .columns = 77}));
        EXPECT_EQ(output.out, "33 77\r\n");
    }
}

TEST(StubTerminalTest, NewSizeIsTold) {
    Program stub = start_stub();
    stub.send(
        terminal_frame("trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done"));
    stub.expect_output("ready");
    stub.send(window_frame(11, 222));
    EXPECT_EQ(stub.finish().out, "ready\r\n11 222\r\n");
}

TEST(StubTerminalTest, AllStreamsAreTheControllingTerminal) {
    const Output output = run_stub(
        terminal_frame("test -t 0 && test -t 1 && test -t 2 && echo yes >/dev/tty; echo err >&2"));
    EXPECT_EQ(output.out, "yes\r\nerr\r\n");
    EXPECT_EQ(output.err, "");
}

TEST(StubTerminalTest, TermIsAdaptedToTheImageWhereTheClientSaysSo) {
    // No terminfo of any machine has this name, and each has one of the relatives or no terminfo.
    Exec exec{.arguments = {"sh", "-c", "echo $TERM"},
              .environment = {"TERM=no-such-terminal"},
              .has_terminal = true};
    EXPECT_EQ(run_stub(exec_frame(exec)).out, "no-such-terminal\r\n");
    exec.adapts_term = true;
    EXPECT_EQ(run_stub(exec_frame(exec)).out, "xterm-256color\r\n");
}

TEST(StubTerminalTest, ControlCReachesTheForeground) {
    Program stub = start_stub();
    // Not a shell: one that is just starting a program may lose an interrupt.
    stub.send(exec_frame({.arguments = {"cat"}, .has_terminal = true}) + data_frame("ready\n"));
    stub.expect_output("ready\r\nready");
    stub.send(data_frame("\x03"));
    EXPECT_EQ(stub.finish().exit_code, 130);
}

TEST(StubTerminalTest, SignalReachesTheForegroundJobOnly) {
    Program stub = start_stub();
    // With job control the shell puts each job into a group of its own.
    stub.send(terminal_frame("set -m; sh -c 'echo ready; exec sleep 60'; echo \"job $?\"; exit 4"));
    stub.expect_output("ready");
    stub.send(signal_frame(SIGTERM));
    const Output output = stub.finish();
    EXPECT_EQ(output.exit_code, 4);
    EXPECT_NE(output.out.find("job 143"), std::string::npos) << output.out;
}

TEST(StubTerminalTest, EndOfStdinIsControlD) {
    const Output output = run_stub(exec_frame({.arguments = {"cat"}, .has_terminal = true}) +
                                   data_frame("line\n") + end_frame());
    EXPECT_EQ(output.exit_code, 0);
    EXPECT_EQ(output.out, "line\r\nline\r\n");
}

TEST(StubTerminalTest, DetachKeysAreOrdinaryBytes) {
    Program stub = start_stub();
    stub.send(terminal_frame("stty raw -echo; echo ready; head -c 2 | od -An -tx1"));
    stub.expect_output("ready");
    stub.send(data_frame("\x10\x11"));
    EXPECT_NE(stub.finish().out.find("10 11"), std::string::npos);
}

TEST(StubTerminalTest, BackspaceRemovesAWholeCharacter) {
    Program stub = start_stub();
    stub.send(terminal_frame("stty -echo; echo ready; head -n 1 | od -An -tx1"));
    stub.expect_output("ready");
    stub.send(data_frame("a\xc3\xa4\x7f\n"));
    EXPECT_NE(stub.finish().out.find(" 61 0a\r\n"), std::string::npos);
}

TEST(StubTerminalTest, OutputBeforeTheEndArrivesWhole) {
    for (int i = 0; i < 5; ++i) {
        const Output output = run_stub(terminal_frame("stty -opost; seq 1 100000"));
        std::string expected;
        for (int n = 1; n <= 100'000; ++n) expected += std::to_string(n) + "\n";
        EXPECT_EQ(output.out.size(), expected.size());
        EXPECT_TRUE(output.out == expected);
    }
}

TEST(StubTerminalTest, BackgroundWriterDoesNotKeepTheStub) {
    Program stub = start_stub();
    stub.send(terminal_frame("trap '' HUP; echo $$; (while echo noise; do :; done) & exit 6"));
    EXPECT_EQ(stub.finish().exit_code, 6);
}

TEST(StubTerminalTest, ClosedStdoutEndsTheTree) {
    Program stub = start_stub();
    stub.send(terminal_frame(
        "trap '' HUP TERM; setsid sleep 60 & echo $!; while echo y; do :; done; sleep 60"));
    stub.expect_output("y\r\n");
    const std::vector<pid_t> pids = parse_pids(stub.output());
    stub.close_stdout();
    EXPECT_EQ(stub.finish().exit_code, 128 + SIGHUP);
    ASSERT_EQ(pids.size(), 1U);
    EXPECT_FALSE(is_running(pids[0]));
}

TEST(StubTerminalTest, InputDoesNotWaitForOutputThatNobodyReads) {
    Program stub = start_stub();
    stub.send(terminal_frame("stty -echo; echo ready; yes & read line; kill %1; exit 8"));
    stub.expect_output("ready");
    // Nobody reads now; the terminal and the pipe fill up.
    stub.send(data_frame("go\n"));
    EXPECT_EQ(stub.finish().exit_code, 8);
}

}  // namespace
}  // namespace alca::init::testing
