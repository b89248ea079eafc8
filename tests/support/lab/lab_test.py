"""Tests of the lab itself. Refusals seen in it mean something only because all of this is reachable without rules.

Usage: python3 tests/support/lab/lab_test.py; needs root.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import topology
from judge import PUBLIC_NAMES, faults
from lab import HERE, REGISTRY, Lab, sweep, wait_until

OUTSIDE = ("internet", "internet2", "lan", "lan2", "onlink", "cgnat", "metadata")


def command_line(*arguments: str) -> list[str]:
    return [sys.executable, HERE, *arguments]


def leftovers(lab_id_prefix: str) -> list[str]:
    """All that can outlive a lab: namespaces, records, control groups, processes."""
    found = [name for name in os.listdir("/run/netns") if name.startswith(lab_id_prefix)]
    found += [name for name in os.listdir(REGISTRY) if name.startswith(lab_id_prefix)]
    for hierarchy in ("", *os.listdir("/sys/fs/cgroup")):
        directory = os.path.join("/sys/fs/cgroup", hierarchy)
        if os.path.isdir(directory):
            found += [name for name in os.listdir(directory) if name.startswith(lab_id_prefix)]
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if f"/{lab_id_prefix}".encode() in file.read():
                    found.append(f"process {pid}")
        except OSError:
            continue
    return found


class RunningLabTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.state = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.lab = cls.enterClassContext(Lab(cls.state))
        for name, network in (("on-bridge", "bridge"), ("on-sibling", "lab-sibling")):
            cls.lab.run("host", "docker", "run", "-d", "--name", name, "--net", network, "alca-test-busybox",
                        "sleep", "100000")  # fmt: skip

    def setUp(self) -> None:
        self.lab.counters(reset=True)

    def outcomes(self, container: str, *names: str) -> dict[str, list[dict[str, object]]]:
        """Probe results by outcome."""
        targets = [target for target in self.lab.targets if not names or target["name"] in names]
        result: dict[str, list[dict[str, object]]] = {}
        for target in self.lab.probe(container, targets):
            result.setdefault(str(target["outcome"]), []).append(target)
        return result

    def test_unrestricted_container_reaches_every_host_and_is_counted_there(self) -> None:
        outcomes = self.outcomes("on-bridge", "host", *OUTSIDE)
        self.assertEqual(list(outcomes), ["answered"], outcomes)
        counters = self.lab.counters()
        for name in ("host", *OUTSIDE):
            expected = sum(1 for target in outcomes["answered"] if (target["name"], target["proto"]) == (name, "udp"))
            self.assertEqual(counters[name]["udp"], expected, name)
            self.assertGreater(counters[name]["tcp"], 0, name)

    def test_container_reaches_neighbours_on_its_own_network(self) -> None:
        published = "neighbour"
        for container, neighbour in (("on-bridge", published), ("on-sibling", "sibling")):
            outcomes = self.outcomes(container, neighbour)
            self.assertEqual(list(outcomes), ["answered"], outcomes)
            self.assertGreater(self.lab.counters()[neighbour]["udp"], 0)

    def test_every_class_of_target_is_there(self) -> None:
        kinds = {target["class"] for target in self.lab.targets}
        self.assertEqual(kinds, {"lan", "onlink", "public", "cgnat", "ula", "metadata", "host", "neighbour"})

    def test_a_missing_listener_is_not_taken_for_an_answer(self) -> None:
        closed = {"name": "lan", "address": "192.168.77.2", "port": 9, "proto": "tcp", "class": "lan"}
        self.assertEqual(self.lab.probe("on-bridge", [closed])[0]["outcome"], "refused")

    def test_a_rule_on_the_machine_stops_packets_and_the_counter_shows_it(self) -> None:
        rule = "table inet barrier { chain c { type filter hook prerouting priority -150\n iifname docker0 drop\n }\n }\n"
        self.lab.run("host", "nft", "-f", "-", stdin=rule)
        self.addCleanup(self.lab.run, "host", "nft", "delete", "table", "inet", "barrier")
        outcomes = self.outcomes("on-bridge", "lan")
        self.assertEqual(list(outcomes), ["timeout"], outcomes)
        self.assertEqual(sum(self.lab.counters()["lan"].values()), 0)

    def test_reset_sets_counters_to_zero(self) -> None:
        self.outcomes("on-bridge", "lan")
        self.assertGreater(sum(self.lab.counters(reset=True)["lan"].values()), 0)
        self.assertEqual(sum(self.lab.counters()["lan"].values()), 0)

    def test_containers_resolve_names_at_the_resolver_of_the_lab(self) -> None:
        answer = self.lab.run("host", "docker", "exec", "on-sibling", "nslookup", "internet.lab.test")
        self.assertIn("203.0.113.5", answer)
        self.assertIn("2001:db8:113::5", answer)

    def test_no_link_leaves_the_lab(self) -> None:
        router = json.loads(self.lab.run("router", "ip", "-j", "link"))
        expected = {"lo", "br-lan", "host", *(host.name for host in topology.HOSTS if host.link != "machine")}
        self.assertEqual({link["ifname"] for link in router}, expected)
        machine = json.loads(self.lab.run("host", "ip", "-j", "link"))
        engine_links = ("docker", "br-", "veth")
        links = {link["ifname"] for link in machine if not link["ifname"].startswith(engine_links)}
        self.assertEqual(links, {"lo", "lan0", "onlink"})

    def test_the_machine_sees_its_own_engine_resolver_and_processes_only(self) -> None:
        self.assertEqual(self.lab.run("host", "cat", "/etc/resolv.conf"), f"nameserver {topology.RESOLVER}\n")
        self.assertIn("neighbour", self.lab.run("host", "docker", "ps", "--format", "{{.Names}}"))
        self.assertIn("machine.py", self.lab.run("host", "cat", "/proc/1/cmdline"))
        with self.assertRaises(RuntimeError):
            self.lab.run("host", "docker", "-H", "unix:///run/docker.sock", "version")

    def test_a_test_on_the_machine_uses_the_lab_but_can_not_remove_it(self) -> None:
        counters = self.lab.run("host", *command_line("counters", "--state", self.state))
        self.assertEqual(json.loads(counters).keys(), self.lab.counters().keys())
        probes = self.lab.run("host", *command_line("probe", "--state", self.state, "--container", "on-bridge",
                                                    "--class", "metadata"))  # fmt: skip
        self.assertEqual({probe["outcome"] for probe in json.loads(probes)}, {"answered"})
        with self.assertRaisesRegex(RuntimeError, "from inside"):
            self.lab.run("host", *command_line("down", "--state", self.state))

    def test_exit_code_and_directory_of_a_command_are_kept(self) -> None:
        line = command_line("exec", "--state", self.state, "host", "--", "sh", "-c", "pwd; exit 7")
        done = subprocess.run(line, cwd="/tmp", capture_output=True, text=True, check=False)
        self.assertEqual((done.stdout, done.returncode), ("/tmp\n", 7))

    def test_a_second_lab_runs_beside_it_and_leaves_nothing(self) -> None:
        with tempfile.TemporaryDirectory() as state, Lab(state) as other:
            self.assertNotEqual(other.lab_id, self.lab.lab_id)
            self.assertNotIn("on-bridge", other.run("host", "docker", "ps", "--format", "{{.Names}}"))
        self.assertEqual(leftovers(other.lab_id), [])
        self.assertIn("on-bridge", self.lab.run("host", "docker", "ps", "--format", "{{.Names}}"))


class LabLifeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.state = self.enterContext(tempfile.TemporaryDirectory())

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(command_line("up", "--state", self.state, *arguments), stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        return process

    def up(self, *arguments: str) -> None:
        process = self.start(*arguments)
        self.assertEqual(process.wait(), 0, process.stderr.read())

    def down(self) -> None:
        subprocess.run(command_line("down", "--state", self.state), check=True)

    def test_an_interrupted_up_leaves_nothing(self) -> None:
        for delay_s in (0.1, 0.3, 0.6, 0.9):
            for signal_number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
                with self.subTest(delay_s=delay_s, signal=signal_number):
                    process = self.start()
                    time.sleep(delay_s)  # the point of the test: an arbitrary moment
                    process.send_signal(signal_number)
                    self.assertEqual(process.wait(), code, process.stderr.read())
                    self.assertEqual(leftovers(f"alcalab-{process.pid}-"), [])

    def test_an_interrupted_down_goes_on_to_its_end(self) -> None:
        for delay_s in (0.2, 0.5):
            with self.subTest(delay_s=delay_s):
                self.up()
                lab_id = Lab.open(self.state).lab_id
                process = subprocess.Popen(command_line("down", "--state", self.state))
                time.sleep(delay_s)  # the point of the test: an arbitrary moment
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(), 0)
                self.assertEqual(leftovers(lab_id), [])

    def test_sweep_removes_what_a_killed_up_has_left(self) -> None:
        process = self.start("--owner", "1")
        wait_until(lambda: os.path.exists(f"/run/netns/alcalab-{process.pid}-0-router"), 10.0, "no namespace")
        process.kill()
        process.wait()
        self.assertNotIn(f"alcalab-{process.pid}-0", sweep(), "its owner, process 1, is alive")
        self.down()
        self.assertEqual(leftovers(f"alcalab-{process.pid}-"), [])

    def test_sweep_removes_the_lab_of_an_ended_owner_and_keeps_others(self) -> None:
        owner = subprocess.Popen(["sleep", "1000"])
        self.up("--owner", str(owner.pid))
        lab_id = Lab.open(self.state).lab_id
        self.assertNotIn(lab_id, sweep())
        owner.kill()
        owner.wait()
        self.assertIn(lab_id, sweep())
        self.assertEqual(leftovers(lab_id), [])

    def test_the_end_of_the_machine_is_the_end_of_its_containers(self) -> None:
        self.up()
        lab = Lab.open(self.state)
        inside = lab.run("host", "readlink", "/proc/self/ns/pid")
        os.kill(lab._record.machine.pid, signal.SIGKILL)
        wait_until(lambda: not lab._record.machine.is_alive(), 10.0, "still alive")
        wait_until(lambda: inside.strip() not in pid_namespaces(), 10.0, "processes of the machine live on")
        self.down()
        self.assertEqual(leftovers(lab.lab_id), [])

    def test_what_was_started_on_a_host_ends_with_the_lab(self) -> None:
        with Lab(self.state) as lab:
            server = subprocess.Popen(lab.command("internet", "sleep", "1000"))
        self.assertEqual(server.wait(timeout=10), -signal.SIGKILL)

    def test_down_may_be_repeated_and_up_may_not(self) -> None:
        self.up()
        second = self.start()
        self.assertEqual(second.wait(), 1)
        self.assertIn(b"has a lab already", second.stderr.read())
        self.down()
        self.down()


class JudgeTest(unittest.TestCase):
    def setUp(self) -> None:
        self.outcomes = [
            {**target.to_json(), "outcome": "answered" if target.kind == "public" else "refused"}
            for target in topology.fixed_targets()
        ]
        names = {target.name for target in topology.fixed_targets()}
        self.counters = {name: {"tcp": int(name in PUBLIC_NAMES), "dns": 5} for name in names}

    def faults(self) -> str:
        return "; ".join(faults(self.outcomes, self.counters))

    def test_the_default_policy_has_no_fault(self) -> None:
        self.assertEqual(self.faults(), "")

    def test_each_single_answer_from_a_forbidden_target_is_a_fault(self) -> None:
        for outcome in self.outcomes:
            if outcome["class"] != "public":
                outcome["outcome"] = "answered"
                self.assertRegex(self.faults(), f"^{outcome['class']} {outcome['address']} .* but answered$")
                outcome["outcome"] = "refused"

    def test_a_packet_at_a_forbidden_host_is_a_fault_whatever_the_client_saw(self) -> None:
        self.counters["lan"]["tcp"] = 1
        self.assertEqual(self.faults(), "1 packets arrived at lan")

    def test_an_internet_that_can_not_be_reached_is_a_fault(self) -> None:
        for outcome in self.outcomes:
            outcome["outcome"] = "refused"
        self.assertIn("public 203.0.113.5 tcp/9000 must be reachable: refused", self.faults())

    def test_a_class_that_was_not_tried_is_a_fault(self) -> None:
        self.outcomes = [outcome for outcome in self.outcomes if outcome["class"] != "metadata"]
        self.assertEqual(self.faults(), "no target of class metadata was tried")


def pid_namespaces() -> set[str]:
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/pid"))
        except OSError:
            continue
    return found


if __name__ == "__main__":
    # A shell without job control starts what it puts into the background deaf to Ctrl-C; the tests need ears.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    unittest.main()
