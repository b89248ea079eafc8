"""`alca run`: bytes, exit codes and signals pass as if the command ran here, and nothing of it stays behind."""

import hashlib
import os
import resource
import signal
import subprocess
import time

from sandbox import SandboxTest, program, require_engine

MEGABYTE = 1 << 20


def setUpModule() -> None:
    require_engine()


class RunTest(SandboxTest):
    def setUp(self) -> None:
        super().setUp()
        self.up("-q")

    # --- exit codes and messages

    def test_exit_code_is_that_of_the_command(self) -> None:
        for code in (0, 1, 2, 42, 124, 255):
            self.assert_outcome(self.alca_run("sh", "-c", f"exit {code}"), code, out="", err="")

    def test_command_ended_by_a_signal_is_128_and_the_signal(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV):
            self.assert_outcome(self.alca_run("sh", "-c", f"kill -{number} $$"), 128 + number, out="", err="")

    def test_command_that_is_not_there_is_127(self) -> None:
        for command in ("no-such-command", "/no/such/command"):
            outcome = self.alca_run(command)
            self.assert_outcome(outcome, 127, out="")
            self.assertIn(command, outcome.err)

    def test_command_that_can_not_be_executed_is_126(self) -> None:
        with open(os.path.join(self.work.project, "plain"), "w", encoding="ascii") as file:
            file.write("not a program")
        for command in ("./plain", "/etc/passwd", "/etc"):
            outcome = self.alca_run(command)
            self.assert_outcome(outcome, 126, out="")
            self.assertIn(command, outcome.err)

    def test_failure_of_alca_is_125(self) -> None:
        self.work.run("down", "--keep")
        outcome = self.alca_run("true")
        self.assert_outcome(outcome, 125, out="", err="alca: container is not running: run 'alca up' first\n")
        outcome = self.alca_run("true", env={"DOCKER_HOST": "unix:///nowhere.sock"})
        self.assert_outcome(outcome, 125, out="")
        self.assertIn("unix:///nowhere.sock (from DOCKER_HOST)", outcome.err)

    def test_container_that_is_killed_ends_the_run(self) -> None:
        process = self.work.start("run", "sh", "-c", "echo started; sleep 1000")
        self.assertEqual(process.stdout.readline(), b"started\n")
        self.docker("kill", self.name)
        outcome = program.finish(process, timeout_s=5)
        self.assertIn(outcome.code, (125, 137), outcome)

    # --- arguments and environment

    def test_arguments_arrive_byte_for_byte(self) -> None:
        arguments = [b"", b" ", b"a b", b"it's", b'"', b"$HOME", b"`id`", b"\\", b"--", b"-x", b"*", b"\xff\xfe\x80", "ü€😀".encode(),
                     b"line\nline", b"\x01\x7f", b"x" * 100_000]  # fmt: skip
        out = self.work.start("run", "sh", "-c", 'printf "%s\\0" "$@"', "sh", *arguments).communicate(timeout=60)[0]
        self.assertEqual(out.split(b"\0")[:-1], arguments)

    def test_options_of_the_command_are_its_own(self) -> None:
        for arguments in (("--help",), ("-v", "--version"), ("--", "-T"), ("run", "--json")):
            self.assertEqual(self.output("echo", *arguments), " ".join(arguments) + "\n")
            self.assertEqual(self.output("--", "echo", *arguments), " ".join(arguments) + "\n")

    def test_too_many_arguments_are_told(self) -> None:
        # The host takes a quarter of the stack's limit as arguments; inside the limit is the engine's, 2 MiB of arguments.
        soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
        resource.setrlimit(resource.RLIMIT_STACK, (64 << 20, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_STACK, (soft, hard))
        outcome = self.alca_run("true", *["x" * 100_000] * 30)
        self.assertIn(outcome.code, (125, 126), outcome.err[:300])
        self.assertNotEqual(outcome.err, "")

    def test_environment_of_the_caller_stays_outside(self) -> None:
        names = {line.split("=")[0] for line in self.output("env", env={"ALCA_TEST_SECRET": "x", "TERM": "xterm-test"}).splitlines()}
        self.assertNotIn("ALCA_TEST_SECRET", names)
        self.assertIn("TERM", names)
        self.assertEqual(self.output("sh", "-c", "echo $TERM", env={"TERM": "xterm-test"}), "xterm-test\n")

    # --- streams

    def test_output_and_errors_stay_apart(self) -> None:
        self.assert_outcome(self.alca_run("sh", "-c", "echo out; echo err >&2"), 0, out="out\n", err="err\n")

    def test_bytes_of_every_value_pass_in_both_directions(self) -> None:
        data = bytes(range(256)) * 1000
        process = self.work.start("run", "cat", stdin=subprocess.PIPE)
        out, err = process.communicate(data, timeout=60)
        self.assertEqual((process.returncode, hashlib.sha256(out).digest(), err), (0, hashlib.sha256(data).digest(), b""))

    def test_a_gibibyte_comes_out_whole(self) -> None:
        process = self.work.start("run", "sh", "-c", "head -c 1073741824 /dev/zero | tr '\\0' 'a'")
        digest, size = hashlib.sha256(), 0
        while chunk := process.stdout.read(MEGABYTE):
            digest.update(chunk)
            size += len(chunk)
        self.assertEqual((process.wait(30), size), (0, 1 << 30))
        expected = hashlib.sha256()
        for _ in range(1024):
            expected.update(b"a" * MEGABYTE)
        self.assertEqual(digest.digest(), expected.digest())

    def test_a_gibibyte_through_cat_comes_back_whole(self) -> None:
        """In and out at once: whoever stops reading while it writes hangs here."""
        path = os.path.join(self.work.root, "gibibyte")
        expected = hashlib.sha256()
        with open(path, "wb") as file:
            for number in range(1024):
                block = number.to_bytes(4, "big") * (MEGABYTE // 4)
                expected.update(block)
                file.write(block)
        with open(path, "rb") as file:
            process = self.work.start("run", "cat", stdin=file)
            digest = hashlib.sha256()
            while chunk := process.stdout.read(MEGABYTE):
                digest.update(chunk)
        self.assertEqual(process.wait(30), 0)
        self.assertEqual(digest.digest(), expected.digest())
        self.assert_only_init_inside()

    def test_reader_that_goes_away_ends_the_command(self) -> None:
        script = f"'{self.work.program}' run yes | head -1"
        done = subprocess.run(["sh", "-c", script], cwd=self.work.project, env=self.work.environment(), capture_output=True,
                              timeout=20, check=False)  # fmt: skip
        self.assertEqual(done.stdout, b"y\n")
        self.assert_only_init_inside()

    def test_empty_input_ends_at_once(self) -> None:
        self.assert_outcome(self.alca_run("cat", timeout_s=10), 0, out="", err="")

    def test_closed_input_is_an_empty_one(self) -> None:
        outcome = self.alca_run("cat", wrapper=("sh", "-c", 'exec "$@" <&-', "sh"), timeout_s=10)
        self.assert_outcome(outcome, 0, out="")

    def test_input_that_nobody_reads_delays_nothing(self) -> None:
        process = self.work.start("run", "true", stdin=subprocess.PIPE)
        self.assertEqual(process.wait(10), 0)
        process.communicate()

    def test_file_opened_for_reading_can_not_be_written_from_inside(self) -> None:
        path = os.path.join(self.work.root, "precious.txt")
        with open(path, "w", encoding="ascii") as file:
            file.write("precious")
        with open(path, encoding="ascii") as file:
            outcome = self.alca_run("sh", "-c", "cat; echo pwned > /proc/self/fd/0; cat /proc/self/fd/0", stdin=file)
        self.assertTrue(outcome.out.startswith("precious"), outcome)
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_directory_as_input_opens_nothing_inside(self) -> None:
        directory = os.open(self.work.root, os.O_RDONLY)
        try:
            outcome = self.alca_run("sh", "-c", "ls /proc/self/fd/0/ /proc/self/fd/0/../", stdin=directory, timeout_s=20)
        finally:
            os.close(directory)
        self.assertNotIn("project", outcome.out)
        self.assertNotEqual(outcome.code, 0)

    def test_background_child_delays_no_exit(self) -> None:
        start = time.monotonic()
        self.assert_outcome(self.alca_run("sh", "-c", "sleep 20 & echo done", timeout_s=15), 0, out="done\n", err="")
        self.assertLess(time.monotonic() - start, 15)

    def test_twenty_at_once(self) -> None:
        processes = [self.work.start("run", "sh", "-c", f"echo {number}; exit {number}") for number in range(20)]
        for number, process in enumerate(processes):
            self.assert_outcome(program.finish(process, 60), number, out=f"{number}\n", err="")
        self.assert_only_init_inside()

    # --- signals

    def started(self, script: str) -> "subprocess.Popen[bytes]":
        process = self.work.start("run", "sh", "-c", script)
        self.assertEqual(process.stdout.readline(), b"started\n")
        return process

    def test_signals_reach_the_command(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
            with self.subTest(signal=number.name):
                process = self.started(f"trap 'echo got; exit 7' {number.value}; echo started; while :; do sleep 0.1; done")
                process.send_signal(number)
                self.assert_outcome(program.finish(process, 10), 7, out="got\n")

    def test_signal_without_a_handler_ends_the_command(self) -> None:
        process = self.started("echo started; exec sleep 1000")
        process.terminate()
        self.assert_outcome(program.finish(process, 10), 128 + signal.SIGTERM, out="")
        self.assert_only_init_inside()

    def test_command_that_ignores_everything_can_be_given_up(self) -> None:
        process = self.started("trap '' INT TERM HUP; echo started; while :; do sleep 0.1; done")
        for _ in range(8):
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)  # signals of one kind that come together are one
            if process.poll() is not None:
                break
        program.finish(process, 10)
        self.assert_only_init_inside()

    def test_killed_client_leaves_no_process_inside(self) -> None:
        stubborn = "trap '' HUP TERM INT; setsid sh -c 'trap \"\" HUP TERM INT; sleep 3000' & sleep 2000 & echo started; sleep 1000"
        process = self.started(stubborn)
        self.assertGreaterEqual(len(self.processes_inside()), 3)
        process.kill()
        process.wait()
        self.assert_only_init_inside(timeout_s=5)
        process.stdout.close()
        process.stderr.close()

    def test_no_descriptor_of_the_caller_is_inside(self) -> None:
        secret = os.open(self.work.root, os.O_RDONLY)
        os.set_inheritable(secret, True)
        try:
            out = self.output("sh", "-c", "ls -l /proc/self/fd", pass_fds=[secret])
        finally:
            os.close(secret)
        self.assertNotIn(self.work.root, out)

    # --- where and who

    def test_subdirectory_is_the_same_inside(self) -> None:
        below = os.path.join(self.work.project, "a", "b c")
        os.makedirs(below)
        self.assertEqual(self.output("pwd"), "/workspace\n")
        self.assertEqual(self.output("pwd", cwd=below), "/workspace/a/b c\n")

    def test_no_command_is_a_shell(self) -> None:
        self.assert_outcome(self.alca_run(data=b"echo $0 $((6 * 7))\nexit 5\n"), 5)
        self.assertIn("42", self.alca_run(data=b"echo $((6 * 7))\n").out)

    def test_privileges_equal_those_of_an_exec_of_the_engine(self) -> None:
        """Capabilities, filters, groups, limits and control groups: our stub gives neither more nor less."""
        script = "grep -E '^(Cap|NoNewPrivs|Seccomp|Groups|Uid|Gid)' /proc/self/status; cat /proc/self/limits /proc/self/cgroup; umask"
        self.assertEqual(self.output("sh", "-c", script), self.inside(script))


if __name__ == "__main__":
    program.main()
