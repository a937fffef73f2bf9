"""Runs every fuzz target for a short time, from seeds and from what was found before.

Usage: fuzz_test.py [TARGET...]. What is found stays in tests/fuzz/found/TARGET and is run first,
every time. Without VIGIL_FUZZ_SECONDS each target makes the same bounded walk every time, so that
a change is judged by what it changed; with it (scripts/fuzz) the walk is a new one.
"""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

BIN = pathlib.Path(os.environ.get("VIGIL_BIN_DIR", "build/asan/bin")).resolve()
SOURCE = pathlib.Path(os.environ.get("VIGIL_SOURCE_DIR", ".")).resolve()
DATA = SOURCE.parent / "shared/data"
SECONDS = os.environ.get("VIGIL_FUZZ_SECONDS")
WALK = [f"-max_total_time={int(SECONDS)}"] if SECONDS else ["-seed=1", "-runs=30000", "-max_total_time=6"]
SEEDS_MAX, SEED_BYTES_MAX = 400, 16_384
PROGRAM = str(BIN / "vigil-fuzz")
FLAGS = ["-timeout=25", "-rss_limit_mb=2048", "-max_len=16384", "-print_final_stats=1", "-verbosity=0"]


def seeds_of(places):
    """Files out of the named folders, small ones, in a stable order."""
    for place in places:
        base = SOURCE / place if place.startswith("tests/") else DATA / place
        files = sorted(file for file in base.rglob("*") if file.is_file()) if base.exists() else []
        step = max(1, len(files) // SEEDS_MAX)
        yield from (file for file in files[::step] if 0 < file.stat().st_size <= SEED_BYTES_MAX)


def run(target, places):
    """What the target said, its executions and whether it held."""
    with tempfile.TemporaryDirectory(prefix="vigil-fuzz-") as folder:
        corpus, found = pathlib.Path(folder) / "corpus", pathlib.Path(folder) / "found"
        corpus.mkdir()
        found.mkdir()
        for number, file in enumerate(seeds_of(places)):
            shutil.copy(file, corpus / f"{number:05}-{file.name[:60]}")
        seeds = len(list(corpus.iterdir()))
        before = sorted((SOURCE / "tests/fuzz/found" / target).glob("*"))
        if before:
            again = subprocess.run([PROGRAM, target, *FLAGS, *map(str, before)], capture_output=True, text=True)
            if again.returncode != 0:
                return target, 0, seeds, f"what was found before does not hold:\n{again.stderr[-4000:]}"
        done = subprocess.run(
            [PROGRAM, target, *FLAGS, *WALK, f"-artifact_prefix={found}/", str(corpus)],
            capture_output=True, text=True, errors="replace")
        ran = next((line.split()[-1] for line in done.stderr.splitlines() if "number_of_executed_units" in line), "0")
        if done.returncode == 0:
            return target, int(ran), seeds, ""
        kept = SOURCE / "tests/fuzz/found" / target
        for file in found.iterdir():
            kept.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, kept / file.name)
        return target, int(ran), seeds, f"kept in {kept}:\n{done.stderr[-6000:]}"


def main():
    listed = subprocess.run([PROGRAM, "--list"], capture_output=True, text=True, check=True).stdout
    targets = {line.split()[0]: line.split()[1:] for line in listed.splitlines()}
    wanted = sys.argv[1:] or list(targets)
    unknown = [name for name in wanted if name not in targets]
    if unknown:
        sys.exit(f"there is no target {', '.join(unknown)}; there are: {', '.join(targets)}")
    if not DATA.exists():
        print(f"without the seeds of {DATA}: it is not there")
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for target, ran, seeds, trouble in pool.map(lambda name: run(name, targets[name]), wanted):
            print(f"{target}: {ran} executions from {seeds} seeds{': ' + trouble if trouble else ''}")
            bad += bool(trouble)
            if not trouble and ran < max(seeds, 2):
                print(f"{target}: hardly ran at all")
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
