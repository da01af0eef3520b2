#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What happens is told: each event of the netlink group, to vmdev monitor, and uevents of what broke
# or is gone, to udevadm. What could not be told is counted (selftests/netlink/lost.py).
# lab: --vfs 1 --hostile
# limit: 400
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

vf=$BDF_vf0_0 bdf=$BDF_hostile0
events=/tmp/events uevents=/tmp/uevents
declare -A number=()
while read -r n name; do number[$name]=$n; done < <(/build/selftests/hostile/hostile --list)

listen() {
	/build/tools/vmdev monitor >$events 2>&1 &
	LISTENERS=($!)
	stdbuf -oL udevadm monitor --kernel --property >$uevents 2>&1 &
	LISTENERS+=($!)
	# Families 15 (uevents) and 16, members of a group.
	wait_for "[ \$(awk '(\$2 == 15 || \$2 == 16) && \$4 != \"00000000\"' /proc/net/netlink | sort -uk2,2 | wc -l) = 2 ]" 20 &&
		wait_for "grep -q KERNEL $uevents" 20
}
# event LINE: the whole line of the monitor, sooner or later
event() { wait_for "grep -xE -- '$1' $events" 60 || { cat $events; return 1; }; }
# uevent KEY=VALUE...: one with all of these properties
uevent() {
	local pair pattern=

	for pair; do pattern+="\$0 ~ \"(^|\\n)$pair(\\n|\$)\" && "; done
	pattern+='1 { found = 1 } END { exit !found }'
	wait_for "awk -v RS= \"\$pattern\" $uevents" 20 || { cat $uevents; return 1; }
}
# events_after LINE: the next one of the device h0, sooner or later
events_after() {
	wait_for "sed '1,/^$1\$/d' $events | grep -q ' dev h0'" 20
	sed "1,/^$1\$/d" $events | grep ' dev h0' | head -n 1
}
# steps WANTED STEP...: of the device h0
steps() {
	local said

	said=$(/tmp/steps -d "$(vhost_of "$device")" -f "$bdf" "${@:2}")
	echo "$said"
	[ "$said" = "$1 " ]
}
lie() { [ "$(/tmp/steps -f "$bdf" "lie=${number[$1]}/0")" = "lie=ok " ]; }

# Who makes no device takes no other one's name.
same_name() {
	modprobe vmdev_soft && ! vdpa dev add name v0 mgmtdev vmdev_soft && modprobe -r vmdev_soft &&
		event 'parent-del parent vmdev_soft' && ! grep -x 'dev-del dev v0' $events
}

cp "$TOOLS/steps" /tmp
unbind_driver "$BDF_hostile0"
unbind_driver "$BDF_hostile1"
tap_plan 39
tap_check "VFs" vf_create "$BDF_pf0" 1
tap_check "modules" eval "vdpa_setup && modprobe vmdev_ctl"
listen
tap_check "events are listened to" [ $? = 0 ]
tap_check "a function, and its device" dev_add v0 "$vf" vhost_vdpa
tap_check "parent-add" event "parent-add parent pci/$vf"
tap_check "dev-add" event 'dev-add dev v0'
tap_check "another one of its name is refused, and not told of" same_name
device=v0
tap_check "a driver runs it" steps 'up=ok suspend=ok resume=ok reset=ok' up suspend resume reset
tap_check "running" event 'running dev v0'
tap_check "suspended" event 'suspended dev v0'
tap_check "resumed" event 'resumed dev v0'
tap_check "reset" event 'reset dev v0'
tap_check "in that order" [ "$(grep -oE '^(running|suspended|resumed|reset) dev v0' $events | cut -d' ' -f1 | xargs)" = 'running suspended resumed reset' ]
hold /tmp/hold.log v0 -t
echo shadow >/sys/bus/vdpa/devices/v0/vmdev/policy
tap_check "policy" event 'policy dev v0 policy shadow'
tap_check "path" event 'path dev v0 queue 1 path shadow'
/build/tools/vmdev dirty watch v0 -n 1 -i 0.1 >/dev/null
tap_check "dirty-start" event 'dirty-start dev v0 address_space 0'
tap_check "dirty-stop" event 'dirty-stop dev v0 address_space 0'
let_go

device=h0
tap_check "a function that lies" dev_add h0 "$bdf" vhost_vdpa
echo 100 >/sys/module/vmdev_irq/parameters/storm_rate
hold /tmp/hold.log h0 -t
# Its work would be what they came for.
kill -STOP "$HOLDER"
tap_check "its interrupts do not end" lie storm_vqs
tap_check "irq-storm" event "irq-storm parent pci/$bdf queue [0-9]+ vector [0-9]+"
tap_check "it is honest again" lie honest
kill -CONT "$HOLDER"
let_go
tap_check "it wants a reset" steps 'up=ok lie=ok broken=ok' up "lie=${number[needs_reset]}/0" broken
tap_check "broken" event 'broken dev h0 reason "hardware asks for a reset"'
tap_check "a uevent of that" uevent ACTION=change SUBSYSTEM=vdpa 'DEVPATH=.*/h0' VMDEV_EVENT=broken \
	'VMDEV_REASON=hardware asks for a reset'
lie honest
tap_check "it does not reset, then it does" steps 'up=ok lie=ok reset=ETIMEDOUT lie=ok reset=ok' up \
	"lie=${number[reset_ignored]}/0" reset "lie=${number[honest]}/0" reset
tap_check "broken" event 'broken dev h0 reason "hardware did not reset"'
tap_check "and mended, though nobody ran it" [ "$(events_after 'broken dev h0 reason "hardware did not reset"')" = 'reset dev h0' ]
tap_check "it is gone, as far as anybody can tell" steps 'up=ok lie=ok broken=ok' up "lie=${number[ones]}/0" broken
tap_check "hw-gone" event "hw-gone parent pci/$bdf"
tap_check "a uevent of that" uevent ACTION=change SUBSYSTEM=pci "PCI_SLOT_NAME=$bdf" VMDEV_EVENT=hw-gone \
	'VMDEV_REASON=.*gone.*'
tap_check "sysfs tells it, too" [ "$(cat "/sys/bus/pci/devices/$bdf/vmdev_mgmt/gone")" = 1 ]
lie honest
vdpa dev del h0
tap_check "dev-del" event 'dev-del dev h0'
unbind_driver "$bdf"
tap_check "parent-del" event "parent-del parent pci/$bdf"
tap_check "nothing was lost" eval "! grep ' lost ' $events"
tap_check "no event but these" eval "! grep -vE '^(parent-add|parent-del|dev-add|dev-del|running|suspended|resumed|reset|policy|path|dirty-start|dirty-stop|irq-storm|broken|hw-gone) ' $events"
tap_check "more than can be told is counted" python3 -B /vmdev/selftests/netlink/lost.py \
	/vmdev/Documentation/netlink/specs/vmdev.yaml /sys/bus/vdpa/devices/v0/vmdev/policy
kill "${LISTENERS[@]}"
wait "${LISTENERS[@]}" 2>/dev/null
tap_check "dev del" vdpa dev del v0
tap_check "modprobe -r" eval "unbind_driver $vf; modprobe -r vmdev_ctl vmdev_pci vmdev"
tap_check "a clean kernel log" clean_log
tap_done
