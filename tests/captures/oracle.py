#!/usr/bin/env python3
"""A second implementation of cutshort's rules, for tests only: plain and slow, over what tshark dissects.

oracle.py FILE...           the table [expect] of each capture
oracle.py --jsonl FILE...   one JSON line per connection, without the geographic fields
oracle.py --check FILE...   compares each capture with its NAME.toml; the exit code tells
oracle.py --foreign FILE... one table per file name, numbers only

Written from the rules' text alone, never from the program's code, so that a mistake has to be made twice.
"""
import collections
import json
import pathlib
import sys
import time
import tomllib

from dissect import ACK, FIN, PSH, RST, SYN, dissect, records

WINDOW, GUARD, DAY = 900 * 10**9, 10 * 10**9, 86_400 * 10**9
LIMIT, REORDER, REORDER_TIME = 10, 10_000, 300 * 10**9
TAGS = """timeout reset fin single_rst multiple_rsts acknumsame acknumsame0 acknumdiff acknumdiff0 single_rstack
    multiple_rstacks rst_and_rstacks zmap answered syn_payload syn_retransmitted server_rst zmap4 masscan mirai
    no_syn_options high_ttl zero_window rst_ttl_differs""".split()
SIGNATURES = [None] + """SYN → ∅|SYN → RST|SYN → RST+ACK|SYN → RST; RST+ACK|SYN; ACK → ∅|SYN; ACK → RST|SYN; ACK → RST; RST|
SYN; ACK → RST+ACK|SYN; ACK → RST+ACK; RST+ACK|PSH+ACK → ∅|PSH+ACK → RST|PSH+ACK → RST+ACK|PSH+ACK → RST; RST+ACK|
PSH+ACK → RST+ACK; RST+ACK|PSH+ACK → RST = RST|PSH+ACK → RST ≠ RST|PSH+ACK → RST; RST₀|PSH+ACK; Data → RST|
PSH+ACK; Data → RST+ACK""".replace("\n", "").split("|")


def take(inputs, now):
    """Sections 1 and 2, of (time, row or reason) in reading order: the rows that are taken of each (5-tuple, window),
    the time that ends the input, what was refused, and how many packets were late and records in the future of `now`.
    """
    groups, refused, future = collections.defaultdict(list), collections.Counter(), 0
    taken, syn_seq, closing = collections.Counter(), {}, Closing()
    latest, latest_of_all = None, None
    for ts, row in inputs:
        closing.record(ts)
        latest_of_all = ts if latest_of_all is None else max(latest_of_all, ts)
        if ts - now > DAY:
            future += 1
        else:
            latest = ts if latest is None else max(latest, ts)
        if isinstance(row, str):
            refused[row] += 1
        elif not closing.is_late(ts):
            here, there = (row.key, ts // WINDOW), (reverse(row.key), ts // WINDOW)
            if is_syn(row) and syn_seq.get(here) != row.seq:
                taken[here] = taken[there] = 0
                syn_seq[here] = row.seq
            if taken[here] < LIMIT:
                taken[here] += 1
                groups[here].append(row)
    counted = {"late": closing.late, "future": future}
    return groups, latest_of_all if latest is None else latest, refused, counted


class Closing:
    """Section 2: a window is closed once REORDER records in a row were later than its end + REORDER_TIME."""

    def __init__(self):
        self.number, self.late, self.closed_before = 0, 0, None
        # Numbers and times of those of the last records that no later record undercuts; the first has the earliest time.
        self.recent = collections.deque()

    def record(self, ts):
        self.number += 1
        while self.recent and self.recent[-1][1] >= ts:
            self.recent.pop()
        self.recent.append((self.number, ts))
        if self.recent[0][0] <= self.number - REORDER:
            self.recent.popleft()
        if self.number >= REORDER:
            # The last window whose end + REORDER_TIME is earlier, and equal is not earlier, is the one before this.
            before = (self.recent[0][1] - REORDER_TIME - 1) // WINDOW
            self.closed_before = before if self.closed_before is None else max(before, self.closed_before)

    def is_late(self, ts):
        late = self.closed_before is not None and ts // WINDOW < self.closed_before
        self.late += late
        return late


def reverse(key):
    src, sport, dst, dport = key
    return dst, dport, src, sport


def split(rows):
    """Section 2: how many rows are the tail of an older connection, and of each connection its rows, where it begins,
    and where the next one does, or None."""
    syns = sorted((r for r in rows if is_syn(r)), key=lambda r: (r.ts, r.seq))
    others = [r for r in rows if not is_syn(r)]
    runs = []
    for syn in syns:
        if runs and runs[-1][0].seq == syn.seq:
            runs[-1].append(syn)
        else:
            runs.append([syn])
    if not runs:
        return 0, [(rows, None, None)]
    starts = [run[0].ts for run in runs]
    found = []
    for run, start, following in zip(runs, starts, starts[1:] + [None]):
        own = [r for r in others if start <= r.ts and (following is None or r.ts < following)]
        found.append((run + own, start, following))
    return sum(r.ts < starts[0] for r in others), found


def same(row):
    return row.flags, row.seq, row.ack, row.payload


def is_syn(row):
    return row.flags & (SYN | ACK | RST | FIN) == SYN


def parts(rows):
    """Section 2: the SYN packets, the RSTs that mean something, and the other packets that do."""
    syns = [r for r in rows if is_syn(r)]
    start = max((r.ts for r in syns), default=0)
    rsts = [r for r in rows if r.flags & RST and r.ts >= start]
    others = [r for r in rows if not r.flags & (SYN | RST) and syns and (r.seq - syns[0].seq) % 2**32 < 2**31]
    return syns, rsts, others


def progress(isn, others):
    """Section 3: the progress, acks and data, and how many packets only repeat data."""
    rel = lambda r: (r.seq - isn) % 2**32
    data = [r for r in others if r.payload and not (r.payload == 1 and rel(r) == 0)]
    acks = [r for r in others if r.flags & ACK]
    ends = lambda some: [rel(r) + r.payload for r in some]
    if not data:
        reached = "post_ack" if acks else "post_syn"
    else:
        first = min(ends([r for r in data if r.flags & PSH]), default=max(ends(data)))
        reached = "later" if max(ends(data)) > first else "post_psh"
    return reached, acks, data, len(data) - len({same(r) for r in data})


def rst_tags(rsts):
    plain, with_ack = [r for r in rsts if not r.flags & ACK], [r for r in rsts if r.flags & ACK]
    if plain and with_ack:
        return ["rst_and_rstacks"]
    if with_ack:
        return ["single_rstack" if len(with_ack) == 1 else "multiple_rstacks"]
    if len(plain) == 1:
        return ["single_rst"]
    numbers = {r.ack for r in plain}
    zero = "0" if 0 in numbers else ""
    return ["multiple_rsts", ("acknumsame" if len(numbers) == 1 else "acknumdiff") + zero]


def signature(stage, tags, plain, with_ack, distinct_acks):
    """Section 6; 0 where none matches."""
    few = lambda n: min(n, 2)
    pair = (few(plain), few(with_ack))
    if "fin" in tags or stage == "none" or stage == "post_ack" and distinct_acks != 1:
        return 0
    if stage == "post_syn":
        return {(0, 0): 1, (1, 0): 2, (0, 1): 3, (1, 1): 4}[(min(plain, 1), min(with_ack, 1))]
    if stage == "post_ack":
        return {(0, 0): 5, (1, 0): 6, (2, 0): 7, (0, 1): 8, (0, 2): 9}.get(pair, 0)
    if stage == "later":
        return {(1, 0): 18, (0, 1): 19}.get((min(plain, 1), min(with_ack, 1)), 0)
    if pair == (2, 0):
        return 17 if "acknumdiff0" in tags else 16 if "acknumdiff" in tags else 15
    return {(0, 0): 10, (1, 0): 11, (0, 1): 12, (0, 2): 14}.get(pair, 13)


def evidence(v4, syn, rsts, rows):
    """Section 7."""
    ttl = max((r.ttl - syn.ttl for r in rsts), key=lambda d: (abs(d), d), default=None)
    ids = [r.ip_id for r in rows if r not in rsts and r.ip_id]
    circle = lambda a, b: min((a - b) % 65536, (b - a) % 65536)
    near = [min(circle(r.ip_id, i) for i in ids) for r in rsts if v4 and r.ip_id and ids]
    return ttl, max(near, default=None)


def options(row):
    """Section 1.11: the kinds of a SYN packet's options in order, its MSS and window scale; no kinds if they were cut."""
    kinds, mss, scale, rest = [], 0, 255, row.options
    if len(rest) < row.options_len:
        return None, mss, scale
    while rest:
        length = 1 if rest[0] < 2 else rest[1] if len(rest) > 1 else 0
        if length < 1 or rest[0] > 1 and length < 2 or length > len(rest):
            return (*kinds, "?"), mss, scale
        own, rest = rest[:length], rest[length:]
        kinds.append({0: "EOL", 1: "NOP", 2: "MSS", 3: "WS", 4: "SACK", 8: "TS"}.get(own[0], "?"))
        mss = int.from_bytes(own[2:]) if own[0] == 2 and length == 4 else mss
        scale = own[2] if own[0] == 3 and length == 3 else scale
        if own[0] == 0:
            break
    return tuple(kinds), mss, scale


OF_ZMAP = {(tuple(kinds.split()), 1460, scale) for kinds, scale in [
    ("MSS NOP WS NOP NOP SACK", 8), ("MSS SACK TS NOP WS", 7), ("MSS NOP WS NOP NOP TS SACK EOL", 6)]}


def scanners(syn):
    """Section 5, tags 21 to 23."""
    _, _, dst, port = syn.key
    if dst.version != 4:
        return {}
    return {"zmap4": not syn.df and syn.window == 65535 and options(syn) in OF_ZMAP,
            "masscan": syn.window != 65535 and syn.ip_id == (int(dst) ^ port ^ syn.seq) & 0xFFFF,
            "mirai": syn.seq == int(dst)}


def verdict(rows, other, cutoff, followed):
    """Sections 2 to 7 for the rows of one connection, with the other direction's of the same span of time: a dict, or
    the reason for leaving it out."""
    syns, rsts, others = parts(rows)
    if not syns:
        return "no_syn"
    server_rst = any(r.flags & RST and r.ts >= max(s.ts for s in syns) for r in other)
    reached, acks, data, repeats = progress(syns[0].seq, others)
    answered = len({r.ack for r in acks}) > 1
    fin = any(r.flags & FIN for r in others)
    last = max(r.ts for r in rows)
    if rsts:
        termination = "reset"
    elif server_rst:
        termination = "server_reset"
    elif fin:
        termination = "fin"
    elif len(rows) >= LIMIT and len(syns) - 1 + repeats < LIMIT / 2:
        termination = "open"
    elif last > cutoff - GUARD:
        return "multiple_syn" if followed else "incomplete"
    else:
        termination = "open" if answered else "timeout"
    stage = {"reset": reached, "timeout": "post_psh" if reached == "later" else reached}.get(termination, "none")
    marks = lambda r: [scanners(r).get(name, False) for name in ("mirai", "masscan", "zmap4")]
    syn = min(syns, key=lambda r: (r.ts, r.ip_id, r.ttl, r.window, r.options_len, marks(r)))
    tags = {"timeout"} if termination == "timeout" else set()
    if rsts:
        tags |= {"reset", *rst_tags(rsts)} | ({"fin"} if fin else set())
    extra = {"zmap": syn.ip_id == 54321 and syn.window == 65535, "answered": answered,
             "syn_payload": any(r.payload for r in syns), "syn_retransmitted": len(syns) > 1, "server_rst": server_rst,
             "no_syn_options": syn.options_len == 0, "high_ttl": syn.ttl > 200,
             "zero_window": any(not r.window for r in acks + data),
             "rst_ttl_differs": any(abs(r.ttl - syn.ttl) >= 3 for r in rsts), **scanners(syn)}
    tags |= {name for name, holds in extra.items() if holds}
    plain = sum(not r.flags & ACK for r in rsts)
    number = signature(stage, tags, plain, len(rsts) - plain, len({same(r) for r in acks}))
    src, sport, dst, dport = syn.key
    ttl, ip_id = evidence(src.version == 4, syn, rsts, rows)
    return {"first_us": min(r.ts for r in rows) // 1000, "last_us": last // 1000, "node": "", "src_ip": str(src),
            "src_port": sport, "dst_ip": str(dst), "dst_port": dport, "ip_version": src.version, "packets": len(rows),
            "stage": stage, "termination": termination, "tags": [t for t in TAGS if t in tags],
            "signature": SIGNATURES[number], "signature_id": number or None, "rst_ttl_delta": ttl,
            "rst_ip_id_delta": ip_id, "silent_us": max(0, cutoff - last) // 1000, "sample_rate": 1}


def judge(inputs, now):
    """The connections of an input, and its [expect] table."""
    groups, latest, refused, counted = take(inputs, now)
    connections, excluded, tails = [], collections.Counter(), 0
    for (key, window), rows in groups.items():
        other = groups.get((reverse(key), window), [])
        tail, found = split(rows)
        tails += tail
        for own, start, following in found:
            span = [r for r in other if start is not None and start <= r.ts and (following is None or r.ts < following)]
            cutoff = min(latest, (window + 1) * WINDOW) if following is None else following
            result = verdict(own, span, cutoff, following is not None)
            if isinstance(result, str):
                excluded[result] += 1
            else:
                connections.append(result)
    count = lambda names: dict(collections.Counter(names))
    signatures = sorted(c["signature_id"] for c in connections if c["signature_id"])
    table = {"connections": len(connections), "excluded": dict(excluded),
             "stages": count(c["stage"] for c in connections), "terminations": count(c["termination"] for c in connections),
             "tags": count(t for name in TAGS for c in connections for t in c["tags"] if t == name),
             "signatures": count(map(str, signatures)), "refused": dict(refused)}
    table |= {name: number for name, number in {"tail": tails, **counted}.items() if number}
    return connections, table


def toml(table):
    def inline(value):
        if isinstance(value, int):
            return str(value)
        names = ('"%s"' % k if k.isdigit() else k for k in value)
        return "{ %s }" % ", ".join("%s = %d" % pair for pair in zip(names, value.values())) if value else "{}"
    return "\n".join("%s = %s" % (key, inline(value)) for key, value in table.items())


def check(path):
    """True if the capture is what its NAME.toml says; else says where not."""
    with open(pathlib.Path(path).with_suffix(".toml"), "rb") as file:
        said = tomllib.load(file)
    found = judge(dissect(path), time.time_ns())[1]
    said["expect"].setdefault("refused", {})
    wrong = [k for k in found.keys() | said["expect"].keys() if found.get(k) != said["expect"].get(k)]
    wrong += ["packets"] * (sum(1 for _ in records(path)) != said["packets"])
    for key in wrong:
        print("%s: %s: said %s, found %s" % (path, key, said["expect"].get(key), found.get(key)))
    return not wrong


def main(arguments):
    mode = arguments.pop(0) if arguments and arguments[0].startswith("--") else ""
    if mode == "--check":
        return 0 if all([check(path) for path in arguments]) else 1
    for path in arguments:
        connections, table = judge(dissect(path), time.time_ns())
        if mode == "--jsonl":
            for connection in connections:
                print(json.dumps(connection, ensure_ascii=False, separators=(",", ":")))
        elif mode == "--foreign":
            print('["%s"]\n%s\n' % (pathlib.Path(path).name, toml(table)))
        else:
            print("# %s\n[expect]\n%s" % (path, toml(table)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
