#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Of a function_graph trace: its functions, and with their costs a table of them; see profile.sh."""
import re
import sys

# Each takes a run of its own.
MOST = 26

LINE = re.compile(r"^ *\d+\) +(?:[+!#*@$] +)?(?:([0-9.]+) us)? +\| ( *)(.*)$")


def parse(stream):
    """(depth, name, duration or None) of each call, in order of begin; duration is None for those with children."""
    for line in stream:
        m = LINE.match(line)
        if not m:
            continue
        took, indent, what = m.groups()
        depth = len(indent) // 2
        if what.startswith("}"):
            yield depth, None, took
            continue
        name = re.match(r"([A-Za-z0-9_.]+)(?: \[\w+\])?\(\)", what)
        if name:
            yield depth, name.group(1), took if what.endswith(";") else None


def functions():
    """Those with the most in them, dearest first; tracing is part of that here."""
    total, stack = {}, {}
    for depth, name, took in parse(sys.stdin):
        if name:
            stack[depth] = name
        if took and depth in stack:
            total[stack[depth]] = total.get(stack[depth], 0) + float(took)
    print("\n".join(sorted(total, key=total.get, reverse=True)[:MOST]))


def table(costs, title):
    figures = {}
    for line in open(costs):
        name, *values = line.split()
        figures[name] = [float(v) for v in values]
    parents, order, stack = {}, [], []
    for depth, name, _ in parse(sys.stdin):
        if not name:
            continue
        del stack[depth:]
        stack += [None] * (depth - len(stack))
        parent = stack[-1] if stack else None
        stack.append(name)
        if name not in parents:
            order.append((depth, name))
            parents[name] = {}
        parents[name][parent] = parents[name].get(parent, 0) + 1
    print(f"== {title}: instructions a packet, calls a packet, instructions a call")
    for depth, name in order:
        if name not in figures:
            continue
        calls, packet, median = figures[name]
        if packet >= 3:
            print(f"{packet:9.1f} {calls:7.3f} {median:7.0f}  {'  ' * min(depth, 20)}{name}")


if __name__ == "__main__":
    if sys.argv[1] == "functions":
        functions()
    else:
        table(sys.argv[2], sys.argv[3])
