"""What an engine's exec loses, and what `alca run` makes of it: the same cases by both, printed as one table.

Asserted is our column; the engine's is for the reader, and differs from version to version.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable

from sandbox import SandboxTest, program, require_engine
from terminal_test import Terminal

TRIES = 10
Start = Callable[..., "subprocess.Popen[bytes]"]


def setUpModule() -> None:
    require_engine()


class FactsTest(SandboxTest):
    def setUp(self) -> None:
        super().setUp()
        self.up("-q")
        self.table: list[tuple[str, str, str]] = []

    def by_engine(self, *argv: "str | bytes", flags: tuple[str, ...] = ("-i",)) -> list["str | bytes"]:
        return ["docker", "exec", *flags, self.name, *argv]

    def start_by_engine(self, *argv: "str | bytes") -> "subprocess.Popen[bytes]":
        return subprocess.Popen(self.by_engine(*argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def start_ours(self, *argv: "str | bytes") -> "subprocess.Popen[bytes]":
        return self.work.start("run", *argv)

    def case(self, what: str, expected: str, observe: Callable[[Start], str]) -> None:
        ours = observe(self.start_ours)
        with contextlib.suppress(subprocess.SubprocessError):
            self.table.append((what, observe(self.start_by_engine), ours))
        self.end_all_inside()
        with self.subTest(case=what):
            self.assertEqual(ours, expected)

    def end_all_inside(self) -> None:
        subprocess.run(["docker", "exec", self.name, "sh", "-c", "kill -9 -1"], capture_output=True, check=False)
        self.assert_only_init_inside()

    def marked(self) -> int:
        return sum("sleep 4321" in line or "yes" in line.split()[:1] for line in self.processes_inside())

    # --- cases

    @staticmethod
    def outcome(*argv: "str | bytes") -> Callable[[Start], str]:
        def observe(start: Start) -> str:
            done = program.finish(start(*argv), 30)
            return f"{done.code}, on {'stderr' if done.err else 'stdout' if done.out else 'neither'}"

        return observe

    def killed(self, number: int, script: str) -> Callable[[Start], str]:
        def observe(start: Start) -> str:
            process = start("sh", "-c", f"{script} echo started; sleep 4321")
            process.stdout.readline()
            process.send_signal(number)
            process.communicate(timeout=30)
            time.sleep(3)
            return f"{self.marked()} processes live on"

        return observe

    def reader_gone(self, start: Start) -> str:
        process = start("yes")
        process.stdout.read(10)
        process.stdout.close()
        time.sleep(1)
        left = self.marked()
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stderr.close()
        return f"{left} processes live on"

    def late(self, start: Start) -> str:
        begun = time.monotonic()
        process = start("sh", "-c", "(sleep 2; echo late) & exit 5")
        code = process.wait(30)
        at_once = "at once" if time.monotonic() - begun < 1 else "late"
        out, _ = process.communicate(timeout=30)
        return f"{code} {at_once}, output {'whole' if out else 'lost'}"

    def bytes_in_argument(self, start: Start) -> str:
        out, _ = start("printf", "%s", b"a\xffb").communicate(timeout=30)
        return "exact" if out == b"a\xffb" else f"changed to {out!r}"

    def test_nothing_is_lost(self) -> None:
        self.case("command not found", "127, on stderr", self.outcome("no-such-command"))
        self.case("not executable", "126, on stderr", self.outcome("/etc/passwd"))
        self.case("client gets TERM", "0 processes live on", self.killed(signal.SIGTERM, ""))
        self.case("client is killed", "0 processes live on", self.killed(signal.SIGKILL, "trap '' HUP TERM; setsid sleep 4321 &"))
        self.case("run yes | head -1", "0 processes live on", self.reader_gone)
        self.case("(sleep 2; echo late) & exit 5", "5 at once, output whole", self.late)
        self.case("argument that is not UTF-8", "exact", self.bytes_in_argument)
        self.first_size()
        self.detach_keys()
        width = max(len(row[1]) for row in self.table)
        print()
        for what, theirs, ours in [("case", "docker exec", "alca run"), *self.table]:
            print(f"{what:<32}{theirs:<{width + 2}}{ours}")

    def first_size(self) -> None:
        right = [0, 0]
        for number in range(TRIES):
            rows = 30 + number
            with Terminal(self, "run", "stty", "size", rows=rows) as terminal:
                right[1] += f"{rows} " in terminal.end()[1]
            with Terminal(self, rows=rows, program=self.by_engine("stty", "size", flags=("-it",))) as terminal:
                right[0] += f"{rows} " in terminal.end()[1]
        self.table.append(("first size of a terminal", *(f"{count} of {TRIES} right" for count in right)))
        self.assertEqual(right[1], TRIES)

    def detach_keys(self) -> None:
        seen = []
        command = ("sh", "-c", "stty -ixon; cat -v")
        for terminal in (Terminal(self, program=self.by_engine(*command, flags=("-it",))), Terminal(self, "run", *command)):
            with terminal:
                time.sleep(0.5)
                terminal.type(b"\x10\x11\n")
                seen.append("pass" if terminal.sees(r"\^P\^Q", 2) else "detach")
        self.table.append(("keys Ctrl-P Ctrl-Q", *seen))
        self.assertEqual(seen[1], "pass")


if __name__ == "__main__":
    program.main()
