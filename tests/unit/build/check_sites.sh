#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_sites.sh FILE: an ELF file holds exactly one site of each mapaudit probe, all of them nop5 + ret where this is
# x86-64, with semaphores that share one 64-byte line.
set -euo pipefail
file=$1
die() { echo "$file: $*" >&2; exit 1; }

expected="assign batch batch_sampled conflict contended create destroy erase evacuate grow lookup released"
notes=$(readelf -nW "$file" 2>/dev/null)
found=$(awk '/Provider: mapaudit$/ { getline; print $2 }' <<<"$notes" | sort | tr '\n' ' ')
[[ ${found% } == "$expected" ]] || die "probe sites are \"${found% }\", expected one each of \"$expected\""

# Location: 0x…, Base: 0x…, Semaphore: 0x…
lines=$(awk '/Provider: mapaudit$/ { getline; getline; print $2, $6 }' <<<"$notes" | tr -d ,)
[[ $(wc -l <<<"$lines") -eq 12 ]] || die "cannot read the notes' addresses"
semaphore_lines=$(while read -r _ semaphore; do echo $((semaphore / 64)); done <<<"$lines" | sort -u | wc -l)
[[ $semaphore_lines -eq 1 ]] || die "semaphores stand in $semaphore_lines cache lines"
[[ $(cut -d' ' -f1 <<<"$lines" | sort -u | wc -l) -eq 12 ]] || die "two probes share a site"

[[ $(readelf -hW "$file") == *X86-64* ]] || exit 0
while read -r site _; do
    code=$(objdump -d --start-address="$site" --stop-address=$((site + 6)) "$file" | awk -F'\t' '/^ /{print $2}' | tr -d ' \n')
    [[ $code == 0f1f440000c3 ]] || die "the site at $site is \"$code\", not nop5; ret"
done <<<"$lines"
