#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# probes_off.sh SOURCE_DIR WORK_DIR CXX: MAPAUDIT_PROBES=OFF leaves no note, no site, no semaphore and no registry, and
# a driver that works.
set -euo pipefail
source=$1 work=$2 cxx=$3
cmake -S "$source" -B "$work" -DCMAKE_CXX_COMPILER="$cxx" -DMAPAUDIT_PROBES=OFF -DMAPAUDIT_AUDITOR=OFF \
    -DMAPAUDIT_TESTS=OFF --log-level=WARNING
cmake --build "$work" --target mapaudit-workload
binary=$work/target/mapaudit-workload

if readelf -nW "$binary" | grep -E 'stapsdt|mapaudit'; then
    echo "$binary has probe notes" >&2
    exit 1
fi
if nm -C "$binary" | grep -E 'mapaudit_(probe|semaphores|process_registry)'; then
    echo "$binary has symbols of probes" >&2
    exit 1
fi
"$binary" --list | while read -r kind; do
    "$binary" --map "$kind" --threads 2 --ops 1009 --json | grep -q "\"kind\":\"$kind\"" || { echo "$kind: no report" >&2; exit 1; }
done
code=0
"$binary" --map mutex_map --ops 1 --wait-attach 5 || code=$?
[[ $code -eq 3 ]] || { echo "--wait-attach without probes: exit $code, expected 3" >&2; exit 1; }
