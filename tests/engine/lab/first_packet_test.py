"""The first packet: a sandbox whose first instruction floods forbidden hosts is never fast enough.

In a copy of the program alca-init is replaced by a program that does nothing but send. The engine starts it as it starts
the real one; what arrives is counted at the targets by the kernel.
"""

import os
import shutil
import tempfile

from lab_sandbox import IMAGE, LabTest, open_lab, program, test_program, topology  # isort: skip

STARTS = 20
FLOODED = ("lan", "lan2", "metadata", "cgnat", "host")


def setUpModule() -> None:
    LabTest.lab = open_lab()


class FirstPacketTest(LabTest):
    def setUp(self) -> None:
        super().setUp()
        tree = program.copy_tree(tempfile.mkdtemp(prefix="tree-", dir=self.work.root))
        shutil.copy(test_program("flood"), os.path.join(tree, "libexec", "alca", "alca-init"))
        self.work.prefix = tree

    def test_no_packet_of_twenty_starts_arrives(self) -> None:
        for start in range(STARTS):
            outcome = self.work.run("up", "-q", timeout_s=60)
            self.assertEqual((outcome.code, outcome.out), (1, ""), f"start {start}: {outcome}")
            self.assertEqual(self.arrived(), {}, f"start {start}")
            self.assert_all_gone()

    def test_no_packet_arrives_over_ipv6(self) -> None:
        self.configure("[network]\nipv6 = true\n")
        for start in range(3):
            outcome = self.work.run("up", "-q", "--trust", timeout_s=60)
            self.assertEqual(outcome.code, 1, f"start {start}: {outcome}")
            self.assertEqual(self.arrived(), {}, f"start {start}")
            self.assert_all_gone()

    def test_the_same_program_in_an_ordinary_container_is_counted(self) -> None:
        """The control: same engine, same image, same first instruction, a network without our rules."""
        flood = os.path.join(self.work.prefix, "libexec", "alca", "alca-init")
        container = self.docker("create", "--mount", f"type=bind,source={flood},target=/flood,readonly", "--entrypoint", "/flood", IMAGE).strip()
        self.addCleanup(self.docker, "rm", "-f", container)
        self.docker("start", container)
        program.wait_until(lambda: set(FLOODED) <= set(self.arrived()), "packets at each target")
        self.assertGreater(self.arrived()["lan"], 10)
        self.assertIn(topology.MACHINE, self.arrived())


if __name__ == "__main__":
    program.main()
