#!/usr/bin/env python3
"""Compares the wall time of `classify` with one thread and with two, in alternating rounds on one capture.

  bench/threads.py [--program PATH] [--rounds N] [--connections N] [FILE]

Without FILE, a capture is simulated in a temporary directory (15 minutes of TCP connections of clients).
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path


def measured(command):
    """Wall and CPU seconds of a command."""
    before = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - before
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed")
    return wall, usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="target/release/cutshort", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=9, help="default: %(default)s")
    parser.add_argument("--connections", type=int, default=600_000, help="default: %(default)s")
    parser.add_argument("file", nargs="?", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = arguments.file
        if file is None:
            file = Path(folder) / "simulated.pcapng"
            rate = str(arguments.connections // 900)
            simulate = [arguments.program, "simulate", "--duration", "15m", "--rate", rate, "--seed", "1", "-o", file]
            subprocess.run(simulate, check=True, stderr=subprocess.DEVNULL)
        file.read_bytes()  # The page cache has it from here on.
        samples = {1: [], 2: []}
        for _ in range(arguments.rounds):
            for threads, of_threads in samples.items():
                command = [arguments.program, "classify", "-f", "json", "--threads", str(threads), file]
                of_threads.append(measured(command))
    print("| threads | wall s, median (least) | CPU s, median | wall, one thread = 1 |\n|---|---|---|---|")
    one = statistics.median(wall for wall, _ in samples[1])
    for threads, of_threads in samples.items():
        walls = [wall for wall, _ in of_threads]
        cpu = statistics.median(cpu for _, cpu in of_threads)
        wall = statistics.median(walls)
        print(f"| {threads} | {wall:.2f} ({min(walls):.2f}) | {cpu:.2f} | {wall / one:.2f} |")


main()
