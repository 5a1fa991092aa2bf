#!/usr/bin/env python3
"""A box on the path between two interfaces that forwards, injects and drops by itself.

The kernel's own forwarding is off meanwhile, so the order of forwarded and injected packets is fixed: no race with
the server's answer. Needs one Ethernet link on either side, no IPv6 extension headers.

  --when   what sets it off, once per connection: syn, synack, ack (the handshake's last), data (a client packet with
           --word in its payload), psh (client data with PSH), answer (the client acknowledges the answer to --word),
           never
  --send   resets to forge, comma separated: R or RA, then 0 (ack number 0), +N (N added to the ack number),
           @N (N added to the sequence number)
  --to     who gets them: server, client (always one RST+ACK), both
  --hold   how many packets that set it off are not forwarded (-1: all of them)
  --then   what becomes of the connection's later packets: pass, drop
"""
import argparse
import re
import select
import socket
import struct
import sys
import time

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ETHERTYPE_ALL = 3


class Packet:
    """The fields of one TCP packet in an Ethernet frame; `ok` is false for anything else."""

    def __init__(self, frame):
        self.ok = False
        self.version = {0x0800: 4, 0x86DD: 6}.get(struct.unpack_from("!H", frame, 12)[0])
        if self.version == 4:
            start, end, proto = 14 + (frame[14] & 15) * 4, 14 + struct.unpack_from("!H", frame, 16)[0], frame[23]
            self.src, self.dst = frame[26:30], frame[30:34]
        elif self.version == 6:
            start, end, proto = 54, 54 + struct.unpack_from("!H", frame, 18)[0], frame[20]
            self.src, self.dst = frame[22:38], frame[38:54]
        if self.version is None or proto != socket.IPPROTO_TCP:
            return
        self.sport, self.dport, self.seq, self.ack, offset, self.flags = struct.unpack_from("!HHIIBB", frame, start)
        self.payload = frame[start + (offset >> 4) * 4 : end]
        self.next = self.seq + len(self.payload) + (1 if self.flags & (SYN | FIN) else 0)
        self.ok = True


def checksum(data):
    total = sum(struct.unpack("!%dH" % ((len(data) + 1) // 2), data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4_header(header):
    """The same header with its checksum right."""
    header = header[:10] + b"\0\0" + header[12:]
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:]


def forge(src, dst, sport, dport, flags, seq, ack, ttl, ident):
    """An IP packet with nothing but a TCP header; the address length tells the version."""
    ports = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 0, 0, 0)
    pseudo = src + dst + struct.pack("!II", len(ports), socket.IPPROTO_TCP)
    tcp = ports[:16] + struct.pack("!H", checksum(pseudo + ports)) + ports[18:]
    if len(src) == 4:
        start = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), ident & 0xFFFF, 0, ttl, socket.IPPROTO_TCP, 0)
        return ipv4_header(start + src + dst) + tcp
    return struct.pack("!IHBB", 6 << 28, len(tcp), socket.IPPROTO_TCP, ttl) + src + dst + tcp


class Side:
    """One interface, and the station behind it."""

    def __init__(self, name, peer, vlan=None):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_ALL))
        self.socket.bind((name, 0))
        own = self.socket.getsockname()[4]
        tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
        self.link = bytes.fromhex(peer.replace(":", "")) + own + tag

    def receive(self):
        frame, where = self.socket.recvfrom(65535)
        return None if where[2] == socket.PACKET_OUTGOING else frame

    def send(self, packet):
        ethertype = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
        self.socket.send(self.link + ethertype + packet)


def one_hop(frame):
    """The frame's IP packet after one hop, or None where that is not for us (ARP, neighbour discovery)."""
    version = struct.unpack_from("!H", frame, 12)[0]
    ip = frame[14:]
    if version == 0x0800 and ip[8] > 1:
        size = (ip[0] & 15) * 4
        return ipv4_header(ip[:8] + bytes([ip[8] - 1]) + ip[9:size]) + ip[size:]
    if version == 0x86DD and 1 < ip[7] and ip[6] != socket.IPPROTO_ICMPV6:
        return ip[:7] + bytes([ip[7] - 1]) + ip[8:]
    return None


class Box:
    def __init__(self, options):
        self.options = options
        self.client = Side(options.client_if, options.client_mac)
        self.server = Side(options.server_if, options.server_mac, options.vlan)
        self.connections = {}

    def fires(self, packet, from_client, state):
        when, word = self.options.when, self.options.word.encode()
        syn_bits = packet.flags & (SYN | ACK)
        if from_client and word in packet.payload:
            state.setdefault("ack", packet.ack)
        if when == "synack":
            return not from_client and syn_bits == SYN | ACK
        if not from_client or when == "never":
            return False
        if when == "syn":
            return syn_bits == SYN
        if when == "ack":
            return syn_bits == ACK and not packet.payload and not packet.flags & (RST | FIN)
        if when == "data":
            return word in packet.payload
        if when == "psh":
            return bool(packet.payload) and bool(packet.flags & PSH)
        return packet.ack != state.get("ack", packet.ack)

    def inject(self, packet):
        """Forged from a packet of the client's that has just been seen."""
        o = self.options
        if o.to in ("server", "both"):
            for i, reset in enumerate(filter(None, o.send.split(","))):
                kind, zero, ack, seq = re.fullmatch(r"(RA|R)(0)?(?:\+(\d+))?(?:@(\d+))?", reset).groups()
                self.server.send(forge(
                    packet.src, packet.dst, packet.sport, packet.dport, RST | (ACK if kind == "RA" else 0),
                    packet.next + int(seq or 0), 0 if zero else packet.ack + int(ack or 0), o.ttl, o.id + i))
        if o.to in ("client", "both"):
            self.client.send(forge(packet.dst, packet.src, packet.dport, packet.sport, RST | ACK,
                                   packet.ack, packet.next, o.ttl, o.id))

    def handle(self, frame, from_client):
        ip, packet = one_hop(frame), Packet(frame)
        if ip is None:
            return
        forward, inject = True, False
        if packet.ok:
            ends = ((packet.src, packet.sport), (packet.dst, packet.dport))
            state = self.connections.setdefault(ends if from_client else ends[::-1], {"fired": 0})
            if state["fired"] and self.options.then == "drop":
                return
            if self.fires(packet, from_client, state):
                forward = self.options.hold >= 0 and state["fired"] >= self.options.hold
                inject = not state["fired"] and bool(self.options.send)
                state["fired"] += 1
        # A reset for the client alone goes first, else the server's answer might come before it.
        if inject and self.options.to == "client":
            self.inject(packet)
        if forward:
            (self.server if from_client else self.client).send(ip)
        if inject and self.options.to != "client":
            self.inject(packet)

    def run(self, seconds):
        end = time.monotonic() + seconds
        sides = {self.client.socket: self.client, self.server.socket: self.server}
        print("ready", flush=True)
        while time.monotonic() < end:
            for ready in select.select(sides, [], [], 0.5)[0]:
                frame = sides[ready].receive()
                if frame:
                    self.handle(frame, sides[ready] is self.client)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--client-if", "--client-mac", "--server-if", "--server-mac"):
        parser.add_argument(name, required=True)
    parser.add_argument("--when", required=True, choices=["never", "syn", "synack", "ack", "data", "psh", "answer"])
    parser.add_argument("--word", default="blocked")
    parser.add_argument("--send", default="")
    parser.add_argument("--to", default="both", choices=["server", "client", "both"])
    parser.add_argument("--hold", type=int, default=0)
    parser.add_argument("--then", default="drop", choices=["pass", "drop"])
    parser.add_argument("--ttl", type=int, default=128)
    parser.add_argument("--id", type=lambda text: int(text, 0), default=0)
    parser.add_argument("--vlan", type=int, help="the tag of frames to the server")
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    Box(options).run(options.seconds)


if __name__ == "__main__":
    sys.exit(main())
