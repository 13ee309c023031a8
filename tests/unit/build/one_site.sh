#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# one_site.sh SOURCE_DIR WORK_DIR CXX: a hundred audited types in two translation units give one site a probe an ELF file,
# however they are compiled and linked, also in a shared library beside an executable and after strip.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$1 work=$2 cxx=$3
rm -rf "$work" && mkdir -p "$work" && cd "$work"

# Fifty types to a file, each with audited operations of its own, and one whole map.
cat >common.hpp <<'EOF'
#include <mapaudit/mutex_map.hpp>
#include <utility>
template <int N> struct cell {
    int value = 0;
    void assign(int v) {
        mapaudit::audit<mapaudit::op::assign>(self, [&](auto&) { value = v; });
    }
    int lookup() const {
        return mapaudit::audit<mapaudit::op::lookup>(self, [&](auto&) { return value; });
    }
    bool erase() {
        return mapaudit::audit<mapaudit::op::erase>(self, [&](auto&) { return std::exchange(value, 0) != 0; });
    }
    mapaudit::map_handle self{"cell", "", {}};
};
template <int N> int once() {
    cell<N> c;
    c.assign(N);
    const int seen = c.lookup();
    return c.erase() == (N != 0) ? seen : -1;
}
template <int First, int... N> int many(std::integer_sequence<int, N...>) { return (once<First + N>() + ...); }
inline int whole_map() {
    mapaudit::mutex_map<int, int> map("m");
    map.assign(1, 1000);
    return map.lookup(1).value_or(0);
}
EOF
cat >library.cpp <<'EOF'
#include "common.hpp"
int library_sum() { return whole_map() + many<0>(std::make_integer_sequence<int, 50>{}); }
EOF
cat >main.cpp <<'EOF'
#include "common.hpp"
int library_sum();
int main() {
    const int sum = library_sum() + whole_map() + many<50>(std::make_integer_sequence<int, 50>{});
    return sum == 2 * 1000 + 4950 ? 0 : 1;  // 0 + 1 + … + 99
}
EOF

flags=(-std=c++20 -Wall -Wextra -I"$source/target/include" -pthread)
check() { # file: its sites, and that it still does what it should
    "$here/check_sites.sh" "$1"
    [[ $1 == *.so ]] || LD_LIBRARY_PATH=. "./$1" || { echo "$1: wrong result" >&2; exit 1; }
    echo "ok $1"
}
objects() { # prefix, flags: both files, each compiled once for all that is linked of them
    local prefix=$1
    shift
    "$cxx" "${flags[@]}" "$@" -c library.cpp -o "$prefix-library.o" &
    "$cxx" "${flags[@]}" "$@" -c main.cpp -o "$prefix-main.o"
    wait $!
}
link() { # name, prefix, flags
    local name=$1 prefix=$2
    shift 2
    "$cxx" -pthread "$@" "$prefix-library.o" "$prefix-main.o" -o "$name"
    check "$name"
}

objects O0 -O0
link unoptimised O0
objects O2 -O2 -fPIC -ffunction-sections -fdata-sections
link gc O2 -Wl,--gc-sections
cp gc stripped && strip stripped
check stripped
"$cxx" -pthread -shared O2-library.o -o liblibrary.so
"$cxx" -pthread O2-main.o -L. -llibrary -o with_library
check liblibrary.so
check with_library
if echo 'int main(){}' | "$cxx" -flto -x c++ - -o lto_probe 2>/dev/null; then
    objects lto -O2 -flto -fvisibility=hidden
    link lto lto -O2 -flto -Wl,--gc-sections
    link lto_no_pie lto -O2 -flto -no-pie
else
    echo "no link-time optimisation with $cxx here (its linker plugin is missing): left out"
fi
