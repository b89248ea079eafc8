"""The policies, target by target: what a sandbox reaches, and how many packets arrived where it must not."""

import json
import os

from lab_sandbox import LabTest, open_lab, program, run_on, topology  # isort: skip


def setUpModule() -> None:
    LabTest.lab = open_lab()


class DefaultPolicyTest(LabTest):
    KINDS = {"lan", "public", "cgnat", "ula", "metadata", "host", "neighbour", "onlink"}

    def test_every_class_of_target_is_closed_and_the_internet_is_open(self) -> None:
        self.up()
        outcomes = self.outcomes()
        self.assertEqual({outcome["class"] for outcome in outcomes}, self.KINDS)
        self.assert_closed(outcomes)
        self.assertGreater(sum(self.lab.counters()["internet"].values()), 0)

    def test_refusals_come_at_once(self) -> None:
        self.up()
        slow = [outcome for outcome in self.outcomes("lan", "cgnat", "metadata", "host", "neighbour")
                if outcome["outcome"] == "timeout" and outcome["proto"] == "tcp" and ":" not in outcome["address"]]  # fmt: skip
        # Not by UDP: the kernel limits how many ICMP answers it sends in a second.
        self.assertEqual(slow, [])

    def test_ipv6_has_the_same_limits(self) -> None:
        self.configure("[network]\nipv6 = true\n")
        self.up("--trust")
        outcomes = self.outcomes()
        self.assert_closed(outcomes)
        public = [outcome for outcome in outcomes if outcome["class"] == "public" and ":" in outcome["address"]]
        self.assertTrue(public)
        self.assertEqual({outcome["outcome"] for outcome in public}, {"answered"}, public)

    def test_without_ipv6_nothing_leaves_by_it(self) -> None:
        self.up()
        six = [outcome for outcome in self.outcomes() if ":" in outcome["address"]]
        self.assertTrue(six)
        self.assertNotIn("answered", {outcome["outcome"] for outcome in six})
        for counts in self.lab.counters().values():
            self.assertEqual(counts["other"], 0)

    def test_mapped_and_translated_spellings_of_private_addresses_are_closed(self) -> None:
        self.configure("[network]\nipv6 = true\n")
        self.up("--trust")
        addresses = ("::ffff:192.168.77.2", "64:ff9b::c0a8:4d02", "2002:c0a8:4d02::1", "fe80::1", "::1", "ff02::1")
        targets = [topology.Target("lan", address, topology.ECHO_PORT, proto, "lan").to_json()
                   for address in addresses for proto in ("tcp", "udp")]  # fmt: skip
        self.assertNotIn("answered", {outcome["outcome"] for outcome in self.lab.probe(self.name, targets)})
        self.assertEqual(self.arrived(), {})

    def test_resolver_answers_and_its_other_ports_do_not(self) -> None:
        self.up()
        self.assertIn("203.0.113.5", self.output("nslookup", "internet.lab.test"))
        resolver = [topology.Target("lan2", topology.RESOLVER, port, proto, "lan").to_json()
                    for port in (22, 80, 443, 853, topology.ECHO_PORT) for proto in ("tcp", "udp")]  # fmt: skip
        self.assertNotIn("answered", {outcome["outcome"] for outcome in self.lab.probe(self.name, resolver)})
        self.assertEqual(self.arrived(), {})

    def test_two_sandboxes_do_not_reach_each_other(self) -> None:
        self.up()
        names, project = [self.name], self.work.project
        self.work.project = os.path.join(self.work.root, "other")
        os.mkdir(self.work.project)
        try:
            self.configure()
            self.up()
            names.append(self.name)
            for name in names:
                self.docker("exec", name, "httpd", "-p", "9000", "-h", "/etc")
            for name, other in (names, reversed(names)):
                self.assertIn("root", self.fetch(name, self.address(name)), "the server")
                self.assertEqual(self.fetch(name, self.address(other)), "")
        finally:
            self.remove_all()
            self.work.project = project

    def fetch(self, container: str, address: str) -> str:
        return run_on(self.lab, topology.MACHINE, "docker", "exec", container, "timeout", "3", "wget", "-q", "-O", "-",
                      f"http://{address}:9000/passwd").stdout  # fmt: skip

    def address(self, container: str) -> str:
        (network,) = self.inspect(container)["NetworkSettings"]["Networks"].values()
        return network["IPAddress"]

    def test_published_port_of_the_sandbox_does_not_open_a_way_to_others(self) -> None:
        self.configure('[network]\nports = ["0.0.0.0:18081:8000"]\n')
        self.up("--trust")
        self.output("httpd", "-p", "8000", "-h", "/workspace")
        served = run_on(self.lab, "lan", "curl", "-sS", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "http://192.168.77.10:18081/")
        self.assertEqual(served.stdout, "404", served)
        self.lab.counters(reset=True)
        self.assert_closed(self.outcomes())

    def test_nothing_is_left_of_the_rules_after_down(self) -> None:
        self.assertEqual(self.rules(), "")
        self.up()
        self.assertIn(self.interface, self.rules())
        self.work.run("down")
        self.assert_all_gone()
        self.assertEqual(self.rules(), "", "the last sandbox takes the table with it")


class LanAccessTest(LabTest):
    """What the configuration allows is reached, through the real engine and its NAT, and nothing beside it."""

    LAN = "192.168.77.2"

    def outcome_of(self, address: str, port: int, proto: str = "tcp") -> str:
        (outcome,) = self.lab.probe(self.name, [topology.Target("lan", address, port, proto, "lan").to_json()])
        return str(outcome["outcome"])

    def allow(self, *entries: str) -> None:
        self.configure(f"[network]\nlan-access = {json.dumps(list(entries))}\n")
        self.up("--trust")

    def test_each_entry_opens_what_it_says_and_nothing_beside_it(self) -> None:
        self.allow(f"tcp://{self.LAN}:8999-{topology.ECHO_PORT}", "${alca:HOST_IP}:%d" % topology.ECHO_PORT)
        self.assertEqual(self.outcome_of(self.LAN, topology.ECHO_PORT), "answered")
        for host in ("192.168.77.10", self.gateway_targets()[0]["address"]):
            self.assertEqual(self.outcome_of(str(host), topology.ECHO_PORT), "answered", host)
        self.lab.counters(reset=True)
        self.assert_closed(self.outcomes("public", "cgnat", "ula", "metadata", "neighbour", "onlink"))
        self.assertNotEqual(self.outcome_of(topology.RESOLVER, topology.ECHO_PORT), "answered")
        self.assertNotEqual(self.outcome_of(self.LAN, topology.ECHO_PORT, "udp"), "answered")
        self.assertNotEqual(self.outcome_of(self.LAN, 22), "answered")

    def test_an_edit_needs_an_approval_and_no_new_container(self) -> None:
        self.up()
        container = self.inspect()["Id"]
        self.assertNotEqual(self.outcome_of(self.LAN, topology.ECHO_PORT), "answered")
        self.configure(f'[network]\nlan-access = ["{self.LAN}:{topology.ECHO_PORT}"]\n')
        self.assert_outcome(self.work.run("up"), 1)
        self.assertNotEqual(self.work.run("run", "true").code, 0)
        self.up("--trust")
        self.assertEqual(self.outcome_of(self.LAN, topology.ECHO_PORT), "answered")
        self.configure()
        self.up()
        self.assertNotEqual(self.outcome_of(self.LAN, topology.ECHO_PORT), "answered")
        self.assertEqual(self.inspect()["Id"], container)

    def test_what_was_refused_is_listed_with_the_entry_that_allows_it(self) -> None:
        self.up()
        self.assertNotEqual(self.outcome_of(self.LAN, topology.ECHO_PORT), "answered")
        rows = json.loads(self.work.run("network", "blocked", "--json").out)["blocked"]
        (row,) = [row for row in rows if row["address"] == self.LAN]
        self.assertEqual((row["protocol"], row["port"]), ("tcp", topology.ECHO_PORT))
        self.assertGreater(row["packets"], 0)
        self.assertGreater(self.status()["isolation"]["refused"]["lan"], 0)
        self.allow(row["lan_access"])
        self.assertEqual(self.outcome_of(self.LAN, topology.ECHO_PORT), "answered")

    def test_resolvers_of_the_configuration_are_asked(self) -> None:
        self.configure(f'[network]\ndns = ["{topology.RESOLVER}"]\n')
        self.up("--trust")
        self.assertEqual(self.inspect()["HostConfig"]["Dns"], [topology.RESOLVER])
        self.assertIn("203.0.113.5", self.output("nslookup", "internet.lab.test"))


class OpenPolicyTest(LabTest):
    def test_star_opens_everything_and_says_so(self) -> None:
        """Also the positive control: the same probes that are refused under the default reach each target."""
        self.configure('[network]\nlan-access = ["*"]\nipv6 = true\n')
        self.assert_outcome(self.work.run("up"), 1)
        self.up("--trust")
        outcomes = [outcome for outcome in self.outcomes() if outcome["port"] == topology.ECHO_PORT and outcome["class"] != "neighbour"]
        unreached = [outcome for outcome in outcomes if outcome["outcome"] != "answered"]
        self.assertEqual(unreached, [])
        arrived = self.arrived()
        for name in ("lan", "lan2", "cgnat", "metadata", "host"):
            self.assertGreater(arrived.get(name, 0), 0, name)
        isolation = self.status()["isolation"]
        self.assertEqual((isolation["intact"], isolation["policy"]), (True, "open"))
        self.assertIn('lan-access = ["*"]', self.work.run("status").out)

    def test_taking_the_star_away_closes_a_running_sandbox(self) -> None:
        self.configure('[network]\nlan-access = ["*"]\n')
        self.up("--trust")
        container = self.inspect()["Id"]
        self.configure()
        self.up()
        self.assertEqual(self.inspect()["Id"], container)
        self.lab.counters(reset=True)
        self.assert_closed(self.outcomes())

    def test_empty_list_means_nothing(self) -> None:
        self.configure("[network]\nlan-access = []\n")
        self.up()
        self.assert_closed(self.outcomes())


if __name__ == "__main__":
    program.main()
