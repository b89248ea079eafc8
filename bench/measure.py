"""Times programs in pairs: ours, theirs, ours, theirs, so that what else the machine does hits both."""

import os
import pathlib
import statistics
import tempfile
import time

LOG_TAIL_BYTES = 2000


class Failure(Exception):
    """A measured program failed: there is nothing to compare. The text is for people."""


def run(command, environment=None):
    """Runs `command` in the current directory without input. Returns the milliseconds from before its start to its end.

    Failure, with the end of its output, when it does not exit with 0.
    """
    environment = os.environ if environment is None else environment
    with tempfile.TemporaryFile() as log:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, log.fileno(), 1),
            (os.POSIX_SPAWN_DUP2, log.fileno(), 2),
        ]
        begin = time.perf_counter()
        # Not subprocess: it adds milliseconds of its own, which would hide differences. The group of its own
        # keeps Ctrl-C from it: half of a `docker run` would come to be after our clean-up.
        pid = os.posix_spawnp(command[0], command, environment, file_actions=actions, setpgroup=0)
        try:
            _, status = os.waitpid(pid, 0)
        except BaseException:
            os.waitpid(pid, 0)
            raise
        took_ms = (time.perf_counter() - begin) * 1000
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - LOG_TAIL_BYTES))
            raise Failure(f"exit {code}: {' '.join(command)}\n{log.read().decode(errors='replace')}")
    return took_ms


def output_of(command):
    """Standard output of `command`."""
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "output"
        run(["sh", "-c", 'file=$1; shift; exec "$@" > "$file"', "sh", str(file), *command])
        return file.read_text(encoding="utf-8")


class Comparison:
    """One row: pairs (ours, theirs) in one unit; the bound is on the median of their ratios."""

    def __init__(self, name, unit, bound=None):
        self.name, self.unit, self.bound = name, unit, bound
        self.pairs = []

    def add(self, ours, theirs):
        self.pairs.append((ours, theirs))

    def measure(self, ours, theirs, rounds):
        """Calls both, `rounds` times and once more before that, unmeasured, to warm caches up."""
        for number in range(rounds + 1):
            # Each goes first every other time: what one leaves behind may slow the next.
            if number % 2 == 0:
                our_time, their_time = ours(), theirs()
            else:
                their_time, our_time = theirs(), ours()
            if number > 0:
                self.add(our_time, their_time)

    def result(self):
        ratios = [ours / theirs for ours, theirs in self.pairs]
        ratio = statistics.median(ratios)
        return {
            "row": self.name,
            "unit": self.unit,
            "ours": statistics.median(ours for ours, _ in self.pairs),
            "theirs": statistics.median(theirs for _, theirs in self.pairs),
            "ratio": ratio,
            "ratio_min": min(ratios),
            "ratio_max": max(ratios),
            "pairs": len(ratios),
            "bound": self.bound,
            "ok": self.bound is None or ratio <= self.bound,
        }


class Amount:
    """One row without anything of theirs: a single value with a bound of its own."""

    def __init__(self, name, unit, value, bound):
        self.name, self.unit, self.value, self.bound = name, unit, value, bound

    def result(self):
        return {
            "row": self.name,
            "unit": self.unit,
            "ours": self.value,
            "bound": self.bound,
            "ok": self.value <= self.bound,
        }
