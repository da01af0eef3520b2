#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The netlink family by the kernel's own tool: ynl, with the specification, checked against the
# kernel's schema of such. Each operation and attribute, each refusal and its reason, and events, but
# for: too few vectors for a layout (vectors.sh), events that are lost (events.sh), an unsafe function
# (intremap.sh), and a disk whose requests do not finish while it moves, which no test has.
# lab: --vfs 1 --hostile
# limit: 400
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh

vf=$BDF_vf0_0 hostile=$BDF_hostile0
declare -A number=()
while read -r n name; do number[$name]=$n; done < <(/build/selftests/hostile/hostile --list)
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
# refusals PATTERN --do|--dump OPERATION JSON...: the same of each of these
refusals() {
	local pattern=$1 json

	for json in "${@:4}"; do
		refused "$pattern" "$2" "$3" --json "$json" || { echo "$json"; return 1; }
	done
}
# of NAME: the attributes that ask for it
of() { echo "{\"name\": \"$1\"}"; }
of_pci() { echo "{\"bus\": \"pci\", \"name\": \"$1\"}"; }
nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups -- python3 -B "$cli" --spec "$spec" \
		--schema "$schema" "$@" 2>&1 | grep 'not permitted'
}
listen() {
	ynl --subscribe events --duration 1000 >/tmp/events 2>&1 &
	EVENTS=$!
	wait_for "listening 1" 60
}
event() { wait_for "grep -qE -- '$1' /tmp/events" 30 || { cat /tmp/events; return 1; }; }

# --- one who goes step by step, and waits at "line" ------------------------------------------
# go NAME STEP...
go() {
	rm -f /tmp/line && mkfifo /tmp/line
	/tmp/steps -H -d "$(vhost_of "$1")" -f "$hostile" "${@:2}" </tmp/line >/tmp/steps.log 2>&1 &
	STEPS_PID=$!
	exec 5>/tmp/line
}
# at STEP=RESULT [COUNT]: it came there. on: it may go on. arrives: it did to the end.
at() { wait_for "[ \$(grep -ow -- '$1' /tmp/steps.log | wc -l) -ge ${2:-1} ]" 60 || { cat /tmp/steps.log; return 1; }; }
on() { echo >&5; }
arrives() {
	exec 5>&-
	wait "$STEPS_PID"
}
lie() { echo "lie=${number[$1]}/0"; }
lies() { [ "$(/tmp/steps -f "$hostile" "$(lie "$1")")" = "lie=ok " ]; }

# --- management devices ----------------------------------------------------------------------
mgmt_facts='device-id vendor-id features capabilities max-vqs software gone offline devices'
# It is reset again and again, until somebody saw it.
offline() {
	local status=1 resets

	rm -f /tmp/seen
	(for _ in {1..50}; do [ -e /tmp/seen ] || echo 1 >"/sys/bus/pci/devices/$vf/reset" || break; done) &
	resets=$!
	while kill -0 $resets 2>/dev/null && [ $status != 0 ]; do
		is 'r.get("offline")' --do parent-get --json "$(of_pci "$vf")" >/tmp/said
		status=$?
	done
	touch /tmp/seen
	wait $resets
	cat /tmp/said
	return $status
}
parents() {
	tap_check "the command" eval "ynl --dump parent-get | grep -q '\"name\": \"vmdev_soft_blk\"'"
	tap_check "parents" is 'any(p["name"] == "vmdev_soft" and p["software"] for p in r)' --dump parent-get
	tap_check "a function" bind_driver "$vf" vmdev_pci
	tap_check "a parent" is "r['bus'] == 'pci' and r['device-id'] == 1 and not r.get('gone')" \
		--do parent-get --json "{\"bus\": \"pci\", \"name\": \"$vf\"}"
	tap_check "capabilities by name" is 'set(r["capabilities"]) == {"state", "log", "ring-reset"}' \
		--do parent-get --json '{"name": "vmdev_soft"}'
	tap_check "what it makes" is "r['vendor-id'] == 0x1af4 and r['max-vqs'] == 3 and r['features'] >> 32 & 3 == 3 and not r.get('software')" \
		--do parent-get --json "$(of_pci "$vf")"
	tap_check "its interrupts are isolated" is '{k for k in r if k.startswith("msi-")} == {"msi-isolated", "msi-remapped"}' \
		--do parent-get --json "$(of_pci "$vf")"
	tap_check "nothing is said of those of software" is 'not any(k.startswith("msi-") for k in r)' \
		--do parent-get --json '{"name": "vmdev_soft"}'
	tap_check "sysfs tells the same" is "same('/sys/bus/pci/devices/$vf/vmdev_mgmt', '$mgmt_facts')" \
		--do parent-get --json "$(of_pci "$vf")"
	tap_check "of software, too" is "same('/sys/class/vmdev_soft/vmdev_soft_blk/vmdev_mgmt', '$mgmt_facts')" \
		--do parent-get --json '{"name": "vmdev_soft_blk"}'
	offline >/tmp/offline 2>&1
	tap_check "it is offline while it is reset" eval "cat /tmp/offline; grep -qx ok /tmp/offline"
	tap_check "and then no more" is 'not r.get("offline")' --do parent-get --json "$(of_pci "$vf")"
	tap_check "one that there is not" refused 'no management device x on no bus.*No such device' \
		--do parent-get --json '{"name": "x"}'
	tap_check "a function without its bus" refused "no management device $vf on no bus.*No such device" \
		--do parent-get --json "$(of "$vf")"
	tap_check "without a name" refused 'Invalid argument.*miss-type' \
		--do parent-get --json '{}'
}

# --- devices, and what they have -------------------------------------------------------------
dev_facts='state reason offered features status logged holder holder-pid'
fail_vq_start=/sys/kernel/debug/vmdev_soft/vmdev_soft/fail_vq_start
devices() {
	tap_check "no devices" is 'r == []' --dump dev-get
	tap_check "a device of hardware" dev_add v0 "$vf" vhost_vdpa
	tap_check "one of software" soft_add s0 virtio_vdpa
	tap_check "event: it is there" event "dev-add"
	tap_check "devices" is '{d["name"] for d in r} == {"v0", "s0"}' --dump dev-get
	tap_check "a device" is "r['parent-bus'] == 'pci' and r['parent-name'] == '$vf' and r['device-id'] == 1 and r['state'] == 'off' and r['policy'] == 'auto' and r['status'] == r['features'] == r['logged'] == 0 and not {'holder', 'holder-pid', 'reason'} & set(r)" \
		--do dev-get --json '{"name": "v0"}'
	tap_check "one that runs" is "r['state'] == 'running' and r['status'] == 15 and r['features'] >> 32 & 1 and r['features'] & ~r['offered'] == 0 and r['queues'] == 5 and r['address-spaces'] == 2" \
		--do dev-get --json '{"name": "s0"}'
	tap_check "one that there is not" refused 'no device x of.*No such device' \
		--do dev-get --json '{"name": "x"}'
	tap_check "a policy" is True --do dev-set --json '{"name": "v0", "policy": "shadow"}'
	tap_check "it is" is "r['policy'] == 'shadow'" --do dev-get --json '{"name": "v0"}'
	tap_check "event: the policy" event "policy.*shadow|shadow.*policy"
	tap_check "a policy out of range" refused 'Numerical result.*policy' \
		--do dev-set --json '{"name": "v0", "policy": 3}'
	tap_check "no policy" refused 'Invalid argument.*miss-type' --do dev-set --json '{"name": "v0"}'
	tap_check "without a name" eval "refusals 'Invalid argument.*miss-type' --do dev-get '{}' && refusals 'Invalid argument.*miss-type' --do dev-set '{\"policy\": \"auto\"}'"
	tap_check "that of none" refusals 'no device x of.*No such device' --do dev-set '{"name": "x", "policy": "auto"}'
	is True --do dev-set --json '{"name": "v0", "policy": "auto"}' >/dev/null
}

parts() {
	hold /tmp/hold.log v0 -t
	tap_check "event: it runs" event "running"
	tap_check "who has it" is "r['holder'] == 'hold_open' and r['holder-pid'] == $HOLDER and r['status'] == 15 and same('/sys/bus/vdpa/devices/v0/vmdev', '$dev_facts')" \
		--do dev-get --json '{"name": "v0"}'
	tap_check "queues" is 'len(r) > 4 and {q["dev"] for q in r} == {"v0", "s0"}' --dump queue-get
	tap_check "those of a device" is 'all(q["dev"] == "v0" for q in r) and [q["index"] for q in r] == list(range(len(r)))' \
		--dump queue-get --json '{"dev": "v0"}'
	tap_check "a queue" is "r['path'] == 'direct' and r['ready'] and not r.get('packed') and r['address-space'] == 0 and r['size'] == 128 and r['irq'] > 0 and 0 < r['desc-addr'] < r['driver-addr'] < r['device-addr'] and same('/sys/bus/vdpa/devices/v0/vmdev_queues/0', 'path ready packed address-space size desc-addr driver-addr device-addr irq')" \
		--do queue-get --json '{"dev": "v0", "index": 0}'
	for op in queue-get address-space-get; do
		tap_check "$op of no device" eval "refusals 'no device x of.*No such device' --do $op '{\"dev\": \"x\", \"index\": 0}' && refusals 'no device x of.*No such device' --dump $op '{\"dev\": \"x\"}'"
		tap_check "$op without a name, or a number" refusals 'Invalid argument.*miss-type' --do $op '{"dev": "v0"}' '{"index": 0}' '{}'
	done
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
	tap_check "by whom" is 'r["logged"] and r["holder"] == "vmdev" and r["holder-pid"] == '"$watch"' and r["reports"] > 0 and r["page-size"] == 4096 and r["logged-bytes"] == r["logged-last"] - r["logged-first"] + 1 and r["logged-ranges"] == 1' \
		--do address-space-get --json '{"dev": "v0", "index": 0}'
	tap_check "the device says which" is 'r["logged"] == 1 and same("/sys/bus/vdpa/devices/v0/vmdev", "logged")' \
		--do dev-get --json '{"name": "v0"}'
	tap_check "it cannot go direct meanwhile" refusals 'a queue cannot move.*not supported' --do dev-set '{"name": "v0", "policy": "direct"}'
	tap_check "event: it is logged" event "dirty-start"
	kill -INT $watch
	wait $watch
	tap_check "event: no more" event "dirty-stop"
}

# What there is only of a ring that is packed.
packed() {
	tap_check "a device with packed rings" soft_add p0 vhost_vdpa max_vqp 1 device_features 0x700038020
	hold /tmp/packed.log p0 -kt
	tap_check "in shadow" is True --do dev-set --json '{"name": "p0", "policy": "shadow"}'
	tap_check "it is known where it is" is 'r["packed"] and r["path"] == "shadow" and r["avail-index"] < r["size"] and r["used-index"] < r["size"] and {r["avail-wrap"], r["used-wrap"]} <= {0, 1}' \
		--do queue-get --json '{"dev": "p0", "index": 1}'
	kill -STOP "$HOLDER"
	packed_facts='packed avail-index avail-wrap used-index used-wrap kicks interrupts'
	tap_check "sysfs tells the same" wait_for "is 'r[\"used-index\"] == r[\"avail-index\"] and same(\"/sys/bus/vdpa/devices/p0/vmdev_queues/1\", \"$packed_facts\")' --do queue-get --json '{\"dev\": \"p0\", \"index\": 1}' >/dev/null" 20
	kill -CONT "$HOLDER"
	put 1 $fail_vq_start
	tap_check "a queue that is lost on the way" refusals 'a queue was lost on the way, the device needs a reset' --do dev-set '{"name": "p0", "policy": "auto"}'
	put 0 $fail_vq_start
	tap_check "it says why it broke" is "r['state'] == 'broken' and r['status'] == 79 and r['reason'] == 'a queue was lost on its way to another path' and same('/sys/bus/vdpa/devices/p0/vmdev', '$dev_facts')" \
		--do dev-get --json "$(of p0)"
	let_go
	tap_check "who ended has it no more" is "r['state'] == 'off' and not {'holder', 'holder-pid', 'reason'} & set(r) and same('/sys/bus/vdpa/devices/p0/vmdev', '$dev_facts')" \
		--do dev-get --json "$(of p0)"
	vdpa dev del p0
}

# --- a function that lies --------------------------------------------------------------------
stages() {
	local same="same('/sys/bus/vdpa/devices/h0/vmdev', '$dev_facts')"

	go h0 up send=3 recv=3 suspend line resume line "$(lie needs_reset)" broken line close
	at suspend=ok
	tap_check "one that is suspended" is "r['state'] == 'suspended' and r['status'] == 15 and $same" --do dev-get --json "$(of h0)"
	tap_check "where its queue was stopped" is 'r["path"] == "off" and r["avail-index"] == 3' --do queue-get --json '{"dev": "h0", "index": 1}'
	on
	at resume=ok
	tap_check "one that was resumed" is "r['state'] == 'running' and $same" --do dev-get --json "$(of h0)"
	on
	at broken=ok
	tap_check "one that broke" is "r['state'] == 'broken' and r['status'] == 79 and r['reason'] == 'hardware asks for a reset' and $same" --do dev-get --json "$(of h0)"
	on
	arrives
	lies honest
}
# proc: how many interrupts of a function /proc/interrupts has
proc() { awk -v name="^vmdev-.*:$1\$" '$NF ~ name { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }' /proc/interrupts; }
storms() {
	local before json

	json=$(of_pci "$hostile")
	echo 100 >/sys/module/vmdev_irq/parameters/storm_rate
	hold /tmp/storm.log h0 -t
	wait_for "[ \$(proc $hostile) -gt 0 ]" 20
	before=$(proc "$hostile")
	tap_check "vectors of one function" is "len(r) > 1 and all(v['bus'] == 'pci' and v['name'] == '$hostile' and v['storms'] == 0 and not v.get('polled') for v in r)" \
		--dump irq-get --json "$json"
	tap_check "they count as the kernel does" is "$before <= sum(v['count'] for v in r) <= sum(sum(map(int, l.split()[1:1 + $(nproc)])) for l in open('/proc/interrupts') if l.rstrip().endswith(':$hostile'))" \
		--dump irq-get --json "$json"
	tap_check "and know the CPU" is "any(v['count'] for v in r) and all(v['cpu'] < $(nproc) if v['count'] else 'cpu' not in v for v in r)" \
		--dump irq-get --json "$json"
	kill -STOP "$HOLDER"
	lies storm_vqs
	tap_check "one that stormed" wait_for "is 'any(v[\"storms\"] > 0 and v.get(\"polled\") and v[\"spurious\"] > 0 and v[\"use\"] == \"queue\" for v in r)' --dump irq-get --json '$json' >/dev/null" 90
	lies honest
	kill -CONT "$HOLDER"
	let_go
}
hostiles() {
	release_driver "$hostile"
	tap_check "a function that lies" dev_add h0 "$hostile" vhost_vdpa
	stages
	storms
	go h0 up "$(lie ones)" broken line close
	at broken=ok
	tap_check "one that is gone" is "r['gone'] and r['devices'] == 1 and same('/sys/bus/pci/devices/$hostile/vmdev_mgmt', '$mgmt_facts')" \
		--do parent-get --json "$(of_pci "$hostile")"
	tap_check "so is its device" is 'r["state"] == "broken" and r["reason"] == "hardware is gone"' --do dev-get --json "$(of h0)"
	on
	arrives
	lies honest
	vdpa dev del h0
	unbind_driver "$hostile"
}

interrupts() {
	tap_check "interrupt vectors" is 'any(v["use"] == "queue" and v["queue"] == 0 and v["requested"] for v in r)' \
		--dump irq-get
	tap_check "software has none" is 'r == []' --dump irq-get --json '{"name": "vmdev_soft"}'
	tap_check "those of no function" refusals 'no management device x on bus pci.*No such device' --dump irq-get "$(of_pci x)"
	tap_check "nor can they be laid out" refusals 'no management device x on no bus.*No such device' --do irq-set '{"name": "x", "mode": "auto"}'
	tap_check "nor without a name, or a layout" refusals 'Invalid argument.*miss-type' --do irq-set '{"name": "x"}' '{"mode": "auto"}'
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

tap_plan 88
tap_check "VFs" vf_create "$BDF_pf0" 1
cp "$TOOLS/steps" /tmp
unbind_driver "$hostile"
unbind_driver "$BDF_hostile1"
tap_check "modules" eval "soft_setup && modprobe vmdev_ctl"
tap_check "events are listened to" listen
parents
devices
parts
interrupts
packed
hostiles
vdpa dev del v0
vdpa dev del s0
tap_check "event: it is gone" event "dev-del"
tap_check "ynl knew all events" eval "kill $EVENTS; ! grep -iE 'traceback|unknown' /tmp/events"
tap_check "modprobe -r" eval "unbind_driver $vf && modprobe -r vmdev_ctl vmdev_soft vmdev_pci vmdev"
tap_check "a clean kernel log" clean_log
tap_done
