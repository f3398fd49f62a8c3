#!/usr/bin/env bash
# Brings a Debian 12 or 13 machine that has nothing but Node to where Postern can be built, tested and shown.
# Idempotent: with nothing missing it takes seconds. It starts no service and leaves the machine's firewall alone.
set -euo pipefail
cd "$(dirname "$0")/.."

# What compiles the addon, what tests native code, and what the lab drives.
BUILD_PACKAGES=(g++ cmake ninja-build pkg-config libnetfilter-queue-dev libmnl-dev libpcap-dev)
# The pattern engine, the first of these that can be had; they offer the same library and exclude each other.
# Vectorscan 5.4.9 (Debian 12) overlooks matches on processors with AVX-512; ARM has no other.
PATTERN_ENGINES=(libhyperscan-dev libvectorscan-dev)
TEST_PACKAGES=(doctest-dev clang clang-format)
LAB_PACKAGES=(iproute2 iptables ethtool tcpdump conntrack procps curl openssl postfix dovecot-imapd dovecot-pop3d
  swaks libio-socket-inet6-perl libnet-ssleay-perl libio-socket-ssl-perl libauthen-sasl-perl fetchmail isync msmtp)

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing_packages() {
  local package
  for package in "$@"; do is_installed "$package" || printf '%s\n' "$package"; done
}

# The sanitizer and fuzzer run-times stand in a package that carries clang's version in its name.
clang_runtime_package() {
  local version
  version=$(clang --version 2>/dev/null | sed -n '1s/.*version \([0-9]*\).*/\1/p')
  [ -n "$version" ] && printf 'libclang-rt-%s-dev\n' "$version"
}

require_node() {
  command -v node >/dev/null || die 'node is missing; Postern needs 20.19 or newer'
  node -e 'const [a, b] = process.versions.node.split(".").map(Number);
           process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    die "node $(node -v) is too old; Postern needs 20.19 or newer"
}

# A policy-rc.d that says "forbidden" keeps packages from starting their services while they are installed.
forbid_services() {
  [ -e /usr/sbin/policy-rc.d ] && return
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
}

install_packages() {
  [ "$(id -u)" = 0 ] || die "as root, install: $*"
  say "installing $*"
  forbid_services
  printf 'postfix postfix/main_mailer_type select No configuration\n' | debconf-set-selections
  [ -n "${package_lists_fresh:-}" ] || apt-get update -qq
  package_lists_fresh=yes
  # --no-remove: another mail server on this machine is never pushed out by ours.
  apt-get install -y -qq --no-install-recommends --no-remove "$@" >build/apt.log 2>&1 ||
    { tail -n 20 build/apt.log >&2; die 'apt-get failed; the whole story is in build/apt.log'; }
}

pattern_engine() {
  local package
  pkg-config --exists libhs && return
  # In a shell of its own, so that the second is tried where the first cannot be installed.
  for package in "${PATTERN_ENGINES[@]}"; do (install_packages "$package") && return; done
  die "patterns need one of: ${PATTERN_ENGINES[*]}"
}

system_packages() {
  export DEBIAN_FRONTEND=noninteractive
  local missing
  mapfile -t missing < <(missing_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}" "${LAB_PACKAGES[@]}")
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
  pattern_engine
  mapfile -t missing < <(missing_packages "$(clang_runtime_package)")
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
  scripts/own-root.sh exim exim4-daemon-light
  scripts/own-root.sh courier courier-imap courier-pop
}

# A checkout touches package-lock.json without changing it, so an older stamp alone is no reason to install again.
node_modules() {
  local stamp=node_modules/.package-lock.json
  if [ -e "$stamp" ] && { [ ! package-lock.json -nt "$stamp" ] || npm ls --all >/dev/null 2>&1; }; then return; fi
  say 'installing node modules'
  npm ci --no-audit --no-fund --loglevel=error
}

# True when anything below the named paths is newer than the stamp.
is_stale() {
  local stamp=$1
  shift
  [ ! -e "$stamp" ] || [ -n "$(find "$@" -newer "$stamp" -print -quit 2>/dev/null)" ]
}

native_build() {
  local addon=build/native/Release/postern.node
  if [ -e "$addon" ] && ! is_stale build/.native-built CMakeLists.txt native/CMakeLists.txt native/{core,io,engine,addon}; then
    return
  fi
  say 'building the native addon'
  touch build/.native-started
  npm run --silent build:native >build/native.log 2>&1 ||
    { tail -n 40 build/native.log >&2; die 'the native build failed; the whole story is in build/native.log'; }
  mv build/.native-started build/.native-built
}

typescript_build() {
  is_stale build/.typescript-built src tsconfig.json tsconfig.build.json package.json || [ ! -d dist ] || return 0
  say 'compiling TypeScript'
  # Beside and moved in its place, so that a running program never meets half a build.
  touch build/.typescript-started
  rm -rf build/dist
  npm run --silent build:ts -- --outDir build/dist
  rm -rf dist
  mv build/dist dist
  mv build/.typescript-started build/.typescript-built
}

# The bench's C programs: a queue program that accepts everything (the yardstick), and a round-trip clock.
bench_build() {
  local source program flags
  mkdir -p build/bench
  read -ra flags <<<"$(pkg-config --cflags --libs libnetfilter_queue libmnl)"
  for source in bench/*.c; do
    program=build/bench/$(basename "$source" .c)
    is_stale "$program" "$source" bench/probe.h || continue
    say "compiling $source"
    cc -std=gnu17 -O2 -Wall -Wextra -o "$program" "$source" "${flags[@]}"
  done
  read -ra flags <<<"$(pkg-config --cflags --libs libhs)"
  content_bench_build "${flags[@]}"
  program=build/bench/pattern-scan
  is_stale "$program" bench/{pattern-scan.cc,bare_engine.h} native/core/pattern_set* native/core/limits.h || return 0
  say 'compiling bench/pattern-scan.cc'
  c++ -std=c++20 -O2 -Wall -Wextra -Inative -o "$program" bench/pattern-scan.cc native/core/pattern_set*.cc "${flags[@]}"
}

# Of the engine only what scans messages: the rest would want its libraries.
content_bench_build() {
  local program=build/bench/content-scan
  local sources=(bench/content-scan.cc
    native/core/{dot_unstuffing,encoded_words,line_search,mime_*,pattern_set*,transfer_decoding}.cc
    native/engine/content_{bodies,facts,memory,scan,sink}.cc)
  is_stale "$program" "${sources[@]}" bench/bare_engine.h native/core/*.h native/engine/content_*.h || return 0
  say 'compiling bench/content-scan.cc'
  c++ -std=c++20 -O2 -Wall -Wextra -Inative -o "$program" "${sources[@]}" "$@"
}

main() {
  require_node
  mkdir -p build
  # Two set-ups at once (a demo beside the tests) take turns.
  exec 9>build/.setup-lock
  flock 9
  system_packages
  node_modules
  native_build
  typescript_build
  bench_build
}
main
