"""What the sandbox is, seen from inside and in what the engine was told: exactly what was asked for."""

import json
import os
import stat
import shutil
import socket
import urllib.request

from sandbox import SandboxTest, processes, program, require_engine, test_program

DEFAULT_CAPABILITIES = "00000000000000eb"  # CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID
EPERM, ENOSYS = "1", "38"


def setUpModule() -> None:
    require_engine()


class PrivilegesTest(SandboxTest):
    def status_fields(self) -> dict[str, str]:
        lines = self.output("cat", "/proc/self/status").splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def test_capabilities_are_the_six_and_can_not_grow(self) -> None:
        self.up()
        fields = self.status_fields()
        for name in ("CapPrm", "CapEff", "CapBnd"):
            self.assertEqual(fields[name], DEFAULT_CAPABILITIES, name)
        for name in ("CapInh", "CapAmb"):
            self.assertEqual(int(fields[name], 16), 0, name)
        self.assertEqual((fields["NoNewPrivs"], fields["Seccomp"]), ("1", "2"))

    def test_asked_capabilities_are_added_after_approval(self) -> None:
        self.configure('caps = ["SYS_PTRACE"]\n')
        self.assert_outcome(self.work.run("up"), 1)
        self.up("--trust")
        self.assertEqual(int(self.status_fields()["CapBnd"], 16), int(DEFAULT_CAPABILITIES, 16) | 1 << 19)

    def test_a_user_has_no_capability_in_force(self) -> None:
        self.configure('user = "65534:65534"\n')
        self.up()
        self.assertEqual(int(self.status_fields()["CapEff"], 16), 0)

    def test_forbidden_sockets_are_refused_by_each_way_into_the_kernel(self) -> None:
        shutil.copy(test_program("sockets"), os.path.join(self.work.project, "sockets"))
        self.up()
        tried = [line.split() for line in self.output("./sockets").splitlines()]
        outcomes = {(way, family): error for way, family, error in tried}
        for (way, family), error in outcomes.items():
            if family not in ("inet", "unix"):
                self.assertIn(error, (EPERM, ENOSYS) if way in ("socketcall32", "x32") else (EPERM,), f"{way} {family}")
        for family in ("inet", "unix"):
            self.assertEqual(outcomes[("socket", family)], "0", "the filter lets nothing through")
        if os.uname().machine == "x86_64":
            self.assertIn(("socketcall32", "vsock"), outcomes)

    def test_what_opens_a_way_out_is_not_there(self) -> None:
        """SandboxEscapeBench in short: no engine socket, no host namespace, no device, no writable kernel setting."""
        self.up()
        self.assertEqual(self.output("sh", "-c", "ls /var/run/docker.sock /run/docker.sock /dev/kmsg /dev/mem 2>/dev/null; true"), "")
        for script in ("echo 1 > /proc/sys/kernel/core_pattern", "echo 1 > /proc/sys/net/ipv4/ip_forward", "mount -t tmpfs x /mnt",
                       "mknod /tmp/disk b 254 0", "unshare -Urn true", "nsenter -t 1 -n true", "chroot /proc/1/root true && mount -o remount,rw /proc/sys",
                       "echo x > /alca-init", "rm /alca-init", "mv /alca-init /x", "ip link set lo down", "nft flush ruleset"):  # fmt: skip
            with self.subTest(script=script):
                self.assertNotEqual(self.alca_run("sh", "-c", script).code, 0)
        host = self.inspect()["HostConfig"]
        self.assertFalse(host["Privileged"])
        for mode in ("PidMode", "UTSMode", "UsernsMode"):
            self.assertEqual(host[mode], "", mode)
        self.assertIn(host["IpcMode"], ("", "private"))
        self.assertEqual((host["Devices"] or [], host["VolumesFrom"] or []), ([], []))

    def test_setuid_programs_gain_nothing(self) -> None:
        self.configure('user = "65534:65534"\n[commands]\nup = "cp /bin/busybox /tmp/su; chmod 4755 /tmp/su; ln -s su /tmp/id"\n')
        self.up()
        self.assertIn("uid=65534", self.output("/tmp/id"))
        self.assertNotIn("euid=0", self.output("/tmp/id"))

    def test_kill_of_process_1_from_inside_does_nothing(self) -> None:
        self.up()
        self.alca_run("sh", "-c", "kill -9 1; kill -TERM 1")
        self.assertEqual(self.output("echo", "alive"), "alive\n")


class ResourcesTest(SandboxTest):
    def control_group(self, controller: str, name: str, unified: str) -> str:
        """A limit as it is inside, in version 1 or 2 of control groups."""
        return self.output("sh", "-c", f"cat /sys/fs/cgroup/{controller}/{name} 2>/dev/null || cat /sys/fs/cgroup/{unified}").strip()

    def test_limits_are_in_force_inside(self) -> None:
        self.configure('[resources]\nmemory = "64m"\ncpus = 0.5\npids = 50\n')
        self.up()
        self.assertEqual(self.control_group("memory", "memory.limit_in_bytes", "memory.max"), str(64 << 20))
        self.assertEqual(self.control_group("pids", "pids.max", "pids.max"), "50")
        quota = self.output("sh", "-c", "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us 2>/dev/null "
                            "|| cat /sys/fs/cgroup/cpu.max").split()  # fmt: skip
        self.assertEqual(int(quota[0]) / int(quota[1]), 0.5)

    def test_there_is_always_a_limit_of_processes(self) -> None:
        self.up()
        self.assertEqual(self.control_group("pids", "pids.max", "pids.max"), "4096")

    def test_sandbox_stays_usable_at_its_limits(self) -> None:
        self.configure('[resources]\nmemory = "64m"\npids = 50\n')
        self.up()
        self.alca_run("sh", "-c", "for i in $(seq 100); do sleep 5 & done; wait", timeout_s=60)
        hog = self.alca_run("sh", "-c", "head -c 500m /dev/zero | tail", timeout_s=60)
        self.assertNotEqual(hog.code, 0)
        self.assertEqual(self.output("echo", "alive"), "alive\n")


class UserTest(SandboxTest):
    def test_host_user_owns_what_it_makes(self) -> None:
        self.configure('user = "host"\n')
        os.chown(self.work.project, 1234, 1235)
        self.up()
        self.assertEqual(self.output("sh", "-c", "id -u; id -g; echo $HOME; whoami; touch made; cd; touch here").split(),
                         ["1234", "1235", "/home/agent", "agent"])  # fmt: skip
        made = os.stat(os.path.join(self.work.project, "made"))
        self.assertEqual((made.st_uid, made.st_gid), (1234, 1235))

    def test_named_and_numbered_users(self) -> None:
        for user, expected in (("nobody", "65534:65534"), ("12", "12:0"), ("12:13", "12:13")):
            self.configure(f'user = "{user}"\n')
            self.up("-f")
            self.assertEqual(self.output("sh", "-c", 'echo "$(id -u):$(id -g)"').strip(), expected, user)

    def test_user_that_is_not_in_the_image_is_told(self) -> None:
        self.configure('user = "nosuchuser"\n')
        outcome = self.work.run("up")
        if outcome.code == 0:
            outcome = self.alca_run("true")
            self.assertEqual(outcome.code, 125, outcome)
        self.assertIn("nosuchuser", outcome.err)


class EnvironmentTest(SandboxTest):
    SECRET = "s3cret-4711"

    def test_values_are_inside_and_nowhere_else(self) -> None:
        self.configure(f'[envs]\nTOKEN = "${{HOST_TOKEN}}"\nLITERAL = "{self.SECRET}-literal"\nPART = "a${{HOST_TOKEN}}b"\n'
                       'OTHER = "${ALCA_TEST_IS_NOT_SET:-default}"\n')  # fmt: skip
        process = self.work.start("up", "--trust", "-vv", env={"HOST_TOKEN": self.SECRET})
        lines: set[str] = set()
        while process.poll() is None:
            lines.update(line for _, line in processes())
        outcome = program.finish(process)
        self.assert_outcome(outcome, 0)
        self.assertEqual(self.inside("echo $TOKEN $LITERAL $PART $OTHER").split(),
                         [self.SECRET, f"{self.SECRET}-literal", f"a{self.SECRET}b", "default"])  # fmt: skip
        self.assertFalse([line for line in lines if self.SECRET in line])
        self.assertNotIn(self.SECRET, outcome.out + outcome.err)
        container = self.inspect()
        self.assertNotIn(self.SECRET, json.dumps([container["Config"]["Labels"], container["Args"], container["Config"]["Cmd"]]))
        for directory, _, names in os.walk(self.work.root):
            for name in names:
                if name == ".alca.toml" or stat.S_ISSOCK(os.lstat(os.path.join(directory, name)).st_mode):
                    continue
                with open(os.path.join(directory, name), "rb") as file:
                    self.assertNotIn(self.SECRET.encode(), file.read(), name)

    def test_values_of_each_run_stay_out_of_command_lines(self) -> None:
        self.configure('[envs]\nTOKEN = { value = "${HOST_TOKEN:-none}", override_on_enter = true }\n')
        self.up("--trust")
        process = self.work.start("run", "sh", "-c", "echo $TOKEN; sleep 1", env={"HOST_TOKEN": self.SECRET})
        self.assertEqual(process.stdout.readline().decode().strip(), self.SECRET)
        self.assertFalse([line for _, line in processes() if self.SECRET in line])
        program.finish(process)


class MountsAndPortsTest(SandboxTest):
    def test_project_is_writable_and_nothing_else_of_the_host_is_there(self) -> None:
        self.up()
        self.output("sh", "-c", "echo inside > file")
        with open(os.path.join(self.work.project, "file"), encoding="ascii") as file:
            self.assertEqual(file.read(), "inside\n")
        for line in self.output("cat", "/proc/self/mountinfo").splitlines():
            root, target = line.split()[3:5]
            if target == "/alca-run":
                self.assertEqual(os.listdir(root), ["init.sock"], "a directory of the sandbox's own")
            elif target not in ("/workspace", "/alca-init", "/etc/resolv.conf", "/etc/hosts", "/etc/hostname"):
                self.assertNotIn(self.work.root, root, line)

    def test_read_only_mount_stays_read_only_for_root(self) -> None:
        data = os.path.join(self.work.root, "data")
        os.mkdir(data)
        self.configure(f'mounts = ["{data}:/data:ro"]\n')
        self.up("--trust")
        for script in ("touch /data/x", "mount -o remount,rw /data", "mount --bind /data /mnt", "touch /proc/1/root/data/x"):
            self.assertNotEqual(self.alca_run("sh", "-c", script).code, 0, script)
        self.assertEqual(os.listdir(data), [])

    def test_missing_source_is_an_error_and_is_not_made(self) -> None:
        missing = os.path.join(self.work.root, "missing")
        self.configure(f'mounts = ["{missing}:/data"]\n')
        outcome = self.work.run("up", "--trust")
        self.assert_outcome(outcome, 1)
        self.assertIn(missing, outcome.err)
        self.assertFalse(os.path.lexists(missing))
        self.assert_all_gone()

    def test_volume_outlives_a_rebuild(self) -> None:
        self.configure('user = "host"\nmounts = [{ volume = "cache", target = "/cache" }]\n')
        os.chown(self.work.project, 1234, 1235)
        self.up()
        self.addCleanup(self.docker, "volume", "rm", "-f", f"{self.name}-cache")
        self.addCleanup(self.remove_all)
        self.output("sh", "-c", "echo kept > /cache/file")
        self.work.run("down")
        self.up()
        self.assertEqual(self.output("cat", "/cache/file"), "kept\n")

    def test_ports_are_open_on_loopback_only(self) -> None:
        port = free_port()
        self.configure(f'[network]\nports = ["{port}:8000"]\n')
        with open(os.path.join(self.work.project, "page"), "w", encoding="ascii") as file:
            file.write("served")
        self.up("--trust")
        self.output("httpd", "-p", "8000", "-h", "/workspace")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/page", timeout=5) as answer:
            self.assertEqual(answer.read(), b"served")
        bindings = self.inspect()["NetworkSettings"]["Ports"]["8000/tcp"]
        self.assertEqual(bindings, [{"HostIp": "127.0.0.1", "HostPort": str(port)}])

    def test_port_that_is_taken_is_told_and_leaves_nothing(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.configure(f'[network]\nports = ["{port}:80"]\n')
            outcome = self.work.run("up", "--trust")
        self.assert_outcome(outcome, 1)
        self.assertIn(str(port), outcome.err)
        self.assert_all_gone()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    program.main()
