"""A lab for network tests. Usage: python3 tests/support/lab COMMAND; needs root.

The private engine and what is under test run on the lab's machine, called "host", from which no packet can leave
the lab. Around it are LAN, public, carrier-grade NAT, unique local and metadata hosts and neighbour containers.
"""

import argparse
import json
import os
import signal
import sys

import topology
from lab import Lab, sweep


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lab", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        if name != "sweep":
            command.add_argument("--state", required=True, metavar="DIR", help="the lab's directory")
        return command

    up = add("up", "make a lab; what is made is removed if that fails")
    up.add_argument("--owner", type=int, default=os.getppid(), help="pid with whose end `sweep` may remove the lab (the caller)")
    up.add_argument("--engine-option", action="append", default=[], metavar="OPTION", help="one more argument of dockerd; may be repeated")
    add("down", "remove the lab; safe to repeat")
    execute = add("exec", "run a command on a host: `lab exec --state DIR internet -- ip address`")
    execute.add_argument("host", choices=topology.NAMESPACES)
    execute.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    add("env", "print DOCKER_HOST and ALCA_LAB as assignments")
    add("targets", "print what a sandbox may try, as JSON: name, address, port, proto, class")
    counters = add("counters", "print the packets that arrived at each target, as JSON")
    counters.add_argument("--reset", action="store_true", help="set them to zero after reading")
    probe = add("probe", "try targets from the network of a container, as JSON with outcomes")
    probe.add_argument("--container", required=True)
    probe.add_argument("--class", dest="kinds", action="append", help="only these; may be repeated")
    probe.add_argument("--timeout", type=float, default=2.0, metavar="SECONDS")
    add("sweep", "remove the labs whose owner has ended")
    return parser.parse_args(arguments)


def execute(lab: Lab, host: str, argv: list[str]) -> None:
    command = argv[1:] if argv[:1] == ["--"] else argv
    if not command:
        raise RuntimeError("exec needs a command")
    line = lab.command(host, *command)
    os.execvp(line[0], line)


def run(options: argparse.Namespace) -> None:
    if options.command == "sweep":
        for lab_id in sweep():
            print(f"removed {lab_id}")
        return
    if options.command == "up":
        Lab(options.state, owner_pid=options.owner, engine_options=tuple(options.engine_option)).up()
        return
    if options.command == "down" and not os.path.lexists(os.path.join(options.state, "lab.json")):
        return
    lab = Lab.open(options.state)
    if options.command == "down":
        lab.down()
    elif options.command == "exec":
        execute(lab, options.host, options.argv)
    elif options.command == "env":
        print(f"DOCKER_HOST={lab.docker_host}\nALCA_LAB={lab.state}")
    elif options.command == "targets":
        print(json.dumps(lab.targets, indent=2))
    elif options.command == "counters":
        print(json.dumps(lab.counters(options.reset), indent=2))
    elif options.command == "probe":
        targets = [t for t in lab.targets if not options.kinds or t["class"] in options.kinds]
        print(json.dumps(lab.probe(options.container, targets, options.timeout), indent=2))


def main() -> int:
    # An ordinary end: `up` then removes what it has made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        run(parse(sys.argv[1:]))
    except KeyboardInterrupt:
        return 130
    except (RuntimeError, OSError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
