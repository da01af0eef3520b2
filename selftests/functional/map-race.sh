#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Threads map and unmap, while the device is reset, works and is closed: vhost, we and the IOMMU
# agree on every page afterwards.
# lab: --blk 1
# kernels: 6.12 debug
# limit: 300
# long-limit: 300
# long-kernels: 6.12
# shellcheck source=/dev/null disable=SC2154	# BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

rounds=9 minutes=0
[ "${LONG-0}" != 1 ] || minutes=${LONG_MINUTES:-30}
race() {
	local status=0

	/build/selftests/fault/map_race -d "$(vhost_of b0)" -n $rounds -m "$minutes" \
		-s "${SEED:-1}" -t $((minutes * 60 + 1200)) >/out/map-race || status=$?
	cat /out/map-race
	return $status
}

tap_plan 5
tap_check "modules load" vdpa_setup
tap_check "a disk on vhost-vdpa" dev_add b0 "$BDF_blk0" vhost_vdpa
tap_check "maps, unmaps, resets, requests, closes" race
tap_check "dev del" vdpa dev del b0
tap_check "a clean kernel log" clean_log "$LOG_START" "$DMA_FAULTS"
tap_done
