"""network.strict with the real engine: rules that somebody takes away close the sandbox, and `alca up` opens it again."""

from lab_sandbox import LabTest, open_lab, program, topology  # isort: skip

FORWARDED = ("lan", "public", "cgnat", "ula", "metadata", "neighbour", "onlink")


def setUpModule() -> None:
    LabTest.lab = open_lab()


class StrictTest(LabTest):
    LAYERS = "host"  # what is inside would hide what is lost here

    def flush(self) -> None:
        """Everything but the lab's own counters and the engine's NAT, without which nobody could come out anyway."""
        tables = [line.split()[1:] for line in self.lab.run(topology.MACHINE, "nft", "list", "tables").splitlines()]
        foreign = "".join(self.lab.run(topology.MACHINE, "nft", "list", "table", *table) for table in tables if table != ["inet", "alca"])
        self.lab.run(topology.MACHINE, "nft", "flush", "ruleset")
        self.lab.run(topology.MACHINE, "nft", "-f", "-", stdin=foreign)

    def reached(self) -> set[str]:
        """Classes of targets of which one answers, without ports of this machine: those strict does not cover."""
        own = {*topology.MACHINE_ADDRESSES, *(str(target["address"]) for target in self.gateway_targets())}
        outcomes = [outcome for outcome in self.outcomes(*FORWARDED) if outcome["outcome"] == "answered"]
        return {outcome["class"] for outcome in outcomes if outcome["address"] not in own}

    def forwarded_packets(self) -> dict[str, int]:
        """Those that arrived at any host since the test began. Not at neighbour containers: a port of this machine leads there."""
        hosts = {host.name for host in topology.HOSTS}
        return {name: sum(counts.values()) for name, counts in self.lab.counters().items() if name in hosts and sum(counts.values()) > 0}

    def routing_rules(self) -> str:
        return "".join(self.lab.run(topology.MACHINE, "ip", family, "rule") for family in ("-4", "-6"))

    def be_up(self, strict: str) -> None:
        self.configure(f"[network]\nipv6 = true\nstrict = {strict}\n")
        self.up("--trust")
        self.lab.counters(reset=True)

    def test_without_strict_a_flush_opens_everything(self) -> None:
        """The positive control of the test below."""
        self.be_up("false")
        self.assertNotIn("prohibit", self.routing_rules())
        self.flush()
        self.assertGreaterEqual(self.reached(), {"lan", "public", "cgnat", "ula", "metadata", "onlink"})

    def test_with_strict_a_flush_closes_everything_and_up_repairs_it(self) -> None:
        self.be_up("true")
        self.assert_closed(self.outcomes())
        self.assertEqual(self.routing_rules().count("prohibit"), 2)
        self.flush()
        self.lab.counters(reset=True)
        self.assertEqual(self.reached(), set())
        self.assertEqual(self.forwarded_packets(), {})

        isolation = self.status(code=1)["isolation"]
        self.assertFalse(isolation["intact"])
        self.assertTrue(any("network rules" in problem for problem in isolation["problems"]), isolation)

        outcome = self.work.run("up", "-q")
        self.assert_outcome(outcome, 0)
        self.assertIn("have been restored", outcome.err)
        self.lab.counters(reset=True)
        self.assert_closed(self.outcomes())

    def test_a_deleted_routing_rule_is_told_and_repaired(self) -> None:
        self.be_up("true")
        self.lab.run(topology.MACHINE, "ip", "-6", "rule", "del", "pref", "20")
        (problem,) = self.status(code=1)["isolation"]["problems"]
        self.assertIn("IPv6 routing rule", problem)
        self.up()
        self.status()
        self.assertEqual(self.routing_rules().count("prohibit"), 2)

    def test_a_published_port_answers(self) -> None:
        self.configure('[network]\nstrict = true\nports = ["0.0.0.0:18081:8000"]\n')
        self.up("--trust")
        self.output("httpd", "-p", "8000", "-h", "/workspace")
        served = self.lab.run("lan", "curl", "-sS", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "http://192.168.77.10:18081/")
        self.assertEqual(served, "404")

    def test_an_edit_is_taken_over_without_a_new_container_and_down_leaves_nothing(self) -> None:
        before = self.routing_rules()
        self.up()
        container = self.inspect()["Id"]
        self.configure("[network]\nstrict = true\n")
        self.assertIn("network.strict has changed", self.work.run("status").out)
        self.up()
        self.assertEqual(self.inspect()["Id"], container)
        self.assertEqual(self.routing_rules().count(self.interface), 2)
        self.assert_closed(self.outcomes())
        self.work.run("down")
        self.assertEqual(self.routing_rules(), before)


if __name__ == "__main__":
    program.main()
