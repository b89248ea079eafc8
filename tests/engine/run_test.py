"""`alca run`: bytes, exit codes and signals pass as if the command ran here, and nothing of it stays behind."""

import functools
import hashlib
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

from sandbox import SandboxTest, program, require_engine
from terminal_test import Terminal

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
        process = self.work.start("run", "sh", "-c", "sleep 20 & echo done")
        self.assertEqual(process.stdout.readline(), b"done\n")
        self.assertEqual(process.wait(15), 0)
        self.assertLess(time.monotonic() - start, 15)
        process.stdout.close()
        process.stderr.close()

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

    def test_environment_user_and_directory_can_be_chosen(self) -> None:
        os.mkdir(os.path.join(self.work.project, "below"))
        show = ("sh", "-c", 'echo "$A|$B|$C"; id -u; id -g; pwd; printf "%s," "$@"', "x")
        out = self.output("-e", "A=1=2", "-e", "B", "-e", "C", "-u", "5:6", "-w", "below", *show, "-e", "-w", env={"B": "own"})
        self.assertEqual(out, "1=2|own|\n5\n6\n/workspace/below\n-e,-w,")
        self.assertEqual(self.output("-w", "/tmp", "pwd"), "/tmp\n")
        self.assertEqual(self.output("-e", "A=1", "sh", "-c", "echo $A"), "1\n")
        self.assert_outcome(self.alca_run("-e", "=1", "true"), 125, out="")
        self.assertIn("NAME=VALUE", self.alca_run("-e", "=1", "true").err)

    def test_no_command_is_a_shell(self) -> None:
        self.assert_outcome(self.alca_run(data=b"echo $0 $((6 * 7))\nexit 5\n"), 5)
        self.assertIn("42", self.alca_run(data=b"echo $((6 * 7))\n").out)

    def test_privileges_equal_those_of_an_exec_of_the_engine(self) -> None:
        """Capabilities, filters, groups, limits and control groups: our stub gives neither more nor less."""
        script = "grep -E '^(Cap|NoNewPrivs|Seccomp|Groups|Uid|Gid)' /proc/self/status; cat /proc/self/limits /proc/self/cgroup; umask"
        self.assertEqual(self.output("sh", "-c", script), self.inside(script))


class RunByEngineTest(RunTest):
    """The same, where the sandbox's own socket does not reach the host."""

    RUN_BY = "engine"


class RunBySocketTest(SandboxTest):
    """What alca-init's own socket does better, and what must not come through it."""

    def setUp(self) -> None:
        super().setUp()
        self.up("-q")
        self.assert_outcome(self.alca_run("true"), 0)
        self.directory = os.path.join(self.work.state, "alca", "run", self.state()["project_id"])
        self.socket = os.path.join(self.directory, "init.sock")

    def way(self) -> str:
        outcome = self.work.run("-v", "run", "echo", "ran")
        self.assertEqual((outcome.code, outcome.out), (0, "ran\n"), outcome)
        found = re.search(r"run: (by the socket of the sandbox|through the engine)", outcome.err)
        self.assertIsNotNone(found, outcome.err)
        return found[1]

    def test_no_engine_and_no_plugin_is_needed(self) -> None:
        trace = os.path.join(self.work.root, "trace")
        outcome = self.alca_run("echo", "ran", wrapper=("strace", "-f", "-e", "trace=connect,openat,execve", "-o", trace))
        self.assert_outcome(outcome, 0, out="ran\n")
        with open(trace, encoding="utf-8", errors="replace") as file:
            text = file.read()
        self.assertIn("/proc/self/fd/", text)
        for absent in ("docker.sock", "runtime-docker", "firewall-nft", "libcurl", "libssl", "libnftnl"):
            self.assertNotIn(absent, text)

    def test_writer_without_end_delays_no_exit(self) -> None:
        process = self.work.start("run", "sh", "-c", "yes & sleep 1; exit 3")
        begun = time.monotonic()
        # So slowly that the writer is always ahead.
        while process.poll() is None and time.monotonic() - begun < 6:
            os.read(process.stdout.fileno(), 1 << 16)
            time.sleep(0.02)
        self.assertEqual(process.poll(), 3)
        process.stdout.close()
        process.stderr.close()
        self.assert_only_init_inside()

    def test_nothing_writes_to_the_terminal_after_the_end(self) -> None:
        # A shell above it, as with people: the terminal of a leader that ends is hung up.
        shell = ("sh", "-c", '"$@"; echo "code $?"; sleep 3', "sh")
        with Terminal(self, "run", "-T", "sh", "-c", "(sleep 1; echo late) & exit 5", wrapper=shell) as terminal:
            terminal.expect("code 5")
            self.assertFalse(terminal.sees("late", 2))

    def test_job_that_writes_nothing_holds_no_pipe(self) -> None:
        begun = time.monotonic()
        process = self.work.start("run", "sh", "-c", "sleep 5 > /dev/null & echo ok", stderr=subprocess.DEVNULL)
        self.assertEqual(process.communicate(timeout=10)[0], b"ok\n")
        self.assertLess(time.monotonic() - begun, 4)

    def test_output_that_cannot_be_written_is_told(self) -> None:
        for mode in ("wb", "ab"):
            with open("/dev/full", mode, buffering=0) as full:
                process = self.work.start("run", "echo", "hi", stdout=full)
                self.assertEqual(process.wait(10), 125)
                with process.stderr as err:
                    self.assertIn(b"No space left", err.read())

    def test_directory_that_was_removed_is_made_again(self) -> None:
        self.work.run("down", "--keep")
        shutil.rmtree(self.directory)
        self.up("-q")
        self.assertEqual(self.way(), "by the socket of the sandbox")

    def test_listener_that_does_not_answer_is_not_waited_for(self) -> None:
        pid = self.inspect()["State"]["Pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            self.assertEqual(self.way(), "through the engine")
            self.assertLess(time.monotonic() - begun, 4)
        finally:
            os.kill(pid, signal.SIGCONT)

    def test_process_one_cannot_be_traced(self) -> None:
        outcome = self.alca_run("sh", "-c", "ls -l /proc/1/exe /proc/1/fd/ 2>&1")
        self.assertIn("ermission denied", outcome.out)

    def test_engine_that_is_gone_is_not_missed(self) -> None:
        self.assert_outcome(self.alca_run("echo", "ran", env={"DOCKER_HOST": "unix:///nowhere.sock"}), 0, out="ran\n", err="")

    def test_late_output_of_a_background_job_arrives_in_a_file(self) -> None:
        path = os.path.join(self.work.root, "out")
        with open(path, "wb") as file:
            begun = time.monotonic()
            process = self.work.start("run", "sh", "-c", "(sleep 1; echo late) & exit 5", stdout=file)
            self.assertEqual(process.wait(10), 5)
            self.assertLess(time.monotonic() - begun, 1)
        process.stderr.close()
        program.wait_until(lambda: os.path.getsize(path) > 0, "late output")
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read(), "late\n")

    def test_late_output_of_a_background_job_arrives_in_a_pipe(self) -> None:
        process = self.work.start("run", "sh", "-c", "(sleep 1; echo late; echo late >&2) & exit 5")
        begun = time.monotonic()
        self.assertEqual(process.wait(10), 5)
        self.assertLess(time.monotonic() - begun, 1)
        self.assertEqual(process.communicate(timeout=10), (b"late\n", b"late\n"))

    def test_a_link_in_place_of_the_socket_is_not_followed(self) -> None:
        self.assertEqual(self.way(), "by the socket of the sandbox")
        self.output("ln", "-sf", "/var/run/docker.sock", "/alca-run/init.sock")
        self.assertEqual(self.way(), "through the engine")
        os.unlink(self.socket)
        self.output("mkdir", "/alca-run/init.sock")
        self.assertEqual(self.way(), "through the engine")

    def test_another_process_that_listens_there_is_given_nothing(self) -> None:
        """Also one of the host: only process 1 of the sandbox is asked."""
        os.unlink(self.socket)
        with socket.socket(socket.AF_UNIX) as thief:
            thief.bind(self.socket)
            thief.listen()
            self.assertEqual(self.way(), "through the engine")
            thief.settimeout(1)
            connection, _ = thief.accept()
            with connection:
                self.assertEqual(connection.recv(100), b"")

    def test_process_inside_is_turned_away(self) -> None:
        """Else a user inside could become root."""
        hello = b"\x10\0\0\0\x16\0\0\0" + b"\x01\0\0\0" + bytes(16) + b"\0\0"
        pid = self.inspect()["State"]["Pid"]
        script = (
            "import socket,sys; s = socket.socket(socket.AF_UNIX); s.connect('/alca-run/init.sock'); s.settimeout(3);"
            f"socket.send_fds(s, [{hello!r}], [1, 2]); sys.stdout.write(repr(s.recv(9)))"
        )
        # The machine's python in the sandbox's process and mount namespaces is not there: its mounts stay the host's.
        script = script.replace("/alca-run/init.sock", self.socket)
        outside = subprocess.run(["python3", "-c", script], capture_output=True, text=True, check=False)
        self.assertIn("x11", outside.stdout, "the hello is a good one")
        inside = subprocess.run(["nsenter", f"--target={pid}", "--pid", "python3", "-c", script], capture_output=True, text=True, check=False)
        self.assertIn(inside.stdout, ("b''", ""), inside)
        self.assertTrue(inside.stdout == "b''" or "reset" in inside.stderr.lower() or "pipe" in inside.stderr.lower(), inside)

    def test_sandbox_that_was_restarted_by_hand_is_looked_at_again(self) -> None:
        self.docker("restart", "-t", "0", self.name)
        outcome = self.alca_run("echo", "ran")
        self.assert_outcome(outcome, 125, out="")
        self.up("-q")
        self.assertEqual(self.way(), "by the socket of the sandbox")

    def test_second_network_is_noticed(self) -> None:
        network = f"{self.name}-second"
        self.docker("network", "create", network)
        self.addCleanup(self.docker, "network", "rm", network)
        self.docker("network", "connect", network, self.name)
        self.addCleanup(self.docker, "network", "disconnect", "-f", network, self.name)
        outcome = self.alca_run("echo", "ran")
        self.assert_outcome(outcome, 125, out="")
        self.assertIn("no longer isolated", outcome.err)

    def test_rules_that_somebody_took_away_are_restored_first(self) -> None:
        self.assertEqual(self.way(), "by the socket of the sandbox")
        self.command("nft", "delete", "table", "inet", "alca")
        outcome = self.alca_run("echo", "ran")
        self.assert_outcome(outcome, 0, out="ran\n")
        self.assertIn("have been restored", outcome.err)

    def test_user_and_groups_are_those_of_an_exec_of_the_engine(self) -> None:
        facts = "id -u; id -g; grep -E '^(Groups|Cap|NoNewPrivs|Seccomp):' /proc/self/status; echo $HOME; umask"
        cases = (("", ""), ("1000:1000", ""), ("nobody", ""), ("0:5", ""), ("nobody", '[envs]\nHOME = "/tmp"\n'))
        for user, more in cases:
            with self.subTest(user=user, more=more):
                self.configure(f'user = "{user}"\n{more}')
                self.up("-q", "-f", "--trust")
                self.assertEqual(self.way(), "by the socket of the sandbox")
                mine = self.output("sh", "-c", facts)
                self.work.environment = functools.partial(self.work.environment, ALCA_RUN_BY="engine")
                theirs = self.output("sh", "-c", facts)
                self.work.environment = self.work.environment.func
                self.assertEqual(mine.replace("\t ", "\t").split(), theirs.split())

    def test_directory_is_gone_after_down(self) -> None:
        self.assertTrue(os.path.exists(self.socket))
        self.work.run("down")
        self.assertFalse(os.path.exists(self.directory))


if __name__ == "__main__":
    program.main()
