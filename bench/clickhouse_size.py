#!/usr/bin/env python3
"""A store in ClickHouse that is large by number: of segments, windows and generations, whose rows the server makes.

usage: bench/clickhouse_size.py [agents] [retention] [generations] [kept] [year] [--agents N] [--binary CUTSHORT]

    agents       1,000 agents of one-minute segments for two windows are computed
    retention    the packets of 20,000 segments go from the disk, of a whole day and of a part of one
    generations  the rows of 10,000 generations that do not hold go, while two windows wait for their results
    kept         1,008,000 kept segments (100 agents, a week): what an idle `cutshort serve` costs, and its status
    year         a dashboard's questions about a year of counts, 100 cells in each window, with and without memory

Without names all five. Starts a server (scripts/clickhouse) and ends it. Needs `cargo build --profile dist -p cutshort`.
Each line says the time, the processor's time of ClickHouse, and the most memory of cutshort and of ClickHouse.
"""
import argparse, json, os, pathlib, re, subprocess, sys, tempfile, threading, time, urllib.parse, urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILT = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "dist"
PATIENCE = 600
# Long ago enough for nothing to be awaited, on one day.
START = "toDateTime64('2026-01-05 00:00:00', 9, 'UTC')"


def memory(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) // 1024


def processor(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Server:
    """A ClickHouse with a database for each measurement."""

    def __init__(self):
        command = [sys.executable, ROOT / "scripts" / "clickhouse", "run"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http=(\d+).*pid=(\d+)", line)
        if not found:
            raise SystemExit(line.strip())
        self.port, self.pid = int(found.group(1)), int(found.group(2))

    def end(self):
        self.process.stdin.close()
        self.process.wait()

    def sql(self, database, text, **settings):
        query = urllib.parse.urlencode({"database": database, **settings})
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/?{query}", text.encode())
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read().decode().strip()

    def until(self, database, text, expected):
        """Seconds until a query gives what is expected."""
        begin = time.monotonic()
        while (found := self.sql(database, text)) != expected:
            if time.monotonic() - begin > PATIENCE:
                raise SystemExit(f"after {PATIENCE} s still {found}: {text}")
            time.sleep(0.1)
        return time.monotonic() - begin

    def store(self, database):
        return f"clickhouse://127.0.0.1:{self.port}/{database}"


class Serve:
    """A `cutshort serve` on a store."""

    def __init__(self, binary, store, **environment):
        self.folder = tempfile.TemporaryDirectory()
        command = [binary, "serve", "--listen", "127.0.0.1:0", "--data", self.folder.name, "--store", store]
        environment = {**os.environ, **environment}
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        self.url = None
        for line in self.process.stderr:
            if found := re.search(r"served on (http://[^\s,;]+)", line):
                self.url = found.group(1).rstrip("/")
                break
        if self.url is None:
            raise SystemExit("cutshort serve has ended")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def status(self):
        with urllib.request.urlopen(f"{self.url}/client/v4/radar/status", timeout=PATIENCE) as answer:
            return json.load(answer)["result"]

    def end(self):
        peak = memory(self.process.pid)
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()
        return peak


def segments(server, database, start, agents, minutes, packets=2, arrived="now64(9)"):
    """One segment for each agent and minute, and that many packets of one connection in each."""
    rows = f"""FROM (SELECT number, {start} + toIntervalMinute(intDiv(number, {agents})) AS t,
      lower(hex(sipHash128(number, toString({start})))) AS id, toStartOfInterval(t, INTERVAL 15 MINUTE) AS w,
      concat('node', toString(number % {agents})) AS node FROM numbers({agents} * {minutes}))"""
    server.sql(database, f"""INSERT INTO segment SELECT id, 2, 'kept', node, 'live', t, t + 59.99, t, t + 1, {packets},
      1000, {arrived}, [(w, {packets})], 'full' {rows}""")
    if packets:
        server.sql(database, f"""INSERT INTO packet (window_start, src_ip, src_port, dst_ip, dst_port, ts, node, segment,
          ip_id, ttl, flags, seq, ack, window, options_len, payload_len, sample_rate, country, asn, flow)
          SELECT w, toIPv6(concat('198.51.', toString(number % 250), '.7')), 1024 + intDiv(number, 250) % 60000,
          toIPv6('203.0.113.5'), 443, t + k / 100, node, id, 1, 60, if(k = 0, 2, 4), 100 + k, 0, 1000, 20, 0, 1, '', 0, 0
          {rows} ARRAY JOIN range({packets}) AS k""")


def say(what, seconds, server, before, own):
    print(f"{what}: {seconds:.1f} s, ClickHouse {processor(server.pid) - before:.1f} CPU-s and {memory(server.pid)} MiB "
          f"at most, cutshort {own} MiB at most", flush=True)


def computed(options, server, database, verb):
    before, begin = processor(server.pid), time.monotonic()
    measured = subprocess.Popen([options.binary, *verb], stderr=subprocess.PIPE, text=True)
    peak = 0
    while measured.poll() is None:
        try:
            peak = max(peak, memory(measured.pid))
        except (AttributeError, FileNotFoundError):
            pass
        time.sleep(0.02)
    text = measured.stderr.read()
    if measured.returncode:
        raise SystemExit(text)
    return time.monotonic() - begin, before, peak


def agents(options, server, database):
    segments(server, database, START, options.agents, 30)
    verb = ["recompute", "--from", "2026-01-05T00:00:00Z", "--to", "2026-01-05T00:30:00Z", "--store"]
    for classify in ["rust", "sql"]:
        seconds, before, own = computed(options, server, database, [*verb, f"{server.store(database)}?classify={classify}"])
        done = server.sql(database, "SELECT count(), sum(packets) FROM result FINAL WHERE level = 0")
        assert done == f"2\t{options.agents * 30 * 2}", done
        say(f"{options.agents * 15} segments a window, two windows, classify={classify}", seconds, server, before, own)


def retention(options, server, database):
    segments(server, database, START, 100, 200, 50)
    # So old that its day can go as a whole; and as many of a day of which some is kept.
    segments(server, database, f"{START} + toIntervalDay(1)", 100, 200, 50)
    segments(server, database, f"{START} + toIntervalDay(1) + toIntervalHour(12)", 100, 15, 50, "now64(9) + 1000000")
    verb = ["recompute", "--from", "2026-01-05T00:00:00Z", "--to", "2026-01-07T00:00:00Z", "--store", server.store(database)]
    computed(options, server, database, verb)
    time.sleep(2)
    before, begin = processor(server.pid), time.monotonic()
    serve = Serve(options.binary, server.store(database), CUTSHORT_KEEP_PACKETS="1s")
    server.until(database, "SELECT countIf(state = 'kept') FROM segment FINAL", "1500")
    server.until(database, "SELECT count() FROM packet", "75000")
    seconds = time.monotonic() - begin
    status = serve.status()
    assert status["store"]["segments"] == 1500, status["store"]
    say("packets of 2 x 20,000 segments of 50 packets deleted, of one day as a whole", seconds, server, before, serve.end())


def generations(options, server, database):
    segments(server, database, START, 10, 30)
    t = f"{START} - toIntervalMinute(15 * intDiv(number, 17) + 15)"
    server.sql(database, f"INSERT INTO generation SELECT 17000000000000000000 + number, 0, {t}, now64(9) - 7200 FROM numbers(10000)")
    server.sql(database, f"""INSERT INTO connection (window_start, generation, number)
      SELECT {t}, 17000000000000000000 + number, k FROM numbers(10000) ARRAY JOIN range(100) AS k
      SETTINGS max_partitions_per_insert_block = 0""")
    before, begin = processor(server.pid), time.monotonic()
    serve = Serve(options.binary, server.store(database))
    server.until(database, "SELECT count() FROM connection WHERE generation >= 17000000000000000000 AND window_start < " + START, "0")
    server.until(database, "SELECT count() FROM result FINAL WHERE level = 0", "2")
    say("10,000 generations of 100 connections deleted, and two windows computed", time.monotonic() - begin, server, before, serve.end())


def kept(options, server, database):
    segments(server, database, START, 100, 7 * 1440, 0)
    # Results of all windows, so that nothing is due.
    digest = "reinterpretAsUInt64(reverse(substring(SHA256(arrayStringConcat(arraySort(groupArray(unhex(id))))), 1, 8)))"
    server.sql(database, f"""INSERT INTO result SELECT 0, w.1, 1, 1, {digest}, toUnixTimestamp64Nano(least(w.1 + 900,
      (SELECT max(covers_to) FROM segment))), 0, 0, 0, 0, 0, [0, 0, 0], now64(9), 0, [], false, true, false, false
      FROM segment ARRAY JOIN windows AS w GROUP BY w.1""")
    server.sql(database, "OPTIMIZE TABLE segment FINAL")
    serve = Serve(options.binary, server.store(database), CUTSHORT_KEEP_PACKETS="100000h")
    begin = time.monotonic()
    serve.status()
    print(f"1,008,000 kept segments: the first status after {time.monotonic() - begin:.2f} s", flush=True)
    time.sleep(10)
    before, begin = processor(server.pid), time.monotonic()
    time.sleep(60)
    idle = (processor(server.pid) - before) / 12
    begin = time.monotonic()
    status = serve.status()
    print(f"a status later: {time.monotonic() - begin:.2f} s; {status['windows']['pending']} windows due", flush=True)
    print(f"an idle serve: {idle * 1000:.0f} CPU-ms of ClickHouse every 5 s, with all else it does", flush=True)
    print(f"cutshort serve {serve.end()} MiB at most, ClickHouse {memory(server.pid)} MiB", flush=True)


def year(options, server, database):
    # Windows whose packets were deleted: nothing is due, and only hours and days are made.
    windows = 365 * 96
    t = "toDateTime64('2025-06-01 00:00:00', 9, 'UTC') + toIntervalMinute(15 * w)"
    countries = "['US','DE','BR','IN','JP','PT','PE','IR','CN','RU','ES','FR','GB','IT','NL','PL','SE','TR','UA','ZA']"
    server.sql(database, f"INSERT INTO frozen SELECT {t} FROM (SELECT number AS w FROM numbers({windows}))")
    for networks in (1, 0):
        server.sql(database, f"""INSERT INTO cell (level, networks, t, generation, location, network, asn, ip_version, port, node,
          excluded, stage, termination, completed, signature_id, tags, sampled, weight, squares)
          SELECT 0, {networks}, {t}, 1000000 + w, {countries}[1 + c % 20], {"'as'" if networks else "'unknown'"},
            {"13 * ((w * 7 + c) % 1000) + 1" if networks else "0"}, 4, if(c % 5 = 0, 80, 443), 'ams1', '',
            ['post_syn', 'post_ack', 'post_psh', 'later', 'none'][1 + intDiv(c, 20)],
            if(c < 80, 'reset', 'fin'), c >= 20, if(c < 80, 1 + intDiv(c, 20) * 4, 0), 0, 5, 50, 500
          FROM (SELECT intDiv(number, 100) AS w, number % 100 AS c FROM numbers({windows * 100}))
          SETTINGS max_partitions_per_insert_block = 0""")
    server.sql(database, f"""INSERT INTO result SELECT 0, {t}, 1, 1000000 + w, 1, 0, 0, 500, 0, 0, 500, [0, 0, 0], now64(9), 0, [],
      false, true, false, false FROM (SELECT number AS w FROM numbers({windows}))""")
    # Hours and days are made after a window was computed.
    segments(server, database, "toDateTime64('2026-06-01 00:00:00', 9, 'UTC')", 1, 15)
    verb = ["recompute", "--from", "2026-06-01T00:00:00Z", "--to", "2026-06-01T00:15:00Z", "--store", server.store(database)]
    seconds, before, own = computed(options, server, database, verb)
    assert server.sql(database, "SELECT count() FROM result FINAL WHERE level = 2") == "365"
    say("hours and days of a year made", seconds, server, before, own)
    for memory, rates in [(0, [5]), (1024, [5, 20, 20, 20, 20, 50, 100, 200, 200])]:
        address = f"{server.store(database)}?memory={memory}"
        # Another worker looks for events.
        serve = Serve(options.binary, address, CUTSHORT_WORKER="2/2", CUTSHORT_TAKEOVER="1000h")
        try:
            for rate in rates:
                time.sleep(5)
                ask(server, serve, memory, rate)
        finally:
            most = serve.end()
        print(f"  cutshort serve {most} MiB at most", flush=True)


def ask(server, serve, memory, rate, seconds=20):
    """Asks at a steady rate, and says how long the answers took and what they cost."""
    before = processor(server.pid)
    load = [sys.executable, ROOT / "bench" / "http_load.py", serve.url, "--rate", str(rate), "--seconds", str(seconds)]
    loaded = subprocess.run(load, stdout=subprocess.PIPE, text=True)
    cost = (processor(server.pid) - before) / (rate * seconds) * 1000
    # Where not all were answered, what the server said of the others.
    told = loaded.stdout if loaded.returncode else loaded.stdout.split("\n")[0]
    print(f"memory={memory}:", told, f"\n  {cost:.1f} CPU-ms of ClickHouse a request", flush=True)


ALL = {"agents": agents, "retention": retention, "generations": generations, "kept": kept, "year": year}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", nargs="*", choices=[*ALL, []], default=[])
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--binary", default=BUILT / "cutshort")
    options = parser.parse_args()
    server = Server()
    try:
        for name in options.what or ALL:
            address = server.store(f"size_{name}")
            subprocess.run([options.binary, "clickhouse", "migrate", "--store", address], check=True)
            ALL[name](options, server, f"size_{name}")
    finally:
        server.end()


if __name__ == "__main__":
    main()
