#!/usr/bin/env bash
# Compares cutshort's speed with bare loops and with other tools, and checks its totals.
# What is measured, and what the numbers mean: bench/README.md.
set -euo pipefail

usage() {
    cat <<'END'
usage: bench/compare.sh [--origin] [--connections N] [--seed N] [--seconds N] [--runs N] [--tools LIST]

  --origin         a workload of both directions, and 'classify --origin'
  --connections N  connections in the workload (1560000)
  --seed N         the workload's seed (20240905)
  --seconds N      seconds that the workload spans (900)
  --runs N         rounds; every number is the median over them (3)
  --tools LIST     separated by commas (cutshort,header,hash,nfpcapd,argus,tshark,suricata)

environment:
  BENCH_CACHE       where workloads and builds are kept (${TMPDIR:-/tmp}/cutshort-bench)
  BENCH_CORE        the core that everything is pinned to (0)
  CARGO_TARGET_DIR  where cutshort is built (target)

Exit code: 0 good; 1 cutshort failed, is slower than the limit, or its totals are wrong; 2 cannot run.
END
}

# cutshort may need this many times the CPU time of `bare hash`; with --origin, ORIGIN_LIMIT.
LIMIT=1.5
ORIGIN_LIMIT=1.6
# These tools are slow, and keep much in memory. They get a workload of at most so many
# connections at the same rate: about a million packets of the same mix.
SLOW_TOOLS=" argus tshark suricata "
SLICE_CONNECTIONS=104000

die() {
    echo "compare.sh: $*" >&2
    exit 2
}

# Progress goes to stderr: stdout has nothing but the result.
say() {
    echo "# $*" >&2
}

have() {
    command -v "$1" >/dev/null
}

# --- Arguments ----------------------------------------------------------------------------------------

ORIGIN='' CONNECTIONS=1560000 SEED=20240905 SECONDS_SPANNED=900 RUNS=3
TOOLS=cutshort,header,hash,nfpcapd,argus,tshark,suricata

number() {
    [[ $2 =~ ^[1-9][0-9]*$ ]] || die "$1 needs a whole number above 0, not '$2'"
    echo "$2"
}

arguments() {
    while (($# > 0)); do
        case $1 in
            -h | --help) usage && exit 0 ;;
            --origin) ORIGIN=both LIMIT=$ORIGIN_LIMIT && shift && continue ;;
        esac
        (($# > 1)) || die "$1 is unknown or needs a value (see --help)"
        case $1 in
            --connections) CONNECTIONS=$(number "$1" "$2") ;;
            --seed) SEED=$(number "$1" "$2") ;;
            --seconds) SECONDS_SPANNED=$(number "$1" "$2") ;;
            --runs) RUNS=$(number "$1" "$2") ;;
            --tools) TOOLS=$2 ;;
            *) die "unknown option $1 (see --help)" ;;
        esac
        shift 2
    done
    IFS=, read -ra TOOLS <<<"$TOOLS"
    for tool in "${TOOLS[@]}"; do program_of "$tool" >/dev/null; done
}

program_of() {
    case $1 in
        cutshort) echo "$TARGET/dist/cutshort" ;;
        header | hash) echo "$CACHE/bare/release/bare" ;;
        nfpcapd | argus | tshark | suricata) echo "$1" ;;
        *) die "unknown tool '$1' (see --help)" ;;
    esac
}

selected() {
    [[ " ${TOOLS[*]} " == *" $1 "* ]]
}

# --- Builds and workload ------------------------------------------------------------------------------

require() {
    for program in cargo python3 taskset; do
        have "$program" || die "$program is not installed"
    done
    # The shell's own `time` has no peak memory.
    [[ -x /usr/bin/time ]] || die "/usr/bin/time (GNU time) is not installed"
}

# cutshort may fail to build: the table then says so, and the peers are measured all the same.
build() {
    say "building"
    cargo build --quiet --release --manifest-path "$ROOT/bench/bare/Cargo.toml" --target-dir "$CACHE/bare"
    if selected cutshort && ! cargo build --quiet --profile dist -p cutshort >&2; then
        STATUS[cutshort]="build failed"
    fi
}

# Makes NAME.pcap, NAME.totals and NAME.truth unless they are there. A name holds all that its content
# depends on; the capture gets its name last, so an interrupted run leaves no half workload behind.
workload() { # NAME CONNECTIONS SECONDS
    [[ ! -e $1.pcap ]] || return 0
    say "making the workload: $2 connections in $3 s"
    "$CACHE/bare/release/workload" "$1.part" "$2" "$SEED" "$3" "$1.truth" $ORIGIN >"$1.totals"
    # check_truth.py also needs the time of the last record, which the bare loop reports.
    "$CACHE/bare/release/bare" header "$1.part" | grep '^last_us' >>"$1.totals"
    mv "$1.part" "$1.pcap"
}

workloads() {
    local version share slice_seconds
    version=$(cksum <"$ROOT/bench/bare/src/bin/workload.rs" | cut -d' ' -f1)
    FULL=$CACHE/$version$ORIGIN-$SEED-$CONNECTIONS-$SECONDS_SPANNED
    workload "$FULL" "$CONNECTIONS" "$SECONDS_SPANNED"
    share=$((CONNECTIONS < SLICE_CONNECTIONS ? CONNECTIONS : SLICE_CONNECTIONS))
    slice_seconds=$(awk "BEGIN { print $SECONDS_SPANNED * $share / $CONNECTIONS }")
    SLICE=$CACHE/$version$ORIGIN-$SEED-$share-$slice_seconds
    workload "$SLICE" "$share" "$slice_seconds"
}

workload_of() {
    [[ $SLOW_TOOLS == *" $1 "* ]] && echo "$SLICE" || echo "$FULL"
}

value() { # FILE NAME
    awk -F'\t' -v name="$2" '$1 == name { print $2 }' "$1"
}

# --- Measuring ----------------------------------------------------------------------------------------

# Sets COMMAND. Each tool does its usual job per connection, and writes what it usually writes.
command_for() { # TOOL FILE
    local scratch=$CACHE/scratch
    rm -rf "$scratch" && mkdir -p "$scratch"
    COMMAND=("$(program_of "$1")")
    case $1 in
        cutshort) COMMAND+=(classify ${ORIGIN:+--origin} --format json "$2") ;;
        header | hash) COMMAND+=("$1" "$2") ;;
        nfpcapd) COMMAND+=(-r "$2" -w "$scratch") ;;
        argus) COMMAND+=(-X -r "$2" -w -) ;;                     # -X: not the system's settings
        tshark) COMMAND+=(-n -q -r "$2" -z conv,tcp) ;;          # -n: no look-ups of names
        suricata) COMMAND+=(-r "$2" -l "$scratch" -k none -S /dev/null --runmode single) ;; # no rules
    esac
}

# Where a tool's standard output goes: kept if it is checked later.
output_of() {
    case $1 in
        cutshort | header | hash) echo "$CACHE/$1.out" ;;
        *) echo /dev/null ;;
    esac
}

# One run. Adds "CPU seconds, wall seconds, peak KiB" to the tool's samples.
measure() {
    local tool=$1 code=0 output
    output=$(output_of "$tool")
    command_for "$tool" "$(workload_of "$tool").pcap"
    taskset -c "$CORE" /usr/bin/time -q -f '%U %S %e %M' -o "$CACHE/time" "${COMMAND[@]}" \
        >"$output" 2>"$CACHE/$tool.err" || code=$?
    if ((code != 0)); then
        STATUS[$tool]="failed (exit $code)"
        say "$tool failed: $(tail -n 1 "$CACHE/$tool.err")"
    elif [[ $output != /dev/null && ! -s $output ]]; then
        STATUS[$tool]="failed (no output)"
    else
        awk '{ print $1 + $2, $3, $4 }' "$CACHE/time" >>"$CACHE/$tool.samples"
    fi
}

find_tools() {
    rm -f "$CACHE"/*.samples
    for tool in "${TOOLS[@]}"; do
        if [[ -z ${STATUS[$tool]:-} ]] && ! have "$(program_of "$tool")"; then
            STATUS[$tool]="not installed"
        fi
    done
}

# In turn, not tool by tool: what else the machine does then hits all of them alike.
measure_all() {
    local round
    for ((round = 1; round <= RUNS; round++)); do
        cat "$FULL.pcap" "$SLICE.pcap" >/dev/null # into the page cache
        for tool in "${TOOLS[@]}"; do
            [[ -z ${STATUS[$tool]:-} ]] || continue
            say "round $round of $RUNS: $tool"
            measure "$tool"
        done
    done
}

median() { # TOOL COLUMN
    awk -v column="$2" '{ print $column }' "$CACHE/$1.samples" | sort -n |
        awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

# CPU nanoseconds per packet: comparable between the whole workload and the slice. Empty if unmeasured.
cost() {
    [[ -z ${STATUS[$1]:-} && -s $CACHE/$1.samples ]] || return 0
    awk "BEGIN { print $(median "$1" 1) * 1e9 / $(value "$(workload_of "$1").totals" packets) }"
}

# --- The table ----------------------------------------------------------------------------------------

# In parentheses: `head` would close the pipe on a tool that still writes.
first_line() {
    ("$@" 2>&1 || true) | sed -n '/^Running as user/d; s/^ *//; p' | sed -n 1p
}

version_of() {
    case $1 in
        header | hash) ;; # as rustc
        cutshort) first_line "$(program_of cutshort)" --version ;;
        tshark) first_line tshark --version | sed 's/ (Git.*//' ;;
        argus) first_line argus -h ;;
        *) first_line "$1" -V ;;
    esac
}

environment() {
    local versions tool version
    versions=$(rustc --version)
    for tool in "${TOOLS[@]}"; do
        [[ -z ${STATUS[$tool]:-} ]] || continue
        version=$(version_of "$tool")
        versions+=${version:+; $version}
    done
    echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sed -n 1p), $(nproc) cores, everything on core $CORE;" \
        "$(date -u +%F); median of $RUNS; $versions"
}

row() {
    local tool=$1 name=$1 packets cost
    case $tool in header | hash) name="bare $tool" ;; esac
    if [[ -n ${STATUS[$tool]:-} ]]; then
        echo "| $name | ${STATUS[$tool]} | | | | | |"
        return
    fi
    packets=$(value "$(workload_of "$tool").totals" packets)
    cost=$(cost "$tool")
    awk -v name="$name" -v packets="$packets" -v cpu="$(median "$tool" 1)" -v wall="$(median "$tool" 2)" \
        -v kib="$(median "$tool" 3)" -v cost="$cost" -v unit="$UNIT" 'BEGIN {
            speed = cost > 0 ? sprintf("%.2f", 1000 / cost) : "-"
            ratio = unit > 0 ? sprintf("%.2f", cost / unit) : "-"
            printf "| %s | %d | %.2f | %.2f | %s | %s | %.0f |\n", name, packets, cpu, wall, speed, ratio, kib / 1024
        }'
}

table() {
    environment
    echo
    echo "| tool | packets | CPU s | wall s | M packets/s (by CPU) | CPU per packet, bare hash = 1 | peak MiB |"
    echo "|---|--:|--:|--:|--:|--:|--:|"
    for tool in "${TOOLS[@]}"; do row "$tool"; done
    echo
}

# --- The verdict --------------------------------------------------------------------------------------

# The yardstick must itself have seen everything.
check_bare() {
    selected hash || return 0
    # Of a connection whose server answers, the table has both directions.
    local names=(packets)
    [[ -n $ORIGIN ]] || names+=(connections)
    for name in "${names[@]}"; do
        [[ $(value "$CACHE/hash.out" $name) == "$(value "$FULL.totals" $name)" ]] ||
            die "bare hash and the generator disagree about the number of $name"
    done
}

check_speed() {
    local cost
    cost=$(cost cutshort)
    if [[ -z $cost || -z $UNIT ]]; then
        echo "speed: not checked: cutshort or bare hash was not measured"
        return 1
    fi
    awk "BEGIN { ratio = $cost / $UNIT; good = ratio <= $LIMIT
        printf \"speed: %.2f times the CPU time of bare hash, limit $LIMIT: %s\n\", ratio, good ? \"ok\" : \"TOO SLOW\"
        exit !good }"
}

# Only the last line: the whole list is for those who look for what is wrong.
check_truth() {
    local code=0
    if [[ -n $ORIGIN ]]; then
        echo "truth: not checked with --origin"
        return 0
    fi
    if [[ -n ${STATUS[cutshort]:-} ]]; then
        echo "truth: not checked: cutshort: ${STATUS[cutshort]}"
        return 1
    fi
    python3 "$ROOT/bench/check_truth.py" "$CACHE/cutshort.out" "$FULL.totals" "$FULL.truth" \
        >"$OUT/truth.txt" 2>&1 || code=1
    grep WRONG "$OUT/truth.txt" || true
    tail -n 1 "$OUT/truth.txt"
    return "$code"
}

main() {
    declare -gA STATUS=() # tool -> why it has no numbers
    ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    cd "$ROOT" # a relative CARGO_TARGET_DIR is relative to here
    CACHE=${BENCH_CACHE:-${TMPDIR:-/tmp}/cutshort-bench}
    CORE=${BENCH_CORE:-0}
    TARGET=${CARGO_TARGET_DIR:-target}
    OUT=$ROOT/bench/out
    arguments "$@"
    require
    mkdir -p "$CACHE" "$OUT"
    rm -f "$OUT"/* # no result of an earlier run may pass for this one's
    build
    workloads
    find_tools
    measure_all
    check_bare
    UNIT=$(cost hash)
    table | tee "$OUT/compare.md"
    selected cutshort || return 0
    local code=0
    check_speed | tee -a "$OUT/compare.md" || code=1
    check_truth | tee -a "$OUT/compare.md" || code=1
    return "$code"
}

main "$@"
