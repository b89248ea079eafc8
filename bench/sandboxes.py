"""What is compared: a sandbox of ours, and a container on a network of its own made by the docker CLI."""

import json
import os
import pathlib
import sys
import uuid

import measure

IMAGE = "alca-test-busybox"


class Ours:
    """One project with `alca` run in it. What it keeps, it keeps in `scratch`."""

    def __init__(self, prefix, scratch):
        self.program = str(prefix / "bin/alca")
        self.prefix = prefix
        self.state = scratch / "state"
        self.project = scratch / "project"
        self.project.mkdir()
        # Every process that we start, and all that those start, can be told by it.
        self.mark = f"ALCA_BENCH={uuid.uuid4()}"
        name, _, value = self.mark.partition("=")
        self.environment = {**os.environ, "XDG_STATE_HOME": str(self.state), name: value}
        self.alca("init", "--image", IMAGE)

    def alca(self, *arguments):
        os.chdir(self.project)
        return measure.run([self.program, *arguments], self.environment)

    def up(self):
        return self.alca("up", "-q")

    def down(self):
        return self.alca("down")

    def removals(self):
        return [self.down]

    def inits(self):
        """The processes of alca-init in the sandbox."""
        program = {identity(file) for file in (self.state / "alca/helpers").iterdir()}
        return [pid for pid in processes() if is_run_from(pid, program)]

    def container(self):
        """Name of the container; known from the first `up` on."""
        copy = (self.project / ".alca/state.json").read_text(encoding="utf-8")
        return json.loads(copy)["container_name"]

    def resident(self):
        """Processes of ours that exist now: pid and resident KiB of each."""
        files = {identity(file) for top in (self.prefix, self.state) for file in top.rglob("*") if file.is_file()}
        found = {}
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                marked = self.mark.encode() in (process / "environ").read_bytes().split(b"\0")
                # In a sandbox the environment is another, but the program's file is the same.
                if marked or identity(process / "exe") in files:
                    found[int(process.name)] = resident_kib(process)
            except OSError:
                continue  # it has ended, or is a thread of the kernel
        return found


def say(text):
    print(text, file=sys.stderr, flush=True)


def processes():
    return [int(process.name) for process in pathlib.Path("/proc").glob("[0-9]*")]


def is_run_from(pid, files):
    try:
        return identity(f"/proc/{pid}/exe") in files
    except OSError:
        return False  # it has ended, or is a thread of the kernel


def identity(file):
    """The same for each way to the same file, also out of a container."""
    status = os.stat(file)
    return status.st_dev, status.st_ino


def resident_kib(process):
    for line in (process / "status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


class Theirs:
    """The same container with the docker CLI, as far as it has our options: no rules, no verification."""

    def __init__(self, scratch):
        self.name = f"alca-bench-{uuid.uuid4().hex[:12]}"
        self.project = scratch / "theirs"
        self.project.mkdir()

    def up(self):
        return measure.run(["docker", "network", "create", self.name]) + measure.run(
            ["docker", "run", "-d", "--name", self.name, "--network", self.name]
            + ["--cap-drop", "NET_RAW", "--security-opt", "no-new-privileges", "--pids-limit", "4096"]
            + ["-v", f"{self.project}:/workspace", "-w", "/workspace", IMAGE, "sleep", "infinity"]
        )

    def down(self):
        return self.remove_container() + self.remove_network()

    def remove_container(self):
        return measure.run(["docker", "rm", "-f", self.name])

    def remove_network(self):
        return measure.run(["docker", "network", "rm", self.name])

    def removals(self):
        """Each on its own, the last one first: what is there already depends on how far `up` came."""
        return [self.remove_network, self.remove_container]


def keep_busy(container):
    """Leaves a process running in the container, as an agent would."""
    measure.run(["docker", "exec", "-d", container, "sleep", "infinity"])


def inspect(container):
    return measure.run(["docker", "inspect", container])
