# shellcheck shell=bash
# Shared by the scripts beside it: source it, do not run it.
# A script may define `cleanup`; it runs once at the end, whatever the reason for the end.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034  # used by the scripts that source this file
readonly root
current_step=

finish() {
    local status=$1
    trap - EXIT
    # Clean-up goes on after a failed command in it and after a second Ctrl-C: half of it would leave more behind.
    trap '' INT TERM
    set +e
    if declare -F cleanup > /dev/null; then cleanup; fi
    if ((status != 0)) && [[ -n $current_step ]]; then
        printf 'failed: %s\n' "$current_step" >&2
    fi
    exit "$status"
}
trap 'finish $?' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Prints the comment at the top of the calling script.
usage() {
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
}

wrong_usage() {
    printf '%s: %s; see --help\n' "${0##*/}" "$*" >&2
    exit 2
}

# step NAME COMMAND...: runs the command and prints one line, with the time if it took over a second.
# The command is not part of a condition, so that `set -e` holds inside functions too.
step() {
    current_step=$1
    shift
    local begin_us=${EPOCHREALTIME/[.,]/}
    "$@"
    local seconds=$(((${EPOCHREALTIME/[.,]/} - begin_us + 500000) / 1000000))
    if ((seconds > 0)); then
        printf '✓ %s (%d s)\n' "$current_step" "$seconds"
    else
        printf '✓ %s\n' "$current_step"
    fi
    current_step=
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo > /dev/null; then
        sudo --preserve-env=CI,DOCKER_HOST -- "$@"
    else
        die "needs root for: $*; run as root or install sudo"
    fi
}

# build_preset PRESET: configures and builds one of CMakePresets.json, with ccache when it is there.
build_preset() {
    local launcher=()
    if command -v ccache > /dev/null; then
        launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
        # So that another clone of the same source finds what this one has compiled.
        export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
    fi
    cmake -S "$root" --preset "$1" "${launcher[@]}" --log-level=WARNING > /dev/null
    cmake --build "$root/build/$1" -- --quiet
}
