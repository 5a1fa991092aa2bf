#!/usr/bin/env python3
"""What sampling costs packets that are not sampled, and how many packets a second are received without loss.

usage: bench/live.py [--cutshort PROGRAM] [--rounds N] [--seconds N] [--beside FILE]

Two network namespaces of its own joined by a veth pair; a Python program sends TCP packets of new connections from
one to the other, with a wrong checksum so that nobody answers. Needs root, ip, nft and iptables-restore.
The kernel receives such a packet on the sender's processor, within the call that sends it, so what a rule set costs
is the processor's time per packet less that of the same run without rules: of SYN packets, which rules decide on, and of others,
which they look up. Packets that leave are sent the other way, through a raw socket. Every number is the least of all
rounds, which take turns. --beside measures other rules for nft as well, such as those of an older version. Exit code:
0 done, 2 cannot run.
"""
import argparse
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
        sh("ip", "netns", "del", name, check=False)


# --- Sending, in a process of its own in the client's namespace ------------------------------------------------------


def segment(source, target, ports, numbers, flags, data=b""):
    """From the IP header on, with a wrong TCP checksum."""
    tcp = struct.pack("!HHIIBBHHH", *ports, *numbers, 0x50, flags, 1, 0, 0) + data
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + source + target
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack("!H", ~total & 0xFFFF) + head[12:] + tcp


def frame(number, at):
    """Packet `at` of a connection: SYN, ACK, message. Addresses, ports and sequence numbers are its own."""
    source = struct.pack("!I", (10 << 24) + number // 60000)
    flags, seq, data = ((2, 0, b""), (16, 1, b""), (24, 1, b"hi"))[at]
    ports, numbers = (1024 + number % 60000, PORT), ((number * 4099 + seq) & 0xFFFFFFFF, at)
    ethernet = bytes.fromhex((MAC["s0"] + MAC["c0"]).replace(":", "")) + b"\x08\x00"
    return ethernet + segment(source, bytes((198, 51, 100, 2)), ports, numbers, flags, data)


def send(count, rate, only, leaving):
    """Sends so many packets, at so many a second or as fast as it goes; prints how long it took, by the clock and of the
    processor. Without `only`, all packets of each connection, else that one. With `leaving`, packets with these flags that
    the server sends."""
    if leaving is None:
        packets = range(PACKETS) if only is None else [only]
        frames = [frame(number, at) for number in range(count // len(packets)) for at in packets]
        out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        out.bind(("c0", 0))
    else:
        ends = bytes((198, 51, 100, 2)), bytes((198, 51, 100, 1))
        frames = [segment(*ends, (PORT, 1024 + number % 60000), (number, 1), leaving) for number in range(count)]
        out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        out.connect(("198.51.100.1", 0))
    started, worked = time.perf_counter(), time.process_time()
    for first in range(0, len(frames), 32):
        for one in frames[first : first + 32]:
            out.send(one)
        if rate:
            wait = started + (first + 32) / rate - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
    print(time.perf_counter() - started, time.process_time() - worked)


def flood(count, rate=0, only=None, leaving=None):
    command = ["taskset", "-c", "0", sys.executable, os.path.abspath(__file__), "--send", str(count), "--pace", str(rate)]
    command += [] if only is None else ["--only", str(only)]
    command += [] if leaving is None else ["--leaving", str(leaving)]
    return [float(one) for one in inside(CLIENT if leaving is None else SERVER, *command).stdout.split()]


# --- What packets cost that are not sampled --------------------------------------------------------------------------


def rules(cutshort, *options):
    inside(SERVER, cutshort, "rules", "apply", *options)


def no_rules(cutshort):
    inside(SERVER, cutshort, "rules", "remove", check=False)


def costs(cutshort, rounds, beside):
    kinds = {
        "no rules": None,
        **({"`--beside`": "beside"} if beside else {}),
        "`--nft` (default)": ("--nft",),
        "`--origin`": ("--origin",),
        "`--nft-conntrack`": ("--nft-conntrack",),
        "`--iptables`": ("--iptables",),
        "`af_packet:s0`, no rules": "af_packet",
    }
    least = {}
    count = 150_000
    for _ in range(rounds):
        for name, options in kinds.items():
            receiver = None
            if options == "af_packet":
                receiver = start(cutshort, "af_packet:s0", {"CUTSHORT_SAMPLE_RATE": str(NOTHING)})
            elif options == "beside":
                inside(SERVER, "nft", "-f", beside)
            elif options:
                rules(cutshort, *options, "--rate", str(NOTHING))
            took = [flood(count, only=only)[1] / count * 1e9 for only in (0, 1)]
            least[name] = [min(one) for one in zip(took, least.get(name, took))]
            if receiver:
                stop(receiver)
            no_rules(cutshort)
    show(least, "SYN", "another packet")


def show(least, *kinds):
    base = least["no rules"]
    print("| rules |" + "".join(f" ns, {kind} | no rules = 1 | ns more |" for kind in kinds))
    print("|---|" + "--:|" * (3 * len(kinds)))
    for name, took in least.items():
        cells = [f"{one:.0f} | {one / of:.2f} | {one - of:.0f}" for one, of in zip(took, base)]
        print(f"| {name} | {' | '.join(cells)} |")


def leaving_costs(cutshort, rounds):
    kinds = {"no rules": None, "`--nft`": (), "`--nft --server-resets`": ("--server-resets",)}
    least = {}
    count = 100_000
    for _ in range(rounds):
        for name, options in kinds.items():
            if options is not None:
                rules(cutshort, *options, "--rate", str(NOTHING))
            took = [flood(count, leaving=flags)[1] / count * 1e9 for flags in (0x10, 0x04)]
            least[name] = [min(one) for one in zip(took, least.get(name, took))]
            no_rules(cutshort)
    show(least, "ACK that leaves", "RST that leaves")


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
    ):
        for rate in (25_000, 50_000, 100_000, 150_000, 0):
            if options:
                rules(cutshort, "--rate", "1", "--size", "1000000", *options)
            settings = {} if options else {"CUTSHORT_SAMPLE_RATE": "1"}
            receiver = start(cutshort, source, settings)
            count = (rate or 250_000) * seconds // PACKETS * PACKETS
            took, _ = flood(count, rate)
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
    parser.add_argument("--seconds", type=int, default=2, help="how long packets are sent for each line")
    parser.add_argument("--send", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--pace", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--leaving", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--beside", metavar="FILE", help="other rules for nft whose costs are measured as well")
    chosen = parser.parse_args()
    if chosen.send:
        return send(chosen.send, chosen.pace, chosen.only, chosen.leaving)
    if os.geteuid() != 0:
        parser.error("needs root")
    try:
        set_up()
        costs(chosen.cutshort, chosen.rounds, chosen.beside)
        print()
        leaving_costs(chosen.cutshort, chosen.rounds)
        if chosen.seconds:
            print()
            received(chosen.cutshort, chosen.seconds)
    finally:
        tear_down()


if __name__ == "__main__":
    main()
