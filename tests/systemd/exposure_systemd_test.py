#!/usr/bin/env python3
"""How much of the machine the unit leaves open, as systemd counts it, without booting one: what the documents say."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("VIGIL_SOURCE_DIR", ".")).resolve()


def exposure(drop_ins=()):
    with tempfile.TemporaryDirectory(prefix="vigild-unit-") as root:
        units = pathlib.Path(root) / "etc/systemd/system"
        (units / "vigild.service.d").mkdir(parents=True)
        shutil.copy(SOURCE / "systemd/vigild.service", units)
        for name in drop_ins:
            shutil.copy(SOURCE / "systemd" / name, units / "vigild.service.d")
        done = subprocess.run(["systemd-analyze", f"--root={root}", "security", "--offline=true", "--no-pager",
                               "vigild.service"], capture_output=True, text=True)
        found = re.search(r"Overall exposure level for vigild\.service: (\d+\.\d)", done.stdout)
        assert found, done.stdout + done.stderr
        return found.group(1)


@unittest.skipUnless(shutil.which("systemd-analyze"), "skipped: systemd-analyze is not here")
class Exposure(unittest.TestCase):
    def test_it_is_what_the_documents_say(self):
        service, figures = (" ".join((SOURCE / "docs" / name).read_text().split()) for name in ("service.md", "figures.md"))
        plain, strict = exposure(), exposure(["strict.conf"])
        told = (f"`systemd-analyze security vigild` gives {plain};",
                f"Exposure by `systemd-analyze security --offline=true`: {plain}, with `strict.conf` {strict}.")
        for text, said in zip((service, figures), told):
            self.assertTrue(said in text, said)
        self.assertLessEqual(float(plain), 1.5)
        self.assertLess(float(strict), float(plain))


if __name__ == "__main__":
    unittest.main()
