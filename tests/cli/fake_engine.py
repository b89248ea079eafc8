"""An engine on a unix socket that knows no sandbox, or that misbehaves: what no real engine can be asked to do."""

import json
import os
import socket
import threading
from collections.abc import Callable

VERSION = {"Version": "24.0.0", "ApiVersion": "1.43", "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64",
           "KernelVersion": os.uname().release, "Components": [{"Name": "Engine", "Version": "24.0.0"}]}  # fmt: skip
INFO = {"OperatingSystem": "Debian", "OSType": "linux",
        "KernelVersion": os.uname().release, "SecurityOptions": ["name=seccomp,profile=default"],
        "Name": "fake", "ServerVersion": "24.0.0", "CgroupVersion": "2", "MemoryLimit": True, "PidsLimit": True}  # fmt: skip


def answer(status: str, body: object = "", headers: str = "") -> bytes:
    text = body if isinstance(body, str) else json.dumps(body)
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}Content-Length: {len(text)}\r\n\r\n"
    return (head + text).encode()


def ordinary(path: str, api: str = "1.43", headers: str = "Server: Docker/24.0.0 (linux)\r\n") -> bytes:
    """What an engine without any container says."""
    if path.endswith("/_ping"):
        return answer("200 OK", "OK", f"Api-Version: {api}\r\n{headers}")
    if path.endswith("/version"):
        return answer("200 OK", VERSION | {"ApiVersion": api})
    if path.endswith("/info"):
        return answer("200 OK", INFO)
    return answer("404 Not Found", {"message": f"no such thing: {path}"})


class FakeEngine:
    """Context manager. respond: path of the request -> bytes of the answer; None never answers."""

    def __init__(self, directory: str, respond: Callable[[str], bytes | None] = ordinary) -> None:
        self.path = os.path.join(directory, "fake-engine.sock")
        self.requests: list[str] = []  # "METHOD PATH", without the version
        self._respond = respond
        self._listener = socket.socket(socket.AF_UNIX)
        self._open: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    def __enter__(self) -> "FakeEngine":
        self._listener.bind(self.path)
        self._listener.listen(16)
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (self._listener, *self._open):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()
        os.unlink(self.path)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        try:
            while head := self._head(client):
                method, path = head.split(b" ", 2)[:2]
                self.requests.append(f"{method.decode()} {path.decode()}")
                reply = self._respond(path.decode())
                if reply is None:
                    return  # the connection stays open
                client.sendall(reply)
                if b"Content-Length" not in reply:
                    client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _head(self, client: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            more = client.recv(65536)
            if not more:
                return b""
            data += more
        return data
