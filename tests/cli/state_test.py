"""State that can not be written or read, and a project directory that something inside has prepared: fail before anything is made."""

import os
import stat
import unittest

import program
from fake_engine import FakeEngine

CONFIG = 'image = "alca-test-busybox"\n'
AS_ROOT = unittest.skipUnless(os.geteuid() == 0, "needs root to mount")


class StateTest(program.AlcaTest):
    """The engine answers, so that the state is what stops `up`. No request may have made anything."""

    def setUp(self) -> None:
        super().setUp()
        self.work.configure(CONFIG)
        self.engine = self.enterContext(FakeEngine(self.work.root))
        self.work.engine = self.engine.url

    def assert_up_fails(self, *texts: str, **options: object) -> None:
        outcome = self.work.run("up", **options)
        self.assert_outcome(outcome, 1)
        self.assert_error_text(outcome.err)
        for text in texts:
            self.assertIn(text, outcome.err)
        self.assertEqual([line for line in self.engine.requests if not line.startswith("GET ")], [])

    def test_network_blocked_without_a_sandbox_says_to_run_up(self) -> None:
        outcome = self.work.run("network", "blocked", "--json")
        self.assert_outcome(outcome, 1, out="", err="alca: no sandbox is up here; run: alca up\n")

    def in_mount(self, script: str) -> tuple[str, ...]:
        """Runs alca in a mount namespace in which the script has mounted something."""
        return ("unshare", "--mount", "sh", "-euc", f'{script}; exec "$@"', "sh")

    @AS_ROOT
    def test_read_only_state_directory(self) -> None:
        wrapper = self.in_mount(f"mount -t tmpfs -o ro tmpfs {self.work.state}")
        self.assert_up_fails(self.work.state, "Read-only file system", wrapper=wrapper)

    @AS_ROOT
    def test_full_disk_under_the_state(self) -> None:
        wrapper = self.in_mount(f"mount -t tmpfs -o size=64k tmpfs {self.work.state}; mkdir -p -m 700 {self.work.state}/alca/projects; "
                                f"dd if=/dev/zero of={self.work.state}/fill bs=4k 2>/dev/null || true")  # fmt: skip
        self.assert_up_fails(self.work.state, "No space left on device", wrapper=wrapper)

    @AS_ROOT
    def test_state_of_another_user_is_refused(self) -> None:
        os.mkdir(f"{self.work.state}/alca", 0o700)
        os.chown(f"{self.work.state}/alca", 12345, 12345)
        self.assert_up_fails(f"{self.work.state}/alca", "another user")

    def test_state_that_others_can_write_is_refused(self) -> None:
        os.mkdir(f"{self.work.state}/alca")
        os.chmod(f"{self.work.state}/alca", 0o777)
        self.assert_up_fails("chmod 700")

    def test_no_place_for_state(self) -> None:
        self.assert_up_fails("XDG_STATE_HOME", env={"HOME": None, "XDG_STATE_HOME": None})

    def test_alca_directory_that_is_a_link_is_refused_and_not_followed(self) -> None:
        os.symlink(self.work.home, f"{self.work.project}/.alca")
        self.assert_up_fails(f"{self.work.project}/.alca", "remove it")
        self.assertEqual(os.listdir(self.work.home), [])

    def test_alca_directory_that_is_a_file_is_refused(self) -> None:
        with open(f"{self.work.project}/.alca", "w", encoding="ascii") as file:
            file.write("kept")
        self.assert_up_fails(f"{self.work.project}/.alca", "remove it")
        with open(f"{self.work.project}/.alca", encoding="ascii") as file:
            self.assertEqual(file.read(), "kept")

    def test_project_path_that_is_not_utf8_is_refused(self) -> None:
        directory = os.fsencode(self.work.root) + b"/caf\xe9"
        os.mkdir(directory)
        with open(directory + b"/.alca.toml", "w", encoding="ascii") as file:
            file.write(CONFIG)
        outcome = self.work.run("up", cwd=os.fsdecode(directory))
        self.assert_outcome(outcome, 1)
        self.assertIn("not UTF-8", outcome.err)

    def test_directory_that_is_gone(self) -> None:
        gone = os.path.join(self.work.root, "gone")
        os.mkdir(gone)
        outcome = self.work.run("up", wrapper=("sh", "-c", f'rmdir {gone}; exec "$@"', "sh"), cwd=gone)
        self.assert_outcome(outcome, 1)
        self.assertIn("directory", outcome.err)

    def test_failed_up_on_an_engine_without_the_image_leaves_no_sandbox(self) -> None:
        outcome = self.work.run("up")
        self.assert_outcome(outcome, 1)
        self.assertIn("alca-test-busybox", outcome.err)
        self.assertNotIn("Environment ready", outcome.out)
        state = [os.path.join(path, name) for path, _, names in os.walk(self.work.state) for name in names]
        for path in state:
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode) & 0o022, 0, path)
        # Nothing to take down: `down` needs no engine for that.
        self.assert_outcome(self.work.run("down", env={"DOCKER_HOST": "unix:///nowhere.sock"}), 0, err="")


if __name__ == "__main__":
    program.main()
