#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Send frames to a port, and see whether the driver receives them:

burst.py NS PORT passed|filtered DST [VLAN]

NS has the driver's netdev, eth0. A driver tells its filter when it gets round to it, so there are some
attempts, of which one has to be all of that.
"""
import os
import re
import socket
import subprocess
import sys
import time

COUNT = 5
ATTEMPTS = 20
EXPERIMENTAL = b"\x88\xb5"


def filtered(port):
    stats = subprocess.run(["ethtool", "-S", port], check=True, capture_output=True, text=True).stdout
    return sum(map(int, re.findall(r"tx\d+_filtered: (\d+)", stats)))


def received():
    with open("/proc/thread-self/net/dev") as dev:
        for line in dev:
            name, _, counters = line.partition(":")
            if name.strip() == "eth0":
                return int(counters.split()[1])
    raise SystemExit("no eth0")


def main():
    ns, port, want, dst = sys.argv[1:5]
    vlan = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    frame = bytes.fromhex(dst.replace(":", "") + "020000000099")
    if vlan:
        frame += b"\x81\x00" + vlan.to_bytes(2, "big")
    frame = (frame + EXPERIMENTAL).ljust(60, b"x")

    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.bind((port, 0))
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open("/run/netns/" + ns, os.O_RDONLY)
    for _ in range(ATTEMPTS):
        os.setns(home)
        took_before = filtered(port)
        os.setns(there)
        got_before = received()
        for _ in range(COUNT):
            sender.send(frame)
        end = time.monotonic() + 3
        while True:
            os.setns(there)
            got = received() - got_before
            os.setns(home)
            took = filtered(port) - took_before
            if got + took >= COUNT or time.monotonic() > end:
                break
            time.sleep(0.05)
        if (got, took) == ((COUNT, 0) if want == "passed" else (0, COUNT)):
            return 0
        time.sleep(0.1)
    print(f"{dst} {vlan or ''}: not {want}: of {COUNT} frames {got} were received, {took} filtered")
    return 1


sys.exit(main())
