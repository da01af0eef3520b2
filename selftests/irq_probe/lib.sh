# SPDX-License-Identifier: GPL-2.0
# Sourced by functional tests, after common.sh: what vmdev_irq_probe says of the function $bdf.
# shellcheck shell=bash disable=SC2154	# bdf: of whoever sources this

probe=/proc/vmdev_irq_probe
# function_line: MODE ASKED QUEUES VECTORS USED REQUESTED
function_line() { awk -v bdf="$bdf" '$1 == bdf && $2 != "vector" { $1 = ""; print substr($0, 2) }' $probe; }
# probe_line USE [QUEUE]: of the first such vector.
probe_line() { awk -v bdf="$bdf" -v u="$1" -v q="${2--1}" '$1 == bdf && $4 == u && $5 == q' $probe | head -n 1; }
uses() { awk -v bdf="$bdf" '$1 == bdf && $2 == "vector" { print $4 }' $probe | xargs; }
# vector_of USE QUEUE FIELD; QUEUE is -1 where it is not one's.
vector_of() {
	local -A fields=([vector]=3 [irq]=6 [requested]=7 [polled]=8 [count]=9 [spurious]=10 [storms]=11 [cpu]=12)

	probe_line "$1" "$2" | awk -v f="${fields[$3]}" '{ print $f }'
}
# storms: how many others were told of.
storms() { awk '$1 == "storms" { print $2 }' $probe; }
