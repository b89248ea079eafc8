"""Echo servers and the resolver of the lab: one process with sockets in many network namespaces.

Usage: services.py SPEC...   SPEC is JSON: {"name", "netns" (path), "ports": [..], "names": {name: [address]} or absent}
Echo answers "NAME:" and what it got, so that a test knows who answered. With "names" it is a resolver on port 53 too.
Prints "ready" when everything listens.
"""

import ctypes
import ipaddress
import json
import os
import selectors
import socket
import struct
import sys
from collections.abc import Callable

CLONE_NEWNET = 0x40000000
TYPE_A, TYPE_AAAA = 1, 28
NAME_ERROR = 3


def enter_namespace(path: str) -> None:
    """Moves this thread: sockets made from here on belong to that namespace (os.setns is newer than Debian 12)."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {path}")
    finally:
        os.close(descriptor)


def listen(kind: socket.SocketKind, port: int) -> socket.socket:
    server = socket.socket(socket.AF_INET6, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.setblocking(False)
    server.bind(("::", port))
    if kind == socket.SOCK_STREAM:
        server.listen(128)
    else:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    return server


def dns_answer(query: bytes, names: dict[str, list[str]]) -> bytes:
    """The answer to a query with one question. Errors: IndexError, struct.error, UnicodeDecodeError for nonsense."""
    labels, offset = [], 12
    while query[offset]:
        length = query[offset]
        labels.append(query[offset + 1 : offset + 1 + length].decode("ascii"))
        offset += 1 + length
    (query_type,) = struct.unpack_from("!H", query, offset + 1)
    question = query[12 : offset + 5]
    addresses = names.get(".".join(labels).lower())
    records = []
    for address in map(ipaddress.ip_address, addresses or []):
        if query_type == (TYPE_A if address.version == 4 else TYPE_AAAA):
            data = address.packed
            records.append(struct.pack("!HHHIH", 0xC00C, query_type, 1, 60, len(data)) + data)
    flags = 0x8580 | (NAME_ERROR if addresses is None else 0)
    return query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + question + b"".join(records)


class Server:
    """All sockets in one loop. A client that misbehaves loses its connection and nothing else."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def add(self, name: str, ports: list[int], names: dict[str, list[str]] | None) -> None:
        """Listens in the namespace that the thread is in."""
        tag = f"{name}:".encode()
        for port in ports:
            self._on_readable(listen(socket.SOCK_STREAM, port), lambda s: self._accept(s, tag))
            self._on_readable(listen(socket.SOCK_DGRAM, port), lambda s: self._datagram(s, lambda data: tag + data))
        if names is not None:
            self._on_readable(listen(socket.SOCK_DGRAM, 53), lambda s: self._datagram(s, lambda data: dns_answer(data, names)))

    def serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                key.data(key.fileobj)

    def _on_readable(self, source: socket.socket, action: Callable[[socket.socket], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, action)

    def _accept(self, server: socket.socket, tag: bytes) -> None:
        try:
            client, _ = server.accept()
        except OSError:
            return
        client.setblocking(False)
        self._on_readable(client, lambda s: self._stream(s, tag))

    def _stream(self, client: socket.socket, tag: bytes) -> None:
        try:
            data = client.recv(65536)
            if data:
                client.send(tag + data)
                return
        except OSError:
            pass
        self._selector.unregister(client)
        client.close()

    @staticmethod
    def _datagram(server: socket.socket, answer: Callable[[bytes], bytes]) -> None:
        try:
            data, ancillary, _, address = server.recvmsg(65536, 256)
            # Answer from the address that was asked: a host with several would else pick one.
            asked = [(level, kind, info[:16] + bytes(4)) for level, kind, info in ancillary]
            server.sendmsg([answer(data)], asked, 0, address)
        except (OSError, IndexError, struct.error, UnicodeDecodeError):
            return


def main(specs: list[str]) -> None:
    server = Server()
    for text in specs:
        spec = json.loads(text)
        enter_namespace(spec["netns"])
        server.add(spec["name"], spec["ports"], spec.get("names"))
    print("ready", flush=True)
    server.serve()


if __name__ == "__main__":
    main(sys.argv[1:])
