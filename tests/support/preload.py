"""Libraries of ours that stand between a program and the system's, built out of one file of C each."""
import pathlib
import shutil
import subprocess
import unittest

from vigild import SOURCE


def built(source, folder):
    """The library out of a file of the tests, in `folder`. The test is skipped where there is no compiler."""
    compiler = next(filter(None, map(shutil.which, ("clang-19", "cc"))), None)
    if compiler is None:
        raise unittest.SkipTest(f"skipped: there is no compiler of C for {source}")
    library = pathlib.Path(folder) / pathlib.Path(source).with_suffix(".so").name
    subprocess.run([compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, SOURCE / source],
                   check=True)
    return library
