#!/usr/bin/env bash
# npm run demo [-- --keep]: sets up what is missing, then plays real mail dialogues through Postern and tells the story.
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh
npx tsc -p bench/tsconfig.json
exec node --enable-source-maps build/lab/js/test/lab/demo.js "$@"
