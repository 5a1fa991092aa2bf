#!/usr/bin/env python3
"""A second implementation of cutshort's rules, for tests only: plain and slow, over what tshark dissects.

oracle.py FILE...           the table [expect] of each capture
oracle.py --jsonl FILE...   one JSON line per connection, without the geographic fields
oracle.py --check FILE...   compares each capture with its NAME.toml; the exit code tells
oracle.py --foreign FILE... one table per file name, numbers only

Written from the rules' text alone, never from the program's code, so that a mistake has to be made twice.
"""
import collections
import ipaddress
import json
import pathlib
import subprocess
import sys
import tomllib

WINDOW, GUARD = 900 * 10**9, 10 * 10**9
LIMIT, REORDER, REORDER_TIME = 10, 10_000, 300 * 10**9
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
TAGS = """timeout reset fin single_rst multiple_rsts acknumsame acknumsame0 acknumdiff acknumdiff0 single_rstack
    multiple_rstacks rst_and_rstacks zmap answered syn_payload syn_retransmitted server_rst""".split()
SIGNATURES = [None] + """SYN → ∅|SYN → RST|SYN → RST+ACK|SYN → RST; RST+ACK|SYN; ACK → ∅|SYN; ACK → RST|SYN; ACK → RST; RST|
SYN; ACK → RST+ACK|SYN; ACK → RST+ACK; RST+ACK|PSH+ACK → ∅|PSH+ACK → RST|PSH+ACK → RST+ACK|PSH+ACK → RST; RST+ACK|
PSH+ACK → RST+ACK; RST+ACK|PSH+ACK → RST = RST|PSH+ACK → RST ≠ RST|PSH+ACK → RST; RST₀|PSH+ACK; Data → RST|
PSH+ACK; Data → RST+ACK""".replace("\n", "").split("|")
FIELDS = """frame.time_epoch frame.protocols ip.src ip.dst ip.id ip.ttl ip.proto ip.frag_offset ip.len ip.hdr_len ipv6.src ipv6.dst
    ipv6.hlim ipv6.nxt ipv6.plen ipv6.fraghdr.offset ipv6.fraghdr.nxt tcp.srcport tcp.dstport tcp.flags tcp.seq_raw tcp.ack_raw
    tcp.window_size_value tcp.hdr_len tcp.len tcp.urgent_pointer ip.version""".split()
# Only these are walked: IP in IP, 6in4 and GRE are "not TCP", MPLS is "not IP".
LINK = {"eth", "ethertype", "vlan", "ieee8021ad", "sll", "null", "raw", "nflog", "pppoes", "ppp"}
CHAIN = {"ipv6.hopopts", "ipv6.routing", "ipv6.dstopts", "ipv6.fraghdr", "ah"}
Row = collections.namedtuple("Row", "ts key ip_id ttl flags seq ack window payload")


def records(path):
    """Every record of the file as a dict of tshark's fields, in reading order."""
    options = """ip.defragment:FALSE ipv6.defragment:FALSE tcp.desegment_tcp_streams:FALSE
        tcp.analyze_sequence_numbers:FALSE""".split()
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=f", "-E", "separator=/t"]
    command += [x for o in options for x in ("-o", o)] + [x for f in FIELDS for x in ("-e", f)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        yield dict(zip(FIELDS, line.split("\t")))


def time_ns(text):
    seconds, _, fraction = text.partition(".")
    return int(seconds) * 10**9 + int((fraction + "0" * 9)[:9])


def row_or_reason(r):
    """Section 1: a row, or why the record is none."""
    layers = r["frame.protocols"].split(":")
    rest = layers[next((i for i, name in enumerate(layers) if name not in LINK), len(layers)):]
    if not rest or rest[0] not in ("ip", "ipv6"):
        return "not_ip"
    v4 = rest[0] == "ip"
    if r["ip.version"] != ("4" if v4 else "6") or not r["ip.proto" if v4 else "ipv6.nxt"]:
        return "malformed"
    number = lambda field: int(r[field] or "0", 0)
    if number("ip.frag_offset" if v4 else "ipv6.fraghdr.offset"):
        return "fragment" if number("ip.proto" if v4 else "ipv6.fraghdr.nxt") == 6 else "not_tcp"
    transport = next((name for name in rest[1:] if name not in CHAIN), "")
    if transport != "tcp" or v4 and r["ip.proto"] != "6":
        return "not_tcp" if transport or r["ip.proto"] != "6" else "cut"
    room = number("ip.len") - number("ip.hdr_len") if v4 else number("ipv6.plen")
    if 0 < number("ip.len" if v4 else "ipv6.plen") and room < 20 or r["tcp.hdr_len"] and number("tcp.hdr_len") < 20:
        return "malformed"
    if not r["tcp.urgent_pointer"]:
        return "cut"
    src, dst = (ipaddress.ip_address(r[rest[0] + "." + end]) for end in ("src", "dst"))
    if not v4 and (src.ipv4_mapped or dst.ipv4_mapped):
        return "malformed"
    # From the IP length: tshark's own tcp.len stops where an NFLOG rule cut the packet, and is not there for a first
    # fragment. Behind other extension headers, and where the IP length is 0, it has to do.
    payload = number("tcp.len")
    if number("ip.len" if v4 else "ipv6.plen") and CHAIN.intersection(rest) <= {"ipv6.fraghdr"}:
        payload = room - 8 * ("ipv6.fraghdr" in rest) - number("tcp.hdr_len")
    if payload < 0:
        return "malformed"
    return Row(time_ns(r["frame.time_epoch"]), (src, number("tcp.srcport"), dst, number("tcp.dstport")), number("ip.id"),
               number("ip.ttl" if v4 else "ipv6.hlim"), number("tcp.flags") & 0x1FF, number("tcp.seq_raw"),
               number("tcp.ack_raw"), number("tcp.window_size_value"), payload)


def read(path):
    """Rows by (5-tuple, window), capped; the latest time; what was refused; how many were late."""
    groups, refused, latest, late = collections.defaultdict(list), collections.Counter(), 0, 0
    recent, closed = collections.deque(maxlen=REORDER), 0
    for r in records(path):
        ts = time_ns(r["frame.time_epoch"])
        latest = max(latest, ts)
        recent.append(ts)
        if len(recent) == REORDER:
            closed = max(closed, min(recent) - REORDER_TIME)
        row = row_or_reason(r)
        if isinstance(row, str):
            refused[row] += 1
        elif (ts // WINDOW + 1) * WINDOW < closed:
            late += 1
        elif len(rows := groups[row.key, ts // WINDOW]) < LIMIT:
            rows.append(row)
    return groups, latest, refused, late


def same(row):
    return row.flags, row.seq, row.ack, row.payload


def is_syn(row):
    return row.flags & (SYN | ACK | RST | FIN) == SYN


def split(rows):
    """Section 2: the SYN packets, the RSTs that mean something, and the other packets that do."""
    syns = [r for r in rows if is_syn(r)]
    start = max((r.ts for r in syns), default=0)
    rsts = [r for r in rows if r.flags & RST and r.ts >= start]
    others = [r for r in rows if not r.flags & (SYN | RST) and syns and (r.seq - syns[0].seq) % 2**32 < 2**31]
    return syns, rsts, others


def progress(isn, others):
    """Section 3, and how many packets only repeat data."""
    rel = lambda r: (r.seq - isn) % 2**32
    data = [r for r in others if r.payload and not (r.payload == 1 and rel(r) == 0)]
    acks = [r for r in others if r.flags & ACK]
    ends = lambda some: [rel(r) + r.payload for r in some]
    if not data:
        reached = "post_ack" if acks else "post_syn"
    else:
        first = min(ends([r for r in data if r.flags & PSH]), default=max(ends(data)))
        reached = "later" if max(ends(data)) > first else "post_psh"
    return reached, acks, len(data) - len({same(r) for r in data})


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


def verdict(rows, reverse, cutoff):
    """Sections 2 to 7 for the rows of one 5-tuple and window: a dict, or the reason for leaving it out."""
    syns, rsts, others = split(rows)
    if not syns:
        return "no_syn"
    if len({r.seq for r in syns}) > 1:
        return "multiple_syn"
    server_rst = any(r.flags & RST and r.ts >= max(s.ts for s in syns) for r in reverse)
    reached, acks, repeats = progress(syns[0].seq, others)
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
        return "incomplete"
    else:
        termination = "open" if answered else "timeout"
    stage = {"reset": reached, "timeout": "post_psh" if reached == "later" else reached}.get(termination, "none")
    syn = min(syns, key=lambda r: (r.ts, r.ip_id, r.ttl, r.window))
    tags = {"timeout"} if termination == "timeout" else set()
    if rsts:
        tags |= {"reset", *rst_tags(rsts)} | ({"fin"} if fin else set())
    extra = {"zmap": syn.ip_id == 54321 and syn.window == 65535, "answered": answered,
             "syn_payload": any(r.payload for r in syns), "syn_retransmitted": len(syns) > 1, "server_rst": server_rst}
    tags |= {name for name, holds in extra.items() if holds}
    plain = sum(not r.flags & ACK for r in rsts)
    number = signature(stage, tags, plain, len(rsts) - plain, len({same(r) for r in acks}))
    src, sport, dst, dport = syn.key
    ttl, ip_id = evidence(src.version == 4, syn, rsts, rows)
    return {"first_us": min(r.ts for r in rows) // 1000, "last_us": last // 1000, "node": "", "src_ip": str(src),
            "src_port": sport, "dst_ip": str(dst), "dst_port": dport, "ip_version": src.version, "packets": len(rows),
            "stage": stage, "termination": termination, "tags": [t for t in TAGS if t in tags],
            "signature": SIGNATURES[number], "signature_id": number or None, "rst_ttl_delta": ttl,
            "rst_ip_id_delta": ip_id, "silent_us": (cutoff - last) // 1000, "sample_rate": 1}


def judge(path):
    """The connections of a file, and its [expect] table."""
    groups, latest, refused, late = read(path)
    connections, excluded = [], collections.Counter()
    for ((src, sport, dst, dport), window), rows in groups.items():
        reverse = groups.get(((dst, dport, src, sport), window), [])
        result = verdict(rows, reverse, min(latest, (window + 1) * WINDOW))
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
    if late:
        table["late"] = late
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
    found = judge(path)[1]
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
        connections, table = judge(path)
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
