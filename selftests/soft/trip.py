#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Send frames from one netdev, and see what arrives at another one:

trip.py FROM_NS/DEV TO_NS/DEV DST all|none|less|tagged COUNT SIZE...

COUNT of each size. Our own namespace is "-". Each frame has a number and contents that follow from it, and
whoever sent it as its source. DST "back": frames for nobody, that are to come back with their addresses
swapped. "less": all of them, but without their last 8 bytes. "tagged": all, in VLAN 5.
"""
import os
import random
import socket
import struct
import sys
import time

EXPERIMENTAL, ETH_P_ALL = 0x88B5, 3
SOL_PACKET, PACKET_AUXDATA, VLAN_VALID = 263, 8, 1 << 4
SO_RCVBUFFORCE = 33
NOBODY = bytes.fromhex("0200000000fe")


def enter(place, home):
    ns, dev = place.split("/")
    os.setns(home if ns == "-" else os.open("/run/netns/" + ns, os.O_RDONLY))
    return dev


def payload(number, size):
    return struct.pack("!I", number) + random.Random(number).randbytes(size - 14 - 4)


def vlan_of(ancillary):
    for level, kind, data in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, tci = struct.unpack("=I", data[:4])[0], struct.unpack("=H", data[16:18])[0]
            return tci & 0xFFF if status & VLAN_VALID else 0
    return 0


def receive(receiver, header, size, want, count):
    cut = 8 if want == "less" else 0
    seen = set()
    end = time.monotonic() + (1 if want == "none" else 10)
    while len(seen) < count and (left := end - time.monotonic()) > 0:
        receiver.settimeout(left)
        try:
            frame, ancillary, _, address = receiver.recvmsg(65536, 256)
        except TimeoutError:
            break
        if frame[12:14] != header[12:14] or address[2] == socket.PACKET_OUTGOING:
            continue
        number = struct.unpack("!I", frame[14:18])[0]
        if frame != header + payload(number, size)[:size - 14 - cut] or number in seen:
            raise SystemExit(f"frame {number} of {len(frame)} bytes is not what was sent: {frame[:32].hex()}")
        if vlan_of(ancillary) != (5 if want == "tagged" else 0):
            raise SystemExit(f"frame {number} is in VLAN {vlan_of(ancillary)}")
        seen.add(number)
    if len(seen) != (0 if want == "none" else count):
        raise SystemExit(f"{len(seen)} of {count} frames of {size} bytes arrived")


def main():
    source, target, dst, want, count, *sizes = sys.argv[1:]
    home = os.open("/proc/self/ns/net", os.O_RDONLY)

    dev = enter(target, home)
    receiver = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    receiver.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
    # What a bridge takes from its ports, only who listens to everything has seen before.
    receiver.bind((dev, ETH_P_ALL if target.startswith("-") else EXPERIMENTAL))
    dev = enter(source, home)
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sender.bind((dev, 0))
    own = sender.getsockname()[4]
    to = NOBODY if dst == "back" else bytes.fromhex(dst.replace(":", ""))
    kind = struct.pack("!H", EXPERIMENTAL)
    header = (own + to if dst == "back" else to + own) + kind
    for size in map(int, sizes):
        for number in range(int(count)):
            sender.send(to + own + kind + payload(number, size))
        receive(receiver, header, size, want, int(count))


main()
