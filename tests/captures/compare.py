#!/usr/bin/env python3
"""Compares what cutshort says of random captures, in which ports are used again, with what the oracle says.

compare.py [--rows N] [--seed N] [--least N] [--most N] [--through HOW] [--tshark] [--keep FOLDER] CUTSHORT

Every connection as a JSON line, and all counters. It ends with 1 at the first difference, and leaves that capture in
FOLDER. `--rows` TCP packets are compared (20,000), in captures of `--least` to `--most` (1 to 20,000). `--through`
imports each capture into a store of its own and compares what that exports: `folder`; `pieces`, which imports it piece by
piece, the last one first; or the HTTP address of a ClickHouse, http://127.0.0.1:8123, in which verdicts are then found
in SQL; captures should be large then. `--tshark` dissects the files instead of taking the rows from the generator, which is slow and needs tshark.
"""
import argparse
import collections
import contextlib
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

import generate
import oracle
from dissect import dissect

PLACES, COUNTERS = ("location", "asn", "as_name"), ("tail", "late", "future")


def main():
    about = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    about.add_argument("--rows", type=int, default=20_000, help="how many TCP packets to compare")
    about.add_argument("--seed", type=int, default=1, help="number of the first capture")
    about.add_argument("--least", type=int, default=1, help="how many TCP packets a capture has at least")
    about.add_argument("--most", type=int, default=20_000, help="how many TCP packets a capture has at most")
    about.add_argument("--through", default="classify", help="classify, folder, pieces, or the address of a ClickHouse")
    about.add_argument("--tshark", action="store_true", help="dissect the files with tshark")
    about.add_argument("--keep", type=pathlib.Path, help="where to leave a capture that differs")
    about.add_argument("cutshort", help="the program")
    arguments = about.parse_args()
    rows, seen = 0, collections.Counter()
    for seed in itertools.count(arguments.seed):
        # Of packets in several segments a store takes equal ones for one, and caps them by time, not by arrival; so
        # there should be no more segments than windows.
        orderly, pieces = arguments.through != "classify", arguments.through == "pieces"
        capture = generate.Capture(seed, arguments.least, arguments.most, orderly, pieces)
        with tempfile.TemporaryDirectory() as folder:
            files = write(capture, pathlib.Path(folder))
            differences = compare(arguments, capture, files, seen)
        if differences:
            if arguments.keep:
                write(capture, arguments.keep)
            again = (seed, arguments.least, arguments.most, arguments.through)
            print("a capture differs (--seed %d --least %d --most %d --through %s):" % again, *differences, sep="\n")
            return 1
        rows += sum(row is not None for records in capture.files for _, row in records)
        if rows >= arguments.rows:
            break
    print("%d packets in %d captures are judged alike: %s" % (rows, seed - arguments.seed + 1, dict(seen)))
    return 0


def write(capture, folder):
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / ("%d.pcap" % number) for number in range(len(capture.files))]
    for path, records in zip(files, capture.files):
        path.write_bytes(generate.pcap(records))
    return files


def compare(arguments, capture, files, seen):
    """What differs, as lines to print; `seen` counts what occurred."""
    if arguments.tshark:
        inputs = itertools.chain.from_iterable(map(dissect, map(str, files)))
    else:
        inputs = ((ts, "not_tcp" if row is None else row) for records in capture.files for ts, row in records)
    connections, table = oracle.judge(inputs, time.time_ns())
    seen.update({"connections": len(connections)} | table["excluded"] | table["terminations"])
    seen.update({name: table.get(name, 0) for name in COUNTERS})
    found = [json.loads(line) for line in told(arguments, files).splitlines()]
    for connection in found:
        for name in PLACES:
            connection.pop(name)
    lines = lambda some: collections.Counter(json.dumps(c, sort_keys=True, ensure_ascii=False) for c in some)
    expected, found = lines(connections), lines(found)
    differences = ["- " + line for line in sorted((expected - found).elements())[:5]]
    differences += ["+ " + line for line in sorted((found - expected).elements())[:5]]
    if arguments.through == "classify":
        summary = run(arguments.cutshort, "classify", "--format", "json", *files)
        differences += counters(json.loads(summary), table)
    return differences


def told(arguments, files):
    """The connections as the program tells them, a JSON line each."""
    program = arguments.cutshort
    if arguments.through == "classify":
        return run(program, "classify", "--format", "jsonl", *files)
    with store(program, arguments.through, files[0].parent) as place:
        # In pieces the last one comes first.
        for some in [[file] for file in reversed(files)] if arguments.through == "pieces" else [files]:
            run(program, "import", *place, *some)
        return run(program, "export", "connections", *place, "--format", "jsonl")


@contextlib.contextmanager
def store(program, through, folder):
    """The arguments that name an empty store."""
    if not through.startswith("http:"):
        yield ["--data", folder / "store"]
        return
    ask(through, "CREATE DATABASE random_captures")
    try:
        address = through.replace("http://", "clickhouse://default@") + "/random_captures?classify=sql"
        run(program, "clickhouse", "migrate", "--store", address)
        yield ["--store", address]
    finally:
        ask(through, "DROP DATABASE random_captures SYNC")


def ask(address, query):
    with urllib.request.urlopen(address, query.encode()) as answer:
        answer.read()


def run(program, *arguments):
    ran = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if ran.returncode:
        sys.exit("%s ended with %d: %s" % (" ".join(map(str, ran.args)), ran.returncode, ran.stderr))
    return ran.stdout


def counters(summary, table):
    """The counters of the summary that differ from the oracle's."""
    excluded = {name: count for name, count in summary["excluded"].items() if count}
    pairs = {"excluded": (table["excluded"], excluded), "connections": (table["connections"], summary["connections"])}
    for name in COUNTERS:
        pairs[name] = (table.get(name, 0), summary[name])
    return ["%s: - %s + %s" % (name, *pair) for name, pair in pairs.items() if pair[0] != pair[1]]


if __name__ == "__main__":
    sys.exit(main())
