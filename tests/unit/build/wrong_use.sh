#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# wrong_use.sh SOURCE_DIR WORK_DIR CXX: each program in wrong_use/ is refused by the compiler with the words of its second
# line in an error; with -DRIGHT, which takes the mistake out, all of them compile.
set -euo pipefail
source=$1 work=$2 cxx=$3
programs=$(cd "$(dirname "$0")/wrong_use" && pwd)
rm -rf "$work" && mkdir -p "$work" && cd "$work"
flags=(-std=c++20 -fsyntax-only -Wall -Wextra -I"$source/target/include" -pthread -fdiagnostics-color=never)

check() { # program: exits 0 when it is refused as it should be
    local name said
    name=$(basename "$1" .cpp)
    said=$(sed -n '2s|^// says: ||p' "$1")
    [[ -n $said ]] || { echo "$1: its second line does not say what is to be said" >&2; return 1; }
    if LC_ALL=C "$cxx" "${flags[@]}" -w "$1" 2>"$name.log"; then
        echo "$name: compiles" >&2
        return 1
    fi
    # Errors, and the notes that say which constraint was not met.
    # No pipe: grep -q ends at the first match, and under pipefail the other's broken pipe would count as a failure.
    grep -qF -- "$said" <(grep -E ': (error|note): ' "$name.log") && return
    { echo "$name: no error says \"$said\":"; grep -E ': error: ' "$name.log" | head -n 5; } >&2
    return 1
}

failed=0 count=0 running=()
for program in "$programs"/*.cpp; do
    check "$program" &
    running+=($!) count=$((count + 1))
    if [[ ${#running[@]} -eq 2 ]]; then
        wait "${running[0]}" || failed=1
        running=("${running[1]}")
    fi
done
for pid in "${running[@]}"; do wait "$pid" || failed=1; done
[[ $count -ge 20 ]] || { echo "only $count programs in $programs" >&2; exit 1; }

for program in "$programs"/*.cpp; do echo "#include \"$program\""; done >right.cpp
"$cxx" "${flags[@]}" -Werror -DRIGHT right.cpp || { echo "without their mistakes they do not compile either" >&2; failed=1; }
exit $failed
