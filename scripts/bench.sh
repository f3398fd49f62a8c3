#!/usr/bin/env bash
# npm run bench [-- bench|flood|content|memory ...]: what Postern costs, what a flood does, what the scan of messages
# costs, what memory sessions take. Without a word all four. BENCH_STRICT=1 makes a missed bar an error. See bench/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh
npx tsc -p bench/tsconfig.json
[ $# -gt 0 ] || set -- bench flood content memory
result=0
for name in "$@"; do
  # What counts time in a flood must not wait for it; what it starts begins without that rank.
  rank=()
  [ "$name" = flood ] && rank=(chrt --rr --reset-on-fork 45)
  "${rank[@]}" node --enable-source-maps "build/lab/js/bench/$name.js" || result=1
done
exit "$result"
