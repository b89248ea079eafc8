"""The stand-in drives the real Claude Code, in a container without a network.

Usage: python3 tests/support/fake_model/fake_model_test.py; needs root, an engine and the image alca-agents-claude.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = os.path.join(HERE, "fake_model.py")
IMAGE = "alca-agents-claude"


def start_server(test: unittest.TestCase, *arguments: str, prefix: tuple[str, ...] = ()) -> str:
    """Starts the server for one test. Returns its address."""
    server = subprocess.Popen([*prefix, sys.executable, SERVER, *arguments], stdout=subprocess.PIPE, text=True)
    test.addCleanup(server.stdout.close)
    test.addCleanup(server.wait)
    test.addCleanup(server.terminate)
    line = server.stdout.readline()
    test.assertRegex(line, r"^listening on ")
    return line.split()[-1]


class ProtocolTest(unittest.TestCase):
    def setUp(self) -> None:
        self.address = start_server(self, "--write", "/a", "x", "--command", "true", "--text", "bye")

    def post(self, path: str, body: bytes) -> bytes:
        request = urllib.request.Request(f"http://{self.address}{path}", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def message(self, results: int, stream: bool) -> bytes:
        content = [{"type": "tool_result", "tool_use_id": f"toolu_step{i}", "content": ""} for i in range(results)]
        return self.post("/v1/messages?beta=true", json.dumps({
            "model": "m", "stream": stream, "tools": [{}], "messages": [{"role": "user", "content": content}],
        }).encode())  # fmt: skip

    def test_steps_follow_the_number_of_tool_results(self) -> None:
        answers = [json.loads(self.message(results, stream=False)) for results in range(4)]
        kinds = [answer["content"][0].get("name", answer["content"][0].get("text")) for answer in answers]
        self.assertEqual(kinds, ["Write", "Bash", "bye", "bye"])
        self.assertEqual([a["stop_reason"] for a in answers], ["tool_use", "tool_use", "end_turn", "end_turn"])

    def test_stream_has_named_events_from_start_to_stop(self) -> None:
        lines = self.message(0, stream=True).decode().splitlines()
        names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
        self.assertEqual(names[0], "message_start")
        self.assertEqual(names[-1], "message_stop")
        self.assertIn("content_block_delta", names)

    def test_nonsense_is_refused(self) -> None:
        for body in (b"{", b"[]", b"\xff"):
            with self.subTest(body=body), self.assertRaises(urllib.error.HTTPError) as caught:
                self.post("/v1/messages", body)
            self.assertEqual(caught.exception.code, 400)
            caught.exception.close()


class RealClaudeTest(unittest.TestCase):
    def start_container(self, project: str, user: str) -> None:
        self.container = subprocess.run(
            ["docker", "run", "-d", "--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
             "--user", user, "-e", "HOME=/tmp", "-v", f"{project}:/project", "-w", "/project", IMAGE, "sleep", "1000"],
            check=True, capture_output=True, text=True).stdout.strip()  # fmt: skip
        self.addCleanup(subprocess.run, ["docker", "rm", "-f", self.container], check=True, capture_output=True)

    def pid(self) -> str:
        line = ["docker", "inspect", "-f", "{{.State.Pid}}", self.container]
        return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()

    def run_claude(self, address: str, *environment: str) -> "subprocess.CompletedProcess[str]":
        variables = (f"ANTHROPIC_BASE_URL=http://{address}", "ANTHROPIC_API_KEY=any",
                     "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1", *environment)  # fmt: skip
        options = [word for variable in variables for word in ("-e", variable)]
        return subprocess.run(["timeout", "-s", "KILL", "60", "docker", "exec", *options, self.container, "claude",
                               "--dangerously-skip-permissions", "-p", "write the file"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # fmt: skip

    def test_claude_writes_the_file_runs_the_command_and_speaks(self) -> None:
        for user, environment in (("1000:1000", ()), ("0:0", ("IS_SANDBOX=1",))):
            with self.subTest(user=user), tempfile.TemporaryDirectory() as project:
                os.chmod(project, 0o777)
                self.start_container(project, user)
                address = start_server(
                    self, "--write", "/project/written.txt", "by claude\n", "--command",
                    "cp /project/written.txt /project/copied.txt", "--text", "both files are there",
                    prefix=("nsenter", "-t", self.pid(), "-n"))  # fmt: skip
                done = self.run_claude(address, *environment)
                self.assertEqual((done.returncode, done.stdout), (0, "both files are there\n"), done.stderr)
                for name in ("written.txt", "copied.txt"):
                    with open(os.path.join(project, name), encoding="utf-8") as file:
                        self.assertEqual(file.read(), "by claude\n")


if __name__ == "__main__":
    unittest.main()
