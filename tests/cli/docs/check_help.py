#!/usr/bin/env python3
"""check_help.py ALCA [--write]: docs/reference/commands shows what `alca COMMAND --help` prints.

Each command has a page of its name, and each text block on a page is the help of the command in its
line "Usage: alca COMMAND ...", subcommands included. --write puts the help of today into the pages.
"""

import difflib
import pathlib
import re
import subprocess
import sys

PAGES = pathlib.Path(__file__).resolve().parents[3] / "docs/reference/commands"
BLOCK = re.compile(r"(?<=^```text\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
USAGE = re.compile(r"^Usage: alca((?: [a-z]+)+)", re.MULTILINE)
SUBCOMMANDS = re.compile(r"^Subcommands:\n((?:  .*\n)+)", re.MULTILINE)


def help_of(alca, command):
    done = subprocess.run([alca, *command, "--help"], capture_output=True, text=True, check=True)
    return done.stdout.strip("\n") + "\n"


def subcommands(text):
    lists = SUBCOMMANDS.findall(text)
    return re.findall(r"^  ([a-z]+)", lists[0], re.MULTILINE) if lists else []


def commands_of(alca):
    """All commands, as word lists: ["up"], ["plugins"], ["plugins", "list"]."""
    top = [[name] for name in subcommands(help_of(alca, []))]
    return top + [[*words, name] for words in top for name in subcommands(help_of(alca, words))]


def faults_of(page, alca, shown, write):
    """Differences on one page. The commands that it shows are added to `shown`."""
    faults = []

    def current(match):
        usage = USAGE.search(match.group())
        if not usage:
            faults.append(f"{page.name}: a text block without a line 'Usage: alca COMMAND'")
            return match.group()
        command = usage.group(1).split()
        shown.append(command)
        text = help_of(alca, command)
        names = f"{page.name}", f"alca {' '.join(command)} --help"
        if not write:
            faults.extend(difflib.unified_diff(match.group().split("\n"), text.split("\n"), *names, lineterm=""))
        return text

    old = page.read_text(encoding="utf-8")
    new = BLOCK.sub(current, old)
    if write and new != old:
        page.write_text(new, encoding="utf-8")
    return faults


def main(alca, write):
    commands, shown, faults = commands_of(alca), [], []
    pages = sorted(PAGES.glob("*.md"))
    for page in pages:
        faults += faults_of(page, alca, shown, write)
    faults += [f"alca {' '.join(words)}: shown on no page" for words in commands if words not in shown]
    print("\n".join([*faults, f"{len(pages)} pages, {len(commands)} commands"]))
    sys.exit(1 if faults or not commands or not pages else 0)


main(sys.argv[1], "--write" in sys.argv[2:])
