"""Tests on a real engine: a project with a sandbox, and what is left of it in engine, kernel and process table."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import unittest
from collections.abc import Callable, Iterator
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, "cli"), os.path.join(TESTS, "support", "engine_proxy")]

import engine_proxy as proxy  # noqa: E402
import program  # noqa: E402

IMAGE = "alca-test-busybox"
DEFAULT_ENGINE = "unix:///var/run/docker.sock"
TABLE = ("inet", "alca")
PROGRAMS = os.environ.get("ALCA_TEST_PROGRAMS", os.path.join(program.REPOSITORY, "build", "release", "tests", "programs"))


def engine_url() -> str:
    return os.environ.get("DOCKER_HOST") or DEFAULT_ENGINE


def require_engine() -> None:
    """For setUpModule. Skips with the reason when no engine can be had."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root: network rules")
    done = subprocess.run(["docker", "version"], env=os.environ | {"DOCKER_HOST": engine_url()}, capture_output=True,
                          text=True, check=False)  # fmt: skip
    if done.returncode != 0:
        raise unittest.SkipTest(f"no engine answers at {engine_url()}; run: scripts/engines start")


def test_program(name: str) -> str:
    """Path of a program of tests/engine/programs."""
    path = os.path.join(PROGRAMS, name)
    if not os.path.exists(path):
        raise unittest.SkipTest(f"not built: {path}")
    return path


def processes() -> Iterator[tuple[int, str]]:
    """Of this machine: pid and command line."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            yield int(pid), file.read().replace(b"\0", b" ").decode(errors="replace")


class SandboxTest(program.AlcaTest):
    """A test with a project of its own. What it makes is removed at its end, also when it fails.

    RUN_BY: value of ALCA_RUN_BY; "" for the best way there is.
    """

    RUN_BY = ""

    def setUp(self) -> None:
        self.work = self.make_workspace(engine=engine_url())
        environment = self.work.environment
        self.work.environment = lambda **variables: environment(  # type: ignore[method-assign]
            **{"ALCA_RUN_BY": self.RUN_BY or None, **variables})  # fmt: skip
        self.configure()
        self.addCleanup(self.remove_all)

    # --- the program

    def configure(self, text: str = "", image: str = IMAGE) -> str:
        return self.work.configure(f'image = "{image}"\nruntime = "docker"\n{text}')

    def up(self, *arguments: str, **options: Any) -> program.Outcome:
        outcome = self.work.run("up", *arguments, **options)
        self.assert_outcome(outcome, 0)
        return outcome

    def alca_run(self, *argv: str | bytes, **options: Any) -> program.Outcome:
        return self.work.run("run", *argv, **options)

    def output(self, *argv: str | bytes, **options: Any) -> str:
        """What a command prints that must succeed."""
        outcome = self.alca_run(*argv, **options)
        self.assert_outcome(outcome, 0)
        return outcome.out

    def status(self, code: int = 0) -> dict[str, Any]:
        outcome = self.work.run("status", "--json")
        self.assert_outcome(outcome, code)
        return json.loads(outcome.out)

    @property
    def state_files(self) -> list[str]:
        directory = os.path.join(self.work.state, "alca", "projects")
        names = os.listdir(directory) if os.path.isdir(directory) else []
        return [os.path.join(directory, name) for name in names if name.endswith(".json")]

    def state(self) -> dict[str, Any]:
        """The trusted state of this project."""
        for path in self.state_files:
            with open(path, encoding="utf-8") as file:
                state = json.load(file)
            if self.work.project in json.dumps(state, ensure_ascii=False) or len(self.state_files) == 1:
                return state
        raise AssertionError(f"no state of {self.work.project}")

    @property
    def name(self) -> str:
        """Of container and network."""
        return self.state()["container_name"]

    @property
    def interface(self) -> str:
        return self.state()["network"]["interface"]

    # --- the engine and the kernel, asked without alca

    def command(self, *argv: str) -> str:
        done = subprocess.run(argv, env=os.environ | {"DOCKER_HOST": engine_url()}, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def docker(self, *arguments: str) -> str:
        return self.command("docker", *arguments)

    def inspect(self, name: str = "") -> dict[str, Any]:
        return json.loads(self.docker("inspect", "--type", "container", name or self.name))[0]

    def containers(self) -> list[str]:
        """Ids of this project's containers."""
        return self.docker("ps", "-aq", "--no-trunc", "--filter", f"label=alca.project.path={self.work.project}").split()

    def networks(self) -> list[str]:
        with contextlib.suppress(AssertionError):
            return self.docker("network", "ls", "-q", "--filter", f"label=alca.project.id={self.state()['project_id']}").split()
        return []

    def rules(self) -> str:
        """Our table, "" when there is none."""
        done = subprocess.run(["nft", "-s", "list", "table", *TABLE], capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else ""

    def has_rules(self, interface: str = "") -> bool:
        return f'"{interface or self.interface}"' in self.rules()

    def leftovers(self) -> list[str]:
        """Everything of this project that is still there."""
        found = [f"container {name}" for name in self.containers()]
        found += [f"network {name}" for name in self.networks()]
        if self.state_files and self.has_rules():
            found.append(f"rules for {self.interface}")
        found += [f"process {pid}: {line}" for pid, line in processes()
                  if self.work.root in line and "engine_proxy.py" not in line]  # fmt: skip
        if os.path.exists(os.path.join(self.work.project, ".alca", "state.json")) and self.state_files:
            if self.state()["phase"] == "absent" and any(line.startswith("container") for line in found):
                found.append("a state that says absent")
        return found

    def assert_all_gone(self) -> None:
        self.assertEqual(self.leftovers(), [])

    def remove_all(self) -> None:
        """By alca, then by force, so that one failed test does not disturb the others."""
        for pid, line in processes():
            if line.startswith(self.work.program) and self.work.root in environment_of(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(AssertionError):
            self.work.run("down", env={"DOCKER_HOST": engine_url()})
        for container in self.containers():
            self.docker("rm", "-fv", container)
        for network in self.networks():
            self.docker("network", "rm", network)

    # --- inside

    def inside(self, script: str, user: str = "") -> str:
        """Runs a script by the engine's own exec: what the sandbox is, whatever alca says."""
        return self.docker("exec", *(["--user", user] if user else []), self.name, "sh", "-c", script)

    def processes_inside(self) -> list[str]:
        """Command lines in the sandbox, without PID 1 and the one that asks."""
        lines = [line.split(maxsplit=1) for line in self.docker("top", self.name, "-eo", "pid,args").splitlines()[1:]]
        init = str(self.inspect()["State"]["Pid"])
        return [command for pid, command in lines if pid != init]

    def assert_only_init_inside(self, timeout_s: float = 5.0) -> None:
        deadline = time.monotonic() + timeout_s
        while (lines := self.processes_inside()) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(lines, [])


def environment_of(pid: int) -> str:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
        return file.read().decode(errors="replace")
    return ""


def steps_of(outcome: program.Outcome) -> list[str]:
    """The progress lines of `up`, in order."""
    return re.findall(r"(?m)^[→✓] (.*)$", outcome.out)


@contextlib.contextmanager
def engine_proxy(test: SandboxTest, *arguments: str) -> "Iterator[Callable[[], list[str]]]":
    """The engine through tests/support/engine_proxy; the workspace uses it. Gives the requests seen so far."""
    path = os.path.join(test.work.root, "proxy.sock")
    log = os.path.join(test.work.root, "proxy.log")
    script = os.path.join(TESTS, "support", "engine_proxy", "engine_proxy.py")
    with open(log, "wb") as file:
        process = subprocess.Popen([sys.executable, script, "--listen", path, "--engine", engine_url().removeprefix("unix://"),
                                    *arguments], stdout=file, start_new_session=True)  # fmt: skip

    def requests() -> list[str]:
        with open(log, encoding="utf-8") as lines:
            return lines.read().splitlines()[1:]

    before = test.work.engine
    try:
        program.wait_until(lambda: os.path.exists(path), "the proxy")
        test.work.engine = f"unix://{path}"
        yield requests
    finally:
        test.work.engine = before
        process.kill()
        process.wait()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


class WatchedEngine:
    """The engine through a proxy in this process, which calls on_request(number, "METHOD PATH") before it passes a request on."""

    def __init__(self, test: SandboxTest, on_request: Callable[[int, str], None]) -> None:
        self.path = os.path.join(test.work.root, "watched.sock")
        self.count = 0
        self.open = 0  # requests that the engine has not answered yet
        self._lock = threading.Lock()
        self._on_request = on_request
        options = proxy.parse(["--listen", self.path, "--engine", engine_url().removeprefix("unix://")])
        self._thread = threading.Thread(target=self._serve, args=(options,), daemon=True)
        self._thread.start()
        program.wait_until(lambda: os.path.exists(self.path), "the proxy")

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    def _serve(self, options: "proxy.Options") -> None:
        watched = self
        proxy.print = lambda *_, **__: None  # its list of requests would be in the middle of ours

        class Connection(proxy.Connection):
            def _pass_request(self, head: bytes, *arguments: object) -> None:
                watched.see(head)
                try:
                    super()._pass_request(head, *arguments)
                finally:
                    watched.open -= 1

            def _pass_stream(self, head: bytes, *arguments: object) -> None:
                watched.see(head)
                watched.open -= 1
                super()._pass_stream(head, *arguments)

        listener = proxy.socket.socket(proxy.socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen(64)
        while True:
            client, _ = listener.accept()
            threading.Thread(target=Connection(client, options, lambda: None).serve, daemon=True).start()

    def see(self, head: bytes) -> None:
        with self._lock:
            self.count += 1
            self.open += 1
            number = self.count
        self._on_request(number, head.split(b" HTTP", 1)[0].decode())
