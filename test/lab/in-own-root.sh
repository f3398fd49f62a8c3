#!/bin/sh
# in-own-root.sh ROOT SHARED PROGRAM ARGUMENT...: runs a program that sees ROOT laid over /, with a /run and writes of
# its own; only SHARED (the lab's folder) is the machine's. Everything goes when the program ends.
set -eu
root=$1 shared=$2
shift 2
if [ "${POSTERN_OWN_MOUNTS:-}" != yes ]; then
  POSTERN_OWN_MOUNTS=yes exec unshare --mount --propagation private "$0" "$root" "$shared" "$@"
fi
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/merged
# A second lower layer may not lie inside the first, so ROOT goes in as what has already been written.
cp -a "$root/." /mnt/upper/
mount -t overlay overlay -o "lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/merged
for directory in dev proc sys; do mount --rbind "/$directory" "/mnt/merged/$directory"; done
mount -t tmpfs tmpfs /mnt/merged/run
mkdir -p "/mnt/merged$shared"
mount --bind "$shared" "/mnt/merged$shared"
exec chroot /mnt/merged "$@"
