# SPDX-License-Identifier: GPL-2.0
# Completion of vmdev, for bash.
# shellcheck shell=bash

# Only names that a shell takes as they are: others would be run, or be other words, in a line that
# they complete. Whoever may make a vDPA device gives it any name.
_vmdev_names() { grep -oE "\"$1\":\"[[:alnum:]_./:@+-]+\"" | cut -d'"' -f4; }
_vmdev_devs() { vmdev -j dev show 2>/dev/null | _vmdev_names dev; }
_vmdev_parents() { vmdev -j parent show 2>/dev/null | _vmdev_names parent; }
# _vmdev_functions [DRIVER]: PCI functions of virtio, or those of a driver.
_vmdev_functions() {
	local path

	if [ -n "${1-}" ]; then
		for path in /sys/bus/pci/drivers/"$1"/*:*; do
			[ ! -e "$path" ] || echo "${path##*/}"
		done
		return
	fi
	for path in /sys/bus/pci/devices/*; do
		[ "$(cat "$path/vendor" 2>/dev/null)" != 0x1af4 ] || echo "${path##*/}"
	done
}

_vmdev() {
	local cur line=${COMP_LINE:0:COMP_POINT} words=() i word all choices=

	# Colons split words of the shell's, but a BDF is one of ours.
	read -ra words <<<"$line"
	[[ $line != *[[:space:]] ]] || words+=('')
	cur=${words[${#words[@]} - 1]}
	i=1
	while [[ ${words[i]-} == -* && $i -lt $((${#words[@]} - 1)) ]]; do
		i=$((i + 1))
	done
	words=("${words[@]:i}")
	case ${#words[@]}:${words[0]-}:${words[1]-} in
	1:*) choices='parent dev queue path irq monitor dirty bind unbind doctor help -j -p -t -V -h' ;;
	2:parent:* | 2:dev:* | 2:queue:*) choices=show ;;
	2:path:* | 2:irq:*) choices='show set' ;;
	2:dirty:*) choices='show watch' ;;
	2:unbind:*) choices=$(_vmdev_functions vmdev_pci) ;;
	2:bind:* | 2:doctor:*) choices=$(_vmdev_functions) ;;
	3:parent:show | 3:irq:*) choices=$(_vmdev_parents) ;;
	3:dev:show | 3:queue:show | 3:path:* | 3:dirty:*) choices=$(_vmdev_devs) ;;
	3:bind:* | 3:unbind:*) choices=-f ;;
	3:doctor:*) choices=-m ;;
	4:irq:set) choices='per-queue queues-shared all-shared auto' ;;
	4:path:set) choices='auto direct shadow' ;;
	*:dirty:watch) choices='-n -i -a -r' ;;
	esac
	# Not by compgen -W, which expands what it is given.
	COMPREPLY=()
	read -rd '' -a all <<<"$choices"
	for word in "${all[@]}"; do
		[[ $word != "$cur"* ]] || COMPREPLY+=("$word")
	done
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$cur"
	fi
}
complete -F _vmdev vmdev
