#!/usr/bin/env python3
"""Holds cutshort's totals against what the workload generator says it made.

    check_truth.py SUMMARY.json TOTALS.tsv TRUTH.tsv

SUMMARY  from `cutshort classify --format json`
TOTALS   the generator's totals, and a line that compare.sh adds: `last_us` (time of the capture's last
         record)
TRUTH    the generator's list: id, class, kind of reset, zmap, FIN before the reset, packets,
         times of the first and the last packet (us), source address and port, destination address and port

The generator knows what it sent; cutshort reports what can be known from at most ten packets of one
15-minute window. So this script works out, for every connection of TRUTH, what cutshort must say of it:

* Only the first 10 packets are taken. A long normal connection loses its FIN and is `open` instead of
  `fin`: stage `none` either way. A late reset may lose some of its RSTs, and so get another tag.
* `later_timeout` has two different ack numbers: it is answered, so `open`, stage `none`.
* Who falls silent in the last 10 s (the guard) before the cutoff is `incomplete`.
* Who lives across the end of a window is cut in two: the second part is a `no_syn`, the first one is
  `incomplete` unless its FIN, a RST or ten packets came in time.

TRUTH does not say which packets of a connection lie in which window, nor how many ACKs precede a late
reset. A connection for which that matters gets several possible outcomes, and each total becomes a range.
A range wider than 3 % is marked: it checks little.

Exit code: 0 all totals in range, 1 not, 2 the input is unusable.
"""

import functools
import json
import math
import sys
from collections import Counter
from typing import NamedTuple

PACKET_LIMIT = 10
WINDOW_US = 900_000_000
GUARD_US = 10_000_000
WIDE = 0.03

# Packets before the first reset, where that does not vary.
BEFORE_RESET = {"post_syn_reset": 1, "post_ack_reset": 2, "post_psh_reset": 3}
RESET_TAGS = {
    "single_rst": ["single_rst"],
    "single_rstack": ["single_rstack"],
    "acknumsame": ["multiple_rsts", "acknumsame"],
    "acknumsame0": ["multiple_rsts", "acknumsame0"],
    "acknumdiff": ["multiple_rsts", "acknumdiff"],
    "acknumdiff0": ["multiple_rsts", "acknumdiff0"],
    "multiple_rstacks": ["multiple_rstacks"],
    "rst_and_rstacks": ["rst_and_rstacks"],
}
# How many packets a kind of reset has, and what is left of it when only the first is taken.
RESET_SIZES = {"single_rst": [1], "single_rstack": [1], "acknumdiff0": [2], "rst_and_rstacks": [2]}
FIRST_OF = {"single_rstack": "single_rstack", "multiple_rstacks": "single_rstack"}
STAGES = ["post_syn", "post_ack", "post_psh", "later", "none"]
REASONS = ["no_syn", "multiple_syn", "incomplete"]
TAGS = ["timeout", "reset", "fin", "single_rst", "multiple_rsts", "acknumsame", "acknumsame0", "acknumdiff",
        "acknumdiff0", "single_rstack", "multiple_rstacks", "rst_and_rstacks", "zmap", "answered",
        "syn_payload", "syn_retransmitted", "server_rst"]


class Connection(NamedTuple):
    """A row of TRUTH without what tells it from its likes: few thousand values, millions of rows."""

    kind: str
    reset: str
    zmap: bool
    fin: bool
    packets: int


class Fate(NamedTuple):
    """Whether its packets lie in two windows, and whether the last one lies within the guard."""

    crosses: bool
    guarded: bool


def unusable(why):
    print(f"check_truth: {why}", file=sys.stderr)
    sys.exit(2)


# --- What cutshort must say -------------------------------------------------------------------------

def connection(stage, *tags):
    return frozenset(["connections", f"stages.{stage}", *(f"tags.{tag}" for tag in tags)])


def excluded(reason):
    return frozenset([f"excluded.{reason}"])


def resets_taken(c):
    """The numbers of RSTs that may be among the packets taken."""
    sizes = RESET_SIZES.get(c.reset, [2, 3])
    if c.kind != "later_reset":
        return {c.packets - BEFORE_RESET[c.kind]}
    least = 5 + c.fin  # SYN, ACK, request, ACK, data; then 0 to 3 ACKs, and perhaps a FIN
    fits = [size for size in sizes if least <= c.packets - size <= least + 3]
    return {min(size, PACKET_LIMIT - (c.packets - size)) for size in fits}


def reset_outcome(c, taken):
    reset = FIRST_OF.get(c.reset, "single_rst") if taken == 1 else c.reset
    tags = ["reset", *RESET_TAGS[reset]]
    tags += ["fin"] * c.fin + ["zmap"] * c.zmap + ["answered"] * (c.kind == "later_reset")
    return connection(c.kind.removesuffix("_reset"), *tags)


def whole_outcomes(c, guarded):
    """All its packets lie in one window."""
    if c.kind == "none_fin":
        return {connection("none", "answered")}  # but see unsure_answers
    if c.kind.endswith("_reset"):
        return {reset_outcome(c, taken) for taken in resets_taken(c)}
    if guarded:
        return {excluded("incomplete")}
    if c.kind == "later_timeout":
        return {connection("none", "answered")}
    return {connection(c.kind.removesuffix("_timeout"), "timeout", *["zmap"] * c.zmap)}


def cut_outcomes(c):
    """Its packets lie in two windows: the second part has no SYN, the first may have lost its end.
    No gap between packets is near the guard, so a first part that has no end is always incomplete."""
    firsts = {excluded("incomplete")}
    if c.kind == "none_fin" or c.fin:
        firsts |= {connection("none"), connection("none", "answered")}
    if c.kind.endswith("_reset"):
        firsts |= {reset_outcome(c, n) for most in resets_taken(c) for n in range(1, most + 1)}
    return {first | excluded("no_syn") for first in firsts}


@functools.cache
def outcomes(c, fate):
    """Every set of counters that this connection may add 1 to."""
    return cut_outcomes(c) if fate.crosses else whole_outcomes(c, fate.guarded)


def fate(first, last, last_record):
    end = (first // WINDOW_US + 1) * WINDOW_US
    return Fate(last >= end, last > min(end, last_record) - GUARD_US)


# --- Reading ----------------------------------------------------------------------------------------

def read_totals(path):
    with open(path, encoding="utf-8") as lines:
        totals = dict(line.rstrip("\n").split("\t") for line in lines)
    if not {"connections", "last_us"} <= totals.keys():
        unusable(f"{path}: connections or last_us is missing")
    return {name: int(value) for name, value in totals.items()}


def read_truth(path, last_record):
    """Yields (Connection, Fate); two connections with the same 5-tuple would make the truth ambiguous."""
    seen = set()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            i, kind, reset, zmap, fin, packets, first, last, five_tuple = line.rstrip("\n").split("\t", 8)
            seen.add(five_tuple)
            connection = Connection(kind, reset, zmap == "1", fin == "1", int(packets))
            yield connection, fate(int(first), int(last), last_record)
            if len(seen) != int(i) + 1:
                unusable(f"{path}: {five_tuple!r} occurs twice; take another seed")


def check_totals(totals, groups):
    """The two files must be of one run of the generator."""
    made = Counter()
    for (c, _), count in groups.items():
        made.update({"connections": count, "packets": count * c.packets, c.kind: count,
                     "zmap": count * c.zmap, "fin_then_reset": count * c.fin})
        if c.reset != "-":
            made[f"tag_{c.reset}"] += count
    for name, value in made.items():
        if totals.get(name) != value:
            unusable(f"totals and truth disagree: {name} is {totals.get(name)} and {value}")


def flatten(summary):
    flat = Counter(connections=summary["connections"])
    for reason in REASONS:
        flat[f"excluded.{reason}"] = summary["excluded"][reason]
    for group in ("stages", "tags"):
        for name, value in summary[group].items():
            flat[f"{group}.{name}"] = value["count"]
    return flat


# --- Comparing --------------------------------------------------------------------------------------

def unsure_answers(groups):
    """A normal connection of 11 packets or more shows only one ack number if all of its 6 or 7 middle
    packets that are taken are data (1 in 5 each): a handful per million; six sigma of them."""
    long = Counter()
    for (c, _), count in groups.items():
        if c.kind == "none_fin" and c.packets > PACKET_LIMIT:
            long[min(7, c.packets - 5)] += count
    expected = sum(count * 0.2**middle for middle, count in long.items())
    return math.ceil(expected + 6 * math.sqrt(expected))


def ranges(groups):
    """Least and greatest value of each total."""
    low, high = Counter(), Counter()
    for (c, fate), count in groups.items():
        possible = outcomes(c, fate)
        for name in frozenset.intersection(*possible):
            low[name] += count
        for name in frozenset.union(*possible):
            high[name] += count
    low["tags.answered"] -= unsure_answers(groups)
    return low, high


def range_lines(got, low, high):
    """One line per total, and whether it is in its range."""
    names = ["connections", *(f"excluded.{reason}" for reason in REASONS)]
    names += [f"stages.{stage}" for stage in STAGES] + [f"tags.{tag}" for tag in TAGS]
    for name in names:
        good = low[name] <= got[name] <= high[name]
        wide = high[name] - low[name] > WIDE * high[name]
        expected = f"{low[name]}" if low[name] == high[name] else f"{low[name]} to {high[name]}"
        note = "ok" if good else "WRONG"
        yield good, f"{name:26} {got[name]:>10}  expected {expected:22} {note}{' (wide)' if good and wide else ''}"


def sums(got, connections):
    """Equations that hold exactly, whatever the times."""
    def tags(*names):
        return sum(got[f"tags.{name}"] for name in names)

    stages = sum(got[f"stages.{stage}"] for stage in STAGES)
    return [
        ("each SYN is in a connection or an incomplete one",
         got["connections"] + got["excluded.incomplete"], connections),
        ("each connection has one stage", stages, got["connections"]),
        ("timeouts and resets are what has a stage", tags("timeout", "reset"), stages - got["stages.none"]),
        ("each reset has one shape", tags("single_rst", "multiple_rsts", "single_rstack", "multiple_rstacks",
                                          "rst_and_rstacks"), tags("reset")),
        ("many RSTs have one pattern", tags("acknumsame", "acknumsame0", "acknumdiff", "acknumdiff0"),
         tags("multiple_rsts")),
    ]


def sum_lines(got, connections):
    for what, left, right in sums(got, connections):
        good = left == right
        yield good, f"{what}: {left} = {right} ok" if good else f"{what}: {left} is not {right} WRONG"


def main(summary_path, totals_path, truth_path):
    totals = read_totals(totals_path)
    groups = Counter(read_truth(truth_path, totals["last_us"]))
    check_totals(totals, groups)
    try:
        with open(summary_path, encoding="utf-8") as file:
            got = flatten(json.load(file))
    except (OSError, ValueError, KeyError, TypeError) as error:
        unusable(f"{summary_path}: not a summary: {error!r}")
    checks = [*range_lines(got, *ranges(groups)), *sum_lines(got, totals["connections"])]
    for _, line in checks:
        print(line)
    wrong = sum(not good for good, _ in checks)
    print(f"truth: {wrong} of {len(checks)} totals are wrong" if wrong else f"truth: all {len(checks)} totals agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        unusable("usage: check_truth.py SUMMARY.json TOTALS.tsv TRUTH.tsv")
    sys.exit(main(*sys.argv[1:]))
