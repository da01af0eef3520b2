#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Interrupts that a guest may be given directly: a queue's own one while it is live and direct, and
# no other ever, whatever became of it before. selftests/irq_probe stands for KVM.
# lab: --prop vectors=5
# limit: 600
# long-kernels: debug
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

vf=$BDF_vf0_0
bypass() {
	tap_adopt "$1" /build/selftests/bypass/bypass -d "$(vhost_of v0)" -n v0 -b "$vf" "${@:2}"
}
ask() { put "$1" "/sys/bus/pci/devices/$vf/vmdev/vectors"; }

tap_plan 34
vf_create "$BDF_pf0" 2 || exit
vdpa_setup
modprobe vmdev_irq_probe
tap_check "a device" dev_add v0 "$vf" vhost_vdpa
bypass "own vectors" -l
tap_check "all share a vector" ask all-shared
bypass "a shared vector" -s direct close suspended shadow switched consumer_late
tap_check "queues share a vector" ask queues-shared
bypass "a vector of all queues" -s direct close suspended shadow switched call_moves
tap_check "own vectors again" ask auto
bypass "own vectors again" direct
vdpa dev del v0
tap_check "a device with fewer queues than its function" dev_add v0 "$vf" vhost_vdpa max_vqp 1
bypass "a device that was provisioned" direct switched
vdpa dev del v0
tap_check "nobody is left" modprobe -r vmdev_irq_probe
tap_check "a clean kernel log" clean_log
tap_done
