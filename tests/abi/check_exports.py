#!/usr/bin/env python3
"""check_exports.py PATH...: every plugin (a .so, or all in a directory) exports alca_plugin_v1 alone.

Anything else could be bound to, or replace, a symbol of another plugin in the same process.
"""

import pathlib
import subprocess
import sys

ENTRY = "alca_plugin_v1"


def exports(library):
    command = ["nm", "-D", "--defined-only", "--format=posix", str(library)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split()[0] for line in output.splitlines()]


def main(arguments):
    libraries = []
    for path in map(pathlib.Path, arguments):
        libraries += sorted(path.glob("*.so")) if path.is_dir() else [path]
    if not libraries:
        sys.exit("no plugin to check: build first")
    wrong = {library: names for library in libraries if (names := exports(library)) != [ENTRY]}
    for library, names in wrong.items():
        print(f"{library}: exports {' '.join(names) or 'nothing'}, must export {ENTRY} alone")
    print(f"{len(libraries)} plugins checked")
    sys.exit(1 if wrong else 0)


main(sys.argv[1:])
