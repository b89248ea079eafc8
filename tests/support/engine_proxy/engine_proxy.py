#!/usr/bin/env python3
"""A proxy in front of a container engine's socket that makes it look or behave like another one.

Answers of GET /info and GET /version (with or without a version in the path) are merged with a JSON patch; headers of
/_ping are replaced. Everything else passes: upgraded streams raw in both directions with half-close kept, all other
requests one to a connection, so that each is seen. It can also break, at a chosen request:

  --die-at '/containers/create'              close the connection before the request reaches the engine
  --die-after-bytes 100 --die-at '/exec/'    pass on so many bytes of the answer (of the stream), then close
  --hang-at '/start'                         take the request and never answer
  --once                                     break at the first match only; then pass everything
  --gone                                     after a break also stop listening, as an engine that has died

Prints "listening on PATH" on standard output, then one line "METHOD PATH" for each request.
"""

import argparse
import json
import os
import re
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CHUNK_BYTES = 65536
MAX_HEAD_BYTES = 65536


@dataclass
class Options:
    listen: str
    engine: str
    info: dict[str, Any]
    version: dict[str, Any]
    ping: dict[str, str]
    die_at: str
    die_after_bytes: int
    hang_at: str
    once: bool
    gone: bool
    breaks: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def takes_break(self, pattern: str, target: str) -> bool:
        """True when the request is one to break at; counts it."""
        if not pattern or not re.search(pattern, target):
            return False
        with self.lock:
            self.breaks += 1
            return not self.once or self.breaks == 1


class Incomplete(Exception):
    """The peer closed in the middle of a message."""


class Reader:
    """Reads heads and bodies from a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = b""

    def _more(self) -> bool:
        data = self.sock.recv(CHUNK_BYTES)
        self.buffer += data
        return bool(data)

    def head(self) -> bytes:
        """Up to and with the empty line; b"" at a proper end."""
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > MAX_HEAD_BYTES or not self._more():
                if self.buffer:
                    raise Incomplete
                return b""
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            if not self._more():
                raise Incomplete
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def rest(self) -> bytes:
        while self._more():
            pass
        data, self.buffer = self.buffer, b""
        return data


def header(head: bytes, name: str) -> str:
    match = re.search(rf"^{name}:[ \t]*(.*?)[ \t]*\r$".encode(), head, re.IGNORECASE | re.MULTILINE)
    return match.group(1).decode() if match else ""


def without_header(head: bytes, name: str) -> bytes:
    return re.sub(rf"^{name}:.*\r\n".encode(), b"", head, flags=re.IGNORECASE | re.MULTILINE)


def with_header(head: bytes, name: str, value: str) -> bytes:
    return without_header(head, name)[:-2] + f"{name}: {value}\r\n\r\n".encode()


def merge(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """RFC 7396: null removes, objects merge, all else replaces."""
    result = dict(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merge(result[key], value)
        else:
            result[key] = value
    return result


def copy_all(source: socket.socket, target: socket.socket, limit: int | None = None) -> None:
    """Until the source ends; then ends the target's input. limit: closes both after so many bytes."""
    left = limit
    try:
        while left != 0 and (data := source.recv(CHUNK_BYTES)):
            if left is not None:
                data = data[:left]
                left -= len(data)
            target.sendall(data)
    except OSError:
        left = 0
    if left == 0:
        close_hard(source)
        close_hard(target)
        return
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def close_hard(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class Connection:
    def __init__(self, client: socket.socket, options: Options, on_break: Callable[[], None]) -> None:
        self.client = client
        self.options = options
        self.on_break = on_break

    def serve(self) -> None:
        with self.client:
            try:
                while self._serve_request(Reader(self.client)):
                    pass
            except (OSError, Incomplete):
                pass

    def _serve_request(self, client: Reader) -> bool:
        """False: the connection is at its end."""
        head = client.head()
        if not head:
            return False
        method, target = head.split(b" ", 2)[:2]
        path = target.decode(errors="replace")
        print(method.decode(errors="replace"), path, flush=True)
        if self.options.takes_break(self.options.hang_at, path):
            client.rest()
            return False
        dies = self.options.takes_break(self.options.die_at, path)
        limit = self.options.die_after_bytes if dies else None
        if limit == 0:
            self.on_break()
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as engine:
            engine.connect(self.options.engine)
            if header(head, "Upgrade"):
                self._pass_stream(head, client, engine, limit)
            else:
                self._pass_request(head, client, engine, limit)
        if dies:
            self.on_break()
        return False

    def _pass_stream(self, head: bytes, client: Reader, engine: socket.socket, limit: int | None) -> None:
        engine.sendall(head + client.buffer)
        upward = threading.Thread(target=copy_all, args=(self.client, engine), daemon=True)
        upward.start()
        copy_all(engine, self.client, limit)
        if limit is None:
            upward.join()

    def _pass_request(self, head: bytes, client: Reader, engine: socket.socket, limit: int | None) -> None:
        length = header(head, "Content-Length")
        # In one piece: after an empty body the engine may have answered and closed already.
        engine.sendall(with_header(head, "Connection", "close") + client.exactly(int(length or 0)))
        if not length and header(head, "Transfer-Encoding"):
            # A body of unknown length (docker load, build): the rest of this connection is the body.
            engine.sendall(client.buffer)
            threading.Thread(target=copy_all, args=(self.client, engine), daemon=True).start()
        path = re.sub(r"^/v[0-9.]+(?=/)", "", head.split(b" ", 2)[1].decode()).partition("?")[0]
        answer = Reader(engine)
        answer_head = answer.head()
        if path in ("/info", "/version"):
            patch = self.options.info if path == "/info" else self.options.version
            self._send_patched(answer_head, answer, patch, limit)
            return
        if path == "/_ping":
            for name, value in self.options.ping.items():
                answer_head = with_header(answer_head, name, value) if value else without_header(answer_head, name)
        data = answer_head + answer.buffer
        self.client.sendall(data if limit is None else data[:limit])
        if limit is not None and len(data) >= limit:
            return
        copy_all(engine, self.client, None if limit is None else limit - len(data))

    def _send_patched(self, head: bytes, answer: Reader, patch: dict[str, Any], limit: int | None) -> None:
        body = answer.rest()
        if header(head, "Transfer-Encoding"):
            body = unchunked(body)
            head = without_header(head, "Transfer-Encoding")
        if head.split(b" ", 2)[1] == b"200":
            body = json.dumps(merge(json.loads(body), patch)).encode()
        data = with_header(head, "Content-Length", str(len(body))) + body
        self.client.sendall(data if limit is None else data[:limit])


def unchunked(data: bytes) -> bytes:
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        count = int(size.split(b";")[0], 16)
        if count == 0:
            break
        body, data = body + data[:count], data[count + 2 :]
    return body


def serve(options: Options) -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(options.listen)
    listener.listen(64)
    print(f"listening on {options.listen}", flush=True)

    def on_break() -> None:
        if options.gone:
            os.unlink(options.listen)
            listener.shutdown(socket.SHUT_RDWR)

    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=Connection(client, options, on_break).serve, daemon=True).start()


def parse(arguments: list[str]) -> Options:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", required=True, metavar="PATH", help="socket to make")
    parser.add_argument("--engine", default="/var/run/docker.sock", metavar="PATH")
    parser.add_argument("--info", default="{}", type=json.loads, metavar="JSON", help="merged into GET /info")
    parser.add_argument("--version", default="{}", type=json.loads, metavar="JSON", help="merged into GET /version")
    parser.add_argument("--ping", default="{}", type=json.loads, metavar="JSON", help='headers; "" removes one')
    parser.add_argument("--api", default="", metavar="X.Y", help="short for this version in /_ping and /version")
    parser.add_argument("--die-at", default="", metavar="REGEX")
    parser.add_argument("--die-after-bytes", default=0, type=int, metavar="N")
    parser.add_argument("--hang-at", default="", metavar="REGEX")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--gone", action="store_true")
    options = vars(parser.parse_args(arguments))
    api = options.pop("api")
    if api:
        options["ping"] = {"Api-Version": api} | options["ping"]
        options["version"] = {"ApiVersion": api} | options["version"]
    return Options(**options)


if __name__ == "__main__":
    serve(parse(sys.argv[1:]))
