#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# deps.sh [GROUP…]: installs what the machine lacks of the named groups: build (the default), test, bench (what
# `make bench` measures with), peers (the tracers) and maps (the hash maps) that the benchmarks compare with. With
# apt-get it installs; elsewhere it looks for each thing and names those that are missing.
set -euo pipefail

# Debian package : what it is looked for by where there is no apt (a command, or a header after "<")
build=(
    cmake:cmake g++:g++ make:make clang:clang llvm:llvm-strip bpftool:bpftool pkg-config:pkg-config
    "libbpf-dev:<bpf/libbpf.h" "libelf-dev:<gelf.h" "libdw-dev:<elfutils/libdwfl.h" "zlib1g-dev:<zlib.h"
    "libcli11-dev:<CLI/CLI.hpp" "libasio-dev:<asio/version.hpp" "libspdlog-dev:<spdlog/spdlog.h"
    "libfmt-dev:<fmt/format.h" "nlohmann-json3-dev:<nlohmann/json.hpp" "libncurses-dev:<curses.h"
    "liburcu-dev:<urcu/urcu-bp.h" "libzydis-dev:<Zydis/Zydis.h"
)
test=(
    "libgtest-dev:<gtest/gtest.h" "libgmock-dev:<gmock/gmock.h" golang-go:go libmemcached-tools:memccapable
    g++-aarch64-linux-gnu:aarch64-linux-gnu-g++ valgrind:valgrind clang-format:clang-format ccache:ccache
    bpftrace:bpftrace
)
bench=(bpftrace:bpftrace)
peers=(
    libbpf-tools:funclatency linux-perf:perf uftrace:uftrace lttng-tools:lttng babeltrace2:babeltrace2
    "liblttng-ust-dev:<lttng/tracepoint.h"
)
maps=(
    "libbenchmark-dev:<benchmark/benchmark.h" "libabsl-dev:<absl/container/flat_hash_map.h"
    "libtbb-dev:<tbb/concurrent_hash_map.h" "libcds-dev:<cds/init.h"
)

say() { echo "deps: $*"; }
fail() { echo "deps: $*" >&2; exit 1; }

groups=("$@")
[[ $# -gt 0 ]] || groups=(build)
needed=()
optional=no # whether a package that the archive does not have is done without
for group in "${groups[@]}"; do
    case $group in
        build | test | bench) ;;
        peers | maps) optional=yes ;;
        *) fail "no group \"$group\" (build, test, bench, peers, maps)" ;;
    esac
    declare -n packages=$group
    needed+=("${packages[@]}")
done

missing_packages() {
    local installed
    installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' 2>/dev/null | sed -n 's/ installed$//p')
    for entry in "${needed[@]}"; do
        grep -qxF -- "${entry%%:*}" <<<"$installed" || echo "${entry%%:*}"
    done
}

missing_things() {
    for entry in "${needed[@]}"; do
        local thing=${entry#*:}
        if [[ $thing == "<"* ]]; then
            echo "#include $thing>" | "${CXX:-g++}" -std=c++20 -E -x c++ - >/dev/null 2>&1 || echo "${thing#<}"
        else
            PATH=$PATH:/usr/sbin:/sbin command -v "$thing" >/dev/null || echo "$thing"
        fi
    done
}

if ! command -v apt-get >/dev/null; then
    mapfile -t missing < <(missing_things)
    [[ ${#missing[@]} -eq 0 ]] && exit 0
    say "no apt-get here. Needed for ${groups[*]}, by Debian's names: ${needed[*]%%:*}"
    fail "missing: ${missing[*]} (install these with this system's package manager, then run make again)"
fi

mapfile -t missing < <(missing_packages)
[[ ${#missing[@]} -eq 0 ]] && exit 0
[[ $(id -u) -eq 0 ]] || fail "missing packages: ${missing[*]} (as root: $0 ${groups[*]}, or: apt-get install ${missing[*]})"

export DEBIAN_FRONTEND=noninteractive
say "installing ${missing[*]}"
say "apt-get update"
apt-get update -qq || fail "apt-get update failed (network, /etc/apt/sources.list); still missing: ${missing[*]}"
unknown=()
for package in "${missing[@]}"; do
    [[ -n $(apt-cache madison "$package" 2>/dev/null) ]] || unknown+=("$package")
done
if [[ ${#unknown[@]} -gt 0 ]]; then
    [[ $optional == yes ]] || fail "this distribution's archive has no package ${unknown[*]} (Debian 12 has)"
    say "this distribution's archive has no package ${unknown[*]} (Debian 12 has): done without"
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | grep -vxF -f <(printf '%s\n' "${unknown[@]}"))
    [[ ${#missing[@]} -eq 0 ]] && exit 0
fi
say "apt-get install (a few minutes on a fresh machine)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    mapfile -t missing < <(missing_packages)
    fail "apt-get install failed; still missing: ${missing[*]}"
fi
say "installed ${#missing[@]} packages"
