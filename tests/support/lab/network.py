"""Makes and removes the namespaces of one lab, and reads the counters in them."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable

import topology

# Packets that arrive, by kind (n_KIND: the bare names are words of the nft language). Neighbour discovery, multicast listening and IGMP are the kernel's own talk.
COUNTERS = ("tcp", "udp", "dns", "icmp", "other")
COUNTER_RULES = """
table inet lab {
%(counters)s
    chain arriving {
        type filter hook %(hook)s; policy accept;
        %(match)s
        icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect } return
        icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } return
        meta l4proto igmp return
        udp dport 53 counter name n_dns return
        meta l4proto tcp counter name n_tcp return
        meta l4proto udp counter name n_udp return
        meta l4proto { icmp, ipv6-icmp } counter name n_icmp return
        counter name n_other
    }
}
"""
SYSCTLS = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding")


def run(*command: str, stdin: str | None = None) -> str:
    """Runs a command to its end. Errors: RuntimeError with what it printed."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip() or stdin}")
    return done.stdout


def in_namespace(path: str) -> list[str]:
    """Command prefix that enters the network namespace at the path."""
    return ["nsenter", f"--net={path}", "--"]


class Network:
    """The namespaces of the lab `lab_id`. Every veth joins two of them, so none touches the machine's own network."""

    def __init__(self, lab_id: str) -> None:
        self._prefix = f"{lab_id}-"

    def namespace(self, host: str) -> str:
        return self._prefix + host

    def path(self, host: str) -> str:
        return f"/run/netns/{self.namespace(host)}"

    def create(self) -> None:
        for host in topology.NAMESPACES:
            run("ip", "netns", "add", self.namespace(host))
            self._ip(host, "link set lo up")
        self._make_lan()
        for host in topology.HOSTS:
            self._join(host)
        for host in (topology.MACHINE, topology.ROUTER):
            run(*in_namespace(self.path(host)), "sysctl", "-q", *(f"{name}=1" for name in SYSCTLS))
        for host in (topology.MACHINE, *(host.name for host in topology.HOSTS)):
            add_counters(self.path(host), from_bridges=host == topology.MACHINE)

    def remove(self) -> None:
        """Removes the namespaces that are there and ends what runs in them; safe to repeat."""
        present = os.listdir("/run/netns") if os.path.isdir("/run/netns") else []
        for namespace in present:
            if namespace.startswith(self._prefix):
                for pid in run("ip", "netns", "pids", namespace).split():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
                run("ip", "netns", "delete", namespace)

    def _ip(self, host: str, *lines: str) -> None:
        run("ip", "-n", self.namespace(host), "-batch", "-", stdin="\n".join(lines) + "\n")

    def _make_lan(self) -> None:
        self._ip(topology.ROUTER, "link add br-lan type bridge", "link set br-lan up")
        self._addresses(topology.ROUTER, "br-lan", topology.ROUTER_LAN)
        self._veth(topology.MACHINE, "lan0", topology.ROUTER, "host")
        self._ip(topology.ROUTER, "link set host master br-lan")
        self._addresses(topology.MACHINE, "lan0", topology.MACHINE_LAN)
        self._default_routes(topology.MACHINE, topology.ROUTER_LAN)
        # Sandboxes have unique local IPv6 addresses, and answers must find the way back.
        self._ip(topology.ROUTER, f"route add fc00::/7 via {topology.MACHINE_LAN[2].split('/')[0]}")

    def _join(self, host: topology.Host) -> None:
        other = topology.MACHINE if host.link == "machine" else topology.ROUTER
        self._veth(host.name, "eth0", other, host.name)
        if host.link == "lan":
            self._ip(other, f"link set {host.name} master br-lan")
        else:
            self._addresses(other, host.name, host.peer)
        self._addresses(host.name, "eth0", host.addresses)
        self._default_routes(host.name, host.peer)

    def _veth(self, host: str, device: str, other: str, other_device: str) -> None:
        run("ip", "link", "add", device, "netns", self.namespace(host), "type", "veth",
            "peer", "name", other_device, "netns", self.namespace(other))  # fmt: skip
        self._ip(host, f"link set {device} up")
        self._ip(other, f"link set {other_device} up")

    def _addresses(self, host: str, device: str, addresses: tuple[str, ...]) -> None:
        self._ip(host, *(f"address add {a} dev {device}{' nodad' if ':' in a else ''}" for a in addresses))

    def _default_routes(self, host: str, peer: tuple[str, ...]) -> None:
        gateways = [address.split("/")[0] for address in peer if not address.startswith("fd")]
        self._ip(host, *(f"route add default via {gateway}" for gateway in gateways))


def add_counters(path: str, from_bridges: bool, prefix: Callable[[str], list[str]] = in_namespace) -> None:
    """Counts what arrives in the namespace. from_bridges: only what containers send to the machine itself."""
    rules = COUNTER_RULES % {
        "counters": "\n".join(f"    counter n_{name} {{ }}" for name in COUNTERS),
        "hook": "input priority filter" if from_bridges else "prerouting priority raw",
        "match": 'iifname { "lo", "lan0", "onlink" } return' if from_bridges else 'iifname "lo" return',
    }
    run(*prefix(path), "nft", "-f", "-", stdin=rules)


def read_counters(path: str, reset: bool = False, prefix: Callable[[str], list[str]] = in_namespace) -> dict[str, int]:
    """Packets by kind since the last reset."""
    verb = "reset" if reset else "list"
    answer = json.loads(run(*prefix(path), "nft", "-j", verb, "counters", "table", "inet", "lab"))
    counters = (item["counter"] for item in answer["nftables"] if "counter" in item)
    return {counter["name"].removeprefix("n_"): counter["packets"] for counter in counters}
