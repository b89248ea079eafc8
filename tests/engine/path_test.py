"""Projects in directories with names that break other tools."""

import os

from sandbox import SandboxTest, program, require_engine

NAMES = {
    "spaces": "a b  c ",
    "single quote": "it's",
    "double quote": 'say "x"',
    "shell": "$(touch /tmp/alca-test-pwned);`id`&|<>",
    "newline": "two\nlines",
    "tab": "a\tb",
    "backslash": "back\\slash",
    "colon": "a:b:ro",
    "comma": "a,readonly",
    "leading dash": "-rf",
    "percent and braces": "%s{}${HOME}",
    "unicode": "ü漢😀",
    "255 bytes": "x" * 255,
}


def setUpModule() -> None:
    require_engine()


class PathTest(SandboxTest):
    def test_project_path_may_hold_anything(self) -> None:
        for what, name in NAMES.items():
            with self.subTest(what=what):
                self.assert_works(os.path.join(self.work.root, name))

    def test_project_path_may_be_long(self) -> None:
        self.assert_works(os.path.join(self.work.root, "y" * 120, "z" * 120, "w" * 60))

    def assert_works(self, directory: str) -> None:
        os.makedirs(os.path.join(directory, "below"))
        with open(os.path.join(directory, ".alca.toml"), "w", encoding="ascii") as file:
            file.write('image = "alca-test-busybox"\n')
        before, self.work.project = self.work.project, directory
        try:
            self.up()
            self.assertEqual(self.inspect()["Config"]["Labels"]["alca.project.path"], directory)
            self.assertEqual(self.output("pwd", cwd=os.path.join(directory, "below")), "/workspace/below\n")
            self.output("touch", "made")
            self.assertTrue(os.path.exists(os.path.join(directory, "made")))
            self.assertTrue(self.status()["isolation"]["intact"])
            self.assert_outcome(self.work.run("down"), 0)
            self.assertEqual(self.containers(), [])
            self.assertFalse(os.path.exists("/tmp/alca-test-pwned"))
        finally:
            self.remove_all()
            for path in self.state_files:
                os.unlink(path)
            self.work.project = before


if __name__ == "__main__":
    program.main()
