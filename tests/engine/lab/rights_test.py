"""Without the right to set rules nothing is started, unless the user says so, loudly and for as long as the sandbox lives."""

from lab_sandbox import LabTest, json_of, open_lab, program, without_net_admin  # isort: skip


def setUpModule() -> None:
    LabTest.lab = open_lab()


class RightsTest(LabTest):
    WRAPPER = without_net_admin()
    LAYERS = "host:direct,inside:direct"  # else a container of the engine would have the right

    def test_up_is_refused_and_nothing_is_made(self) -> None:
        for options in ((), ("-q",), ("-f", "--trust")):
            outcome = self.work.run("up", *options, wrapper=self.WRAPPER)
            self.assert_outcome(outcome, 1)
            self.assertIn("network isolation is not possible", outcome.err)
            self.assertIn("nothing was started", outcome.err)
            self.assert_all_gone()
            self.assertEqual(self.docker("network", "ls", "-q", "--filter", "label=alca.project.id"), "")

    def test_unprotected_sandbox_is_loud_and_stays_marked(self) -> None:
        outcome = self.work.run("up", "-q", "--allow-unprotected", wrapper=self.WRAPPER)
        self.assert_outcome(outcome, 0)
        self.assertIn("UNPROTECTED", outcome.err)
        status = self.work.run("status", wrapper=self.WRAPPER)
        self.assertEqual(status.code, 1)
        self.assertIn("UNPROTECTED (--allow-unprotected)", status.out)
        isolation = json_of(self.work.run("status", "--json"))["isolation"]
        self.assertFalse(isolation["intact"])
        self.assertTrue(isolation["unprotected_reason"])
        reached = {outcome["class"] for outcome in self.outcomes() if outcome["outcome"] == "answered"}
        self.assertIn("lan", reached, "the warning must be true")

    def test_protection_comes_back_when_it_is_possible(self) -> None:
        self.assert_outcome(self.work.run("up", "--allow-unprotected", wrapper=self.WRAPPER), 0)
        self.work.run("down")
        self.lab.counters(reset=True)
        self.up()
        self.assertTrue(self.status()["isolation"]["intact"])
        self.assert_closed(self.outcomes())

    def test_open_network_needs_no_right(self) -> None:
        self.configure('[network]\nlan-access = ["*"]\n')
        self.assert_outcome(self.work.run("up", "--trust", wrapper=self.WRAPPER), 0)

    def test_run_is_refused_when_the_rules_can_not_be_seen(self) -> None:
        host_only = {"ALCA_NETWORK_LAYERS": "host:direct"}
        self.up(env=host_only)
        outcome = self.work.run("run", "echo", "ran", wrapper=self.WRAPPER, env=host_only)
        self.assert_outcome(outcome, 125, out="")
        self.assertNotEqual(outcome.err, "")

    def test_run_needs_no_right_where_the_rules_inside_are_tried(self) -> None:
        self.up()
        self.assert_outcome(self.work.run("run", "echo", "ran", wrapper=self.WRAPPER), 0, out="ran\n")

    def test_down_without_the_right_removes_nothing_and_says_why(self) -> None:
        self.up()
        outcome = self.work.run("down", wrapper=self.WRAPPER)
        self.assert_outcome(outcome, 1)
        self.assertIn("network rules", outcome.err)
        self.assertIn("nothing was removed", outcome.err)
        self.assertTrue(self.status()["isolation"]["intact"])
        self.assert_outcome(self.work.run("down"), 0)
        self.assert_all_gone()

    def test_doctor_names_the_missing_right(self) -> None:
        checks = {check["name"]: check for check in json_of(self.work.run("doctor", "--json", wrapper=self.WRAPPER))["checks"]}
        self.assertFalse(checks["firewall-nft"]["ok"])
        self.assertRegex(checks["firewall-nft"]["fix"], "CAP_NET_ADMIN|sudo")


if __name__ == "__main__":
    program.main()
