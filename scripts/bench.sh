#!/usr/bin/env bash
# npm run bench [-- bench|flood|memory ...]: what Postern costs, what a flood does, what memory sessions take. Without a
# word all three. BENCH_STRICT=1 makes a missed bar an error. See bench/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh
npx tsc -p bench/tsconfig.json
[ $# -gt 0 ] || set -- bench flood memory
result=0
for name in "$@"; do
  node --enable-source-maps "build/lab/js/bench/$name.js" || result=1
done
exit "$result"
