"""Help, version, wrong usage and completion: nothing that needs a configuration or an engine."""

import subprocess
import unittest

import program

COMMANDS = (
    ("init",), ("up",), ("run",), ("status",), ("down",), ("list",), ("plugins", "list"), ("plugins", "info"), ("doctor",),
    ("completion",), ("help",),
)  # fmt: skip


class HelpTest(program.AlcaTest):
    def test_help_of_each_command_has_an_example_and_goes_to_stdout(self) -> None:
        for command in COMMANDS:
            with self.subTest(command=command):
                outcome = self.work.run(*command, "--help")
                self.assert_outcome(outcome, 0, err="")
                self.assertRegex(outcome.out, rf"Examples?:\n  \S.*alca {' '.join(command)}|Examples?:\n  alca {' '.join(command)}")

    def test_no_command_is_help(self) -> None:
        self.assertEqual(self.work.run(), self.work.run("--help"))

    def test_help_word_equals_the_option(self) -> None:
        self.assert_outcome(self.work.run("help", "up"), 0, out=self.work.run("up", "--help").out, err="")
        self.assert_outcome(self.work.run("help"), 0, out=self.work.run("--help").out, err="")

    def test_help_lists_every_command(self) -> None:
        text = self.work.run("--help").out
        for command in COMMANDS:
            self.assertRegex(text, rf"\n  {command[0]} +\S")

    def test_topics(self) -> None:
        config = self.work.run("help", "config")
        self.assert_outcome(config, 0, err="")
        for key in ("image", "workdir", "commands.up", "network.lan-access", "resources.pids", "caps"):
            self.assertIn(f"  {key} (", config.out)
        self.assert_expected("help_network.txt", self.work.run("help", "network").out)

    def test_unknown_topic_is_wrong_usage(self) -> None:
        outcome = self.work.run("help", "nonsense")
        self.assert_outcome(outcome, 2, out="")
        self.assert_error_text(outcome.err)

    def test_version_has_three_lines(self) -> None:
        outcome = self.work.run("--version")
        self.assert_outcome(outcome, 0, err="")
        self.assertRegex(outcome.out, r"\Aalca version \d+\.\d+\.\d+\S*\ncommit: \S*\ndate: \S*\n\Z")


class WrongUsageTest(program.AlcaTest):
    def test_unknown_command_names_the_nearest(self) -> None:
        self.assert_outcome(self.work.run("uo"), 2, out="",
                            err="alca: unknown command 'uo'; did you mean 'up'?\nSee: alca --help\n")  # fmt: skip
        self.assert_outcome(self.work.run("statsu"), 2, out="",
                            err="alca: unknown command 'statsu'; did you mean 'status'?\nSee: alca --help\n")  # fmt: skip

    def test_unknown_option_names_the_nearest(self) -> None:
        self.assert_outcome(self.work.run("up", "--quite"), 2, out="",
                            err="alca: unknown option '--quite'; did you mean '--quiet'?\nSee: alca --help\n")  # fmt: skip

    def test_nothing_near_is_no_suggestion(self) -> None:
        for word, kind in (("zzzzzzzz", "command"), ("--zzzzzzzz", "option")):
            self.assert_outcome(self.work.run(word), 2, out="",
                                err=f"alca: unknown {kind} '{word}'\nSee: alca --help\n")  # fmt: skip

    def test_missing_and_wrong_arguments(self) -> None:
        for arguments in (("plugins",), ("plugins", "info"), ("completion",), ("completion", "tcsh"), ("init", "--image")):
            with self.subTest(arguments=arguments):
                outcome = self.work.run(*arguments)
                self.assert_outcome(outcome, 2, out="")
                self.assert_error_text(outcome.err.splitlines()[0])

    def test_commands_need_a_configuration(self) -> None:
        message = "alca: configuration not found: run 'alca init' first\n"
        for command, code in ((("up",), 1), (("down",), 1), (("run", "true"), 125)):
            self.assert_outcome(self.work.run(*command), code, err=message)

    def test_a_full_or_closed_output_does_not_crash(self) -> None:
        with open("/dev/full", "wb") as full:
            self.assertIn(self.work.run("help", "config", stdout=full).code, (0, 1))
        piped = subprocess.run(f"'{self.work.program}' help config | head -c 1", shell=True, capture_output=True, check=True)
        self.assertEqual(piped.stderr, b"")


class CompletionTest(program.AlcaTest):
    def words(self, *typed: str) -> list[str]:
        """What bash would offer for the last word."""
        script = 'source <("$0" completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _alca; printf "%s\\n" "${COMPREPLY[@]}"'
        done = subprocess.run(["bash", "-u", "-c", script, self.work.program, *typed], capture_output=True, text=True,
                              cwd=self.work.project, env=self.work.environment(), check=True)  # fmt: skip
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_completes_commands_subcommands_and_options(self) -> None:
        self.assertEqual(self.words("alca", "sta"), ["status"])
        self.assertEqual(sorted(self.words("alca", "plugins", "")), ["--help", "--verbose", "info", "list"])
        self.assertIn("--json", self.words("alca", "status", "--"))
        self.assertEqual(self.words("alca", "plugins", "list", "--js"), ["--json"])

    def test_bash_completes_file_names_behind_a_command_of_run(self) -> None:
        with open(f"{self.work.project}/only-file", "w", encoding="ascii"):
            self.assertEqual(self.words("alca", "run", "cat", "only"), ["only-file"])

    def test_scripts_of_all_shells_are_whole(self) -> None:
        for shell in ("bash", "zsh", "fish"):
            outcome = self.work.run("completion", shell)
            self.assert_outcome(outcome, 0, err="")
            for command in COMMANDS:
                self.assertIn(command[0], outcome.out)
            # In zsh `path` is $PATH: a completion that uses the word as its own empties it.
            self.assertNotIn("local path", outcome.out)


if __name__ == "__main__":
    program.main()
