#!/usr/bin/env python3
"""What sampling costs packets that are not sampled, and how many packets a second are received without loss.

usage: bench/live.py [--cutshort PROGRAM] [--rounds N] [--seconds N] [--beside FILE] [--only NAMES]

Two network namespaces of its own joined by a veth pair; a Python program sends packets of new connections from
one to the other, with a wrong TCP or UDP checksum so that nobody answers. Needs root, ip, nft and iptables-restore.
The kernel receives such a packet on the sender's processor, within the call that sends it, so what a rule set costs
is the processor's time per packet less that of the same run without rules: of packets that rules decide on, and of others,
which they look up. Packets that leave are sent the other way, through a raw socket. Every number is that of the fastest
thousand packets of all rounds, which take turns: what else runs disturbs it little. --beside measures other rules for nft as well, such as those of an older version. --only ebpf,conntrack measures
only those whose names contain one of these words, beside no rules and --nft. Exit code: 0 done, 2 cannot run.
"""
import argparse
import math
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

CLIENT, SERVER = f"cutbench{os.getpid()}c", f"cutbench{os.getpid()}s"
MAC = {"c0": "02:00:00:00:01:02", "s0": "02:00:00:00:02:02"}
PORT = 8080
PACKETS = 3  # of a connection
# A share that takes nothing of what is sent.
NOTHING = 1_000_000_000


def sh(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, text=True)


def inside(namespace, *command, check=True):
    return sh("ip", "netns", "exec", namespace, *command, check=check)


def set_up():
    for name in (CLIENT, SERVER):
        sh("ip", "netns", "add", name)
    sh("ip", "link", "add", "c0", "netns", CLIENT, "type", "veth", "peer", "name", "s0", "netns", SERVER)
    for name, device, address in ((CLIENT, "c0", "198.51.100.1/24"), (SERVER, "s0", "198.51.100.2/24")):
        sh("ip", "-n", name, "link", "set", device, "address", MAC[device])
        sh("ip", "-n", name, "addr", "add", address, "dev", device)
        sh("ip", "-n", name, "link", "set", device, "up")
        sh("ip", "-n", name, "link", "set", "lo", "up")


def tear_down():
    for name in (CLIENT, SERVER):
        # What an interrupted measurement has left running.
        for pid in sh("ip", "netns", "pids", name, check=False).stdout.split():
            os.kill(int(pid), signal.SIGTERM)
        sh("ip", "netns", "del", name, check=False)


# --- Sending, in a process of its own in the client's namespace ------------------------------------------------------


def packet(protocol, source, target, data):
    """From the IP header on."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0, 64, protocol, 0) + source + target
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack("!H", ~total & 0xFFFF) + head[12:] + data


def segment(source, target, ports, numbers, flags, data=b""):
    """The same, with a wrong TCP checksum."""
    return packet(6, source, target, struct.pack("!HHIIBBHHH", *ports, *numbers, 0x50, flags, 1, 0, 0) + data)


ETHERNET = bytes.fromhex((MAC["s0"] + MAC["c0"]).replace(":", "")) + b"\x08\x00"
OURS, THEIRS = bytes((198, 51, 100, 2)), bytes((198, 51, 100, 1))


def client(number):
    """Address and port of a connection's client."""
    return struct.pack("!I", (10 << 24) + number // 60000), 1024 + number % 60000


def frame(number, at):
    """Packet `at` of a connection: SYN, ACK, message. Addresses, ports and sequence numbers are its own."""
    source, port = client(number)
    flags, seq, data = ((2, 0, b""), (16, 1, b""), (24, 1, b"hi"))[at]
    return ETHERNET + segment(source, OURS, (port, PORT), ((number * 4099 + seq) & 0xFFFFFFFF, at), flags, data)


def datagram(number, data):
    """A datagram to a QUIC port, with a wrong checksum."""
    source, port = client(number)
    return ETHERNET + packet(17, source, OURS, struct.pack("!HHHH", port, 443, 8 + len(data), 0x0101) + data)


def initial(number):
    """The beginning of an Initial packet of version 1, with padding."""
    return datagram(number, (b"\xc3\0\0\0\1\x08" + struct.pack("!Q", number) + b"\0\0\x44\x9e").ljust(1200, b"\0"))


def leaving(number, flags):
    """A packet that the server sends, from its IP header on."""
    return segment(OURS, THEIRS, (1024 + number % 60000, PORT), (number, 1), flags)


# How packet `number` of each kind is made, and whether it leaves the server.
KINDS = {
    "SYN": (lambda number: frame(number, 0), False),
    "other TCP": (lambda number: frame(number, 1), False),
    "Initial": (initial, False),
    "other UDP 443": (lambda number: datagram(number, b"\x41" + bytes(40)), False),
    "SYN out": (lambda number: leaving(number, 0x02), True),
    "PSH out": (lambda number: leaving(number, 0x18), True),
    "ACK out": (lambda number: leaving(number, 0x10), True),
    "RST out": (lambda number: leaving(number, 0x04), True),
    # All packets of connections, one connection after the other.
    "connections": (lambda number: frame(number // PACKETS, number % PACKETS), False),
}


def send(count, rate, kind):
    """Sends so many packets of a kind, at so many a second or as fast as it goes; prints how long it took, and the time of
    the processor for each packet of the fastest thousand."""
    make, leaves = KINDS[kind]
    packets = [make(number) for number in range(count)]
    if leaves:
        out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        out.connect(("198.51.100.1", 0))
    else:
        out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        out.bind(("c0", 0))
    started, least = time.perf_counter(), math.inf
    batch = 32 if rate else 1000
    for first in range(0, len(packets), batch):
        worked = time.process_time()
        for one in packets[first : first + batch]:
            out.send(one)
        least = min(least, (time.process_time() - worked) / batch)
        if rate:
            wait = started + (first + batch) / rate - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
    print(time.perf_counter() - started, least)


def flood(count, kind, rate=0):
    command = ["taskset", "-c", "0", sys.executable, os.path.abspath(__file__)]
    command += ["--send", str(count), "--pace", str(rate), "--kind", kind]
    return [float(one) for one in inside(SERVER if KINDS[kind][1] else CLIENT, *command).stdout.split()]


# --- What packets cost that are not sampled --------------------------------------------------------------------------


def rules(cutshort, *options):
    inside(SERVER, cutshort, "rules", "apply", *options)


def no_rules(cutshort):
    inside(SERVER, cutshort, "rules", "remove", check=False)


def costs(cutshort, rounds, beside, count, only):
    methods = {
        "no rules": None,
        **({"`--beside`": "beside"} if beside else {}),
        "`--nft` (default)": ("--nft",),
        "`--nft --server-resets`": ("--nft", "--server-resets"),
        "`--origin`": ("--origin",),
        "`--quic`": ("--quic",),
        "`--nft-conntrack`": ("--nft-conntrack",),
        "`--iptables`": ("--iptables",),
        "`af_packet:s0`, no rules": "af_packet:s0",
        "`ebpf:s0`, no rules": "ebpf:s0",
    }
    always = ("no rules", "`--nft` (default)")
    methods = {name: how for name, how in methods.items() if name in always or any(word in name for word in only)}
    measured = [kind for kind in KINDS if kind != "connections"]
    least = {}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for name, options in methods.items():
            receiver = None
            if options == "beside":
                inside(SERVER, "nft", "-f", beside)
            elif isinstance(options, str):
                receiver = start(cutshort, options, {"CUTSHORT_SAMPLE_RATE": str(NOTHING)})
            elif options:
                rules(cutshort, *options, "--rate", str(NOTHING))
            took = [flood(count, kind)[1] * 1e9 for kind in measured]
            least[name] = [min(one) for one in zip(took, least.get(name, took))]
            if receiver:
                stop(receiver)
            no_rules(cutshort)
    show(least, measured)


def show(least, kinds):
    """Nanoseconds without rules, what rules add, and this beside what the default rules add to a SYN that arrives."""
    base = least["no rules"]
    more = {name: [one - of for one, of in zip(took, base)] for name, took in least.items()}
    unit = more["`--nft` (default)"][0]
    print("| rules | " + " | ".join(kinds) + " |\n|---|" + "--:|" * len(kinds))
    print("| no rules, ns | " + " | ".join(f"{one:.0f}" for one in base) + " |")
    for name, of_kinds in more.items():
        if name != "no rules":
            print(f"| {name}, ns more (ratio) | " + " | ".join(f"{one:.0f} ({one / unit:.2f})" for one in of_kinds) + " |")


# --- How many are received -------------------------------------------------------------------------------------------


def start(cutshort, source, settings):
    folder = tempfile.mkdtemp(prefix="cutshort-bench-")
    environment = os.environ | {"CUTSHORT_TOKEN": "none", "CUTSHORT_NODE": "bench", "CUTSHORT_SPOOL_BYTES": "1000000000"} | settings
    # Nobody is there: packets go to the spool.
    command = ["ip", "netns", "exec", SERVER, cutshort, "agent", "--capture", source, "--spool", folder]
    command += ["--collector", "http://127.0.0.1:9"]
    agent = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    while "receiving from" not in (line := agent.stderr.readline()):
        if not line:
            sys.exit("bench/live.py: the agent did not start")
    return agent, folder


def stop(receiver):
    """Packets that were written, and that were lost."""
    agent, folder = receiver
    time.sleep(0.5)
    agent.send_signal(signal.SIGINT)
    said = agent.communicate()[1]
    shutil.rmtree(folder)

    def number(what):
        found = re.findall(rf"([\d,]+) packets? {what}", said)
        return int(found[-1].replace(",", "")) if found else 0

    return number("written"), number("lost")


def received(cutshort, seconds):
    print("| receiver | packets sent a second | received | lost |\n|---|--:|--:|--:|")
    for name, source, options in (
        ("nflog, threshold 1", "nflog:5", ("--queue", "1")),
        ("nflog, threshold 64", "nflog:5", ("--queue", "64")),
        ("af_packet", "af_packet:s0", None),
        ("ebpf", "ebpf:s0", None),
    ):
        for rate in (25_000, 50_000, 100_000, 150_000, 0):
            if options:
                rules(cutshort, "--rate", "1", "--size", "1000000", *options)
            settings = {} if options else {"CUTSHORT_SAMPLE_RATE": "1"}
            receiver = start(cutshort, source, settings)
            count = (rate or 250_000) * seconds // PACKETS * PACKETS
            took, _ = flood(count, "connections", rate)
            written, lost = stop(receiver)
            no_rules(cutshort)
            most = "" if rate else " (as fast as it goes)"
            print(f"| {name} | {count / took:,.0f}{most} | {written:,} of {count:,} | {lost:,} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(root, "target"))
    parser.add_argument("--cutshort", default=os.path.join(target, "dist/cutshort"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--packets", type=int, default=100_000, help="how many are sent of each kind in a round")
    parser.add_argument("--seconds", type=int, default=2, help="how long packets are sent for each line")
    parser.add_argument("--send", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--pace", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--kind", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--beside", metavar="FILE", help="other rules for nft whose costs are measured as well")
    parser.add_argument("--only", metavar="NAMES", default="", help="words that are in the names of what is measured")
    chosen = parser.parse_args()
    if chosen.send:
        return send(chosen.send, chosen.pace, chosen.kind)
    if os.geteuid() != 0:
        parser.error("needs root")
    # So that it cleans up then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        set_up()
        costs(chosen.cutshort, chosen.rounds, chosen.beside, chosen.packets, chosen.only.split(","))
        if chosen.seconds:
            print()
            received(chosen.cutshort, chosen.seconds)
    finally:
        tear_down()


if __name__ == "__main__":
    main()
