"""For tests of ways around the rules: packets made by hand, sent in the sandbox's namespace and counted at the targets.

A sandbox has no right to send such packets; the machine's root in the sandbox's namespace has. The layer `host` must hold
against him. The layer `inside` is passed by frames, as docs/reference/network.md says, and must hold against raw sockets.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lab_sandbox import HERE, LabTest, program, topology  # isort: skip
import packets  # isort: skip

LAN, LAN6 = "192.168.77.2", "fd77::2"
METADATA = "169.254.169.254"
INTERNET, INTERNET6 = "203.0.113.5", "2001:db8:113::5"
MACHINE_LAN = "192.168.77.10"
FOREIGN, PUBLIC = "10.9.9.9", "203.0.113.99"  # addresses that nobody has
SETTLE_S = 0.3  # no packet in the lab takes longer


@dataclass(frozen=True)
class Attempt:
    """name: the mark in the packet. arrives: where it must be seen when no rules are there; "" with the reason in a comment."""

    name: str
    data: bytes
    arrives: str
    way: str = "raw"

    def by(self, way: str, data: bytes) -> "Attempt":
        """The same packet sent otherwise. The mark stays: the two are never sent together."""
        return Attempt(self.name, data, self.arrives, way)


class Wire:
    """Listens at the machine (what it accepts), at each host around it and at the containers with these pids."""

    def __init__(self, lab: Any, pids: dict[str, int]) -> None:
        specs = [{"name": host.name, "netns": lab._network.path(host.name), "delivered": False} for host in topology.HOSTS]
        specs.append({"name": topology.MACHINE, "netns": lab._network.path(topology.MACHINE), "delivered": True})
        for name, pid in pids.items():
            specs.append({"name": name, "netns": f"/proc/{pid}/ns/net", "delivered": name.endswith(" delivered")})
        line = lab.command(topology.MACHINE, sys.executable, os.path.join(HERE, "listen_packets.py"), *map(json.dumps, specs))
        self._process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise AssertionError("nobody listens")

    def seen(self) -> dict[str, dict[str, int]]:
        """Packets by host and mark since the last question; without hosts that have seen none."""
        time.sleep(SETTLE_S)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return {host: counts for host, counts in json.loads(self._process.stdout.readline()).items() if counts}

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class BypassTest(LabTest):
    def setUp(self) -> None:
        super().setUp()
        # Connections of an earlier sandbox with the same address: packets of protocols without ports would clash with them in NAT.
        self.command(sys.executable, os.path.join(HERE, "forget_connections.py"))

    def pid(self, container: str = "") -> int:
        return int(self.docker("inspect", "-f", "{{.State.Pid}}", container or self.name))

    def in_sandbox(self, *command: str) -> str:
        """As the machine's root with all capabilities, in the sandbox's network."""
        return self.command("nsenter", f"--net=/proc/{self.pid()}/ns/net", "--", *command)

    def listen(self, **pids: int) -> Wire:
        wire = Wire(self.lab, pids)
        self.addCleanup(wire.close)
        return wire

    def address(self, container: str = "", key: str = "IPAddress") -> str:
        (network,) = self.inspect(container)["NetworkSettings"]["Networks"].values()
        return network[key]

    def mac_of_bridge(self) -> str:
        return self.command("cat", f"/sys/class/net/{self.interface}/address").strip()

    def mac_inside(self) -> str:
        (network,) = self.inspect()["NetworkSettings"]["Networks"].values()
        return network["MacAddress"]

    def send(self, attempts: Sequence[Attempt]) -> dict[str, int]:
        """What the kernel said to each, by name."""
        line = ("nsenter", f"--net=/proc/{self.pid()}/ns/net", "--", sys.executable, os.path.join(HERE, "send_packets.py"), "eth0")
        items = json.dumps([{"way": attempt.way, "data": attempt.data.hex()} for attempt in attempts])
        answers = json.loads(self.lab.run(topology.MACHINE, *line, stdin=items))
        return dict(zip((attempt.name for attempt in attempts), answers, strict=True))

    def as_frames(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        there, here = self.mac_of_bridge(), self.mac_inside()
        return [attempt.by("frame", packets.frame(there, here, attempt.data)) for attempt in attempts]

    def set_sysctl(self, name: str, value: str) -> None:
        """On the machine, until the test ends."""
        before = self.command("sysctl", "-n", name).strip()
        self.command("sysctl", "-qw", f"{name}={value}")
        self.addCleanup(self.set_back, name, before)

    def set_back(self, name: str, value: str) -> None:
        with contextlib.suppress(AssertionError):  # settings of the sandbox's bridge go with it
            self.command("sysctl", "-qw", f"{name}={value}")

    def remove_rules(self) -> None:
        """Both layers."""
        if self.rules():
            self.command("nft", "delete", "table", "inet", "alca")
        self.in_sandbox("nft", "flush", "ruleset")

    def assert_kept(self, wire: Wire, attempts: Sequence[Attempt]) -> None:
        """None of the attempts is seen anywhere, and the counters of the lab agree."""
        wire.seen()
        self.lab.counters(reset=True)
        said = self.send(attempts)
        self.assertEqual(wire.seen(), {}, said)
        self.assertEqual(self.arrived(), {}, said)

    def assert_arrive(self, wire: Wire, attempts: Sequence[Attempt]) -> None:
        """The control: without rules each of the attempts is seen where it says."""
        wire.seen()
        said = self.send(attempts)
        seen = wire.seen()
        missing = [attempt.name for attempt in attempts if attempt.arrives and attempt.name not in seen.get(attempt.arrives, {})]
        self.assertEqual(missing, [], (said, seen))


@contextlib.contextmanager
def background(line: Sequence[str], **options: Any) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


__all__ = ["Attempt", "BypassTest", "Wire", "background", "program"]
