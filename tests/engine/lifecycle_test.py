"""From `up` to `down`: what is made and in which order, what it is called, what a second command finds, and that nothing is left."""

import contextlib
import json
import os
import re
import stat
import time
import tomllib

from sandbox import IMAGE, SandboxTest, engine_proxy, program, require_engine, steps_of


def setUpModule() -> None:
    require_engine()


class LifecycleTest(SandboxTest):
    def test_up_says_its_steps_and_ends_ready(self) -> None:
        outcome = self.up()
        self.assertEqual(outcome.err, "")
        self.assertEqual(steps_of(outcome), [
            "Loading config from .alca.toml",
            "Detected runtime: runtime-docker",
            f"Preparing image and network: {IMAGE}",
            "Putting up network rules",
            f"Creating container: {self.name}",
            "Verifying isolation from inside",
            "Putting up network rules inside the sandbox",
            "Network isolation enabled: 2 of 2 layers: host, direct; inside the sandbox, direct",
            "Environment ready",
        ])  # fmt: skip

    def test_quiet_up_says_nothing(self) -> None:
        self.assert_outcome(self.work.run("up", "-q"), 0, out="", err="")

    def test_rules_are_there_before_the_container_is(self) -> None:
        """network -> rules -> create -> start, as the engine saw it, with the rules looked at when it was asked to create."""
        with engine_proxy(self, "--die-at", "/containers/create", "--once") as requests:
            self.assert_outcome(self.work.run("up"), 1)
            self.assertTrue(any("/networks/create" in line for line in requests()))
        with engine_proxy(self, "--hang-at", "/containers/create", "--once") as requests:
            process = self.work.start("up")
            program.wait_until(lambda: any("/containers/create" in line for line in requests()), "create")
            self.assertTrue(self.has_rules())
            self.assertEqual(self.containers(), [])
            process.terminate()
            self.assert_outcome(program.finish(process, 20), 130)
        self.assert_all_gone()
        with engine_proxy(self) as requests:
            self.up()
            order = [re.sub(r"^POST (/v[0-9.]+)?|\?.*", "", line) for line in requests() if line.startswith("POST")]
        order = [re.sub("[0-9a-f]{64}|alca-[0-9a-f-]+", "ID", path) for path in order]
        self.assertEqual(order[:3], ["/networks/create", "/containers/create", "/containers/ID/start"])

    def test_names_labels_and_state_are_those_that_scripts_know(self) -> None:
        self.up()
        state = self.state()
        project_id = state["project_id"]
        self.assertRegex(project_id, program.uuid_pattern())
        self.assertEqual(self.name, f"alca-{project_id[:12]}")
        container = self.inspect()
        labels = container["Config"]["Labels"]
        self.assertEqual((labels["alca.project.id"], labels["alca.project.path"], labels["alca.version"]),
                         (project_id, self.work.project, "1"))  # fmt: skip
        (network,) = json.loads(self.docker("network", "inspect", self.name))
        self.assertEqual(network["Labels"]["alca.project.id"], project_id)
        self.assertRegex(network["IPAM"]["Config"][0]["Subnet"], r"/28$")
        self.assertEqual(network["Options"]["com.docker.network.bridge.name"], self.interface)
        with open(os.path.join(self.work.project, ".alca", "state.json"), encoding="utf-8") as file:
            copy = json.load(file)
        self.assertEqual(copy, {"project_id": project_id, "container_name": self.name, "runtime": copy["runtime"],
                                "created_at": state["created_at"]})  # fmt: skip
        self.assertRegex(copy["created_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(stat.S_IMODE(os.stat(self.state_files[0]).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(self.state_files[0])).st_mode), 0o700)

    def test_down_leaves_nothing_and_takes_no_ten_seconds(self) -> None:
        self.up()
        interface = self.interface
        outcome = self.work.run("down", timeout_s=8)
        self.assert_outcome(outcome, 0, err="")
        self.assertEqual(steps_of(outcome)[-1], "Container stopped")
        self.assert_all_gone()
        self.assertFalse(self.has_rules(interface))
        self.assertNotIn("running", self.work.run("status").out.lower())
        self.assert_outcome(self.work.run("down"), 0)
        self.assert_outcome(self.alca_run("true"), 125, out="")

    def test_processes_have_the_time_to_stop_that_is_set(self) -> None:
        self.configure("stop_timeout = 3\n")
        self.up("-q")
        for script, least_s, most_s in (("trap 'sleep 0.2; echo handled > handler' TERM", 0, 3), ("trap '' TERM", 3, 8)):
            with self.subTest(script=script):
                self.up("-q")
                process = self.work.start("run", "sh", "-c", f"{script}; echo started; while [ ! -e handler ]; do sleep 0.05; done; exit 0")
                self.assertEqual(process.stdout.readline(), b"started\n")
                begun = time.monotonic()
                self.assert_outcome(self.work.run("down", "--keep"), 0)
                spent_s = time.monotonic() - begun
                process.communicate()
                self.assertGreaterEqual(spent_s, least_s)
                self.assertLess(spent_s, most_s)
                handler = os.path.join(self.work.project, "handler")
                self.assertEqual(os.path.exists(handler), least_s == 0)
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(handler)

    def test_time_to_stop_is_that_of_the_sandbox(self) -> None:
        self.up("-q")
        self.configure("stop_timeout = 9\n")
        self.assertIn({"key": "Stop_timeout", "old": "2 s", "new": "9 s"}, self.status()["drift"])

    def test_second_up_changes_nothing(self) -> None:
        self.up()
        first, rules = self.inspect(), self.rules()
        self.assertIn(f"Container already running: {self.name}", steps_of(self.up()))
        second = self.inspect()
        self.assertEqual((first["Id"], first["State"]["Pid"]), (second["Id"], second["State"]["Pid"]))
        self.assertEqual(self.rules(), rules)

    def test_status_and_list_tell_what_runs(self) -> None:
        self.up()
        facts = self.status()
        self.assertEqual(set(facts), {"initialized", "config", "runtime", "runtime_reason", "project_id", "container", "isolation", "run", "drift", "setuid_files",
                                      "setuid_files_complete"})  # fmt: skip
        self.assertEqual(facts["container"]["state"], "running")
        self.assertEqual(facts["container"]["id"], self.inspect()["Id"])
        refused = facts["isolation"].pop("refused")
        self.assertEqual(set(refused), {"lan", "meta", "cgnat", "mcast", "host", "spoof", "proto", "proxy", "limit", "inbound"})
        layers = "2 of 2 layers: host, direct; inside the sandbox, direct"
        self.assertEqual(facts["isolation"], {"notes": [], "intact": True, "policy": "internet", "layer": layers, "problems": [],
                                              "layers": [{"layer": "host", "way": "direct"}, {"layer": "inside", "way": "direct"}],
                                              "unprotected_reason": ""})  # fmt: skip
        text = self.work.run("status")
        self.assert_outcome(text, 0, err="")
        for line in (f"Project ID: {facts['project_id']}", "Container: Running", f"  Name: {self.name}", f"  Image: {IMAGE}",
                     f"Isolation: intact: {layers}"):  # fmt: skip
            self.assertIn(f"{line}\n", text.out)
        listed = [row for row in json.loads(self.work.run("list", "--json").out)["sandboxes"] if row["name"] == self.name]
        self.assertEqual(len(listed), 1)
        self.assertEqual({key: listed[0][key] for key in ("status", "project_id", "project_path", "runtime")},
                         {"status": "running", "project_id": facts["project_id"], "project_path": self.work.project,
                          "runtime": "runtime-docker"})  # fmt: skip
        self.assertRegex(self.work.run("list").out, rf"(?m)^{self.name} +running +{facts['project_id'][:12]} +{self.work.project} ")

    def test_kept_sandbox_starts_again_with_its_files(self) -> None:
        self.up()
        self.output("sh", "-c", "echo kept > /root/file")
        container = self.inspect()["Id"]
        self.assert_outcome(self.work.run("down", "--keep"), 0)
        self.assertFalse(self.inspect()["State"]["Running"])
        self.assert_outcome(self.alca_run("true"), 125, out="", err="alca: container is not running: run 'alca up' first\n")
        self.assertNotIn("running", self.work.run("status").out.lower())
        self.assertIn(f"Starting stopped container: {self.name}", steps_of(self.up()))
        self.assertEqual(self.inspect()["Id"], container)
        self.assertEqual(self.output("cat", "/root/file"), "kept\n")
        self.assertTrue(self.status()["isolation"]["intact"])

    def test_changed_configuration_is_shown_and_taken_over_when_asked(self) -> None:
        self.up()
        container = self.inspect()["Id"]
        self.configure('workdir = "/src"\n[resources]\nmemory = "64m"\n')
        drift = {change["key"]: (change["old"], change["new"]) for change in self.status()["drift"]}
        self.assertEqual(drift["Workdir"], ("/workspace", "/src"))
        self.assertIn("Resources.memory", drift)
        outcome = self.up()  # no terminal: no question, no rebuild
        self.assertIn("Configuration has changed since last container creation:", outcome.out)
        self.assertIn("alca up -f", outcome.out)
        self.assertEqual(self.inspect()["Id"], container)
        self.assertTrue(self.status()["drift"], "declining must not hide the difference")
        self.assertIn("Configuration changed, rebuilding container (-f)", steps_of(self.up("-f")))
        self.assertNotEqual(self.inspect()["Id"], container)
        self.assertEqual(self.output("pwd"), "/src\n")
        self.assertEqual(self.status()["drift"], [])
        container = self.inspect()["Id"]
        self.up("-f")
        self.assertEqual(self.inspect()["Id"], container, "-f without a change rebuilds nothing")

    def test_setup_command_runs_once_as_root(self) -> None:
        self.configure('user = "65534:65534"\n[commands]\nup = "id -u >> /root/setup; echo said; echo warned >&2"\n')
        outcome = self.up()
        self.assertIn("said\n", outcome.out)
        self.assertEqual(outcome.err, "warned\n")
        self.up()
        self.work.run("down", "--keep")
        self.up()
        self.assertEqual(self.inside("cat /root/setup"), "0\n")

    def test_failed_setup_command_leaves_nothing(self) -> None:
        self.configure('[commands]\nup = "echo this went wrong; exit 3"\n')
        outcome = self.work.run("up")
        self.assert_outcome(outcome, 1, err="alca: up command failed with exit code 3; see its output above\n")
        self.assertIn("this went wrong\n", outcome.out)
        self.assert_all_gone()
        self.configure()
        self.up()

    def test_commands_that_only_wait_are_not_waited_for(self) -> None:
        for text in ("sleep infinity", "tail -f /dev/null", "cat"):
            self.configure(f'[commands]\nup = "{text}"\n')
            self.up("-f", timeout_s=30)

    def test_enter_and_alias_come_before_the_arguments(self) -> None:
        self.configure('[commands]\nenter = "A=b printf %s@"\naliases.say = ["echo", "said"]\n')
        self.up()
        self.assertEqual(self.output("it's", "$HOME", 'a "b"'), "it's@$HOME@a \"b\"@")
        self.configure('[commands]\naliases.say = ["echo", "said"]\n')
        self.assertEqual(self.output("say", "x y"), "said x y\n")

    def test_powers_need_an_approval_that_is_kept(self) -> None:
        self.configure('[network]\nports = ["18931:80"]\n')
        outcome = self.work.run("up")
        self.assert_outcome(outcome, 1)
        self.assertIn("18931", outcome.err)
        self.assertRegex(outcome.err, r"alca up --trust .*ALCA_TRUST=1")
        self.assert_all_gone()
        self.up(env={"ALCA_TRUST": "1"})
        self.work.run("down")
        self.up()
        self.configure('[network]\nports = ["18931:80", "18932:80"]\n')
        outcome = self.work.run("up", "-f")
        self.assert_outcome(outcome, 1)
        self.assertIn("18932", outcome.err)
        self.assertNotIn("18931", outcome.err)

    def test_preset_of_claude_is_accepted_without_a_question(self) -> None:
        os.unlink(os.path.join(self.work.project, ".alca.toml"))
        self.docker("image", "inspect", "alca-agents-claude")
        self.assert_outcome(self.work.run("init", "--preset", "claude", "--image", "alca-agents-claude"), 0)
        self.up()
        with open(os.path.join(self.work.project, ".alca.toml"), "rb") as file:
            home = tomllib.load(file)["envs"]["CLAUDE_CONFIG_DIR"]
        self.assertEqual(self.output("sh", "-c", 'echo "$CLAUDE_CONFIG_DIR"; touch "$CLAUDE_CONFIG_DIR/x"').strip(),
                         home if isinstance(home, str) else home["value"])  # fmt: skip


if __name__ == "__main__":
    program.main()
