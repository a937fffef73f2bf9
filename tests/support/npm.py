"""Programs of others from npm's registry, for tests with VIGIL_PEERS=1: installed below the build directory, each in a
folder of its own, once. The test is skipped where they cannot be had in time."""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

from vigild import BIN

FOLDER = BIN.parent.parent / "npm"
SECONDS = int(os.environ.get("VIGIL_NPM_SECONDS", "120"))


def installed(name, packages):
    """The node_modules that holds `packages`, a dictionary of exact versions."""
    if os.environ.get("VIGIL_PEERS") != "1":
        raise unittest.SkipTest("skipped: programs of others are tested with VIGIL_PEERS=1")
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise unittest.SkipTest(f"skipped: {program} is not here")
    folder = FOLDER / name
    wanted = json.dumps({"private": True, "dependencies": packages})
    done = folder / "installed.json"
    if done.exists() and done.read_text() == wanted:
        return folder / "node_modules"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(wanted)
    # Scripts of packages are not run: what is needed lies in them.
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--no-package-lock",
               "--prefer-offline", "--loglevel=error"]
    try:
        subprocess.run(command, cwd=folder, check=True, timeout=SECONDS, capture_output=True, text=True,
                       stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise unittest.SkipTest(f"skipped: npm installed no {name} within {SECONDS} s (VIGIL_NPM_SECONDS)") from None
    except subprocess.CalledProcessError as failed:
        raise unittest.SkipTest(f"skipped: npm cannot install {name}: {failed.stderr[-300:]}") from None
    done.write_text(wanted)
    return folder / "node_modules"
