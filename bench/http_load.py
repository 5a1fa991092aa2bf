#!/usr/bin/env python3
"""Asks a server a dashboard's mix of questions at a steady rate, and says how long the answers took.

usage: bench/http_load.py URL [--rate N] [--seconds N] [--from DATE --to DATE] [--most-days N]

Every question is another one, so that no answer comes from memory. Requests are sent when their time has come,
answered or not: a slow server is not asked less. The client needs a part of the machine for itself.
Exit code: 0 all were answered, 1 some were not (an empty selection's 404 is an answer), 2 usage.
"""
import argparse, asyncio, datetime, random, sys, time, urllib.parse

PATH = "/client/v4/radar/tcp_resets_timeouts"
COUNTRIES = ["US", "DE", "BR", "IN", "JP", "PT", "PE", "IR", "CN", "RU", "ES", "FR"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--rate", type=int, default=200, help="requests a second (200)")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--from", dest="since", default="2025-06-01", help="first day that has data")
    parser.add_argument("--to", dest="until", default="2026-05-31", help="the day after the last")
    parser.add_argument("--most-days", type=int, default=364, help="the longest range that is asked for")
    return parser.parse_args()


def question(since, until, most_days):
    days = random.choice([d for d in (1, 2, 7, 7, 14, 28, 90, 182, 364) if d <= most_days])
    latest = max(0, (until - since).days - days)
    hours = random.randint(0, 23) if 1 < days < 90 and latest > 0 else 0
    end = until - datetime.timedelta(days=random.randint(0, latest), hours=hours)
    text = lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    span = f"dateStart={text(end - datetime.timedelta(days=days))}&dateEnd={text(end)}"
    place = f"&location={random.choice(COUNTRIES)}"
    kinds = [
        (30, f"timeseries_groups?{span}{place}"),
        (10, f"timeseries_groups?{span}&asn={random.randint(1, 5000) * 13 + 1}"),
        (10, f"timeseries_groups?{span}"),
        (20, f"summary?{span}{place}"),
        (10, f"summary?{span}"),
        (10, f"top/ases?{span}{place}"),
        (5, f"top/locations?{span}"),
        (5, f"timeseries_groups/signature?{span}{place}"),
    ]
    return PATH + "/" + random.choices([path for _, path in kinds], [weight for weight, _ in kinds])[0]


async def ask(host, port, path, pool, times, failed):
    started = time.perf_counter()
    try:
        reader, writer = pool.pop() if pool else await asyncio.open_connection(host, port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
    except (OSError, asyncio.IncompleteReadError):
        # The server is not there, or closed the connection: it limits those of one address.
        failed.append(("nothing", path))
        return
    times.append((time.perf_counter() - started, path))
    if head[9:12] not in (b"200", b"404"):
        failed.append((head[9:12].decode(), path))
    pool.append((reader, writer))


async def main(chosen):
    url = urllib.parse.urlsplit(chosen.url)
    day = lambda name: datetime.datetime.strptime(name, "%Y-%m-%d")
    pool, times, failed, tasks = [], [], [], []
    began = time.perf_counter()
    for number in range(chosen.rate * chosen.seconds):
        await asyncio.sleep(max(0, began + number / chosen.rate - time.perf_counter()))
        path = question(day(chosen.since), day(chosen.until), chosen.most_days)
        tasks.append(asyncio.create_task(ask(url.hostname, url.port or 80, path, pool, times, failed)))
    await asyncio.gather(*tasks)
    if not times:
        print(f"none of {len(tasks)} requests was answered")
        return 1
    times.sort()
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))][0] * 1e3
    print(f"{len(times)} of {len(tasks)} requests answered, {chosen.rate} a second: median {at(0.5):.1f} ms, 95 % {at(0.95):.1f}, 99 % {at(0.99):.1f}, most {at(1):.1f}")
    print("the slowest:", *(f"{took * 1e3:.0f} ms {path}" for took, path in times[-3:]), sep="\n  ")
    print(*(f"answered {status}: {path}" for status, path in failed[:3]), sep="\n", end="")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(arguments())))
