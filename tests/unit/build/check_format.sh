#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_format.sh SOURCE_DIR CLANG_FORMAT: the C and C++ of the tree is laid out as .clang-format says. Each version of
# the tool lays out a little differently, so another than the tree's own decides nothing: exit 77, which ctest counts as skipped.
set -euo pipefail
cd "$1"
tool=$2 version=14
command -v "$tool" >/dev/null || { echo "no clang-format (Debian 12: apt-get install clang-format)" >&2; exit 1; }
found=$("$tool" --version)
if [[ $found != *"version $version."* ]]; then
    echo "the tree is laid out by clang-format $version, here is $found"
    exit 77
fi
mapfile -d '' files < <(find bpf target tests userspace -regex '.*\.[ch]\(pp\)?' -print0)
[[ ${#files[@]} -gt 0 ]] || { echo "no sources in $PWD" >&2; exit 1; }
if ! "$tool" --dry-run -Werror --style=file "${files[@]}"; then
    echo "lay these out with $tool -i" >&2
    exit 1
fi
echo "${#files[@]} files"
