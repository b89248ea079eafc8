"""Two projects that come up at once again and again, and another program that takes the rules away meanwhile."""

import os
import subprocess
import threading

from lab_sandbox import LabTest, open_lab, program, topology  # isort: skip

ROUNDS = 50
FLUSHED_ROUNDS = 10
FORBIDDEN = ("lan", "metadata", "host")


def setUpModule() -> None:
    LabTest.lab = open_lab()


class TwoAtOnceTest(LabTest):
    def setUp(self) -> None:
        super().setUp()
        first = self.work.project
        self.projects = [first, os.path.join(self.work.root, "other")]
        os.mkdir(self.projects[1])
        for self.work.project in reversed(self.projects):
            self.configure()
        self.addCleanup(self.in_each, self.remove_all)

    def in_each(self, action: object) -> None:
        for self.work.project in reversed(self.projects):
            action()  # type: ignore[operator]

    def at_once(self, *arguments: str) -> list[program.Outcome]:
        running = [self.work.start(*arguments, cwd=project) for project in self.projects]
        return [program.finish(process) for process in running]

    def test_fifty_rounds_leave_both_isolated_each_time_and_nothing_at_the_end(self) -> None:
        for number in range(ROUNDS):
            with self.subTest(round=number):
                for outcome in self.at_once("up", "-q"):
                    self.assert_outcome(outcome, 0)
                for outcome in self.at_once("status", "--json"):
                    self.assertEqual(outcome.code, 0, outcome)  # 0: intact, by the kernel's own answer
                if number == ROUNDS - 1:
                    self.in_each(lambda: self.assert_closed(self.outcomes()))
                for outcome in self.at_once("down"):
                    self.assert_outcome(outcome, 0)
        self.in_each(self.assert_all_gone)
        self.assertEqual(self.rules(), "")


class FlushTest(LabTest):
    """The layer of the host is lost again and again while `up` puts it up."""

    LAYERS = "host:direct"

    def flush(self, pause_s: float) -> None:
        line = self.lab.command(topology.MACHINE, "nft", "delete", "table", "inet", "alca")
        while not self.stop.wait(pause_s):
            self.flushed += subprocess.run(line, capture_output=True, check=False).returncode == 0

    def test_up_succeeds_or_leaves_nothing_and_the_next_one_is_whole(self) -> None:
        """From so often that `up` can not succeed to so seldom that it may."""
        self.flushed = succeeded = 0
        for number in range(FLUSHED_ROUNDS):
            with self.subTest(round=number):
                self.stop = threading.Event()
                tool = threading.Thread(target=self.flush, args=(0.003 * 1.8**number,))
                tool.start()
                try:
                    outcome = self.work.run("up", "-q")
                finally:
                    self.stop.set()
                    tool.join()
                self.assertIn(outcome.code, (0, 1), outcome)
                if outcome.code == 0:
                    succeeded += 1
                else:
                    self.assertNotEqual(outcome.err, "")
                    self.assert_all_gone()
                self.up()
                self.status()
                self.lab.counters(reset=True)
                self.assertEqual([outcome for outcome in self.outcomes(*FORBIDDEN) if outcome["outcome"] == "answered"], [])
                self.assertEqual(self.arrived(), {})
                self.work.run("down")
                self.assert_all_gone()
        self.assertGreaterEqual(self.flushed, FLUSHED_ROUNDS // 2, "the other program has done next to nothing")
        print(f"{succeeded} of {FLUSHED_ROUNDS} succeeded meanwhile")


class FlushBothTest(FlushTest):
    LAYERS = ""


if __name__ == "__main__":
    program.main()
