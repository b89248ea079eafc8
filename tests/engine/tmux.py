"""A real terminal program around a shell: tmux, with a server of its own."""

import contextlib
import fcntl
import os
import pty
import re
import shlex
import shutil
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unittest

from sandbox import SandboxTest, program, require_engine

PROMPT = r"^[#$]\s*$"  # of a shell that waits
# Of the pane, where nothing is on; the scroll region is all of it.
SANE = {"alternate_on": "0", "cursor_flag": "1", "mouse_any_flag": "0", "mouse_sgr_flag": "0", "keypad_cursor_flag": "0",
        "keypad_flag": "0", "insert_flag": "0", "scroll_region_upper": "0"}  # fmt: skip


def require_tmux() -> None:
    """For setUpModule. Skips with the reason."""
    require_engine()
    if not shutil.which("tmux"):
        raise unittest.SkipTest("no tmux here; run: scripts/setup")


class Tmux:
    """One window with a shell, without configuration. Context manager; its server ends with it."""

    def __init__(self, environment: dict[str, str], directory: str, columns: int = 90, rows: int = 30) -> None:
        """environment: of the shell; TERM and colours are tmux's own business."""
        self._sockets = tempfile.TemporaryDirectory(prefix="alca-tmux-")
        self._environment = environment | {"TMUX_TMPDIR": self._sockets.name}
        self.columns, self.rows = columns, rows
        self("-f", "/dev/null", "new-session", "-d", "-s", "main", "-x", str(columns), "-y", str(rows), "-c", directory, "sh")
        self("set-option", "-g", "default-terminal", "tmux-256color")
        self("set-option", "-g", "window-size", "manual")
        self("respawn-pane", "-k", "-t", "main", "-c", directory, "sh")  # with that terminal

    def __enter__(self) -> "Tmux":
        self.wait_for(PROMPT)
        return self

    def __exit__(self, *_: object) -> None:
        self("kill-server")
        self._sockets.cleanup()

    def __call__(self, *arguments: str, data: bytes | None = None) -> str:
        done = subprocess.run(["tmux", "-L", "test", *arguments], env=self._environment, input=data, capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"tmux {' '.join(arguments)}: {done.stderr.decode().strip()}")
        return done.stdout.decode(errors="replace")

    def attach(self, terminal: int) -> "subprocess.Popen[bytes]":
        """A client on this terminal."""
        return subprocess.Popen(["tmux", "-L", "test", "attach-session", "-t", "main"], stdin=terminal, stdout=terminal, stderr=terminal,
                                env=self._environment | {"TERM": "xterm-256color"}, start_new_session=True)  # fmt: skip

    # --- hands

    def type(self, text: str) -> None:
        self("send-keys", "-t", "main", "-l", text)

    def keys(self, *names: str) -> None:
        """By tmux's names: Enter, C-c, Up."""
        self("send-keys", "-t", "main", *names)

    def run(self, line: str) -> None:
        self.type(line)
        self.keys("Enter")

    def paste(self, text: str) -> None:
        """As a user's terminal does: bracketed where the program asked for it."""
        self("load-buffer", "-", data=text.encode())
        self("paste-buffer", "-p", "-r", "-t", "main")

    def resize(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self("resize-window", "-t", "main", "-x", str(columns), "-y", str(rows))

    # --- eyes

    def screen(self, *options: str) -> str:
        return self("capture-pane", "-p", "-t", "main", *options)

    def state(self, name: str) -> str:
        """A variable of the pane's terminal: alternate_on, cursor_flag, mouse_any_flag, cursor_x."""
        return self("display-message", "-p", "-t", "main", f"#{{{name}}}").strip()

    def wait_for(self, pattern: str, timeout_s: float = 15.0, options: tuple[str, ...] = ()) -> str:
        """Waits for it on the screen. Returns the screen."""
        deadline = time.monotonic() + timeout_s
        while not re.search(pattern, screen := self.screen(*options), re.MULTILINE):
            if time.monotonic() > deadline:
                raise AssertionError(f"{pattern!r} not within {timeout_s:.0f} s on the screen:\n{screen}")
            time.sleep(0.05)
        return screen

    def wait_for_state(self, name: str, value: str, timeout_s: float = 15.0) -> None:
        program.wait_until(lambda: self.state(name) == value, f"{name} to be {value}", timeout_s)


class AttachedClient:
    """A user's terminal on the window, for what only such a one can send. Context manager; detaches at its end."""

    def __init__(self, tmux: Tmux) -> None:
        self._tmux = tmux
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", tmux.rows + 1, tmux.columns, 0, 0))
        self._process = tmux.attach(slave)
        os.close(slave)
        # Nobody looks at what it draws, but a terminal that takes nothing would stop it.
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    def _drain(self) -> None:
        with contextlib.suppress(OSError):
            while os.read(self._master, 65536):
                pass

    def __enter__(self) -> "AttachedClient":
        program.wait_until(lambda: self._tmux("list-clients"), "the client")
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("detach-client", "-s", "main")
        self._process.wait(10)
        self._reader.join(10)
        os.close(self._master)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())


class TmuxCase(SandboxTest):
    """A test that looks at alca in a window of tmux."""

    def open_window(self, **environment: str) -> None:
        self.tmux = self.enterContext(Tmux(self.work.environment(TERM=None, **environment), self.work.project))

    def alca(self, *arguments: str) -> str:
        """A line for the shell that runs alca and shows no more than its output."""
        return "clear; " + shlex.join([self.work.program, "run", *arguments])

    def assert_usable(self) -> None:
        """The shell's terminal is as before: modes, echo, and a paste without brackets."""
        self.tmux.wait_for_state("pane_current_command", "sh")
        for name, value in SANE.items():
            self.tmux.wait_for_state(name, value)
        self.assertEqual(self.tmux.state("scroll_region_lower"), str(self.tmux.rows - 1))
        self.tmux.run("clear")
        self.tmux.wait_for(r"\A[#$]\s*\Z")
        self.tmux.paste("echo plain")
        self.tmux.keys("Enter")
        screen = self.tmux.wait_for(r"^plain$", options=("-e",))
        self.assertEqual(screen.splitlines()[:2], ["# echo plain", "plain"])
