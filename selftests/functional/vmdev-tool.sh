#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The vmdev command: what it shows, in text and JSON, what it changes, what it refuses and how.
# lab: --vfs 2 --hostile
# limit: 400
# kernels: 6.12 7.2
# long-kernels: 7.2
# Not on the debug kernel: its virtio_net leaks when the function that lies has no queues for it.
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/soft/lib.sh
. /vmdev/selftests/tools/completes.sh

vf=$BDF_vf0_0 vf1=$BDF_vf0_1 hostile=$BDF_hostile0
PATH=/build/tools:$PATH
events=/tmp/events jevents=/tmp/events.json

# --- what it prints ----------------------------------------------------------------------
# says PATTERN ARG...: it succeeds, and a line is like that.
says() {
	local pattern=$1 said

	shift
	said=$(vmdev "$@" 2>&1) && grep -E -- "$pattern" <<<"$said" && return
	echo "it said: $said"
	return 1
}
# refuses STATUS PATTERN ARG...
refuses() {
	local status=$1 pattern=$2 said is

	shift 2
	said=$("${AS[@]}" vmdev "$@" 2>&1)
	is=$?
	[ $is = "$status" ] && grep -E -- "$pattern" <<<"$said" && return
	echo "exit code $is, it said: $said"
	return 1
}
AS=()
nobody() { AS=(setpriv --reuid=65534 --regid=65534 --clear-groups --); "$@"; }
elsewhere() { AS=(ip netns exec elsewhere); "$@"; }

# To root they are shown, the schema says.
no_addresses() { "${AS[@]}" vmdev queue show v0 >/tmp/queues && ! grep desc_addr /tmp/queues; }

# Keys of objects: their type, ? for those that may be missing. No other key may be there.
schema='import json, re, sys
hexa = re.compile("0x[0-9a-f]+$|0$")
def word(*words): return lambda v: v in words
def text(v): return isinstance(v, str) and v != ""
def number(v): return type(v) is int and v >= 0
def real(v): return type(v) in (int, float) and v >= 0
def boolean(v): return type(v) is bool
def bits(v): return isinstance(v, str) and bool(hexa.match(v))
def each(test): return lambda v: isinstance(v, list) and all(map(test, v))
path = word("off", "direct", "shadow", "software")
policy = word("auto", "direct", "shadow")
schemas = {
"parent": {"parent": text, "type": word("network", "block"), "devices": number, "max_vqs": number,
	"software": boolean, "gone": boolean, "offline": boolean, "vendor": bits, "features": bits,
	"msi_isolated?": boolean, "msi_remapped?": boolean, "msi_posted?": boolean, "msi_translated?": boolean, "msi_unsafe?": boolean,
	"capabilities": each(word("state", "log", "suspend", "ring-reset"))},
"dev": {"dev": text, "parent": text, "type": word("network", "block"),
	"state": word("off", "running", "suspended", "broken"), "reason?": text, "policy": policy,
	"queues": number, "address_spaces": number, "logged": bits, "status": bits, "offered": bits,
	"features": bits, "holder?": text, "pid?": number},
"queue": {"dev": text, "queue": number, "path": path, "ready": boolean, "size": number,
	"packed": boolean, "avail_index?": number, "avail_wrap?": number, "used_index?": number,
	"used_wrap?": number, "kicks": number, "interrupts": number, "irq?": number,
	"address_space": number, "desc_addr": bits, "driver_addr": bits, "device_addr": bits},
"path": {"dev": text, "policy": policy, "paths": each(path)},
"dirty": {"dev": text, "address_space": number, "maps": number, "mapped_first?": bits, "mapped_last?": bits,
	"logged": boolean, "page_size?": number, "logged_first?": bits, "logged_last?": bits, "logged_bytes?": number,
	"logged_ranges?": number, "reports?": number, "holder?": text, "pid?": number, "page_sizes?": each(number), "bytes_max?": number, "ranges_max?": number},
"rate": {"dev": text, "address_space": number, "page_size": number, "pages": number,
	"pages_per_s": real, "mib_per_s": real},
"event": {"timestamp?": text, "event": text, "dev?": text, "parent?": text, "queue?": number,
	"path?": path, "policy?": policy, "address_space?": number, "reason?": text, "vector?": number, "lost?": number},
"irq": {"parent": text, "vector": number, "mode": word("per-queue", "queues-shared", "all-shared"),
	"use": word("unused", "config", "shadow", "config-shadow", "queue", "queues", "all"), "queue?": number,
	"irq": number, "requested": boolean, "count": number, "spurious": number, "storms": number,
	"polled": boolean, "cpu?": number},
"bind": {"bdf": text, "from": text, "to": text, "module_loaded": boolean},
"doctor": {"check": text, "bdf?": text, "finding": text, "mend": text},
}
name, at_least = sys.argv[1], int(sys.argv[2])
got = sys.stdin.read()
objects = [json.loads(l) for l in got.splitlines()] if name in ("rate", "event") else json.loads(got)
schema = schemas[name]
if not isinstance(objects, list) or len(objects) < at_least: sys.exit("too few: %r" % objects)
for o in objects:
	for key, test in schema.items():
		if key.rstrip("?") not in o:
			if not key.endswith("?"): sys.exit("no %s in %r" % (key, o))
		elif not test(o[key.rstrip("?")]): sys.exit("%s is bad in %r" % (key, o))
	for key in o:
		if key not in schema and key + "?" not in schema: sys.exit("%s in %r" % (key, o))
'
# json SCHEMA COUNT ARG...: at least so many objects, as they should be.
json() { vmdev -j "${@:3}" | python3 -c "$schema" "$1" "$2"; }
pretty() { [ "$(vmdev -jp "$@" | wc -l)" -gt 3 ] && vmdev -jp "$@" | python3 -c 'import json, sys; json.load(sys.stdin)'; }
# field KEY ARG...: of the first object
field() { vmdev -j "${@:2}" | python3 -c 'import json, sys; print(json.load(sys.stdin)[0][sys.argv[1]])' "$1"; }

# --- events ------------------------------------------------------------------------------
listen() {
	vmdev monitor >$events 2>&1 &
	MONITORS=($!)
	vmdev -j -t monitor >$jevents 2>&1 &
	MONITORS+=($!)
	# Both are members of a group.
	wait_for "listening 2" 60
}
# event PATTERN: a line of the monitor, sooner or later
event() { wait_for "grep -E -- '$1' $events" 20 || { cat $events; return 1; }; }
# none PATTERN: no such line, of all that there were
none() { ! grep -E -- "$1" $events; }
ends_well() {
	kill "${MONITORS[@]}"
	wait "${MONITORS[@]}" 2>/dev/null
	python3 -c "$schema" event 10 <$jevents
}

# --- tests -------------------------------------------------------------------------------
shows() {
	tap_check "no device yet" says '^$' dev show
	tap_check "JSON of nothing" [ "$(vmdev -j dev show)" = '[]' ]
	tap_check "management devices" says '^vmdev_soft: type network devices 0 .*software' parent show
	tap_check "one of them" says '^vmdev_soft_blk: type block' parent show vmdev_soft_blk
	tap_check "one that there is not" \
		refuses 2 "^Error: vmdev_ctl: no management device pci9 on no bus\.$" parent show pci9
	tap_check "nor on a bus" \
		refuses 2 "^Error: vmdev_ctl: no management device 0000:7f:1f.7 on bus pci\.$" parent show 7f:1f.7
	soft_add s0 vhost_vdpa >/dev/null
	dev_add v0 "$vf" vhost_vdpa >/dev/null
	tap_check "a function among them" says "^pci/$vf: type network devices 1" parent show
	tap_check "one of a bus" says "^pci/$vf: " parent show "pci/$vf"
	tap_check "a function needs none" says "^pci/$vf: " parent show "${vf#0000:}"
	tap_check "how far its interrupts are isolated" says '^    vendor .* msi_isolated msi_remapped$' parent show "$vf"
	tap_check "and that nobody was let in without" [ "$(field msi_unsafe parent show "$vf")" = False ]
	tap_check "nothing of the sort of software" not says msi_ parent show vmdev_soft
	tap_check "devices" says '^s0: parent vmdev_soft type network state off policy auto' dev
	tap_check "one device" says "^v0: parent pci/$vf type network state off" dev show v0
	tap_check "words may be abbreviated" says '^v0: ' d s v0
	tap_check "a device that there is not" \
		refuses 2 "^Error: vmdev_ctl: no device x of vmdev's\.$" dev show x
	tap_check "queues" says '^s0: queue 1 path off size' queue show
	tap_check "those of one device" [ "$(vmdev queue show v0 | grep -c '^v0: queue')" -ge 2 ]
	tap_check "one queue" says '^v0: queue 1 path off' queue show v0 1
	tap_check "a queue that there is not" \
		refuses 2 '^Error: vmdev_ctl: no queue 77' queue show v0 77
	tap_check "those of no device" refuses 2 "^Error: vmdev_ctl: no device x of" queue show x
	tap_check "paths" says '^v0: policy auto paths off off' path show v0
	tap_check "those of no device" refuses 2 "^Error: vmdev_ctl: no device x" path show x
	tap_check "what can be logged" says '^v0: address_space 0 maps 0$' dirty show v0
	local what
	for what in parent dev queue dirty; do
		tap_check "JSON of $what" json $what 2 $what show
	done
	tap_check "JSON of path" json path 1 path show s0
	tap_check "JSON for people" pretty dev show
	tap_check "JSON is as the text is" [ "$(field state dev show v0)" = off ]
}

usage() {
	tap_check "help" says '^Usage: vmdev' help
	tap_check "a version" says '^vmdev utility, vmdev-[0-9]' -V
	tap_check "nothing asked" refuses 1 '^Usage: '
	tap_check "no such object" refuses 1 'no object "nonsense"' nonsense
	tap_check "no such command" refuses 1 'no command "nonsense"' dev nonsense
	tap_check "no such option" refuses 1 'invalid option' -x
	tap_check "two devices" refuses 1 'one device at a time' dev show a b
	tap_check "no number of a queue" refuses 1 'no number of a queue' queue show v0 one
	tap_check "no policy" refuses 1 '"fast" is no policy' path set v0 fast
	tap_check "no device" refuses 1 'path set needs' path set v0
	tap_check "no interval" refuses 1 'no interval' dirty watch v0 -i 0
	tap_check "no count" refuses 1 'no number of reports' dirty watch v0 -n 0
	tap_check "no range" refuses 1 'no range' dirty watch v0 -r 0:100
	tap_check "no layout" refuses 1 '"fast" is none of per-queue' irq set "$vf" fast
	tap_check "no function" refuses 1 'no PCI function' bind eth0
	long=$(printf %060000d 0)
	tap_check "no name of a device" refuses 1 'a name has 255 characters at most' dev show "$long"
	tap_check "nor of a management device" refuses 1 'a name has 255 characters' parent show "$long/x"
	tap_check "nor here" refuses 1 'a name has 255 characters' irq set "x/$long" auto
	tap_check "the longest name" refuses 2 "^Error: vmdev_ctl: no device 0*" dev show "${long:0:255}"
}

completion() {
	. /build/tools/vmdev.bash
	tap_check "bash completes objects" completes 'vmdev -j pa' 'parent path'
	tap_check "policies" completes 'vmdev path set v0 s' shadow
	tap_check "devices" completes 'vmdev dev show ' 's0 v0'
	tap_check "functions of ours" completes 'vmdev unbind 0000:' "$vf"
	# Whoever may make a device gives it any name: it is no command, no pattern, no key of a terminal.
	strange=$'$(touch${IFS}pwned)*\e[2J\xc3'
	vdpa dev add name "$strange" mgmtdev vmdev_soft
	cd /tmp || return
	tap_check "of strange devices none" completes 'vmdev path show ' 's0 v0'
	tap_check "and nothing is run" [ ! -e pwned ]
	tap_check "text shows what is no text as a number" \
		says '^\$\(touch\$\{IFS\}pwned\)\*\\u001b\[2J\\u00c3: parent vmdev_soft' dev
	tap_check "JSON, too" json dev 3 dev show
	cd - >/dev/null || return
	vdpa dev del "$strange"
}

# A client sends all the time, its queues move.
moves() {
	hold /tmp/hold.log v0 -t
	tap_check "it runs" says '^v0: .*state running' dev show v0
	tap_check "who has it" says 'holder "hold_open" pid [0-9]+' dev show v0
	tap_check "event: it runs" event '^running dev v0$'
	tap_check "queues are direct" says '^v0: policy auto paths direct direct' path show v0
	tap_check "one has an interrupt of its own" says '^v0: queue 0 path direct ready .* irq [0-9]+' queue show v0 0
	tap_check "interrupt vectors" says "^pci/$vf: vector 0 mode per-queue use config" irq show "$vf"
	tap_check "that of a queue" \
		says "^pci/$vf: vector [0-9]+ mode per-queue use queue queue 0 irq [0-9]+ requested count" irq
	tap_check "JSON of them" json irq 3 irq show "pci/$vf"
	tap_check "their layout stays while a driver runs" \
		refuses 2 '^Error: vmdev_ctl: a driver runs the device' irq set "$vf" all-shared
	tap_check "those of no function" refuses 2 "^Error: x has no interrupt vectors" irq show x
	tap_check "to shadow" vmdev path set v0 shadow
	tap_check "they are" says '^v0: policy shadow paths shadow shadow' path show v0
	tap_check "event: the policy" event '^policy dev v0 policy shadow$'
	tap_check "event: queue 0" event '^path dev v0 queue 0 path shadow$'
	tap_check "event: queue 1" event '^path dev v0 queue 1 path shadow$'
	tap_check "where a ring is, is known" says '^v0: queue 1 path shadow.* avail_index [0-9]+' queue show v0 1
	tap_check "back" vmdev path set v0 auto
	tap_check "event: the policy" event '^policy dev v0 policy auto$'
	tap_check "no such device" refuses 2 "^Error: vmdev_ctl: no device x" path set x auto
	tap_check "JSON of queues that run" json queue 2 queue show v0
}

watches() {
	tap_check "what is mapped" says '^v0: address_space 0 maps [1-9][0-9]* mapped_first 0x[0-9a-f]+ mapped_last 0x' dirty show v0
	tap_check "a dirty rate" eval "vmdev dirty watch v0 -n 2 -i 0.5 >/tmp/rate && cat /tmp/rate"
	tap_check "two reports" [ "$(grep -cE '^v0: address_space 0 page_size [0-9]+ pages [1-9][0-9]* pages_per_s [0-9.]+ mib_per_s [0-9.]+$' /tmp/rate)" = 2 ]
	tap_check "event: dirty-start" event '^dirty-start dev v0 address_space 0$'
	tap_check "event: dirty-stop" event '^dirty-stop dev v0 address_space 0$'
	tap_check "JSON of it" json rate 2 dirty watch v0 -n 2 -i 0.2 -r 1G:64M
	vmdev dirty watch v0 -i 0.2 >/tmp/rate 2>&1 &
	WATCH=$!
	tap_check "one goes on and on" wait_for "[ \$(wc -l </tmp/rate) -ge 3 ]" 30
	tap_check "it is shown" \
		says '^v0: address_space 0 .* logged page_size 4096 .* reports [1-9][0-9]* holder "vmdev" pid [0-9]+' dirty show v0
	tap_check "JSON of it" json dirty 1 dirty show v0
	tap_check "not everybody is told where" nobody refuses 0 \
		'^v0: address_space 0 maps [1-9][0-9]* logged page_size [0-9]+ logged_bytes [1-9]' dirty show v0
	tap_check "a second one" refuses 2 'address space 0 is being logged already' dirty watch v0
	tap_check "a policy that does not go with it" \
		refuses 2 '^Error: vmdev_ctl: a queue cannot move' path set v0 direct
	kill -INT $WATCH
	wait $WATCH
	tap_check "it ends when it is asked to" [ $? = 0 ]
	tap_check "it is not logged any more" says '^v0: address_space 0 maps [0-9]+ mapped_first 0x[0-9a-f]+ mapped_last 0x[0-9a-f]+$' dirty show v0
	tap_check "no such address space" refuses 2 'no address space 7' dirty watch v0 -a 7
	tap_check "nor to log" refuses 2 'it has no address space 7' dirty watch v0 -a 7 -r 0:4k
	tap_check "no such device" refuses 2 'there is no device x' dirty watch x
	let_go
	tap_check "event: reset" event '^reset dev v0$'
	tap_check "nothing is mapped, nothing to watch" refuses 2 'nothing is mapped in address space 0' dirty watch v0
	tap_check "a layout of vectors" eval "vmdev irq set $vf all-shared && says 'mode all-shared use all' irq show $vf"
	tap_check "and back" eval "vmdev irq set pci/$vf auto && says 'mode per-queue use queue' irq show $vf"
	tap_check "of a function that there is not" refuses 2 'no management device x' irq set x auto
	tap_check "of software" refuses 2 'vmdev_soft has no interrupt vectors' irq set vmdev_soft auto
}

strangers() {
	ip netns add elsewhere
	tap_check "anybody may look" nobody refuses 0 '^v0: ' dev show
	tap_check "but not at addresses of rings" nobody no_addresses
	tap_check "nor lay out vectors" nobody refuses 2 'Operation not permitted' irq set "$vf" auto
	tap_check "not change" nobody refuses 2 'Operation not permitted.*be root' path set v0 shadow
	tap_check "the policy is as it was" says '^v0: policy auto' path show v0
	tap_check "not log" nobody refuses 2 "is root's alone" dirty watch v0
	tap_check "not bind" nobody refuses 2 'by root alone' bind "$vf1"
	tap_check "another network namespace has no devices" \
		elsewhere refuses 2 'this network namespace has no vmdev' dev show
	tap_check "and no events" elsewhere refuses 2 'this network namespace has no vmdev' monitor
}

# lie NAME: its number
lie() { /build/selftests/hostile/hostile --list | awk -v name="$1" '$2 == name {print $1}'; }
broken() {
	dev_add h0 "$hostile" vhost_vdpa >/dev/null
	cp /build/selftests/vhost_vdpa/steps /tmp/steps
	tap_check "hardware that wants a reset" \
		/tmp/steps -H -d "$(vhost_of h0)" -f "$hostile" up echo "lie=$(lie needs_reset)/0" broken
	tap_check "event: broken, and why" event '^broken dev h0 reason "hardware asks for a reset"$'
	/tmp/steps -f "$hostile" lie=0/0 >/dev/null
	vdpa dev del h0
	tap_check "event: it is gone" event '^dev-del dev h0$'
	unbind_driver "$hostile"
	tap_check "event: its parent, too" event "^parent-del parent pci/$hostile$"
}

binds() {
	local netdev

	netdev=$(netdev_of "$vf1")
	ip link set "$netdev" up
	tap_check "an interface that is up" \
		refuses 2 "in use: its network interface $netdev is up" bind "$vf1"
	ip link set "$netdev" down
	tap_check "a function becomes ours" says "^$vf1: from virtio-pci to vmdev_pci$" bind "${vf1#0000:}"
	tap_check "it is" has_driver "$vf1" vmdev_pci
	tap_check "event: parent-add" event "^parent-add parent pci/$vf1$"
	tap_check "once more does no harm" says "to vmdev_pci$" bind "$vf1"
	tap_check "JSON of it" json bind 1 bind "$vf1"
	vdpa dev add name v1 mgmtdev "pci/$vf1" && use_bus v1 virtio_vdpa
	wait_for "[ \$(cat /sys/bus/vdpa/devices/v1/vmdev/state) = running ]" 10
	tap_check "a device of it runs" refuses 2 "its vDPA device v1 is in use" unbind "$vf1"
	use_bus v1 vhost_vdpa && wait_for "[ -c \"\$(vhost_of v1)\" ]" 5
	hold /tmp/hold1.log v1
	tap_check "somebody has it open" refuses 2 'a process has its vDPA device v1 open' unbind "$vf1"
	let_go
	tap_check "back to where it came from" says "^$vf1: from vmdev_pci to virtio-pci$" unbind "$vf1"
	tap_check "it is" has_driver "$vf1" virtio-pci
	tap_check "what is not ours" refuses 2 'is not bound to vmdev_pci, but to virtio-pci' unbind "$vf1"
	tap_check "a PF with VFs" refuses 2 'it has VFs' bind "$BDF_pf0"
	tap_check "by force while it is up" eval \
		"ip link set \$(netdev_of $vf1) up; says 'to vmdev_pci' bind $vf1 -f && says 'to virtio-pci' unbind $vf1"
	# Our driver does not take what lies at probe; virtio-pci does.
	release_driver "$hostile"
	/tmp/steps -f "$hostile" "lie=$(lie queues_0)/0" >/dev/null
	tap_check "what our driver does not take" refuses 2 'does not take it.*has its driver again: virtio-pci' bind "$hostile"
	tap_check "has its driver again" has_driver "$hostile" virtio-pci
	tap_check "and no override" [ "$(cat "/sys/bus/pci/devices/$hostile/driver_override")" = '(null)' ]
	/tmp/steps -f "$hostile" lie=0/0 >/dev/null
	tap_check "what never had one" refuses 2 'has its driver again: none' bind 0:0.0 -f
	tap_check "what there is not" refuses 2 'there is no such PCI function' bind 0000:7f:1f.7
}

without() {
	vdpa dev del s0
	vmdev monitor >/tmp/last 2>&1 &
	# A member of nlctrl's group, which is the 16th.
	wait_for "awk '\$2 == 16 && \$4 ~ /^....[89a-f]/' /proc/net/netlink | grep -q ." 10
	modprobe -r vmdev_ctl
	tap_check "who watches is told" wait_for "grep -x 'Error: no more events: module vmdev_ctl was unloaded.' /tmp/last" 30
	kill $! 2>/dev/null
	wait $!
	tap_check "and ends" [ $? = 2 ]
	tap_check "without vmdev_ctl" refuses 2 'modprobe vmdev_ctl' dev show
}

tap_plan 141
tap_check "VFs" vf_create "$BDF_pf0" 2
tap_check "modules" eval "soft_setup && modprobe vmdev_ctl"
listen
shows
tap_check "event: dev-add" event '^dev-add dev s0$'
usage
completion
moves
watches
strangers
broken
binds
tap_check "nothing was lost" none ' lost '
tap_check "all events in JSON" ends_well
without
unbind_driver "$vf" && modprobe -r vmdev_soft vmdev_pci vmdev
tap_check "a clean kernel log" clean_log
tap_done
