"""The sample plugin, built by a third party's means and installed apart, is found, listed and chosen by alca itself.

It isolates nothing: alca must refuse it, and take it with --allow-unprotected only.
"""

import json
import os
import subprocess
import sys

import program

BUILD = os.environ["ALCA_BUILD"]
TEMPLATE = os.path.join(program.REPOSITORY, "sdk", "templates", "plugin-cpp")


def build_sample(directory: str) -> str:
    """With the installed SDK only. Returns the plugin directory."""
    sdk, build, installed = (os.path.join(directory, name) for name in ("sdk", "build", "installed"))
    for command in (
        ("cmake", "--install", BUILD, "--prefix", sdk, "--component", "sdk"),
        ("cmake", "-S", TEMPLATE, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={sdk}"),
        ("cmake", "--build", build),
        ("cmake", "--install", build, "--prefix", installed),
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return os.path.join(installed, "lib", "alca", "plugins")


class SampleRuntimeTest(program.AlcaTest):
    def setUp(self) -> None:
        super().setUp()
        self.sandboxes = os.path.join(self.work.root, "sandboxes")
        os.mkdir(self.sandboxes)
        plugins = build_sample(self.work.root)
        self.env = {"ALCA_PLUGIN_PATH": plugins, "ALCA_SAMPLE_DIR": self.sandboxes}
        # Its commands run on the host: the project is where it is.
        self.work.configure(f'image = "none"\nruntime = "sample"\nworkdir = "{self.work.project}"\n')

    def alca(self, *arguments: str, code: int = 0) -> program.Outcome:
        outcome = self.work.run(*arguments, env=self.env)
        self.assert_outcome(outcome, code)
        return outcome

    def test_is_listed_refused_without_isolation_and_runs_when_that_is_asked_for(self) -> None:
        rows = {row["id"]: row for row in json.loads(self.alca("plugins", "list", "--json").out)["plugins"]}
        self.assertEqual(rows["sample"]["state"], "ok")

        refused = self.alca("up", code=1)
        self.assertIn("no isolation: commands run on this host as you", refused.err)
        self.assertEqual(os.listdir(self.sandboxes), [])

        self.assertIn("UNPROTECTED", self.alca("up", "--allow-unprotected").err)
        self.addCleanup(self.work.run, "down", env=self.env)
        self.assertEqual(json.loads(self.alca("status", "--json", code=1).out)["runtime"], "sample")
        self.assertEqual(self.alca("run", "sh", "-c", "echo here > made; pwd").out, self.work.project + "\n")
        self.assertTrue(os.path.exists(os.path.join(self.work.project, "made")))
        self.alca("run", "sh", "-c", "exit 7", code=7)
        self.alca("down")
        self.assertEqual(os.listdir(self.sandboxes), [])


if __name__ == "__main__":
    sys.exit(program.main())
