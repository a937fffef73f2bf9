"""The Debian package on a real systemd: install, start, reload, watchdog, restart and upgrade under
load, socket activation, containment, purge. Skips, saying why, where no machine can be booted."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import machine
from machine import Machine, wait_for

BIN = pathlib.Path(os.environ.get("VIGIL_BIN_DIR", "build/asan/bin")).resolve()
SOURCE = pathlib.Path(os.environ.get("VIGIL_SOURCE_DIR", ".")).resolve()
SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
SKIPPED = 77  # ctest's SKIP_RETURN_CODE

CONFIG = """
[source.notes]
kind = "webhook"
scheme = "hmac"
secrets = ["cred:notes"]
signature_header = "x-signature"
signature_prefix = "sha256="
id_header = "x-delivery"
type = "note.taken"
subject_path = "subject"
trusted = true

[sink.out]
kind = "file"
path = "/var/lib/vigild/out.jsonl"

[entity.clerk]
kind = "rules"
role = "remembers notes, and does slow work once"
autonomy = "act"

[[entity.clerk.on]]
source = "notes"

[[entity.clerk.on]]
source = "admin"

[[entity.clerk.rule]]
name = "work"
match = { type = "work.wanted" }
[[entity.clerk.rule.task]]
name = "slow"
argv = ["/bin/sleep", "4"]
[[entity.clerk.rule.action]]
sink = "out"
on = "report"
payload = { done = "{{event.subject}}" }

[[entity.clerk.rule]]
name = "leave"
match = { type = "stray.wanted" }
[[entity.clerk.rule.task]]
name = "leave"
argv = ["/bin/sh", "-c", "setsid /bin/sleep 86399 </dev/null >/dev/null 2>&1 3>&- & echo left"]
[[entity.clerk.rule.action]]
sink = "out"
on = "report"
payload = { left = "{{event.subject}}" }

[[entity.clerk.rule]]
name = "keep"
remember = "{{event.data.n}}"
"""


def make_package(folder):
    """The package of the build under test, and one of a later version with the same content."""
    subprocess.run([str(SOURCE / "scripts/package"), str(BIN.parent)], check=True, stdout=subprocess.DEVNULL)
    made = max(BIN.parent.glob("vigild_*.deb"), key=lambda file: file.stat().st_mtime)
    first = folder / "vigild.deb"
    shutil.copy(made, first)
    tree = folder / "tree"
    subprocess.run(["dpkg-deb", "-R", str(first), str(tree)], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: .*$", r"Version: 99.0", control.read_text(), flags=re.M))
    later = folder / "vigild-later.deb"
    subprocess.run(["dpkg-deb", "-b", "-Znone", str(tree), str(later)], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return first, later


def status(guest, who=()):
    done = guest.run(*who, "vigilctl", "status", "--json", check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def says(guest, words):
    wait_for(lambda: words in guest.show("vigild.service", "StatusText"))


def load(guest, seconds, threads=4):
    return guest.start("/usr/bin/python3", "/opt/load.py", "8787", seconds, threads, SECRET)


def nothing_refused(loading, what):
    printed, _ = loading.communicate(timeout=120)
    assert loading.returncode == 0, printed
    told = json.loads(printed.strip().splitlines()[-1])
    assert not told["trouble"], f"{what}: {len(told['trouble'])} refused: {told['trouble'][:5]}"
    assert len(told["taken"]) > 10, told
    print(f"  {what}: {len(told['taken'])} answered, 0 refused, slowest {told['slowest_s']} s")
    return told["taken"]


def all_kept(guest, names):
    """Everything that was acknowledged is in the journal, and was decided."""
    def decided():
        now = status(guest)
        return now and now["runtime"]["unrouted"] == 0 and now["runtime"]["wakes_open"] == 0
    wait_for(decided)
    kept = guest.run("/usr/bin/python3", "-c",
                     "import sqlite3; c = sqlite3.connect('file:/var/lib/vigild/vigil.db?mode=ro', uri=True)\n"
                     "for (u,) in c.execute(\"SELECT text FROM episode\"): print(u)").stdout
    kept = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", kept)
    missing = set(names) - set(kept)
    assert not missing, f"{len(missing)} of {len(names)} acknowledged events were lost"
    assert len(kept) == len(set(kept)), "an event was decided twice"


def installs(guest, package):
    # The leak check of a sanitized build traces its own process, which the unit rightly forbids.
    guest.write("/etc/systemd/system/vigild.service.d/sanitizer.conf",
                "[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n")
    guest.copy(package, "/opt/vigild.deb")
    guest.run("apt-get", "install", "-y", "--no-install-recommends", "/opt/vigild.deb")
    wait_for(lambda: guest.show("vigild.service", "ActiveState") == "active")
    assert guest.show("vigild.service", "SubState") == "running"
    assert "0 entities" in guest.show("vigild.service", "StatusText"), guest.show("vigild.service", "StatusText")
    now = status(guest)
    assert now["runtime"]["entities"] == 0 and now["accepting"], now
    for file in ("/usr/share/man/man8/vigild.8", "/usr/share/man/man1/vigilctl.1"):
        assert any((guest.root / file.lstrip("/")).parent.glob(pathlib.Path(file).name + "*")), file
    assert guest.run("stat", "-c", "%a %U", "/var/lib/vigild").stdout.split() == ["700", "vigild"]
    completion = guest.run("bash", "-c", ". /usr/share/bash-completion/completions/vigilctl; "
                           "COMP_WORDS=(vigilctl events ''); COMP_CWORD=2; _vigilctl; echo ${COMPREPLY[*]}").stdout
    assert "tail" in completion and "emit" in completion, completion


def lets_in_whom_it_should(guest):
    guest.run("useradd", "-m", "alice")
    guest.run("usermod", "-aG", "vigil-admin", "alice")
    groups = ("setpriv", "--reuid", "alice", "--regid", "alice", "--init-groups")
    assert status(guest, who=groups) is not None, "a member of vigil-admin is not let in"
    nobody = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
    assert status(guest, who=nobody) is None, "a stranger is let in"
    own = ("setpriv", "--reuid", "vigild", "--regid", "vigild", "--clear-groups")
    assert status(guest, who=own) is None, "what runs as the daemon's user is let in"


def reloads(guest):
    """A good configuration is taken in; a bad one is refused, and the old one goes on."""
    guest.write("/etc/vigild/secrets/notes", SECRET, 0o600)
    guest.run("systemctl", "restart", "vigild")  # credentials are handed over at a start
    guest.write("/etc/vigild/entities.d/clerk.toml", CONFIG)
    guest.run("systemctl", "reload", "vigild")  # a signal: it does not wait
    says(guest, "1 entity")
    assert status(guest)["runtime"]["entities"] == 1
    guest.write("/etc/vigild/entities.d/clerk.toml", CONFIG.replace("autonomy", "autonomie"))
    guest.run("systemctl", "reload", "vigild")
    says(guest, "old configuration goes on")
    assert status(guest)["runtime"]["entities"] == 1
    assert "autonomie" in guest.journal("vigild")
    guest.write("/etc/vigild/entities.d/clerk.toml", CONFIG)
    guest.run("systemctl", "reload", "vigild")
    says(guest, "1 entity")


def keeps_secrets(guest):
    pid = guest.show("vigild.service", "MainPID")
    environment = guest.run("cat", f"/proc/{pid}/environ").stdout
    assert SECRET not in environment and SECRET not in guest.journal("vigild")
    assert SECRET not in guest.run("vigilctl", "config", "show", "--json", check=False).stdout
    limits = guest.run("cat", f"/proc/{pid}/limits").stdout
    assert re.search(r"Max core file size +0 +0", limits), limits


def tasks_die_whole(guest):
    """A grandchild in a session of its own, with nothing of the task's open, ends with the task."""
    out = guest.root / "var/lib/vigild/out.jsonl"
    guest.run("vigilctl", "events", "emit", "--type", "stray.wanted", "--subject", "stray")
    wait_for(lambda: out.exists() and '"left":"stray"' in out.read_text())
    wait_for(lambda: guest.run("pgrep", "-f", "sleep 86399", check=False).returncode == 1)
    group = guest.show("vigild.service", "ControlGroup")
    left = guest.run("find", f"/sys/fs/cgroup{group}", "-name", "vigil-task-*").stdout.split()
    assert len(left) <= 1, left  # the last one may be on its way out


def restarts_under_load(guest):
    loading = load(guest, 8)
    guest.run("vigilctl", "events", "emit", "--type", "work.wanted", "--subject", "one")
    for _ in range(3):
        time.sleep(1.5)
        guest.run("systemctl", "restart", "vigild")
    names = nothing_refused(loading, "three restarts under load")
    all_kept(guest, names)
    out = guest.root / "var/lib/vigild/out.jsonl"
    def done():
        return out.exists() and out.read_text().count('"done":"one"')
    wait_for(done)
    assert out.read_text().count('"done":"one"') == 1, out.read_text()
    return names


def upgrades_under_load(guest, package, names):
    guest.copy(package, "/opt/later.deb")
    before = guest.show("vigild.service", "MainPID")
    loading = load(guest, 10)
    time.sleep(1)
    guest.run("apt-get", "install", "-y", "--no-install-recommends", "/opt/later.deb")
    names = names + nothing_refused(loading, "an upgrade under load")
    assert guest.show("vigild.service", "MainPID") != before, "the upgrade did not restart the daemon"
    all_kept(guest, names)


def is_killed_when_it_hangs(guest):
    guest.write("/etc/systemd/system/vigild.service.d/test.conf", "[Service]\nWatchdogSec=3\n")
    guest.run("systemctl", "daemon-reload")
    guest.run("systemctl", "restart", "vigild")
    time.sleep(5)  # longer than the watchdog: a daemon that is well lives on
    assert guest.show("vigild.service", "NRestarts") == "0", guest.journal("vigild")[-2000:]
    pid = guest.show("vigild.service", "MainPID")
    begun = time.monotonic()
    guest.run("kill", "-STOP", pid)
    wait_for(lambda: guest.show("vigild.service", "MainPID") not in (pid, "0") and status(guest))
    print(f"  a daemon that hangs answers again after {time.monotonic() - begun:.1f} s (watchdog 3 s)")
    assert guest.show("vigild.service", "NRestarts") == "1"
    (guest.root / "etc/systemd/system/vigild.service.d/test.conf").unlink()
    guest.run("systemctl", "daemon-reload")
    guest.run("systemctl", "restart", "vigild")


def is_safe_after_crashes(guest):
    """Events are stored and nothing is decided, until somebody says so."""
    for crash in range(1, 10):
        pid = guest.show("vigild.service", "MainPID")
        guest.run("kill", "-KILL", pid)
        wait_for(lambda: guest.show("vigild.service", "MainPID") not in (pid, "0") and status(guest))
        if "SAFE MODE" in guest.show("vigild.service", "StatusText"):
            break
    assert "SAFE MODE" in guest.show("vigild.service", "StatusText"), guest.journal("vigild")[-2000:]
    print(f"  safe mode after {crash} more crashes")
    names = nothing_refused(load(guest, 1, 2), "calls in safe mode")
    assert status(guest)["runtime"]["decisions"] == 0
    guest.run("vigilctl", "safe-mode", "leave")
    all_kept(guest, names)
    guest.run("systemctl", "restart", "vigild")
    says(guest, "1 entity")


def is_started_by_a_call(guest):
    guest.run("systemctl", "stop", "vigild.service")
    state = guest.show("vigild.service", "ActiveState")
    assert state == "inactive", f"{state}: {guest.journal('vigild')[-3000:]}"
    names = nothing_refused(load(guest, 1, 2), "calls while it is stopped")
    all_kept(guest, names)


def is_contained(guest):
    done = guest.run("systemd-analyze", "security", "vigild.service", "--no-pager", "--threshold=15", check=False)
    score = done.stdout.strip().splitlines()[-1]
    assert done.returncode == 0, score
    print(f"  {score.strip()}")
    guest.write("/etc/systemd/system/vigild.service.d/strict.conf",
                (SOURCE / "systemd/strict.conf").read_text())
    guest.run("systemctl", "daemon-reload")
    done = guest.run("systemd-analyze", "security", "vigild.service", "--no-pager", "--threshold=15", check=False)
    print(f"  with strict.conf: {done.stdout.strip().splitlines()[-1].strip()}")
    guest.run("systemctl", "restart", "vigild")
    names = nothing_refused(load(guest, 1, 2), "with strict.conf")
    all_kept(guest, names)
    (guest.root / "etc/systemd/system/vigild.service.d/strict.conf").unlink()
    guest.run("systemctl", "daemon-reload")


def is_removed_and_purged(guest):
    guest.run("dpkg", "--remove", "vigild")
    assert guest.show("vigild.service", "ActiveState") in ("inactive", "failed")
    assert (guest.root / "var/lib/vigild/vigil.db").exists(), "remove keeps what was remembered"
    assert (guest.root / "etc/vigild/secrets/notes").exists()
    guest.run("dpkg", "--purge", "vigild")
    for path in ("var/lib/vigild", "etc/vigild", "usr/bin/vigild", "usr/lib/systemd/system/vigild.service"):
        assert not (guest.root / path).exists(), f"/{path} is left behind"


def main():
    why = machine.why_not()
    if why:
        print(f"skipped: no machine can be booted here: {why}")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="vigild-package-") as folder:
        first, later = make_package(pathlib.Path(folder))
        with Machine() as guest:
            guest.copy(SOURCE / "tests/systemd/load.py", "/opt/load.py")
            for step, arguments in ((installs, (first,)), (lets_in_whom_it_should, ()), (reloads, ()),
                                    (keeps_secrets, ()), (tasks_die_whole, ())):
                print(step.__name__)
                step(guest, *arguments)
            print("restarts_under_load")
            names = restarts_under_load(guest)
            print("upgrades_under_load")
            upgrades_under_load(guest, later, names)
            for step in (is_killed_when_it_hangs, is_safe_after_crashes, is_started_by_a_call, is_contained, is_removed_and_purged):
                print(step.__name__)
                step(guest)
    return 0


if __name__ == "__main__":
    sys.exit(main())
