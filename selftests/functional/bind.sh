#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vmdev bind takes no driver from what is in use, or is no virtio function: a disk that is mounted stays so,
# on whatever controller. (More, where a file system of text stands for sysfs: host/tools.)
# lab: --pfs 0 --plain-nic 1 --qemu -drive --qemu if=none,id=d-nvme,file=/lab/image/vm.img,format=raw,snapshot=on,cache=unsafe --qemu -device --qemu nvme,drive=d-nvme,serial=lab-nvme,addr=1b.0 --qemu -m --qemu slots=1,maxmem=4G --qemu -object --qemu memory-backend-ram,id=m-pmem,size=64M,share=on --qemu -device --qemu virtio-pmem-pci,memdev=m-pmem,addr=1a.0
# limit: 200
# kernels: 6.12 7.2
# long-kernels: 7.2
# The debug kernel has neither disk.
# shellcheck source=/dev/null disable=SC2016,SC2154	# a strange name; BDF_* come from lab-run
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh
. /vmdev/selftests/functional/doctor-lib.sh

nic=$BDF_nic0 root=0000:00:1c.0 share=0000:00:1d.0 console=0000:00:1e.0 nvme=0000:00:1b.0 pmem=0000:00:1a.0

# refused PATTERN BDF [OPTION]: by such a line, and all is as it was.
refused() {
	local pattern=$1 before said status

	before=$(driver_of "$2")
	said=$(vmdev bind "${@:2}" 2>&1)
	status=$?
	echo "$said"
	[ $status = 2 ] && grep -qE -- "$pattern" <<<"$said" && [ "$(driver_of "$2")" = "$before" ] &&
		[ "$(cat "/sys/bus/pci/devices/$2/driver_override")" = '(null)' ]
}
# reads DIR: from the disk, not from what is remembered of it.
reads() { echo 3 >/proc/sys/vm/drop_caches && ls -R "$1/etc" >/dev/null; }

mkdir -p /tmp/{nvme,pmem}
tap_plan 24
tap_check "modules" modprobe -a vdpa virtio_net nvme nd_pmem virtio_pmem
tap_check "disks" wait_for '[ -b /dev/nvme0n1 ] && [ -b /dev/pmem0 ]' 20
tap_check "NVMe is mounted" mount -o ro,noload /dev/nvme0n1 /tmp/nvme
tap_check "and is not taken" refused 'is no virtio function' $nvme
tap_check "it is still mounted" reads /tmp/nvme
tap_check "nor if it is not" eval "umount /tmp/nvme && refused 'is no virtio function' $nvme"
tap_check "doctor does not say that it could be" names function "^$nvme it is no virtio function" $nvme
tap_check "by force our driver is asked, and the other one has it again" \
	eval "! vmdev bind $nvme -f && has_driver $nvme nvme && wait_for '[ -b /dev/nvme0n1 ]' 20"
tap_check "a host bridge, which never had one" refused 'is no virtio function' 0000:00:00.0
tap_check "by force it has none again" eval "! vmdev bind 0:0.0 -f && [ ! -e /sys/bus/pci/devices/0000:00:00.0/driver ]"

tap_check "a disk deep below its function" eval "mkfs.ext4 -q /dev/pmem0 && mount /dev/pmem0 /tmp/pmem && mkdir /tmp/pmem/etc"
tap_check "is mounted, and not taken" refused 'its disk /dev/pmem0 is in use' $pmem
tap_check "it is still mounted" reads /tmp/pmem
tap_check "doctor says why" names driver 'not to vmdev_pci; its disk /dev/pmem0 is in use' $pmem
umount /tmp/pmem
tap_check "it may be taken when it is not mounted" eval "! refused 'is in use' $pmem"
tap_check "the root disk" refused 'its disk /dev/vd[a-z] is in use' $root
tap_check "who may not open it does not know" setpriv --reuid=65534 --regid=65534 --clear-groups -- \
	bash -c ". /vmdev/selftests/functional/doctor-lib.sh; names driver 'whether its disk /dev/vd[a-z] is in use cannot be seen' $root"
tap_check "a file system" refused '9pnet_virtio has it, and what for cannot be seen' $share
tap_check "it is still there" [ -e /vmdev/scripts/vm-lib.sh ]
tap_check "a console" refused 'virtio_console has it, and what for cannot be seen' $console

wait_for "[ -e /sys/bus/pci/devices/$nic/virtio*/net/* ]" 10
ip netns add elsewhere && ip link set "$(netdev_of "$nic")" netns elsewhere name 'e$(id)0'
tap_check "a network interface of another namespace" refused 'is in another network namespace' "$nic"
ip -n elsewhere link set 'e$(id)0' netns 1
ip link set 'e$(id)0' up
tap_check "one that is up, with a name that a shell would run" mends driver \
	"its network interface .* is up" "$nic"
tap_check "the command quoted it" has_driver "$nic" vmdev_pci
tap_check "a clean kernel log" clean_log
tap_done
