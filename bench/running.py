"""`alca run` beside `docker exec` in the same container: time, streams, a terminal, memory."""

import os
import pathlib
import pty
import select
import statistics
import subprocess
import time

import measure
import sandboxes

MAX_MORE_KIB = 64  # of memory for each command that runs
STREAM = "dd if=/dev/zero bs=1M count=1024 2>/dev/null"
AT_ONCE = 20
OPEN_RUNS = 10
KEYS = 40
KEY_LIMIT_S = 5


def to_nowhere(command, environment=None, count=1):
    """`count` of them at once, each with its output in a pipe that is read and forgotten. Milliseconds until all have ended."""
    begin = time.perf_counter()
    processes = [
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment) for _ in range(count)
    ]
    for process in processes:
        with process.stdout:
            while os.read(process.stdout.fileno(), 1 << 20):
                pass
        if process.wait() != 0:
            raise measure.Failure(f"exit {process.returncode}: {' '.join(command)}")
    return (time.perf_counter() - begin) * 1000


def echo_ms(command, environment=None):
    """Median of the time from a key to its echo by a terminal inside."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, environment or os.environ)
    times = []
    try:
        read_until(terminal, b"ready")
        for _ in range(KEYS):
            begin = time.perf_counter()
            os.write(terminal, b"x")
            read_until(terminal, b"x")
            times.append((time.perf_counter() - begin) * 1000)
            time.sleep(0.005)  # as a person would: nothing is on its way any more
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    return statistics.median(times)


def read_until(terminal, text):
    seen = b""
    while text not in seen:
        if not select.select([terminal], [], [], KEY_LIMIT_S)[0]:
            raise measure.Failure(f"a terminal does not answer: {seen!r}")
        seen += os.read(terminal, 4096)


def proportional_kib(pid):
    """Memory of a process; what several share counts in parts."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


def memory_rows(ours):
    idle = sum(proportional_kib(pid) for pid in ours.inits())
    processes = [
        subprocess.Popen([ours.program, "run", "cat"], env=ours.environment, cwd=ours.project, stdin=subprocess.PIPE)
        for _ in range(OPEN_RUNS)
    ]
    try:
        deadline = time.monotonic() + KEY_LIMIT_S
        while len(ours.inits()) < OPEN_RUNS + 1:
            if time.monotonic() > deadline:
                raise measure.Failure("the commands do not start")
            time.sleep(0.01)
        time.sleep(0.3)
        more = (sum(proportional_kib(pid) for pid in ours.inits()) - idle) / OPEN_RUNS
    finally:
        for process in processes:
            process.stdin.close()
            process.wait()
    return [measure.Amount("memory inside, each command that runs", "KiB", round(more), MAX_MORE_KIB)]


def rows(ours, container, rounds, slow_rounds):
    def exec_inside(*command):
        return ["docker", "exec", container, *command]

    def ours_run(*command):
        return [ours.program, "run", *command]

    os.chdir(ours.project)
    comparisons = (
        ("run true / exec true", 0.10, rounds,
         lambda: ours.alca("run", "true"), lambda: measure.run(exec_inside("true"))),
        ("run true / true here", 5, rounds,
         lambda: ours.alca("run", "true"), lambda: measure.run(["true"])),
        ("1 GiB out / exec", 0.08, slow_rounds,
         lambda: to_nowhere(ours_run("sh", "-c", STREAM), ours.environment), lambda: to_nowhere(exec_inside("sh", "-c", STREAM))),
        (f"{AT_ONCE} at once / exec", 0.2, slow_rounds,
         lambda: to_nowhere(ours_run("true"), ours.environment, AT_ONCE), lambda: to_nowhere(exec_inside("true"), count=AT_ONCE)),
        ("echo of a key / exec -it", 0.5, slow_rounds,
         lambda: echo_ms(ours_run("sh", "-c", "echo ready; cat"), ours.environment),
         lambda: echo_ms(["docker", "exec", "-it", container, "sh", "-c", "echo ready; cat"])),
    )  # fmt: skip
    for name, bound, count, mine, theirs in comparisons:
        sandboxes.say(name.split(" / ", maxsplit=1)[0])
        row = measure.Comparison(name, "ms", bound)
        row.measure(mine, theirs, count)
        yield row
    yield from memory_rows(ours)
