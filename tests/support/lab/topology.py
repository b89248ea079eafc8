"""What the lab looks like: data only.

                     router ---- internet   203.0.113.5   2001:db8:113::5
                    /  | | \\---- internet2  198.51.100.7  2001:db8:100::7
       br-lan 192.168.77.0/24    cgnat      100.64.0.2
       fd77::/64, 2001:db8:77::/64
         |          |  | \\------ metadata   169.254.169.254
        host       lan  \\-------- lan2       10.77.0.2 (also the resolver of the host)
         |
      onlink 192.0.2.2, 2001:db8:2::2: a public prefix that is on link at the host

`host` is the machine: the private engine and the program under test run there. No link leaves the lab.
"""

from dataclasses import dataclass, field

ECHO_PORT = 9000
PUBLISHED_PORT = 18080
RESOLVER = "10.77.0.2"
DOMAIN = "lab.test"

MACHINE = "host"
MACHINE_LAN = ("192.168.77.10/24", "fd77::10/64", "2001:db8:77::10/64")
MACHINE_PUBLIC = ("192.0.2.10/24", "2001:db8:2::10/64")
MACHINE_ADDRESSES = tuple(address.split("/")[0] for address in MACHINE_LAN + MACHINE_PUBLIC)

ROUTER = "router"
ROUTER_LAN = ("192.168.77.1/24", "fd77::1/64", "2001:db8:77::1/64")

BRIDGE_SUBNET6 = "fd00:d0c::/64"  # the engine's default bridge
SIBLING_SUBNET = "172.29.77.0/24"
SIBLING_SUBNET6 = "fd00:51b::/64"


@dataclass(frozen=True)
class Host:
    """A namespace with an echo server. link: "lan" (the LAN's bridge), "router" or "machine" (a veth each).

    peer: addresses of the other end of the link, with prefix length; also the default gateways.
    kind: what the addresses are to a sandbox; kinds overrides it for single addresses.
    """

    name: str
    link: str
    addresses: tuple[str, ...]
    kind: str
    peer: tuple[str, ...] = ()
    kinds: dict[str, str] = field(default_factory=dict)

    def kind_of(self, address: str) -> str:
        return self.kinds.get(address, self.kind)

    def bare_addresses(self) -> list[str]:
        return [address.split("/")[0] for address in self.addresses]


HOSTS = (
    Host("lan", "lan", ("192.168.77.2/24", "fd77::2/64", "2001:db8:77::2/64"), "lan", ROUTER_LAN, {"fd77::2": "ula"}),
    Host("lan2", "router", ("10.77.0.2/24",), "lan", ("10.77.0.1/24",)),
    Host("onlink", "machine", ("192.0.2.2/24", "2001:db8:2::2/64"), "onlink", MACHINE_PUBLIC),
    Host("cgnat", "router", ("100.64.0.2/24",), "cgnat", ("100.64.0.1/24",)),
    Host("metadata", "router", ("169.254.169.254/24",), "metadata", ("169.254.169.1/24",)),
    Host("internet", "router", ("203.0.113.5/24", "2001:db8:113::5/64"), "public", ("203.0.113.1/24", "2001:db8:113::1/64")),
    Host("internet2", "router", ("198.51.100.7/24", "2001:db8:100::7/64"), "public", ("198.51.100.1/24", "2001:db8:100::1/64")),
)

NAMESPACES = (MACHINE, ROUTER, *(host.name for host in HOSTS))


@dataclass(frozen=True)
class Target:
    """One thing that a sandbox may try to reach. kind: lan, onlink, public, cgnat, ula, metadata, host or neighbour.

    name: whose counters rise when a packet arrives.
    """

    name: str
    address: str
    port: int
    proto: str
    kind: str

    def to_json(self) -> dict[str, object]:
        return {"name": self.name, "address": self.address, "port": self.port, "proto": self.proto, "class": self.kind}


def fixed_targets() -> list[Target]:
    targets = []
    for proto in ("tcp", "udp"):
        for host in HOSTS:
            for address in host.bare_addresses():
                targets.append(Target(host.name, address, ECHO_PORT, proto, host.kind_of(address)))
        for address in MACHINE_ADDRESSES:
            targets.append(Target(MACHINE, address, ECHO_PORT, proto, "host"))
    return targets


def names() -> dict[str, list[str]]:
    """Host name to addresses, as the resolver answers."""
    table = {f"{host.name}.{DOMAIN}": host.bare_addresses() for host in HOSTS}
    table[f"{MACHINE}.{DOMAIN}"] = list(MACHINE_ADDRESSES)
    return table
