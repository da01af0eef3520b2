#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""ynl.py YNL SPEC SCHEMA: what the command ynl does, without its start for each request.

It is the library of YNL, the folder of that command in the kernel's source, that does it. Reads
lines "MODE<tab>OPERATION<tab>JSON<tab>WANTED": MODE is do or dump, WANTED an expression of Python
that has to be true of r, what is got, or, after "!", a regular expression for what is said of a
refusal. same(FOLDER, "NAME NAME...") is one for it: are files of sysfs the same? Answers each with a
line: "ok", or what there was instead.
"""
import json
import re
import sys

sys.path.append(sys.argv[1])
from lib import NlError, YnlFamily  # pylint: disable=wrong-import-position,import-error


def is_same(value, had):
    """Of what netlink does not tell a file is empty, or 0."""
    if value is None:
        return had in ("", "0")
    if isinstance(value, bool):
        return had == str(int(value))
    if isinstance(value, int):
        return had in (str(value), "%#x" % value)
    return had == value if isinstance(value, str) else set(had.split()) == set(value)


def same(r, folder, names):
    """Do these attributes have the values of files of that name?"""
    for name in names.split():
        with open(folder + "/" + name.replace("-", "_"), encoding="ascii") as file:
            if not is_same(r.get(name), file.read().rstrip("\n")):
                return False
    return True


def answer(ynl, line):
    """The answer to a line."""
    mode, op, attrs, wanted = line.rstrip("\n").split("\t")
    try:
        r = getattr(ynl, mode)(op, json.loads(attrs))
    except NlError as error:
        said = str(error)
        if wanted.startswith("!") and re.search(wanted[1:], said):
            return "ok"
        return "it was refused: " + said
    if wanted.startswith("!"):
        return "it was not refused: %r" % r
    try:
        right = eval(  # pylint: disable=eval-used
            wanted, {"r": r, "same": lambda *args: same(r, *args)})
    except (KeyError, OSError) as error:
        return "%r, it got: %r" % (error, r)
    return "ok" if right else "it got: %r" % r


def main():
    ynl = YnlFamily(sys.argv[2], sys.argv[3])
    for line in sys.stdin:
        print(answer(ynl, line).replace("\n", " "), flush=True)


main()
