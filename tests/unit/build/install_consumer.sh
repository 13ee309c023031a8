#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install_consumer.sh BUILD_DIR WORK_DIR CXX: what is installed can be used with find_package(mapaudit_target) by a
# project that knows nothing else of this tree.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1 work=$2 cxx=$3
rm -rf "$work" && mkdir -p "$work/consumer"
cmake --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log" >&2; exit 1; }

cat >"$work/consumer/CMakeLists.txt" <<'EOF'
cmake_minimum_required(VERSION 3.22)
project(consumer CXX)
find_package(mapaudit_target REQUIRED)
add_executable(consumer consumer.cpp)
target_link_libraries(consumer PRIVATE mapaudit::target)
EOF
cat >"$work/consumer/consumer.cpp" <<'EOF'
#include <mapaudit/go_map.hpp>
int main() {
    mapaudit::go_map<int, int> map("sessions");
    map.assign(6, 7);
    return map.lookup(6) == 7 ? 0 : 1;
}
EOF
cmake -S "$work/consumer" -B "$work/consumer/build" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_PREFIX_PATH="$work/prefix" --log-level=WARNING
cmake --build "$work/consumer/build"
"$work/consumer/build/consumer"
"$here/check_sites.sh" "$work/consumer/build/consumer"
