# nix-instantiate --eval: explicit roots only, an allocation failure that throws, values and environments in batches. No
# daemon, a store of its own, nothing from a network.

packages=nix-bin
variants=(strings sets recursion)
collects=no

prepare() { cp "$here"/cases/nix/*.nix .; }

commands() {
    export NIX_STORE_DIR=$PWD/store NIX_STATE_DIR=$PWD/state NIX_LOG_DIR=$PWD/log NIX_CONF_DIR=$PWD NIX_REMOTE=''
    printf 'build-users-group =\nsandbox = false\nsubstitute = false\n' >nix.conf
    ulimit -s unlimited
    # Where it starts with less than its usual 384 MiB it has to collect.
    [[ $1 != recursion ]] || export GC_INITIAL_HEAP_SIZE=48M
    nix-instantiate --eval --strict --readonly-mode --option restrict-eval false "../input/$1.nix"
}
