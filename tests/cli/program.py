"""Runs the built alca as a user does, each test with a home, a state directory and a project of its own.

The program is the one of ALCA_PREFIX (an installed tree), of ALCA_BIN, or of build/release.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))
EXPECTED = os.path.join(HERE, "expected")
TIMEOUT_S = 120.0
SKIPPED = 77  # SKIP_RETURN_CODE of each test program


def program_prefix() -> str:
    """The tree with bin/alca, lib/alca/plugins and libexec/alca."""
    if os.environ.get("ALCA_PREFIX"):
        return os.environ["ALCA_PREFIX"]
    program = os.environ.get("ALCA_BIN", os.path.join(REPOSITORY, "build", "release", "bin", "alca"))
    return os.path.dirname(os.path.dirname(os.path.abspath(program)))


def copy_tree(directory: str) -> str:
    """A copy of the program with its parts, to be changed by a test. Returns its prefix."""
    for part in ("bin/alca", "lib/alca/plugins", "libexec/alca"):
        source, target = os.path.join(program_prefix(), part), os.path.join(directory, part)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.isdir(source):
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
    return directory


def wait_until(condition: Callable[[], object], what: str, timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s:.0f} s")
        time.sleep(0.02)


@dataclass(frozen=True)
class Outcome:
    """What a finished command left: exit code (-n: ended by signal n) and what it printed."""

    code: int
    out: str
    err: str


class Workspace:
    """A directory with home, state and project, in which alca is run. Errors of the test: AssertionError.

    engine: value of DOCKER_HOST; without one no engine can be found.
    """

    def __init__(self, root: str, engine: str = "", prefix: str = "") -> None:
        self.root = os.path.realpath(root)
        self.prefix = prefix or program_prefix()
        self.home = self._make("home")
        self.state = self._make("state")
        self.project = self._make("project")
        self.engine = engine or f"unix://{self.root}/no-engine.sock"

    def _make(self, name: str) -> str:
        path = os.path.join(self.root, name)
        os.mkdir(path, 0o755)
        return path

    @property
    def program(self) -> str:
        return os.path.join(self.prefix, "bin", "alca")

    def environment(self, **variables: str | None) -> dict[str, str]:
        """None removes a variable."""
        base: dict[str, str | None] = {
            "PATH": os.environ["PATH"],
            "HOME": self.home,
            "XDG_STATE_HOME": self.state,
            "LANG": "C.UTF-8",
            "DOCKER_HOST": self.engine,
        }
        base.update(variables)
        return {name: value for name, value in base.items() if value is not None}

    def configure(self, text: str | bytes) -> str:
        """Writes .alca.toml. Returns its path."""
        path = os.path.join(self.project, ".alca.toml")
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return path

    def start(self, *arguments: str | bytes, cwd: str = "", env: dict[str, str | None] | None = None,
              wrapper: tuple[str, ...] = (), **options: object) -> "subprocess.Popen[bytes]":  # fmt: skip
        """wrapper: a command line that runs the program as its last words."""
        settings: dict[str, object] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([*wrapper, self.program, *arguments], cwd=cwd or self.project,
                                env=self.environment(**(env or {})), **{**settings, **options})  # fmt: skip

    def run(self, *arguments: str | bytes, timeout_s: float = TIMEOUT_S, data: bytes | None = None,
            **options: object) -> Outcome:  # fmt: skip
        """Runs alca to its end. data: its standard input; empty without."""
        if data is not None:
            options["stdin"] = subprocess.PIPE
        process = self.start(*arguments, **options)
        return finish(process, timeout_s, data)

    def hide_root(self, text: str) -> str:
        return text.replace(self.root, "$ROOT")


def finish(process: "subprocess.Popen[bytes]", timeout_s: float = TIMEOUT_S, data: bytes | None = None) -> Outcome:
    try:
        out, err = process.communicate(data, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        # With what it has started, if it leads a group: those hold the other ends of the pipes.
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"did not end within {timeout_s:.0f} s: {process.args}\n{out!r}\n{err!r}") from None
    return Outcome(process.returncode, *((text or b"").decode(errors="surrogateescape") for text in (out, err)))


class AlcaTest(unittest.TestCase):
    """A test with a workspace. Files in `expected` beside the tests hold output that must not change by accident."""

    maxDiff = None

    def setUp(self) -> None:
        self.work = self.make_workspace()

    def make_workspace(self, **options: str) -> Workspace:
        return Workspace(self.enterContext(tempfile.TemporaryDirectory(prefix="alca-test-")), **options)

    def assert_outcome(self, outcome: Outcome, code: int, out: str | None = None, err: str | None = None) -> None:
        """out, err: exact text; None is not looked at."""
        self.assertEqual(outcome.code, code, outcome)
        if out is not None:
            self.assertEqual(outcome.out, out)
        if err is not None:
            self.assertEqual(outcome.err, err)

    def assert_expected(self, name: str, text: str) -> None:
        """Compares with expected/NAME. ALCA_UPDATE_EXPECTED=1 writes the file instead."""
        path = os.path.join(EXPECTED, name)
        shown = self.work.hide_root(text)
        if os.environ.get("ALCA_UPDATE_EXPECTED") == "1":
            with open(path, "w", encoding="utf-8") as file:
                file.write(shown)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(shown, file.read(), f"differs from {path}")

    def assert_error_text(self, text: str) -> None:
        """The form of every message: "alca: ", lower case, no full stop."""
        first = text.splitlines()[0] if text else ""
        self.assertRegex(first, r"^alca: \S")
        self.assertNotRegex(text.rstrip("\n"), r"[.!]$")

    def assert_nothing_left(self) -> None:
        """Neither a state file nor a copy of one in the project."""
        states = [os.path.join(path, name) for path, _, names in os.walk(self.work.state)
                  for name in names if name.endswith(".json")]  # fmt: skip
        self.assertEqual(states, [])
        self.assertFalse(os.path.lexists(os.path.join(self.work.project, ".alca", "state.json")))


def uuid_pattern() -> "re.Pattern[str]":
    return re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def main() -> None:
    """Runs the tests of the calling file. Exit 77 when each of them was skipped."""
    result = unittest.main(module="__main__", exit=False, verbosity=2).result
    for test, reason in result.skipped:
        print(f"skipped: {test}: {reason}", file=sys.stderr)
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if result.skipped and len(result.skipped) >= result.testsRun else 0)
