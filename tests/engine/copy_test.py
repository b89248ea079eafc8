"""`alca cp`: files arrive as they left, both ways, and nothing else happens to either side."""

import hashlib
import io
import os
import random
import re
import signal
import stat
import subprocess
import tarfile
import time

from sandbox import SandboxTest, program, require_engine
from terminal_test import Terminal

FILES = 2000
BIG_BYTES = 200 << 20


def setUpModule() -> None:
    require_engine()


def picture(top: str) -> dict[bytes, tuple]:
    """Each entry below: type and mode, modification time of what is no link, content or target."""
    found = {}
    for path, directories, files in os.walk(os.fsencode(top)):
        for name in directories + files:
            full = os.path.join(path, name)
            status = os.lstat(full)
            mtime = 0 if stat.S_ISLNK(status.st_mode) else int(status.st_mtime)
            content = b""
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(full)
            elif stat.S_ISREG(status.st_mode):
                with open(full, "rb") as file:
                    content = hashlib.sha256(file.read()).digest()
            found[os.path.relpath(full, os.fsencode(top))] = (status.st_mode, mtime, content)
    return found


def make_tree(top: str) -> None:
    """Directories in directories with files of every size and name."""
    generator = random.Random(42)
    directories = [os.fsencode(top)]
    os.mkdir(top)
    odd = [b"\xff\xfe", "ü€".encode(), b"a b", b"-rf", b"line\nline", b"n" * 250, b"'\"$`\\", b".hidden", b"\x1b[2J"]
    for number in range(FILES):
        if number % 20 == 0:
            parent = generator.choice(directories[-40:])
            name = b"%d" % number + (odd[number // 20 % len(odd)][:200] if number % 40 == 0 else b"")
            directories.append(os.path.join(parent, name))
            os.mkdir(directories[-1])
        name = b"%d-" % number + odd[number % len(odd)][:240]
        full = os.path.join(directories[-1], name)
        if number % 17 == 0:
            os.symlink(generator.choice([b"/etc/passwd", b"../no/such", b"x" * 1000, b"\xff"]), full)
            continue
        with open(full, "wb") as file:
            file.write(generator.randbytes(generator.choice([0, 1, 511, 512, 513, 5000, 70_000])))
        os.chmod(full, generator.choice([0o400, 0o600, 0o644, 0o755]))
        os.utime(full, (1_000_000_000, generator.randrange(1_000_000_000)))
    os.mkdir(os.path.join(directories[5], b"empty"))
    os.chmod(directories[7], 0o500)
    for directory in reversed(directories):
        os.utime(directory, (1_000_000_000, 1_100_000_000))


class CopyTest(SandboxTest):
    def setUp(self) -> None:
        super().setUp()
        self.up("-q")
        self.here = os.path.join(self.work.root, "here")
        os.mkdir(self.here)

    def cp(self, *arguments: str | bytes, **options: object) -> program.Outcome:
        return self.work.run("cp", *arguments, **{"cwd": self.work.project, **options})

    def assert_copied(self, *arguments: str | bytes, **options: object) -> None:
        self.assert_outcome(self.cp(*arguments, **options), 0, out="", err="")

    def write(self, name: str, content: bytes = b"", top: str = "") -> str:
        path = os.path.join(top or self.here, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def read(self, path: str) -> bytes:
        with open(os.path.join(self.here, path), "rb") as file:
            return file.read()

    def mount(self, options: str) -> str:
        directory = os.path.join(self.work.root, "mounted")
        os.mkdir(directory)
        self.command("mount", "-t", "tmpfs", "-o", options, "tmpfs", directory)
        self.addCleanup(self.command, "umount", directory)
        return directory

    def assert_no_temporary_file(self) -> None:
        self.assertEqual(self.inside("find / -xdev -name '.alca-cp-*'"), "")
        self.assertEqual([name for _, _, names in os.walk(self.work.root) for name in names if name.startswith(".alca-cp-")], [])

    # --- all of it, both ways

    def test_a_tree_goes_in_and_comes_back_the_same(self) -> None:
        tree = os.path.join(self.here, "tree")
        make_tree(tree)
        self.assert_copied(tree, ":/tmp/")
        self.assertEqual(self.output("sh", "-c", "find /tmp/tree | wc -l"), self.command("sh", "-c", f"find {tree} | tr -cd '\\n' | wc -c"))
        outcome = self.cp(":/tmp/tree", os.path.join(self.here, "back"))
        self.assertEqual(outcome.code, 0, outcome.err[-500:])
        # Links that lead out are told, ten of them by name.
        self.assertEqual(len(outcome.err.splitlines()), 11)
        self.assertRegex(outcome.err.splitlines()[-1], "^alca: [0-9]+ more links lead out of the destination$")
        self.assertNotIn("\x1b", outcome.err)
        self.assertEqual(picture(os.path.join(self.here, "back")), picture(tree))
        self.assert_only_init_inside()
        self.assert_no_temporary_file()

    def test_a_large_file_arrives_whole_both_ways(self) -> None:
        generator, digest = random.Random(1), hashlib.sha256()
        path = self.write("big")
        with open(path, "wb") as file:
            for _ in range(BIG_BYTES >> 20):
                block = generator.randbytes(1 << 20)
                digest.update(block)
                file.write(block)
        self.assert_copied(path, ":/tmp/big")
        self.assertEqual(self.output("sha256sum", "/tmp/big").split()[0], digest.hexdigest())
        self.assert_copied(":/tmp/big", os.path.join(self.here, "back"))
        with open(os.path.join(self.here, "back"), "rb") as file:
            self.assertEqual(hashlib.file_digest(file, "sha256").hexdigest(), digest.hexdigest())

    # --- where to, as `cp -r`

    def test_into_a_directory_or_under_a_new_name(self) -> None:
        os.makedirs(os.path.join(self.here, "d"))
        self.write("d/f", b"F")
        d = os.path.join(self.here, "d")
        for destination, found in (("/tmp", "/tmp/d/f"), ("/tmp/new", "/tmp/new/f"), ("/tmp/new", "/tmp/new/d/f")):
            self.assert_copied(d, ":" + destination)
            self.assertEqual(self.output("cat", found), "F")
        self.assert_copied(d + "/.", ":/tmp/content")
        self.assertEqual(self.output("cat", "/tmp/content/f"), "F")
        self.assert_copied(d + "/f", ":/tmp/content/")
        self.assert_copied(d + "/f", ":/tmp/content/g")
        self.assertEqual(self.output("ls", "/tmp/content"), "f\ng\n")
        for source, destination, found in ((":/tmp/content", "", "content/g"), (":/tmp/content", "out", "out/g"),
                                           (":/tmp/content", "out", "out/content/g"), (":/tmp/content/.", "out", "out/f"),
                                           (":/tmp/content/g", "h", "h")):  # fmt: skip
            self.assert_copied(source, os.path.join(self.here, destination))
            self.assertEqual(self.read(found), b"F")

    def test_relative_paths_inside_begin_where_the_caller_stands(self) -> None:
        os.mkdir(os.path.join(self.work.project, "sub"))
        self.write("sub/f", b"F", self.work.project)
        sub = os.path.join(self.work.project, "sub")
        self.assert_copied("f", ":g", cwd=sub)
        self.assertEqual(self.output("cat", "/workspace/sub/g"), "F")
        self.assert_copied(":g", "../h", cwd=sub)
        self.assertEqual(self.output("cat", "/workspace/h"), "F")
        self.assert_copied(":/etc/hostname", self.here, cwd=sub)

    def test_a_file_is_replaced_and_a_directory_is_not(self) -> None:
        self.inside("mkdir -p /tmp/d/f; echo old > /tmp/f; ln -s /tmp/f /tmp/l")
        f = self.write("f", b"new")
        self.assert_copied(f, ":/tmp/l")
        self.assertEqual(self.inside("cat /tmp/f /tmp/l; test -L /tmp/l || echo file"), "old\nnewfile\n")
        outcome = self.cp(f, ":/tmp/d")
        self.assert_outcome(outcome, 1, err="alca: in the sandbox: f: Is a directory\n")
        self.assertEqual(self.cp(self.here, ":/tmp/f").code, 1)
        self.assertEqual(self.inside("cat /tmp/f"), "old\n")

    def test_links_are_copied_as_links_unless_followed(self) -> None:
        self.write("f", b"F")
        os.symlink("f", os.path.join(self.here, "l"))
        link = os.path.join(self.here, "l")
        self.assert_copied(link, ":/tmp/")
        self.assert_copied("-L", link, ":/tmp/followed")
        self.assertEqual(self.inside("readlink /tmp/l; cat /tmp/followed"), "f\nF")
        self.inside("ln -sf /etc/hostname /tmp/l")
        self.assertEqual(self.cp(":/tmp/l", link + "2").code, 0)
        self.assertEqual(os.readlink(link + "2"), "/etc/hostname")
        self.assert_copied("-L", ":/tmp/l", link + "3")
        self.assertEqual(self.read("l3").decode(), self.inside("cat /etc/hostname"))

    def test_copies_belong_to_who_makes_them(self) -> None:
        f = self.write("f", b"F")
        os.chmod(f, 0o4755)
        outcome = self.cp("-u", "1234:1234", f, ":/tmp/f")
        self.assertEqual((outcome.code, outcome.err.count("without its set-user-ID")), (0, 1), outcome)
        self.assertEqual(self.inside("stat -c '%u:%g %a' /tmp/f"), "1234:1234 755\n")
        self.assert_copied(":/tmp/f", os.path.join(self.here, "g"))
        self.assertEqual(os.stat(os.path.join(self.here, "g")).st_uid, os.geteuid())
        os.chmod(f, 0o644)
        outcome = self.cp("-u", "1234", f, ":/etc/")
        self.assert_outcome(outcome, 1, err="alca: in the sandbox: f: Permission denied\n")

    def test_special_files_are_left_out_and_named(self) -> None:
        self.inside("mkdir /tmp/d; mkfifo /tmp/d/fifo; echo F > /tmp/d/f; ln /tmp/d/f /tmp/d/g")
        outcome = self.cp(":/tmp/d", self.here)
        self.assertEqual((outcome.code, outcome.err.count("left out, it is a special file")), (0, 1), outcome)
        self.assertEqual(sorted(os.listdir(os.path.join(self.here, "d"))), ["f", "g"])
        self.assertEqual(os.stat(os.path.join(self.here, "d/f")).st_nlink, 1)

    # --- streams

    def test_a_stream_goes_both_ways(self) -> None:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, content in (("a", b"A"), ("d/ü" + "n" * 200, b"long"), ("../escape", b"bad")):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        outcome = self.cp("-", ":/tmp", data=stream.getvalue())
        self.assertEqual((outcome.code, outcome.err), (1, "alca: ../escape: its name leads out of what is copied\n"))
        self.assertEqual(self.inside("cat /tmp/a; cat /tmp/d/*"), "Along")
        process = self.work.start("cp", ":/tmp/d", "-")
        out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, err), (0, b""))
        with tarfile.open(fileobj=io.BytesIO(out)) as archive:
            self.assertEqual(archive.getnames(), ["d", "d/ü" + "n" * 200])
        self.assertEqual(self.cp("-", ":/tmp/no-such-directory", data=stream.getvalue()).code, 1)
        self.assertEqual(self.cp("-", ":/tmp", data=b"no tar").code, 1)

    def test_a_reader_that_goes_away_ends_the_copy(self) -> None:
        done = subprocess.run(["sh", "-c", f"'{self.work.program}' cp :/ - | head -c 600 | wc -c"], cwd=self.work.project,
                              env=self.work.environment(), capture_output=True, timeout=30, check=False)  # fmt: skip
        self.assertEqual(done.stdout.strip(), b"600")
        self.assertIn(b"Broken pipe", done.stderr)
        self.assert_only_init_inside()

    # --- what fails

    def test_what_is_missing_is_told(self) -> None:
        self.assert_outcome(self.cp(":/no/such", self.here), 1, err="alca: in the sandbox: such: No such file or directory\n")
        self.assert_outcome(self.cp("no-such", ":/tmp"), 1, err="alca: no-such: No such file or directory\n")
        self.assert_outcome(self.cp(":/etc/hostname", "no/such"), 1, err="alca: no/such: No such file or directory\n")
        self.assert_outcome(self.cp(self.write("f"), ":/no/such"), 1, err="alca: in the sandbox: /no/such: No such file or directory\n")
        self.assertEqual(self.cp(self.write("f"), ":/tmp/none/").code, 1)
        for arguments in (("a", "b"), (":a", ":b"), ("", ":b"), ("a",)):
            self.assertEqual(self.cp(*arguments).code, 2, arguments)

    def test_a_sandbox_that_is_down_is_told(self) -> None:
        self.work.run("down", "--keep")
        outcome = self.cp(":/etc/hostname", self.here)
        self.assert_outcome(outcome, 1, err="alca: container is not running: run 'alca up' first\n")

    def test_a_disk_that_is_full_leaves_no_half_file(self) -> None:
        small = self.mount("size=1m")
        self.inside("head -c 3000000 /dev/zero > /tmp/big; echo F > /tmp/f")
        outcome = self.cp(":/tmp/big", small)
        self.assert_outcome(outcome, 1, err="alca: big: No space left on device\n")
        self.assertEqual(os.listdir(small), [])
        self.assert_copied(":/tmp/f", small)
        free = int(self.inside("df -k /dev/shm | tail -1").split()[3])
        path = self.write("large")
        os.truncate(path, (free + 1000) << 10)
        outcome = self.cp(path, ":/dev/shm/")
        self.assert_outcome(outcome, 1, err="alca: in the sandbox: large: No space left on device\n")
        self.assertEqual(self.inside("ls -A /dev/shm"), "")
        self.assert_only_init_inside()

    def test_a_destination_that_can_not_be_written_is_told(self) -> None:
        read_only = self.mount("ro")
        self.assert_outcome(self.cp(":/etc/hostname", read_only), 1, err="alca: hostname: Read-only file system\n")

    def test_interrupt_leaves_neither_process_nor_file(self) -> None:
        self.inside("truncate -s 100G /tmp/big")
        small = self.mount("size=300m")
        process = self.work.start("cp", ":/tmp/big", small)
        program.wait_until(lambda: os.listdir(small), "the copy begins")
        process.send_signal(signal.SIGINT)
        self.assert_outcome(program.finish(process, 10), 130, err="alca: interrupted\n")
        self.assertEqual(os.listdir(small), [])
        self.assert_only_init_inside()

    def test_interrupt_inwards_leaves_neither_process_nor_file(self) -> None:
        entry = tarfile.TarInfo("big")
        entry.size = 10 << 20
        process = self.work.start("cp", "-", ":/tmp", stdin=subprocess.PIPE)
        process.stdin.write(entry.tobuf() + bytes(1 << 20))
        process.stdin.flush()
        program.wait_until(lambda: self.inside("ls -A /tmp") != "", "the copy begins")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(10), 130)
        with process.stdin, process.stdout, process.stderr:
            self.assertEqual(process.stderr.read(), b"alca: interrupted\n")
        self.assert_only_init_inside()
        self.assertEqual(self.inside("ls -A /tmp"), "")

    # --- what the sandbox puts in the way

    def test_links_that_the_sandbox_made_lead_nowhere(self) -> None:
        secret = self.write("secret", b"secret")
        self.inside(f"ln -s {self.here} /workspace/out; echo bad > /tmp/secret; ln -s {secret} /workspace/s")
        for destination in ("out", "out/", "out/secret", "out/new", "s"):
            outcome = self.cp(":/tmp/secret", destination)
            self.assertEqual(outcome.code, 1)
            self.assertIn("a symbolic link leads out of a directory that the sandbox can write", outcome.err)
        self.assertEqual(self.cp("out/secret", ":/tmp/stolen").code, 1)
        self.assertEqual(self.cp("-L", "s", ":/tmp/stolen").code, 1)
        self.assertEqual((self.read("secret"), os.listdir(self.here)), (b"secret", ["secret"]))
        self.assertEqual(self.inside("test -e /tmp/stolen || echo no"), "no\n")

    def test_unreadable_state_of_another_project_stops_the_copy(self) -> None:
        """Which directories are a sandbox's is then not known."""
        self.inside("echo text > /tmp/f")
        with open(os.path.join(os.path.dirname(self.state_files[0]), "00000000-0000-4000-8000-000000000000.json"), "w", encoding="ascii") as file:
            file.write("{")
        self.assertEqual(self.cp(":/tmp/f", self.here).code, 1)
        self.assertEqual(os.listdir(self.here), [])
        os.unlink(file.name)
        self.assertEqual(self.cp(":/tmp/f", self.here).code, 0)

    def test_directories_that_become_links_meanwhile_lead_nowhere(self) -> None:
        """What shares the destination swaps a directory of it for a link, again and again, while files go there."""
        self.inside("mkdir -p /tmp/t/d; for i in $(seq 500); do echo bad > /tmp/t/d/$i; done; mkdir /workspace/t")
        swap = self.work.start("run", "sh", "-c", f"cd t; while :; do mv d e; ln -s {self.here} d; rm d; mv e d; done 2>/dev/null")
        try:
            met = 0
            for _ in range(20):
                met += "link" in self.cp(":/tmp/t/.", "t").err
                self.assertEqual(os.listdir(self.here), [])
            self.assertIsNone(swap.poll(), "it swaps all the time")
            self.assertGreater(met, 0, "no copy has met a link")
        finally:
            swap.send_signal(signal.SIGINT)
            program.finish(swap)

    # --- what people see

    def test_progress_on_a_terminal_only_when_it_takes_a_while(self) -> None:
        entry = tarfile.TarInfo("a")
        entry.size = 1 << 20
        path = os.path.join(self.work.root, "fifo")
        os.mkfifo(path)
        for flag, expected in (((), True), (("-q",), False)):
            with Terminal(self, "cp", *flag, "-", ":/tmp", wrapper=("sh", "-c", f'exec "$0" "$@" < {path}')) as terminal:
                with open(path, "wb", buffering=0) as pipe:
                    for _ in range(3):
                        pipe.write(entry.tobuf() + bytes(entry.size))
                        time.sleep(0.7)
                    pipe.write(bytes(1024))
                code, shown = terminal.end()
            self.assertEqual(code, 0, shown)
            self.assertEqual(bool(re.search("→ [0-9]+ files, [0-9.]+ MB", shown)), expected, shown)


class CopyByEngineTest(CopyTest):
    """The same, where the sandbox's own socket does not reach the host."""

    RUN_BY = "engine"
    # The same code at both ends, whichever way the stream takes.
    test_a_destination_that_can_not_be_written_is_told = None
    test_a_file_is_replaced_and_a_directory_is_not = None
    test_a_sandbox_that_is_down_is_told = None
    test_copies_belong_to_who_makes_them = None
    test_directories_that_become_links_meanwhile_lead_nowhere = None
    test_into_a_directory_or_under_a_new_name = None
    test_unreadable_state_of_another_project_stops_the_copy = None
    test_links_are_copied_as_links_unless_followed = None
    test_links_that_the_sandbox_made_lead_nowhere = None
    test_progress_on_a_terminal_only_when_it_takes_a_while = None
    test_relative_paths_inside_begin_where_the_caller_stands = None
    test_special_files_are_left_out_and_named = None


if __name__ == "__main__":
    program.main()
