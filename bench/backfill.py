#!/usr/bin/env python3
"""Times `cutshort import` of many windows with one connection each, into a folder and into ClickHouse.

    bench/backfill.py CUTSHORT [WINDOWS [RUNS]]       30 windows, 3 runs; a ClickHouse of its own from scripts/clickhouse

What it takes for a window however little is in it is what filling a store with a year of history costs.
"""
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
START = 1_767_571_200
SYN, ACK, RST = 0x02, 0x10, 0x04


def packet(client, flags, seq):
    tcp = struct.pack(">HHIIBBHHH", 40_000, 443, seq, 0, 5 << 4, flags, 64_000, 0, 0)
    addresses = bytes([203, 0, 113, client]), bytes([198, 51, 100, 1])
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, *addresses) + tcp


def capture(path, windows):
    """A connection in each window, cut short after its handshake."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101))
        for window in range(windows):
            for second, (flags, seq) in enumerate([(SYN, 1000), (ACK, 1001), (RST, 1001)]):
                data = packet(window % 250 + 1, flags, seq)
                at = START + window * 900 + 60 + second
                out.write(struct.pack("<IIII", at, 0, len(data), len(data)) + data)


def timed(*command):
    since = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - since


def compare(cutshort, folder, port, run):
    url = f"clickhouse://default@127.0.0.1:{port}/backfill{run}"
    subprocess.run([cutshort, "clickhouse", "migrate", "--store", url], check=True, stderr=subprocess.DEVNULL)
    beside = timed(cutshort, "import", "--data", f"{folder}/store{run}", f"{folder}/capture.pcap")
    there = timed(cutshort, "import", "--store", url, f"{folder}/capture.pcap")
    print(f"folder {beside:.2f} s, ClickHouse {there:.2f} s, {there / beside:.1f} times", flush=True)


def main():
    cutshort = sys.argv[1]
    windows, runs = (int(number) for number in (sys.argv[2:] + ["30", "3"][len(sys.argv) - 2 :])[:2])
    script = [sys.executable, str(REPOSITORY / "scripts/clickhouse"), "run"]
    with tempfile.TemporaryDirectory() as folder:
        capture(f"{folder}/capture.pcap", windows)
        with subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            line = server.stdout.readline()
            if "http=" not in line:
                sys.exit(line.strip())
            port = line.split("http=")[1].split()[0]
            for run in range(runs):
                compare(cutshort, folder, port, run)
            server.stdin.close()


main()
