# SPDX-License-Identifier: GPL-2.0
# Sourced by tests of bash's completion, after tools/vmdev.bash or before.
# shellcheck shell=bash

# completes LINE WORDS: these, and no others.
completes() {
	COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
	_vmdev
	echo "${COMPREPLY[*]}"
	[ "${COMPREPLY[*]}" = "$2" ]
}
