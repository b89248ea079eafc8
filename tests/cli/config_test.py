"""A configuration that is wrong is an error with its place, and nothing is done."""

import os

import program

# What is in the file -> what is said, without the path in front. Placed as LINE:COLUMN.
MISTAKES = {
    "unknown_key": 'image = "x"\nimmage = "y"\n',
    "unknown_key_in_table": 'image = "x"\n[resources]\nmemry = "1g"\n',
    "key_in_the_wrong_table": 'image = "x"\nmemory = "1g"\n',
    "several": 'imagee = "x"\n\n[network]\nport = ["80"]\n',
    "missing_image": 'workdir = "/w"\n',
    "empty_image": 'image = ""\n',
    "wrong_type": 'image = 7\n',
    "wrong_type_in_array": 'image = "x"\nmounts = ["a:/a", 3]\n',
    "not_toml": 'image = "x\n',
    "key_twice": 'image = "x"\nimage = "y"\n',
    "relative_workdir": 'image = "x"\nworkdir = "w"\n',
    "bad_memory": 'image = "x"\n[resources]\nmemory = "much"\n',
    "bad_cpus": 'image = "x"\n[resources]\ncpus = -1\n',
    "bad_pids": 'image = "x"\n[resources]\npids = 0\n',
    "bad_mount": 'image = "x"\nmounts = ["a:/b:rw:z"]\n',
    "mount_on_workdir": 'image = "x"\nmounts = [".:/workspace"]\n',
    "bad_port": 'image = "x"\n[network]\nports = ["99999"]\n',
    "bad_port_address": 'image = "x"\n[network]\nports = ["nowhere:80:80"]\n',
    "unknown_capability": 'image = "x"\ncaps = ["SYS_ADMN"]\n',
    "bad_user": 'image = "x"\nuser = "a b"\n',
    "bad_env_name": 'image = "x"\n[envs]\n"A=B" = "c"\n',
    "unset_env_in_mount": 'image = "x"\nmounts = ["$ALCA_TEST_IS_NOT_SET:/a"]\n',
    # Keys whose effect a later version brings are never ignored.
    "later_extends": 'image = "x"\nextends = ["a.toml"]\n',
    "later_includes": 'image = "x"\nincludes = ["./a.toml"]\n',
    "later_workdir_exclude": 'image = "x"\nworkdir_exclude = [".env"]\n',
    "later_mount_exclude": 'image = "x"\n[[mounts]]\nsource = "."\ntarget = "/a"\nexclude = ["b"]\n',
    "bad_lan_access": 'image = "x"\n[network]\nlan-access = ["tcp://10.0.0.5:8100-8000", "10.0.0"]\n',
    "bad_dns": 'image = "x"\n[network]\ndns = ["127.0.0.1"]\n',
    "bad_proxy": 'image = "x"\n[network]\nproxy = "proxy.local:1080"\n',
    "bad_limits": 'image = "x"\n[network.limits]\nbandwidth = "20 mbit"\nnew-connections = 0\n',
    "later_hooks": 'image = "x"\n[hooks]\npost_up = "true"\npre_down = "true"\n',
}  # fmt: skip


class ConfigTest(program.AlcaTest):
    def assert_refused(self, name: str = "") -> str:
        """`up` and `run` say the same and leave nothing. Returns what they say."""
        up = self.work.run("up", timeout_s=20)
        self.assert_outcome(up, 1, out="→ Loading config from .alca.toml\n")
        self.assert_error_text(up.err)
        self.assert_outcome(self.work.run("run", "true", timeout_s=20), 125, out="", err=up.err)
        self.assert_nothing_left()
        if name:
            self.assert_expected(f"config_{name}.txt", up.err)
        return up.err

    def test_each_mistake_is_told_with_its_place(self) -> None:
        for name, text in MISTAKES.items():
            with self.subTest(name=name):
                path = self.work.configure(text)
                error = self.assert_refused(name)
                if name != "missing_image":
                    self.assertRegex(error, rf"(?m)^(alca: )?{path}:\d+:\d+: ")

    def test_suggestions_name_the_key_that_was_meant(self) -> None:
        for name, word in (("unknown_key", "image"), ("unknown_key_in_table", "memory"), ("several", "ports"),
                           ("key_in_the_wrong_table", "resources.memory")):  # fmt: skip
            self.work.configure(MISTAKES[name])
            self.assertIn(f'did you mean "{word}"?', self.work.run("up").err)

    def test_what_the_host_lacks_is_told_before_an_engine_is_asked(self) -> None:
        head = 'image = "x"\nruntime = "docker"\n'
        self.work.configure(f'{head}[envs]\nA = "${{ALCA_TEST_IS_NOT_SET}}"\n')
        self.assertIn("ALCA_TEST_IS_NOT_SET", self.work.run("up").err)
        self.work.configure(f'{head}mounts = ["./missing:/m"]\n')
        self.assertIn(f"{self.work.project}/missing", self.work.run("up").err)
        self.assertFalse(os.path.lexists(f"{self.work.project}/missing"))
        self.assert_nothing_left()

    def test_text_that_is_not_utf8_is_placed(self) -> None:
        path = self.work.configure(b'image = "x"\n# caf\xe9\n')
        self.assertIn(f"{path}:2:6: not UTF-8", self.assert_refused())

    def test_nul_byte_is_refused(self) -> None:
        self.work.configure(b'image = "x\x00y"\n')
        self.assert_refused()

    def test_two_mebibytes_are_refused(self) -> None:
        path = self.work.configure(b'image = "x"\n' + b"#" * (2 << 20))
        self.assertRegex(self.assert_refused(), rf"^alca: {path}: larger than the limit of \d+ bytes$")

    def test_deep_nesting_is_refused_without_a_crash(self) -> None:
        for text in ("a = " + "[" * 100000, "a." * 100000 + "b = 1", "a = " + "{b=" * 50000):
            self.work.configure(f'image = "x"\n{text}\n')
            self.assert_refused()

    def test_fifo_is_refused_and_does_not_hang(self) -> None:
        path = os.path.join(self.work.project, ".alca.toml")
        os.mkfifo(path)
        self.assertEqual(self.assert_refused(), f"alca: {path}: not a regular file\n")

    def test_directory_is_not_a_configuration(self) -> None:
        os.mkdir(os.path.join(self.work.project, ".alca.toml"))
        self.assertEqual(self.assert_refused(), "alca: configuration not found: run 'alca init' first\n")

    def test_link_to_a_file_is_one(self) -> None:
        with open(os.path.join(self.work.home, "shared.toml"), "w", encoding="ascii") as file:
            file.write("imag = 'x'\n")
        os.symlink(os.path.join(self.work.home, "shared.toml"), os.path.join(self.work.project, ".alca.toml"))
        self.assertIn('did you mean "image"?', self.assert_refused())

    def test_configuration_of_a_parent_directory_is_used(self) -> None:
        path = self.work.configure("imag = 'x'\n")
        below = os.path.join(self.work.project, "a", "b")
        os.makedirs(below)
        self.assertIn(path, self.work.run("up", cwd=below).err)

    def test_escape_sequences_in_the_file_do_not_reach_the_terminal(self) -> None:
        self.work.configure('image = "x"\n"\\u001b]0;title\\u0007" = 1\n')
        self.assertNotRegex(self.assert_refused(), r"[\x00-\x09\x0b-\x1f\x7f]")


if __name__ == "__main__":
    program.main()
