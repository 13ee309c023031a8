#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything labelled `kernel` depends on this one test, so that a missing right is said once, in one line.
set -euo pipefail
if [[ $(id -u) -ne 0 ]]; then
    echo "kernel tests load eBPF programs and need root (uid is $(id -u)): sudo make test, or ctest -L unit for the rest" >&2
    exit 1
fi
if [[ ! -r /sys/kernel/btf/vmlinux ]]; then
    echo "warning: this kernel has no BTF (/sys/kernel/btf/vmlinux): only programs without CO-RE can be tested" >&2
fi
