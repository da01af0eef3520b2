#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Makes sense of what bench measured: table, limits, documentation.

report.py join KEY=VALUE... <LINES >JSON   lines of bench, and facts of the run, as one document
report.py table <JSON                      for people; fails if a limit is exceeded
report.py tap <LINES                       a test for each limit
report.py rst <JSON                        Documentation/benchmarks.rst
"""
import json
import sys

OURS = "vmdev"
REFERENCE = "vp_vdpa"
NAMES = {"vmdev": "ours", "shadow": "ours, shadow", "logged": "shadow, logged",
         "svq": "QEMU x-svq", "vhost_net": "vhost-net + tap", "soft": "ours, software",
         "soft_blk": "ours, software", "vduse": "VDUSE + tap",
         "fpga": "FPGA", "fpga_logged": "FPGA, logged", "fpga_suspend": "SUSPEND"}
# Devices that are software have a table of their own, with these peers.
SOFT = ("soft", "soft_blk")
SOFT_PEERS = ("vhost_net", "vduse", "vdpa_sim_net", "vdpa_sim_blk")
SOFT_CONTENDERS = SOFT + ("vduse", "vdpa_sim_blk")
SOFT_FAMILIES = ("tx-gso-poll", "rx-gso-poll", "blk-read", "blk-write", "memory")
# So has the FPGA, whose peers are itself.
FPGA = "fpga"
FPGA_LOGGED = "fpga_logged"
FPGA_CONTENDERS = (FPGA, FPGA_LOGGED, "fpga_suspend")
# Our device, too: no peers of it.
OWN = (OURS, "shadow", "logged", "svq") + SOFT_CONTENDERS + FPGA_CONTENDERS
GROWTH = 1.25	# from no mapping standing to the most


class More:
    """At most so many instructions more than the reference."""
    def __init__(self, n):
        self.n = n

    def __str__(self):
        return f"+{self.n}"

    def holds(self, ours, reference):
        return ours <= reference + self.n


class AtMost:
    """At most so many instructions."""
    def __init__(self, n):
        self.n = n

    def __str__(self):
        return f"{self.n:,}"

    def holds(self, figure):
        return figure <= self.n


class Times:
    """At most so many times the reference."""
    def __init__(self, factor):
        self.factor = factor

    def __str__(self):
        return f"x {self.factor}"

    def holds(self, ours, reference):
        return ours <= reference * self.factor


# Of which registers are counted, too: cases of their own, behind each.
COUNTED = ("suspend", "resume", "dirty-start", "dirty-report", "dirty-stop")
REGISTERS = {"read": "registers read", "write": "registers written", "ring": "doorbells"}


def with_registers(families):
    more = {}
    for kind, entry in families.items():
        more[kind] = entry
        if kind in COUNTED:
            more.update({f"{kind}-{suffix}": (f"{entry[0]}: {what}", None, None)
                         for suffix, what in REGISTERS.items()})
    return more


# Name before the first slash; title, made with what is behind the slashes; limit; meaning.
FAMILIES = with_registers({
    "kick": ("kick", More(40),
             "A write to the kick eventfd of a transmit queue with nothing in it, to the end of the "
             "system call. A worker that it wakes is part of it."),
    "doorbell": ("doorbell, mapped", None,
                 "A barrier and a store to the doorbell page (page-per-vq=on)."),
    "interrupt": ("interrupt", More(40),
                  "What a packet costs with an interrupt that signals the call eventfd, less what it "
                  "costs without. Nobody sleeps on it."),
    "interrupt-wake": ("interrupt, and wake", More(40),
                       "The same with a thread asleep in poll(), its read() of the eventfd, and its "
                       "next poll()."),
    "tx-poll": ("send {} B, polling, batch {}", Times(1.02),
                "For each packet: offer it, its share of one kick, take its completion. The client "
                "polls; what it waits is not counted, what workers do meanwhile is."),
    "tx-sleep": ("send {} B, sleeping, batch {}", Times(1.02),
                 "The same with a client that sleeps on the call eventfd until the batch is complete."),
    "rx-poll": ("receive {} B, polling, batch {}", Times(1.02),
                "For each packet: take it, offer its buffer again. The sender is not counted. The "
                "client polls."),
    "rx-sleep": ("receive {} B, sleeping, batch {}", Times(1.02),
                 "The same with a client that sleeps on the call eventfd until the batch is there."),
    "tx-gso-poll": ("send 64 KiB, polling, batch {}", None,
                    "A frame of TCP that is to be segmented later, in 17 pieces."),
    "rx-gso-poll": ("receive 64 KiB, polling, batch {}", None,
                    "Likewise, into mergeable buffers of 2 KiB."),
    "blk-read": ("read 4 KiB, batch {}", None, "For each request: offer it, its share of one kick, take "
                 "its completion. The client polls."),
    "blk-write": ("write 4 KiB, batch {}", None, "Likewise."),
    "memory": ("memory of a device, bytes", None,
               "What the machine has less when there is one more device that nobody uses; not instructions."),
    "echo": ("ping a nested guest, {} B, {} at once", None,
             "For each packet, one to the guest and one from it: all that is done until the answers are "
             "there, by the guest, QEMU, the kernel, and the client that pings."),
    "mark-new": ("mark a page", None,
                 "That hardware wrote, in the dirty log of a range of 1 GiB; it was clean."),
    "mark-dirty": ("mark a page that is dirty", None, "The same again."),
    "report-dense": ("report 1 GiB, all dirty", None,
                     "One REPORT with 4 KiB pages, the bitmap in memory."),
    "report-none": ("report 1 TiB, nothing dirty", None, "Likewise."),
    "report-runs": ("report 1 TiB, 0.1 % dirty, in a row", None, "Likewise."),
    "report-sparse": ("report 1 TiB, 0.1 % dirty, anywhere", None, "Likewise."),
    "map": ("map 4 KiB, {:,} standing", Times(1.35),
            "One IOTLB message that maps a page, in a gap between as many pages mapped one by one."),
    "unmap": ("unmap 4 KiB, {:,} standing", Times(1.35), "The reverse."),
    "map-huge": ("map 1 GiB of huge pages", Times(1.35), "In one IOTLB message."),
    "unmap-huge": ("unmap 1 GiB of huge pages", Times(1.35), "In one IOTLB message."),
    "dev-add-del": ("dev add and del", Times(1.1), "Both of the following, one after the other."),
    "dev-add": ("dev add", Times(1.1), "From the netlink message to its answer; vhost-vdpa takes the device."),
    "dev-del": ("dev del", None,
                "Likewise. Ours has a node to remove, /dev/vmdev/NAME, which no peer has."),
    "suspend": ("suspend, {} queues", None,
                "The ioctl, of a device that has sent and waits for packets. Its queues are direct, or in "
                "shadow."),
    "resume": ("resume, {} queues", None,
               "Likewise. Hardware without ring states starts no ring in its middle: those are in shadow then."),
    "dirty-start": ("START, {} queues", None,
                    "The ioctl, of the dirty log of a device that runs, with 1 GiB mapped beside its rings."),
    "dirty-report": ("REPORT, {:,} pages dirty", None,
                     "The ioctl, of all of that GiB. Pages are dirty because frames were received in them, "
                     "as far apart as they can be."),
    "dirty-stop": ("STOP, {} queues", None, "The ioctl."),
    "open-close": ("open, close", Times(1.1), "Nothing in between."),
    "open-run-close": ("open, run, close, {:,} pages", Times(1.1),
                       "What a client has to do from open() until DRIVER_OK was set, a reset, close(). "
                       "Pages that it maps beside its rings are never contiguous."),
    "driver-ok": ("DRIVER_OK, {:,} pages", None, "Of that the one call that sets DRIVER_OK."),
    "reset": ("reset, {:,} pages", None, "Of that the reset."),
})

# Contender, case, what it may cost.
GOALS = ([("logged", f"{kind}-poll/{size}/32", AtMost(400)) for kind in ("tx", "rx") for size in (64, 1500)] +
         [(OURS, "mark-dirty", AtMost(15)), (OURS, "report-sparse", AtMost(5000000))])
# Registers, of each of 32 queues and the control queue, and beside them. A queue is told to stop and asked
# whether it did and where, or told all that it needs to start; the log is one for all.
GOALS += [(FPGA, case, AtMost(each * 33 + more)) for case, each, more in (
    ("suspend-read/32", 2, 9), ("suspend-write/32", 3, 4),
    ("resume-read/32", 5, 8), ("resume-write/32", 11, 16),
    ("dirty-start-read/2", 0, 5), ("dirty-start-write/2", 0, 6),
    ("dirty-report-read/1024", 0, 5), ("dirty-report-write/1024", 0, 0),
    ("dirty-stop-read/2", 0, 1), ("dirty-stop-write/2", 0, 1))]
# To a packet of a device that logs nothing.
LOGGED_LIMIT = Times(1.02)
# Case, peer, ratio that a device that is software may have to it.
SOFT_GOALS = ([(f"{kind}-poll/64/32", "vhost_net", 0.75) for kind in ("tx", "rx")] +
              [(f"{kind}-poll/64/1", "vhost_net", 0.5) for kind in ("tx", "rx")] +
              [(f"{kind}-sleep/64/1", "vhost_net", 0.8) for kind in ("tx", "rx")] +
              [("tx-poll/64/1", "vdpa_sim_net", 0.6)] +
              [(f"blk-{kind}/{batch}", "vdpa_sim_blk", 0.75) for kind in ("read", "write")
               for batch in (1, 32)])
# What shadow queues of ours add to a guest's packet, to what QEMU's add.
SVQ_SHARE = 0.2


def family(case):
    return FAMILIES[case.split("/")[0]]


def title(case):
    return family(case)[0].format(*map(int, case.split("/")[1:]))


def is_registers(case):
    return case.split("/")[0].rpartition("-")[0] in COUNTED


def is_packet(case):
    return case.split("/")[0] in ("tx-poll", "rx-poll")


def name(contender):
    return NAMES.get(contender, contender)


class Run:
    """Figures by case and contender, cases in the order of FAMILIES."""
    def __init__(self, figures):
        self.figures = {}
        self.contenders = []
        for figure in figures:
            self.figures.setdefault(figure["case"], {})[figure["contender"]] = figure
            if figure["contender"] not in self.contenders:
                self.contenders.append(figure["contender"])
        families = list(FAMILIES)
        self.cases = sorted(self.figures, key=lambda case: families.index(case.split("/")[0]))

    def median(self, case, contender):
        figure = self.figures.get(case, {}).get(contender)
        return figure["median"] if figure else None

    def best(self, case):
        """The cheapest peer, or None."""
        peers = [(f["median"], c) for c, f in self.figures[case].items() if c not in OWN]
        return min(peers)[1] if peers else None

    def ratio(self, case, peer):
        ours, theirs = self.median(case, OURS), self.median(case, peer)
        return ours / theirs if ours is not None and theirs else None

    def growth(self, kind):
        """The most standing, and times the cost with none."""
        counts = [int(c.split("/")[1]) for c in self.cases if c.startswith(kind + "/")]
        counts = [n for n in counts if self.median(f"{kind}/{n}", OURS) is not None]
        if not counts or max(counts) == 0:
            return None
        most = max(counts)
        return most, self.median(f"{kind}/{most}", OURS) / self.median(f"{kind}/0", OURS)

    def verdicts(self):
        """(holds, what, how much) of each limit that applies."""
        for case in self.cases:
            limit = family(case)[1]
            ours, reference = self.median(case, OURS), self.median(case, REFERENCE)
            if limit is None or ours is None:
                continue
            if reference is None:
                yield False, title(case), f"{REFERENCE} was not measured"
                continue
            yield (limit.holds(ours, reference), title(case),
                   f"{number(ours)}, {REFERENCE} {number(reference)}: "
                   f"{ours - reference:+,.0f}, x {ours / reference:.3f}, at most {limit}")
        for kind in ("map", "unmap"):
            growth = self.growth(kind)
            if growth:
                yield (growth[1] <= GROWTH, f"{kind}, growth to {growth[0]:,} standing",
                       f"x {growth[1]:.3f}, at most x {GROWTH}")
        yield from self.goals()
        yield from self.logged_limits()
        yield from self.svq_shares()
        yield from self.soft_goals()

    def soft(self, case):
        """The figure of a device that is software."""
        figures = [self.median(case, c) for c in SOFT]
        return next((f for f in figures if f is not None), None)

    def soft_ratio(self, case, peer):
        ours, theirs = self.soft(case), self.median(case, peer)
        return ours / theirs if ours is not None and theirs else None

    def soft_goals(self):
        for case, peer, goal in SOFT_GOALS:
            if self.soft(case) is None:
                continue
            ratio = self.soft_ratio(case, peer)
            yield (ratio is not None and ratio <= goal,
                   f"{name('soft')}: {title(case)}, to {name(peer)}",
                   f"x {ratio:.3f}, at most x {goal}" if ratio is not None else
                   f"{name(peer)} was not measured")

    def goals(self):
        for contender, case, limit in GOALS:
            figure = self.median(case, contender)
            if figure is not None:
                yield (limit.holds(figure), f"{name(contender)}: {title(case)}",
                       f"{number(figure)}, at most {limit}")

    def logged_ratio(self, case):
        plain, logged = self.median(case, FPGA), self.median(case, FPGA_LOGGED)
        return logged / plain if plain and logged is not None else None

    def logged_limits(self):
        """Of each packet that is measured with hardware's log or without."""
        for case in self.cases:
            plain, logged = self.median(case, FPGA), self.median(case, FPGA_LOGGED)
            if not is_packet(case) or (plain is None and logged is None):
                continue
            if plain is None or logged is None:
                yield False, f"{name(FPGA_LOGGED)}: {title(case)}", "only one of both was measured"
                continue
            yield (LOGGED_LIMIT.holds(logged, plain), f"{name(FPGA_LOGGED)}: {title(case)}",
                   f"{number(logged)}, not logged {number(plain)}: x {logged / plain:.3f}, "
                   f"at most {LOGGED_LIMIT}")

    def svq_shares(self):
        for case in self.cases:
            direct, ours, svq = (self.median(case, c) for c in (OURS, "shadow", "svq"))
            if svq is None:
                continue
            yield (ours - direct <= (svq - direct) * SVQ_SHARE, f"shadow queues, {title(case)}",
                   f"ours add {number(ours - direct)}, QEMU's {number(svq - direct)}, "
                   f"at most x {SVQ_SHARE}")


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def times(value):
    return "-" if value is None else f"{value:.3f}"


def rows(run):
    """Cells of the table, the first row being its head."""
    contenders = [c for c in run.contenders if c not in SOFT_CONTENDERS + FPGA_CONTENDERS]
    yield (["instructions per"] + [name(c) for c in contenders] +
           [f"to {REFERENCE}", "to the best", "limit"])
    for case in run.cases:
        limit = family(case)[1]
        if case.split("/")[0] in SOFT_FAMILIES or not any(run.median(case, c) for c in contenders):
            continue
        yield ([title(case)] + [number(run.median(case, c)) for c in contenders] +
               [times(run.ratio(case, REFERENCE)), times(run.ratio(case, run.best(case))),
                str(limit or "")])


def soft_rows(run):
    """The same of devices that are software."""
    peers = [c for c in SOFT_PEERS if c in run.contenders]
    yield (["instructions per", name("soft")] + [name(c) for c in peers] +
           [f"to {name(c)}" for c in peers] + ["goal"])
    for case in run.cases:
        if run.soft(case) is None:
            continue
        goals = [f"x {goal} {name(peer)}" for c, peer, goal in SOFT_GOALS if c == case]
        yield ([title(case), number(run.soft(case))] +
               [number(run.median(case, c)) for c in peers] +
               [times(run.soft_ratio(case, c)) for c in peers] + [", ".join(goals)])


def fpga_rows(run):
    """The same of the FPGA; registers are whole numbers, and of none there is no line."""
    contenders = [c for c in FPGA_CONTENDERS if c in run.contenders]
    limits = {case: limit for contender, case, limit in GOALS if contender == FPGA}
    yield (["instructions, or accesses, per"] + [name(c) for c in contenders] +
           [f"logged to {name(FPGA)}", "limit"])
    for case in run.cases:
        medians = [run.median(case, c) for c in contenders]
        if not any(medians) and case not in limits:
            continue
        limit = LOGGED_LIMIT if is_packet(case) else limits.get(case, "")
        cells = [number(m) for m in medians]
        if is_registers(case):
            cells = ["-" if m is None else f"{m:.0f}" for m in medians]
        yield [title(case)] + cells + [times(run.logged_ratio(case)), str(limit)]


def tables(run, rule):
    """Lines of each table that has any rows."""
    for table in (list(rows(run)), list(soft_rows(run)), list(fpga_rows(run))):
        if len(table) > 1:
            yield text_table(table, rule)


def text_table(table, rule):
    table = list(table)
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    lines = []
    for row in table:
        cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    line = "  ".join(rule * w for w in widths)
    return [line, lines[0], line] + lines[1:] + [line]


def do_table(doc):
    run = Run(doc["figures"])
    for lines in tables(run, "-"):
        print("\n".join(lines))
    exceeded = [v for v in run.verdicts() if not v[0]]
    held = sum(1 for v in run.verdicts() if v[0])
    for _, what, how in exceeded:
        print(f"EXCEEDED  {what}: {how}")
    print(f"{held} limits held, {len(exceeded)} exceeded")
    return bool(exceeded) or not doc["figures"]


def do_tap(figures):
    verdicts = list(Run(figures).verdicts())
    for i, (holds, what, how) in enumerate(verdicts, 1):
        print(f"{'ok' if holds else 'not ok'} {i} - {what}" + ("" if holds else f" # {how}"))
    return not verdicts or not all(v[0] for v in verdicts)


def losses(run):
    for case in run.cases:
        best = run.best(case)
        ratio = run.ratio(case, best) if best else None
        if ratio and ratio > 1.005:
            yield case, best, ratio


def do_rst(doc):
    run = Run(doc["figures"])
    facts = doc["facts"]
    out = [".. SPDX-License-Identifier: GPL-2.0",
           ".. Written by 'make bench BENCH=--save'. Do not edit.", "",
           "==========", "Benchmarks", "==========", "",
           "What a device costs on the host, in instructions of the host's processor, beside other",
           "drivers that were measured in the same run. All of it is software: the driver, the vDPA",
           "core, vhost, the client's system calls. What the device itself does costs nothing here,",
           "an access to a register costs one instruction, and so does a cache miss.", "",
           "::", "", f"    {facts['command']}", ""]
    out += [f":{key}: {value}" for key, value in facts.items() if key != "command"]
    out += ["", "Figures are medians of at least 5 rounds, %d for most." %
            max(f["rounds"] for f in doc["figures"]),
            "``Documentation/benchmarks.json`` has the spread, too.", ""]
    for lines in tables(run, "="):
        out += lines + [""]
    out.pop()
    out += ["", "What the lines mean", "===================", ""]
    seen = []
    for case in run.cases:
        if family(case) not in seen and family(case)[2]:
            seen.append(family(case))
            out += [family(case)[0].format("N", "N") if "{:," not in family(case)[0] else
                    family(case)[0].replace("{:,}", "N"), f"    {family(case)[2]}", ""]
    out += ["What the columns mean", "=====================", "",
            "ours", "    ``vmdev_pci`` on an SR-IOV VF.", "",
            "ours, shadow", "    The same with its queues in shadow, memory in huge pages.", "",
            "shadow, logged", "    With the dirty log on, too. Pages are dirty already, as most are between two reports.", "",
            "QEMU x-svq", "    QEMU's shadow queues on our device, which is direct.", "",
            "vp_vdpa", "    The kernel's own driver of virtio functions, on the same VF.", "",
            "vdpa_sim_net", "    The kernel's simulator: a software device that sends to itself; its worker counts. So it has no",
            "    figures of packets received, and it takes no frame of more than a page.", "",
            "vhost-net + tap", "    The kernel's software path with the same rings; its worker counts, and so does who wakes it.", "",
            "ours, software", "    ``vmdev_soft``. As with a tap what it sends is for nobody, and what it receives is",
            "    sent to its port by a packet socket: what that costs on an interface that drops it at once",
            "    is taken off.", "",
            "VDUSE + tap", "    A small device of ours in user space (``selftests/bench/vduse.c``). When the client sleeps",
            "    what the device does after its interrupt is not counted.", "",
            "FPGA", "    ``vmdev_pci`` on an FPGA with ring states and a dirty log (``selftests/model``), direct. It runs",
            "    beside the VM, at its own pace: all clients poll, and what they wait is not counted. Accesses to",
            "    registers are counted by the FPGA itself, doorbells apart, those of MSI-X and of PCI not. Where there are",
            "    none there is no line. Beside the 32 queues there is a control queue.", "",
            "FPGA, logged", "    The same while it logs what it writes: still direct, and each page that was written is in",
            "    the report, which is checked.", "",
            "SUSPEND", "    The same with virtio 1.4's SUSPEND instead: for the log, and when they are resumed, queues go to shadow.", "",
            "limit", f"    What ``make bench`` and ``make check`` hold us to, against {REFERENCE}; and growth of",
            f"    map and unmap from none to the most mappings standing, at most {GROWTH} times.", "",
            "    Beside them there are these:", ""]
    out += [f"    - {name(contender)}: {title(case)}, at most {limit}" for contender, case, limit in GOALS]
    out += [f"    - {name(FPGA_LOGGED)}: each packet, at most {LOGGED_LIMIT} of {name(FPGA)}"]
    out += [f"    - what shadow queues of ours add to a packet of a nested guest, at most x {SVQ_SHARE} of",
            "      what QEMU's add", "",
            "ifcvf, the kernel's driver of Intel's virtio functions, is not among them: it wants BARs 0, 2",
            "and 4, and QEMU's virtio functions have only 1 and 4, so it cannot take them.", ""]
    lost = list(losses(run))
    out += ["Where a peer is cheaper", "=======================", ""]
    out += [f"- {title(case)}: {times(ratio)} times {name(best)}" for case, best, ratio in lost] or ["Nowhere."]
    out += [""]
    bad = [v for v in run.verdicts() if not v[0]]
    if bad:
        out += ["Limits that are exceeded", "========================", ""]
        out += [f"- {what}: {how}" for _, what, how in bad] + [""]
    out += [".. include:: benchmarks-migration.rst", ""]
    print("\n".join(out), end="")
    return 0


def main(argv):
    command = argv[1] if len(argv) > 1 else ""
    if command == "join":
        facts = dict(arg.split("=", 1) for arg in argv[2:])
        doc = {"facts": facts, "figures": [json.loads(line) for line in sys.stdin if line.startswith("{")]}
        print(json.dumps(doc, indent=1))
        return 0
    if command == "tap":
        return do_tap([json.loads(line) for line in sys.stdin if line.startswith("{")])
    if command in ("table", "rst"):
        return {"table": do_table, "rst": do_rst}[command](json.load(sys.stdin))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
