"""`alca run` on a terminal: a real pseudo terminal on this side, the command's own inside."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from sandbox import SandboxTest, program, require_engine

ROWS, COLUMNS = 33, 97


def setUpModule() -> None:
    require_engine()


class Terminal:
    """alca as the leader of a session on a terminal. Context manager; ends it by force if it still runs."""

    def __init__(self, test: SandboxTest, *arguments: str, rows: int = ROWS, columns: int = COLUMNS,
                 wrapper: tuple[str, ...] = (), program: "list[str] | None" = None, **settings: object) -> None:  # fmt: skip
        """program: what runs in place of alca, with these settings of Popen."""
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.modes = termios.tcgetattr(self.slave)
        self.output = b""

        def take_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        streams = {"stdin": self.slave, "stdout": self.slave, "stderr": self.slave}
        options = {**streams, "start_new_session": True, "preexec_fn": take_terminal}
        if program:
            self.process = subprocess.Popen(program, **options, **settings)
        else:
            self.process = test.work.start(*arguments, wrapper=wrapper, env={"TERM": "xterm"}, **options)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.hang_up()
        os.close(self.slave)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def type(self, text: str | bytes) -> None:
        os.write(self.master, text if isinstance(text, bytes) else text.encode())

    def read(self, timeout_s: float) -> bool:
        """More output; False when there was none."""
        if not select.select([self.master], [], [], timeout_s)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.output += data
        return bool(data)

    def expect(self, pattern: str, timeout_s: float = 10.0) -> str:
        """Waits for it in the output and takes all up to its end."""
        deadline = time.monotonic() + timeout_s
        while not (match := re.search(pattern.encode(), self.output)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{pattern!r} not within {timeout_s:.0f} s in {self.output!r}")
            self.read(0.1)
        before, self.output = self.output[: match.end()], self.output[match.end() :]
        return before.decode(errors="replace")

    def sees(self, pattern: str, timeout_s: float) -> bool:
        try:
            return bool(self.expect(pattern, timeout_s))
        except AssertionError:
            return False

    def end(self, timeout_s: float = 10.0) -> tuple[int, str]:
        """Exit code and the rest of the output."""
        deadline = time.monotonic() + timeout_s
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"did not end within {timeout_s:.0f} s: {self.output!r}")
            self.read(0.05)
        while self.read(0.1):
            pass
        return self.process.returncode, self.output.decode(errors="replace")

    def modes_now(self) -> list[object]:
        return termios.tcgetattr(self.slave)


class TerminalTest(SandboxTest):
    def setUp(self) -> None:
        super().setUp()
        self.up("-q")

    def terminal(self, *arguments: str, **options: object) -> Terminal:
        return self.enterContext(Terminal(self, "run", *arguments, **options))

    def test_first_size_is_right_each_time(self) -> None:
        for attempt in range(20):
            with Terminal(self, "run", "stty", "size", rows=ROWS + attempt) as terminal:
                self.assertEqual(terminal.end(), (0, f"{ROWS + attempt} {COLUMNS}\r\n"))

    def test_change_of_size_reaches_the_program(self) -> None:
        terminal = self.terminal("sh", "-c", "trap 'stty size' WINCH; echo started; while :; do sleep 0.1; done")
        terminal.expect("started")
        terminal.resize(50, 120)
        terminal.expect("50 120")

    def test_keys_that_send_signals_reach_the_program(self) -> None:
        for key, name, number in ((b"\x03", "INT", 2), (b"\x1c", "QUIT", 3)):
            with Terminal(self, "run", "sh", "-c", f"trap 'echo got {name}; exit 9' {name}; echo started; while :; do sleep 0.1; done") as terminal:
                terminal.expect("started")
                terminal.type(key)
                terminal.expect(f"got {name}")
                self.assertEqual(terminal.end()[0], 9)
            with Terminal(self, "run", "sh", "-c", "echo started; exec sleep 1000") as terminal:
                terminal.expect("started")
                terminal.type(key)
                self.assertEqual(terminal.end()[0], 128 + number)
        self.assert_only_init_inside()

    def test_end_of_input_and_detach_keys_are_keys_like_others(self) -> None:
        terminal = self.terminal("sh", "-c", "stty raw -echo; echo started; dd bs=1 count=5 2>/dev/null | od -An -tx1")
        terminal.expect("started")
        terminal.type(b"\x10\x10\x11\x04\x1a")  # Ctrl-P Ctrl-P Ctrl-Q Ctrl-D Ctrl-Z
        terminal.expect("10 10 11 04 1a")
        self.assertEqual(terminal.end()[0], 0)

    def test_end_of_input_ends_a_shell(self) -> None:
        terminal = self.terminal()
        terminal.expect("[#$] ")
        terminal.type("exit 6\n")
        self.assertEqual(terminal.end()[0], 6)

    def test_text_of_all_alphabets_passes(self) -> None:
        terminal = self.terminal("sh", "-c", 'echo "ä€漢😀"; read line; echo "got $line"')
        terminal.expect("ä€漢😀\r\n")
        terminal.type("ß漢😀\n")
        terminal.expect("got ß漢😀\r\n")

    def test_program_has_a_controlling_terminal_of_its_own(self) -> None:
        """None of this side's: a child that is left behind must never read what is typed here later."""
        script = "tty; echo x > /dev/tty; for fd in /proc/*/fd/*; do readlink $fd; done | grep -E 'pts|tty' | sort -u"
        _, text = self.terminal("sh", "-c", script).end()
        own = text.splitlines()[0]
        self.assertRegex(own, r"^/dev/pts/\d+$|^/dev/console$")
        self.assertIn("x", text.splitlines())
        host = os.ttyname(self.enterContext(Terminal(self, "run", "true")).slave)
        names = {line for line in text.splitlines() if line.startswith("/dev/pts/")}
        self.assertLessEqual(names, {own, "/dev/pts/ptmx", "/dev/ptmx"}, f"this side's was {host}")

    def test_child_left_behind_reads_nothing_that_is_typed_later(self) -> None:
        with Terminal(self, "run", "sh", "-c", "setsid sh -c 'cat > /workspace/stolen' < /dev/tty & sleep 0.3; echo started") as terminal:
            terminal.expect("started")
            terminal.end()
            terminal.type("my password\n")
            time.sleep(0.5)  # there is no event for something that must not happen
        stolen = os.path.join(self.work.project, "stolen")
        self.assertFalse(os.path.exists(stolen) and os.path.getsize(stolen))

    def test_modes_of_the_terminal_are_restored(self) -> None:
        for arguments, end in ((("true",), None), (("no-such-command",), None), (("sleep", "1000"), signal.SIGTERM), (("sleep", "1000"), signal.SIGHUP)):
            with self.subTest(arguments=arguments, end=end), Terminal(self, "run", *arguments) as terminal:
                if end is not None:
                    program.wait_until(lambda terminal=terminal: terminal.modes_now() != terminal.modes, "raw mode")
                    program.wait_until(self.processes_inside, "the command")
                    terminal.process.send_signal(end)
                terminal.end()
                self.assertEqual(terminal.modes_now(), terminal.modes)

    def test_message_of_a_command_that_does_not_start_is_a_line_of_its_own(self) -> None:
        code, text = self.terminal("no-such-command").end()
        self.assertEqual(code, 127)
        self.assertRegex(text, r"\Aalca: no-such-command: command not found(\r\n|\n\r)\Z")

    def test_crash_restores_the_terminal(self) -> None:
        with Terminal(self, "run", "sleep", "1000") as terminal:
            program.wait_until(lambda: terminal.modes_now() != terminal.modes, "raw mode")
            terminal.process.send_signal(signal.SIGSEGV)
            code, text = terminal.end()
            self.assertEqual(code, -signal.SIGSEGV)
            self.assertIn("alca: crashed", text)
            self.assertEqual(terminal.modes_now(), terminal.modes)
        self.assert_only_init_inside()

    def test_closed_terminal_leaves_no_process_inside(self) -> None:
        terminal = self.terminal("sh", "-c", "trap '' HUP TERM INT; echo started; while :; do sleep 1; done")
        terminal.expect("started")
        terminal.hang_up()
        terminal.process.wait(10)
        self.assert_only_init_inside(timeout_s=5)

    def test_pipe_on_either_side_means_no_terminal(self) -> None:
        for options in ({"stdin": subprocess.DEVNULL}, {"stdout": subprocess.PIPE}):
            master, slave = pty.openpty()
            process = self.work.start("run", "sh", "-c", "test -t 0 || test -t 1 || exit 3", **{"stdin": slave, "stdout": slave, **options})
            self.assertEqual(process.wait(20), 3)
            process.communicate()
            os.close(master)
            os.close(slave)
        with Terminal(self, "run", "-T", "sh", "-c", "test -t 0 || exit 3") as terminal:
            self.assertEqual(terminal.end()[0], 3)

    def test_suspended_program_does_not_suspend_alca(self) -> None:
        terminal = self.terminal("sh", "-ic", "echo started; sleep 1000; echo back; kill -KILL %1; sleep 1; jobs; exit 4")
        terminal.expect("started")
        # The shell has said so before its child runs: a key that comes too early stops nobody.
        for _ in range(20):
            terminal.type(b"\x1a")
            if terminal.sees("back", 0.5):
                break
        self.assertEqual(terminal.end()[0], 4)


class TerminalByEngineTest(TerminalTest):
    RUN_BY = "engine"


class QuestionTest(SandboxTest):
    def test_powers_are_asked_for_on_a_terminal(self) -> None:
        self.configure('[network]\nlan-access = ["*"]\n')
        for answer, code in (("n", 1), ("", 1), ("y", 0)):
            with Terminal(self, "up") as terminal:
                terminal.expect(r"Approve these powers for this project\? \[y/N\] ")
                terminal.type(f"{answer}\n")
                self.assertEqual(terminal.end(60)[0], code)
        self.assertEqual(len(self.containers()), 1)

    def test_rebuild_is_asked_for_on_a_terminal(self) -> None:
        self.up()
        container = self.containers()
        self.configure('workdir = "/src"\n')
        for answer, rebuilt in (("n", False), ("y", True)):
            with Terminal(self, "up") as terminal:
                terminal.expect(r"Rebuild container with new configuration\? \[y/N\] ")
                terminal.type(f"{answer}\n")
                self.assertEqual(terminal.end(60)[0], 0)
            self.assertEqual(self.containers() != container, rebuilt)


if __name__ == "__main__":
    program.main()
