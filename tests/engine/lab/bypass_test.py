"""Attempts to pass by the network rules, each counted at its target, and each shown to arrive there without the rules.

Where an attempt does not arrive without rules either, a comment says what stops it.
"""

import ipaddress
import json
import os
import socket
import sys
from collections.abc import Callable

from lab_sandbox import EPERM, IMAGE, LAB, LabTest, open_lab, program, test_program, topology  # isort: skip
from bypass_sandbox import FOREIGN, INTERNET, INTERNET6, LAN, LAN6, MACHINE_LAN, METADATA, PUBLIC, Attempt, BypassTest  # isort: skip
import packets  # isort: skip

BRIDGE_SWITCHES = ("net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables")
ECHO = topology.ECHO_PORT
MACHINE = topology.MACHINE


def setUpModule() -> None:
    LabTest.lab = open_lab()


def mark(name: str) -> bytes:
    return f"alca<{name}>".encode()


class PacketsTest(BypassTest):
    """A sandbox on a machine whose own defences are off: source routes, redirects and loopback addresses are taken."""

    def setUp(self) -> None:
        super().setUp()
        self.configure("[network]\nipv6 = true\n")
        self.up("--trust")
        bridge = self.interface
        for name, value in ((f"ipv4.conf.{bridge}.rp_filter", "0"), ("ipv4.conf.all.rp_filter", "0"),
                            (f"ipv4.conf.{bridge}.accept_source_route", "1"), ("ipv4.conf.all.accept_source_route", "1"),
                            (f"ipv4.conf.{bridge}.route_localnet", "1"), (f"ipv4.conf.{bridge}.arp_accept", "1"),
                            (f"ipv6.conf.{bridge}.accept_ra", "2"), (f"ipv6.conf.{bridge}.accept_redirects", "1")):  # fmt: skip
            self.set_sysctl(f"net.{name}", value)
        for where in ("all", "host"):
            before = self.lab.run(topology.ROUTER, "sysctl", "-n", f"net.ipv4.conf.{where}.accept_source_route").strip()
            self.lab.run(topology.ROUTER, "sysctl", "-qw", f"net.ipv4.conf.{where}.accept_source_route=1")
            self.addCleanup(self.lab.run, topology.ROUTER, "sysctl", "-qw", f"net.ipv4.conf.{where}.accept_source_route={before}")
        self.here, self.here6 = self.address(), self.address(key="GlobalIPv6Address")
        self.gateway, self.gateway6 = self.address(key="Gateway"), self.address(key="IPv6Gateway")
        self.wire = self.listen()
        for enter in ((), ("nsenter", f"--net=/proc/{self.pid()}/ns/net", "--")):
            program.wait_until(lambda enter=enter: not self.command(*enter, "ip", "-6", "address", "show", "tentative"), "addresses")

    def datagram(self, name: str, target: str, arrives: str, source: str = "", port: int = ECHO) -> Attempt:
        source = source or (self.here6 if ":" in target else self.here)
        make, protocol = (packets.ipv6 if ":" in target else packets.ipv4), packets.UDP
        return Attempt(name, make(source, target, protocol, packets.udp(source, target, port, mark(name))), arrives)

    # --- what is sent

    def plain(self) -> list[Attempt]:
        lan_syn, echo = packets.tcp_syn(self.here, LAN, ECHO, mark("tcp")), packets.icmp(8, b"\0\1\0\1" + mark("icmp"))
        return [self.datagram("udp", LAN, "lan"), self.datagram("udp6", LAN6, "lan"), self.datagram("metadata", METADATA, "metadata"),
                self.datagram("machine", MACHINE_LAN, MACHINE), self.datagram("gateway", self.gateway, MACHINE),
                self.datagram("gateway6", self.gateway6, MACHINE),
                Attempt("tcp", packets.ipv4(self.here, LAN, packets.TCP, lan_syn), "lan"),
                Attempt("icmp", packets.ipv4(self.here, LAN, packets.ICMP, echo), "lan")]  # fmt: skip

    def spoofed(self) -> list[Attempt]:
        """127.0.0.1 and the machine's own addresses as source are dropped by its routing, whatever the rules are."""
        return [self.datagram("from foreign", LAN, "lan", FOREIGN), self.datagram("from foreign to machine", MACHINE_LAN, MACHINE, FOREIGN),
                self.datagram("from foreign6", LAN6, "lan", "fd99::9"), self.datagram("from the internet", LAN, "lan", PUBLIC),
                self.datagram("from loopback", LAN, "", "127.0.0.1"), self.datagram("from loopback to machine", MACHINE_LAN, "", "127.0.0.1"),
                self.datagram("from gateway", LAN, "", self.gateway), self.datagram("from machine", LAN, "", MACHINE_LAN),
                self.datagram("from machine to machine", self.gateway, "", MACHINE_LAN), self.datagram("from lan", MACHINE_LAN, MACHINE, LAN)]  # fmt: skip

    def fragments(self) -> list[Attempt]:
        body = packets.udp(self.here, LAN, ECHO, mark("fragment").ljust(48, b"."))
        head = packets.ipv4(self.here, LAN, packets.UDP, body[:24], fragment=packets.MORE_FRAGMENTS)
        return [Attempt("fragment", head, "lan"), Attempt("last fragment", packets.ipv4(self.here, LAN, packets.UDP, body[24:], fragment=3), "")]

    def source_routes(self) -> list[Attempt]:
        """To the machine, which is to pass it on."""
        attempts = []
        for name, option in (("loose route", packets.LOOSE_ROUTE), ("strict route", packets.STRICT_ROUTE)):
            body = packets.udp(self.here, LAN, ECHO, mark(name))
            attempts.append(Attempt(name, packets.ipv4(self.here, self.gateway, packets.UDP, body, packets.source_route(option, LAN)), "lan"))
        # A strict one ends at the machine if the next hop is not its neighbour.
        name = "loose route by the internet"
        body = packets.udp(self.here, INTERNET, ECHO, mark(name))
        attempts.append(Attempt(name, packets.ipv4(self.here, INTERNET, packets.UDP, body, packets.source_route(packets.LOOSE_ROUTE, LAN)), "internet"))
        return attempts

    def routing_headers(self) -> list[Attempt]:
        attempts = []
        for kind in (0, 2, 4):
            name = f"routing header {kind}"
            body = packets.routing_header(packets.UDP, LAN6, kind) + packets.udp(self.here6, LAN6, ECHO, mark(name))
            attempts.append(Attempt(name, packets.ipv6(self.here6, INTERNET6, packets.ROUTING, body), "internet"))
        return attempts

    def protocols(self) -> list[Attempt]:
        attempts = []
        for protocol in (packets.IPIP, packets.IPV6, packets.GRE, packets.ESP, packets.SCTP):
            for where, target, target6 in (("internet", INTERNET, INTERNET6), ("lan", LAN, LAN6)):
                name, name6 = f"protocol {protocol} to {where}", f"protocol {protocol} to {where} by IPv6"
                attempts.append(Attempt(name, packets.ipv4(self.here, target, protocol, mark(name).ljust(40)), where))
                attempts.append(Attempt(name6, packets.ipv6(self.here6, target6, protocol, mark(name6).ljust(40)), where))
        return attempts

    def redirects(self) -> list[Attempt]:
        """That this machine should send what is for the internet to the sandbox. With one of its own packets in it, which makes it `related`."""
        own = packets.ipv4(self.gateway, self.here, packets.UDP, packets.udp(self.gateway, self.here, ECHO, mark("redirect"), 45678))
        own6 = packets.ipv6(self.gateway6, self.here6, packets.UDP, packets.udp(self.gateway6, self.here6, ECHO, mark("redirect6"), 45678))
        redirect = packets.icmp(packets.REDIRECT, packets.address(self.here) + own, code=1)
        body6 = bytes(4) + packets.address(self.here6) + packets.address(INTERNET6) + own6
        redirect6 = packets.icmp6(self.here6, self.gateway6, packets.REDIRECT6, body6)
        return [Attempt("redirect", packets.ipv4(self.here, self.gateway, packets.ICMP, redirect), MACHINE),
                Attempt("redirect6", packets.ipv6(self.here6, self.gateway6, packets.ICMP6, redirect6, hops=255), MACHINE)]  # fmt: skip

    def advertisements(self) -> list[Attempt]:
        body = packets.router_advertisement("fe80::bad", "2001:db8:bad::", mark("advertisement"))
        return [Attempt("advertisement", packets.ipv6("fe80::bad", packets.ALL_NODES, packets.ICMP6, body, hops=255), MACHINE)]

    def many(self) -> list[Attempt]:
        network = ipaddress.ip_interface(f"{self.here}/{self.prefix()}").network
        return [self.datagram("broadcast", "255.255.255.255", MACHINE), self.datagram("multicast", "224.0.0.1", MACHINE),
                self.datagram("multicast6", packets.ALL_NODES, MACHINE), self.datagram("broadcast of the network", str(network.broadcast_address), MACHINE)]  # fmt: skip

    def whole_packets(self) -> list[Attempt]:
        return [*self.plain(), *self.spoofed(), *self.fragments(), *self.source_routes(), *self.routing_headers(), *self.protocols(),
                *self.many()]  # fmt: skip

    def framed(self) -> list[Attempt]:
        """In other envelopes. Tagged with an id, and SNAP: no device of the machine takes them. To a MAC of many: the
        machine takes the packet for itself, and passes none on.
        """
        there, here = self.mac_of_bridge(), self.mac_inside()
        attempts = []

        def add(name: str, target: str, arrives: str, wrap: Callable[[bytes], bytes]) -> None:
            attempts.append(Attempt(name, wrap(self.datagram(name, target, arrives).data), arrives, "frame"))

        for target, where in ((LAN, "lan"), (self.gateway, MACHINE)):
            add(f"priority tag to {where}", target, where, lambda packet: packets.frame(there, here, packet, ((0x8100, 0),)))
            add(f"tag to {where}", target, "", lambda packet: packets.frame(there, here, packet, ((0x8100, 1),)))
            add(f"two tags to {where}", target, where, lambda packet: packets.frame(there, here, packet, ((0x88A8, 0), (0x8100, 0))))
            add(f"SNAP to {where}", target, "", lambda packet: packets.snap_frame(there, here, packet))
            for name, mac in (("broadcast", packets.BROADCAST_MAC), ("multicast", "01:00:5e:00:00:01")):
                add(f"{name} MAC to {where}", target, MACHINE if where == MACHINE else "",
                    lambda packet, mac=mac: packets.frame(mac, here, packet))  # fmt: skip
        add("loopback", "127.0.0.1", MACHINE, lambda packet: packets.frame(there, here, packet))
        return attempts

    # --- what the machine knows

    def send_from_machine(self) -> None:
        """Makes the flows that the redirects are about."""
        for family, target in ((socket.AF_INET, self.here), (socket.AF_INET6, self.here6)):
            script = f"import socket; s = socket.socket({int(family)}, socket.SOCK_DGRAM); s.bind(('', 45678)); s.sendto(b'x', ('{target}', {40000}))"
            self.command(sys.executable, "-c", script)

    def ways_of_the_machine(self) -> str:
        ways = self.command("ip", "route", "get", INTERNET) + self.command("ip", "-6", "route", "get", INTERNET6)
        return ways + self.command("ip", "-6", "route", "show", "default") + self.command("ip", "-6", "address", "show", "dev", self.interface)

    def prefix(self) -> str:
        return self.address(key="IPPrefixLen")


class RawSockets:
    """Whole packets by raw sockets: they pass the rules of both layers. A class of its own, so that it is not run by itself."""

    def test_packets_made_by_hand_arrive_nowhere(self: PacketsTest) -> None:
        attempts = self.whole_packets()
        self.assert_kept(self.wire, attempts)
        self.remove_rules()
        self.assert_arrive(self.wire, attempts)

    def test_the_machine_is_not_told_another_way(self: PacketsTest) -> None:
        attempts = [*self.redirects(), *self.advertisements()]
        self.send_from_machine()
        before = self.ways_of_the_machine()
        self.assert_kept(self.wire, attempts)
        self.assertEqual(self.ways_of_the_machine(), before)
        self.remove_rules()
        self.assert_arrive(self.wire, attempts)
        self.assertNotEqual(self.ways_of_the_machine(), before, "the control: it believes what it is told")

    def test_another_address_of_its_own_changes_nothing(self: PacketsTest) -> None:
        targets = [target for target in self.lab.targets if target["class"] in ("lan", "ula", "cgnat", "metadata", "host")]
        prefix = ipaddress.ip_interface(f"{self.here}/{self.prefix()}").network
        beside = str(next(host for host in prefix.hosts() if str(host) not in (self.here, self.gateway)))
        for what, source in (("of the same network", beside), ("of none", FOREIGN)):
            with self.subTest(what=what):
                self.in_sandbox("ip", "address", "add", f"{source}/32", "dev", "eth0")
                self.in_sandbox("ip", "route", "replace", "default", "via", self.gateway, "src", source)
                self.lab.counters(reset=True)
                outcomes = self.lab.probe(self.name, [dict(target) for target in targets], timeout_s=1.0)
                self.assertEqual([outcome for outcome in outcomes if outcome["outcome"] == "answered"], [])
                self.assertEqual(self.arrived(), {})
        self.remove_rules()
        self.lab.probe(self.name, [dict(target) for target in targets], timeout_s=1.0)
        self.assertGreaterEqual(set(self.arrived()), {"lan", "lan2", "cgnat", "metadata", "host"})


class Frames:
    """Frames by packet sockets, which only the layer of the host sees."""

    def test_frames_made_by_hand_arrive_nowhere(self: PacketsTest) -> None:
        attempts = [*self.as_frames(self.whole_packets()), *self.framed()]
        for value in ("1", "0"):
            with self.subTest(bridge_netfilter=value):
                for switch in BRIDGE_SWITCHES:
                    self.command("sysctl", "-qw", f"{switch}={value}")
                self.assert_kept(self.wire, attempts)
        self.remove_rules()
        self.assert_arrive(self.wire, attempts)

    def test_nobody_answers_in_the_name_of_others(self: PacketsTest) -> None:
        """What looks like an answer passes by connection state: the machine has asked the LAN, and the sandbox answers."""
        name = "answer"
        script = f"import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('{MACHINE_LAN}', 45679)); s.sendto(b'x', ('{LAN}', {ECHO}))"
        self.command(sys.executable, "-c", script)
        body = packets.udp(LAN, MACHINE_LAN, 45679, mark(name), source_port=ECHO)
        attempts = self.as_frames([Attempt(name, packets.ipv4(LAN, MACHINE_LAN, packets.UDP, body), MACHINE)])
        self.assert_kept(self.wire, attempts)
        self.remove_rules()
        self.assert_arrive(self.wire, attempts)

    def test_claimed_addresses_are_not_those_of_others(self: PacketsTest) -> None:
        """ARP passes no rule. The claims are heard, on this bridge, and change nothing on others."""
        there, here = packets.BROADCAST_MAC, self.mac_inside()
        lan = [{"name": "lan", "address": LAN, "port": ECHO, "proto": proto, "class": "lan"} for proto in ("tcp", "udp")]
        self.send([Attempt(claimed, packets.frame(there, here, packets.arp_claim(here, claimed), protocol=0x0806), "", "frame")
                   for claimed in (self.gateway, LAN, MACHINE_LAN)])  # fmt: skip
        neighbours = self.command("ip", "neighbour")
        self.assertRegex(neighbours, rf"{LAN} dev {self.interface} lladdr {here}", "the control: arp_accept is on, and it was heard")
        self.assertEqual([line for line in neighbours.splitlines() if here in line and self.interface not in line], [])
        machine = self.lab.run(MACHINE, sys.executable, os.path.join(LAB, "probe.py"), "2", stdin=json.dumps(lan))
        self.assertEqual([outcome["outcome"] for outcome in json.loads(machine)], ["answered", "answered"])
        self.lab.counters(reset=True)
        self.assert_closed(self.outcomes("lan", "public", "host"))


class HostTest(RawSockets, Frames, PacketsTest):
    LAYERS = "host:direct"


class InsideTest(RawSockets, PacketsTest):
    LAYERS = "inside:direct"


class BothTest(Frames, PacketsTest):
    pass


class RightsTest(BypassTest):
    """What the sandbox may ask of the kernel. ways_test.py asks with the sandbox's seccomp filter; here it is off."""

    UNCONFINED = {"vsock", "new-user", "new-user-and-net"}  # what only the filter refuses; none of it leads to the sandbox's network

    def test_the_same_requests_succeed_with_the_right_to_them(self) -> None:
        """The control, in a namespace that nobody else has."""
        script = 'ip link add eth0 type bridge && ip link set eth0 up && exec "$0" eth0'
        tried = self.command("unshare", "--net", "sh", "-c", script, test_program("network_rights"))
        self.assertEqual([line for line in tried.splitlines() if not line.endswith(" 0")], [])

    def test_without_the_filter_the_network_can_not_be_changed(self) -> None:
        self.up()
        before = self.network_inside()
        tool = test_program("network_rights")
        capabilities = [f"--cap-add={name}" for name in self.inspect()["HostConfig"]["CapAdd"]]
        tried = self.docker("run", "--rm", "--network", f"container:{self.name}", "--cap-drop=ALL", *capabilities,
                            "--security-opt=seccomp=unconfined", "--mount", f"type=bind,source={tool},target=/tool,readonly",
                            "--entrypoint", "/tool", IMAGE, "eth0")  # fmt: skip
        refused = {name for name, error in map(str.split, tried.splitlines()) if error == EPERM}
        self.assertEqual({line.split()[0] for line in tried.splitlines()} - refused, self.UNCONFINED)
        self.assertEqual(self.network_inside(), before)


if __name__ == "__main__":
    program.main()
