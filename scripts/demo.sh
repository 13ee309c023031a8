#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh BUILD_DIR: audits a running workload for ten seconds, leaves demo.csv, and compares both sides' counts.
set -euo pipefail
build=$1
workload=$build/target/mapaudit-workload
auditor=$build/userspace/mapaudit
[[ $(id -u) -eq 0 ]] || { echo "demo: loading eBPF programs needs root: sudo make demo" >&2; exit 4; }

scratch=$(mktemp -d)
pid=
clean_up() {
    [[ -z $pid ]] || kill -TERM "$pid" 2>/dev/null || true
    rm -rf "$scratch"
}
trap clean_up EXIT

# Half of the operations write, over far more keys than the maps begin with: they grow while you look on. The load
# starts when something is attached, so that its own counts and the auditor's are of the same operations.
mkfifo "$scratch/stderr"
"$workload" --map sharded_map --threads 4 --maps 3 --name sessions --duration 10 --rate 400000 --read-ratio 0.5 \
    --erase-ratio 0.2 --keys 2000000 --dist zipf --wait-attach 60 --json >"$scratch/truth" 2>"$scratch/stderr" &
pid=$!
exec 3<"$scratch/stderr"
read -r ready <&3 || true
[[ ${ready-} == "ready pid=$pid" ]] || { echo "demo: the workload did not start: ${ready-}" >&2; exit 1; }

echo "demo: the workload runs as process $pid, a process of its own. Auditing it for ten seconds with"
echo "demo:     $auditor attach -p $pid --csv demo.csv"
"$auditor" attach -p "$pid" --csv demo.csv
wait "$pid" || { echo "demo: the workload failed: $(cat <&3)" >&2; exit 1; }
pid=

rows=$(($(wc -l <demo.csv) - 1))
[[ $rows -gt 0 ]] || { echo "demo: demo.csv holds no rows" >&2; exit 1; }
cat <<EOF

demo: demo.csv holds $rows rows. What to read in it:
  calls_per_s          how hot each map is, by operation (rows with scope=interval)
  p50_ns .. p999_ns    how long an operation took, the wait for the map's lock included
  waits, wait_p99_ns   how often an operation had to wait for that lock, and how long: is the map contended?
  buckets, load_factor, grows, buckets_per_s   how the map grows
  scope=total          at the end one row for each map and operation: exact counts (estimated=0, lost=0)

EOF
# The truth is one JSON object whose first "ops" are the totals.
for op in assign lookup erase; do
    done_=$(grep -oE '"ops":\{[^}]*\}' "$scratch/truth" | head -n 1 | grep -oE "\"$op\":[0-9]+" | cut -d: -f2)
    seen=$(awk -F, -v op="$op" 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
        $column["scope"] == "total" && $column["cpu"] == "all" && $column["op"] == op { sum += $column["calls"] }
        END { printf "%d", sum }' demo.csv)
    printf 'demo: %-6s  %9d done by the workload, %9d seen by the auditor\n' "$op" "$done_" "$seen"
    [[ $done_ -eq $seen ]] || { echo "demo: these should be equal" >&2; exit 1; }
done
