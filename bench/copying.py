"""`alca cp` beside `docker cp` with the same container: a tree of small files, and one large file, both ways."""

import os
import pathlib
import shutil

import measure
import sandboxes

FILES = 2_000
FILE_BYTES = 5_000
LARGE_BYTES = 200 << 20
INSIDE = "/tmp/alca-bench"


def make_sources(directory):
    tree = directory / "tree"
    for number in range(FILES):
        parent = tree / str(number // 100)
        if number % 100 == 0:
            parent.mkdir(parents=True)
        (parent / str(number)).write_bytes(os.urandom(FILE_BYTES))
    with open(directory / "large", "wb") as file:
        for _ in range(LARGE_BYTES >> 20):
            file.write(os.urandom(1 << 20))


def remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def rows(ours, container, rounds):
    directory = pathlib.Path(ours.project).parent / "copies"
    directory.mkdir()
    make_sources(directory)
    os.chdir(ours.project)
    measure.run(["docker", "exec", container, "mkdir", "-p", INSIDE])
    for name, bounds in (("tree", (2, 2)), ("large", (2, 1))):
        source, target, inside = directory / name, directory / f"{name}-back", f"{INSIDE}/{name}"

        def into(copy, source=source, inside=inside):
            measure.run(["docker", "exec", container, "rm", "-rf", inside])
            return copy(str(source), f"{inside}")

        def out_of(copy, target=target, inside=inside):
            remove(target)
            return copy(inside, str(target))

        for way, bound, mine, theirs in (
            ("in", bounds[0],
             lambda into=into: into(lambda source, inside: ours.alca("cp", source, f":{inside}")),
             lambda into=into: into(lambda source, inside: measure.run(["docker", "cp", source, f"{container}:{inside}"]))),
            ("out", bounds[1],
             lambda out_of=out_of: out_of(lambda inside, target: ours.alca("cp", f":{inside}", target)),
             lambda out_of=out_of: out_of(lambda inside, target: measure.run(["docker", "cp", f"{container}:{inside}", target]))),
        ):  # fmt: skip
            label = f"{FILES} files" if name == "tree" else f"{LARGE_BYTES >> 20} MiB"
            sandboxes.say(f"cp {way}, {label}")
            row = measure.Comparison(f"cp {way}, {label} / docker cp", "ms", bound)
            row.measure(mine, theirs, rounds)
            yield row
    measure.run(["docker", "exec", container, "rm", "-rf", INSIDE])
    shutil.rmtree(directory)
