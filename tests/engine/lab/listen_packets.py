"""Listens in many network namespaces for packets that carry a mark, `alca<NAME>`.

Usage: listen_packets.py SPEC...   SPEC is JSON: {"name", "netns" (path), "delivered"}
delivered false: what comes in at any device but lo, before any rule. true: what rules and routing have let through to
the host itself. Prints "ready"; answers each line on stdin with JSON {name: {mark: packets}} since the last one.
"""

import collections
import json
import os
import re
import selectors
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support", "lab"))

import services  # noqa: E402

MARK = re.compile(rb"alca<([^>]*)>")
EVERY_PROTOCOL = 3  # ETH_P_ALL
PROTOCOLS = (1, 2, 4, 6, 17, 41, 47, 50, 58, 89, 132)
BUFFER_BYTES = 8 << 20


def sockets(delivered: bool) -> list[socket.socket]:
    """In the namespace that the thread is in."""
    if not delivered:
        return [socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))]
    return [socket.socket(family, socket.SOCK_RAW, protocol) for family in (socket.AF_INET, socket.AF_INET6) for protocol in PROTOCOLS]


def drain(source: socket.socket, seen: "collections.Counter[str]") -> None:
    while True:
        try:
            data, sender = source.recvfrom(65536)
        except BlockingIOError:
            return
        if source.family == socket.AF_PACKET and (sender[0] == "lo" or sender[2] == socket.PACKET_OUTGOING):
            continue
        for mark in set(MARK.findall(data)):
            seen[mark.decode()] += 1


def main(specs: list[str]) -> None:
    selector = selectors.DefaultSelector()
    seen: dict[str, collections.Counter[str]] = {}
    for spec in map(json.loads, specs):
        services.enter_namespace(spec["netns"])
        for source in sockets(spec["delivered"]):
            source.setblocking(False)
            source.setsockopt(socket.SOL_SOCKET, 33, BUFFER_BYTES)  # SO_RCVBUFFORCE
            selector.register(source, selectors.EVENT_READ, seen.setdefault(spec["name"], collections.Counter()))
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    print("ready", flush=True)
    while True:
        asked = False
        for key, _ in selector.select():
            if key.data is None:
                asked = True
            else:
                drain(key.fileobj, key.data)
        if asked:
            if not sys.stdin.readline():
                return
            for key in selector.get_map().values():
                if key.data is not None:
                    drain(key.fileobj, key.data)
            print(json.dumps(seen), flush=True)
            for counts in seen.values():
                counts.clear()


if __name__ == "__main__":
    main(sys.argv[1:])
