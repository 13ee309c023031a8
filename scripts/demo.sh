#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh BUILD_DIR: audits a running workload for ten seconds and leaves demo.csv.
set -euo pipefail
build=$1
workload=$build/target/mapaudit-workload
auditor=$build/userspace/mapaudit
[[ $(id -u) -eq 0 ]] || { echo "demo: loading eBPF programs needs root: sudo make demo" >&2; exit 4; }

# Half the operations write to keys that were not there at first: the maps grow before your eyes.
"$workload" --map sharded_map --threads 4 --duration 60 --maps 3 --name sessions --read-ratio 0.5 --erase-ratio 0.2 \
    --keys 2000000 --dist zipf --rate 400000 >/dev/null &
pid=$!
stop_workload() {
    kill -INT "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}
trap stop_workload EXIT

for _ in $(seq 200); do # ten seconds at most, for its first map to appear
    "$auditor" list "$pid" 2>/dev/null | grep -q sessions && break
    sleep 0.05
done
echo "demo: the workload runs as process $pid; auditing it for ten seconds with"
echo "demo:     $auditor attach -p $pid -d 10 --csv demo.csv"
"$auditor" attach -p "$pid" -d 10 --csv demo.csv
rows=$(($(wc -l <demo.csv) - 1))
[[ $rows -gt 0 ]] || { echo "demo: demo.csv holds no rows" >&2; exit 1; }
cat <<EOF

demo: demo.csv holds $rows rows. What to read in it:
  calls_per_s          how hot each map is (scope=interval), by operation
  p50_ns … p999_ns     how long an operation took, waiting for the map's lock included
  waits, wait_p99_ns   how often the lock was taken, and what that cost: is the map contended?
  buckets, load_factor, grows, buckets_per_s   how the map grows
  scope=total          one row a map and operation at the end: exact counts (estimated=0, lost=0)
For example the totals:
EOF
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    $column["scope"] == "total" && $column["cpu"] == "all" {
        printf "  %-12s %-8s %12s calls  p50 %6s ns  p99 %8s ns\n", $column["map_name"], $column["op"],
               $column["calls"], $column["p50_ns"], $column["p99_ns"] }' demo.csv
