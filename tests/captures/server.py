#!/usr/bin/env python3
"""Small TCP servers on IPv4 and IPv6, each with one habit: server.py PORT:HABIT...

  silent   accepts, reads, never answers
  reset    accepts and resets at once (SO_LINGER 0)
  refuse   resets as soon as it has read something
  slow     answers one second after it has read something
"""
import socket
import struct
import sys
import threading
import time

LIFETIME = 3600  # seconds; the recorder ends it long before


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def converse(sock, habit):
    try:
        if habit == "reset":
            reset(sock)
        while habit != "reset" and sock.recv(65536):
            if habit == "refuse":
                return reset(sock)
            if habit == "slow":
                time.sleep(1)
                sock.sendall(b"HTTP/1.0 200 OK\r\n\r\nlate\n")
                break
    except OSError:
        pass
    sock.close()


def serve(port, habit):
    # One dual-stack socket takes IPv4 as well.
    listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", port))
    listener.listen(16)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=converse, args=(sock, habit), daemon=True).start()


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        number, _, name = argument.partition(":")
        threading.Thread(target=serve, args=(int(number), name), daemon=True).start()
    time.sleep(LIFETIME)
