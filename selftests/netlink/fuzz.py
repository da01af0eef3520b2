#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""fuzz.py SPEC REQUESTS SEED [NAME | BUS/NAME]...: random requests to a generic netlink family.

They are made after its specification: operations of it, with attributes of the types that it
says, of names that there are, and then one thing or another is wrong with most of
them: a value out of its range, a wrong length, a string without an end, an attribute missing,
twice, of another operation or of none, a flag, a command that there is not, a message cut off.

Each has to be answered, in bounded time, and refusals with an errno that a person can make
something of. Prints how often there was which answer to which operation. Exit status 1 if one
was not answered, or with an errno that is none of ALLOWED; or, of FAIR or more, if an operation never
succeeded, for then nothing behind its checks was tried. Who may not change anything (not root) gets EPERM, too.
"""
import collections
import errno
import os
import random
import struct
import sys

from nl import NLA_F_NESTED, NLA_F_NET_BYTEORDER, NLM_F_DUMP, Socket, Spec, attr

MAY = os.geteuid() == 0
FAIR = 500
ALLOWED = {0, errno.EINVAL, errno.ERANGE, errno.ENODEV, errno.ENOENT, errno.EOPNOTSUPP,
           errno.EBUSY, errno.ENOSPC, errno.EIO, errno.EMSGSIZE} | (set() if MAY else {errno.EPERM})


class Fuzzer:
    """Requests, one after the other."""
    def __init__(self, spec, names):
        self.spec = spec
        self.names = [name.split("/") if "/" in name else ["", name] for name in names]
        self.name = self.names[0]
        self.numbers = [0, 1, 2, 3, 4, 5, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1]

    def string(self, bus):
        if random.random() < 0.9:
            text = self.name[0 if bus else 1].encode()
        else:
            text = random.choice([b"", b"x", b"%s%n", b"\xff\xfe", b"a" * 63, b"b" * 255,
                                  b"c" * 256, b"d" * 4000, bytes(random.choices(range(256), k=9))])
        return text + (b"\0" if random.random() < 0.95 else b"")

    def value(self, spec):
        """A payload of the attribute's type, as a rule one that is in range."""
        kind = spec["type"]
        if kind == "string":
            return self.string(spec["name"] == "bus")
        if kind == "flag":
            return b""
        if spec.get("enum") and random.random() < 0.9:
            number = random.randrange(self.spec.enums[spec["enum"]])
        elif random.random() < 0.8:
            number = random.randrange(6)
        else:
            number = random.choice(self.numbers)
        if kind == "u8":
            return struct.pack("B", number & 0xff)
        if kind == "uint" and random.random() < 0.5:
            return struct.pack("Q", number)
        return struct.pack("I", number)

    def broken(self, spec):
        """An attribute with something wrong about it."""
        payload = self.value(spec)
        what = random.randrange(6)
        if what == 0:
            return attr(spec["value"], payload[:random.randrange(len(payload) + 1)])
        if what == 1:
            return attr(spec["value"], payload + bytes(random.randrange(1, 64)))
        if what == 2:
            return attr(spec["value"], payload, random.choice([0, 1, 3, 5, 200, 65535]))
        if what == 3:
            return attr(spec["value"] | random.choice([NLA_F_NESTED, NLA_F_NET_BYTEORDER]),
                        payload)
        if what == 4:
            return attr(random.choice([0, 1, 99, 0x3fff, 0x7fff]), payload)
        return bytes(random.choices(range(256), k=random.randrange(1, 40)))

    def attributes(self, op, names):
        known = self.spec.sets[op["attribute-set"]]
        out = []
        self.name = random.choice(self.names)
        for name in names:
            if random.random() < (0.9 if name == "bus" and not self.name[0] else 0.06):
                continue
            out.append(attr(known[name]["value"], self.value(known[name])))
            if random.random() < 0.05:
                out.append(attr(known[name]["value"], self.value(known[name])))
        if random.random() < 0.25:
            out.append(self.broken(random.choice(list(known.values()))))
        if random.random() < 0.08:
            other = random.choice(list(self.spec.sets.values()))
            one = random.choice(list(other.values()))
            out.append(attr(one["value"], self.value(one)))
        if random.random() < 0.2:
            random.shuffle(out)
        return b"".join(out)

    def request(self):
        """The arguments of Socket.ask(), and what it is about."""
        op = random.choice(self.spec.ops)
        modes = [mode for mode in ("do", "dump") if mode in op] or ["do"]
        mode = random.choice(modes)
        names = op.get(mode, {}).get("request", {}).get("attributes", [])
        dump = (mode == "dump") ^ (random.random() < 0.04)
        cmd = op["value"] if random.random() < 0.97 else random.randrange(256)
        return (op["name"] + (" dump" if dump else ""), NLM_F_DUMP if dump else 0, cmd,
                self.attributes(op, names), random.choice([1] * 50 + [0, 2, 255]),
                random.choice([0] * 30 + [1, 2, 3, 4, 7]))


def missing(spec, count, told):
    """What never succeeded, of who may do all of it, and tried often enough."""
    good = {what for what, err in told if not err}
    return [what for op in spec.ops if MAY and count >= FAIR
            for mode, what in (("do", op["name"]), ("dump", op["name"] + " dump"))
            if mode in op and what not in good]


def main():
    spec, count, seed = Spec(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    random.seed(seed)
    fuzzer = Fuzzer(spec, sys.argv[4:])
    sock = Socket()
    family = sock.family(spec.name)
    told = collections.Counter()
    bad = n = 0
    # Chance may have it that some request is only made of what is not there.
    while n < count or (n < 4 * count and missing(spec, count, told)):
        n += 1
        what, flags, cmd, attrs, version, tail = fuzzer.request()
        try:
            err, _ = sock.ask(family, flags, cmd, attrs, version, min(tail, len(attrs)))
        except TimeoutError:
            sys.exit("request %d of seed %d, %s, was not answered: %s" %
                     (n, seed, what, attrs.hex()))
        told[what, err] += 1
        if err not in ALLOWED:
            bad += 1
            print("request %d of seed %d, %s: %s: %s" %
                  (n, seed, what, os.strerror(err), attrs.hex()))
    for (what, err), times in sorted(told.items()):
        print("%6d %s: %s" % (times, what, errno.errorcode.get(err, "ok") if err else "ok"))
    for what in missing(spec, count, told):
        bad += 1
        print("%s never succeeded" % what)
    sys.exit(1 if bad else 0)


main()
