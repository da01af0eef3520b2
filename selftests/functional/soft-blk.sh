#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vmdev_soft_blk: block devices over RAM, files and block devices of the host.
# lab: --vfs 0 --smp 4
# limit: 700
# long-kernels: 7.2 debug
# shellcheck source=/dev/null disable=SC2154
. /vmdev/scripts/vm-lib.sh
. /vmdev/selftests/functional/common.sh

configs=/sys/kernel/config/vmdev_soft/blk
# With four queues: all that there is but IN_ORDER, with packed rings.
packed=0x730007644
capacity=$((32 << 20))
size=4m jobs=4 files=/vmdev/drivers
# The debug kernel is slow: less of all.
if [[ $(uname -r) = *-debug ]]; then
	size=1m jobs=2 files=/vmdev/drivers/soft
fi

# conf NAME ATTR=VALUE...
conf() {
	local attr

	[ -d "$configs/$1" ] || mkdir "$configs/$1" || return
	for attr in "${@:2}"; do
		put "${attr#*=}" "$configs/$1/${attr%%=*}" || return
	done
}
# disk NAME: its disk, whose serial number it is unless there is another one.
disk() {
	local path

	for path in /sys/block/vd*/serial; do
		[ "$(cat "$path" 2>/dev/null)" != "$1" ] || { path=${path%/serial}; echo "${path##*/}"; }
	done
}
add() { # NAME BUS [ATTR...]
	vdpa dev add name "$1" mgmtdev vmdev_soft_blk "${@:3}" && use_bus "$1" "$2" || return
	if [ "$2" = virtio_vdpa ]; then wait_for "[ -b \"/dev/\$(disk $1)\" ]" 5; else wait_for "[ -c \"\$(vhost_of $1)\" ]" 5; fi
}
del() { vdpa dev del "$1" && { [ ! -d "$configs/$1" ] || rmdir "$configs/$1"; }; }

is_size() { [ "$(blockdev --getsize64 "/dev/$(disk "$1")")" = "$2" ]; }
queues() { [ "$(find "/sys/block/$(disk "$1")/mq" -mindepth 1 -maxdepth 1 | wc -l)" = "$2" ]; }
# verify NAME RW BS: data that carries its own checksums, of jobs side by side.
verify() {
	fio --name=verify --filename="/dev/$(disk "$1")" --rw="$2" --bs="$3" --size=$size \
		--offset_increment=4m --numjobs=$jobs --ioengine=libaio --iodepth=16 --direct=1 \
		--verify=crc32c --verify_fatal=1 --randseed=1 --fsync=64 --group_reporting \
		--output-format=terse "${@:4}"
}
block() { cat "/sys/block/$(disk "$1")/queue/logical_block_size"; }
again() { verify "$@" --verify_only; }
is_write_back() { grep -x 'write back' "/sys/block/$(disk "$1")/queue/write_cache"; }
pattern() { python3 -c "import sys; sys.stdout.buffer.write(b'\\xa5' * $1)"; }
# zeroes FILE OFFSET LENGTH (MiB)
zeroes() {
	cmp -n $(($3 << 20)) <(dd if="$1" bs=1M skip="$2" count="$3" iflag=direct status=none) /dev/zero
}
# cleared NAME OPTION...: 1 MiB of a pattern at 4 MiB is all zeroes after blkdiscard.
cleared() {
	local dev

	dev=/dev/$(disk "$1")
	pattern $((3 << 20)) | dd of="$dev" bs=1M seek=3 oflag=direct iflag=fullblock status=none &&
		not zeroes "$dev" 4 1 && blkdiscard "${@:2}" -o 4M -l 1M "$dev" && zeroes "$dev" 4 1 &&
		not zeroes "$dev" 3 1 && not zeroes "$dev" 5 1
}
filesystem() {
	local dev

	dev=/dev/$(disk "$1")
	mkfs.ext4 -q -F "$dev" && mount "$dev" /mnt && cp -a $files /mnt/files && sync -f /mnt && fstrim /mnt &&
		umount /mnt && fsck.ext4 -f -n "$dev" && mount -o ro "$dev" /mnt &&
		diff -r $files /mnt/files && umount /mnt
}

# --- rounds ------------------------------------------------------------------------------
ROUND=8
# round TEXT NAME [ATTR...]: over what conf said.
round() {
	tap_check "$1: a device" add "$2" virtio_vdpa "${@:3}"
	tap_check "$1: its size" is_size "$2" $capacity
	tap_check "$1: small requests, verified" eval "verify $2 randrw \$(block $2)-16k"
	tap_check "$1: large requests, verified" verify "$2" randwrite 128k-1m
	tap_check "$1: read once more" again "$2" randwrite 128k-1m
	tap_check "$1: write zeroes" cleared "$2" -z
	tap_check "$1: a file system, trimmed and checked" filesystem "$2"
	tap_check "$1: it goes" del "$2"
}
ioctl=$TOOLS/vhost_vdpa_ioctl
IOCTL=$("$ioctl" --list | grep -c '^blk_')
mapfile -t cases < <("$ioctl" --list | grep '^blk_')
client() { # TEXT NAME [ATTR...]
	tap_check "$1: a device" add "$2" vhost_vdpa "${@:3}"
	tap_adopt "$1" "$ioctl" -d "$(vhost_of "$2")" --scratch --software --require blk "${cases[@]}"
	tap_check "$1: it goes" del "$2"
}

# Memory that a client gives back is out of the device's reach before it is somebody else's.
freed() { add b0 vhost_vdpa && "$TOOLS/freed" -d "$(vhost_of b0)" && del b0; }

# --- RAM ---------------------------------------------------------------------------------
discards() { add b0 virtio_vdpa && cleared b0 && vdpa dev del b0; }
default_size() {
	local mb=/sys/module/vmdev_soft/parameters/blk_ram_mb

	put 8 $mb && add b0 virtio_vdpa && is_size b0 $((8 << 20)) && del b0 && put 32 $mb
}
# Names are longer than those of workqueues.
long_name() {
	local name=a-disk-of-a-name-that-is-longer-than-most mark

	mark=$(dmesg_mark)
	vdpa dev add name $name mgmtdev vmdev_soft_blk && use_bus $name virtio_vdpa &&
		wait_for "[ -b \"/dev/\$(disk ${name:0:20})\" ]" 5 && vdpa dev del $name && logged "$mark" 0 "exceeds"
}
ram() {
	tap_check "RAM: memory that is given back" freed
	tap_check "RAM: a long name" long_name
	tap_check "RAM: it discards" discards
	tap_check "RAM: of the module's size" default_size
	round "RAM" b0
	round "RAM, packed" b0 device_features $packed
	client "RAM, client" b0
}

# --- what conf says ----------------------------------------------------------------------
configured() {
	conf b0 size=32M serial=12345678901234567890 queues=4 && add b0 vhost_vdpa && use_bus b0 virtio_vdpa &&
		wait_for "[ -b \"/dev/\$(disk 12345678901234567890)\" ]" 5 && queues 12345678901234567890 4 &&
		is_size 12345678901234567890 $capacity
}
is_fixed() {
	not put 64M $configs/b0/size && not put /x $configs/b0/path && not put 1 $configs/b0/read_only &&
		not put x $configs/b0/serial && not put 1 $configs/b0/queues && not rmdir $configs/b0
}
is_free() { vdpa dev del b0 && conf b0 size=64M queues=2 && rmdir $configs/b0; }
read_only() {
	pattern $capacity >/dev/shm/ro && conf b0 path=/dev/shm/ro read_only=1 && add b0 virtio_vdpa &&
		[ "$(blockdev --getro "/dev/$(disk b0)")" = 1 ] && cmp "/dev/$(disk b0)" /dev/shm/ro &&
		not dd if=/dev/zero of="/dev/$(disk b0)" bs=4k count=1 oflag=direct && del b0
}
# A client that writes although it may not.
read_only_client() {
	conf b0 path=/dev/shm/ro read_only=1 && add b0 vhost_vdpa &&
		not "$ioctl" -d "$(vhost_of b0)" --scratch --require blk blk_write_read && "$ioctl" -d "$(vhost_of b0)" blk_reads_agree &&
		cmp /dev/shm/ro <(pattern $capacity) && del b0
}
no_path() { conf b0 path=/nowhere && not add b0 virtio_vdpa; }
relative() { conf b0 path=ro && not add b0 virtio_vdpa; }
odd_size() { truncate -s 1000 /dev/shm/odd && conf b0 path=/dev/shm/odd && not add b0 virtio_vdpa; }
no_file() { conf b0 path=/dev/null && not add b0 virtio_vdpa; }
both() { conf b0 path=/dev/shm/ro size=1M && not add b0 virtio_vdpa; }
too_large() { conf b0 path= size=1T && not add b0 virtio_vdpa && rmdir $configs/b0; }
# says WHY CMD: it succeeds, and one line says why something else did not.
says() {
	local mark

	mark=$(dmesg_mark)
	"$2" && logged "$mark" 1 "vmdev_soft_blk: b0: .*$1"
}

# --- files -------------------------------------------------------------------------------
file() { # FILE
	truncate -s $capacity "$1" && conf b0 path="$1" queues=4
}
# Discards free memory of the file.
shrinks() {
	pattern $capacity >/dev/shm/disk && conf b0 path=/dev/shm/disk && add b0 virtio_vdpa && cleared b0 &&
		blkdiscard "/dev/$(disk b0)" && [ "$(du -m /dev/shm/disk | cut -f1)" -le 1 ] && del b0
}
# What is written is in the file, after a flush.
arrives() {
	file /dev/shm/disk && add b0 virtio_vdpa && is_write_back b0 &&
		pattern $capacity | dd of="/dev/$(disk b0)" bs=64k conv=fsync iflag=fullblock status=none &&
		cmp /dev/shm/disk <(pattern $capacity) && del b0
}
# A file on a file system that fills up: errors, and all that was acknowledged is there.
full() {
	mkdir -p /tmp/small && mount -t tmpfs -o size=8m tmpfs /tmp/small && file /tmp/small/disk && add b0 virtio_vdpa &&
		python3 -c 'import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT)
page = mmap.mmap(-1, 65536)
done, failed = [], 0
for i in range(512):
	page[:] = bytes([i & 255]) * 65536
	try:
		os.pwrite(fd, page, i << 16)
		done.append(i)
	except OSError as e:
		assert e.errno in (5, 28), e
		failed += 1
os.fsync(fd)
assert failed > 300 and len(done) > 100, (failed, len(done))
for i in done:
	assert os.preadv(fd, [page], i << 16) == 65536 and page[:] == bytes([i & 255]) * 65536, i' "/dev/$(disk b0)" &&
		del b0 && umount /tmp/small
}
# A file that is cut off under the device.
vanishes() {
	file /dev/shm/disk && add b0 virtio_vdpa && truncate -s 1M /dev/shm/disk &&
		not dd if="/dev/$(disk b0)" of=/dev/null bs=64k skip=32 count=1 iflag=direct &&
		dd if="/dev/$(disk b0)" of=/dev/null bs=64k count=1 iflag=direct && del b0
}
on_ext4() {
	truncate -s 96M /dev/shm/fs && mkfs.ext4 -q -F /dev/shm/fs && mkdir -p /tmp/fs && mount -o loop /dev/shm/fs /tmp/fs &&
		file /tmp/fs/disk
}
off_ext4() { umount /tmp/fs && rm /dev/shm/fs; }

# --- block devices -----------------------------------------------------------------------
loop() { truncate -s $capacity /dev/shm/loop && LOOP=$(losetup -f --show /dev/shm/loop) && echo "$LOOP" >/tmp/loop; }
over_loop() { conf b0 path="$(cat /tmp/loop)" queues=4; }
is_exclusive() {
	mkfs.ext4 -q -F "$(cat /tmp/loop)" && over_loop && add b0 virtio_vdpa && not mount "$(cat /tmp/loop)" /mnt && del b0 &&
		mount "$(cat /tmp/loop)" /mnt && over_loop && says "is used otherwise" in_use && umount /mnt && rmdir $configs/b0
}
in_use() { not add b0 virtio_vdpa; }
# Somebody else has it open, and so its page cache stays: it must not hide what is written, or keep it.
is_coherent() {
	local loop

	loop=$(cat /tmp/loop)
	exec 9<"$loop" && pattern $((1 << 20)) | dd of="$loop" bs=64k iflag=fullblock conv=notrunc status=none &&
		over_loop && add b0 virtio_vdpa && cmp -n $((1 << 20)) <(dd if="/dev/$(disk b0)" bs=64k iflag=direct status=none) <(pattern $((1 << 20))) &&
		dd if=/dev/zero of="/dev/$(disk b0)" bs=64k count=16 oflag=direct status=none && del b0 &&
		zeroes_cached "$loop" && exec 9<&-
}
zeroes_cached() { cmp -n $((1 << 20)) "$1" /dev/zero; }
dm() { # TABLE...: the last MiB of 32 is as it says
	dmsetup create soft <<<"0 63488 linear $(cat /tmp/loop) 0
63488 2048 $*"
}
# Errors of one part, all else works; then all of it fails.
errors() {
	modprobe dm-mod && dm error && conf b0 path=/dev/dm-0 && add b0 virtio_vdpa &&
		not dd if=/dev/zero of="/dev/$(disk b0)" bs=1M seek=31 count=1 oflag=direct &&
		not dd if="/dev/$(disk b0)" of=/dev/null bs=1M skip=31 count=1 iflag=direct &&
		pattern $((4 << 20)) | dd of="/dev/$(disk b0)" bs=1M iflag=fullblock oflag=direct conv=fsync status=none &&
		cmp -n $((4 << 20)) /dev/shm/loop <(pattern $capacity)
}
all_gone() {
	dmsetup load soft <<<"0 65536 error" && dmsetup suspend soft && dmsetup resume soft &&
		not dd if=/dev/zero of="/dev/$(disk b0)" bs=4k count=1 oflag=direct &&
		not dd if="/dev/$(disk b0)" of=/dev/null bs=4k count=1 iflag=direct && del b0 && dmsetup remove soft
}
# What a file system could not write is gone, and its next fsync knows nothing of it: ours does.
lost() {
	local dev

	dm error && table "0 65536 linear $(cat /tmp/loop) 0" && mkfs.ext4 -q -F -O ^has_journal /dev/dm-0 && mkdir -p /tmp/lost && mount /dev/dm-0 /tmp/lost &&
		pattern $((8 << 20)) >/tmp/lost/disk && sync -f /tmp/lost && conf b0 path=/tmp/lost/disk && add b0 virtio_vdpa || return
	dev=/dev/$(disk b0)
	flush "$dev" && dd if=/dev/zero of="$dev" bs=64k count=4 oflag=direct status=none && table "0 65536 error" &&
		not flush "$dev" && table "0 65536 linear $(cat /tmp/loop) 0" && not flush "$dev" && not flush "$dev" &&
		del b0 && conf b0 path=/tmp/lost/disk && add b0 virtio_vdpa && flush "$dev" && del b0 &&
		umount /tmp/lost && dmsetup remove soft
}
# table TABLE: at once, nothing is written before.
table() { dmsetup load soft <<<"$1" && dmsetup suspend --nolockfs --noflush soft && dmsetup resume soft; }
flush() { python3 -c 'import os, sys; os.fsync(os.open(sys.argv[1], os.O_RDWR))' "$1"; }
# null LOGICAL BLOCK: a disk in RAM, of null_blk.
nulls=/sys/kernel/config/nullb
null() {
	modprobe null_blk nr_devices=0 && mkdir $nulls/nullb0 && put 32 $nulls/nullb0/size && put "$1" $nulls/nullb0/blocksize &&
		put 1 $nulls/nullb0/memory_backed && put 1 $nulls/nullb0/discard && put 1 $nulls/nullb0/power &&
		wait_for "[ -b /dev/nullb0 ]" 5 && conf b0 path=/dev/nullb0 queues=4
}
null_off() { rmdir $nulls/nullb0 && modprobe -r null_blk; }
# A disk that is pulled out while it is written to.
pulled() {
	null 512 && add b0 virtio_vdpa || return
	later fio --name=w --filename="/dev/$(disk b0)" --rw=randwrite --bs=4k --size=32m --time_based --runtime=20 \
		--ioengine=libaio --iodepth=8 --direct=1
	sleep 2
	put 0 $nulls/nullb0/power && not ends 15 && grep -q 'Input/output error' /tmp/later-output && del b0 && null_off
}

# --- the plan ----------------------------------------------------------------------------
with_config() {
	tap_check "configured: size, serial number, queues" configured
	tap_check "configured: fixed while there is the device" is_fixed
	tap_check "configured: free again" is_free
	tap_check "read-only: reads, refuses writes" read_only
	tap_check "read-only: refuses a client's writes" read_only_client
	tap_check "refused: no file" says "/nowhere: no such file" no_path
	tap_check "refused: a relative path" says "ro: not an absolute path" relative
	tap_check "refused: an odd size" says "size of 1000 bytes" odd_size
	tap_check "refused: neither file nor block device" says "/dev/null: neither a regular file" no_file
	tap_check "refused: path and size" says "set one of path and size" both
	tap_check "refused: too large for memory" says "make it smaller" too_large
	tap_check "file: what was flushed is there" arrives
	tap_check "file: discard gives memory back" shrinks
	tap_check "file: a full file system is an error, and loses nothing" full
	tap_check "file: cut off, it is an error" vanishes
	tap_check "file on tmpfs" file /dev/shm/disk
	round "tmpfs" b0
	tap_check "file on ext4" on_ext4
	round "ext4, packed" b0 device_features $packed
	tap_check "file on ext4, for a client" file /tmp/fs/disk
	client "ext4, client" b0
	tap_check "ext4 is whole" off_ext4
	tap_check "a loop device" loop
	tap_check "block device: it is ours alone" is_exclusive
	tap_check "block device: somebody has it open" is_coherent
	tap_check "block device" over_loop
	round "loop" b0
	tap_check "block device, for a client" over_loop
	client "loop, packed, client" b0 device_features $packed
}
CONFIG=$((24 + 3 * ROUND + 2 * (IOCTL + 2)))
with_disks() {
	tap_check "device mapper: an error of one part is one of that part" errors
	tap_check "device mapper: then all of it fails" all_gone
	tap_check "file: what could not be written is told with each flush" lost
	tap_check "a disk with blocks of 4 KiB" null 4096
	round "disk" b0
	tap_check "disk: it goes" null_off
	tap_check "disk: pulled out" pulled
}
DISKS=$((6 + ROUND))

here() { modprobe -n "$@" 2>/dev/null; }
n=$((4 + 2 * ROUND + IOCTL + 2 + 3))
! here configfs || n=$((n + CONFIG))
! here null_blk || n=$((n + DISKS))
tap_plan $n
vdpa_setup && modprobe -a virtio_blk loop 2>/dev/null
tap_check "modprobe vmdev_soft" modprobe vmdev_soft blk_ram_mb=32
[ -d "$configs" ] || mount -t configfs configfs /sys/kernel/config 2>/dev/null
ram
! here configfs || with_config
! here null_blk || with_disks
tap_check "modprobe -r" modprobe -r vmdev_soft
tap_check "a clean kernel log" clean_log
tap_done
