#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Drive a QEMU by its QMP socket.

qmp.py SOCKET COMMAND [ARGUMENTS]       one command; prints what it returns as JSON
qmp.py SOCKET migrate URI [SECONDS]     migrate, wait, print what query-migrate says
qmp.py SOCKET cancel URI                migrate slowly, cancel when memory has begun to go
qmp.py SOCKET die URI PID               likewise, but kill PID, which is the other side
"""
import json
import os
import signal
import socket
import sys
import time

LIMIT = 300
SLOW = 1 << 20  # bytes a second: the migration that is cancelled does not come to its end
SENT = 1 << 21  # then it is cancelled


class Qmp:
    """A connection to one QEMU, past its greeting."""

    def __init__(self, path):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(LIMIT)
        sock.connect(path)
        self.file = sock.makefile("rw")
        self.file.readline()
        self.run("qmp_capabilities")

    def run(self, command, **arguments):
        """What COMMAND returns; events that come before are dropped."""
        json.dump({"execute": command, "arguments": arguments}, self.file)
        self.file.flush()
        for line in self.file:
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                sys.exit(f"{command}: {answer['error']['desc']}")
        sys.exit(f"{command}: QEMU is gone")

    def wait(self, limit, done):
        """query-migrate, again and again until DONE likes its answer."""
        end = time.monotonic() + limit
        while True:
            info = self.run("query-migrate")
            if done(info):
                return info
            if time.monotonic() > end:
                sys.exit(f"time limit; {json.dumps(info)}")
            time.sleep(0.1)


def ended(info):
    return info.get("status") in ("completed", "failed", "cancelled")


def begun(info):
    return ended(info) or info.get("ram", {}).get("transferred", 0) > SENT


def migrate(qmp, uri, limit=LIMIT):
    qmp.run("migrate", uri=uri)
    info = qmp.wait(int(limit), ended)
    if info["status"] != "completed":
        sys.exit(f"migration {info['status']}: {info.get('error-desc', '')}")
    ram = info["ram"]
    print(f"downtime {info['downtime']} ms, in all {info['total-time']} ms,"
          f" {ram['transferred'] >> 20} MiB in {ram['dirty-sync-count']} rounds")


def interrupt(qmp, uri, how, status):
    """Migrate slowly, and do something in the middle."""
    before = qmp.run("query-migrate-parameters")["max-bandwidth"]
    qmp.run("migrate-set-parameters", **{"max-bandwidth": SLOW})
    qmp.run("migrate", uri=uri)
    qmp.wait(LIMIT, begun)
    how()
    info = qmp.wait(LIMIT, ended)
    qmp.run("migrate-set-parameters", **{"max-bandwidth": before})
    if info["status"] != status:
        sys.exit(f"migration {info['status']}, not {status}")


def cancel(qmp, uri):
    interrupt(qmp, uri, lambda: qmp.run("migrate_cancel"), "cancelled")


def die(qmp, uri, pid):
    interrupt(qmp, uri, lambda: os.kill(int(pid), signal.SIGKILL), "failed")


def main():
    path, command, *rest = sys.argv[1:]
    qmp = Qmp(path)
    if command in ("migrate", "cancel", "die"):
        globals()[command](qmp, *rest)
    else:
        print(json.dumps(qmp.run(command, **json.loads(rest[0] if rest else "{}"))))


main()
