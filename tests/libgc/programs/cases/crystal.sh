# crystal: its compiler on a program that uses much of the standard library, and that program: fibers whose stacks are pushed by
# the program, a stack bottom that moves with each switch, finalizers, big numbers.

packages="crystal libevent-dev libpcre3-dev libgmp-dev libgc-dev gcc"
variants=(compiler program)

prepare() {
    cp "$here/cases/crystal/busy.cr" .
    local optimised=--release
    ((scale > 1)) || optimised=--no-debug
    CRYSTAL_CACHE_DIR=$PWD/cache crystal build --no-color "$optimised" -o busy busy.cr
}

# The compiler alone on small inputs: `--no-codegen` leaves out what LLVM does.
commands() {
    export CRYSTAL_CACHE_DIR=$PWD/cache
    if [[ $1 = program ]]; then
        ../input/busy
    elif ((scale > 1)); then
        crystal build --no-color --no-debug -o busy ../input/busy.cr
        scale=1 ./busy
    else
        crystal build --no-color --no-codegen ../input/busy.cr
    fi
}
