#!/usr/bin/env bash
# npm run mutants [-- NAME ...|--typescript|--native]: takes the guards of test/mutants out, one at a time, and reports
# those that no test misses (docs/testing.md).
set -euo pipefail
cd "$(dirname "$0")/.."

npx tsc -p test/mutants/tsconfig.json
exec node --enable-source-maps build/mutants/js/test/mutants/run.js "$@"
