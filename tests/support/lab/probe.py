"""Tries targets from the network namespace that it runs in: JSON list in on stdin, the same with "outcome" out.

outcome: answered, refused (reset or "port unreachable"), unreachable ("administratively prohibited", no route),
denied (EPERM or EACCES from the local kernel) or timeout. Usage: probe.py TIMEOUT_SECONDS
"""

import errno
import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

OUTCOMES = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "refused",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",  # IPv6 without an address of one's own
    errno.EACCES: "denied",
    errno.EPERM: "denied",
}


def outcome_of(target: dict[str, object], timeout_s: float) -> str:
    family = socket.AF_INET6 if ":" in str(target["address"]) else socket.AF_INET
    kind = socket.SOCK_STREAM if target["proto"] == "tcp" else socket.SOCK_DGRAM
    with socket.socket(family, kind) as client:
        client.settimeout(timeout_s)
        try:
            client.connect((target["address"], target["port"]))
            client.send(b"probe")
            return "answered" if client.recv(256).endswith(b":probe") else "refused"
        except TimeoutError:
            return "timeout"
        except OSError as error:
            return OUTCOMES.get(error.errno or 0, str(error))


def main(timeout_s: float) -> None:
    targets = json.load(sys.stdin)
    with ThreadPoolExecutor(max_workers=32) as pool:
        for target, outcome in zip(targets, pool.map(lambda t: outcome_of(t, timeout_s), targets), strict=True):
            target["outcome"] = outcome
    json.dump(targets, sys.stdout)


if __name__ == "__main__":
    main(float(sys.argv[1]))
