"""PID 1 of the lab's machine: runs the services and the private dockerd, and ends when dockerd ends, unless a restart was asked for.

Started in new network, mount and PID namespaces, so that its end is the end of everything in the machine:
dockerd, containerd, its shims and every container. Argument: JSON {"directory", "data_root", "lock", "specs"}.
"""

import json
import os
import subprocess
import sys

import topology

CGROUP_ROOT = "/sys/fs/cgroup"
RESTART = "restart"  # a file of this name: the engine is started again when it ends, once


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def hide_this_machine(directory: str) -> None:
    """The mounts that make the machine look like one of its own: sysfs of its network, resolver, no other engine."""
    cgroups = os.path.join(directory, "cgroup")
    os.makedirs(cgroups, exist_ok=True)
    mount("--rbind", CGROUP_ROOT, cgroups)
    mount("-t", "sysfs", "sysfs", "/sys")
    mount("--rbind", cgroups, CGROUP_ROOT)

    resolver = os.path.join(directory, "resolv.conf")
    with open(resolver, "w", encoding="ascii") as file:
        file.write(f"nameserver {topology.RESOLVER}\n")
    mount("--bind", resolver, "/etc/resolv.conf")

    # dockerd would use a containerd that it finds here, and shims keep their sockets here.
    os.makedirs("/run/containerd", exist_ok=True)
    mount("-t", "tmpfs", "tmpfs", "/run/containerd")
    if os.path.exists("/run/docker.sock"):
        mount("--bind", "/dev/null", "/run/docker.sock")


def start_engine(directory: str, data_root: str, cgroup_parent: str, options: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([
        "dockerd",
        "--host", f"unix://{directory}/docker.sock",
        "--data-root", data_root,
        "--exec-root", f"{directory}/exec",
        "--pidfile", f"{directory}/dockerd.pid",
        "--config-file", f"{directory}/daemon.json",
        "--exec-opt", "native.cgroupdriver=cgroupfs",
        "--cgroup-parent", cgroup_parent,
        "--ipv6", "--fixed-cidr-v6", topology.BRIDGE_SUBNET6,
        "--experimental", "--ip6tables",
        *options,
    ])  # fmt: skip


def main(config: dict[str, object]) -> int:
    directory = str(config["directory"])
    hide_this_machine(directory)
    with open(f"{directory}/daemon.json", "w", encoding="ascii") as file:
        file.write("{}\n")  # not this machine's /etc/docker/daemon.json

    services = os.path.join(os.path.dirname(os.path.abspath(__file__)), "services.py")
    subprocess.Popen([sys.executable, services, *map(json.dumps, config["specs"])])

    def start() -> subprocess.Popen[bytes]:
        return start_engine(directory, str(config["data_root"]), str(config["cgroup_parent"]), list(config["engine_options"]))

    engine = start()
    while True:  # orphans come to PID 1
        pid, status = os.wait()
        if pid != engine.pid:
            continue
        if not os.path.exists(f"{directory}/{RESTART}"):
            return os.waitstatus_to_exitcode(status)
        os.unlink(f"{directory}/{RESTART}")
        engine = start()


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
