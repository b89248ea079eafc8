"""The matrix of ways_test.py on an engine without userland proxy: ports are published by NAT alone, and the engine sets route_localnet.

Needs a lab that was brought up with --engine-option=--userland-proxy=false.
"""

from lab_sandbox import LabTest, open_lab, program, topology  # isort: skip
from ways_test import InsideMatrix, LayersTest, Matrix  # isort: skip


def setUpModule() -> None:
    LabTest.lab = open_lab()


class EngineTest(LayersTest):
    def test_the_engine_has_no_userland_proxy(self) -> None:
        """Else nothing here would show anything."""
        self.configure('[network]\nports = ["18082:8000"]\n')
        self.up("--trust")
        self.assertNotIn("docker-proxy", self.lab.run(topology.MACHINE, "ps", "-e", "-o", "args"))
        self.assertEqual(self.command("sysctl", "-n", f"net.ipv4.conf.{self.interface}.route_localnet").strip(), "1")


class HostDirectTest(Matrix, LayersTest):
    LAYERS = "host:direct"
    WAYS = (("host", "direct"),)


class HostByContainerTest(Matrix, LayersTest):
    AS_USER = True
    LAYERS = "host"
    WAYS = (("host", "container"),)


class InsideByContainerTest(Matrix, InsideMatrix, LayersTest):
    AS_USER = True
    LAYERS = "inside"
    WAYS = (("inside", "container"),)


class BothTest(Matrix, LayersTest):
    WAYS = (("host", "direct"), ("inside", "direct"))


if __name__ == "__main__":
    program.main()
