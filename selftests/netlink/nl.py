# SPDX-License-Identifier: GPL-2.0
"""Generic netlink, as bare as it is: for tests that want to say what no library says, or see
which message came in which datagram.
"""
import os
import socket
import struct
import sys

import yaml

NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLA_F_NESTED, NLA_F_NET_BYTEORDER = 0x8000, 0x4000
GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 0x10, 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME, CTRL_ATTR_MCAST_GROUPS = 1, 2, 7
CTRL_ATTR_MCAST_GRP_NAME, CTRL_ATTR_MCAST_GRP_ID = 1, 2
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NETLINK_EXT_ACK, NETLINK_GENERIC = 270, 1, 11, 16


def align(data):
    return data + bytes(-len(data) % 4)


def attr(kind, payload, length=None):
    """An attribute; @length: what it says it has."""
    head = struct.pack("HH", (4 + len(payload) if length is None else length) & 0xffff,
                       kind & 0xffff)
    return align(head + payload)


def parse(data):
    """The attributes in @data: a number, and a payload."""
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("HH", data, at)
        yield kind & ~(NLA_F_NESTED | NLA_F_NET_BYTEORDER), data[at + 4:at + length]
        at += length + -length % 4


def messages(data):
    """What is in a datagram: type, number of the request, payload."""
    while len(data) >= 16:
        length, kind, _, seq, _ = struct.unpack_from("IHHII", data)
        yield kind, seq, data[16:length]
        data = data[length + -length % 4:]


class Socket:
    """Generic netlink, a request at a time."""
    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.settimeout(60)
        # Events are for sockets with a number, which else only a request gives them.
        self.sock.bind((0, 0))
        self.seq = 0

    def send(self, family, flags, cmd, attrs, version=1, tail=0):
        """@tail: bytes by which the message is shorter than what it should have."""
        self.seq += 1
        body = struct.pack("BBH", cmd, version, 0) + attrs
        body = body[:len(body) - tail]
        self.sock.send(struct.pack("IHHII", 16 + len(body), family,
                                   flags | NLM_F_REQUEST | NLM_F_ACK, self.seq, 0) + body)

    def datagrams(self, size=65536):
        """Answers to the last request, a list for each datagram. Gives errno at the end."""
        while True:
            answers = []
            for kind, seq, message in messages(self.sock.recv(size)):
                if seq != self.seq:
                    continue
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    yield answers
                    return -struct.unpack_from("i", message)[0] if message else 0
                answers.append(message)
            yield answers

    def ask(self, *request):
        """As send(). Gives errno (0 for none), and the answers."""
        self.send(*request)
        answers = []
        datagrams = self.datagrams()
        while True:
            try:
                answers += next(datagrams)
            except StopIteration as end:
                return end.value, answers

    def find(self, name):
        """The number of a family, and those of its groups by name."""
        err, answers = self.ask(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY,
                                attr(CTRL_ATTR_FAMILY_NAME, name.encode() + b"\0"))
        if err:
            sys.exit("no family %s: %s" % (name, os.strerror(err)))
        found = dict(parse(answers[0][4:]))
        groups = [dict(parse(group)) for _, group in parse(found.get(CTRL_ATTR_MCAST_GROUPS, b""))]
        return (struct.unpack("H", found[CTRL_ATTR_FAMILY_ID])[0],
                {group[CTRL_ATTR_MCAST_GRP_NAME].rstrip(b"\0").decode():
                 struct.unpack("I", group[CTRL_ATTR_MCAST_GRP_ID])[0] for group in groups})

    def family(self, name):
        return self.find(name)[0]

    def join(self, group):
        self.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)


class Spec:
    """What there is to ask."""
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            spec = yaml.safe_load(file)
        self.name = spec["name"]
        self.words = {d["name"]: [e["name"] if isinstance(e, dict) else e for e in d["entries"]]
                      for d in spec["definitions"]}
        self.enums = {name: len(words) for name, words in self.words.items()}
        self.sets = {s["name"]: {a["name"]: dict(a, value=i + 1)
                                 for i, a in enumerate(s["attributes"])}
                     for s in spec["attribute-sets"]}
        # Numbers go up by one for each of them, as those of uapi do.
        self.ops = [dict(op, value=i + 1) for i, op in enumerate(spec["operations"]["list"])]

    def number(self, op):
        """Of an operation, by name."""
        return next(o["value"] for o in self.ops if o["name"] == op)
