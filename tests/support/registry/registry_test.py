"""The engine pulls from the test registry. Usage: python3 tests/support/registry/registry_test.py; needs an engine."""

import http.client
import json
import os
import subprocess
import sys
import time
import unittest
import urllib.request
import uuid

SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "registry.py")
IMAGE = "alca-test-busybox"


class RegistryTest(unittest.TestCase):
    def start(self, *arguments: str) -> str:
        """Returns the reference to pull."""
        salt = uuid.uuid4().hex
        server = subprocess.Popen([sys.executable, SERVER, "--image", IMAGE, "--salt", salt, *arguments],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        return f"{server.stdout.readline().split()[-1]}/{IMAGE}"

    def pull(self, reference: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(["docker", "pull", reference], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            self.addCleanup(subprocess.run, ["docker", "rmi", reference], check=True, capture_output=True)
        return done

    def test_a_pulled_image_runs(self) -> None:
        reference = self.start()
        done = self.pull(reference)
        self.assertEqual(done.returncode, 0, done.stderr)
        output = subprocess.run(["docker", "run", "--rm", "--network", "none", reference, "echo", "it runs"],
                                capture_output=True, text=True, check=True).stdout  # fmt: skip
        self.assertEqual(output, "it runs\n")

    def test_a_slow_registry_takes_its_time(self) -> None:
        reference = self.start("--rate", "1000000")
        begin = time.monotonic()
        done = self.pull(reference)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(time.monotonic() - begin, 0.8)

    def test_a_blob_breaks_off_where_asked(self) -> None:
        address = self.start("--cut-after", "100000").partition("/")[0]
        with urllib.request.urlopen(f"http://{address}/v2/{IMAGE}/manifests/latest", timeout=10) as answer:
            layer = json.load(answer)["layers"][0]
        with urllib.request.urlopen(f"http://{address}/v2/{IMAGE}/blobs/{layer['digest']}", timeout=10) as answer:
            with self.assertRaises(http.client.IncompleteRead) as caught:
                answer.read()
        self.assertGreaterEqual(len(caught.exception.partial), 100000)

    def test_an_unknown_image_is_not_found(self) -> None:
        self.assertIn("not here", self.pull(self.start() + "-other").stderr)


if __name__ == "__main__":
    unittest.main()
