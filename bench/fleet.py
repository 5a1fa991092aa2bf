#!/usr/bin/env python3
"""Hundreds of agents with simulated packets into one collector, or straight into two shards of ClickHouse.

usage: bench/fleet.py collector|shards [--agents N] [--minutes N] [--connections N] [--spool DIR]

Starts a `cutshort serve` with a folder of its own, or two shards with ZooKeeper (scripts/clickhouse) and a
`cutshort serve` that computes their windows, then bench-fleet, and compares what the agents recorded with what is
stored. All of it shares this machine. Needs `cargo build --profile dist -p cutshort -p cutshort-bench-fleet`.
Exit code: 0 nothing was lost, 1 something was, 2 usage.
"""
import argparse, json, os, pathlib, re, subprocess, sys, tempfile, threading, time, urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "dist"
CUTSHORT, FLEET = BUILT / "cutshort", BUILT / "bench-fleet"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("into", choices=["collector", "shards"])
    parser.add_argument("--agents", type=int, default=500)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--connections", type=float, default=1000, help="sampled a second, of all agents (1000)")
    parser.add_argument("--spool", help="folder of the spools; in memory spares the disk 500 agents' syncs")
    return parser.parse_args()


def usage(pid):
    """Seconds of the processor so far, and the most memory in MiB."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    peak = re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(peak.group(1)) // 1024


def serve(folder, more):
    command = [CUTSHORT, "serve", "--listen", "127.0.0.1:0", "--data", folder, *more]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if found := re.search(r"served on (http://[^\s,;]+)", line):
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return process, found.group(1).rstrip("/")
    raise SystemExit("cutshort serve has ended")


def stored(url, token):
    """Packets that the server says it has."""
    request = urllib.request.Request(f"{url}/client/v4/radar/status")
    request.add_header("authorization", f"Bearer {token}")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["result"]["store"]["packets"]


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory(dir=options.spool) as spool:
        data = pathlib.Path(folder) / "data"
        create = [CUTSHORT, "token", "create", "fleet", "--scope", "ingest", "--scope", "read", "--data", data]
        token = subprocess.run(create, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        watched, shards, more = {}, None, []
        if options.into == "shards":
            command = [sys.executable, ROOT / "scripts" / "clickhouse", "cluster"]
            shards = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            ready = dict(re.findall(r"(\w+)=(\d+)", shards.stdout.readline()))
            store = f"clickhouse://default@127.0.0.1:{ready['http']}/cutshort"
            migrate = [CUTSHORT, "clickhouse", "migrate", "--store", store, "--cluster", "two"]
            subprocess.run(migrate, check=True)
            watched = {"first shard": int(ready["pid"]), "second shard": int(ready["second_pid"])}
            more = ["--store", store]
        server, url = serve(data, more)
        watched["cutshort serve"] = server.pid
        before = {name: usage(pid)[0] for name, pid in watched.items()}
        fleet = [FLEET, spool, store if shards else url]
        fleet += [str(options.agents), str(options.minutes), str(options.connections)]
        begin = time.monotonic()
        said = subprocess.run(fleet, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | {"CUTSHORT_TOKEN": token})
        took = time.monotonic() - begin
        print(said.stdout, end="")
        recorded = int(re.search(r"recorded ([\d,]+)", said.stdout).group(1).replace(",", ""))
        kept = stored(url, token)
        print(f"stored {kept:,} packets: {'nothing is lost' if kept == recorded else 'NOT what was recorded'}")
        for name, pid in watched.items():
            seconds, peak = usage(pid)
            print(f"{name}: {seconds - before[name]:.1f} CPU-s in {took:.0f} s, {peak} MiB at most")
        server.terminate()
        server.wait()
        if shards:
            shards.stdin.close()
            shards.wait()
    sys.exit(kept != recorded)


main()
