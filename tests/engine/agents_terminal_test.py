"""The interfaces of the real agents in a real terminal program. They have no account and no way out: all that is looked at is the terminal."""

import contextlib
import shlex
from collections.abc import Sequence

from sandbox import program
from tmux import TmuxCase, require_tmux

NOWHERE = "http://127.0.0.1:9"
KEY = "no-key-0123456789abcdefghij"


def setUpModule() -> None:
    require_tmux()


class Agent:
    """What all agents have in common: a mixin. The classes below say where they differ."""

    IMAGE = ""
    ENVIRONMENT: dict[str, str] = {}
    SETTINGS: dict[str, str] = {}  # path inside -> content: what takes the questions of a first start away
    COMMAND: Sequence[str] = ()
    READY = ""  # the empty input box
    INPUT = ""  # what stands before the text in it
    HAS_OWN_SCREEN = False  # the alternate one

    def at_size(self, columns: int, rows: int) -> str:
        """What the screen shows when it was drawn for this size."""
        raise NotImplementedError

    def setUp(self) -> None:
        super().setUp()
        lines = "\n".join(f'{name} = "{value}"' for name, value in self.ENVIRONMENT.items())
        self.configure(f"[envs]\n{lines}\n", image=self.IMAGE)
        self.up("-q")
        # Not even the internet: what an agent does must not depend on it.
        self.command("nsenter", "-t", str(self.inspect()["State"]["Pid"]), "-n", "ip", "route", "del", "default")
        for path, content in self.SETTINGS.items():
            self.inside(f"mkdir -p $(dirname {path}); printf %s {shlex.quote(content)} > {path}")
        self.open_window(COLORTERM="truecolor")

    def start(self) -> None:
        self.tmux.run("clear; echo before; " + shlex.join([self.work.program, "run", *self.COMMAND]))
        self.tmux.wait_for(self.READY, timeout_s=90)

    def end_by_keys(self) -> None:
        """The first Ctrl-C takes the input away, and two shortly after each other end the agent."""
        for _ in range(40):
            self.tmux.keys("C-c")
            with contextlib.suppress(AssertionError):
                return self.tmux.wait_for_state("pane_current_command", "sh", timeout_s=0.4)

    def test_input_paste_and_sizes_are_drawn_and_the_end_is_clean(self) -> None:
        self.start()
        self.tmux.type("typed 漢字")
        self.tmux.wait_for(rf"{self.INPUT}\s*typed 漢字")
        for columns, rows in ((70, 25), (110, 35)):
            self.tmux.resize(columns, rows)
            self.tmux.wait_for(self.at_size(columns, rows))
            self.tmux.wait_for(rf"{self.INPUT}\s*typed 漢字")
        # Without brackets the first line would be sent off.
        self.tmux.paste("\nsecond line")
        self.tmux.wait_for(rf"{self.INPUT}\s*typed 漢字\s*\n\W*second line")
        self.end_by_keys()
        self.assert_usable()
        self.assert_only_init_inside()
        if self.HAS_OWN_SCREEN:
            self.start()
            self.tmux.wait_for_state("alternate_on", "1")
            self.docker("exec", self.name, "sh", "-c", "kill -9 -1")
            self.tmux.wait_for(r"\Abefore$")
            self.assert_usable()


class ClaudeTest(Agent, TmuxCase):
    IMAGE = "alca-agents-claude"
    ENVIRONMENT = {"ANTHROPIC_BASE_URL": NOWHERE, "ANTHROPIC_API_KEY": KEY, "CLAUDE_CONFIG_DIR": "/root/claude",
                   "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"}  # fmt: skip
    SETTINGS = {"/root/claude/.claude.json": '{"hasCompletedOnboarding":true,"projects":{"/workspace":{"hasTrustDialogAccepted":true}},'
                                             f'"customApiKeyResponses":{{"approved":["{KEY[-20:]}"]}}}}'}  # fmt: skip
    COMMAND = ("claude",)
    READY = r"^❯\s*$"
    INPUT = "❯"
    HAS_OWN_SCREEN = True

    def at_size(self, columns: int, rows: int) -> str:
        return rf"^─{{{columns}}}$"


class CodexTest(Agent, TmuxCase):
    IMAGE = "alca-agents-codex"
    SETTINGS = {"/etc/codex/config.toml": f"""
model = "none"
model_provider = "none"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
[model_providers.none]
name = "none"
base_url = "{NOWHERE}/v1"
wire_api = "responses"
[projects."/workspace"]
trust_level = "trusted"
[analytics]
enabled = false
"""}
    COMMAND = ("codex", "--no-daemon")
    READY = r"permissions: YOLO mode"
    INPUT = "›"
    HAS_OWN_SCREEN = True

    def at_size(self, columns: int, rows: int) -> str:
        return rf"\A(.*\n){{{rows - 4},{rows - 1}}}  none default"  # at the bottom


class GeminiTest(Agent, TmuxCase):
    IMAGE = "alca-agents-gemini"
    ENVIRONMENT = {"GOOGLE_GEMINI_BASE_URL": NOWHERE, "GEMINI_API_KEY": KEY}
    SETTINGS = {"/etc/gemini-cli/settings.json": '{"security":{"auth":{"selectedType":"gemini-api-key"},"folderTrust":{"enabled":false}},'
                                                 '"general":{"enableAutoUpdate":false},"privacy":{"usageStatisticsEnabled":false}}'}  # fmt: skip
    COMMAND = ("gemini",)
    READY = r"^ > .*Type your message"
    INPUT = ">"

    def at_size(self, columns: int, rows: int) -> str:
        return rf"^▄{{{columns}}}$"


if __name__ == "__main__":
    program.main()
