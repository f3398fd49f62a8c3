#!/usr/bin/env bash
# Every test there is: set-up, static checks, native tests under the sanitizers, fuzzers, TypeScript, lab.
# A stage that fails does not stop the later ones; the last line sums up, and the exit code is 1 if anything failed.
#   STAGES="unit lab" runs only those; FUZZ_SECONDS overrides the time a fuzzer gets.
set -uo pipefail
cd "$(dirname "$0")/.."

STAGES=${STAGES:-check native fuzz unit lab}
if [ -n "${CI:-}" ]; then FUZZ_SECONDS=${FUZZ_SECONDS:-60}; else FUZZ_SECONDS=${FUZZ_SECONDS:-10}; fi
RESULTS=build/test
passed=0 failed=0 skipped=0
failed_stages=()

heading() { printf '\n== %s\n' "$*"; }

add_counts() {
  passed=$((passed + $1))
  failed=$((failed + $2))
  skipped=$((skipped + $3))
}

# A stage without a count of its own is one test.
whole_stage() {
  if "$@"; then add_counts 1 0 0; else add_counts 0 1 0; return 1; fi
}

stage_check() { whole_stage npm run --silent check; }

stage_native() {
  local log=$RESULTS/native.log counts
  { cmake -S . -B build/core -G Ninja -DPOSTERN_SANITIZE=ON && cmake --build build/core; } >"$log" 2>&1 ||
    { tail -n 60 "$log"; add_counts 0 1 0; return 1; }
  ctest --test-dir build/core -V 2>&1 | tee "$log" | grep -vE '^(UpdateCTest|Parse|Done|Constructing|Add)'
  local status=${PIPESTATUS[0]}
  counts=$(sed -n 's/.*\[doctest\] test cases: *\([0-9]*\) *| *\([0-9]*\) passed *| *\([0-9]*\) failed *| *\([0-9]*\) skipped.*/\2 \3 \4/p' "$log" | tail -n 1)
  # A sanitizer's finding ends the program before doctest sums up.
  read -r p f s <<<"${counts:-0 1 0}"
  [ "$status" -ne 0 ] && [ "$f" -eq 0 ] && f=1
  add_counts "$p" "$f" "$s"
  [ "$f" -eq 0 ]
}

run_fuzzer() {
  local name=$1 found=build/fuzz/found/$1 artifacts=build/fuzz/artifacts/$1 words=()
  mkdir -p "$found" "$artifacts" "native/fuzz/corpus/$name"
  # Targets that read text as it is sent.
  case $name in content | differential | framer | mime) words=(-dict=native/fuzz/mail.dict) ;; esac
  # The first directory takes new inputs; the corpus in the repository is only read.
  build/fuzz/native/fuzz/fuzz_"$name" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 \
    "${words[@]}" -artifact_prefix="$artifacts/" -print_final_stats=1 "$found" "native/fuzz/corpus/$name" \
    >"$RESULTS/fuzz-$name.log" 2>&1
}

report_fuzzer() {
  local name=$1 status=$2 log=$RESULTS/fuzz-$1.log
  if [ "$status" -eq 0 ]; then
    printf 'fuzz %s: %s runs, no finding\n' "$name" "$(sed -n 's/.*number_of_executed_units: //p' "$log")"
    add_counts 1 0 0
  else
    printf 'fuzz %s: FAILED\n' "$name"
    tail -n 40 "$log"
    add_counts 0 1 0
  fi
  return "$status"
}

stage_fuzz() {
  local targets=() source log=$RESULTS/fuzz-build.log result=0
  for source in native/fuzz/*.cc; do [ -e "$source" ] && targets+=("$(basename "$source" .cc)"); done
  [ ${#targets[@]} -gt 0 ] || { echo 'no fuzz target'; return 0; }
  { cmake -S . -B build/fuzz -G Ninja -DPOSTERN_FUZZ=ON -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ &&
    cmake --build build/fuzz; } >"$log" 2>&1 || { tail -n 60 "$log"; add_counts 0 1 0; return 1; }
  # Two at a time: more would starve each other on a small machine.
  local index first second first_pid second_pid
  for ((index = 0; index < ${#targets[@]}; index += 2)); do
    first=${targets[index]} second=${targets[index + 1]:-}
    run_fuzzer "$first" & first_pid=$!
    [ -n "$second" ] && { run_fuzzer "$second" & second_pid=$!; }
    wait "$first_pid"; report_fuzzer "$first" $? || result=1
    [ -n "$second" ] && { wait "$second_pid"; report_fuzzer "$second" $? || result=1; }
  done
  return "$result"
}

# A file that fails to load has no failed test in it, yet it failed.
run_vitest() {
  local project=$1 json=$RESULTS/$1.json status p f s
  rm -f "$json"
  npx vitest run --project "$project" --reporter=default --reporter=json --outputFile.json="$json"
  status=$?
  read -r p f s <<<"$(node -e '
    const r = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
    const unloaded = r.testResults.filter((t) => t.status === "failed" && t.assertionResults.length === 0).length;
    console.log(r.numPassedTests, r.numFailedTests + unloaded, r.numPendingTests + r.numTodoTests);
  ' "$json" 2>/dev/null || echo 0 1 0)"
  [ "$status" -ne 0 ] && [ "$f" -eq 0 ] && f=1
  add_counts "$p" "$f" "$s"
  [ "$f" -eq 0 ]
}

stage_unit() { run_vitest unit; }
stage_lab() { run_vitest lab; }

mkdir -p "$RESULTS"
heading setup
if ! bash scripts/setup.sh; then
  printf '\nfailed: setup\n0 passed, 1 failed, 0 skipped\n'
  exit 1
fi
for stage in $STAGES; do
  heading "$stage"
  started=$SECONDS
  "stage_$stage" || failed_stages+=("$stage")
  printf -- '-- %s: %s s\n' "$stage" $((SECONDS - started))
done
echo
[ ${#failed_stages[@]} -eq 0 ] || printf 'failed: %s\n' "${failed_stages[*]}"
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ ${#failed_stages[@]} -eq 0 ]
