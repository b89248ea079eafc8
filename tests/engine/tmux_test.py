"""`alca run` in a real terminal program: full screens, sizes, colours, paste, mouse, wide characters, and what is left after a crash."""

import os
import random
import shlex
import signal
from collections.abc import Callable

from sandbox import environment_of, processes, program
from tmux import PROMPT, AttachedClient, TmuxCase, require_tmux

# What full-screen programs switch on: another screen, no cursor, mouse, paste, focus, keys, a scroll region, colours, line drawing.
EVERYTHING_ON = r"\033[?1049h\033[?25l\033[?1002h\033[?1006h\033[?2004h\033[?1004h\033[?1h\033=\033[4h\033[5;10r\033[41m\033(0"

def setUpModule() -> None:
    require_tmux()


class TmuxTest(TmuxCase):
    def setUp(self) -> None:
        super().setUp()
        self.up("-q")
        self.open_window()

    def script(self, text: str) -> str:
        """A script in the project, which is the working directory on both sides. Returns its name."""
        with open(os.path.join(self.work.project, "script"), "w", encoding="utf-8") as file:
            file.write(text)
        return "script"

    def client(self) -> int:
        """The pid of alca."""
        found = [pid for pid, line in processes() if line.startswith(f"{self.work.program} run") and self.work.root in environment_of(pid)]
        self.assertEqual(len(found), 1, found)
        return found[0]

    # --- what is seen

    def test_full_screen_program_has_the_size_of_the_window_after_many_changes(self) -> None:
        self.tmux.run(self.alca("vi", "/workspace/text"))
        self.tmux.wait_for(r"^- /workspace/text")
        self.assertEqual(self.tmux.screen().count("~"), self.tmux.rows - 2)
        chance = random.Random(5)
        for _ in range(50):
            self.tmux.resize(chance.randint(20, 200), chance.randint(5, 60))
        self.tmux.resize(101, 41)
        program.wait_until(lambda: self.inside("for t in /dev/pts/[0-9]*; do stty -F $t size; done").split() == ["41", "101"], "the last size")
        program.wait_until(lambda: self.tmux.screen().splitlines()[-1].startswith("- /workspace/text"), "the status line at the bottom")
        self.assertEqual(self.tmux.screen().count("~"), 39)
        self.tmux.type(":q!\r")
        self.assert_usable()

    def test_colours_pass(self) -> None:
        self.tmux.run(self.alca("printf", r"\033[38;5;201mpink\033[48;2;1;2;3mtrue\033[m\n"))
        screen = self.tmux.wait_for("true", options=("-e",))
        self.assertIn("\x1b[38;5;201mpink", screen)
        self.assertIn("48;2;1;2;3mtrue", screen)

    def test_wide_characters_take_the_same_cells_as_without_alca(self) -> None:
        """The cursor's place is asked of the terminal after each text."""
        texts = ("漢字かな", "😀👍🏽", "e\u0301o\u0308", "ｆｕｌｌ", "👨‍👩‍👧", "—→✓", "한글", "\u200bzero")
        ask = "".join(f"printf '{text}\\033[6n'; dd bs=32 count=1 2>/dev/null | od -An -c; printf '\\r\\n'\n" for text in texts)
        name = self.script(f"stty -icanon -echo\n{ask}stty sane\necho done\n")
        screens = []
        for line in (f"clear; busybox sh {name}", self.alca("sh", name)):
            self.tmux.run(line)
            self.tmux.wait_for("^done$")
            self.tmux.wait_for(PROMPT)
            screens.append(self.tmux.screen())
        self.assertEqual(screens[0].count(" R\n"), len(texts), screens[0])
        self.assertEqual(screens[0], screens[1])

    def test_term_is_one_that_the_image_knows_and_a_chosen_one_stays(self) -> None:
        self.tmux.run(self.alca("sh", "-c", "echo $TERM $COLORTERM"))
        self.tmux.wait_for("^xterm-256color")  # tmux-256color outside, and no terminfo in this image
        self.inside("mkdir -p /etc/terminfo/s && touch /etc/terminfo/s/screen-256color")
        self.tmux.run(self.alca("sh", "-c", "echo is $TERM"))
        self.tmux.wait_for("^is screen-256color$")
        self.tmux.run("clear; " + shlex.join([self.work.program, "run", "-e", "TERM=foot", "sh", "-c", "echo is $TERM"]))
        self.tmux.wait_for("^is foot$")
        self.configure('[envs]\nTERM = { value = "wezterm", override_on_enter = true }\n')
        self.tmux.run(self.alca("sh", "-c", "echo is $TERM"))
        self.tmux.wait_for("^is wezterm$")

    # --- what is typed

    def test_bracketed_paste_arrives_whole(self) -> None:
        text = "".join(f"line {i} ä漢😀 '$(x)'\n" for i in range(4000))
        expected = b"\x1b[200~" + text.encode() + b"\x1b[201~"
        self.tmux.run(self.alca("sh", "-c", f"stty raw -echo; printf '\\033[?2004hready'; head -c {len(expected)} > pasted; printf '\\033[?2004l\\r\\n'"))
        self.tmux.wait_for("^ready")
        self.tmux.paste(text)
        self.tmux.wait_for(PROMPT)
        with open(os.path.join(self.work.project, "pasted"), "rb") as file:
            self.assertEqual(file.read(), expected)
        self.assert_usable()

    def test_mouse_reaches_the_program_also_after_a_new_client(self) -> None:
        """The window is left and entered again in between: the program is asked for nothing, and goes on."""
        show = "while true; do dd bs=64 count=1 2>/dev/null | od -An -c; printf '\\r'; done"
        self.tmux("set-option", "-g", "mouse", "on")
        self.tmux.run(self.alca("sh", "-c", f"stty raw -echo; printf '\\033[?1002h\\033[?1006hready\\r\\n'; {show}"))
        self.tmux.wait_for("^ready")
        for column in (7, 8):
            with AttachedClient(self.tmux) as client:
                client.type(f"\x1b[<0;{column};5M\x1b[<0;{column};5m")
                self.tmux.wait_for(rf"033\s+\[\s+<\s+0\s+;\s+{column}\s+;\s+5\s+M")
        self.inside("kill -9 -1 || true")
        self.assert_usable()

    def test_suspend_key_reaches_the_shell_inside(self) -> None:
        self.tmux.run(self.alca("sh"))
        self.tmux.wait_for("workspace #")
        self.tmux.run("sleep 1000")
        program.wait_until(lambda: any("sleep 1000" in line for line in self.processes_inside()), "sleep")
        self.tmux.keys("C-z")
        self.tmux.wait_for(r"Stopped\s+sleep 1000")
        self.tmux.run("fg")
        self.tmux.wait_for(r"^sleep 1000$")
        self.tmux.keys("C-c")
        self.tmux.run("exit 0")
        self.tmux.wait_for(PROMPT)
        self.tmux.run("clear; jobs; echo none")
        self.assertEqual(self.tmux.wait_for("^none$").splitlines()[0], "none")

    # --- what is left

    def leave_everything_on(self) -> None:
        self.tmux.run("clear; echo before; " + shlex.join([self.work.program, "run", "sh", "-c", f"printf '{EVERYTHING_ON}'; exec sleep 1000"]))
        for name in ("alternate_on", "mouse_any_flag", "keypad_cursor_flag", "insert_flag"):
            self.tmux.wait_for_state(name, "1")

    def assert_put_in_order_after(self, end: Callable[[], object]) -> None:
        self.leave_everything_on()
        end()
        self.tmux.wait_for("^before$")
        self.assert_usable()

    def test_killed_program_leaves_the_terminal_usable(self) -> None:
        self.assert_put_in_order_after(lambda: self.inside("kill -9 $(pidof sleep)"))

    def test_full_screen_editor_that_is_killed(self) -> None:
        self.tmux.run("clear; echo before; " + shlex.join([self.work.program, "run", "vi", "text"]))
        self.tmux.wait_for("^- text")
        self.tmux.wait_for_state("alternate_on", "1")
        self.inside("kill -9 $(pidof vi)")
        self.tmux.wait_for("^before$")
        self.assert_usable()

    def test_signals_to_alca_leave_the_terminal_usable(self) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV):
            with self.subTest(signal=number.name):
                self.assert_put_in_order_after(lambda number=number: os.kill(self.client(), number))
                self.assert_only_init_inside()

    def test_killed_sandbox_leaves_the_terminal_usable(self) -> None:
        self.assert_put_in_order_after(lambda: self.docker("kill", self.name))

    def test_program_that_ends_by_itself_may_leave_modes_on(self) -> None:
        self.tmux.run(self.alca("printf", r"\033[?25l"))
        self.tmux.wait_for_state("cursor_flag", "0")
        self.tmux.wait_for(PROMPT)
        self.assertEqual(self.tmux.state("cursor_flag"), "0")


class TmuxByEngineTest(TmuxTest):
    RUN_BY = "engine"


if __name__ == "__main__":
    program.main()
