#!/usr/bin/env python3
"""A TCP client that does the listed steps and no more: client.py HOST PORT STEP...

  port:N   bind this local port (before the connection, so it comes first)
  send:T   send the text T (\\r and \\n as such)
  recv:N   read once, N bytes at most
  wait:S   wait S seconds
  probe:S  keep-alive probes every S seconds from now on, probe:0 ends them
  fin      close (the kernel makes a reset of it where something is unread)
  rst      close by reset (SO_LINGER 0), as health checks and load balancers do
  again    a new connection to the same place

An error ends it quietly with code 1: a reset is often what a recording is about.
"""
import socket
import struct
import sys
import time


def connect(host, port, local):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.settimeout(30)
    if local:
        sock.bind(("", local))
    sock.connect((host, port))
    return sock


def probe(sock, seconds):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, seconds > 0)
    if seconds:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, seconds)


def main(host, port, *steps):
    local = 0
    if steps and steps[0].startswith("port:"):
        local, steps = int(steps[0][5:]), steps[1:]
    sock = connect(host, int(port), local)
    for step in steps:
        what, _, value = step.partition(":")
        if what == "send":
            sock.sendall(value.replace("\\r", "\r").replace("\\n", "\n").encode())
        elif what == "recv":
            sock.recv(int(value or 65536))
        elif what == "wait":
            time.sleep(float(value))
        elif what == "probe":
            probe(sock, int(value))
        elif what == "rst":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        elif what == "fin":
            sock.close()
        elif what == "again":
            sock = connect(host, int(port), local)
        else:
            sys.exit("unknown step " + step)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError:
        sys.exit(1)
