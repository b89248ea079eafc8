"""Each layer of network rules by each way to it: direct, through the network helper, through a container of the engine.

All with the same matrix of targets, for root and for a user who has the engine and no other right.
"""

import contextlib
import json
import os
import shutil
import subprocess

from lab_sandbox import EPERM, LabTest, json_of, open_lab, program, run_on, test_program, topology  # isort: skip

USER = 4242
HELPER = "/usr/local/libexec/alca/alca-network-helper"
BRIDGE_SWITCHES = ("net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables")
ALL_CLASSES = {"lan", "public", "cgnat", "ula", "metadata", "host", "neighbour", "onlink"}


def setUpModule() -> None:
    LabTest.lab = open_lab()


class LayersTest(LabTest):
    """WAYS: what status must say. AS_USER: alca runs without rights."""

    WAYS: tuple[tuple[str, str], ...] = ()
    AS_USER = False

    def setUp(self) -> None:
        super().setUp()
        if self.AS_USER:
            self.become_user()

    def become_user(self) -> None:
        """Of the engine's group, with no capability."""
        socket = self.lab.docker_host.removeprefix("unix://")
        group = os.stat(socket).st_gid
        if group == 0:
            os.chown(socket, 0, USER)
            self.addCleanup(os.chown, socket, 0, 0)
            group = USER
        os.chmod(self.work.root, 0o755)
        for directory in (self.work.home, self.work.state, self.work.project):
            os.chown(directory, USER, USER)
        os.chown(os.path.join(self.work.project, ".alca.toml"), USER, USER)
        self.group = group
        start = self.work.start
        drop = ("setpriv", f"--reuid={USER}", f"--regid={USER}", f"--groups={group}", "--inh-caps=-all")
        self.work.start = lambda *arguments, wrapper=(), **options: start(  # type: ignore[method-assign]
            *arguments, wrapper=(*drop, *wrapper), **options)  # fmt: skip

    def assert_ways(self) -> None:
        isolation = self.status()["isolation"]
        self.assertEqual([(layer["layer"], layer["way"]) for layer in isolation["layers"]], list(self.WAYS))
        self.assertIn(f"{len(self.WAYS)} of 2 layers", self.work.run("status").out)

    def helper_containers(self) -> str:
        return self.docker("ps", "-aq", "--filter", "label=alca.net-helper")

    def flush_inside(self) -> None:
        pid = self.docker("inspect", "-f", "{{.State.Pid}}", self.name).strip()
        self.command("nsenter", f"--net=/proc/{pid}/ns/net", "nft", "flush", "ruleset")


class Matrix:
    """The tests themselves; a class of its own, so that it is not run by itself."""

    def test_everything_but_the_internet_is_closed_whatever_bridges_do(self: LayersTest) -> None:
        self.configure("[network]\nipv6 = true\n")
        for value in ("1", "0"):
            with self.subTest(bridge_netfilter=value):
                for switch in BRIDGE_SWITCHES:
                    self.command("sysctl", "-qw", f"{switch}={value}")
                self.up("--trust")
                self.assert_ways()
                self.lab.counters(reset=True)
                outcomes = self.outcomes()
                self.assertEqual({outcome["class"] for outcome in outcomes}, ALL_CLASSES)
                self.assert_closed(outcomes)
                self.assertGreater(sum(self.lab.counters()["internet"].values()), 0)
                self.work.run("down")
                self.assert_all_gone()
        self.assertEqual(self.helper_containers(), "")
        self.assertEqual(self.rules(), "")

    def test_what_is_allowed_is_reached_and_an_edit_counts_at_once(self: LayersTest) -> None:
        lan = {"name": "lan", "address": "192.168.77.2", "port": topology.ECHO_PORT, "proto": "tcp", "class": "lan"}
        host = {**lan, "name": "host", "address": "192.168.77.10", "class": "host"}

        def reached() -> list[str]:
            return [str(outcome["address"]) for outcome in self.lab.probe(self.name, [dict(lan), dict(host)])
                    if outcome["outcome"] == "answered"]  # fmt: skip

        self.up()
        self.assertEqual(reached(), [])
        self.configure(f'[network]\nlan-access = ["192.168.77.2:{topology.ECHO_PORT}"]\n')
        self.up("--trust")
        self.assertEqual(reached(), ["192.168.77.2"])
        self.configure('[network]\nlan-access = ["${alca:HOST_IP}:%d"]\n' % topology.ECHO_PORT)
        self.up("--trust")
        self.assertEqual(reached(), ["192.168.77.10"])
        self.assertEqual(self.output("echo", "ran"), "ran\n")
        self.configure()
        self.up()
        self.assertEqual(reached(), [])

    def test_names_are_resolved_and_refusals_are_told(self: LayersTest) -> None:
        self.up()
        self.assertIn("203.0.113.5", self.output("nslookup", "internet.lab.test"))
        self.outcomes("lan")
        rows = json.loads(self.work.run("network", "blocked", "--json").out)["blocked"]
        self.assertIn("192.168.77.2", {row["address"] for row in rows})
        self.assertGreater(self.status()["isolation"]["refused"]["lan"], 0)

    def test_a_published_port_answers(self: LayersTest) -> None:
        self.configure('[network]\nports = ["0.0.0.0:18081:8000"]\n')
        self.up("--trust")
        self.output("httpd", "-p", "8000", "-h", "/workspace")
        served = run_on(self.lab, "lan", "curl", "-sS", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "http://192.168.77.10:18081/")
        self.assertEqual(served.stdout, "404", served)
        self.lab.counters(reset=True)
        self.assert_closed(self.outcomes())


class InsideMatrix:
    """What the layer inside adds."""

    def test_without_it_no_command_starts_and_up_brings_it_back(self: LayersTest) -> None:
        self.up()
        self.assertEqual(self.output("echo", "ran"), "ran\n")
        self.flush_inside()
        outcome = self.alca_run("echo", "ran")
        self.assert_outcome(outcome, 125, out="")
        self.assertIn("run: alca up", outcome.err)
        self.assertFalse(self.status(code=1)["isolation"]["intact"])
        outcome = self.work.run("up", "-q")
        self.assert_outcome(outcome, 0)
        self.assertIn("have been restored", outcome.err)
        self.assertEqual(self.output("echo", "ran"), "ran\n")

    def test_a_restart_by_hand_leaves_nothing_running_without_rules(self: LayersTest) -> None:
        self.up()
        self.docker("restart", "-t", "0", self.name)
        self.assert_outcome(self.alca_run("echo", "ran"), 125, out="")
        self.up()
        self.assertEqual(self.output("echo", "ran"), "ran\n")
        self.lab.counters(reset=True)
        self.assert_closed(self.outcomes())

    def test_root_inside_cannot_change_it(self: LayersTest) -> None:
        """By requests to the kernel, not by programs: the sandbox could bring its own. bypass_test.py shows that they are well-formed."""
        shutil.copy(test_program("network_rights"), os.path.join(self.work.project, "network_rights"))
        self.up()
        before = self.network_inside()
        self.assertIn("chain out", before)
        tried = dict(line.split() for line in self.output("./network_rights", "eth0").splitlines())
        self.assertIn("nft-flush", tried)
        self.assertEqual({name: error for name, error in tried.items() if error != EPERM}, {})
        self.assertEqual(self.network_inside(), before)


class HostDirectTest(Matrix, LayersTest):
    LAYERS = "host:direct"
    WAYS = (("host", "direct"),)


class InsideDirectTest(Matrix, InsideMatrix, LayersTest):
    LAYERS = "inside:direct"
    WAYS = (("inside", "direct"),)


class BothDirectTest(Matrix, LayersTest):
    WAYS = (("host", "direct"), ("inside", "direct"))


class UserHostByContainerTest(Matrix, LayersTest):
    AS_USER = True
    LAYERS = "host"
    WAYS = (("host", "container"),)

    def test_lost_rules_are_noticed_before_a_command_starts(self) -> None:
        self.up()
        self.lab.run(topology.MACHINE, "nft", "delete", "table", "inet", "alca")
        outcome = self.alca_run("echo", "ran")
        self.assert_outcome(outcome, 0, out="ran\n")
        self.assertIn("have been restored", outcome.err)
        self.lab.counters(reset=True)
        self.assert_closed(self.outcomes())


class UserInsideByContainerTest(Matrix, InsideMatrix, LayersTest):
    AS_USER = True
    LAYERS = "inside"
    WAYS = (("inside", "container"),)


class UserBothTest(Matrix, LayersTest):
    """The default for a user of the engine's group: no root, no helper, full isolation."""

    AS_USER = True
    WAYS = (("host", "container"), ("inside", "container"))


class UserHelperTest(Matrix, LayersTest):
    AS_USER = True
    LAYERS = "host"
    WAYS = (("host", "network helper"),)

    def setUp(self) -> None:
        super().setUp()
        if os.path.exists(HELPER):
            self.skipTest(f"{HELPER} is there already, and not of this test")
        self.helper("install", "--yes", "--group", str(self.group))
        self.addCleanup(self.helper, "uninstall", "--yes")

    def helper(self, *arguments: str) -> str:
        return self.lab.run(topology.MACHINE, self.work.program, "network-helper", *arguments)

    def ask(self, question: bytes, user: int = USER) -> "tuple[int, dict[str, object]]":
        """The helper by itself, as a user may start it."""
        line = self.lab.command(topology.MACHINE, "setpriv", f"--reuid={user}", f"--regid={user}", f"--groups={self.group}",
                                "--inh-caps=-all", HELPER)  # fmt: skip
        done = subprocess.run(line, input=question, capture_output=True, check=False, timeout=30)
        return done.returncode, json.loads(done.stdout) if done.stdout else {}

    def question(self, **changes: object) -> bytes:
        request = {"sandbox_id": "x", "interface": self.interface, "policy": "open", **changes}
        return json.dumps({"version": 1, "method": changes.pop("method", "apply"), "request": request}).encode()

    def test_foreign_users_cannot_touch_a_sandbox(self) -> None:
        self.up()
        before = self.rules()
        for method in ("apply", "remove", "verify", "report"):
            question = json.dumps({"version": 1, "method": method,
                                   "request": {"sandbox_id": "x", "interface": self.interface, "policy": "open"}}).encode()  # fmt: skip
            code, answer = self.ask(question, user=USER + 1)
            self.assertEqual((code, answer.get("code")), (1, "denied"), (method, answer))
            self.assertIn("another user", str(answer["message"]))
        self.assertEqual(self.rules(), before)

    def test_it_is_not_asked_for_what_came_up_by_container(self) -> None:
        """Installing it strands nobody."""
        self.helper("uninstall", "--yes")
        self.LAYERS = "host"
        self.up()
        self.helper("install", "--yes", "--group", str(self.group))
        self.status()
        self.assertEqual(self.output("echo", "ran"), "ran\n")
        self.up()
        self.work.run("down")
        self.assert_all_gone()
        self.assertEqual(self.rules(), "")

    def test_a_strict_sandbox_is_not_anybodys_when_the_table_is_gone(self) -> None:
        self.configure("[network]\nstrict = true\n")
        self.up("--trust")
        self.lab.run(topology.MACHINE, "nft", "delete", "table", "inet", "alca")
        request = {"sandbox_id": "x", "interface": self.interface, "policy": "open"}
        for method in ("apply", "remove"):
            code, answer = self.ask(json.dumps({"version": 1, "method": method, "request": request}).encode(), user=USER + 1)
            self.assertEqual((code, answer.get("code")), (1, "denied"), (method, answer))
        self.assertIn(self.interface, self.command("ip", "rule"))

    def test_hostile_requests_change_nothing(self) -> None:
        self.up()
        before = self.rules()
        hostile = {
            "path in an id": self.question(interface="alca/../x"),
            "quote in an id": self.question(interface='alca"; flush'),
            "foreign interface": self.question(interface="docker0"),
            "inside": self.question(layer="inside", pid=1),
            "pid": self.question(pid=1),
            "truncated": self.question()[:-20],
            "oversize": self.question(dns=["192.0.2.1"] * 30000),
            "no json": b"\0\1\2",
            "nothing": b"",
            "list": b"[]",
            "other version": self.question().replace(b'"version": 1', b'"version": 2'),
            "unknown method": json.dumps({"version": 1, "method": "flush", "request": {"sandbox_id": "x", "interface": "alcax", "policy": "open"}}).encode(),
        }  # fmt: skip
        for what, question in hostile.items():
            with self.subTest(what=what):
                code, answer = self.ask(question)
                self.assertEqual(code, 1)
                self.assertIn(answer.get("code"), ("invalid", "unavailable", "failed"), answer)
        self.assertEqual(self.rules(), before)

    def test_only_the_group_may_start_it_and_the_environment_does_not_reach_it(self) -> None:
        # Through a shell: setpriv itself still has root's rights when it looks at the file.
        outsider = run_on(self.lab, topology.MACHINE, "setpriv", f"--reuid={USER + 1}", f"--regid={USER + 1}", "--clear-groups",
                          "sh", "-c", f"exec {HELPER}")  # fmt: skip
        self.assertIn("ermission denied", outsider.stderr)
        self.up()
        evil = os.path.join(self.work.root, "evil.so")
        with open(evil, "wb") as file:
            file.write(b"no library")
        outcome = self.work.run("status", "--json", env={"LD_PRELOAD": evil, "LD_LIBRARY_PATH": self.work.root})
        self.assertEqual(json_of(outcome)["isolation"]["layers"], [{"layer": "host", "way": "network helper"}])

    def test_install_and_uninstall_leave_foreign_tables_as_they_are(self) -> None:
        self.lab.run(topology.MACHINE, "nft", "add", "table", "inet", "alca-somebody")
        self.addCleanup(self.lab.run, topology.MACHINE, "nft", "delete", "table", "inet", "alca-somebody")
        before = self.lab.run(topology.MACHINE, "nft", "-s", "list", "ruleset")
        asked = self.work.run("network-helper", "uninstall")
        self.assert_outcome(asked, 1)
        self.assertIn("--yes", asked.err)
        self.assertTrue(os.path.exists(HELPER))
        self.helper("uninstall", "--yes")
        self.assertFalse(os.path.exists(HELPER))
        self.assertIn("not installed", self.helper("uninstall", "--yes"))
        self.assertIn("Not installed", self.helper("status"))
        self.helper("install", "--yes", "--group", str(self.group))
        self.assertIn("already installed", self.helper("install", "--yes", "--group", str(self.group)))
        self.assertEqual(self.lab.run(topology.MACHINE, "nft", "-s", "list", "ruleset"), before)

    def test_another_version_is_an_error_that_says_what_to_do(self) -> None:
        """A stand-in that answers as a later version would."""
        with open(HELPER, "wb") as file:
            file.write(b'#!/bin/sh\ncat > /dev/null\nprintf \'{"version": 2, "answer": {}}\'\n')
        os.chmod(HELPER, 0o750)
        outcome = self.work.run("up")
        self.assert_outcome(outcome, 1)
        self.assertIn("sudo alca network-helper install", outcome.err)
        self.assert_all_gone()
        status = json_of(self.work.run("network-helper", "status", "--json"))
        self.assertEqual((status["installed"], status["needs_update"]), (True, True))


class NothingIsPossibleTest(LayersTest):
    """Not root, no helper, and containers not wanted."""

    AS_USER = True
    LAYERS = "host:direct,inside:direct"

    def test_nothing_starts_and_it_is_said_why(self) -> None:
        outcome = self.work.run("up")
        self.assert_outcome(outcome, 1)
        self.assertIn("network isolation is not possible", outcome.err)
        self.assert_all_gone()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        program.main()
