#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the VM, under icount: where the instructions of a packet go, function by function.
# Usage: profile.sh ROUNDS CONTENDER CASE BATCH ROOT[,ROOT...] [CASE BATCH ROOTS]...
# CONTENDER: soft or vhost_net. ROOTs: functions of the kernel below which to look.
# Each function that is found there is traced alone, so that no other one's tracing is counted.
# shellcheck source=/dev/null
. /vmdev/scripts/vm-lib.sh

bench=/build/selftests/bench/bench
tracing=/sys/kernel/tracing
rounds=$1 contender=$2 device=()
shift 2

fail() { echo "profile.sh: $*" >&2; exit 1; }

trace_off() {
	echo 0 >$tracing/tracing_on
	echo nop >$tracing/current_tracer
	echo >$tracing/set_ftrace_filter
	echo >$tracing/set_graph_function
	echo 0 >$tracing/max_graph_depth
}
# traced ROUNDS CASE: the run alone. Output of bench is its figure, with what tracing adds.
traced() {
	echo function_graph >$tracing/current_tracer
	echo >$tracing/trace
	echo 1 >$tracing/tracing_on
	"$bench" -c "$contender" -r "$1" -o "$2" "${device[@]}" >/tmp/figure || fail "$contender $2"
	echo 0 >$tracing/tracing_on
}

# cost FUNCTION PACKETS: its name, calls and instructions of a packet, of a call. Without what tracing
# adds to the one function that is traced; nothing is found to take less.
cost() {
	awk -v name="$1" -v packets="$2" -v tracing=711 '
		$0 ~ ("us +[|] +" name "( .[a-z0-9_]+.)?[(][)]") {
			match($0, /[0-9.]+ us/)
			sum += substr($0, RSTART, RLENGTH - 3) * 1000 - tracing
			n++
		}
		END { if (n) print name, n / packets, sum / packets, sum / n }'
}

port_of() {
	local path

	for path in /sys/class/net/*/phys_port_name; do
		[ "$(cat "$path" 2>/dev/null)" != "$1" ] || basename "${path%/phys_port_name}"
	done
}
# profile_device CONTENDER CASE: arguments of bench in device.
profile_device() {
	if [ ! -e /sys/class/net/benchnull ]; then
		echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null
		modprobe dummy numdummies=0 && ip link add benchnull type dummy && ip link set benchnull up
	fi
	case $1 in
	soft)
		if [ ! -e /sys/bus/vdpa/devices/soft0 ]; then
			load_vmdev vmdev_soft
			vdpa dev add name soft0 mgmtdev vmdev_soft || fail "dev add"
			wait_for "[ -c \"\$(vhost_of soft0)\" ]" 5
			ip link set "$(port_of soft0)" up
		fi
		device=(-d "$(vhost_of soft0)" -i "$(port_of soft0)" tx)
		[[ $2 != *-gso-* ]] || device=(-d "$(vhost_of soft0)" -i "$(port_of soft0)" gso)
		[[ $2 != rx-[ps]* ]] || device=(-d "$(vhost_of soft0)" -i "$(port_of soft0)" host-rx)
		;;
	vhost_net)
		modprobe -a vhost_net tun
		device=(vhost-net)
		;;
	esac
}

modprobe vhost_vdpa max_iotlb_entries=1000000 || fail "no vhost_vdpa"
chrt -f -p 1 "$(pgrep -x ksoftirqd/0)"
echo 4 >/proc/sys/vm/nr_hugepages
echo 20000 >$tracing/buffer_size_kb
echo 0 >$tracing/options/funcgraph-irqs
while [ $# -gt 0 ]; do
	one=$1 batch=$2 roots=$3
	shift 3
	profile_device "$contender" "$one"
	trace_off
	"$bench" -c "$contender" -r "$rounds" -o "$one" "${device[@]}" || fail "$contender"
	tr , '\n' <<<"$roots" >$tracing/set_graph_function
	traced 3 "$one"
	cat $tracing/trace >/tmp/tree
	cp /tmp/tree "/out/tree.$contender.${one//\//-}"
	trace_off
	python3 -B /vmdev/selftests/bench/profile.py functions </tmp/tree >/tmp/functions
	: >/tmp/costs
	while read -r function; do
		{ echo "$function" && tr , '\n' <<<"$roots"; } >$tracing/set_ftrace_filter 2>/dev/null || continue
		tr , '\n' <<<"$roots" >$tracing/set_graph_function
		traced "$rounds" "$one"
		cost "$function" $((rounds * batch)) <$tracing/trace >>/tmp/costs
		trace_off
	done </tmp/functions
	python3 -B /vmdev/selftests/bench/profile.py table /tmp/costs "$contender $one" </tmp/tree
done
