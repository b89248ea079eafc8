"""`alca init`: what it writes, and what it never touches."""

import os
import tomllib

import program


class InitTest(program.AlcaTest):
    def path(self, name: str) -> str:
        return os.path.join(self.work.project, name)

    def read(self, name: str) -> str:
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def write(self, name: str, text: str) -> None:
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def test_image_is_written_into_a_new_configuration(self) -> None:
        outcome = self.work.run("init", "--image", "registry.test:5000/some/image:1.2@sha256:" + "a" * 64)
        self.assert_outcome(outcome, 0, err="")
        self.assert_expected("init_image.toml", self.read(".alca.toml"))
        self.assert_expected("init_gitignore.txt", self.read(".gitignore"))
        self.assert_expected("init_output.txt", outcome.out)
        self.assertEqual(os.stat(self.path(".alca.toml")).st_mode & 0o777, 0o644)

    def test_preset_of_an_agent_is_complete(self) -> None:
        self.assert_outcome(self.work.run("init", "--preset", "claude"), 0, err="")
        config = tomllib.loads(self.read(".alca.toml"))
        self.assertEqual(config["user"], "host")
        self.assertTrue(config["image"])
        self.assertIn("CLAUDE_CONFIG_DIR", config["envs"])
        self.assertTrue(any(isinstance(mount, dict) and "volume" in mount for mount in config["mounts"]), config["mounts"])
        self.assertIn(".alca/", self.read(".gitignore").splitlines())

    def test_preset_takes_another_image(self) -> None:
        self.assert_outcome(self.work.run("init", "--preset", "claude", "--image", "my-base"), 0, err="")
        self.assertEqual(tomllib.loads(self.read(".alca.toml"))["image"], "my-base")

    def test_unknown_preset_names_the_known_and_writes_nothing(self) -> None:
        outcome = self.work.run("init", "--preset", "cladue")
        self.assert_outcome(outcome, 1, out="")
        self.assertRegex(outcome.err, r"^alca: .*cladue.*claude")
        self.assertEqual(os.listdir(self.work.project), [])

    def test_without_a_choice_it_says_what_to_choose(self) -> None:
        outcome = self.work.run("init")
        self.assertIn("alca init --preset claude", outcome.err)
        self.assertNotEqual(outcome.code, 0)
        self.assertEqual(os.listdir(self.work.project), [])

    def test_existing_configuration_is_kept(self) -> None:
        self.write(".alca.toml", "image = 'mine'\n")
        outcome = self.work.run("init", "--image", "other")
        self.assert_outcome(outcome, 1, out="",
                            err=f"alca: configuration file already exists: {self.path('.alca.toml')}\n")  # fmt: skip
        self.assertEqual(self.read(".alca.toml"), "image = 'mine'\n")
        self.assertFalse(os.path.exists(self.path(".gitignore")))

    def test_dangling_link_at_the_place_of_the_configuration_is_not_followed(self) -> None:
        target = os.path.join(self.work.home, "made-through-the-link")
        os.symlink(target, self.path(".alca.toml"))
        outcome = self.work.run("init", "--image", "x")
        self.assert_outcome(outcome, 1, out="")
        self.assertIn("already exists", outcome.err)
        self.assertFalse(os.path.exists(target))
        self.assertEqual(os.readlink(self.path(".alca.toml")), target)

    def test_gitignore_without_final_newline_is_extended_by_what_is_missing(self) -> None:
        self.write(".gitignore", "node_modules\n  .alca/  \n*.log")
        self.assert_outcome(self.work.run("init", "--image", "x"), 0)
        self.assertEqual(self.read(".gitignore"), "node_modules\n  .alca/  \n*.log\n.alca.local.toml\n.alca.*.local.toml\n")

    def test_complete_gitignore_is_left_alone(self) -> None:
        text = ".alca.*.local.toml\r\n.alca.local.toml\r\n.alca/"
        with open(self.path(".gitignore"), "w", encoding="utf-8", newline="") as file:
            file.write(text)
        before = os.stat(self.path(".gitignore"))
        self.assert_outcome(self.work.run("init", "--image", "x"), 0)
        after = os.stat(self.path(".gitignore"))
        self.assertEqual((before.st_ino, before.st_mtime_ns), (after.st_ino, after.st_mtime_ns))

    def test_gitignore_that_is_a_link_brings_no_foreign_file_into_the_project(self) -> None:
        """An agent can leave such a link: what it points to must stay outside, and as it is."""
        secret = os.path.join(self.work.home, "secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("key\n")
        os.symlink(secret, self.path(".gitignore"))
        outcome = self.work.run("init", "--image", "x")
        self.assert_outcome(outcome, 1, out="")
        self.assertIn(self.path(".gitignore"), outcome.err)
        self.assertEqual(os.readlink(self.path(".gitignore")), secret)
        self.assertFalse(os.path.exists(self.path(".alca.toml")), "half an init")
        with open(secret, encoding="utf-8") as file:
            self.assertEqual(file.read(), "key\n")

    def test_names_that_are_no_image_are_refused(self) -> None:
        for name in ("x'y", "a b", "-x", "$(x)", "x\ny", "", "ü", "a" * 300):
            with self.subTest(name=name):
                outcome = self.work.run("init", "--image", name)
                self.assertNotEqual(outcome.code, 0)
                self.assertEqual(outcome.out, "")
                self.assert_error_text(outcome.err.splitlines()[0])
                self.assertEqual(os.listdir(self.work.project), [])


if __name__ == "__main__":
    program.main()
