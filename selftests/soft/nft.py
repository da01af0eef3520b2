#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A table of nftables, by netlink:

nft.py add|del

In it a rule that drops what a bridge would forward of the experimental Ethernet type.
"""
import errno
import os
import socket
import struct
import sys

NETLINK_NETFILTER, NFTABLES, BRIDGE = 12, 10, 7
BATCH_BEGIN, BATCH_END = 0x10, 0x11
NEWTABLE, DELTABLE, NEWCHAIN, NEWRULE = 0, 2, 3, 6
REQUEST, ACK, CREATE, APPEND, NESTED = 1, 4, 0x400, 0x800, 0x8000
FORWARD, DROP, VERDICT_REG, LINK_LAYER, EQUAL = 2, 0, 0, 0, 0
TABLE, CHAIN = b"soft\0", b"forward\0"


def attr(kind, data):
    if isinstance(data, int):
        data = struct.pack("!I", data)
    elif isinstance(data, list):
        kind, data = kind | NESTED, b"".join(data)
    return (struct.pack("=HH", len(data) + 4, kind) + data).ljust((len(data) + 7) & ~3, b"\0")


def message(kind, flags, family, resource, attrs=()):
    body = struct.pack("!BBH", family, 0, resource) + b"".join(attrs)
    return struct.pack("=IHHII", len(body) + 16, kind, REQUEST | flags, 1, 0) + body


def table_message(kind, flags, *attrs):
    return message(NFTABLES << 8 | kind, ACK | flags, BRIDGE, 0, attrs)


def expression(name, *attrs):
    return attr(1, [attr(1, name + b"\0"), attr(2, list(attrs))])


def add():
    yield table_message(NEWTABLE, CREATE, attr(1, TABLE))
    yield table_message(NEWCHAIN, CREATE, attr(1, TABLE), attr(3, CHAIN),
                        attr(4, [attr(1, FORWARD), attr(2, 0)]), attr(7, b"filter\0"))
    yield table_message(NEWRULE, CREATE | APPEND, attr(1, TABLE), attr(2, CHAIN), attr(4, [
        expression(b"payload", attr(1, 1), attr(2, LINK_LAYER), attr(3, 12), attr(4, 2)),
        expression(b"cmp", attr(1, 1), attr(2, EQUAL), attr(3, [attr(1, b"\x88\xb5")])),
        expression(b"immediate", attr(1, VERDICT_REG), attr(2, [attr(2, [attr(1, DROP)])])),
    ]))


def main():
    messages = list(add()) if sys.argv[1] == "add" else [table_message(DELTABLE, 0, attr(1, TABLE))]
    nl = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    nl.settimeout(10)
    nl.send(message(BATCH_BEGIN, 0, 0, NFTABLES) + b"".join(messages) + message(BATCH_END, 0, 0, NFTABLES))
    answers = 0
    while answers < len(messages):
        data = nl.recv(65536)
        while data:
            size, kind = struct.unpack("=IH", data[:6])
            if kind == 2:  # NLMSG_ERROR
                answers += 1
                error = struct.unpack("=i", data[16:20])[0]
                if error:
                    raise SystemExit(f"{errno.errorcode[-error]}: {os.strerror(-error)}")
            data = data[(size + 3) & ~3:]


main()
