#!/usr/bin/env bash
# npm run bench: plain forwarding, a do-nothing queue program and Postern side by side. See bench/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh
npx tsc -p bench/tsconfig.json
exec node --enable-source-maps build/lab/js/bench/bench.js
