"""The plugins as a user sees them: found, judged without running them, and contained when they do wrong."""

import json
import os
import shutil
import tempfile
import unittest

import program

BAD_PLUGIN = os.path.join(os.environ.get("ALCA_TEST_PROGRAMS", ""), "bad_plugin.so")
OURS = {"agent-presets", "firewall-nft", "runtime-docker"}


class PluginsTest(program.AlcaTest):
    """Each test has a copy of the program, whose plugin directory it may change."""

    def setUp(self) -> None:
        tree = self.enterContext(tempfile.TemporaryDirectory(prefix="alca-test-tree-"))
        os.chmod(tree, 0o755)
        self.work = self.make_workspace(prefix=program.copy_tree(tree))
        self.directory = os.path.join(tree, "lib", "alca", "plugins")

    def path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def change_manifest(self, plugin: str, **values: object) -> None:
        with open(self.path(f"{plugin}.alca.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        with open(self.path(f"{plugin}.alca.json"), "w", encoding="utf-8") as file:
            json.dump(manifest | values, file)

    def install_bad_plugin(self) -> None:
        if not os.path.exists(BAD_PLUGIN):
            raise unittest.SkipTest(f"not built: {BAD_PLUGIN}")
        shutil.copy(BAD_PLUGIN, self.path("agent-presets.so"))
        self.change_manifest("agent-presets", version="1.0.0", provides=["alca.presets/1"])

    def listed(self, **options: object) -> dict[str, dict[str, object]]:
        outcome = self.work.run("plugins", "list", "--json", **options)
        self.assert_outcome(outcome, 0, err="")
        return {plugin["id"]: plugin for plugin in json.loads(outcome.out)["plugins"]}

    def assert_state(self, plugin: str, state: str, reason: str) -> None:
        """As list and info tell it; the others stay ok."""
        listed = self.listed()
        self.assertEqual(listed[plugin]["state"], state, listed[plugin])
        self.assertRegex(str(listed[plugin]["reason"]), reason)
        self.assertEqual({name for name in listed if listed[name]["state"] == "ok"}, OURS - {plugin})
        text = self.work.run("plugins", "list").out
        self.assertRegex(text, rf"(?m)^{plugin} .*{state} .*\n  \S")
        info = self.work.run("plugins", "info", plugin)
        self.assertIn(f"State: {state}\nReason: ", info.out)

    def test_the_installed_plugins_are_ok(self) -> None:
        listed = self.listed()
        self.assertEqual(set(listed), OURS)
        for plugin in listed.values():
            self.assertEqual(set(plugin), {"id", "version", "provides", "summary", "manifest", "library", "state", "reason"})
            self.assertEqual((plugin["state"], plugin["reason"]), ("ok", ""))
        self.assertEqual(listed["runtime-docker"]["provides"], ["alca.runtime/1"])
        self.assertEqual(listed["runtime-docker"]["library"], self.path("runtime-docker.so"))

    def test_info_shows_one(self) -> None:
        facts = json.loads(self.work.run("plugins", "info", "firewall-nft", "--json").out)
        self.assertEqual(facts, self.listed()["firewall-nft"])
        text = self.work.run("plugins", "info", "firewall-nft")
        self.assert_outcome(text, 0, err="")
        for line in ("ID: firewall-nft", "Provides: alca.firewall/1", "State: ok", f"Library: {self.path('firewall-nft.so')}"):
            self.assertIn(f"{line}\n", text.out)

    def test_info_of_a_plugin_that_is_not_there(self) -> None:
        self.assert_outcome(self.work.run("plugins", "info", "nope"), 1, out="",
                            err="alca: no plugin nope is installed; see: alca plugins list\n")  # fmt: skip

    def test_world_writable_library_is_not_trusted(self) -> None:
        os.chmod(self.path("firewall-nft.so"), 0o666)
        self.assert_state("firewall-nft", "not trusted", rf"{self.path('firewall-nft.so')} is writable by .*chmod go-w")

    def test_group_writable_manifest_is_not_trusted(self) -> None:
        os.chmod(self.path("firewall-nft.alca.json"), 0o664)
        self.assert_state("firewall-nft", "not trusted", "is writable by")

    def test_world_writable_directory_makes_all_untrusted(self) -> None:
        os.chmod(self.directory, 0o777)
        self.assertEqual({plugin["state"] for plugin in self.listed().values()}, {"not trusted"})

    @unittest.skipUnless(os.geteuid() == 0, "needs root to give a file away")
    def test_library_of_another_user_is_not_trusted(self) -> None:
        os.chown(self.path("firewall-nft.so"), 12345, 12345)
        self.assert_state("firewall-nft", "not trusted", "12345")

    def test_other_abi_is_named(self) -> None:
        self.change_manifest("firewall-nft", abi=2)
        self.assert_state("firewall-nft", "wrong ABI", "ABI 2.*ABI 1")

    def test_truncated_library_is_broken(self) -> None:
        for size in (0, 30, 4096, os.path.getsize(self.path("firewall-nft.so")) // 2):
            os.truncate(self.path("firewall-nft.so"), size)
            self.assert_state("firewall-nft", "broken", "truncated|not a shared library")

    def test_broken_manifests(self) -> None:
        for text in ("", "{", "[]", '{"manifest": 1}', "\xff"):
            with open(self.path("firewall-nft.alca.json"), "w", encoding="latin-1") as file:
                file.write(text)
            self.assert_state("firewall-nft", "broken", "firewall-nft.alca.json")

    def test_manifest_may_not_name_a_library_elsewhere(self) -> None:
        for library in ("../plugins/firewall-nft.so", "/etc/x.so", self.path("firewall-nft.so")):
            self.change_manifest("firewall-nft", library=library)
            self.assert_state("firewall-nft", "broken", "bare name")

    def test_missing_library_is_broken(self) -> None:
        os.unlink(self.path("firewall-nft.so"))
        self.assert_state("firewall-nft", "broken", "No such file")

    def test_first_directory_wins_and_shadows(self) -> None:
        mine = os.path.join(self.work.home, "plugins")
        shutil.copytree(self.directory, mine)
        outcome = self.work.run("plugins", "list", "--json", env={"ALCA_PLUGIN_PATH": mine})
        plugins = [plugin for plugin in json.loads(outcome.out)["plugins"] if plugin["id"] == "firewall-nft"]
        self.assertEqual({plugin["manifest"]: plugin["state"] for plugin in plugins},
                         {f"{mine}/firewall-nft.alca.json": "ok", self.path("firewall-nft.alca.json"): "shadowed"})  # fmt: skip
        self.assertIn(mine, next(plugin["reason"] for plugin in plugins if plugin["state"] == "shadowed"))

    def test_relative_directories_are_ignored_and_told(self) -> None:
        shutil.copytree(self.directory, os.path.join(self.work.project, "lib", "alca", "plugins"))
        os.rename(f"{self.work.project}/lib/alca/plugins/firewall-nft.alca.json", f"{self.work.project}/lib/alca/plugins/other.alca.json")
        variables = {"ALCA_PLUGIN_PATH": "lib/alca/plugins:.", "XDG_DATA_HOME": "lib"}
        self.assertEqual(set(self.listed(env=variables)), OURS)
        text = self.work.run("plugins", "list", env=variables).out
        self.assertIn("ignored: ALCA_PLUGIN_PATH: lib/alca/plugins is not an absolute path\n", text)

    @unittest.skipUnless(os.geteuid() == 0, "a user has a plugin directory of his own")
    def test_root_has_no_plugins_in_a_home(self) -> None:
        for place in (f"{self.work.home}/.local/share/alca/plugins", f"{self.work.home}/data/alca/plugins"):
            shutil.copytree(self.directory, place)
            os.rename(f"{place}/firewall-nft.alca.json", f"{place}/other.alca.json")
        self.assertEqual(set(self.listed()), OURS)
        self.assertEqual(set(self.listed(env={"XDG_DATA_HOME": f"{self.work.home}/data"})), OURS)

    def test_a_plugin_inside_of_the_project_is_not_trusted(self) -> None:
        """The agent could have put it there."""
        tree = program.copy_tree(os.path.join(self.work.project, "tree"))
        self.work.configure('image = "x"\n')
        self.work.prefix = tree
        for plugin in self.listed().values():
            self.assertEqual(plugin["state"], "not trusted", plugin)
            self.assertIn("project", str(plugin["reason"]))

    def test_untrusted_plugin_is_not_used(self) -> None:
        os.chmod(self.path("runtime-docker.so"), 0o666)
        self.work.configure('image = "x"\nruntime = "docker"\n')
        outcome = self.work.run("up")
        self.assert_outcome(outcome, 1)
        self.assertRegex(outcome.err, "not trusted.*runtime-docker.so is writable")
        self.assert_nothing_left()
        doctor = self.work.run("doctor", "--json")
        self.assert_outcome(doctor, 1)
        self.assertIn("runtime-docker", doctor.out)

    def test_list_runs_no_code_of_a_plugin(self) -> None:
        self.install_bad_plugin()
        trace = os.path.join(self.work.root, "trace")
        for command in (("list",), ("list", "--json"), ("info", "agent-presets")):
            self.assert_outcome(self.work.run("plugins", *command, env={"ALCA_TEST_TRACE": trace}), 0)
            self.assertFalse(os.path.exists(trace))
        # The trace would be there: using the plugin leaves it.
        self.work.run("init", "--preset", "x", env={"ALCA_TEST_TRACE": trace})
        self.assertTrue(os.path.exists(trace))

    def use_bad_plugin(self, mode: str) -> program.Outcome:
        self.install_bad_plugin()
        outcome = self.work.run("init", "--preset", "x", env={"ALCA_TEST_PLUGIN": mode})
        self.assertEqual(os.listdir(self.work.project), [])
        return outcome

    def test_message_of_a_plugin_is_shown_without_its_escape_sequences(self) -> None:
        outcome = self.use_bad_plugin("")
        self.assert_outcome(outcome, 1, out="")
        self.assertRegex(outcome.err, r"^alca: refused .*on purpose\n$")
        self.assertNotIn("\x1b", outcome.err)

    def test_exception_out_of_a_plugin_ends_with_its_name(self) -> None:
        outcome = self.use_bad_plugin("throw")
        self.assertNotIn(outcome.code, (0, 1, 2))
        self.assertIn("crashed inside plugin agent-presets", outcome.err)

    def test_crash_in_a_plugin_ends_with_its_name(self) -> None:
        outcome = self.use_bad_plugin("crash")
        self.assertEqual(outcome.code, -11)
        self.assertEqual(outcome.err.splitlines()[-1],
                         "alca: crashed inside plugin agent-presets (SIGSEGV); run the command again, it repairs what was left half made")  # fmt: skip

    def test_a_plugin_that_prints_changes_neither_message_nor_exit_code(self) -> None:
        outcome = self.use_bad_plugin("print")
        self.assertEqual(outcome.code, 1)
        self.assertRegex(outcome.err, r"alca: refused .*on purpose\n$")

    def test_descriptor_that_differs_from_the_manifest_is_refused(self) -> None:
        self.install_bad_plugin()
        self.change_manifest("agent-presets", version="1.0.1")
        outcome = self.work.run("init", "--preset", "x")
        self.assert_outcome(outcome, 1, out="")
        self.assertRegex(outcome.err, r"agent-presets.*1\.0\.[01].*1\.0\.[01]")


if __name__ == "__main__":
    program.main()
