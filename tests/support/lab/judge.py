"""Judges what a sandbox under the default policy could reach: the internet, and nothing else.

Usage: judge.py OUTCOMES COUNTERS   files with the JSON of probe.py and of `lab counters`
Prints one line per class of target. Exit 1 with what is wrong: at the client by its outcome, at the target by packets.
"""

import json
import sys
from collections import Counter
from typing import Any

import topology

PUBLIC_NAMES = {host.name for host in topology.HOSTS if host.kind == "public"}


def must_answer(outcome: dict[str, Any]) -> bool:
    """The internet by IPv4; by IPv6 only if the sandbox has it, which is not asked here."""
    return outcome["class"] == "public" and ":" not in outcome["address"]


def faults(outcomes: list[dict[str, Any]], counters: dict[str, dict[str, int]]) -> list[str]:
    """What differs from the default policy; empty if nothing does."""
    found = []
    for outcome in outcomes:
        answered = outcome["outcome"] == "answered"
        target = "{class} {address} {proto}/{port}".format_map(outcome)
        if must_answer(outcome) and not answered:
            found.append(f"{target} must be reachable: {outcome['outcome']}")
        if outcome["class"] != "public" and answered:
            found.append(f"{target} must not be reachable, but answered")
    for kind in {target.kind for target in topology.fixed_targets()} - {outcome["class"] for outcome in outcomes}:
        found.append(f"no target of class {kind} was tried")
    for name, packets in counters.items():
        # The resolver is one of the LAN hosts, and questions to it are allowed.
        arrived = sum(number for kind, number in packets.items() if kind != "dns")
        if name in PUBLIC_NAMES and arrived == 0:
            found.append(f"no packet arrived at {name}")
        if name not in PUBLIC_NAMES and arrived > 0:
            found.append(f"{arrived} packets arrived at {name}")
    return found


def table(outcomes: list[dict[str, Any]]) -> list[str]:
    lines = []
    for kind in dict.fromkeys(outcome["class"] for outcome in outcomes):
        counts = Counter(outcome["outcome"] for outcome in outcomes if outcome["class"] == kind)
        lines.append(f"  {kind:<10}" + ", ".join(f"{number} {outcome}" for outcome, number in counts.items()))
    return lines


def main(outcomes_file: str, counters_file: str) -> int:
    with open(outcomes_file, encoding="utf-8") as file:
        outcomes = json.load(file)
    with open(counters_file, encoding="utf-8") as file:
        counters = json.load(file)
    print("\n".join(table(outcomes)))
    found = faults(outcomes, counters)
    for fault in found:
        print(f"  wrong: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
