"""Random captures in which ports are used again, as rows and as pcap files. The same seed gives the same capture."""
import ipaddress
import random
import struct

from dissect import ACK, FIN, PSH, RST, SYN, Row

SECOND, MINUTE, WINDOW = 10**9, 60 * 10**9, 900 * 10**9
URG, ECE, CWR = 32, 64, 128
# Some window in 2025, so that neither the clock of the reader nor 32-bit seconds matter; and one of the next century.
PAST, FUTURE = 1_943_000 * WINDOW, 4_560_000 * WINDOW
GAPS = [0, 0, 1, 1000, 10**6, 10**8, SECOND, 9 * SECOND, 10 * SECOND - 1, 10 * SECOND, 10 * SECOND + 1, MINUTE]


MSS, NOP, SACK, TS = bytes([2, 4, 5, 180]), b"\1", b"\4\2", bytes([8, 10]) + bytes(8)
WS = lambda scale: bytes([3, 3, scale])
# Those of ZMap since 4.1, some that nearly are, and some that are none.
OPTIONS = [b"", b"", MSS, MSS + NOP + WS(8) + NOP + NOP + SACK, MSS + SACK + TS + NOP + WS(7),
           MSS + NOP + WS(6) + NOP + NOP + TS + SACK + bytes(2), MSS + NOP + WS(7) + NOP + NOP + SACK,
           bytes([2, 4, 5, 100]) + SACK + TS + NOP + WS(7), MSS + SACK + TS + NOP + WS(7) + bytes([34, 2, 1, 1]),
           bytes([2, 4, 5, 180, 3, 9, 8, 1]), bytes([2, 1, 5, 180])]


class Capture:
    """One input of some pairs of 5-tuples, as one or several files. `records` are (time, row or None) of each file,
    where None stands for a record of another protocol. `orderly`: in order of time. `pieces`: also of different times,
    and in pieces, each of which goes on where the one before ends."""

    def __init__(self, seed, least, most, orderly=False, pieces=False):
        self.random, self.orderly = random.Random(seed), orderly
        r = self.random
        self.rows = int(least * (most / least) ** r.random()) if r.random() < 0.99 else 0
        self.base = FUTURE if r.random() < 0.02 else PAST
        self.hosts = r.choice([1, 3, 200])
        pairs = []
        missing = self.rows
        while missing > 0:
            pairs.append(Pair(self, len(pairs)).clocked())
            missing -= len(pairs[-1])
        self.files = self.cut(pairs) if pieces else self.deal(pairs)

    def cut(self, pairs):
        r, records = self.random, []
        for ts, row in self.arrive([packet for pair in pairs for packet in pair], False):
            ts = max(ts, records[-1][0] + 1 if records else 0)
            records.append((ts, row._replace(ts=ts)))
        ends = sorted(r.randint(0, len(records)) for _ in range(r.choice([1, 1, 2, 4])))
        return [records[a:b] for a, b in zip([0, *ends], [*ends, len(records)])]

    def deal(self, pairs):
        """Whole pairs to files: the order of arrival within a pair is then the same however files are merged. More
        than one only where windows cannot be closed, which depends on the order of all records."""
        r, count = self.random, sum(map(len, pairs))
        files = [[] for _ in range(r.choice([1, 1, 2, 3]) if count < 9000 else 1)]
        for pair in pairs:
            r.choice(files).extend(pair)
        return [self.arrive(packets, len(files) == 1) for packets in files]

    def arrive(self, packets, may_close):
        """In order of arrival, with records of other protocols, and some of another time, among them."""
        r = self.random
        records = [(row.ts, row) for _, row in sorted(packets, key=lambda packet: packet[0])]
        last = max((ts for ts, _ in records), default=self.base)
        if self.orderly:
            return sorted(records, key=lambda record: record[0])
        for _ in range(r.choice([0, 0, 1, 3])):
            records.insert(r.randint(0, len(records)), (last + r.choice(GAPS + [5 * MINUTE]), None))
        if may_close and r.random() < 0.05:
            # Enough in a row to close windows, also while packets still come for them.
            at, ts = r.randint(0, len(records)), self.base + r.choice([1, 2]) * WINDOW + 5 * MINUTE + r.randint(0, 1)
            records[at:at] = [(ts, None)] * r.choice([9_998, 10_000, 10_001])
        if r.random() < 0.1 and records:
            at, ts = r.randrange(len(records)), FUTURE + r.randint(0, WINDOW)
            row = r.choice([None, records[at][1] and records[at][1]._replace(ts=ts)])
            records.insert(at, (ts, row))
        return records


class Pair:
    """The packets of two hosts on one pair of ports, both directions, as (time sent, row)."""

    def __init__(self, capture, number):
        self.capture, self.random = capture, capture.random
        r = self.random
        self.repeats, self.packets = r.choice([0, 0.05, 0.3]), []
        net = "2001:db8::" if r.random() < 0.3 else "192.0.2."
        client, server = (ipaddress.ip_address(net + str(r.randrange(1, capture.hosts + 1))) for _ in "ab")
        # Rarely a pair of ports meets itself.
        port = 1024 + number % 64_000
        self.key = (client, port, server, port if r.random() < 0.1 else 443)
        self.v4, self.ids = client.version == 4, [r.randrange(65536), r.randrange(65536)]
        self.counts_ids, self.ttls = r.random() < 0.7, (r.choice([50, 64, 128]), r.choice([57, 255]))
        self.isns = [r.randrange(2**32) for _ in range(r.choice([1, 2, 2, 3, 30]))] + [0, 2**32 - 50]
        self.now = capture.base + r.choice([0, r.randrange(WINDOW), WINDOW - 30 * SECOND, WINDOW - SECOND])
        for _ in range(r.choice([1, 2, 3, 5, 8])):
            before = self.now
            self.connection()
            # Now and then the next one begins before this one has ended.
            if r.random() < 0.3:
                self.now = r.randint(before, self.now)
            self.wait()

    def clocked(self):
        """The packets with the times of a clock that may be coarse, which makes equal times, and run back and forth, so
        that arrival is another order than time."""
        r = self.random
        tick = r.choice([1, 1, 1000, 10**6, 10**8, SECOND, 10 * SECOND])
        jitter = 0 if self.capture.orderly else r.choice([0, 0, 0, 10**6, SECOND, 20 * SECOND, 400 * SECOND])
        seen = lambda sent: max(sent + r.randint(-jitter, jitter), 0) // tick * tick
        return [(sent, row._replace(ts=seen(sent))) for sent, row in self.packets]

    def wait(self):
        self.now += self.random.choice(GAPS)

    def send(self, side, flags, seq, ack=0, payload=0, **other):
        r, key = self.random, self.key
        self.ids[side] += 1
        ip_id = self.ids[side] % 65536 if self.counts_ids else r.choice([0, r.randrange(65536)])
        row = Row(0, key if side == 0 else (*key[2:], *key[:2]), ip_id if self.v4 else 0, self.ttls[side], flags,
                  seq % 2**32, ack % 2**32, r.choice([0, 64240, 65535, 65535]), payload)._replace(**other)
        self.packets.append((self.now, row))
        while r.random() < self.repeats:
            self.packets.append((self.now + r.choice(GAPS), row))

    def connection(self):
        """One connection, or something like it; `a` opens it, and `b` answers."""
        r = self.random
        a = 1 if r.random() < 0.1 else 0
        isn, answer = r.choice(self.isns), r.choice([5000, 5000, r.randrange(2**32)])
        kind = r.random()
        if kind < 0.07:
            return self.chaos(isn)
        if kind < 0.3:
            self.strays(a, isn)
        self.syns(a, isn)
        if r.random() < 0.1:
            self.syns(1 - a, answer)
        refused = r.random() < 0.1
        if refused or r.random() < 0.1:
            self.wait()
            self.send(1 - a, r.choice([RST, RST | ACK]), 0, isn + 1)
        elif r.random() < 0.9:
            self.wait()
            self.send(1 - a, SYN | ACK, answer, isn + 1)
        if not refused and r.random() < 0.85:
            self.handshaken(a, isn, answer)

    def syns(self, side, isn):
        r = self.random
        zmap = {"ip_id": 54321, "window": 65535} if self.v4 and r.random() < 0.1 else {}
        options = r.choice(OPTIONS)
        zmap |= {"options": options, "options_len": len(options), "df": self.v4 and r.random() < 0.6}
        server = (self.key if side == 0 else (*self.key[2:], *self.key[:2]))[2:]
        if self.v4 and r.random() < 0.1:
            isn = int(server[0])
        if self.v4 and r.random() < 0.1:
            zmap |= {"window": 1024, "ip_id": (int(server[0]) ^ server[1] ^ isn) & 0xFFFF}
        flags = SYN | r.choice([0, 0, 0, ECE | CWR, PSH, URG])
        for _ in range(r.choice([1, 1, 1, 1, 2, 3, 7, 12])):
            self.send(side, flags, isn, payload=r.choice([0, 0, 0, 9]), **zmap)
            if r.random() < 0.5:
                self.wait()

    def handshaken(self, a, isn, answer):
        """What follows a handshake: requests and answers, and the end, or none."""
        r, rel, acked = self.random, 1, answer + 1
        self.send(a, ACK, isn + rel, acked)
        for _ in range(r.choice([0, 0, 1, 1, 2, 4, 15])):
            self.wait()
            size = r.choice([1, 100, 100, 517])
            self.send(a, ACK | r.choice([PSH, PSH, PSH, 0]), isn + rel, acked, size)
            if r.random() < 0.2:
                self.send(a, ACK, isn, acked, 1)
            rel += size
            if r.random() < 0.6:
                self.send(1 - a, ACK | PSH, acked, isn + rel, 80)
                acked += 80
                self.send(a, ACK, isn + rel, acked)
            self.strays(a, isn) if r.random() < 0.1 else None
        end = r.random()
        if end < 0.35:
            self.wait()
            self.send(a, r.choice([FIN | ACK, FIN, FIN | PSH | ACK]), isn + rel, acked, r.choice([0, 0, 20]))
            self.send(1 - a, FIN | ACK, acked, isn + rel)
        if 0.3 < end < 0.7:
            self.resets(r.choice([a, a, a, 1 - a]), isn + rel, acked)

    def resets(self, side, seq, ack):
        r = self.random
        for _ in range(r.choice([1, 1, 1, 2, 2, 3])):
            self.wait() if r.random() < 0.3 else None
            ttl = self.ttls[side] if r.random() < 0.7 else r.choice([1, 64, 255])
            flags = r.choice([RST, RST, RST | ACK, RST | ACK, RST | FIN, RST | SYN])
            self.send(side, flags, seq, r.choice([0, ack, ack, ack + 80]), ttl=ttl)

    def strays(self, side, isn):
        """Late packets of an older connection, with numbers of their own or of that one."""
        r = self.random
        for _ in range(r.choice([1, 2, 12])):
            seq = r.choice(self.isns) + 300 if r.random() < 0.7 else isn - r.choice([1, 2**31 - 1, 2**31, 2**31 + 1])
            flags = r.choice([ACK, PSH | ACK, FIN | ACK, RST, RST | ACK, SYN | ACK, SYN | FIN])
            self.send(r.choice([side, side, 1 - side]), flags, seq, r.choice([5001, 9001]), r.choice([0, 0, 60]))
            self.wait()

    def chaos(self, isn):
        """Any flags and numbers near those that mean something."""
        r = self.random
        for _ in range(r.randrange(20)):
            seq = isn + r.choice([0, 1, 101, 2**31])
            self.send(r.choice([0, 0, 1]), r.choice([SYN, SYN, r.randrange(512)]), seq, r.choice([0, 5001]), r.choice([0, 1, 100]))
            self.wait()


def pcap(records):
    """The bytes of a file with nanoseconds: raw IP, of TCP only the headers captured."""
    parts = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 101)]
    for ts, row in records:
        packet, length = (UDP, len(UDP)) if row is None else tcp(row)
        parts += [struct.pack("<IIII", ts // 10**9, ts % 10**9, len(packet), length), packet]
    return b"".join(parts)


UDP = struct.pack(">BBHHHBBH4s4sHHHH", 0x45, 0, 28, 1, 0, 64, 17, 0, bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]), 53, 53, 8, 0)


def tcp(row):
    """An IP packet up to its TCP header, and its whole length."""
    src, sport, dst, dport = row.key
    length = 20 + len(row.options)
    header = struct.pack(">HHIIHHHH", sport, dport, row.seq, row.ack, length << 10 | row.flags, row.window, 0, 0)
    if src.version == 4:
        flags = 0x4000 if row.df else 0
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length + row.payload, row.ip_id, flags, row.ttl, 6, 0)
    else:
        ip = struct.pack(">IHBB", 0x6 << 28, length + row.payload, 6, row.ttl)
    whole = len(ip) + 2 * len(src.packed) + length + row.payload
    return ip + src.packed + dst.packed + header + row.options, whole
