"""`up` that is stopped anywhere, by Ctrl-C or by kill -9, and commands that meet each other: nothing half made, and the next `up` repairs."""

import os
import random
import signal
import threading
import time

from sandbox import SandboxTest, WatchedEngine, program, require_engine, steps_of

ATTEMPTS = 20


def setUpModule() -> None:
    require_engine()


class InterruptTest(SandboxTest):
    def stop_at_request(self, number: int, signal_number: int, delay_s: float = 0.0) -> tuple[program.Outcome, bool]:
        """`up`, stopped when its request `number` reaches the engine. False: it was done before."""
        reached = threading.Event()

        def on_request(count: int, _request: str) -> None:
            if count == number:
                time.sleep(delay_s)
                process.send_signal(signal_number)
                reached.set()

        engine = WatchedEngine(self, on_request)
        process = self.work.start("up", env={"DOCKER_HOST": engine.url})
        outcome = program.finish(process, 60)
        # The engine carries out what it was asked for, whoever waits for the answer.
        program.wait_until(lambda: engine.open == 0, "the engine's last answer", 30)
        os.unlink(engine.path)
        return outcome, reached.is_set()

    def assert_up_repairs(self) -> None:
        self.up()
        self.assertEqual(len(self.containers()), 1)
        self.assertTrue(self.status()["isolation"]["intact"])
        self.assertEqual(self.output("echo", "works"), "works\n")

    def test_interrupt_at_each_request_leaves_nothing(self) -> None:
        self.configure('[commands]\nup = "true"\n')
        for number in range(1, 100):
            with self.subTest(request=number):
                outcome, was_reached = self.stop_at_request(number, signal.SIGINT)
                if outcome.code == 0:
                    self.assertFalse(was_reached and "Environment ready" not in outcome.out)
                    self.work.run("down")
                    if not was_reached:
                        break
                    continue
                self.assertEqual((outcome.code, outcome.err.splitlines()[-1]), (130, "alca: interrupted"), outcome)
                self.assert_all_gone()
        self.assertGreater(number, 5)
        self.assert_up_repairs()

    def test_interrupt_at_any_time_leaves_nothing(self) -> None:
        generator = random.Random(4711)
        for attempt in range(ATTEMPTS):
            delay_s = generator.uniform(0.0, 2.0)
            with self.subTest(attempt=attempt, delay_s=round(delay_s, 3)):
                process = self.work.start("up")
                time.sleep(delay_s)  # the point of the test: an arbitrary moment
                process.send_signal(signal.SIGINT)
                outcome = program.finish(process, 60)
                if outcome.code == 0:
                    self.assertIn("Environment ready", outcome.out)
                    self.assert_outcome(self.work.run("down"), 0)
                else:
                    # Before it watches for signals there is nothing to undo.
                    self.assertIn(outcome.code, (130, -signal.SIGINT), outcome)
                self.assert_all_gone()
        self.assert_up_repairs()

    def test_killed_up_is_repaired_by_the_next(self) -> None:
        """kill -9 when a request has reached the engine, a little later, and at any time: twenty points and more."""
        number = 1
        points = 0
        while True:
            outcome, was_reached = self.stop_at_request(number, signal.SIGKILL, delay_s=(number % 3) * 0.03)
            with self.subTest(request=number):
                if not was_reached:
                    break
                self.assertEqual(outcome.code, -signal.SIGKILL)
                self.assert_up_repairs()
                self.assert_outcome(self.work.run("down"), 0)
                self.assert_all_gone()
            points += 1
            number += 1
        generator = random.Random(42)
        for attempt in range(max(ATTEMPTS - points, 6)):
            with self.subTest(attempt=attempt):
                process = self.work.start("up")
                time.sleep(generator.uniform(0.0, 1.5))  # the point of the test: an arbitrary moment
                process.kill()
                program.finish(process)
                self.assert_up_repairs()
                self.assert_outcome(self.work.run("down"), 0)
                self.assert_all_gone()

    def test_down_after_a_killed_up_leaves_nothing(self) -> None:
        number = 1
        while True:
            _, was_reached = self.stop_at_request(number, signal.SIGKILL)
            with self.subTest(request=number):
                self.assert_outcome(self.work.run("down"), 0)
                self.assert_all_gone()
            if not was_reached:
                break
            number += 1

    def test_second_interrupt_ends_at_once(self) -> None:
        held = threading.Event()
        release = threading.Event()
        self.addCleanup(release.set)

        def on_request(_count: int, request: str) -> None:
            if request.startswith("DELETE") or "/containers/create" in request:
                held.set()
                release.wait(60)

        engine = WatchedEngine(self, on_request)
        process = self.work.start("up", env={"DOCKER_HOST": engine.url})
        self.assertTrue(held.wait(20))
        held.clear()
        process.send_signal(signal.SIGINT)
        self.assertTrue(held.wait(20), "the clean-up")
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        outcome = program.finish(process, 5)
        self.assertLess(time.monotonic() - start, 1.0)
        self.assertNotEqual(outcome.code, 0)
        release.set()
        self.assert_up_repairs()

    def test_terminated_and_hung_up_are_like_interrupted(self) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            outcome, _ = self.stop_at_request(4, number)
            self.assertEqual(outcome.code, 130, outcome)
            self.assert_all_gone()

    def test_interrupted_setup_command_is_ended(self) -> None:
        self.configure('[commands]\nup = "echo begun; trap : INT TERM HUP; while :; do sleep 1; done"\n')
        process = self.work.start("up")
        while b"begun" not in (line := process.stdout.readline()):
            self.assertTrue(line)
        process.send_signal(signal.SIGINT)
        self.assertEqual(program.finish(process, 20).code, 130)
        self.assert_all_gone()

    def test_interrupted_down_finishes(self) -> None:
        self.up()
        process = self.work.start("down")
        while b"Stopping container" not in (line := process.stdout.readline()):
            self.assertTrue(line)
        process.send_signal(signal.SIGINT)
        program.finish(process, 20)
        self.work.run("down")
        self.assert_all_gone()


class ConcurrencyTest(SandboxTest):
    def test_two_at_once_make_one_sandbox(self) -> None:
        processes = [self.work.start("up") for _ in range(2)]
        outcomes = [program.finish(process, 60) for process in processes]
        self.assertEqual([outcome.code for outcome in outcomes], [0, 0], outcomes)
        self.assertEqual(len(self.containers()), 1)
        self.assertEqual(sum("waiting for it" in outcome.err for outcome in outcomes), 1, outcomes)
        self.assertEqual(sum(f"Container already running: {self.name}" in steps_of(outcome) for outcome in outcomes), 1)

    def test_waiting_can_be_interrupted(self) -> None:
        release = threading.Event()
        self.addCleanup(release.set)
        held = threading.Event()

        def on_request(_count: int, request: str) -> None:
            if "/containers/create" in request:
                held.set()
                release.wait(60)

        engine = WatchedEngine(self, on_request)
        first = self.work.start("up", env={"DOCKER_HOST": engine.url})
        self.assertTrue(held.wait(20))
        second = self.work.start("up")
        self.assertIn(b"waiting for it", second.stderr.readline())
        second.send_signal(signal.SIGINT)
        self.assertEqual(program.finish(second, 5).code, 130)
        release.set()
        self.assert_outcome(program.finish(first, 60), 0)

    def test_down_waits_for_up(self) -> None:
        up = self.work.start("up")
        program.wait_until(lambda: self.state_files, "the state")
        down = self.work.run("down")
        self.assert_outcome(down, 0)
        program.finish(up)
        self.assert_outcome(self.work.run("down"), 0)
        self.assert_all_gone()

    def test_projects_do_not_meet(self) -> None:
        others = []
        for name in ("one", "two", "three"):
            directory = os.path.join(self.work.root, name)
            os.mkdir(directory)
            with open(os.path.join(directory, ".alca.toml"), "w", encoding="ascii") as file:
                file.write('image = "alca-test-busybox"\n')
            others.append(directory)
        try:
            for process in [self.work.start("up", cwd=directory) for directory in others]:
                self.assert_outcome(program.finish(process, 90), 0)
            for directory in others:
                self.assert_outcome(self.work.run("run", "sh", "-c", "echo $HOSTNAME; pwd", cwd=directory), 0)
            self.assert_outcome(self.work.run("down", cwd=others[0]), 0)
            for directory in others[1:]:
                self.assert_outcome(self.work.run("status", cwd=directory), 0)
        finally:
            for directory in others:
                self.work.run("down", cwd=directory)
                for container in self.docker("ps", "-aq", "--filter", f"label=alca.project.path={directory}").split():
                    self.docker("rm", "-fv", container)


if __name__ == "__main__":
    program.main()
