#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""dumps.py SPEC MGMTDEV: dumps that take many datagrams, while devices come and go.

Its buffers are small, so the kernel goes on where it was again and again. It does so when a
datagram is fetched, for the one after that: between two of them is known what was told, and what
was not. There the device goes that it was at, and the next one, and another one comes: of all
others each queue has to be there once. Then the same with somebody who adds and deletes all
the time.

Devices of MGMTDEV, which is software, are there already; those that went come again.
"""
import contextlib
import struct
import subprocess
import sys
import threading

from nl import NLM_F_DUMP, Socket, Spec, parse

SIZE = 4096


def vdpa(*words):
    subprocess.run(["vdpa", "dev", *words], check=True)


def add(name):
    vdpa("add", "name", name, "mgmtdev", sys.argv[2], "max_vqp", "1")


class Dumps:
    """Of one operation."""
    def __init__(self, spec, op, attrs):
        self.op, self.cmd = op, spec.number(op)
        known = spec.sets[next(o["attribute-set"] for o in spec.ops if o["name"] == op)]
        self.attrs = [known[a]["value"] for a in attrs]
        self.family = Socket().family(spec.name)

    def key(self, message):
        found = dict(parse(message[4:]))
        name, *index = [found[a] for a in self.attrs]
        return (name.rstrip(b"\0").decode(), *(struct.unpack("I", i)[0] for i in index))

    def dump(self, size=SIZE, at=None, change=None):
        """Keys of what there is, a list for each datagram, which are no longer than @size. @change:
        called when datagram @at is made, and none after it."""
        sock = Socket()
        sock.send(self.family, NLM_F_DUMP, self.cmd, b"")
        datagrams, got = sock.datagrams(size), []
        while True:
            if len(got) == at:
                change()
            try:
                got.append([self.key(message) for message in next(datagrams)])
            except StopIteration as end:
                if end.value:
                    sys.exit("%s: error %d" % (self.op, end.value))
                return [keys for keys in got if keys]

    def check(self, before, got, but):
        """Of all but these devices what was there before is there once; of none is anything
        there twice."""
        keys = [key for keys in got for key in keys]
        wanted = [key for keys in before for key in keys if key[0] not in but]
        twice = {key for key in keys if keys.count(key) > 1}
        strange = {key[0] for key in keys} - {key[0] for key in wanted} - set(but)
        missing = set(wanted) - set(keys)
        if twice or missing or strange:
            sys.exit("%s: twice %s, missing %s, strange %s" % (self.op, twice, missing, strange))

    def between(self, at, size=SIZE):
        """Those go where a datagram ends. Says whether it ended within a device."""
        before = self.dump(size)
        self.check(before, before, ())
        if len(before) < 3:
            sys.exit("%s: only %d datagrams" % (self.op, len(before)))
        current = before[at][-1][0]
        following = next(key[0] for key in before[at + 1] if key[0] != current)

        def change():
            vdpa("del", current)
            vdpa("del", following)
            add("late")

        got = self.dump(size, at, change)
        self.check(before, got, (current, following, "late"))
        if any(key[0] == following for keys in got for key in keys):
            sys.exit("%s: %s was deleted, and is there" % (self.op, following))
        vdpa("del", "late")
        add(current)
        add(following)
        return before[at + 1][0][0] == current


@contextlib.contextmanager
def busy(names):
    """Somebody adds and deletes these all the time."""
    end, rounds = threading.Event(), [0]

    def work():
        while not end.is_set():
            for name in names:
                add(name)
            for name in names:
                vdpa("del", name)
            rounds[0] += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield rounds
    finally:
        end.set()
        thread.join()


def main():
    spec = Spec(sys.argv[1])
    both = [Dumps(spec, "dev-get", ["name"]), Dumps(spec, "queue-get", ["dev", "index"])]
    for dumps in both:
        within = [dumps.between(0), dumps.between(1)]
        # Until it was within a device, and between two: how many fit in depends on the size.
        while dumps.op == "queue-get" and len(set(within)) < 2:
            within.append(dumps.between(1, SIZE + 100 * len(within)))
            if len(within) > 20:
                sys.exit("%s: within a device: %s" % (dumps.op, within))
        print("%s: %d times, %d within a device" % (dumps.op, len(within), sum(within)))
    names = ["busy0", "busy1", "busy2"]
    before = [dumps.dump() for dumps in both]
    n = 0
    with busy(names) as rounds:
        while rounds[0] < 5:
            for dumps, was in zip(both, before):
                dumps.check(was, dumps.dump(), names)
            n += 1
    print("%d times while others came and went" % n)


main()
