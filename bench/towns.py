"""A sandbox, a router and an internet in network namespaces of our own: nothing in them leaves this machine.

  client 10.88.1.2 --[alcabench]-- router --[vwan]-- server 203.0.113.9, and 10.77.0.2 as part of a local network
"""

import contextlib
import subprocess
import uuid

import measure

BRIDGE = "alcabench"
INTERNET = "203.0.113.9"
LAN = "10.77.0.2"  # listens as the internet does: open, but for the rules
LINK_ATTEMPTS = 5  # of two seconds each
# What an engine has put up before any rule of ours: a sandbox's connections leave under the host's address.
ENGINE_NAT = f"table ip nat {{ chain post {{ type nat hook postrouting priority srcnat; ip saddr 10.88.1.0/28 oifname != {BRIDGE} masquerade; }}; }}"
ONE_RULE = "table inet one { chain c { type filter hook forward priority filter; ct state established,related accept; }; }"

ROUTER = f"""link set lo up
link add {BRIDGE} type bridge
addr add 10.88.1.1/28 dev {BRIDGE}
link set {BRIDGE} up
link add v0 type veth peer name eth0 netns {{client}}
link set v0 master {BRIDGE} up
link add vwan type veth peer name eth0 netns {{server}}
addr add 198.51.100.1/24 dev vwan
link set vwan up
route add default via 198.51.100.2
"""
CLIENT = """link set lo up
link set eth0 up
addr add 10.88.1.2/28 dev eth0
route add default via 10.88.1.1
"""
SERVER = f"""link set lo up
link set eth0 up
addr add 198.51.100.2/24 dev eth0
addr add {INTERNET}/32 dev lo
addr add {LAN}/32 dev lo
route replace 198.51.100.0/24 dev eth0 src {INTERNET}
route add default via 198.51.100.1 src {INTERNET}
"""


def do(*command, text=None):
    """Runs `command` with `text` as its input. Failure when it does not exit with 0."""
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise measure.Failure(f"exit {done.returncode}: {' '.join(command)}\n{done.stderr}")


class Town:
    """Is removed with `cleanup`. Its links carry packets when the constructor returns."""

    def __init__(self, packets, cleanup):
        self.packets = packets
        mark = f"alca-bench-{uuid.uuid4().hex[:8]}"
        self.client, self.router, self.server = (f"{mark}-{part}" for part in ("client", "router", "server"))
        for namespace in (self.client, self.router, self.server):
            # In this order: a namespace that was half made is removed too.
            cleanup.callback(forget, namespace)
            do("ip", "netns", "add", namespace)
        names = {"client": self.client, "server": self.server}
        do("ip", "-n", self.router, "-batch", "-", text=ROUTER.format(**names))
        do("ip", "-n", self.client, "-batch", "-", text=CLIENT)
        do("ip", "-n", self.server, "-batch", "-", text=SERVER)
        self.in_router("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        do("ip", "netns", "exec", self.router, "nft", ENGINE_NAT)
        self.serve(cleanup)
        self.wait_for_links()

    def serve(self, cleanup):
        server = subprocess.Popen(
            ["ip", "netns", "exec", self.server, self.packets, "serve"], stdout=subprocess.PIPE, text=True
        )
        cleanup.callback(end, server)
        if server.stdout.readline() != "ready\n":
            raise measure.Failure("the server of the test network does not start")

    def wait_for_links(self):
        """New ones lose packets at first."""
        for attempt in range(LINK_ATTEMPTS):
            try:
                self.ping_us(10)
                return
            except measure.Failure:
                if attempt == LINK_ATTEMPTS - 1:
                    raise

    def in_router(self, *command):
        do("ip", "netns", "exec", self.router, *command)

    def put_one_rule_up(self):
        self.in_router("nft", ONE_RULE)

    def put_our_rules_up(self, fill, plugin, sandboxes):
        self.in_router(fill, str(plugin), BRIDGE, str(sandboxes))

    def from_client(self, *arguments):
        command = ["ip", "netns", "exec", self.client, self.packets, *(str(argument) for argument in arguments)]
        return float(measure.output_of(command))

    def ping_us(self, count):
        """The shortest of `count` round trips of a datagram."""
        return self.from_client("ping", INTERNET, count)

    def stream_gbits(self, length_ms):
        return self.from_client("stream", INTERNET, length_ms)

    def refused_ms(self, count):
        """Median of `count` connects that are refused; Failure when one is not."""
        return self.from_client("refused", LAN, count)


def forget(namespace):
    with contextlib.suppress(measure.Failure):
        do("ip", "netns", "del", namespace)


def end(process):
    process.kill()
    process.wait()
    process.stdout.close()
