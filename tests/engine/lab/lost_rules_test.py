"""Rules that somebody takes away from under a sandbox: noticed by status, restored by run and up."""

import re

from lab_sandbox import LabTest, open_lab, program, topology  # isort: skip

FORBIDDEN = ("lan", "cgnat", "metadata", "host")


def setUpModule() -> None:
    LabTest.lab = open_lab()


class LostRulesTest(LabTest):
    LAYERS = "host"  # what is inside would hide what is lost here

    def setUp(self) -> None:
        super().setUp()
        self.up()
        self.lab.counters(reset=True)

    def nft(self, *words: str) -> str:
        return self.lab.run(topology.MACHINE, "nft", *words)

    # What is done to the rules. Each one must be found.
    def flush_all(self) -> None:
        self.save_foreign_rules()
        self.nft("flush", "ruleset")
        self.restore_foreign_rules()

    def delete_table(self) -> None:
        self.nft("delete", "table", "inet", "alca")

    def flush_chain(self) -> None:
        self.nft("flush", "chain", "inet", "alca", self.chains()[0])

    def delete_each_rule_of_a_chain(self) -> None:
        chain = self.chains()[0]
        for handle in re.findall(r"# handle (\d+)", self.nft("-a", "list", "chain", "inet", "alca", chain).partition("policy")[2]):
            self.nft("delete", "rule", "inet", "alca", chain, "handle", handle)

    def unregister(self) -> None:
        """Takes the sandbox's interface out of every set and map that names it."""
        for name, elements in self.sets():
            for element in elements:
                if self.interface in element:
                    self.nft("delete", "element", "inet", "alca", name, "{", element.split(" : ")[0], "}")

    def add_accept(self) -> None:
        self.nft("insert", "rule", "inet", "alca", self.chains()[0], "accept")

    def save_foreign_rules(self) -> None:
        """The counters of the lab and the engine's own rules: without them nothing could be measured."""
        tables = [line.split()[1:] for line in self.nft("list", "tables").splitlines()]
        self.foreign = "".join(self.nft("list", "table", *table) for table in tables if table != ["inet", "alca"])

    def restore_foreign_rules(self) -> None:
        self.lab.run(topology.MACHINE, "nft", "-f", "-", stdin=self.foreign)

    def chains(self) -> list[str]:
        """Base chains, those that packets enter first."""
        return re.findall(r"chain (\S+) \{\n\s*type filter hook prerouting", self.rules()) or re.findall(r"chain (\S+) \{\n\s*type", self.rules())

    def sets(self) -> list[tuple[str, list[str]]]:
        """Sets and maps with their elements."""
        found = []
        for name, body in re.findall(r"\t(?:set|map) (\S+) \{(.*?)\n\t\}", self.rules(), re.DOTALL):
            elements = re.search(r"elements = \{(.*?)\}", body, re.DOTALL)
            found.append((name, [word.strip() for word in elements.group(1).split(",")] if elements else []))
        return found

    def damages(self) -> dict[str, object]:
        return {"flush ruleset": self.flush_all, "delete table": self.delete_table, "flush chain": self.flush_chain,
                "delete rules": self.delete_each_rule_of_a_chain, "insert accept": self.add_accept, "unregister": self.unregister}  # fmt: skip

    def test_without_rules_the_targets_are_reached(self) -> None:
        """The positive control of every test that sees 0 packets."""
        self.delete_table()
        reached = {outcome["class"] for outcome in self.outcomes(*FORBIDDEN) if outcome["outcome"] == "answered"}
        self.assertEqual(reached, set(FORBIDDEN))
        self.assertGreaterEqual(set(self.arrived()), {"lan", "lan2", "cgnat", "metadata", "host"})

    def test_status_notices_each_damage(self) -> None:
        for what, damage in self.damages().items():
            with self.subTest(what=what):
                damage()
                isolation = self.status(code=1)["isolation"]
                self.assertFalse(isolation["intact"])
                self.assertTrue(any("network rules" in problem for problem in isolation["problems"]), isolation)
                self.assertIn("NOT INTACT", self.work.run("status").out)
                self.up()
                self.status()

    def test_up_restores_and_warns(self) -> None:
        for what, damage in self.damages().items():
            with self.subTest(what=what):
                damage()
                outcome = self.work.run("up", "-q")
                self.assert_outcome(outcome, 0)
                self.assertIn("have been restored", outcome.err)
                self.lab.counters(reset=True)
                self.assert_closed(self.outcomes())
                self.assert_outcome(self.work.run("up", "-q"), 0, err="")

    def test_run_restores_before_the_command_starts(self) -> None:
        for what, damage in self.damages().items():
            with self.subTest(what=what):
                damage()
                self.lab.counters(reset=True)
                outcome = self.alca_run("sh", "-c", "echo x | nc -w 1 192.168.77.2 9000; echo ran")
                self.assertEqual((outcome.code, outcome.out), (0, "ran\n"), outcome)
                self.assertIn("have been restored", outcome.err)
                self.assertEqual(self.arrived(), {})

    def test_foreign_tables_stay_as_they_are(self) -> None:
        def foreign() -> list[str]:
            tables = [line.split()[1:] for line in self.nft("list", "tables").splitlines()]
            return [self.nft("-s", "list", "table", *table) for table in tables if table not in (["inet", "alca"], ["inet", "lab"])
                    and "DOCKER" not in self.nft("list", "table", *table)]  # fmt: skip

        self.nft("add", "table", "inet", "somebody")
        self.addCleanup(self.nft, "delete", "table", "inet", "somebody")
        self.nft("add", "chain", "inet", "somebody", "c", "{ type filter hook input priority 5 ; policy accept ; }")
        self.nft("add", "rule", "inet", "somebody", "c", "tcp", "dport", "1", "drop")
        before = foreign()
        self.delete_table()
        self.up()
        self.work.run("down")
        self.assertEqual(foreign(), before)

    def test_restart_of_the_container_keeps_it_closed(self) -> None:
        self.docker("restart", "-t", "0", self.name)
        self.assert_closed(self.outcomes())


if __name__ == "__main__":
    program.main()
