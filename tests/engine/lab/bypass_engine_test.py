"""Ways around the rules by what a user or the engine does, by names, by a proxy, from outside, and by a flood.

Packets are counted at the targets. Each test shows that the same does arrive without the rules.
"""

import json
import os
import socket
import sys
import time

from lab_sandbox import HERE, IMAGE, LAB, LabTest, open_lab, program, run_on, test_program, topology  # isort: skip
from bypass_sandbox import INTERNET, LAN, LAN6, MACHINE_LAN, METADATA, BypassTest, background  # isort: skip

ECHO = topology.ECHO_PORT
FORBIDDEN = ("lan", "cgnat", "metadata", "host")
FORBIDDEN_HOSTS = {"lan", "lan2", "cgnat", "metadata", "host"}

# Keeps one TCP connection and one UDP flow open and sends on both; says each second what it could send.
FLOWS = """
import socket, sys, time
tcp = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2)
udp = socket.socket(type=socket.SOCK_DGRAM)
udp.connect((sys.argv[1], int(sys.argv[2])))
tcp.settimeout(0.2)
print("open", flush=True)
while True:
    for flow in (tcp, udp):
        try:
            flow.send(b"x")
        except OSError:
            pass
    time.sleep(0.02)
"""
# Sends one datagram to each of many ports of many addresses, as fast as it can.
FLOOD = """
import socket, sys
flood = socket.socket(type=socket.SOCK_DGRAM)
for number in range(int(sys.argv[2])):
    try:
        flood.sendto(b"x", (f"{sys.argv[1]}.{number // 200 % 200 + 1}", 10000 + number))
    except OSError:
        pass
"""


def setUpModule() -> None:
    LabTest.lab = open_lab()


def target(address: str, port: int = ECHO, proto: str = "tcp", name: str = "lan") -> dict[str, object]:
    return {"name": name, "address": address, "port": port, "proto": proto, "class": name}


class EngineTest(BypassTest):
    def reached(self, *targets: dict[str, object], container: str = "") -> list[str]:
        return [f"{outcome['address']}:{outcome['port']}/{outcome['proto']}" for outcome in self.lab.probe(container or self.name, list(targets))
                if outcome["outcome"] == "answered"]  # fmt: skip

    def assert_forbidden_closed(self, container: str = "") -> None:
        self.lab.counters(reset=True)
        outcomes = self.outcomes(*FORBIDDEN, container=container)
        self.assertEqual([outcome for outcome in outcomes if outcome["outcome"] == "answered"], [])
        self.assertEqual(self.arrived(), {})

    def assert_open_without_rules(self, container: str = "") -> None:
        """The control."""
        self.remove_rules()
        self.lab.counters(reset=True)
        self.outcomes(*FORBIDDEN, container=container)
        self.assertGreaterEqual(set(self.arrived()), FORBIDDEN_HOSTS)

    def packets_at(self, host: str) -> dict[str, int]:
        return {kind: number for kind, number in self.lab.counters()[host].items() if number}


class Layers:
    """What holds by each layer. A class of its own, so that it is not run by itself."""

    def test_open_connections_are_cut_when_the_rules_are_tightened(self: EngineTest) -> None:
        for before, after in ((f'["{LAN}"]', "[]"), ('["*"]', "[]")):
            with self.subTest(before=before):
                self.configure(f"[network]\nlan-access = {before}\n")
                self.up("--trust")
                line = self.lab.command(topology.MACHINE, "nsenter", f"--net=/proc/{self.pid()}/ns/net", "--",
                                        sys.executable, "-c", FLOWS, LAN, str(ECHO))  # fmt: skip
                with background(line) as flows:
                    self.assertEqual(flows.stdout.readline(), "open\n")
                    self.lab.counters(reset=True)
                    time.sleep(0.3)
                    self.assertGreaterEqual(set(self.packets_at("lan")), {"tcp", "udp"}, "the control: both flow")
                    self.configure(f"[network]\nlan-access = {after}\n")
                    self.up("--trust")
                    self.lab.counters(reset=True)
                    time.sleep(0.5)
                    seen = self.packets_at("lan")
                    # What the server has not got rid of it would send again for minutes, and answers would be counted in other tests.
                    self.lab.run("lan", "ss", "--kill", "state", "connected", "sport", f"= {ECHO}")
                    self.assertEqual(seen, {})

    def test_other_resolvers_are_not_asked(self: EngineTest) -> None:
        """The machine's own is, by the engine's resolver at 127.0.0.11 too; its other ports and other hosts' port 53 are not."""
        self.up()
        self.assertIn(INTERNET, self.output("nslookup", "internet.lab.test"))
        self.assertIn(INTERNET, self.output("nslookup", "internet.lab.test", topology.RESOLVER))
        self.lab.counters(reset=True)
        hosts = {"lan": LAN, "cgnat": "100.64.0.2", "metadata": METADATA, "host": MACHINE_LAN}
        closed = [target(address, 53, proto, name) for name, address in hosts.items() for proto in ("udp", "tcp")]
        closed += [target(topology.RESOLVER, port, proto) for port in (853, 5353, 443) for proto in ("udp", "tcp")]
        self.reached(*closed)
        for name in (*hosts, "lan2"):
            self.assertEqual(self.packets_at(name), {}, name)
        self.remove_rules()
        self.reached(*closed)
        for name in (*hosts, "lan2"):
            self.assertNotEqual(self.packets_at(name), {}, f"the control: {name}")

    def test_nobody_connects_into_the_sandbox(self: EngineTest) -> None:
        """By its address: from the LAN by a route, and from the machine's other containers.

        Those of another network of the engine are stopped by the engine's own rules too, so they have no control here;
        one of a network without them would look like the LAN.
        """
        self.up()
        address = self.address()
        self.lab.run("lan", "ip", "route", "add", address, "via", MACHINE_LAN)
        self.addCleanup(self.lab.run, "lan", "ip", "route", "del", address)
        wire = self.listen(**{"sandbox delivered": self.pid()})
        script = "import socket, sys; s = socket.socket(type=socket.SOCK_DGRAM); s.sendto(b'alca<in>', (sys.argv[1], 9000))"

        def knock() -> dict[str, int]:
            self.lab.run("lan", sys.executable, "-c", script, address)
            for neighbour in ("neighbour", "sibling"):
                self.command("nsenter", f"--net=/proc/{self.pid(neighbour)}/ns/net", "--", sys.executable, "-c", script, address)
            return wire.seen().get("sandbox delivered", {})

        self.assertEqual(knock(), {})
        self.remove_rules()
        self.assertEqual(knock(), {"in": 1})

    def test_a_flood_of_refused_packets_blocks_nothing_else(self: EngineTest) -> None:
        self.up()
        self.output("echo", "ran")
        self.lab.counters(reset=True)
        before = self.connections()
        self.in_sandbox(sys.executable, "-c", FLOOD, "192.168.77", "20000")
        self.assertLess(self.connections() - before, 100)
        self.assertEqual(self.arrived(), {})
        refused = self.status()["isolation"]["refused"]
        self.assertGreaterEqual(refused["lan"] + refused["host"], 20000)
        rows = json.loads(self.work.run("network", "blocked", "--json").out)["blocked"]
        self.assertTrue(rows)
        self.assertEqual(self.output("echo", "ran"), "ran\n")
        self.assertEqual(self.reached(target(INTERNET, name="internet")), [f"{INTERNET}:{ECHO}/tcp"])
        self.remove_rules()
        before = self.connections()
        self.in_sandbox(sys.executable, "-c", FLOOD, "192.168.77", "1000")
        self.assertGreaterEqual(self.connections() - before, 500, "the control: each would be a connection")
        self.assertGreater(self.arrived()["lan"], 0)

    def connections(self: EngineTest) -> int:
        """Entries of the machine's connection table. The sandbox has one of its own, which is nobody else's."""
        return int(self.command("cat", "/proc/sys/net/netfilter/nf_conntrack_count"))


class HostTest(Layers, EngineTest):
    LAYERS = "host:direct"

    def test_a_bridge_that_was_made_again_is_the_same_sandbox(self) -> None:
        self.up()
        interface = self.interface
        veth = self.command("ls", f"/sys/class/net/{self.interface}/brif").split()
        address = self.command("ip", "-o", "-4", "address", "show", "dev", self.interface).split()[3]
        mac = self.mac_of_bridge()  # else the sandbox would look for the old one for a while
        self.command("ip", "link", "delete", self.interface)
        for line in (("link", "add", self.interface, "address", mac, "type", "bridge"), ("address", "add", address, "dev", self.interface),
                     ("link", "set", self.interface, "up"), *(("link", "set", name, "master", self.interface, "up") for name in veth)):  # fmt: skip
            self.command("ip", *line)
        program.wait_until(lambda: self.reached(target(INTERNET, name="internet")), "the internet")
        self.assert_forbidden_closed()
        self.assert_open_without_rules()
        # The engine leaves a bridge that it has not made; and with one of our name there the table stays.
        self.work.run("down")
        run_on(self.lab, topology.MACHINE, "ip", "link", "delete", interface)
        run_on(self.lab, topology.MACHINE, "nft", "delete", "table", "inet", "alca")

    def test_a_restart_of_the_engine_lets_nothing_out(self) -> None:
        """A container that floods, in the sandbox's network, and that the engine starts again by itself."""
        self.up()
        flood = test_program("flood")
        self.docker("run", "-d", "--name", "flooder", "--restart=always", "--stop-timeout=1", "--network", self.name, "--mount",
                    f"type=bind,source={flood},target=/flood,readonly", "--entrypoint", "/flood", IMAGE)  # fmt: skip
        self.addCleanup(self.docker, "rm", "-f", "flooder")
        first = self.pid("flooder")
        self.lab.counters(reset=True)
        self.lab.restart_engine()
        program.wait_until(lambda: self.pid("flooder") not in (0, first), "the flood")
        time.sleep(0.5)
        self.assertEqual(self.arrived(), {})
        self.docker("stop", "flooder")  # it uses up the answers by which `up` knows that the rules are there
        self.up()
        self.assert_forbidden_closed()
        self.remove_rules()
        self.docker("start", "flooder")
        program.wait_until(lambda: set(self.arrived()) >= FORBIDDEN_HOSTS, "the control: packets at each target")

    def test_a_bridge_with_a_name_of_ours_and_no_policy_is_closed(self) -> None:
        self.up()
        self.docker("network", "create", "--opt", "com.docker.network.bridge.name=alcanobody", "nobody")
        self.addCleanup(self.docker, "network", "rm", "nobody")
        self.docker("run", "-d", "--name", "nobody", "--network", "nobody", IMAGE, "sleep", "1000")
        self.addCleanup(self.docker, "rm", "-f", "nobody")
        self.assert_forbidden_closed("nobody")
        self.assertEqual(self.reached(target(INTERNET, name="internet"), container="nobody"), [])
        self.assertEqual(self.packets_at("internet"), {})
        self.assert_open_without_rules("nobody")

    def test_a_second_network_is_noticed_and_nothing_is_started(self) -> None:
        """The layer of the host sees only the sandbox's own bridge: what is told must be true."""
        self.up()
        self.docker("network", "connect", "bridge", self.name)
        self.in_sandbox("ip", "route", "replace", "default", "dev", "eth1", "via", "172.17.0.1")
        self.lab.counters(reset=True)
        self.outcomes("lan")
        self.assertGreater(self.arrived().get("lan", 0), 0, "if this closes, docs/reference/network.md can promise more")
        self.assertFalse(self.status(code=1)["isolation"]["intact"])
        self.assert_outcome(self.alca_run("echo", "ran"), 125, out="")


class InsideTest(Layers, EngineTest):
    LAYERS = "inside:direct"

    def test_a_second_network_is_closed_too(self) -> None:
        self.up()
        self.docker("network", "connect", "bridge", self.name)
        self.in_sandbox("ip", "route", "replace", "default", "dev", "eth1", "via", "172.17.0.1")
        self.assert_forbidden_closed()
        self.assertFalse(self.status(code=1)["isolation"]["intact"])
        self.assert_outcome(self.alca_run("echo", "ran"), 125, out="")
        self.assert_open_without_rules()

    def test_a_proxy_needs_the_layer_of_the_host(self) -> None:
        self.configure(f'[network]\nproxy = "{topology.RESOLVER}:{ECHO}"\n')
        outcome = self.work.run("up", "--trust")
        self.assert_outcome(outcome, 1)
        self.assertIn("network.proxy", outcome.err)
        self.assert_all_gone()

    def test_who_joins_with_the_right_to_change_the_rules_is_noticed(self) -> None:
        for what, change in JOINED.items():
            with self.subTest(what=what):
                self.up()
                self.join(*change)
                self.lab.counters(reset=True)
                self.outcomes("lan")
                self.assertGreater(self.arrived().get("lan", 0), 0, "the control: it opened something")
                self.assertFalse(self.status(code=1)["isolation"]["intact"])
                self.up()
                self.assert_forbidden_closed()

    def test_after_a_restart_of_the_engine_no_command_starts_without_rules(self) -> None:
        """What the engine starts by itself is a new namespace. In it is nothing but alca-init, which sends nothing."""
        self.up()
        self.docker("update", "--restart=always", self.name)
        self.lab.counters(reset=True)
        self.lab.restart_engine()
        program.wait_until(lambda: self.inspect()["State"]["Running"], "the sandbox")
        self.assert_outcome(self.alca_run("sh", "-c", f"echo x | nc -w 1 {LAN} {ECHO}"), 125, out="")
        self.assertEqual(self.arrived(), {})
        outcome = self.work.run("up")
        self.assert_outcome(outcome, 1)
        self.assertIn("restart always", outcome.err)
        self.docker("update", "--restart=no", self.name)
        self.up()
        self.assertEqual(self.output("echo", "ran"), "ran\n")
        self.assert_forbidden_closed()
        self.assert_open_without_rules()

    def join(self: EngineTest, *command: str) -> None:
        """A container with NET_ADMIN in the sandbox's network. It has the programs of the machine."""
        self.docker("run", "--rm", "--network", f"container:{self.name}", "--cap-drop=ALL", "--cap-add=NET_ADMIN", "--cap-add=SYS_CHROOT",
                    "--mount", "type=bind,source=/,target=/machine,readonly", IMAGE, "chroot", "/machine", *command)  # fmt: skip


JOINED = {
    "flush": ("nft", "flush", "ruleset"),
    "accept": ("nft", "insert", "rule", "inet", "alca", "out", "accept"),
    "no hook": ("nft", "flush chain inet alca out"),
}


class BothTest(EngineTest):
    def test_who_joins_opens_one_layer_only(self) -> None:
        self.up()
        InsideTest.join(self, *JOINED["flush"])
        self.assert_forbidden_closed()
        self.assertFalse(self.status(code=1)["isolation"]["intact"])
        self.assert_outcome(self.alca_run("echo", "ran"), 125, out="")
        self.assert_open_without_rules()

    def test_with_a_proxy_nothing_goes_round_it(self) -> None:
        self.configure(f'[network]\nproxy = "{topology.RESOLVER}:{ECHO}"\nipv6 = true\n')
        self.up("--trust")
        through = target(INTERNET, name="lan2")
        (outcome,) = self.lab.probe(self.name, [dict(through)])
        self.assertEqual(outcome["outcome"], "answered")
        self.assertEqual(self.packets_at("internet"), {})
        self.assertGreater(self.packets_at("lan2")["tcp"], 0, "the control: the proxy has it")
        self.lab.counters(reset=True)
        closed = [target(LAN), target(LAN6), target(METADATA, 80, name="metadata"), target(topology.RESOLVER, name="lan2"),
                  target(INTERNET, 443, "udp", "internet"), target("2001:db8:113::5", name="internet"),
                  target("2001:db8:113::5", 443, "udp", "internet"), target(MACHINE_LAN, name="host")]  # fmt: skip
        self.assertEqual(self.reached(*closed), [])
        for name in ("lan", "lan2", "metadata", "internet", "host"):
            self.assertEqual(self.packets_at(name), {}, name)
        self.remove_rules()
        self.reached(*closed)
        for name in ("lan", "lan2", "metadata", "internet", "host"):
            self.assertNotEqual(self.packets_at(name), {}, f"the control: {name}")

    def test_a_name_that_comes_to_stand_for_something_else_opens_nothing(self) -> None:
        """Names of `lan-access` are looked up by `up`, not by the sandbox: what is resolved inside has no part in it."""
        hosts = "/etc/hosts"
        before = self.command("cat", hosts)
        self.command("sh", "-c", f"cp {hosts} {self.work.root}/hosts; mount --bind {self.work.root}/hosts {hosts}")
        self.addCleanup(self.command, "umount", hosts)

        def stands_for(address: str) -> None:
            with open(os.path.join(self.work.root, "hosts"), "w", encoding="ascii") as file:
                file.write(f"{before}\n{address} rebound.test\n")

        self.configure(f'[network]\nlan-access = ["rebound.test:{ECHO}"]\n')
        stands_for(LAN)
        self.up("--trust")
        self.assertEqual(self.reached(target(LAN)), [f"{LAN}:{ECHO}/tcp"])
        for address in (METADATA, "127.0.0.1", "0.0.0.0", "168.63.129.16"):
            with self.subTest(address=address):
                stands_for(address)
                outcome = self.work.run("up", "--trust")
                self.assert_outcome(outcome, 1)
                self.assertIn("rebound.test", outcome.err)
        self.assertEqual(self.reached(target(METADATA, name="metadata")), [])
        stands_for(topology.RESOLVER)
        self.assertEqual(self.reached(target(topology.RESOLVER)), [])


class LoopbackResolverTest(EngineTest):
    """A machine whose resolver is itself, at 127.0.0.1. Then the engine asks in the sandbox's stead."""

    LAYERS = "host:direct"

    def setUp(self) -> None:
        super().setUp()
        spec = {"name": "loopback", "netns": self.lab._network.path(topology.MACHINE), "ports": [], "names": topology.names()}
        served = self.enterContext(background(self.lab.command(topology.MACHINE, sys.executable, os.path.join(LAB, "services.py"), json.dumps(spec))))
        self.assertEqual(served.stdout.readline(), "ready\n")
        before = self.command("cat", "/etc/resolv.conf")
        self.addCleanup(self.lab.run, topology.MACHINE, "tee", "/etc/resolv.conf", stdin=before)
        self.lab.run(topology.MACHINE, "tee", "/etc/resolv.conf", stdin="nameserver 127.0.0.1\n")

    def test_names_are_resolved_and_the_machine_stays_closed(self) -> None:
        self.up()
        self.assertIn(INTERNET, self.output("nslookup", "internet.lab.test"))
        self.lab.counters(reset=True)
        closed = [target(str(address), 53, proto, "host") for address in (*topology.MACHINE_ADDRESSES, self.address(key="Gateway"))
                  for proto in ("udp", "tcp")]  # fmt: skip
        self.assertEqual(self.reached(*closed), [])
        self.assertEqual(self.packets_at("host"), {})
        self.remove_rules()
        self.reached(*closed)
        self.assertNotEqual(self.packets_at("host"), {}, "the control")


if __name__ == "__main__":
    program.main()
