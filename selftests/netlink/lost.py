#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""lost.py SPEC POLICY: more happens than can be told, and how much that was is told.

The policy of a device that nobody runs is changed faster than a crowd of listeners can be told. Of
as many changes as there were each is an event, or counted as lost, by the next one that there is
room for, or, if there is none, by an event of its own. Goes on until both were seen.
"""
import os
import socket
import struct
import sys

from nl import Socket, Spec, messages, parse

CHANGES, CROWD, ROUNDS = 4000, 100, 50
SO_RCVBUFFORCE = 33


class Listener(Socket):
    def __init__(self, group):
        super().__init__()
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
        self.join(group)


def main():
    spec = Spec(sys.argv[1])
    file = os.open(sys.argv[2], os.O_RDWR)
    # The first one is a change, too.
    policies = [b"auto", b"shadow"] if os.read(file, 16) == b"shadow\n" else [b"shadow", b"auto"]
    family, groups = Socket().find(spec.name)
    kinds = {name: i for i, name in enumerate(spec.words["event"])}
    attrs = {name: a["value"] for name, a in spec.sets["event"].items()}
    listener = Listener(groups["events"])
    by_next = by_itself = 0
    for n in range(ROUNDS):
        crowd = [Listener(groups["events"]) for _ in range(CROWD)]
        for i in range(CHANGES):
            os.pwrite(file, policies[i % 2], 0)
        told = 0
        while told < CHANGES:
            for kind, _, message in messages(listener.sock.recv(65536)):
                if kind != family:
                    continue
                event = {a: struct.unpack("I", v)[0] for a, v in parse(message[4:]) if len(v) == 4}
                lost = event.get(attrs["lost"], 0)
                told += lost
                if event[attrs["kind"]] == kinds["lost"]:
                    by_itself += lost
                elif event[attrs["kind"]] == kinds["policy"]:
                    told += 1
                    by_next += lost
        if told != CHANGES:
            sys.exit("%d changes, %d told or lost" % (CHANGES, told))
        for other in crowd:
            other.sock.close()
        if by_next and by_itself:
            print("%d lost, told by the next, %d by themselves, in %d rounds" %
                  (by_next, by_itself, n + 1))
            return
    sys.exit("lost, told by the next: %d, by themselves: %d" % (by_next, by_itself))


main()
