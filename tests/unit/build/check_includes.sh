#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_includes.sh SOURCE_DIR: who may include whom (CONTRIBUTING.md). Prints each line that points the wrong way.
set -euo pipefail
cd "$1"
failed=0

# forbid WHERE PATTERN: no #include in WHERE may match
forbid() {
    local where=$1 pattern=$2
    [[ -d $where ]] || return 0
    if grep -rnE --include='*.[ch]pp' --include='*.h' --include='*.c' "^ *# *include *[<\"]($pattern)" "$where"; then
        echo "^ $where must not include $pattern" >&2
        failed=1
    fi
}

forbid target '.*(userspace|tests|bpf)/|(model|util|sources|collect|output|cli|symbols)/'
forbid bpf '.*(userspace|tests)/|mapaudit/[^p]|mapaudit/probes'
forbid userspace '.*tests/|mapaudit/(detail|[a-oq-z])|mapaudit/probes'
forbid userspace/util '(model|sources|collect|output|cli|symbols)/'
forbid userspace/model '(sources|collect|output|cli|symbols)/|bpf/(bpf|libbpf)'
forbid userspace/symbols '(sources|collect|output|cli)/'
forbid userspace/sources '(symbols|collect|output|cli)/'
forbid userspace/sources/attach 'sources/(blame|host|usdt|go)/'
forbid userspace/sources/blame 'sources/(host|usdt|go)/'
forbid userspace/sources/host 'sources/(usdt|go)/'
forbid userspace/sources/usdt 'sources/(host|go)/'
forbid userspace/sources/go 'sources/(host|usdt)/'
forbid userspace/sources/go/binary 'sources/(source|attach|blame)|util/process|model/|bpf/|.*\.skel\.h'
forbid bpf/usdt '(blame|go)/|wire_go'
forbid bpf/blame '(usdt|go)/|wire_go'
forbid bpf/go '(blame|usdt)/'
forbid userspace/output '(sources|symbols|collect|cli)/'
forbid userspace/collect '(output|cli)/'
exit $failed
