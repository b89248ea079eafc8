#!/usr/bin/env python3
"""A registry on loopback for tests of pulling: serves images of the local engine, and can be slow or break off.

The engine pulls ADDRESS:PORT/IMAGE from it without TLS, as engines do for loopback. To pull anew, remove the image
and choose --salt: it changes the layer's digest, so that the engine does not find the layer in what it has.
Prints "listening on ADDRESS:PORT" on standard output. Nothing is written to disk.
"""

import argparse
import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
CHUNK_BYTES = 16384


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Store:
    """Manifests by image name and blobs by digest, in memory."""

    def __init__(self) -> None:
        self.manifests: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}

    def add(self, image: str, salt: str) -> None:
        """Copies an image of the engine; salt: added to each layer as a file if not empty."""
        saved = subprocess.run(["docker", "save", image], check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
            description = json.loads(read_member(archive, "manifest.json"))[0]
            config = json.loads(read_member(archive, description["Config"]))
            layers = [salted(read_member(archive, name), salt) for name in description["Layers"]]
        config["rootfs"]["diff_ids"] = [digest_of(layer) for layer in layers]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": self._put(json.dumps(config).encode(), CONFIG_TYPE),
            "layers": [self._put(gzip.compress(layer, 1, mtime=0), LAYER_TYPE) for layer in layers],
        }
        self.manifests[image] = json.dumps(manifest).encode()

    def _put(self, data: bytes, media_type: str) -> dict[str, Any]:
        digest = digest_of(data)
        self.blobs[digest] = data
        return {"mediaType": media_type, "size": len(data), "digest": digest}

    def find(self, path: str) -> tuple[str, bytes] | None:
        """Type and content for a request path, or None."""
        if path == "/v2/":
            return "application/json", b"{}"
        name, _, rest = path.removeprefix("/v2/").partition("/")
        kind, _, reference = rest.partition("/")
        if kind == "blobs" and reference in self.blobs:
            return "application/octet-stream", self.blobs[reference]
        manifest = self.manifests.get(name)
        if kind == "manifests" and manifest and reference in ("latest", digest_of(manifest)):
            return MANIFEST_TYPE, manifest
        return None


def read_member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise RuntimeError(f"docker save gave no file {name}")
    return file.read()


def salted(layer: bytes, salt: str) -> bytes:
    if not salt:
        return layer
    buffer = io.BytesIO(layer)
    with tarfile.open(fileobj=buffer, mode="a") as archive:
        member = tarfile.TarInfo(".salt")
        member.size = len(salt.encode())
        archive.addfile(member, io.BytesIO(salt.encode()))
    return buffer.getvalue()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Registry"

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        found = self.server.store.find(self.path)
        status = 200 if found else 404
        media_type, body = found or ("application/json", b'{"errors":[{"code":"NAME_UNKNOWN","message":"not here"}]}')
        self.send_response(status)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        self.send_header("Docker-Content-Digest", digest_of(body))
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body and media_type == "application/octet-stream":
            self._send_blob(body)
        elif with_body:
            self.wfile.write(body)

    def _send_blob(self, body: bytes) -> None:
        rate, cut_after = self.server.bytes_per_second, self.server.cut_after_bytes
        for begin in range(0, len(body), CHUNK_BYTES):
            if cut_after and begin >= cut_after:
                self.close_connection = True
                return
            self.wfile.write(body[begin : begin + CHUNK_BYTES])
            if rate:
                time.sleep(CHUNK_BYTES / rate)

    def log_message(self, format: str, *arguments: object) -> None:
        print(format % arguments, file=sys.stderr, flush=True)


class Registry(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: str, port: int, store: Store, bytes_per_second: int, cut_after_bytes: int) -> None:
        self.store = store
        self.bytes_per_second = bytes_per_second
        self.cut_after_bytes = cut_after_bytes
        super().__init__((address, port), Handler)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="ADDRESS:PORT", help="port 0 takes a free one")
    parser.add_argument("--image", action="append", required=True, help="local image without tag; may be repeated")
    parser.add_argument("--salt", default="", help="text that makes the layers new to the engine")
    parser.add_argument("--rate", type=int, default=0, metavar="BYTES_PER_SECOND", help="0: as fast as possible")
    parser.add_argument("--cut-after", type=int, default=0, metavar="BYTES", help="break off each blob there; 0: never")
    options = parser.parse_args(arguments)
    address, _, port = options.listen.rpartition(":")
    if not address or not port.isdigit():
        parser.error(f"--listen expects ADDRESS:PORT, not '{options.listen}'")
    store = Store()
    try:
        for image in options.image:
            store.add(image, options.salt)
    except subprocess.CalledProcessError as error:
        print(f"registry: {error.stderr.decode().strip()}", file=sys.stderr)
        return 1
    server = Registry(address, int(port), store, options.rate, options.cut_after)
    print(f"listening on {address}:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
