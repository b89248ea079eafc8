"""One lab: a private engine in a network namespace without a way out, and the hosts around it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import topology
from data_root import DataRoot, mark_clean
from machine import RESTART
from network import Network, add_counters, in_namespace, read_counters, run

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
POOL = os.path.join(PROJECT, "build", "lab")
REGISTRY = "/run/alca-lab"  # one directory per lab; `sweep` looks here
RECORD = "lab.json"
IMAGE = "alca-test-busybox"
ENGINE_TIMEOUT_S = 60.0
NEIGHBOURS = {"neighbour": "bridge", "sibling": "lab-sibling"}  # container name to network


@dataclass
class Process:
    """A process of this machine. The start time (clock ticks since boot) tells a re-used pid apart."""

    pid: int
    start_time: int

    @classmethod
    def of(cls, pid: int) -> "Process":
        return cls(pid, start_time_of(pid) or 0)

    def is_alive(self) -> bool:
        return self.pid > 0 and start_time_of(self.pid) == self.start_time


@dataclass
class Record:
    """What is needed to use a lab from another process, and to remove it after a crash."""

    lab_id: str
    state: str
    owner: Process
    pid_namespace: int  # where the pids in here mean something: outside of the machine
    machine: Process = field(default_factory=lambda: Process(0, 0))
    data_root: str = ""
    targets: list[dict[str, object]] = field(default_factory=list)
    neighbours: dict[str, int] = field(default_factory=dict)  # container name to pid inside the machine


def start_time_of(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            # The name may hold brackets and spaces: count behind its end. A zombie has ended.
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def pid_namespace() -> int:
    return os.stat("/proc/self/ns/pid").st_ino


def wait_until(condition: Any, timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} within {timeout_s:.0f} s")
        time.sleep(0.02)


@contextlib.contextmanager
def ignored_signals() -> Iterator[None]:
    """A second Ctrl-C does not stop a clean-up half way. Programs started inside ignore them too."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Lab:
    """Use as context manager in tests: `with Lab(state) as lab: lab.run("host", "docker", "ps")`.

    state: directory for the log; also where other processes find the lab (Lab.open). Needs root.
    engine_options: more arguments of dockerd.
    """

    def __init__(self, state: str, owner_pid: int | None = None, engine_options: tuple[str, ...] = ()) -> None:
        self._engine_options = engine_options
        self.state = os.path.abspath(state)
        owner = Process.of(owner_pid or os.getpid())
        self._record = Record("", self.state, owner, pid_namespace())
        self._children: list[subprocess.Popen[bytes]] = []  # to be reaped: they end with the machine

    @classmethod
    def open(cls, state: str) -> "Lab":
        """A lab that another process brought up. Errors: RuntimeError if there is none."""
        return cls._load(os.path.join(state, RECORD))

    @classmethod
    def _load(cls, path: str) -> "Lab":
        try:
            with open(path, encoding="utf-8") as file:
                values = json.load(file)
        except OSError as error:
            raise RuntimeError(f"no lab at {os.path.dirname(path)}; run: lab up --state DIR") from error
        values["owner"], values["machine"] = Process(**values["owner"]), Process(**values["machine"])
        lab = cls(values["state"])
        lab._record = Record(**values)
        return lab

    @classmethod
    def registered(cls) -> list["Lab"]:
        names = os.listdir(REGISTRY) if os.path.isdir(REGISTRY) else []
        paths = (os.path.join(REGISTRY, name, RECORD) for name in names)
        return [cls._load(path) for path in paths if os.path.exists(path)]

    def __enter__(self) -> "Lab":
        return self.up()

    def __exit__(self, *_: object) -> None:
        self.down()

    # --- life

    def up(self) -> "Lab":
        """Makes everything, or nothing: what a failed or interrupted `up` has made is removed."""
        if os.path.lexists(os.path.join(self.state, RECORD)):
            raise RuntimeError(f"{self.state} has a lab already; run: lab down --state {self.state}")
        os.makedirs(self.state, exist_ok=True)
        self._register()
        try:
            self._network.create()
            self._start_machine()
            wait_until(self._engine_answers, ENGINE_TIMEOUT_S, f"private engine did not answer, see {self._log};")
            self._start_neighbours()
            self._save()
        except BaseException:
            self.down()
            raise
        return self

    def down(self) -> None:
        """Removes everything; safe to repeat, and after a crash in the middle of `up` or `down`."""
        if self._record.pid_namespace != pid_namespace():
            raise RuntimeError("the lab can not be removed from inside; run this outside of it")
        with ignored_signals():
            if self._record.machine.is_alive():
                self._stop_machine()
            self._network.remove()
            self._remove_cgroups()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.state, RECORD))
            shutil.rmtree(self._directory, ignore_errors=True)

    def is_abandoned(self) -> bool:
        """Its owner has ended. Never true in another PID namespace, where pids say nothing."""
        return self._record.pid_namespace == pid_namespace() and not self._record.owner.is_alive()

    # --- use

    @property
    def lab_id(self) -> str:
        return self._record.lab_id

    @property
    def docker_host(self) -> str:
        return f"unix://{self._directory}/docker.sock"

    @property
    def targets(self) -> list[dict[str, object]]:
        """What a sandbox may try: name, address, port, proto, class."""
        return self._record.targets

    def command(self, host: str, *command: str) -> list[str]:
        """The command line that runs a command on a host. "host" is the machine: its engine, mounts and processes."""
        if host != topology.MACHINE:
            if host not in topology.NAMESPACES:
                raise RuntimeError(f"no host '{host}'; one of: {', '.join(topology.NAMESPACES)}")
            return [*in_namespace(self._network.path(host)), *command]
        line = ["env", "-u", "DOCKER_CONTEXT", f"DOCKER_HOST={self.docker_host}", *command]
        if self._record.pid_namespace != pid_namespace():
            return line  # a test that runs on the machine is there already
        pid = self._record.machine.pid
        return ["nsenter", f"--target={pid}", "--mount", "--net", f"--pid=/proc/{pid}/ns/pid_for_children",
                f"--wdns={os.getcwd()}", "--", *line]  # fmt: skip

    def run(self, host: str, *command: str, stdin: str | None = None) -> str:
        """Runs a command on a host to its end. Errors: RuntimeError with what it printed."""
        return run(*self.command(host, *command), stdin=stdin)

    def probe(self, container: str, targets: list[dict[str, object]], timeout_s: float = 2.0) -> list[dict[str, object]]:
        """Tries targets from the network of a container of the private engine; see probe.py for the outcomes."""
        pid = self.run(topology.MACHINE, "docker", "inspect", "-f", "{{.State.Pid}}", container).strip()
        answer = self.run(topology.MACHINE, *in_namespace(f"/proc/{pid}/ns/net"), sys.executable,
                          os.path.join(HERE, "probe.py"), str(timeout_s), stdin=json.dumps(targets))  # fmt: skip
        return json.loads(answer)

    def counters(self, reset: bool = False) -> dict[str, dict[str, int]]:
        """Packets that arrived at each target since the last reset, by kind: tcp, udp, dns, icmp, other."""
        hosts = (topology.MACHINE, *(host.name for host in topology.HOSTS))
        result = {host: read_counters(self._network.path(host), reset) for host in hosts}
        for name, pid in self._record.neighbours.items():
            result[name] = read_counters(f"/proc/{pid}/ns/net", reset, self._prefix_in_machine)
        return result

    def restart_engine(self) -> None:
        """As `systemctl restart docker` does. Neighbours run again afterwards, also as targets; other containers as the engine will have it."""
        machine, pid_file = topology.MACHINE, f"{self._directory}/dockerd.pid"
        self.run(machine, "docker", "kill", *NEIGHBOURS)  # they would not hear of the end, and be waited for
        with open(pid_file, encoding="ascii") as file:
            before = file.read().strip()
        with open(f"{self._directory}/{RESTART}", "w", encoding="ascii"):
            pass
        self.run(machine, "kill", "-TERM", before)

        def is_another() -> bool:
            try:
                with open(pid_file, encoding="ascii") as file:
                    return file.read().strip() != before and self._engine_answers()
            except FileNotFoundError:
                return False

        wait_until(is_another, ENGINE_TIMEOUT_S, f"private engine did not come back, see {self._log};")
        self.run(machine, "docker", "start", *NEIGHBOURS)
        self._watch_neighbours()
        self._save()

    # --- parts

    @property
    def _network(self) -> Network:
        return Network(self._record.lab_id)

    @property
    def _directory(self) -> str:
        return os.path.join(REGISTRY, self._record.lab_id)

    @property
    def _log(self) -> str:
        return os.path.join(self.state, "machine.log")

    def _prefix_in_machine(self, path: str) -> list[str]:
        return self.command(topology.MACHINE, *in_namespace(path))

    def _register(self) -> None:
        """Takes a name that no other lab has, also none of the same process."""
        os.makedirs(REGISTRY, exist_ok=True)
        for number in range(1000):
            lab_id = f"alcalab-{os.getpid()}-{number}"
            try:
                os.mkdir(os.path.join(REGISTRY, lab_id))
            except FileExistsError:
                continue
            self._record.lab_id = lab_id
            self._save()
            os.symlink(os.path.join(self._directory, RECORD), os.path.join(self.state, RECORD))
            return
        raise RuntimeError(f"no free name in {REGISTRY}; run: lab sweep")

    def _save(self) -> None:
        path = os.path.join(self._directory, RECORD)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(asdict(self._record), file, indent=2)
        os.rename(f"{path}.new", path)

    def _start_machine(self) -> None:
        data = DataRoot(POOL)
        self._record.data_root = data.path
        specs: list[dict[str, object]] = [
            {"name": host, "netns": self._network.path(host), "ports": [topology.ECHO_PORT]}
            for host in (topology.MACHINE, *(host.name for host in topology.HOSTS))
        ]
        next(spec for spec in specs if spec["name"] == "lan2")["names"] = topology.names()
        config = {"directory": self._directory, "data_root": data.path, "specs": specs,
                  "engine_options": list(self._engine_options),
                  "cgroup_parent": f"/{self.lab_id}"}  # fmt: skip
        # --kill-child: with unshare gone the kernel ends PID 1, and with it all the rest.
        command = ["nsenter", f"--net={self._network.path(topology.MACHINE)}", "unshare", "--mount", "--pid", "--fork",
                   "--kill-child", "--mount-proc", sys.executable, os.path.join(HERE, "machine.py"), json.dumps(config)]  # fmt: skip
        with open(self._log, "wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True, pass_fds=[data.lock])  # fmt: skip
        data.release()
        self._children.append(process)
        self._record.machine = Process.of(process.pid)
        self._save()

    def _engine_answers(self) -> bool:
        is_outside = self._record.pid_namespace == pid_namespace()
        if is_outside and not self._record.machine.is_alive():
            raise RuntimeError(f"the lab's machine has ended; see {self._log}")
        if not os.path.exists(f"{self._directory}/docker.sock"):
            return False
        return subprocess.run(self.command(topology.MACHINE, "docker", "version"),
                              capture_output=True, check=False).returncode == 0  # fmt: skip

    def _start_neighbours(self) -> None:
        """A container on the default bridge with a published port and one on a network of its own, with echo servers."""
        machine = topology.MACHINE
        self.run(machine, os.path.join(PROJECT, "scripts", "images"), IMAGE)
        self.run(machine, "docker", "network", "create", "--subnet", topology.SIBLING_SUBNET,
                 "--ipv6", "--subnet", topology.SIBLING_SUBNET6, NEIGHBOURS["sibling"])  # fmt: skip
        for name, network in NEIGHBOURS.items():
            publish = ["-p", f"{topology.PUBLISHED_PORT}:{topology.ECHO_PORT}"] if network == "bridge" else []
            self.run(machine, "docker", "run", "-d", "--name", name, "--net", network, *publish, IMAGE, "sleep", "1000000")
        self._watch_neighbours()

    def _watch_neighbours(self) -> None:
        """Counters, echo servers and targets of the neighbours that run now."""
        specs, targets = [], topology.fixed_targets()
        for name, network in NEIGHBOURS.items():
            details = json.loads(self.run(topology.MACHINE, "docker", "inspect", name))[0]
            pid = self._record.neighbours[name] = details["State"]["Pid"]
            add_counters(f"/proc/{pid}/ns/net", from_bridges=False, prefix=self._prefix_in_machine)
            specs.append({"name": name, "netns": f"/proc/{pid}/ns/net", "ports": [topology.ECHO_PORT]})
            targets += neighbour_targets(name, details["NetworkSettings"]["Networks"][network])
        targets += [topology.Target("neighbour", address, topology.PUBLISHED_PORT, "tcp", "neighbour")
                    for address in topology.MACHINE_ADDRESSES]  # fmt: skip
        self._record.targets = [target.to_json() for target in targets]
        self._serve_in_machine(specs)

    def _serve_in_machine(self, specs: list[dict[str, object]]) -> None:
        """Echo servers in more namespaces, as processes of the machine: they end with it."""
        command = self.command(topology.MACHINE, sys.executable, os.path.join(HERE, "services.py"), *map(json.dumps, specs))
        with open(self._log, "ab") as log:
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                      start_new_session=True)  # fmt: skip
        self._children.append(server)
        assert server.stdout is not None
        with server.stdout:
            if server.stdout.readline() != b"ready\n":
                raise RuntimeError(f"an echo server did not start; see {self._log}")

    def _stop_machine(self) -> None:
        """Orderly if the engine plays along, which keeps its images for the next lab; by force if not."""
        machine = topology.MACHINE
        with contextlib.suppress(RuntimeError):
            containers = self.run(machine, "docker", "ps", "-aq").split()
            if containers:
                self.run(machine, "docker", "rm", "-fv", *containers)
            with open(f"{self._directory}/dockerd.pid", encoding="ascii") as file:
                self.run(machine, "kill", "-TERM", file.read().strip())
            wait_until(lambda: not self._record.machine.is_alive(), ENGINE_TIMEOUT_S, "private engine did not stop")
            mark_clean(self._record.data_root)
        if self._record.machine.is_alive():
            os.kill(self._record.machine.pid, signal.SIGKILL)
        wait_until(lambda: not self._record.machine.is_alive(), ENGINE_TIMEOUT_S, "the lab's machine did not end")
        for child in self._children:
            child.wait()

    def _remove_cgroups(self) -> None:
        for hierarchy in ("", *os.listdir("/sys/fs/cgroup")):
            top = os.path.join("/sys/fs/cgroup", hierarchy, self.lab_id)
            for directory, _, _ in os.walk(top, topdown=False):
                remove_cgroup(directory)


def remove_cgroup(directory: str) -> None:
    """Its processes are dead, but the kernel may still be at it."""

    def is_removed() -> bool:
        try:
            os.rmdir(directory)
        except FileNotFoundError:
            pass
        except OSError:
            return False
        return True

    wait_until(is_removed, 10.0, f"cannot remove {directory}")


def neighbour_targets(name: str, network: dict[str, Any]) -> list[topology.Target]:
    """The container, and the machine by its addresses on the container's network."""
    who = ((name, "neighbour", "IPAddress"), (name, "neighbour", "GlobalIPv6Address"),
           (topology.MACHINE, "host", "Gateway"), (topology.MACHINE, "host", "IPv6Gateway"))  # fmt: skip
    return [topology.Target(owner, network[key], topology.ECHO_PORT, proto, kind)
            for owner, kind, key in who if network[key] for proto in ("tcp", "udp")]  # fmt: skip


def sweep() -> list[str]:
    """Removes the labs whose owner has ended. Returns their ids."""
    swept = []
    for lab in Lab.registered():
        if lab.is_abandoned():
            lab.down()
            swept.append(lab.lab_id)
    return swept
