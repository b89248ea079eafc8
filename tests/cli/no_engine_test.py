"""No engine, a dead one, one that answers nonsense: a clear error that names it, and nothing left behind."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable

import program
from fake_engine import FakeEngine, answer, ordinary

CONFIG = 'image = "alca-test-busybox"\n'
NAMED = CONFIG + 'runtime = "docker"\n'

OURS = {"Id": "1" * 64, "Names": ["/alca-0f0f0f0f-0f0"], "State": "running", "Labels": {"alca.project.id": "0f0f0f0f-0f0"},
        "NetworkSettings": {"Networks": {"alca-0f0f0f0f-0f0": {"Gateway": "172.30.0.1"}}}}  # fmt: skip
OLD = {"Id": "2" * 64, "Names": ["/alca-550e8400-e29"], "State": "running", "Labels": {"alca.project.id": "550e8400-e29"},
       "NetworkSettings": {"Networks": {"bridge": {"Gateway": "172.17.0.1"}}}}  # fmt: skip


def engine_with(*containers: dict[str, object]) -> Callable[[str], bytes]:
    """An engine that has these, as it lists them."""
    return lambda path: answer("200 OK", list(containers)) if "/containers/json" in path else ordinary(path)


class NoEngineTest(program.AlcaTest):
    def setUp(self) -> None:
        super().setUp()
        self.work.configure(CONFIG)

    def assert_up_fails(self, *texts: str, timeout_s: float = 30, **variables: str | None) -> None:
        outcome = self.work.run("up", env=variables, timeout_s=timeout_s)
        self.assert_outcome(outcome, 1, out="→ Loading config from .alca.toml\n")
        self.assert_error_text(outcome.err)
        for text in texts:
            self.assertIn(text, outcome.err)
        self.assert_nothing_left()

    def make_context(self, name: str, host: str) -> None:
        directory = os.path.join(self.work.home, ".docker", "contexts", "meta", hashlib.sha256(name.encode()).hexdigest())
        os.makedirs(directory)
        with open(os.path.join(directory, "meta.json"), "w", encoding="ascii") as file:
            json.dump({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}, file)

    def test_missing_socket_is_named_with_its_origin(self) -> None:
        outcome = self.work.run("up")
        self.assert_outcome(outcome, 1, out="→ Loading config from .alca.toml\n")
        self.assert_expected("no_engine.txt", outcome.err)
        self.assert_nothing_left()

    def test_socket_without_a_listener_is_named(self) -> None:
        with FakeEngine(self.work.root) as engine:
            url = engine.url
        open(url.removeprefix("unix://"), "w", encoding="ascii").close()
        self.assert_up_fails(url, "DOCKER_HOST", DOCKER_HOST=url)

    def test_addresses_that_can_not_be_used_are_named(self) -> None:
        for host, text in (("/run/x.sock", "unix:///run/x.sock"), ("unix://x.sock", "absolute"),
                           ("tcp://127.0.0.1:2375", "not supported"), ("ssh://host", "not supported")):  # fmt: skip
            with self.subTest(host=host):
                self.assert_up_fails(host, "DOCKER_HOST", text, DOCKER_HOST=host)

    def test_unknown_context_is_an_error_that_names_the_variable(self) -> None:
        self.assert_up_fails("'nowhere'", "DOCKER_CONTEXT", DOCKER_HOST=None, DOCKER_CONTEXT="nowhere")

    def test_dead_context_is_named_and_no_other_engine_is_taken(self) -> None:
        self.make_context("dead", f"unix://{self.work.root}/dead.sock")
        with open(os.path.join(self.work.home, ".docker", "config.json"), "w", encoding="ascii") as file:
            json.dump({"currentContext": "dead"}, file)
        self.assert_up_fails(f"unix://{self.work.root}/dead.sock", "context dead", DOCKER_HOST=None)
        # An empty variable counts as none.
        self.assert_up_fails(f"unix://{self.work.root}/dead.sock", "context dead", DOCKER_HOST="", DOCKER_CONTEXT="")

    def test_variable_wins_over_the_current_context(self) -> None:
        self.make_context("dead", f"unix://{self.work.root}/dead.sock")
        self.assert_up_fails("no-engine.sock", "DOCKER_HOST", DOCKER_CONTEXT="dead")

    def test_broken_docker_configuration_is_named(self) -> None:
        os.mkdir(os.path.join(self.work.home, ".docker"))
        path = os.path.join(self.work.home, ".docker", "config.json")
        with open(path, "w", encoding="ascii") as file:
            file.write("{")
        self.assert_up_fails(path, DOCKER_HOST=None)

    def test_engine_that_is_too_old_is_told_with_its_version(self) -> None:
        with FakeEngine(self.work.root, lambda path: ordinary(path, api="1.24")) as engine:
            self.assert_up_fails(engine.url, "1.24", "1.41", DOCKER_HOST=engine.url)
            self.assertFalse([line for line in engine.requests if line.startswith("POST")])

    def test_socket_of_podman_is_not_taken_for_docker(self) -> None:
        headers = "Server: Libpod/4.3.1 (linux)\r\nLibpod-Api-Version: 4.3.1\r\n"
        with FakeEngine(self.work.root, lambda path: ordinary(path, api="1.41", headers=headers)) as engine:
            self.assert_up_fails(engine.url, "odman", DOCKER_HOST=engine.url)

    def test_answers_that_are_no_answers(self) -> None:
        for name, reply in (("error", answer("500 Internal Server Error", {"message": "kaputt"})),
                            ("not-http", b"SSH-2.0-OpenSSH_9.2\r\n"), ("nothing", b""),
                            ("not-json", answer("200 OK", "{", "Api-Version: 1.43\r\n"))):  # fmt: skip
            with self.subTest(name=name), FakeEngine(self.work.root, lambda _path, reply=reply: reply) as engine:
                self.assert_up_fails(engine.url, DOCKER_HOST=engine.url)

    def test_endless_answer_ends(self) -> None:
        reply = b"HTTP/1.1 200 OK\r\nApi-Version: 1.43\r\n\r\n" + b"x" * (64 << 20)
        with FakeEngine(self.work.root, lambda _path: reply) as engine:
            self.assert_up_fails(engine.url, DOCKER_HOST=engine.url)

    def test_engine_that_never_answers_is_given_up(self) -> None:
        with FakeEngine(self.work.root, lambda _path: None) as engine:
            self.assert_up_fails(engine.url, timeout_s=60, DOCKER_HOST=engine.url)

    def test_interrupt_ends_the_wait_for_an_engine(self) -> None:
        with FakeEngine(self.work.root, lambda _path: None) as engine:
            process = self.work.start("up", env={"DOCKER_HOST": engine.url})
            program.wait_until(lambda: engine.requests, "a request")
            process.terminate()
            outcome = program.finish(process, timeout_s=3)
        self.assert_outcome(outcome, 130, err="alca: interrupted\n")
        self.assert_nothing_left()

    def test_run_before_up_is_125(self) -> None:
        self.work.configure(NAMED)
        self.assert_outcome(self.work.run("run", "true"), 125, out="", err="alca: no state file found: run 'alca up' first\n")

    def test_unknown_runtime_lists_the_installed(self) -> None:
        self.work.configure(CONFIG + 'runtime = "dokcer"\n')
        outcome = self.work.run("up")
        self.assert_outcome(outcome, 1)
        self.assertRegex(outcome.err, r"dokcer.*runtime-docker")

    def test_down_and_list_without_a_sandbox_are_done(self) -> None:
        self.assert_outcome(self.work.run("down"), 0, out="→ No state file found. Container may not exist.\n", err="")
        # An engine that does not answer may have sandboxes: that is said.
        for words, out in ((["list"], "No Alcatraz containers found.\n"), (["list", "--json"], '{"sandboxes":[]}\n')):
            outcome = self.work.run(*words)
            self.assert_outcome(outcome, 0, out=out)
            self.assertIn("no-engine.sock", outcome.err)

    def test_status_before_up(self) -> None:
        self.work.configure(NAMED)
        outcome = self.work.run("status")
        self.assert_outcome(outcome, 0, err="")
        self.assert_expected("status_before_up.txt", outcome.out)
        facts = json.loads(self.work.run("status", "--json").out)
        self.assertEqual((facts["initialized"], facts["container"]["state"]), (True, "absent"))

    def test_status_outside_of_a_project(self) -> None:
        os.unlink(os.path.join(self.work.project, ".alca.toml"))
        outcome = self.work.run("status")
        self.assert_outcome(outcome, 0, err="")
        self.assert_expected("status_not_initialized.txt", outcome.out)
        self.assert_outcome(self.work.run("status", "--json"), 0, out='{"initialized":false}\n', err="")

    def test_doctor_names_what_is_missing_and_what_to_do(self) -> None:
        outcome = self.work.run("doctor", "--json")
        self.assert_outcome(outcome, 1, err="")
        report = json.loads(outcome.out)
        self.assertIs(report["healthy"], False)
        checks = {check["name"]: check for check in report["checks"]}
        self.assertLessEqual({"kernel", "alca-init", "alca-net", "runtime-docker", "firewall-nft"}, set(checks))
        for check in checks.values():
            self.assertEqual(set(check), {"name", "ok", "found", "fix"})
            self.assertEqual(check["ok"], check["fix"] == "", check)
        self.assertFalse(checks["runtime-docker"]["ok"])
        self.assertIn("no-engine.sock", checks["runtime-docker"]["fix"])
        text = self.work.run("doctor")
        self.assert_outcome(text, 1, err="")
        self.assertRegex(text.out, r"(?m)^✗ runtime-docker .*\n    .*no-engine\.sock")

    def test_doctor_finds_an_engine(self) -> None:
        with FakeEngine(self.work.root) as engine:
            outcome = self.work.run("doctor", "--json", env={"DOCKER_HOST": engine.url})
        checks = {check["name"]: check for check in json.loads(outcome.out)["checks"]}
        self.assertTrue(checks["runtime-docker"]["ok"], outcome.out)
        for text in (engine.url, "DOCKER_HOST", "24.0.0", "1.43"):
            self.assertIn(text, checks["runtime-docker"]["found"])

    def test_doctor_finds_nothing_of_the_go_tool_where_nothing_is(self) -> None:
        with FakeEngine(self.work.root, engine_with(OURS)) as engine:
            outcome = self.work.run("doctor", "--json", env={"DOCKER_HOST": engine.url}, wrapper=self.with_etc())
        self.assertEqual(json.loads(outcome.out)["leftovers"], [])

    def test_doctor_names_what_the_go_tool_has_left_and_leaves_it(self) -> None:
        line = 'include "/etc/nftables.d/alcatraz/*.nft"\n'
        files = {"nftables.d/alcatraz/-home-a.nft": "", "nftables.d/alcatraz/-home-b.nft": "", "nftables.d/alcatraz/.managed-by-alcatraz": "",
                 "nftables.conf": "flush ruleset\n" + line}  # fmt: skip
        with FakeEngine(self.work.root, engine_with(OURS, OLD)) as engine:
            where = {"env": {"DOCKER_HOST": engine.url}, "wrapper": self.with_etc(files)}
            before = self.work.run("doctor", env={"DOCKER_HOST": engine.url})
            outcome, text = self.work.run("doctor", "--json", **where), self.work.run("doctor", **where)
        found = {old["name"]: old for old in json.loads(outcome.out)["leftovers"]}
        self.assertEqual({name: old["items"] for name, old in found.items()}, {
            "old rule files": ["/etc/nftables.d/alcatraz/-home-a.nft", "/etc/nftables.d/alcatraz/-home-b.nft"],
            "old include line": ["/etc/nftables.conf"],
            "old containers": ["alca-550e8400-e29"],
        })  # fmt: skip
        self.assertEqual(found["old rule files"]["count"], 2)
        self.assertIn("left alone", found["old rule files"]["advice"])
        self.assertRegex(text.out, r"(?m)^! old rule files +2: /etc/nftables.d/alcatraz/-home-a.nft, .*\n    .*left alone")
        # Leftovers do not make the machine unfit.
        self.assertEqual((outcome.code, text.code), (before.code, before.code))

    def with_etc(self, files: dict[str, str] | None = None) -> tuple[str, ...]:
        """A command line whose program sees an /etc with these files, and with nothing else in it."""
        if os.geteuid() != 0:
            self.skipTest("needs root: a mount namespace")
        directory = tempfile.mkdtemp(dir=self.work.root)
        for name, content in (files or {}).items():
            path = os.path.join(directory, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
        return ("unshare", "--mount", "--propagation", "private", "sh", "-c", f'mount --bind "{directory}" /etc && exec "$@"', "sh")

    def test_requests_are_shown_when_asked_for(self) -> None:
        with FakeEngine(self.work.root) as engine:
            for options, env in ((("-vv",), {}), ((), {"ALCA_DEBUG": "1"})):
                outcome = self.work.run(*options, "doctor", env={"DOCKER_HOST": engine.url, **env})
                self.assertRegex(outcome.err, r"GET \S*/_ping.*\d+(\.\d+)? ?ms")
                self.assertRegex(outcome.out, r"(?m)^✓ kernel")
            self.assert_outcome(self.work.run("doctor", env={"DOCKER_HOST": engine.url}), outcome.code, err="")


if __name__ == "__main__":
    program.main()
