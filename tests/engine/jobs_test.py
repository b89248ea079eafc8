"""Jobs: `alca run -d`, `ps`, `logs` and `kill`, by the socket of the sandbox and through the engine."""

import json
import signal
import time

from sandbox import SandboxTest, program, require_engine

LINES = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done"


def setUpModule() -> None:
    require_engine()


class JobsTest(SandboxTest):
    def setUp(self) -> None:
        super().setUp()
        self.up("-q")

    def jobs(self, *flags: str) -> dict[str, dict[str, object]]:
        outcome = self.work.run("ps", "--json", *flags)
        self.assert_outcome(outcome, 0)
        return {job["name"]: job for job in json.loads(outcome.out)["jobs"]}

    def start(self, name: str, script: str, *flags: str) -> None:
        self.assert_outcome(self.work.run("run", "-d", "--name", name, *flags, "sh", "-c", script), 0, out=f"{name}\n", err="")

    def test_job_outlives_its_client_and_is_listed_until_it_ends(self) -> None:
        self.start("web", "echo here: $A; pwd; sleep 4321", "-e", "A=b", "-w", "/tmp")
        self.assertEqual(self.jobs()["web"]["state"], "running")
        self.assertIn("web", self.work.run("ps", "-q").out.split())
        self.assertEqual(self.work.run("logs", "web").out, "here: b\n/tmp\n")
        self.assert_outcome(self.work.run("kill", "web"), 0, out="", err="")
        self.assert_only_init_inside()
        self.assertEqual(self.jobs(), {})
        ended = self.jobs("-a")["web"]
        self.assertEqual((ended["state"], ended["exit_code"]), ("ended", 128 + signal.SIGTERM))
        self.assertIn("exited (143)", self.work.run("ps", "-a").out)

    def test_command_that_does_not_start_is_told_as_by_run(self) -> None:
        outcome = self.work.run("run", "-d", "no-such-command")
        self.assert_outcome(outcome, 127, out="")
        self.assertIn("no-such-command: command not found", outcome.err)
        self.assert_outcome(self.work.run("run", "-d", "/etc/passwd"), 126, out="")
        self.assertEqual(self.jobs("-a"), {})
        self.assert_outcome(self.work.run("run", "-d"), 2, out="")
        self.assert_outcome(self.work.run("run", "--name", "x", "true"), 2, out="")
        self.assert_outcome(self.work.run("run", "-d", "--name", "../x", "true"), 125, out="")

    def test_logs_follow_until_the_job_ends(self) -> None:
        self.start("count", "for i in 1 2 3 4; do echo $i; sleep 0.2; done; exit 7")
        self.assert_outcome(self.work.run("logs", "-f", "count"), 0, out="1\n2\n3\n4\n", err="")
        self.assert_outcome(self.work.run("logs", "-n", "2", "count"), 0, out="3\n4\n", err="")
        self.assertEqual(self.jobs("-a")["count"]["exit_code"], 7)

    def test_interrupted_logs_end_and_the_job_goes_on(self) -> None:
        self.start("count", LINES)
        process = self.work.start("logs", "-f", "count")
        self.assertEqual(process.stdout.readline(), b"line 1\n")
        process.send_signal(signal.SIGINT)
        self.assertEqual(program.finish(process, timeout_s=5).code, 130)
        self.assertEqual(self.jobs()["count"]["state"], "running")

    def test_signal_is_for_the_command(self) -> None:
        self.start("x", "trap 'echo got; exit 3' USR1; echo ready; while :; do sleep 0.05; done")
        program.wait_until(lambda: self.work.run("logs", "x").out == "ready\n", "the trap")
        self.assert_outcome(self.work.run("kill", "-s", "sigusr1", "x"), 0, out="", err="")
        program.wait_until(lambda: self.jobs("-a")["x"]["exit_code"] == 3, "the exit code")
        self.assert_outcome(self.work.run("kill", "-s", "NOPE", "x"), 2, out="")

    def test_kill_ends_what_ignores_term(self) -> None:
        self.start("x", "trap '' TERM HUP; (trap '' TERM HUP; setsid sleep 4321) & echo on; wait; sleep 4321")
        program.wait_until(lambda: self.work.run("logs", "x").out == "on\n", "the job")
        begun = time.monotonic()
        self.assert_outcome(self.work.run("kill", "-t", "0.3", "x"), 0)
        self.assertGreater(time.monotonic() - begun, 0.3)
        self.assert_only_init_inside()

    def test_another_users_job(self) -> None:
        self.start("x", "id -u; sleep 4321", "-u", "1000:1000")
        self.assertEqual(self.jobs()["x"]["user"], "1000:1000")
        program.wait_until(lambda: self.work.run("logs", "x").out == "1000\n", "its output")
        # Names of others are taken, and nothing of theirs goes.
        self.docker("exec", "-u", "2000", self.name, "sh", "-c", "! rm -f /alca-jobs/x.job 2>/dev/null")
        self.assert_outcome(self.work.run("kill", "x"), 0)
        self.assert_outcome(self.work.run("run", "-u", "2000", "-d", "--name", "x", "true"), 125)

    def test_what_is_not_there(self) -> None:
        for command in ("logs", "kill"):
            outcome = self.work.run(command, "none")
            self.assert_outcome(outcome, 1, out="")
            self.assertIn("no job none", outcome.err)

    def test_jobs_end_with_the_sandbox_and_their_logs_stay_with_it(self) -> None:
        self.start("x", "trap 'echo bye; exit 0' TERM; echo on; while :; do sleep 0.05; done")
        self.start("stubborn", "trap '' TERM; echo on; while :; do sleep 0.05; done")
        program.wait_until(lambda: self.work.run("logs", "stubborn").out == "on\n", "the job")
        self.work.run("down", "--keep")
        outcome = self.work.run("ps")
        self.assert_outcome(outcome, 1, out="")
        self.assertIn("run 'alca up' first", outcome.err)
        self.up("-q")
        jobs = self.jobs("-a")
        self.assertEqual((jobs["x"]["state"], jobs["stubborn"]["state"]), ("ended", "lost"))
        log = self.work.run("logs", "x").out  # the shell may say that its sleep was ended
        self.assertTrue(log.startswith("on\n") and log.endswith("bye\n"), log)
        self.work.run("down")
        self.assert_all_gone()

    def test_root_inside_that_writes_records_fools_only_itself(self) -> None:
        self.inside("cd /alca-jobs; ln -s /etc/passwd l.job; mkfifo f.job; echo 'job a running 0:0' > fake.job;"
                    " printf 'command \\033[2Jx\\nkeeper 1\\n' > esc.job; mkdir d.job; ln -s /etc/passwd fake.log; mkfifo esc.log")  # fmt: skip
        self.assertEqual(set(self.jobs("-a")), {"fake", "esc"})
        self.assertNotIn("\x1b", self.work.run("ps", "-a").out)
        self.assert_outcome(self.work.run("logs", "fake"), 1, out="")
        self.assert_outcome(self.work.run("logs", "esc"), 1, out="")
        self.assert_outcome(self.work.run("kill", "esc"), 1, out="")
        # More than anybody has, each as long as it may be: the list is bounded, and still a list.
        self.inside("mv /alca-jobs /gone; mkdir /alca-jobs; cd /alca-jobs; i=0;"
                    " while [ $i -lt 1500 ]; do (printf 'command '; head -c 4000 /dev/zero | tr '\\0' x) > j$i.job; i=$((i+1)); done")  # fmt: skip
        outcome = self.work.run("ps", "-a")
        self.assert_outcome(outcome, 0)
        self.assertIn(" xxxx", outcome.out)
        self.assertLess(len(outcome.out), 2 << 20)


class JobsByEngineTest(JobsTest):
    RUN_BY = "engine"
    # The same inside, whichever way the question came.
    test_what_is_not_there = None
    test_root_inside_that_writes_records_fools_only_itself = None
    test_jobs_end_with_the_sandbox_and_their_logs_stay_with_it = None
    test_signal_is_for_the_command = None


if __name__ == "__main__":
    program.main()
