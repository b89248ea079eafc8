"""An engine that dies, hangs or is too old in the middle of things, by proxy: an error that names it, and nothing left once it is back."""

import contextlib
import os
import re
import signal
import time

from sandbox import SandboxTest, WatchedEngine, engine_proxy, program, require_engine


def setUpModule() -> None:
    require_engine()


class BrokenEngineTest(SandboxTest):

    RUN_BY = "engine"  # else a command needs none
    # Where an engine can die during `up`, as a pattern of the request's path.
    STEPS = ("/_ping", "/info", "/images/", "/networks/create", "/containers/create", "/start", "/exec", "/exec/.*/start", "/exec/.*/json")

    def assert_fails_and_recovers(self, outcome: program.Outcome) -> None:
        self.assert_outcome(outcome, 1)
        self.assert_error_text(outcome.err.splitlines()[-1])
        self.assertNotIn("Environment ready", outcome.out)
        self.up()
        self.assertTrue(self.status()["isolation"]["intact"])
        self.assert_outcome(self.work.run("down"), 0)
        self.assert_all_gone()

    def test_connection_lost_once_leaves_nothing(self) -> None:
        for step in self.STEPS:
            with self.subTest(step=step), engine_proxy(self, "--die-at", step, "--once"):
                outcome = self.work.run("up")
                if outcome.code != 0:  # a request that only reads may be asked again
                    self.assert_outcome(outcome, 1)
                    self.assertIn("proxy.sock", outcome.err)
                    self.assert_all_gone()
                self.work.run("down")

    def test_answer_cut_in_the_middle_leaves_nothing(self) -> None:
        for step in self.STEPS:
            with self.subTest(step=step), engine_proxy(self, "--die-at", step, "--die-after-bytes", "60", "--once"):
                outcome = self.work.run("up")
                if outcome.code != 0:
                    self.assert_outcome(outcome, 1)
                    self.assert_all_gone()
                self.work.run("down")

    def test_engine_that_is_gone_is_named_and_repaired_after(self) -> None:
        for step in ("/networks/create", "/containers/create", "/start", "/exec/.*/start"):
            with self.subTest(step=step):
                with engine_proxy(self, "--die-at", step, "--gone"):
                    outcome = self.work.run("up")
                    self.assertIn("proxy.sock", outcome.err)
                    self.assertIn("alca down", outcome.err)
                self.assert_fails_and_recovers(outcome)

    def test_engine_dying_during_a_run_is_125(self) -> None:
        self.up()
        for options in (("--die-at", r"/exec/.*/start"), ("--die-at", r"/exec/.*/start", "--die-after-bytes", "1000"), ("--die-at", "/containers/.*/exec")):
            with self.subTest(options=options), engine_proxy(self, *options):
                outcome = self.alca_run("sh", "-c", "yes | head -c 4000; sleep 2; echo more", timeout_s=30)
                self.assertEqual(outcome.code, 125, outcome)
                self.assert_error_text(outcome.err.splitlines()[-1])
        self.assert_only_init_inside()
        self.assertEqual(self.output("echo", "works"), "works\n")

    def test_hanging_engine_can_be_interrupted_anywhere(self) -> None:
        for step in ("/_ping", "/networks/create", "/containers/create", "/start", "/exec"):
            with self.subTest(step=step), engine_proxy(self, "--hang-at", step, "--once") as requests:
                process = self.work.start("up")
                program.wait_until(lambda step=step, requests=requests: any(step in line for line in requests()), step)
                process.send_signal(signal.SIGINT)
                self.assertEqual(program.finish(process, 30).code, 130)
                self.assert_all_gone()

    def test_hanging_engine_does_not_hold_a_run_that_is_given_up(self) -> None:
        self.up()
        with engine_proxy(self, "--hang-at", "/containers/.*/exec") as requests:
            process = self.work.start("run", "true")
            program.wait_until(lambda: any(line.endswith("/exec") for line in requests()), "exec")
            for _ in range(10):
                process.send_signal(signal.SIGINT)
                time.sleep(0.2)  # signals of one kind that come together are one
                if process.poll() is not None:
                    break
            self.assertIn(program.finish(process, 10).code, (125, 130))

    def test_old_engine_is_told_with_its_version(self) -> None:
        with engine_proxy(self, "--api", "1.30"):
            outcome = self.work.run("up")
        self.assert_outcome(outcome, 1)
        for text in ("1.30", "1.41", "proxy.sock"):
            self.assertIn(text, outcome.err)
        self.assert_all_gone()

    def test_missing_image_is_told_and_leaves_nothing(self) -> None:
        self.configure(image="127.0.0.1:1/no/such/image:1")
        outcome = self.work.run("up", timeout_s=90)
        self.assert_outcome(outcome, 1)
        self.assertIn("127.0.0.1:1/no/such/image:1", outcome.err)
        self.assert_all_gone()

    def test_disk_that_fills_up_between_two_writes_of_the_state(self) -> None:
        """The state can be written at first and not when the network is there: it must be taken away again."""
        fill = os.path.join(self.work.state, "fill")
        script = f"mount -t tmpfs -o size=4m,mode=700 tmpfs {self.work.state}; exec \"$@\""
        is_filled = []

        def fill_up(_count: int, request: str) -> None:
            if "/networks/create" in request and not is_filled:
                is_filled.append(True)
                with open(f"/proc/{process.pid}/root{fill}", "wb", buffering=0) as file, contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * 4096)

        engine = WatchedEngine(self, fill_up)
        process = self.work.start("up", env={"DOCKER_HOST": engine.url}, wrapper=("unshare", "--mount", "sh", "-euc", script, "sh"))
        outcome = program.finish(process)
        self.assertTrue(is_filled, outcome)
        self.assert_outcome(outcome, 1)
        self.assertIn("No space left on device", outcome.err)
        self.assertEqual(self.containers(), [])
        self.assertEqual(self.docker("network", "ls", "-q", "--filter", f"name={self.container_of(outcome)}").split(), [])

    def container_of(self, outcome: program.Outcome) -> str:
        """Its name; the state is gone with the mount namespace."""
        names = re.findall(r"alca-[0-9a-f]{8}-[0-9a-f]{3}", outcome.out + outcome.err)
        return names[0] if names else "alca-none"


class NoShellTest(SandboxTest):
    def test_image_without_a_shell_runs_its_programs(self) -> None:
        self.configure(image="alca-test-noshell")
        self.up()
        self.assert_outcome(self.alca_run("/bin/true"), 0, out="", err="")
        self.assertIn("uid=0", self.output("id"))
        for arguments in (("sh",), ()):
            outcome = self.alca_run(*arguments)
            self.assert_outcome(outcome, 127, out="")
            self.assertNotEqual(outcome.err, "")

    def test_setup_command_without_a_shell_is_told(self) -> None:
        self.configure('[commands]\nup = "true; id"\n', image="alca-test-noshell")
        outcome = self.work.run("up")
        self.assert_outcome(outcome, 1)
        self.assertRegex(outcome.err, "sh.*(not found|No such file)")
        self.assert_all_gone()


if __name__ == "__main__":
    program.main()
