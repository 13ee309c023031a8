#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cross_aarch64.sh SOURCE_DIR WORK_DIR: every public header compiles on its own for aarch64, and so does a program that
# uses every map; its probes name aarch64's registers.
set -euo pipefail
source=$1 work=$2
cxx=${AARCH64_CXX:-aarch64-linux-gnu-g++}
command -v "$cxx" >/dev/null || { echo "no $cxx (Debian: g++-aarch64-linux-gnu)" >&2; exit 1; }
rm -rf "$work" && mkdir -p "$work" && cd "$work"
flags=(-std=c++20 -O2 -Wall -Wextra -Wpedantic -Wshadow -Werror -I"$source/target/include" -pthread)

# liburcu's headers serve every architecture, but lie in the folder of the one they were installed for.
urcu=$(echo '#include <urcu/urcu-bp.h>' | "${CXX:-g++}" -M -x c++ - | grep -o '[^ ]*/urcu/urcu-bp\.h' | head -n 1)
mkdir include && ln -s "$(dirname "$urcu")" include/urcu
flags+=(-isystem "$PWD/include")

for header in "$source"/target/include/mapaudit/*.h "$source"/target/include/mapaudit/*.hpp; do
    [[ -e $header ]] || continue
    echo "aarch64: $(basename "$header")"
    "$cxx" "${flags[@]}" -fsyntax-only -include "$header" -x c++ /dev/null
done
"$cxx" "${flags[@]}" -I"$source/target/workload" -c "$source/target/workload/kinds.cpp" -o kinds.o
arguments=$(readelf -nW kinds.o 2>/dev/null | grep -A3 'Provider: mapaudit$' | grep -c 'Arguments: 8@x0 8@x1 8@x2')
[[ $arguments -eq 12 ]] || { echo "aarch64: $arguments probes with arguments in x registers, expected 12" >&2; exit 1; }
