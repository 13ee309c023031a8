#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# go_samples.sh FOLDER: fetches a few stock Go programs, built by other versions of Go than the packaged one, and a
# server of Debian's, which the tests read, and put to work under the auditor. Where there is no npm, no apt or no network,
# the tests say that they go without.
set -euo pipefail
folder=$1

# npm package @ version : the program in it : what it is kept as : its sha256
samples=(
    @esbuild/linux-x64@0.25.10:bin/esbuild:go1.23:b26b7502819ba76774dfd0b61f8c7d1ab8ee99482fca7b5970df746ce6042974
    @esbuild/linux-x64@0.27.6:bin/esbuild:go1.25:8dff569de6fda5a2ccc664265e0832294958f3807618ee045c8cc6e13ce8cd7a
    lefthook-linux-x64@2.2.2:bin/lefthook:go1.27:7771d6243018b445bb83dd3c9b12dffd92a6067a3958f21d984bb389d8dbbc58
)

say() { echo "go samples: $*"; }

fetch() {
    local package=$1 program=$2 name=$3 sum=$4 work
    work=$(mktemp -d)
    trap 'rm -rf "$work"' RETURN
    (cd "$work" && timeout 120 npm pack --silent "$package" >/dev/null 2>&1 && tar xzf ./*.tgz) || return 1
    echo "$sum  $work/package/$program" | sha256sum --check --status || { say "$package is not what it was"; return 1; }
    mkdir -p "$folder"
    mv "$work/package/$program" "$folder/$name"
}

# A server with classic maps, taken out of its package: installed, it would run as a service.
fetch_server() {
    local work
    work=$(mktemp -d)
    trap 'rm -rf "$work"' RETURN
    (cd "$work" && timeout 120 apt-get download -qq nats-server >/dev/null 2>&1 && dpkg-deb -x ./*.deb .) || return 1
    mkdir -p "$folder"
    mv "$work/usr/sbin/nats-server" "$folder/go1.19"
}

if [[ ! -e $folder/go1.19 ]]; then
    if command -v apt-get >/dev/null && fetch_server; then
        say "fetched nats-server"
    else
        say "cannot fetch nats-server: done without"
    fi
fi
if ! command -v npm >/dev/null; then
    say "no npm here: other versions of Go are not tested"
    exit 0
fi
for sample in "${samples[@]}"; do
    IFS=: read -r package program name sum <<<"$sample"
    [[ -e $folder/$name ]] && continue
    fetch "$package" "$program" "$name" "$sum" && say "fetched $package" || say "cannot fetch $package: done without"
done
