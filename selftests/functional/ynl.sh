#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The netlink family by the kernel's own tool: ynl, with the specification, checked against the
# kernel's schema of such. Each operation, each refusal and its reason, and events.
# lab: --vfs 1
# limit: 300
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

vf=$BDF_vf0_0
cli=/opt/ynl/tools/net/ynl/pyynl/cli.py
spec=/vmdev/Documentation/netlink/specs/vmdev.yaml
schema=/opt/ynl/Documentation/netlink/genetlink.yaml

# The command itself, and its library, which need not be started each time.
ynl() { python3 -uB "$cli" --spec "$spec" --schema "$schema" --output-json "$@"; }
coproc LIBRARY { exec python3 -B /vmdev/selftests/netlink/ynl.py "${cli%/*}" "$spec" "$schema" 2>/out/ynl; }
ask() {
	local said

	printf '%s\t%s\t%s\t%s\n' "$@" >&"${LIBRARY[1]}"
	IFS= read -r -t 60 said <&"${LIBRARY[0]}" || said="no answer: $(tail -n 3 /out/ynl)"
	echo "$said"
	[ "$said" = ok ]
}
# is EXPRESSION --do|--dump OPERATION [--json ATTRIBUTES]: true of what is got, r
is() { ask "${2#--}" "$3" "${5-"{}"}" "$1"; }
# refused PATTERN --do|--dump OPERATION [--json ATTRIBUTES]
refused() { ask "${2#--}" "$3" "${5-"{}"}" "!$1"; }
nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups -- python3 -B "$cli" --spec "$spec" \
		--schema "$schema" "$@" 2>&1 | grep 'not permitted'
}
listen() {
	ynl --subscribe events --duration 1000 >/tmp/events 2>&1 &
	EVENTS=$!
	wait_for "[ \$(awk '\$2 == 16 && \$4 != \"00000000\"' /proc/net/netlink | wc -l) -ge 1 ]" 60
}
event() { wait_for "grep -qE -- '$1' /tmp/events" 30 || { cat /tmp/events; return 1; }; }

parents() {
	tap_check "the command" eval "ynl --dump parent-get | grep -q '\"name\": \"vmdev_soft_blk\"'"
	tap_check "parents" is 'any(p["name"] == "vmdev_soft" and p["software"] for p in r)' --dump parent-get
	tap_check "a function" bind_driver "$vf" vmdev_pci
	tap_check "a parent" is "r['bus'] == 'pci' and r['device-id'] == 1 and not r.get('gone')" \
		--do parent-get --json "{\"bus\": \"pci\", \"name\": \"$vf\"}"
	tap_check "capabilities by name" is '"state" in r["capabilities"] and "log" in r["capabilities"]' \
		--do parent-get --json '{"name": "vmdev_soft"}'
	tap_check "one that there is not" refused 'no management device x of.*No such device' \
		--do parent-get --json '{"name": "x"}'
	tap_check "without a name" refused 'Invalid argument.*miss-type' \
		--do parent-get --json '{}'
}

devices() {
	tap_check "no devices" is 'r == []' --dump dev-get
	tap_check "a device of hardware" dev_add v0 "$vf" vhost_vdpa
	tap_check "one of software" soft_add s0 virtio_vdpa
	tap_check "event: it is there" event "dev-add"
	tap_check "devices" is '{d["name"] for d in r} == {"v0", "s0"}' --dump dev-get
	tap_check "a device" is "r['parent-name'] == '$vf' and r['state'] == 'off' and r['policy'] == 'auto'" \
		--do dev-get --json '{"name": "v0"}'
	tap_check "one that runs" is "r['state'] == 'running' and r['features'] >> 32 & 1" \
		--do dev-get --json '{"name": "s0"}'
	tap_check "one that there is not" refused 'no device x of.*No such device' \
		--do dev-get --json '{"name": "x"}'
	tap_check "a policy" is True --do dev-set --json '{"name": "v0", "policy": "shadow"}'
	tap_check "it is" is "r['policy'] == 'shadow'" --do dev-get --json '{"name": "v0"}'
	tap_check "event: the policy" event "policy.*shadow|shadow.*policy"
	tap_check "a policy out of range" refused 'Numerical result.*policy' \
		--do dev-set --json '{"name": "v0", "policy": 3}'
	tap_check "no policy" refused 'Invalid argument.*miss-type' --do dev-set --json '{"name": "v0"}'
	is True --do dev-set --json '{"name": "v0", "policy": "auto"}' >/dev/null
}

parts() {
	hold /tmp/hold.log v0 -t
	tap_check "event: it runs" event "running"
	tap_check "queues" is 'len(r) > 4 and {q["dev"] for q in r} == {"v0", "s0"}' --dump queue-get
	tap_check "those of a device" is 'all(q["dev"] == "v0" for q in r) and [q["index"] for q in r] == list(range(len(r)))' \
		--dump queue-get --json '{"dev": "v0"}'
	tap_check "a queue" is 'r["path"] == "direct" and r["ready"] and r["irq"] > 0 and r["desc-addr"] > 0' \
		--do queue-get --json '{"dev": "v0", "index": 0}'
	tap_check "one that there is not" refused 'no queue 77.*No such file' \
		--do queue-get --json '{"dev": "v0", "index": 77}'
	tap_check "a number out of range" refused 'Numerical result.*index' \
		--do queue-get --json '{"dev": "v0", "index": 70000}'
	tap_check "address spaces" is 'len(r) >= 2 and sum(a["maps"] for a in r) > 0' --dump address-space-get
	tap_check "one of them" is 'r["mapped-last"] > r["mapped-first"] and not r.get("logged")' \
		--do address-space-get --json '{"dev": "v0", "index": 0}'
	tap_check "one that there is not" refused 'no address space 9.*No such file' \
		--do address-space-get --json '{"dev": "v0", "index": 9}'
	/build/tools/vmdev dirty watch v0 -i 0.2 >/tmp/rate 2>&1 &
	local watch=$!
	tap_check "it is logged" wait_for "grep -q pages /tmp/rate" 20
	tap_check "by whom" is 'r["logged"] and r["holder"] == "vmdev" and r["holder-pid"] == '"$watch"' and r["reports"] > 0 and r["page-size"] == 4096 and r["logged-bytes"] == r["logged-last"] - r["logged-first"] + 1' \
		--do address-space-get --json '{"dev": "v0", "index": 0}'
	tap_check "event: it is logged" event "dirty-start"
	kill -INT $watch
	wait $watch
	tap_check "event: no more" event "dirty-stop"
}

interrupts() {
	tap_check "interrupt vectors" is 'any(v["use"] == "queue" and v["queue"] == 0 and v["requested"] for v in r)' \
		--dump irq-get
	tap_check "their layout stays while a driver runs" refused 'a driver runs the device.*busy' \
		--do irq-set --json "{\"bus\": \"pci\", \"name\": \"$vf\", \"mode\": \"all-shared\"}"
	let_go
	tap_check "event: reset" event "reset"
	tap_check "then not" is True --do irq-set --json "{\"bus\": \"pci\", \"name\": \"$vf\", \"mode\": \"all-shared\"}"
	tap_check "all share one" is 'all(v["mode"] == "all-shared" for v in r)' --dump irq-get
	tap_check "that of software" refused 'vmdev_soft has no interrupt vectors.*No such device' \
		--do irq-set --json '{"name": "vmdev_soft", "mode": "auto"}'
	tap_check "no such layout" refused 'Numerical result.*mode' \
		--do irq-set --json "{\"bus\": \"pci\", \"name\": \"$vf\", \"mode\": 4}"
	tap_check "not for everybody" nobody --do irq-set --json '{"name": "x", "mode": 0}'
	tap_check "nor a policy" nobody --do dev-set --json '{"name": "v0", "policy": 0}'
}

tap_plan 49
tap_check "VFs" vf_create "$BDF_pf0" 1
tap_check "modules" eval "soft_setup && modprobe vmdev_ctl"
tap_check "events are listened to" listen
parents
devices
parts
interrupts
vdpa dev del v0
vdpa dev del s0
tap_check "event: it is gone" event "dev-del"
tap_check "ynl knew all events" eval "kill $EVENTS; ! grep -iE 'traceback|unknown' /tmp/events"
tap_check "modprobe -r" eval "unbind_driver $vf && modprobe -r vmdev_ctl vmdev_soft vmdev_pci vmdev"
tap_check "a clean kernel log" clean_log
tap_done
