"""What others do to a sandbox behind our back: noticed, told, and never made worse by taking what is not ours."""

import json
import os
import shutil
import signal
import tempfile

from sandbox import IMAGE, SandboxTest, program, require_engine

# An alca-init in shell that answers as the real one does, and a lie that sed puts into its answer.
FAKE_INIT = r"""#!/bin/sh
case $1 in
init) trap 'exit 0' TERM; while :; do sleep 0.1; done ;;
stub) cat > /dev/null; exit 0 ;;
esac
shift
%(before)s
{
    for field in Uid Gid CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp; do
        sed -n "s/^$field:[ \t]*/status $field /p" /proc/self/status
    done
    sed 's/^/mount /' /proc/self/mountinfo
    printf 'interface lo 4 127.0.0.1/8\ninterface eth0 4 172.30.0.2/28\n'
    echo 'inet6-disabled 1'
    for family in VSOCK PACKET XDP; do echo "socket AF_$family EPERM"; done
    for word; do [ "$word" = --probe ] || echo "probe $word EHOSTUNREACH"; done
} | sed '%(lie)s'
"""
LIES = {
    "setuid programs gain privileges": "s/NoNewPrivs 1/NoNewPrivs 0/",
    "no system call filter": "s/Seccomp 2/Seccomp 0/",
    "more capabilities": "s/CapBnd 0*eb/CapBnd 00000000000000ff/",
    "a field is missing": "/CapEff/d",
    "vsock is open": "s/AF_VSOCK EPERM/AF_VSOCK ok/",
    "packet sockets are not known": "/AF_PACKET/d",
    "the gateway answers": "s/EHOSTUNREACH/answered/",
    "the gateway refuses by itself": "s/EHOSTUNREACH/ECONNREFUSED/",
    "the gateway is silent": "s/EHOSTUNREACH/timeout/",
    "the gateway was not probed": "/^probe/d",
    "a mount is missing": "/ .workspace /d",
    "a mount nobody asked for": r"$a\mount 900 178 254:0 / /host rw,relatime - ext4 /dev/vda rw",
    "helper is writable": "s/ro,relatime - ext4/rw,relatime - ext4/",
    "a second network": r"$a\interface eth1 4 10.1.1.1/24",
    "IPv6 that nobody asked for": r"$a\interface eth0 6 2001:db8::1/64",
    "nonsense": r"$a\bogus line",
    "nothing": "d",
}


def setUpModule() -> None:
    require_engine()


class LyingHelperTest(SandboxTest):
    """A tampered copy of the program's own helper: `up` judges what it says and ends the sandbox."""

    def install(self, lie: str, before: str = "") -> None:
        tree = program.copy_tree(tempfile.mkdtemp(prefix="tree-", dir=self.work.root))
        with open(os.path.join(tree, "libexec", "alca", "alca-init"), "w", encoding="utf-8") as file:
            file.write(FAKE_INIT % {"lie": lie, "before": before})
        self.work.prefix = tree

    def test_the_same_helper_without_a_lie_is_believed(self) -> None:
        self.install("")
        self.up()

    def test_each_lie_ends_the_sandbox(self) -> None:
        for what, lie in LIES.items():
            with self.subTest(what=what):
                self.install(lie)
                outcome = self.work.run("up", "-q")
                self.assert_outcome(outcome, 1, out="")
                self.assert_error_text(outcome.err)
                self.assert_all_gone()
            self.remove_all()

    def test_helper_that_fails_ends_the_sandbox(self) -> None:
        for before in ("exit 1", "echo partly; exit 3", "kill -9 $$"):
            with self.subTest(before=before):
                self.install("", before)
                self.assert_outcome(self.work.run("up", "-q", timeout_s=60), 1, out="")
                self.assert_all_gone()

    def test_helper_that_hangs_can_be_interrupted(self) -> None:
        self.install("", "sleep 1000")
        process = self.work.start("up")
        while b"Verifying" not in (line := process.stdout.readline()):
            self.assertTrue(line)
        process.send_signal(signal.SIGINT)
        self.assertEqual(program.finish(process, 30).code, 130)
        self.assert_all_gone()

    def test_missing_helper_is_told(self) -> None:
        self.install("")
        os.unlink(os.path.join(self.work.prefix, "libexec", "alca", "alca-init"))
        outcome = self.work.run("up")
        self.assert_outcome(outcome, 1)
        self.assertIn("install it again", outcome.err)
        self.assert_all_gone()

    def test_missing_firewall_plugin_starts_nothing(self) -> None:
        self.install("")
        os.unlink(os.path.join(self.work.prefix, "lib", "alca", "plugins", "firewall-nft.alca.json"))
        outcome = self.work.run("up")
        self.assert_outcome(outcome, 1)
        self.assertIn("no firewall plugin is installed", outcome.err)
        self.assertIn("nothing was started", outcome.err)
        self.assert_all_gone()


class OutsideTest(SandboxTest):
    def test_container_that_was_removed_is_made_anew(self) -> None:
        self.up()
        self.docker("rm", "-f", self.name)
        self.assertEqual(self.status()["container"]["state"], "absent")
        self.assert_outcome(self.alca_run("true"), 125, out="", err="alca: container is not running: run 'alca up' first\n")
        self.up()
        self.assertTrue(self.status()["isolation"]["intact"])
        self.docker("rm", "-f", self.name)
        self.assert_outcome(self.work.run("down"), 0)
        self.assert_all_gone()

    def test_container_and_network_that_were_removed(self) -> None:
        self.up()
        self.docker("rm", "-f", self.name)
        self.docker("network", "rm", self.name)
        self.up()
        self.assertTrue(self.status()["isolation"]["intact"])

    def test_container_that_was_stopped_is_started(self) -> None:
        self.up()
        container = self.inspect()["Id"]
        self.docker("kill", self.name)
        self.assert_outcome(self.alca_run("true"), 125, out="")
        self.up()
        self.assertEqual(self.inspect()["Id"], container)
        self.assertTrue(self.status()["isolation"]["intact"])

    def test_paused_container_is_told_and_can_be_removed(self) -> None:
        self.up()
        self.docker("pause", self.name)
        self.assertEqual(self.status()["container"]["state"], "paused")
        outcome = self.alca_run("true", timeout_s=20)
        self.assert_outcome(outcome, 125, out="")
        self.assert_outcome(self.work.run("down", timeout_s=20), 0)
        self.assert_all_gone()

    def take_our_name(self, *labels: str) -> str:
        """Puts another container in the place of ours. Returns its id."""
        self.docker("rm", "-f", self.name)
        options = [word for label in labels for word in ("--label", label)]
        other = self.docker("run", "-d", "--name", self.name, *options, IMAGE, "sleep", "100000").strip()
        self.addCleanup(self.docker, "rm", "-fv", other)
        return other

    def assert_untouched(self, other: str) -> None:
        for command, code in ((("up",), 1), (("up", "-f"), 1), (("run", "true"), 125), (("down",), 1), (("status",), 1)):
            with self.subTest(command=command):
                outcome = self.work.run(*command)
                self.assertEqual(outcome.code, code, outcome)
                self.assertIn(self.name, outcome.err)
                details = self.inspect(other)
                self.assertTrue(details["State"]["Running"])
        self.assertEqual(self.docker("top", other).count("\n"), 2, "something ran in it")

    def test_container_of_our_name_without_our_label_is_not_touched(self) -> None:
        self.up()
        self.assert_untouched(self.take_our_name())

    def test_container_with_label_of_another_project_is_not_touched(self) -> None:
        self.up()
        self.assert_untouched(self.take_our_name("alca.project.id=11111111-1111-4111-8111-111111111111", f"alca.project.path={self.work.project}x"))

    def test_container_with_our_labels_but_not_made_by_us_is_not_used(self) -> None:
        """Labels can be copied: the id decides."""
        self.up()
        other = self.take_our_name(f"alca.project.id={self.state()['project_id']}", f"alca.project.path={self.work.project}")
        outcome = self.alca_run("true")
        self.assert_outcome(outcome, 125, out="")
        self.assertEqual(self.docker("top", other).count("\n"), 2, "something ran in it")

    def test_second_network_is_noticed(self) -> None:
        self.up()
        network = f"{self.name}-second"
        self.docker("network", "create", network)
        self.addCleanup(self.docker, "network", "rm", network)
        self.addCleanup(self.remove_all)
        self.docker("network", "connect", network, self.name)
        isolation = self.status(code=1)["isolation"]
        self.assertFalse(isolation["intact"])
        self.assertIn("joined to another network than its own", isolation["problems"])
        self.assertIn("NOT INTACT", self.work.run("status").out)
        outcome = self.alca_run("echo", "ran")
        self.assert_outcome(outcome, 125, out="")
        self.assertIn("alca status", outcome.err)
        self.assert_outcome(self.work.run("up"), 1)
        self.docker("network", "disconnect", network, self.name)
        self.assertEqual(self.output("echo", "ran"), "ran\n")

    def test_container_replaced_on_the_default_network_is_noticed(self) -> None:
        self.up()
        self.docker("network", "connect", "bridge", self.name)
        self.docker("network", "disconnect", self.name, self.name)
        self.assertFalse(self.status(code=1)["isolation"]["intact"])
        self.assert_outcome(self.alca_run("true"), 125, out="")

    def test_state_that_was_edited_by_hand_is_not_guessed_about(self) -> None:
        self.up()
        (path,) = self.state_files
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for broken in ("", "{", "[]", text.replace('"schema', '"x_schema'), text[: len(text) // 2], text.replace(self.name, "other-name")):
            with self.subTest(broken=broken[:20]):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(broken)
                outcome = self.work.run("up")
                self.assertEqual(outcome.code, 1, outcome)
                self.assert_error_text(outcome.err)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.up()

    def test_copy_of_the_state_in_the_project_is_never_believed(self) -> None:
        self.up()
        path = os.path.join(self.work.project, ".alca", "state.json")
        with open(path, encoding="utf-8") as file:
            copy = json.load(file)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(copy | {"project_id": "11111111-1111-4111-8111-111111111111", "container_name": "other", "runtime": "x"}, file)
        self.assertEqual(self.output("echo", "works"), "works\n")
        self.assertEqual(self.status()["project_id"], copy["project_id"])
        shutil.rmtree(os.path.join(self.work.project, ".alca"))
        os.symlink(self.work.home, os.path.join(self.work.project, ".alca"))
        outcome = self.work.run("up")
        self.assert_outcome(outcome, 1)
        self.assertEqual(os.listdir(self.work.home), [])
        self.assert_outcome(self.work.run("down"), 0)

    def test_project_that_was_moved_is_told(self) -> None:
        self.up()
        moved, before = f"{self.work.project}-moved", self.work.project
        os.rename(before, moved)
        for command, code in ((("up",), 1), (("run", "true"), 125)):
            outcome = self.work.run(*command, cwd=moved)
            self.assertEqual(outcome.code, code, outcome)
            if command == ("up",):
                self.assertIn("project path mismatch", outcome.err)
        os.rename(moved, before)
        self.assertEqual(self.output("echo", "works"), "works\n")

    def test_copied_project_gets_a_sandbox_of_its_own(self) -> None:
        self.up()
        first = self.name
        copy, before = f"{self.work.project}-copy", self.work.project
        shutil.copytree(before, copy)
        try:
            self.work.project = copy
            self.up()
            self.assertNotEqual(self.status()["container"]["name"], first)
            self.assert_outcome(self.work.run("down"), 0)
        finally:
            self.work.project = before
        self.assertEqual(self.output("echo", "works"), "works\n")


if __name__ == "__main__":
    program.main()
