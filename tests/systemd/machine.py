"""Boots the real systemd as PID 1 of fresh namespaces, on an overlay of this machine's own root, so
that the units and the package are tried for real on a machine whose own PID 1 may be anything.
Nothing outside its own directory changes; nothing is downloaded. Needs root, overlayfs and cgroup2.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

PATIENCE = 60  # seconds; a bound for a hung machine, not a measurement

# What would touch the machine outside, or waits for hardware that is not there.
MASKED = """systemd-sysctl.service systemd-modules-load.service systemd-udevd.service
systemd-udev-trigger.service systemd-udevd-kernel.socket systemd-udevd-control.socket
systemd-timesyncd.service systemd-pstore.service e2scrub_reap.service systemd-firstboot.service
systemd-remount-fs.service systemd-hwdb-update.service apt-daily.timer apt-daily-upgrade.timer
man-db.timer fstrim.timer e2scrub_all.timer dpkg-db-backup.timer sys-kernel-debug.mount
sys-kernel-tracing.mount dev-hugepages.mount sys-fs-fuse-connections.mount
proc-sys-fs-binfmt_misc.automount""".split()

TARGET = """[Unit]
Description=only what a test needs
Requires=basic.target
After=basic.target
AllowIsolate=yes
"""

# Runs as the first process of the namespaces; $1 is the root to be.
INIT = r"""set -e; root=$1
mount --make-rprivate /
mount --rbind "$root" "$root"; cd "$root"
mount -t proc proc proc
mount -t sysfs sysfs sys 2>/dev/null || mount --rbind /sys sys
while mountpoint -q sys/fs/cgroup; do umount -l sys/fs/cgroup; done
mount -t cgroup2 -o nsdelegate cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755,nosuid tmpfs dev
for node in null zero full random urandom tty; do touch dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin; ln -s fd/1 dev/stdout; ln -s fd/2 dev/stderr
touch dev/console; mount --bind dev/null dev/console
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
ip link set lo up
mkdir -p .before; pivot_root . .before; cd /; umount -l .before; rmdir .before 2>/dev/null || true
# Without it LoadCredential= gives an empty directory.
mount --make-rshared /
exec env -i container=vigil-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system systemd.unit=test.target --show-status=no --log-target=journal
"""


def why_not():
    """Why no machine can be booted here; empty when one can."""
    if os.geteuid() != 0:
        return "it needs root"
    if not pathlib.Path("/lib/systemd/systemd").exists():
        return "there is no systemd to boot (package systemd)"
    for program in ("unshare", "nsenter", "ip", "dpkg"):
        if not shutil.which(program):
            return f"there is no {program}"
    tried = subprocess.run(["unshare", "--cgroup", "--pid", "--mount", "--uts", "--ipc", "--net", "--fork",
                            "true"], capture_output=True, text=True)
    return "" if tried.returncode == 0 else f"no namespaces can be made here: {tried.stderr.strip()}"


class Machine:
    def __init__(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="vigild-machine-"))
        self.root = self.base / "root"
        self.groups = self.base / "groups"
        self.group = self.groups / f"vigild-test-{os.getpid()}"
        self.leader = None
        try:
            self._lay()
            self._boot()
        except BaseException:
            self.close()
            raise

    def _lay(self):
        disk = self.base / "disk"
        for folder in (disk, self.root, self.groups):
            folder.mkdir()
        mount("-t", "tmpfs", "-o", "mode=755,size=3g", "vigild-test", disk)
        for folder in ("upper", "work"):
            (disk / folder).mkdir()
        mount("-t", "overlay", "vigild-test", "-o",
              f"lowerdir=/,upperdir={disk}/upper,workdir={disk}/work", self.root)
        mount("-t", "cgroup2", "cgroup2", self.groups)
        self.group.mkdir()
        units = self.root / "etc/systemd/system"
        units.mkdir(parents=True, exist_ok=True)
        for wants in units.glob("*.wants"):
            shutil.rmtree(wants)
        (units / "test.target").write_text(TARGET)
        (units / "test.target.wants").mkdir()
        (units / "test.target.wants/dbus.service").symlink_to("/lib/systemd/system/dbus.service")
        for name in MASKED:
            (units / name).unlink(missing_ok=True)
            (units / name).symlink_to("/dev/null")
        self.write("/etc/fstab", "")
        self.write("/etc/hostname", "vigil-test\n")
        self.write("/etc/machine-id", pathlib.Path("/proc/sys/kernel/random/uuid").read_text().replace("-", ""))
        (self.root / "var/log/journal").mkdir(parents=True, exist_ok=True)

    def _boot(self):
        enter = f'echo $$ > "{self.group}/cgroup.procs"; exec "$@"'
        self.process = subprocess.Popen(
            ["sh", "-c", enter, "enter", "setsid", "unshare", "--cgroup", "--pid", "--mount", "--uts",
             "--ipc", "--net", "--fork", "--kill-child=SIGKILL", "bash", "-c", INIT, "init",
             str(self.root)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(self.base / "console").open("w"))
        self.leader = wait_for(self._first_child)
        def up():
            state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
            return state in ("running", "degraded")
        try:
            wait_for(up)
        except AssertionError:
            raise AssertionError("systemd did not come up: " + (self.base / "console").read_text())

    def _first_child(self):
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True)
        return int(found.stdout.split()[0]) if found.stdout.strip() else None

    def run(self, *command, check=True, text_in=None):
        """Runs a command inside, as root."""
        done = subprocess.run(
            ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-p", "-C", "-n", "-r", "-w", "--",
             "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TERM=dumb",
             "SYSTEMD_PAGER=cat", "DEBIAN_FRONTEND=noninteractive", *map(str, command)],
            capture_output=True, text=True, input=text_in, timeout=300)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def start(self, *command):
        """The same, side by side; the caller waits for it."""
        return subprocess.Popen(
            ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-p", "-C", "-n", "-r", "-w", "--",
             "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", *map(str, command)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def write(self, path, text, mode=0o644):
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def copy(self, source, path):
        shutil.copy2(source, self.root / path.lstrip("/"))

    def show(self, unit, what):
        return self.run("systemctl", "show", unit, "-p", what, "--value").stdout.strip()

    def journal(self, unit):
        return self.run("journalctl", "-u", unit, "--no-pager", "-o", "cat").stdout

    def close(self):
        kill = self.group / "cgroup.kill"
        if kill.exists():
            kill.write_text("1")
        if self.leader:
            self.process.wait(PATIENCE)
        def empty():
            events = self.group / "cgroup.events"
            return not events.exists() or "populated 0" in events.read_text()
        wait_for(empty)
        for folder, _, _ in os.walk(self.group, topdown=False):
            os.rmdir(folder)
        for place in (self.groups, self.root, self.base / "disk"):
            subprocess.run(["umount", "-l", str(place)], capture_output=True)
        shutil.rmtree(self.base, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def mount(*arguments):
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"mount {arguments}: {done.stderr}")


def wait_for(condition, patience=PATIENCE):
    until = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"waited {patience} s in vain")
        time.sleep(0.05)
