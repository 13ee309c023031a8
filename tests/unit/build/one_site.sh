#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# one_site.sh SOURCE_DIR WORK_DIR CXX: a hundred instances in two translation units give one site a probe an ELF file,
# however they are compiled and linked, also in a shared library beside an executable and after strip.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$1 work=$2 cxx=$3
rm -rf "$work" && mkdir -p "$work" && cd "$work"

# `many<N>` instances of an audited map: N types, so that templates cannot be folded into one.
cat >common.hpp <<'EOF'
#include <mapaudit/mutex_map.hpp>
#include <utility>
template <int N> struct key {
    unsigned long value;
    bool operator==(const key&) const = default;
};
template <int N> struct std::hash<key<N>> {
    std::size_t operator()(const key<N>& k) const noexcept { return k.value * 0x9e3779b97f4a7c15u; }
};
template <int N> unsigned long once() {
    mapaudit::mutex_map<key<N>, unsigned long> map("m");
    map.assign({1}, N);
    return map.lookup({1}).value_or(0);
}
template <int First, int... N> unsigned long many(std::integer_sequence<int, N...>) { return (once<First + N>() + ...); }
EOF
cat >library.cpp <<'EOF'
#include "common.hpp"
unsigned long library_sum() { return many<0>(std::make_integer_sequence<int, 50>{}); }
EOF
cat >main.cpp <<'EOF'
#include "common.hpp"
unsigned long library_sum();
int main() {
    const unsigned long sum = library_sum() + many<50>(std::make_integer_sequence<int, 50>{});
    return sum == 4950 ? 0 : 1;  // 0 + 1 + … + 99
}
EOF

flags=(-std=c++20 -Wall -Wextra -I"$source/target/include" -pthread)
check() { # file: its sites, and that it still does what it should
    "$here/check_sites.sh" "$1"
    [[ $1 == *.so ]] || LD_LIBRARY_PATH=. "./$1" || { echo "$1: wrong result" >&2; exit 1; }
    echo "ok $1"
}
both() { # name, further flags: an executable of both files
    local name=$1
    shift
    "$cxx" "${flags[@]}" "$@" library.cpp main.cpp -o "$name"
    check "$name"
}

both O0 -O0
both gc -O2 -ffunction-sections -fdata-sections -Wl,--gc-sections -fvisibility=hidden
if echo 'int main(){}' | "$cxx" -flto -x c++ - -o lto_probe 2>/dev/null; then
    both lto -O2 -flto -Wl,--gc-sections
    both nopie -O2 -flto -fno-pie -no-pie
else
    echo "no link-time optimisation with $cxx here (its linker plugin is missing): left out"
fi
"$cxx" "${flags[@]}" -O2 -fPIC -shared library.cpp -o liblibrary.so
"$cxx" "${flags[@]}" -O2 main.cpp -L. -llibrary -o with_library
check liblibrary.so
check with_library
cp gc stripped && strip stripped
check stripped
