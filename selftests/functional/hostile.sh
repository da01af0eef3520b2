#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A function that lies (selftests/hostile): each lie is refused at probe, or found out later, with
# a line that names it, in bounded time; and once it is honest again the function works again.
# lab: --pfs 0 --hostile
# kernels: 6.12 7.2 debug
# limit: 400
# long-limit: 1500
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

bdf=$BDF_hostile0
# Who says something of a function of ours, or of a device on it.
us='(vmdev_pci|vmdev|vhost_vdpa|virtio_vdpa|vdpa) ([0-9a-f:.]+|v0): '

declare -A number=()
while read -r n name; do number[$name]=$n; done < <(/build/selftests/hostile/hostile --list)

# The moments of a lie, see enum vio_event.
declare -A moment=([now]=0 [read]=1 [caps]=2 [reset]=3 [features]=4 [driver_ok]=5 [vq_enable]=6
	[vq_reset]=7 [kick]=8)

# lie NAME [MOMENT [COUNT]]: from now on, or from that moment on, after COUNT others of it.
lie() { [ "$(/tmp/steps -f "$bdf" lie="$(lie_word "$@")")" = "lie=ok " ]; }
# lie_word NAME [MOMENT [COUNT]]: the same, as the argument of a step.
lie_word() {
	[ -n "${number[$1]-}" ] || echo "no lie $1" >&2
	echo "${number[$1]}/$((${moment[${2:-now}]} | ${3:-0} << 8))"
}

# steps WORD...: WORD is STEP=RESULT; fails if a result is another one. LIE: for step "lie".
steps() {
	stepped /tmp/steps -H -d "$(vhost_of v0)" -f "$bdf" -- "$@"
}

# away: no device, no driver.
away() {
	[ ! -e /sys/bus/vdpa/devices/v0 ] || timeout 60 vdpa dev del v0 || return
	[ ! -e "/sys/bus/pci/devices/$bdf/driver" ] ||
		timeout 60 sh -c "echo $bdf >/sys/bus/pci/devices/$bdf/driver/unbind"
}

# honest WORD...: whatever it was, it works now.
honest() { away && lie honest && dev_add v0 "$bdf" vhost_vdpa && steps "$@"; }
works() { honest up=ok echo=ok; }
all_works() { honest up=ok echo=ok suspend=ok base=ok reset=ok again=ok echo=ok; }

# said MARK PATTERN: one line of ours since then. Without PATTERN: none that complains.
said() {
	if [ -n "$2" ]; then
		logged "$1" 1 "$us.*($2)"
	else
		logged "$1" 0 "$us.*(refused|claims|does not|is gone|cannot)"
	fi
}

# then_works STATUS: what every lie ends with, whatever came of it.
then_works() {
	works && return "$1"
	echo "honest again, it does not work"
	return 1
}

# each NAME CMD...: as tap_check. A short run takes one in so many, from SEED on, and others on the
# debug kernel.
each_number=${SEED:-0} every=3
if [ "${LONG-0}" = 1 ]; then
	every=1
elif uname -r | grep -q debug; then
	each_number=$((each_number + 5)) every=12
fi
each() {
	each_number=$((each_number + 1))
	if [ $((each_number % every)) = 0 ]; then
		tap_check "$@"
	else
		tap_skip "$1" "one lie in $every; all in make check-long"
	fi
}

# refused NAME PATTERN [MOMENT [COUNT]]: it is not taken, and the line says why.
refused_() {
	local mark

	away && lie "$1" "${@:3}" && mark=$(dmesg_mark) || return
	! bind_driver "$bdf" vmdev_pci 2>/dev/null || { echo "it was taken"; return 1; }
	said "$mark" "$2"
	then_works $?
}
refused() { each "$1${3:+ at $3 ${4-}}: refused at probe" refused_ "$@"; }

# taken NAME PATTERN WORD...: it is taken, with that line, and goes through these steps.
taken_() {
	local mark

	away && lie "$1" && mark=$(dmesg_mark) && dev_add v0 "$bdf" vhost_vdpa &&
		steps "${@:3}" && said "$mark" "$2"
	then_works $?
}
taken() { each "$1: taken" taken_ "$@"; }

# late NAME[/MOMENT[/COUNT]] PATTERN WORD...: it begins in the middle of these steps.
late_() {
	local mark name when count LIE

	IFS=/ read -r name when count <<<"$1"
	# shellcheck disable=SC2034	# for steps_args
	LIE=$(lie_word "$name" "${when:-now}" "${count:-0}")
	mark=$(dmesg_mark)
	steps "${@:3}" && said "$mark" "$2"
	set -- $?
	# The next one to open it finds it in order, unless it is gone for good.
	if ! dmesg_since "$mark" | grep -q 'is gone'; then
		lie honest && steps up=ok echo=ok && return "$1"
		echo "the next one to open it has"
		return 1
	fi
	then_works "$1"
}
late() { each "$1 (${*:3})" late_ "$@"; }

# host NAME PATTERN: it begins while the host's virtio_net has the device; PATTERN is anybody's.
host_() {
	local mark

	away && lie honest && dev_add v0 "$bdf" virtio_vdpa && net_up "$bdf" hostile || return
	mark=$(dmesg_mark)
	lie "$1"
	ip netns exec hostile ping -q -c 3 -i 0.1 -W 1 10.0.2.2 >/dev/null
	cat "/sys/bus/pci/devices/$bdf"/virtio*/status >/dev/null
	[ -z "$2" ] || dmesg_since "$mark" | grep -qE "$2" || {
		echo "no line with '$2':"
		dmesg_since "$mark"
		false
	}
	then_works $?
}
host() { each "$1, under virtio_net" host_ "$@"; }

capabilities() {
	refused common_bar_6 'common configuration structure is in BAR 6'
	refused notify_bar_255 'notification structure is in BAR 255'
	refused common_bar_empty 'common configuration structure is in BAR 3'
	refused common_bar_io 'common configuration structure .* is beyond BAR 4'
	refused isr_bar_empty 'ISR structure is in BAR 3'
	refused device_bar_empty 'device configuration structure is in BAR 3'
	refused common_missing 'no capability for the common configuration'
	refused notify_missing 'no capability for the notification'
	refused isr_missing 'no capability for the ISR'
	refused device_missing 'no capability for the device configuration'
	refused common_not_vendor 'no capability for the common configuration'
	refused common_beyond 'common configuration structure .* is beyond BAR 0'
	refused notify_beyond 'notification structure .* is beyond BAR 0'
	refused isr_beyond 'ISR structure .* is beyond BAR 0'
	refused device_beyond 'device configuration structure .* is beyond BAR 0'
	refused common_wraps 'common configuration structure .* is beyond BAR 0'
	refused notify_wraps 'notification structure .* is beyond BAR 0'
	refused device_wraps 'device configuration structure .* is beyond BAR 0'
	refused common_odd 'common configuration structure at 0x2 is not aligned'
	refused common_short 'common configuration structure has 16 bytes'
	refused common_length_0 'common configuration structure has 0 bytes'
	refused notify_length_1 'notification structure has 1 bytes'
	refused isr_length_0 'ISR structure has 0 bytes'
	refused multiplier_odd 'notify_off_multiplier is 3'
	refused multiplier_huge 'doorbell of queue 1 \(queue_notify_off 1 x 2147483648\)'
	# Only after we have looked at all of them, which takes 10 reads.
	refused common_beyond 'is no modern virtio function' caps 10
	refused common_missing 'is no modern virtio function' caps 10
	refused notify_beyond 'doorbell of queue 0 .* is outside' caps 10
}

registers() {
	refused queues_0 'claims 0 queues'
	refused queues_1 'hardware has 1 queues'
	refused queues_65535 'claims 65535 queues'
	refused queue_size_0 'queue 0 has no entries'
	refused queue_size_3 'queue 1 claims 3 entries'
	refused queue_size_65535 'queue 0 claims 65535 entries'
	refused notify_off_huge 'doorbell of queue 1 \(queue_notify_off 65535'
	refused notify_off_moves 'doorbell of queue 1 cannot be mapped'
	refused status_never_0 'does not reset'
	refused features_ok_dropped 'FEATURES_OK does not stay'
	refused no_version_1 'does not offer VERSION_1'
	refused features_0 'does not offer VERSION_1'
	refused features_all 'FEATURES_OK does not stay'
}

ones_at_probe() {
	refused ones 'reads all ones'
	refused gone 'reads all ones'
	refused ones 'reads all ones' features
	refused ones 'reads all ones' reset 1
	tap_check "ones at any register read of probe, dev add and more" sweep 0
	tap_check "ones at any register read of a run" sweep 1
}

# sweep RUN: it reads all ones from the Nth register on. Which step finds out is not said, but
# one does, and all of them end. RUN: probe and dev add were before.
sweep() {
	local n mark numbers=(9)

	[ $every != 3 ] || numbers=(3 20)
	[ $every != 1 ] || mapfile -t numbers < <(seq 0 45)
	for n in "${numbers[@]}"; do
		if [ "$1" = 0 ]; then away; else works; fi || return
		mark=$(dmesg_mark)
		lie ones read "$n" || return
		{
			dev_add v0 "$bdf" vhost_vdpa
			steps up echo disable enable suspend reset again
		} >/dev/null 2>&1
		logged "$mark" 1 "$us.*(is gone|all ones)" || { echo "at register $n"; return 1; }
	done
	works
}

late_lies() {
	late vq_vector_refused 'queue 1 does not take vector' lie=ok up=EPROTO
	late config_vector_refused 'config changes do not take vector' lie=ok up=EPROTO
	late enabled_early 'queue 0 is enabled before its time' lie=ok up=EPROTO
	late queue_size_1 'queue 1 has 1 entries at most' lie=ok up=EPROTO
	late features_ok_dropped 'hardware does not take features' lie=ok up=EPROTO
	late driver_ok_dropped 'hardware lost its state' lie=ok up=EPROTO
	late generation_runs 'config_generation' up=ok lie=ok config=ok config=ok echo=ok
	late needs_reset 'hardware asks for a reset' up=ok echo=ok lie=ok broken=ok told=ok again=ok echo=ok
	late ones/now 'hardware is gone' up=ok echo=ok lie=ok broken=ok told=ok reset=ok
	late ones/features 'hardware is gone' lie=ok up=EPROTO
	late ones/driver_ok 'hardware is gone' lie=ok up=EPROTO
	late ones/now 'hardware is gone' up=ok send=ok lie=ok suspend=EIO
	late ones/reset 'hardware is gone' up=ok lie=ok suspend=ENODEV status=EIO
	late ones/reset 'hardware is gone' up=ok lie=ok reset=ok
	late ones/now 'hardware is gone' up=ok lie=ok config=ok status=EIO
	late gone/now 'hardware is gone' up=ok echo=ok lie=ok broken=ok
	late reset_ignored 'does not reset' up=ok lie=ok reset=ETIMEDOUT
	late reset_ignored 'does not reset' up=ok lie=ok suspend=ETIMEDOUT status=EIO
	late vq_reset_never 'queue 1 does not reset' up=ok lie=ok disable=ok broken=ok
	late vq_reset_ones 'queue 1 does not reset' up=ok lie=ok disable=ok broken=ok
	late irq_vqs '' up=ok lie=ok sleep=ok echo=ok suspend=ok reset=ok
	late irq_config '' up=ok lie=ok told=ok echo=ok suspend=ok reset=ok
	late irq_all '' up=ok lie=ok sleep=ok echo=ok reset=ok again=ok echo=ok
	late irq_all/reset '' up=ok lie=ok reset=ok again=ok echo=ok
	late used_jump 'ring state cannot be known' up=ok lie=ok send=ok sleep=ok suspend=EINVAL
	late used_back 'ring state cannot be known' up=ok echo=ok lie=ok send=ok sleep=ok suspend=EINVAL
	late used_id '' up=ok lie=ok send=ok suspend=ok base=ok
	late used_len '' up=ok lie=ok send=ok suspend=ok base=ok
	late no_consume '' up=ok lie=ok send=ok suspend=ok base=ok
	late no_complete '' up=ok lie=ok send=ok suspend=ok base=ok
	late dma_after_reset '' up=ok echo=ok lie=ok reset=ok status=ok config=ok
}

# The function is taken, but no device is made of it: its DMA would bypass the IOMMU.
no_platform() {
	local mark

	away && lie no_access_platform && mark=$(dmesg_mark) && bind_driver "$bdf" vmdev_pci || return
	! vdpa dev add name v0 mgmtdev "pci/$bdf" 2>/dev/null && said "$mark" 'does not offer ACCESS_PLATFORM'
	then_works $?
}

taken_lies() {
	tap_check "no_access_platform: no device can be added" no_platform
	taken device_length_4 'claims 0 queue pairs but has 5 queues: one pair is used' up=ok echo=ok
	taken pairs_0 'claims 0 queue pairs but has 5 queues: one pair is used' up=ok echo=ok
	taken pairs_65535 'claims 65535 queue pairs but has 5 queues: one pair is used' up=ok echo=ok
	taken mtu_0 'claims an MTU of 0' up=ok echo=ok
	taken mtu_65535 '' up=ok echo=ok config=ok
	taken link_flaps '' up=ok config=ok echo=ok config=ok
	taken notify_data '' up=ok echo=ok
	taken notify_data_no_room 'doorbell of queue 4 cannot take 32 bits: NOTIFICATION_DATA is not offered' \
		up=ok echo=ok
	taken no_ctrl_vq 'hardware offers features 0xc00000 without what they need .MQ needs CTRL_VQ.: they are not offered' \
		up=ok echo=ok
	taken enabled_never '' up=ok echo=ok
	taken features_change '' up=ok echo=ok
}

# never_settles LIE: a driver of the host reads the configuration until it settles.
never_settles() {
	local mark

	away && lie honest && dev_add v0 "$bdf" && lie "$1" && mark=$(dmesg_mark) || return
	later use_bus v0 virtio_vdpa
	ends 60 && said "$mark" 'config_generation changes at every read'
	then_works $?
}

# refused_start LIE PATTERN: its queues never run, a driver of the host is not told, and gives up.
refused_start() {
	local mark

	away && lie honest && dev_add v0 "$bdf" && lie "$1" && mark=$(dmesg_mark) || return
	later use_bus v0 virtio_vdpa
	ends 60 && said "$mark" "$2"
	then_works $?
}

host_lies() {
	tap_check "vq_vector_refused, under virtio_net: its probe ends" \
		refused_start vq_vector_refused 'does not take vector'
	tap_check "generation_runs, under virtio_net: its probe ends" never_settles generation_runs
	tap_check "generation_walks, under virtio_net: its probe ends" never_settles generation_walks
	# Not used_id and used_jump: virtio_net itself spins on them, and so on any device.
	host used_len ''
	host irq_all ''
	host needs_reset 'hardware asks for a reset'
	host ones 'hardware is gone'
	host no_complete ''
}

# --- DMA of what did not reset -----------------------------------------------------------
# dma: may it write to memory?
dma() { (($(setpci -s "$bdf" COMMAND | sed s/^/0x/) & 4)); }
at_work() { works && dma; }

# It still runs what another driver left, and nobody may give it memory before it has reset.
no_dma_at_probe() {
	local n=0

	away && lie honest && dev_add v0 "$bdf" vhost_vdpa &&
		LIE=$(lie_word reset_ignored) steps up=ok lie=ok reset=ETIMEDOUT && away || return
	later bind_driver "$bdf" vmdev_pci
	while pending 2>/dev/null; do
		! dma || { echo "it has DMA while it is probed"; n=-1; break; }
		n=$((n + 1))
	done
	wait_for "[ -s /tmp/later.$LATER ]" 60 && [ $n -gt 0 ] && ! has_driver "$bdf" vmdev_pci && at_work
}

# What reads all ones once, and goes on, goes back to the default domain without DMA.
no_dma_when_gone() {
	works && dma && LIE=$(lie_word ones) steps up=ok echo=ok lie=ok status=EIO && lie honest &&
		vdpa dev del v0 && ! dma && away && at_work
}

# Whether a reset took place only the function can tell, by a reset of its own.
no_dma_after_flr() {
	works && dma && put 1 "/sys/bus/pci/devices/$bdf/reset" && ! dma && steps up=ok echo=ok && dma
}

# It did not reset once, and is not waited for long; after FLR it is as any other.
slow_after_flr() {
	works && LIE=$(lie_word reset_ignored) steps up=ok lie=ok reset=ETIMEDOUT && ! dma && lie reset_slow &&
		put 1 "/sys/bus/pci/devices/$bdf/reset" && steps up=ok echo=ok && dma
	then_works $?
}

dma_of_what_did_not_reset() {
	tap_check "no DMA while it is probed, and does not reset" no_dma_at_probe
	tap_check "all ones for a moment: no DMA when its device is deleted" no_dma_when_gone
	tap_check "no DMA after FLR, before it has reset" no_dma_after_flr
	tap_check "stuck, then FLR: it may be slow" slow_after_flr
}

# All interrupts share one vector, doorbells share a page.
one_vector() {
	away
	bdf=$BDF_hostile1
	tap_check "the function with one vector works" all_works
	late irq_all '' up=ok lie=ok sleep=ok echo=ok reset=ok again=ok echo=ok
	late needs_reset 'hardware asks for a reset' up=ok lie=ok broken=ok told=ok again=ok echo=ok
	late ones 'hardware is gone' up=ok lie=ok broken=ok
	refused notify_off_huge 'doorbell of queue 1 \(queue_notify_off 65535 x 4\)'
}

# A huge page is one mapping for the device, where small ones are hundreds.
echo 4 >/proc/sys/vm/nr_hugepages
cp "$TOOLS/steps" /tmp
# virtio_net has too few vectors on one of them, and leaks when its probe fails.
unbind_driver "$BDF_hostile0"
unbind_driver "$BDF_hostile1"
vdpa_setup || exit
tap_plan 109
tap_check "the honest function works" all_works
capabilities
registers
ones_at_probe
late_lies
taken_lies
host_lies
dma_of_what_did_not_reset
one_vector
tap_check "a clean kernel log" clean_log
tap_done
