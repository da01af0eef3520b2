# SPDX-License-Identifier: GPL-2.0
# Sourced by tests of vmdev doctor.
# shellcheck shell=bash

PATH=/build/tools:$PATH

# findings ARG...: a line for each: CHECK, BDF if there is one, what is wrong, tab, the command. JSON
# that is not as it should be is an error.
findings() {
	vmdev -j doctor "$@" | python3 -c 'import json, sys
for f in json.load(sys.stdin):
	if not set(f) - {"bdf"} == {"check", "finding", "mend"} or not all(f.values()): sys.exit("bad: %r" % f)
	print(f["check"], f.get("bdf", "") + (" " if "bdf" in f else "") + f["finding"] + "\t" + f["mend"])'
}
# of CHECK PATTERN ARG...: those findings
of() {
	local check=$1 pattern=$2

	shift 2
	findings "$@" | sed -n "s/^$check //p" | grep -E -- "$pattern"
}
# names CHECK PATTERN ARG...: a finding, in JSON and in text, and an exit code of 1.
names() {
	local found said status

	found=$(of "$@") || { findings "${@:3}"; return 1; }
	said=$(vmdev doctor "${@:3}")
	status=$?
	echo "$found"
	[ $status = 1 ] && grep -qF "; to mend: $(head -n 1 <<<"$found" | cut -f2)" <<<"$said"
}
absent() { ! of "$@"; }
# mend CHECK PATTERN ARG...: the command
mend() { of "$@" | head -n 1 | cut -f2; }
# mends CHECK PATTERN ARG...: what it is, and that the command, as it stands there, mends it.
mends() {
	local command

	names "$@" || return
	command=$(mend "$@")
	eval "$command" || { echo "$command failed"; return 1; }
	absent "$@"
}
# exits STATUS ARG...
exits() {
	local status

	vmdev doctor "${@:2}"
	status=$?
	[ $status = "$1" ] || { echo "exit code $status"; return 1; }
}
