# The inside of a run: `bash inner.sh CASES VARIANT`, with the library or without, in the directory of the run.
set -eu

# expect STATUS COMMAND...: runs a command that ends with this status, else fails.
expect() {
    local expected=$1 status=0
    shift
    "$@" || status=$?
    if ((status != expected)); then
        echo "expected status $expected, got $status: $*" >&2
        return 1
    fi
}

# shellcheck source=/dev/null
source "$1"
commands "$2"
