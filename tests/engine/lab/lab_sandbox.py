"""Tests in tests/support/lab: alca runs on the lab's machine, and what arrives is counted at the targets."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
ENGINE_TESTS = os.path.dirname(HERE)
TESTS = os.path.dirname(ENGINE_TESTS)
LAB = os.path.join(TESTS, "support", "lab")
EPERM = "1"
sys.path[:0] = [ENGINE_TESTS, LAB]

from sandbox import IMAGE, SandboxTest, program, test_program  # noqa: E402, F401  isort: skip
from judge import PUBLIC_NAMES  # noqa: E402  isort: skip
from lab import Lab  # noqa: E402  isort: skip
import topology  # noqa: E402  isort: skip


def open_lab() -> Lab:
    """For setUpModule: the lab of ALCA_LAB, or one of our own until the module ends. Skips without root."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root: network namespaces")
    if os.environ.get("ALCA_LAB"):
        return Lab.open(os.environ["ALCA_LAB"])
    state = unittest.enterModuleContext(tempfile.TemporaryDirectory(prefix="alca-lab-"))
    return unittest.enterModuleContext(Lab(state))


class LabTest(SandboxTest):
    """lab: set by each module. Everything that SandboxTest asks engine and kernel is asked on the lab's machine.

    LAYERS: value of ALCA_NETWORK_LAYERS; "" for all of them.
    """

    lab: Lab
    LAYERS = ""

    def setUp(self) -> None:
        self.work = self.make_workspace(engine=self.lab.docker_host)
        machine = self.lab.command(topology.MACHINE)
        start = self.work.start
        # fmt: off
        self.work.start = lambda *arguments, cwd="", wrapper=(), **options: start(  # type: ignore[method-assign]
            *arguments, cwd=cwd, wrapper=(*in_directory(machine, cwd or self.work.project), *wrapper),
            **{"start_new_session": True, **options})
        # fmt: on
        environment = self.work.environment
        self.work.environment = lambda **variables: environment(  # type: ignore[method-assign]
            **{"ALCA_NETWORK_LAYERS": self.LAYERS or None, **variables})  # fmt: skip
        self.configure()
        self.addCleanup(self.remove_all)
        self.lab.counters(reset=True)

    def command(self, *argv: str) -> str:
        try:
            return self.lab.run(topology.MACHINE, *argv)
        except RuntimeError as error:
            raise AssertionError(str(error)) from error

    def rules(self) -> str:
        try:
            return self.lab.run(topology.MACHINE, "nft", "-s", "list", "table", "inet", "alca")
        except RuntimeError:
            return ""

    def network_inside(self) -> str:
        """All that a process with the right to it could change in the sandbox's network."""
        enter = ("nsenter", f"--net=/proc/{self.inspect()['State']['Pid']}/ns/net", "--")
        asked = (("nft", "-s", "list", "ruleset"), ("ip", "address"), ("ip", "rule"), ("ip", "route", "show", "table", "all"),
                 ("ip", "neighbour", "show", "nud", "permanent"))  # fmt: skip
        return re.sub(r"(valid|preferred)_lft \w+", "", "".join(self.command(*enter, *command) for command in asked))

    # --- what can be reached

    def outcomes(self, *kinds: str, container: str = "") -> list[dict[str, Any]]:
        """Tries the targets of these classes (all of them without) from the sandbox, and the machine by the sandbox's own gateways."""
        targets = self.lab.targets + self.gateway_targets()
        chosen = [target for target in targets if not kinds or target["class"] in kinds]
        return self.lab.probe(container or self.name, chosen)

    def gateway_targets(self) -> list[dict[str, object]]:
        gateways = self.state()["network"]["gateways"] if self.state_files else []
        return [topology.Target(topology.MACHINE, gateway, port, proto, "host").to_json()
                for gateway in gateways for proto in ("tcp", "udp") for port in (topology.ECHO_PORT, 22, 53)]  # fmt: skip

    def arrived(self) -> dict[str, int]:
        """Packets at each host that must get none, since the test began; without questions to the resolver."""
        return {name: number for name, counts in self.lab.counters().items() if name not in PUBLIC_NAMES
                and (number := sum(count for kind, count in counts.items() if kind != "dns"))}  # fmt: skip

    def assert_closed(self, outcomes: list[dict[str, Any]]) -> None:
        """The internet answers, nothing else does, and nothing arrived anywhere else."""
        reached = [outcome for outcome in outcomes if outcome["class"] != "public" and outcome["outcome"] == "answered"]
        self.assertEqual(reached, [])
        self.assertEqual(self.arrived(), {})
        public = [outcome for outcome in outcomes if outcome["class"] == "public" and ":" not in outcome["address"]]
        self.assertEqual({outcome["outcome"] for outcome in public}, {"answered"}, public)


def in_directory(machine: list[str], directory: str) -> tuple[str, ...]:
    """The command line that enters the machine, with the directory named as it is there."""
    return tuple(f"--wdns={directory}" if word.startswith("--wdns=") else word for word in machine)


def json_of(outcome: "program.Outcome") -> Any:
    return json.loads(outcome.out)


def without_net_admin(*command: str) -> tuple[str, ...]:
    """A command line whose program has every right but to change the network."""
    drop = "-net_admin"
    return ("setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}", *command)


def run_on(lab: Lab, host: str, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(lab.command(host, *command), capture_output=True, text=True, check=False)
