"""`alca run` against each fault that ways into a container have been seen to have, and where it is tested.

| Fault | Test |
|---|---|
| first size of the terminal is wrong | terminal_test: first_size_is_right_each_time |
| processes stay when the client ends by TERM, KILL or a closed terminal; modes are not restored | run_test: killed_client_leaves_no_process_inside; terminal_test: closed_terminal_leaves_no_process_inside, modes_of_the_terminal_are_restored, crash_restores_the_terminal |
| signals do not arrive; exit codes of signals and handlers | run_test: signals_reach_the_command; here: signal_without_a_handler_is_its_exit_code |
| `yes \\| head -1` stays; `cat` with big, empty or no input hangs | run_test: reader_that_goes_away_ends_the_command, a_gibibyte_through_cat_comes_back_whole, empty_input_ends_at_once; here: big_input_from_a_pipe_comes_back_whole |
| 125, 126, 127; their text is on stdout | run_test: command_that_is_not_there_is_127, command_that_can_not_be_executed_is_126, failure_of_alca_is_125 |
| a background child delays the exit; its output is lost | run_test: background_child_delays_no_exit, late_output_of_a_background_job_arrives_in_a_file, ..._in_a_pipe, job_that_writes_nothing_holds_no_pipe (by the engine the exit is not delayed; what comes later is lost) |
| keys are taken on the way; job control | terminal_test: end_of_input_and_detach_keys_are_keys_like_others, keys_that_send_signals_reach_the_program, suspended_program_does_not_suspend_alca, text_of_all_alphabets_passes; here: stopped_and_continued_by_the_shell, job_in_the_background_ends |
| arguments and variables that are not text, many, too many | run_test: arguments_arrive_byte_for_byte, too_many_arguments_are_told; here: a_mebibyte_of_arguments_arrives, variables_that_are_not_text_arrive |
| a descriptor of the caller's is inside: file, directory, terminal | run_test: file_opened_for_reading_can_not_be_written_from_inside, directory_as_input_opens_nothing_inside, no_descriptor_of_the_caller_is_inside; terminal_test: program_has_a_controlling_terminal_of_its_own; here: no_terminal_of_the_caller_is_inside |
| what was left behind reads the terminal | terminal_test: child_left_behind_reads_nothing_that_is_typed_later; run_test: nothing_writes_to_the_terminal_after_the_end |
| something else stands in place of the socket | run_test: a_link_in_place_of_the_socket_is_not_followed, another_process_that_listens_there_is_given_nothing, listener_that_does_not_answer_is_not_waited_for; here: whatever_stands_in_place_of_the_socket_gets_nothing |
| a process inside uses the socket; hostile answers | run_test: process_inside_is_turned_away; tests/unit/core/flow/exec_by_socket_test.cpp; tests/fuzz/answers.cpp |
| privileges differ from those of the engine's exec | run_test: privileges_equal_those_of_an_exec_of_the_engine, user_and_groups_are_those_of_an_exec_of_the_engine |
| limits of processes and memory | inside_test: sandbox_stays_usable_at_its_limits; here: limit_of_processes_is_told, limit_of_memory_ends_the_command |
| the container is killed; the engine goes away | broken_engine_test: engine_dying_during_a_run_is_125; here: killed_container_is_noticed_within_a_second, engine_that_goes_away_is_not_missed |
| long paths; the socket's directory is gone | path_test; run_test: directory_that_was_removed_is_made_again; here: home_may_be_longer_than_the_address_of_a_socket |
| slow libraries are loaded | run_test: no_engine_and_no_plugin_is_needed; here: no_slow_library_is_loaded; bench/run has the times |
"""

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import time

from sandbox import SandboxTest, engine_proxy, program, require_engine
from terminal_test import Terminal

MEGABYTE = 1 << 20
SLOW_LIBRARIES = ("libcurl", "libssl", "libcrypto", "libgnutls", "libboost")


def setUpModule() -> None:
    require_engine()


class RowsTest(SandboxTest):
    def setUp(self) -> None:
        super().setUp()
        self.up("-q")

    def started(self, script: str, **options: object) -> "subprocess.Popen[bytes]":
        process = self.work.start("run", "sh", "-c", f"echo started; {script}", **options)
        self.assertEqual(process.stdout.readline(), b"started\n")
        return process

    def test_signal_without_a_handler_is_its_exit_code(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            with self.subTest(signal=number.name):
                process = self.started("exec sleep 1000")
                process.send_signal(number)
                self.assert_outcome(program.finish(process, 5), 128 + number, out="")
        self.assert_only_init_inside()

    def test_big_input_from_a_pipe_comes_back_whole(self) -> None:
        size = 64 * MEGABYTE
        script = f"head -c {size} /dev/urandom > given; cat given | '{self.work.program}' run cat | cmp - given && wc -c < given"
        done = subprocess.run(["sh", "-c", script], cwd=self.work.project, env=self.work.environment(), capture_output=True,
                              text=True, timeout=60, check=False)  # fmt: skip
        self.assertEqual((done.stdout.strip(), done.stderr), (str(size), ""))

    def test_a_mebibyte_of_arguments_arrives(self) -> None:
        arguments = [bytes([97 + number]) * 100_000 for number in range(11)]
        expected = hashlib.sha256(b"".join(arguments)).hexdigest()
        out = self.output("sh", "-c", "printf %s \"$@\" | sha256sum", "sh", *arguments)
        self.assertEqual(out.split()[0], expected)

    def test_variables_that_are_not_text_arrive(self) -> None:
        self.assertEqual(self.output("-e", "A=1", "-e", "B=2", "sh", "-c", "echo $A $B"), "1 2\n")
        process = self.work.start("run", "-e", b"GIVEN=\xff\n\xfe=", "sh", "-c", 'printf "%s|%s" "$GIVEN" "$LC_ALL"', env={"LC_ALL": "\udcff"})
        self.assertEqual(process.communicate(timeout=20), (b"\xff\n\xfe=|\xff", b""))

    def test_no_terminal_of_the_caller_is_inside(self) -> None:
        script = "for fd in /proc/[0-9]*/fd/*; do readlink $fd; done | sort -u; echo end"
        terminal = self.enterContext(Terminal(self, "run", "-T", "sh", "-c", script))
        shown = terminal.expect("end")
        self.assertIn("pipe:", shown)
        self.assertNotRegex(shown, "/dev/(pts|tty|console)")

    def test_killed_container_is_noticed_within_a_second(self) -> None:
        process = self.started("exec sleep 1000")
        os.kill(self.inspect()["State"]["Pid"], signal.SIGKILL)
        begun = time.monotonic()
        self.assertIn(process.wait(5), (125, 137))
        self.assertLess(time.monotonic() - begun, 1)
        process.communicate()

    def test_limit_of_processes_is_told(self) -> None:
        self.configure("[resources]\npids = 30\n")
        self.up("-q", "-f")
        holder = self.work.start("run", "sh", "-c", "(while :; do sleep 1000 & done); echo full; read line", stdin=subprocess.PIPE)
        self.addCleanup(holder.communicate)
        self.addCleanup(holder.kill)
        self.assertEqual(holder.stdout.readline(), b"full\n")
        outcome = self.alca_run("true", timeout_s=20)
        self.assertIn(outcome.code, (125, 126), outcome)
        self.assertEqual(outcome.out, "")
        self.assertIn("cannot start a process", outcome.err)
        self.assertIn("raise the sandbox's limits", outcome.err)
        holder.kill()
        holder.wait()
        self.assert_only_init_inside()
        self.assertEqual(self.output("echo", "usable"), "usable\n")

    def test_limit_of_memory_ends_the_command(self) -> None:
        self.configure('[resources]\nmemory = "64m"\n')
        self.up("-q", "-f")
        outcome = self.alca_run("sh", "-c", "exec tail -c 500m /dev/zero", timeout_s=60)
        self.assert_outcome(outcome, 128 + signal.SIGKILL, out="")
        self.assertIn("alca: the sandbox's memory limit was reached, and a process was killed; raise resources.memory", outcome.err)
        self.assert_outcome(self.alca_run("sh", "-c", "kill -KILL $$"), 128 + signal.SIGKILL, out="", err="")
        self.assertEqual(self.output("echo", "usable"), "usable\n")

    def test_no_slow_library_is_loaded(self) -> None:
        self.output("true")  # the first one after `up` asks for the rules
        process = self.started("exec sleep 1000")
        with open(f"/proc/{process.pid}/maps", encoding="utf-8") as file:
            maps = file.read()
        process.terminate()
        program.finish(process, 5)
        self.assertIn("libc.so", maps)
        more = () if self.RUN_BY else ("libstdc++", "libfmt", "runtime-docker", "firewall-nft", "libnftnl")
        for name in (*SLOW_LIBRARIES, "libarchive", *more):
            self.assertNotIn(name, maps)

    # --- in an interactive shell

    def shell(self) -> Terminal:
        terminal = self.enterContext(Terminal(self, program=["sh", "-i"], cwd=self.work.project,
                                              env=self.work.environment(PS1="shell: ", ENV=None)))  # fmt: skip
        terminal.expect("shell: ")
        return terminal

    def test_stopped_and_continued_by_the_shell(self) -> None:
        """Without a terminal of its own the command is like any other of the shell's."""
        terminal = self.shell()
        terminal.type(f"'{self.work.program}' run -T sh -c 'echo started; read line; echo got $line'\n")
        terminal.expect("\nstarted")
        terminal.type(b"\x1a")
        terminal.expect("Stopped")
        terminal.type("fg\n")
        terminal.expect("fg\r\n")
        terminal.type("text\n")
        terminal.expect("got text")

    def test_job_in_the_background_ends(self) -> None:
        terminal = self.shell()
        terminal.type(f"'{self.work.program}' run -T sh -c 'sleep 0.5; echo do''ne; exit 3' & wait $!; echo \"code\" $?\n")
        terminal.expect("\ndone")
        terminal.expect("code 3")


class RowsByEngineTest(RowsTest):
    RUN_BY = "engine"


class RowsBySocketTest(SandboxTest):
    def test_whatever_stands_in_place_of_the_socket_gets_nothing(self) -> None:
        self.up("-q")
        path = os.path.join(self.work.state, "alca", "run", self.state()["project_id"], "init.sock")
        target = os.path.join(self.work.root, "target.sock")
        listener = self.enterContext(socket.socket(socket.AF_UNIX))
        listener.bind(target)
        listener.listen()
        begun = time.monotonic()
        self.output("true", env={"ALCA_RUN_BY": "engine"})
        by_engine_s = time.monotonic() - begun
        inside = "/alca-run/init.sock"
        for what, command in (
            ("a link", f"ln -s {target} {inside}"),
            ("a FIFO", f"mkfifo {inside}"),
            ("a file", f"echo text > {inside}"),
            ("a directory", f"mkdir {inside}"),
            ("nothing", "true"),
        ):
            with self.subTest(what=what):
                self.inside(f"rm -rf {inside}; {command}")
                begun = time.monotonic()
                outcome = self.work.run("-v", "run", "echo", "ran")
                self.assert_outcome(outcome, 0, out="ran\n")
                self.assertIn("run: through the engine", outcome.err)
                self.assertLess(time.monotonic() - begun, by_engine_s + 1)
        with self.subTest(what="a socket of the sandbox's that never answers"):
            self.inside(f"rm -rf {inside}")
            with contextlib.ExitStack() as stack:
                silent = stack.enter_context(socket.socket(socket.AF_UNIX))
                silent.bind(path)
                silent.listen()
                begun = time.monotonic()
                self.output("true")
                self.assertLess(time.monotonic() - begun, by_engine_s + 1)
        listener.setblocking(False)
        with self.assertRaises(BlockingIOError):
            listener.accept()

    def test_doctor_and_status_tell_the_way(self) -> None:
        self.up("-q")
        self.assertEqual(self.status()["run"]["way"], "socket")
        self.assertIn("were not read", self.status()["run"]["reason"], "no command has read the rules yet")
        self.output("true")
        self.assertEqual(self.status()["run"], {"way": "socket", "reason": ""})
        self.assertRegex(self.work.run("doctor").out, r"(?m)^✓ run +by the socket of the sandbox$")
        self.inside("rm /alca-run/init.sock")
        self.assertEqual(self.status()["run"]["way"], "engine")
        self.assertRegex(self.work.run("doctor").out, r"(?m)^✓ run +through the engine: .*init\.sock")
        self.work.run("down")
        self.assertNotRegex(self.work.run("doctor").out, r"(?m)^. run ")

    def test_engine_that_goes_away_is_not_missed(self) -> None:
        self.up("-q")
        with engine_proxy(self):
            self.work.run("list")  # the proxy does pass
            process = self.work.start("run", "sh", "-c", "echo started; read line; echo $line; exit 3", stdin=subprocess.PIPE)
            self.assertEqual(process.stdout.readline(), b"started\n")
        self.assert_outcome(program.finish(process, 10, b"still here\n"), 3, out="still here\n", err="")

    def test_home_may_be_longer_than_the_address_of_a_socket(self) -> None:
        self.work.state = os.path.join(self.work.root, "s" * 120, "t" * 120)
        os.makedirs(self.work.state)
        self.up("-q")
        outcome = self.work.run("-v", "run", "echo", "ran")
        self.assert_outcome(outcome, 0, out="ran\n")
        self.assertIn("by the socket of the sandbox", outcome.err)


if __name__ == "__main__":
    program.main()
