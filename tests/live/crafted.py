#!/usr/bin/env python3
"""Connections made packet by packet, as clients, middleboxes and forgers make them, against a real server.

  crafted.py connections IFACE CLIENT_MAC GATEWAY_MAC PORT    33 connections over IPv4 and over IPv6, side by side;
                                                              prints one JSON object for each: what was sent
  crafted.py flood IFACE CLIENT_MAC GATEWAY_MAC PORT COUNT [FIRST]    COUNT connections, half of them over IPv6: a SYN, the
                                                              same again, and a message. Without a TCP checksum, so
                                                              that nobody answers
  crafted.py syns IFACE CLIENT_MAC GATEWAY_MAC PORT COUNT    the same connections, but of each nothing but one SYN
  crafted.py again IFACE CLIENT_MAC GATEWAY_MAC PORT PORTS COUNT MS [back]    COUNT connections one after the other on each
                                                              of PORTS client ports, MS milliseconds apart, over
                                                              IPv4 and over IPv6: a SYN, the same again, and 0 to 13
                                                              messages. Nobody answers. With `back` every fourth has
                                                              the initial sequence number of the one before the last

The client's addresses have no kernel behind them that would answer. Every packet of `connections` has a window of
its own, by which it is told from all others. Plain packet sockets: nothing but Python is needed.
"""
import json
import queue
import random
import socket
import struct
import sys
import threading
import time

FIN, SYN, RST, PSH, ACK, ECE, CWR = 1, 2, 4, 8, 16, 64, 128
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
CLIENT = {4: socket.inet_pton(socket.AF_INET, "198.51.100.100"), 6: socket.inet_pton(socket.AF_INET6, "2001:db8:1::100")}
SERVER = {4: socket.inet_pton(socket.AF_INET, "203.0.113.2"), 6: socket.inet_pton(socket.AF_INET6, "2001:db8:2::2")}
MSS = struct.pack("!BBH", 2, 4, 1460)
REQUEST = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"
PAUSE = 0.02


def checksum(data):
    total = sum(struct.unpack("!%dH" % ((len(data) + 1) // 2), data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(version, length, ttl, ident):
    src, dst = CLIENT[version], SERVER[version]
    if version == 6:
        return struct.pack("!IHBB", 6 << 28, length, socket.IPPROTO_TCP, ttl) + src + dst
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, ident, 0, ttl, socket.IPPROTO_TCP, 0) + src + dst
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:]


def packet(version, sport, dport, flags, seq, ack, window, options=b"", data=b"", ttl=64, ident=1, bad_sum=False):
    offset = (20 + len(options)) // 4 << 4
    tcp = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, offset, flags, window, 0, 0)
    tcp += options + data
    pseudo = CLIENT[version] + SERVER[version] + struct.pack("!II", len(tcp), socket.IPPROTO_TCP)
    right = checksum(pseudo + tcp)
    tcp = tcp[:16] + struct.pack("!H", right ^ 0x5555 if bad_sum else right) + tcp[18:]
    return ip(version, len(tcp), ttl, ident) + tcp


class Wire:
    """The client's interface."""

    def __init__(self, iface, own, gateway, port):
        self.port = port
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((iface, 0))
        link = bytes.fromhex(gateway.replace(":", "")) + bytes.fromhex(own.replace(":", ""))
        self.head = {version: link + struct.pack("!H", kind) for version, kind in ETHERTYPE.items()}
        self.inboxes = {}
        self.lock = threading.Lock()
        self.marks = iter(range(20000, 65000))

    def mark(self):
        with self.lock:
            return next(self.marks)

    def send(self, version, data):
        self.socket.send(self.head[version] + data)

    def receive(self):
        """Hands the server's packets to the connections."""
        while True:
            frame = self.socket.recv(65535)
            version = frame[14] >> 4
            at = 34 if version == 4 else 54
            if len(frame) < at + 20 or frame[12:14] != struct.pack("!H", ETHERTYPE.get(version, 0)):
                continue
            sport, dport, seq, ack, offset, flags = struct.unpack_from("!HHIIBB", frame, at)
            size = struct.unpack_from("!H", frame, 16 if version == 4 else 18)[0] - (20 if version == 4 else 0)
            inbox = self.inboxes.get((version, dport))
            if inbox is not None and sport == self.port:
                inbox.put((flags, seq, size - (offset >> 4) * 4))


class Connection:
    def __init__(self, wire, version, sport, name):
        self.wire, self.version, self.sport, self.name = wire, version, sport, name
        self.isn = random.randrange(1 << 20, 1 << 31)
        self.seq, self.ack, self.sent = self.isn, 0, []
        self.inbox = wire.inboxes[(version, sport)] = queue.Queue()

    def send(self, flags, label, seq=None, ack=None, data=b"", **other):
        mark = self.wire.mark()
        seq = self.seq if seq is None else seq
        ack = self.ack if ack is None else ack
        self.wire.send(self.version, packet(self.version, self.sport, self.wire.port, flags, seq, ack, mark,
                                            data=data, ident=mark, **other))
        self.sent.append([mark, label])
        time.sleep(PAUSE)

    def syn(self, label="S"):
        self.send(SYN, label, seq=self.isn, ack=0, options=MSS)

    def synack(self):
        """Waits for the server's SYN+ACK."""
        end = time.monotonic() + 3
        while time.monotonic() < end:
            flags, seq, _ = self.inbox.get(timeout=3)
            if flags & (SYN | ACK) == SYN | ACK:
                self.seq, self.ack = self.isn + 1, seq + 1
                return
        raise RuntimeError(self.name + ": no SYN+ACK")

    def begin(self):
        self.syn()
        self.synack()

    def handshake(self):
        self.begin()
        self.send(ACK, "A")

    def request(self):
        """A request, and what the server answers to it is acknowledged by what follows."""
        self.handshake()
        self.send(PSH | ACK, "PA", data=REQUEST)
        self.seq += len(REQUEST)
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            try:
                _, seq, size = self.inbox.get(timeout=0.05)
            except queue.Empty:
                continue
            self.ack = max(self.ack, seq + size)

    def data(self, count):
        for number in range(count):
            self.send(PSH | ACK, "PA%d" % number, data=b"y" * 10)
            self.seq += 10

    def rst(self, label="R", **other):
        self.send(RST, label, **{"ack": 0, **other})

    def rstack(self, label="RA", **other):
        self.send(RST | ACK, label, **other)


def syn_only(c):
    c.syn()
def syn_repeated(c):
    for _ in range(4):
        c.syn()
def syn_rst(c):
    c.begin(); c.rst()
def syn_rstack(c):
    c.begin(); c.rstack()
def syn_rst_seq_0(c):
    c.begin(); c.rst("R seq 0", seq=0)
def syn_rst_seq_isn(c):
    c.begin(); c.rst("R seq isn", seq=c.isn)
def syn_rst_far(c):
    c.begin(); c.rst("R far", seq=c.seq + 10**9)
def syn_bad_ack(c):
    c.begin(); c.send(ACK, "A bad ack", ack=c.ack + 12345678)
def handshake_only(c):
    c.handshake()
def handshake_rst(c):
    c.handshake(); c.rst()
def handshake_rstack(c):
    c.handshake(); c.rstack()
def handshake_rst_in_window(c):
    c.handshake(); c.rst("R seq+2000", seq=c.seq + 2000)
def handshake_rst_far(c):
    c.handshake(); c.rst("R far", seq=c.seq + 10**9)
def handshake_rst_below(c):
    c.handshake(); c.rst("R below", seq=c.seq - 100)
def handshake_rstack_bad_ack(c):
    c.handshake(); c.rstack("RA bad ack", ack=c.ack + 99999999)
def data_rst(c):
    c.request(); c.rst()
def data_two_rsts(c):
    c.request(); ack = c.ack; c.rst("R ack 1", ack=ack); c.rst("R ack 2", ack=ack + 1460)
def data_three_rstacks(c):
    c.request()
    for step in (0, 1460, 4380):
        c.rstack("RA+%d" % step, seq=c.seq + step)
def data_rst_rstack(c):
    c.request(); c.rst(); c.rstack()
def data_resets_below(c):
    c.request(); c.rst("R isn+1", seq=c.isn + 1); c.rstack("RA isn+1", seq=c.isn + 1)
def data_rstacks_ttl(c):
    c.request(); c.rstack("RA ttl 200", ttl=200); c.rstack("RA ttl 120", ttl=120)
def data_rst_data(c):
    c.request(); c.rst(); c.send(PSH | ACK, "PA after R", data=b"x" * 20); c.send(ACK, "A after R")
def data_two_rsts_far(c):
    c.request(); c.rst("R far", seq=c.seq + 10**9); c.rst("R farther", seq=c.seq + 2 * 10**9)
def fin_rst(c):
    c.request(); c.send(FIN | ACK, "FA"); c.seq += 1; c.rst()
def long_data(c):
    c.handshake(); c.data(14)
def syn_repeated_data(c):
    for _ in range(4):
        c.syn()
    c.synack(); c.send(ACK, "A"); c.data(10)
def syn_payload(c):
    c.send(SYN, "S data", seq=c.isn, ack=0, data=REQUEST, options=MSS)
def syn_ecn(c):
    c.send(SYN | ECE | CWR, "S ecn", seq=c.isn, ack=0, options=MSS)
def syn_with_rst(c):
    c.begin(); c.send(SYN | RST, "SR", seq=c.isn, ack=0)
def rst_bad_checksum(c):
    c.handshake(); c.rst("R bad sum", bad_sum=True)
def ports_again(c):
    c.handshake(); c.rst(); c.isn = (c.isn + 10**8) & 0x7FFFFFFF
    c.syn("S again"); c.synack(); c.send(ACK, "A again")
def late(c):
    c.request(); c.rst(); time.sleep(12); c.rst("R late"); c.send(PSH | ACK, "PA late", data=b"late")
def syn_rstack_isn(c):
    c.begin(); c.rstack("RA isn+1", seq=c.isn + 1)


CONNECTIONS = [
    syn_only, syn_repeated, syn_rst, syn_rstack, syn_rst_seq_0, syn_rst_seq_isn, syn_rst_far, syn_bad_ack,
    handshake_only, handshake_rst, handshake_rstack, handshake_rst_in_window, handshake_rst_far, handshake_rst_below,
    handshake_rstack_bad_ack, data_rst, data_two_rsts, data_three_rstacks, data_rst_rstack, data_resets_below,
    data_rstacks_ttl, data_rst_data, data_two_rsts_far, fin_rst, long_data, syn_repeated_data, syn_payload, syn_ecn,
    syn_with_rst, rst_bad_checksum, ports_again, late, syn_rstack_isn,
]


def connections(wire):
    threading.Thread(target=wire.receive, daemon=True).start()
    base = random.randrange(10000, 50000)
    started = []
    for number, (version, make) in enumerate([(v, make) for v in (4, 6) for make in CONNECTIONS]):
        connection = Connection(wire, version, base + number, make.__name__)
        thread = threading.Thread(target=make, args=(connection,))
        thread.start()
        started.append((thread, connection))
        time.sleep(PAUSE)
    for thread, c in started:
        thread.join(30)
        print(json.dumps({"name": c.name, "version": c.version, "port": c.sport, "sent": c.sent}))


def flood(wire, count, first, alone=False):
    """Every connection has a port and initial sequence number of its own, by its number from `first` on."""
    for version in (4, 6):
        for number in range(first, first + count // 2):
            sport, isn = 1024 + number % 64000, 1 + number * 4099
            ports = struct.pack("!HH", sport, wire.port)
            syn = ports + struct.pack("!IIBBHHH", isn & 0xFFFFFFFF, 0, 0x50, SYN, 1, 0, 0)
            data = ports + struct.pack("!IIBBHHH", isn + 1 & 0xFFFFFFFF, 1, 0x50, PSH | ACK, 1, 0, 0) + b"hi"
            start, longer = ip(version, 20, 64, 1), ip(version, 22, 64, 1)
            wire.send(version, start + syn)
            if alone:
                continue
            wire.send(version, start + syn)
            wire.send(version, longer + data)


def again(wire, ports, count, milliseconds, back):
    for number in range(count):
        time.sleep(milliseconds / 1000)
        isn = 1 + 4099 * (number - 2 if back and number % 4 == 2 else number)
        for version in (4, 6):
            for port in range(30000, 30000 + ports):
                head = struct.pack("!HH", port, wire.port)
                seq = isn + port * 7919
                syn = head + struct.pack("!IIBBHHH", seq, 0, 0x50, SYN, number, 0, 0)
                wire.send(version, ip(version, 20, 64, 1) + syn)
                wire.send(version, ip(version, 20, 64, 1) + syn)
                for message in range((number * 5 + port) % 14):
                    data = head + struct.pack("!IIBBHHH", seq + 1 + message, 1, 0x50, PSH | ACK, number, 0, 0) + b"!"
                    wire.send(version, ip(version, 21, 64, 1) + data)


def main():
    what, iface, own, gateway, port = sys.argv[1:6]
    wire = Wire(iface, own, gateway, int(port))
    if what == "flood":
        flood(wire, int(sys.argv[6]), int(sys.argv[7]) if len(sys.argv) > 7 else 0)
    elif what == "syns":
        flood(wire, int(sys.argv[6]), 0, alone=True)
    elif what == "again":
        again(wire, int(sys.argv[6]), *map(int, sys.argv[7:9]), sys.argv[9:] == ["back"])
    else:
        connections(wire)


if __name__ == "__main__":
    main()
