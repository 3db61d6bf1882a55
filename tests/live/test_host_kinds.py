"""Users, groups, packages, files and kernel settings of a real host, a throw-away container: applied, found
unchanged, drifted, and put back so that nothing of /etc tells.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from labspec.host.docker import Docker

pytestmark = pytest.mark.live

REPOSITORY = Path(__file__).parents[2]
SNAPSHOT = r"""
find /etc /home /root -path /root/.\* -prune -o -printf '%p %M %u:%g %l\n' | sort
find /etc /home -type f | sort | xargs -d '\n' sha256sum
grep . /etc/subuid /etc/subgid
dpkg-query --show --showformat='${Package} ${Version} ${Status}\n'
cat /proc/sys/net/ipv4/ip_forward
"""
OWN_BACKUPS = ("/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid-", "/etc/subgid-")
"""Copies that shadow's programs make of the files that they change, and their lock."""
SORTED = ("  /etc/subuid", "  /etc/subgid")
"""The checksums of files that useradd sorts: their lines are compared."""
IGNORED = (*OWN_BACKUPS, *SORTED, "/etc/.pwd.lock", "/etc/ld.so.cache")
ALLOW = "--allow docker-group --allow root-files --allow kernel"


class Machine:
    """A container of debian:latest in which labspec runs as root, from this very source."""

    def __init__(self, name: str, state: str) -> None:
        self.name = name
        self.state = state

    def run(self, script: str, *, fails: bool = False) -> str:
        """Run a shell script and return what it printed; it must succeed, or (`fails`) fail."""
        done = subprocess.run(
            ["docker", "exec", "-i", "-w", "/lab", self.name, "sh", "-eu"],
            input=script,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout + (done.stderr if fails else "")

    def labspec(self, arguments: str, *, fails: bool = False) -> str:
        """Run labspec with these arguments."""
        environment = f"LABSPEC_STATE_DIR={self.state} LABSPEC_CACHE_DIR={self.state}/cache PYTHONDONTWRITEBYTECODE=1"
        return self.run(f"{environment} {sys.executable} -m labspec {arguments}\n", fails=fails)

    def spec(self, host: str) -> None:
        """Write the lab's spec."""
        self.run(f"cat > lab.yaml <<'EOF'\nlabspec: 1\nlab: {{name: {self.name}}}\nhost:\n{host}\nEOF\n")

    def snapshot(self) -> list[str]:
        """Return what /etc, homes, packages and the kernel are, a line each."""
        return [line for line in self.run(SNAPSHOT).splitlines() if not any(path in line for path in IGNORED)]


def with_python(interpreter: Path) -> str:
    """Return an image that has the system's own Python, where that is the one that runs this. Skips where it is not."""
    tag = "labspec-test/python:latest"
    text = "FROM debian:latest\nRUN apt-get -q update && apt-get -qy install --no-install-recommends python3\n"
    text += "RUN rm -r /var/lib/apt/lists/*\n"
    subprocess.run(["docker", "build", "-q", "-t", tag, "-"], input=text.encode(), check=True, timeout=300)
    found = subprocess.run(["docker", "run", "--rm", tag, "test", "-x", str(interpreter)], check=False, timeout=60)
    if found.returncode:
        pytest.skip(f"debian:latest has another Python than {interpreter}")
    return tag


@pytest.fixture(scope="module")
def container(engine: Docker) -> Iterator[str]:
    """Return a running container that has this source and interpreter. Skips where the engine is another machine's."""
    if engine.socket_path is None:
        pytest.skip("the engine is on another machine")
    name = f"labspec-test-{uuid.uuid4().hex[:8]}"
    interpreter = Path(sys.executable).resolve()
    of_the_system = interpreter.is_relative_to("/usr/bin")
    folders = {str(REPOSITORY), sys.prefix} | (
        set() if of_the_system else {sys.base_prefix, str(interpreter.parents[1])}
    )
    image = with_python(interpreter) if of_the_system else "debian:latest"
    mounts = [word for folder in sorted(folders) for word in ("--volume", f"{folder}:{folder}:ro")]
    socket = ["--volume", f"{engine.socket_path}:/var/run/docker.sock"]
    command = ["docker", "run", "--detach", "--rm", "--init", "--privileged", "--name", name, *mounts, *socket]
    subprocess.run([*command, image, "sleep", "infinity"], check=True, capture_output=True, timeout=60)
    try:
        yield name
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], check=False, capture_output=True, timeout=60)


@pytest.fixture
def machine(container: str) -> Machine:
    made = Machine(container, f"/state-{uuid.uuid4().hex[:8]}")
    made.run(f"true; mkdir -p {made.state}")
    return made


@pytest.fixture(scope="module", autouse=True)
def lab_folder(container: str) -> None:
    subprocess.run(["docker", "exec", container, "mkdir", "/lab"], check=True, capture_output=True, timeout=60)


def test_everything_is_applied_and_put_back(machine: Machine) -> None:
    machine.run("groupadd docker; useradd amy; usermod -aG docker amy; printf '\\377before' > /etc/motd")
    machine.run("chmod 604 /etc/motd; chown amy:docker /etc/motd")
    before = machine.snapshot()
    machine.spec(
        """\
  groups: {docker: {members: [vagrant]}, lab: {gid: 4711, members: [amy, vagrant]}}
  users:
    vagrant: {uid: 4242, shell: /bin/bash, comment: The lab}
    web: {group: lab, system: true}
    amy: {shell: /bin/bash}
  kernel_args: [user_namespace.enable=1]
  files:
    /etc/motd: {content: hello, mode: "0644", owner: root}
    /etc/profile.d/lab.sh: {content: "true"}
    /etc/lab: {content: y, owner: vagrant, group: lab}
  sysctls: {net.ipv4.ip_forward: "1"}"""
    )
    refused = machine.labspec("apply -y", fails=True)
    assert "--allow docker-group --allow kernel --allow root-files" in refused
    assert sorted(set(machine.snapshot()) ^ set(before)) == []
    machine.labspec(f"apply -y {ALLOW}")
    assert "No changes" in machine.labspec("plan --detailed-exitcode")
    status = machine.labspec("status")
    assert "pending: takes effect at next boot" in status
    assert "drifted" not in status
    assert machine.run("id -nG vagrant; id -ng web; getent group docker lab; stat -c %U:%G /etc/lab").splitlines() == [
        "vagrant docker lab",
        "lab",
        f"docker:x:{_number(machine, 'docker')}:amy,vagrant",
        "lab:x:4711:amy,vagrant",
        "vagrant:lab",
    ]
    assert machine.run("getent passwd vagrant amy | cut -d: -f1,3,5-").splitlines()[0] == (
        "vagrant:4242:The lab:/home/vagrant:/bin/bash"
    )
    machine.run("rm /etc/motd; userdel web")
    machine.labspec("destroy -y")
    assert sorted(set(machine.snapshot()) ^ set(before)) == []
    assert machine.run(f"ls {machine.state}").split() == ["cache"]


def _number(machine: Machine, group: str) -> str:
    return machine.run(f"getent group {group} | cut -d: -f3").strip()


def test_hand_edits_are_drift_and_strangers_stay(machine: Machine) -> None:
    machine.run("groupadd drift; useradd stranger")
    machine.spec("  groups: {drift: {members: [bob]}}\n  users: {bob: {shell: /bin/bash}}")
    machine.labspec("apply -y")
    machine.run("gpasswd -d bob drift; usermod -aG drift stranger; usermod -s /bin/sh bob")
    plan = machine.labspec("plan")
    assert 'members: ["stranger"] -> ["bob", "stranger"]  (changed on the host)' in plan
    assert 'shell: "/bin/sh" -> "/bin/bash"  (changed on the host)' in plan
    machine.labspec("apply -y")
    assert machine.run("getent group drift | cut -d: -f4") == "stranger,bob\n"
    machine.spec("  groups: {drift: {}}\n  users: {bob: {}}")
    machine.labspec("apply -y")
    assert machine.run("getent group drift | cut -d: -f4") == "stranger\n"
    machine.run("touch /home/bob/work")
    destroyed = machine.labspec("destroy -y")
    assert "/home/bob stays: /home/bob/work was added to it" in destroyed
    assert machine.run("ls /home/bob; getent group drift | cut -d: -f4") == "work\nstranger\n"
    machine.run("! getent passwd bob")


def test_what_somebody_needs_is_not_removed(machine: Machine) -> None:
    machine.spec("  groups: {kept: {members: [carl]}}\n  users: {carl: {}}")
    machine.labspec("apply -y")
    machine.run("useradd -g kept dora")
    assert "group kept stays, since others are in it: dora" in machine.labspec("destroy -y")
    assert machine.run("getent group kept | cut -d: -f4") == "\n"
    assert "Nothing to destroy" in machine.labspec("destroy -y")


def test_a_group_of_the_users_name_that_was_there_stays(machine: Machine) -> None:
    machine.run("groupadd -g 5150 same")
    before = machine.snapshot()
    machine.spec("  users: {same: {}}")
    machine.labspec("apply -y")
    assert machine.run("id -ng same") == "same\n"
    machine.labspec("destroy -y")
    assert sorted(set(machine.snapshot()) ^ set(before)) == []


def test_packages_come_and_go_with_what_they_brought(machine: Machine) -> None:
    if "Package: jq" not in machine.run("apt-get -q update >/dev/null 2>&1 || true; apt-cache show jq || true"):
        pytest.skip("no packages can be fetched")
    machine.run("rm -rf /var/lib/apt/lists/*; dpkg --purge e2fsprogs logsave >/dev/null 2>&1 || true")
    before = machine.snapshot()
    machine.spec("  packages: [jq, iproute2]")
    machine.labspec("apply -y")
    assert "No changes" in machine.labspec("plan --detailed-exitcode")
    machine.run("jq --version; ip -V; test -d /etc/iproute2")
    machine.spec("  packages: [jq]")
    assert "its settings and data go with package iproute2" in machine.labspec("apply -y")
    machine.run("jq --version; ! test -d /etc/iproute2")
    machine.run("dpkg --purge jq")
    assert 'state: "absent" -> "present"  (changed on the host)' in machine.labspec("plan")
    machine.labspec("apply -y")
    machine.labspec("destroy -y")
    assert sorted(set(machine.snapshot()) ^ set(before)) == []


def test_an_unknown_package_is_one_mistake(machine: Machine) -> None:
    machine.spec("  packages: [no-such-package-anywhere, 'libc.6']")
    said = machine.labspec("apply -y", fails=True)
    assert "apt-get has no package libc.6, no-such-package-anywhere" in said
    machine.labspec("destroy -y")


def test_a_lab_of_files_alone_in_a_home_of_somebody(machine: Machine) -> None:
    machine.run("useradd -m erin; ln -s /etc /home/erin/link; chown -h erin /home/erin/link")
    machine.spec("  files: {/home/erin/link/lab: {content: x}}")
    assert "/home/erin/link is a symlink that others than root can change" in machine.labspec("apply -y", fails=True)
    machine.run("! test -e /etc/lab")


@pytest.mark.parametrize("name", ["host-accounts", "host-files", "host-kernel"])
def test_examples(machine: Machine, name: str) -> None:
    before = machine.snapshot()
    spec = REPOSITORY / "examples" / name
    machine.labspec(f"apply {spec} -y {ALLOW}")
    assert "No changes" in machine.labspec(f"plan {spec} --detailed-exitcode")
    machine.labspec(f"destroy {spec} -y")
    assert sorted(set(machine.snapshot()) ^ set(before)) == []


def test_the_source_is_mounted_for_reading_only(machine: Machine) -> None:
    machine.run(f"touch {REPOSITORY}/x", fails=True)
    assert not os.path.lexists(REPOSITORY / "x")
