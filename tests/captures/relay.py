#!/usr/bin/env python3
"""Joins an Ethernet interface and a TUN device of its own: relay.py ETHERNET PEER_MAC TUN VLAN

Frames that go out carry the VLAN tag; of those that come in the kernel has already taken it away. So VLANs work where
the kernel has none, and a recording of the TUN device has raw IP packets without a link layer.
"""
import fcntl
import select
import socket
import struct
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
ETHERTYPE_ALL, VLAN = 3, 0x8100
LIFETIME = 60  # seconds; the recorder ends it before


def main(ethernet, peer, tun, vlan):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_ALL))
    wire.bind((ethernet, 0))
    link = bytes.fromhex(peer.replace(":", "")) + wire.getsockname()[4] + struct.pack("!HH", VLAN, int(vlan))
    device = open("/dev/net/tun", "r+b", buffering=0)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", tun.encode(), IFF_TUN | IFF_NO_PI))
    print("ready", flush=True)
    end = time.monotonic() + LIFETIME
    while time.monotonic() < end:
        for ready in select.select([wire, device], [], [], 0.5)[0]:
            if ready is device:
                packet = device.read(65535)
                wire.send(link + (b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd") + packet)
                continue
            frame, where = wire.recvfrom(65535)
            if where[2] != socket.PACKET_OUTGOING and frame[12:14] in (b"\x08\x00", b"\x86\xdd"):
                device.write(frame[14:])


if __name__ == "__main__":
    main(*sys.argv[1:])
