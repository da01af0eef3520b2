#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""ynl.py YNL SPEC SCHEMA: what the command ynl does, without its start for each request.

It is the library of YNL, the folder of that command in the kernel's source, that does it. Reads
lines "MODE<tab>OPERATION<tab>JSON<tab>WANTED": MODE is do or dump, WANTED an expression of Python
that has to be true of r, what is got, or, after "!", a regular expression for what is said of a
refusal. Answers each with a line: "ok", or what there was instead.
"""
import json
import re
import sys

sys.path.append(sys.argv[1])
from lib import NlError, YnlFamily  # pylint: disable=wrong-import-position,import-error


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
    return "ok" if eval(wanted, {"r": r}) else "it got: %r" % r  # pylint: disable=eval-used


def main():
    ynl = YnlFamily(sys.argv[2], sys.argv[3])
    for line in sys.stdin:
        print(answer(ynl, line).replace("\n", " "), flush=True)


main()
