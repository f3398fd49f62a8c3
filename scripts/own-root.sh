#!/usr/bin/env bash
# own-root.sh NAME PACKAGE...: unpacks Debian packages and what they miss on this machine into build/lab/roots/NAME.
# Mail servers conflict as packages; unpacked, they can be laid over / in a mount namespace of their own, and none of
# their scripts runs. Idempotent.
set -euo pipefail
cd "$(dirname "$0")/.."

name=$1
shift
root=build/lab/roots/$name
debs=build/lab/debs/$name
[ -e "$root/.complete" ] && exit 0

rm -rf "$root" "$debs"
mkdir -p "$root" "$debs/partial"

download() {
  apt-get install -y -qq --download-only --no-install-recommends -o "Dir::Cache::archives=$PWD/$debs" "$@"
}

# Package lists may be missing or stale.
download "$@" >build/apt.log 2>&1 || { apt-get update -qq && download "$@" >build/apt.log 2>&1; }
for deb in "$debs"/*.deb; do dpkg -x "$deb" "$root"; done

# Laid over a machine with merged directories, a real /lib would hide the link to /usr/lib.
for directory in bin sbin lib lib64; do
  [ -d "$root/$directory" ] && [ -L "/$directory" ] || continue
  mkdir -p "$root/usr/$directory"
  cp -a "$root/$directory/." "$root/usr/$directory/"
  rm -rf "${root:?}/$directory"
done

# The packages' scripts would have made these users.
mkdir -p "$root/etc"
cp /etc/passwd /etc/group "$root/etc/"
add_user() {
  grep -q "^$1:" "$root/etc/passwd" || printf '%s:x:%s:%s::/nonexistent:/usr/sbin/nologin\n' "$1" "$2" "$2" >>"$root/etc/passwd"
  grep -q "^$1:" "$root/etc/group" || printf '%s:x:%s:\n' "$1" "$2" >>"$root/etc/group"
}
add_user Debian-exim 64901
add_user courier 64902
touch "$root/.complete"
