#!/usr/bin/env bash
# npm run fuzz -- [--seconds N] [--round N] [--until HH:MM] [--processes N] [TARGET ...]
#   Gives each target N seconds of processor time (3600), in rounds of so many seconds of the clock (180), until that
#   time of the day (UTC) at the latest, N targets at once (2). Goes on from what earlier runs found; each round is
#   written to build/fuzz/record.jsonl.
# npm run fuzz -- --table   what all rounds came to, those that are kept and those of this tree
# npm run fuzz -- --keep    adds this tree's rounds to native/fuzz/record.jsonl and writes the table of docs/testing.md
# npm run fuzz -- --merge [TARGET ...]   the smallest files that reach what was found go into native/fuzz/corpus
set -uo pipefail
cd "$(dirname "$0")/.."

SECONDS_EACH=3600 ROUND=180 UNTIL='' PROCESSES=2
BINARIES=build/fuzz/native/fuzz FOUND=build/fuzz/found ARTIFACTS=build/fuzz/artifacts LOGS=build/fuzz/logs
# What is kept in git: files a target, octets a file.
KEPT_FILES=100 KEPT_BYTES=4096
merging='' targets=()

while [ $# -gt 0 ]; do
  case $1 in
    --seconds) SECONDS_EACH=$2; shift ;;
    --round) ROUND=$2; shift ;;
    --until) UNTIL=$2; shift ;;
    --processes) PROCESSES=$2; shift ;;
    --table | --keep) exec node scripts/fuzz-record.mjs "$1" ;;
    --merge) merging=yes ;;
    -*) printf 'fuzz: no option %s\n' "$1" >&2; exit 2 ;;
    *) [ -e "native/fuzz/$1.cc" ] || { printf 'fuzz: no target %s\n' "$1" >&2; exit 2; }; targets+=("$1") ;;
  esac
  shift
done
if [ ${#targets[@]} -eq 0 ]; then
  for source in native/fuzz/*.cc; do targets+=("$(basename "$source" .cc)"); done
fi

build() {
  mkdir -p "$LOGS"
  { cmake -S . -B build/fuzz -G Ninja -DPOSTERN_FUZZ=ON -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ &&
    cmake --build build/fuzz; } >"$LOGS/build.log" 2>&1 || { tail -n 60 "$LOGS/build.log" >&2; exit 1; }
}

number() { sed -n "s/.*$1: *\([0-9]*\).*/\1/p" "$2" | tail -n 1; }

# One round of one target. The time limit of libFuzzer is the clock's; what is counted is the processor's.
round() {
  local name=$1 log=$LOGS/$1.log status findings=0 clock cpu words=()
  mkdir -p "$FOUND/$name" "$ARTIFACTS/$name" "native/fuzz/corpus/$name"
  # Targets that read text as it is sent.
  case $name in content | differential | framer | mime) words=(-dict=native/fuzz/mail.dict) ;; esac
  local TIMEFORMAT="%R %U %S"
  { time "$BINARIES/fuzz_$name" -max_total_time="$ROUND" -timeout=60 -rss_limit_mb=1024 "${words[@]}" \
    -artifact_prefix="$ARTIFACTS/$name/" -print_final_stats=1 "$FOUND/$name" "native/fuzz/corpus/$name" \
    >"$log" 2>&1; } 2>"$log.time"
  status=$?
  [ "$status" -eq 0 ] || findings=1
  clock=$(awk 'END { print $1 }' "$log.time")
  cpu=$(awk 'END { print $2 + $3 }' "$log.time")
  printf '{"target":"%s","at":"%s","clock_s":%s,"cpu_s":%s,"executions":%s,"cov":%s,"features":%s,"corpus":%s,"findings":%s}\n' \
    "$name" "$(date -u +%FT%TZ)" "$clock" "$cpu" "$(number number_of_executed_units "$log" || true)" \
    "$(number cov "$log")" "$(number ft "$log")" "$(find "$FOUND/$name" -type f | wc -l)" "$findings" |
    sed 's/:\([,}]\)/:0\1/g' >>build/fuzz/record.jsonl
  printf 'fuzz %s: %s s of processor, %s runs%s\n' "$name" "$cpu" "$(number number_of_executed_units "$log")" \
    "$([ "$findings" -eq 0 ] || printf ', a FINDING, see %s and %s' "$log" "$ARTIFACTS/$name")"
  return "$findings"
}

# Every n-th target is one process's own, so no two write to one folder.
process() {
  local first=$1 index name spent result=0 left=yes
  local -A over=()
  while [ -n "$left" ]; do
    left=''
    for ((index = first; index < ${#targets[@]}; index += PROCESSES)); do
      name=${targets[index]}
      [ -z "${over[$name]:-}" ] || continue
      [ -z "$UNTIL" ] || [ "$(date -u -d "+$ROUND seconds" +%s)" -lt "$(date -u -d "$UNTIL" +%s)" ] || return "$result"
      round "$name" || { over[$name]=found; result=1; continue; }
      spent=$(tail -n +"$((before + 1))" build/fuzz/record.jsonl | grep "\"$name\"" |
        awk -F '"cpu_s":' '{ sum += $2 } END { print int(sum) }')
      if [ "$spent" -ge "$SECONDS_EACH" ]; then over[$name]=done; else left=yes; fi
    done
  done
  return "$result"
}

# libFuzzer says which input reaches what; those that reach most are kept.
merge() {
  local name=$1 kept=native/fuzz/corpus/$1 chosen=build/fuzz/merged/$1 control=build/fuzz/merged/$1.control
  rm -rf "$chosen" "$control"
  mkdir -p "$chosen" "$FOUND/$name" "$kept"
  "$BINARIES/fuzz_$name" -set_cover_merge=1 -merge_control_file="$control" -rss_limit_mb=1024 "$chosen" "$kept" \
    "$FOUND/$name" >"$LOGS/$name-merge.log" 2>&1 || { tail -n 20 "$LOGS/$name-merge.log" >&2; return 1; }
  node scripts/fuzz-record.mjs --choose "$control" "$kept" "$KEPT_FILES" "$KEPT_BYTES"
}

build
result=0
if [ -n "$merging" ]; then
  for name in "${targets[@]}"; do merge "$name" || result=1; done
  exit "$result"
fi
touch build/fuzz/record.jsonl
before=$(wc -l <build/fuzz/record.jsonl)
pids=()
for ((index = 0; index < PROCESSES; index++)); do process "$index" & pids+=($!); done
for pid in "${pids[@]}"; do wait "$pid" || result=1; done
exit "$result"
