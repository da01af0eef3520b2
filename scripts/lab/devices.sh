# SPDX-License-Identifier: GPL-2.0
# Sourced by lab-run: the virtio functions of the VM, each at a place of its own.
# shellcheck shell=bash disable=SC2154	# options come from lab-run
#
# Function X sits alone below the PCIe root port rp-X, so it can be unplugged. Root ports are
# functions 0-3 of slots 2 (pf), 3 (nic), 4 (blk) and 5 (bare), 0-7 of 6 and the next ones (vfio-user);
# buses are numbered in the order of the root ports that are there. The VM learns the result as $BDF_pf0 etc.

args=()
names=()	# NAME=BUS:DEV.FN without domain
bus=0
tap_ids=()

# join ITEM...: ",ITEM,ITEM"
join() {
	local item

	for item; do
		printf ',%s' "$item"
	done
}

# root_port NAME SLOT INDEX: the next bus.
root_port() {
	bus=$((bus + 1))
	args+=(-device "pcie-root-port,id=rp-$1,bus=pcie.0,addr=$2.$3,multifunction=on,chassis=$2,slot=$bus")
}

# name NAME FN
name() { names+=("$1=$(printf '0000:%02x:00.%d' "$bus" "$2")"); }

# netdev NAME: the network behind a function, id n-NAME.
netdev() {
	case $net in
	user) args+=(-netdev "user,id=n-$1") ;;
	hub) args+=(-netdev "hubport,hubid=1,id=n-$1") ;;
	tap)
		args+=(-netdev "tap,id=n-$1,ifname=t-$1,script=no,downscript=no,queues=$queues")
		tap_ids+=("t-$1")
		;;
	*) die "--net user|hub|tap" ;;
	esac
}

# nic NAME FN MAC PROPERTY...: a virtio-net function below the root port at hand.
nic() {
	local name=$1 fn=$2 mac=$3 dev

	shift 3
	netdev "$name"
	name "$name" "$fn"
	dev="virtio-net-pci,id=$name,addr=0.$fn,netdev=n-$name,mac=52:54:00:12:$mac"
	dev+=",disable-legacy=on,romfile=$(join "$@" "${nic_props[@]}")"
	[ "$queues" = 1 ] || dev+=",mq=on,vectors=$((2 * queues + 2))"
	args+=(-device "$dev")
}

# sriov N: PF N with its VFs; QEMU wants the VFs first.
sriov() {
	local i

	root_port "pf$1" 2 "$1"
	for ((i = 0; i < vfs; i++)); do
		nic "vf$1.$i" $((i + 1)) "1$1:0$i" "bus=rp-pf$1" "sriov-pf=pf$1" iommu_platform=on
	done
	nic "pf$1" 0 "0$1:00" "bus=rp-pf$1" iommu_platform=on ats=on
}

# blk N: a virtio-blk function with a disk of its own.
blk() {
	root_port "blk$1" 4 "$1"
	name "blk$1" 0
	args+=(-drive "if=none,id=d-blk$1,file=/lab/run/disks/blk$1,format=raw,cache=unsafe"
		-device "virtio-blk-pci,id=blk$1,bus=rp-blk$1,addr=0.0,drive=d-blk$1,serial=blk$1,iommu_platform=on,disable-legacy=on$(join "${blk_props[@]}")")
}

# vfio_user NAME[,NAME...]=CMD: functions that a process of ours is.
vfio_user() {
	local name

	for name in $(tr , ' ' <<<"${1%%=*}"); do
		root_port "$name" $((6 + vfio_user_n / 8)) $((vfio_user_n % 8))
		vfio_user_n=$((vfio_user_n + 1))
		name "$name" 0
		args+=(-device "{\"driver\":\"vfio-user-pci\",\"id\":\"$name\",\"bus\":\"rp-$name\",\"addr\":\"0.0\",\"socket\":{\"type\":\"unix\",\"path\":\"/lab/run/$name.sock\"}}")
	done
}

# Lines for the VM: BDF_pf0=0000:01:00.0, with _ for the dot in vf0.0.
device_env() {
	local pair

	for pair in "${names[@]}"; do
		printf 'BDF_%s=%s\n' "$(echo "${pair%%=*}" | tr . _)" "${pair#*=}"
	done
}

# Shell text that makes the taps and their bridge in the VM's network namespace.
net_hook() {
	local tap

	[ "$net" = tap ] || return 0
	echo "ip link add br0 type bridge; ip addr add 10.0.2.2/24 dev br0; ip link set br0 up"
	for tap in "${tap_ids[@]}"; do
		echo "ip tuntap add $tap mode tap $([ "$queues" = 1 ] || echo multi_queue)"
		echo "ip link set $tap master br0 up"
	done
	# One queue has all functions of the FPGA.
	[ "$fpgas" = 0 ] || echo "ip tuntap add t-fpga mode tap; ip link set t-fpga master br0 up"
}

# Shell text that starts those processes in the lab's root, in the namespaces of QEMU, with
# whose end they end. QEMU wants to find the sockets.
vfio_user_hook() {
	local user cmd sockets

	for user in "${vfio_users[@]}"; do
		cmd=${user#*=}
		sockets=$(sed 's|[^,]*|/lab/run/&.sock|g; s|,| |g' <<<"${user%%=*}")
		cat <<-EOF
			chroot "\$ROOT" sh -c 'exec /lab/run/share/build/selftests/$cmd "\$@"' sh $sockets \
				</dev/null >>"\$ROOT/lab/run/share/out/vfio-user.log" 2>&1 &
			for socket in $sockets; do
				for ((i = 0; i < 100; i++)); do
					[ ! -S "\$ROOT\$socket" ] || break
					sleep 0.1
				done
				[ -S "\$ROOT\$socket" ] || die "no \$socket: $cmd does not start"
			done
		EOF
	done
}

for ((i = 0; i < pfs; i++)); do sriov "$i"; done
for ((i = 0; i < nics; i++)); do
	root_port "nic$i" 3 "$i"
	nic "nic$i" 0 "2$i:00" "bus=rp-nic$i" iommu_platform=on
done
for ((i = 0; i < blks; i++)); do blk "$i"; done
if [ "$bare" = 1 ]; then
	root_port bare0 5 0
	nic bare0 0 30:00 bus=rp-bare0
fi
vfio_user_n=0
for user in "${vfio_users[@]}"; do vfio_user "$user"; done
