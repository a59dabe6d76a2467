# memcached: a server of four threads, eight clients that set and get at once, all of it compared by digests.

packages='memcached python3'
# The server itself hardly allocates.
zeal=120

# shellcheck source=../../common/servers.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../common/servers.sh"

prepare() { write_memcached_client; }

commands() {
    local server round
    memcached_server "$PWD/socket" &
    server=$!
    until [[ -S socket ]]; do :; done
    for round in 1 2 3; do /usr/bin/python3 ../input/client.py "$PWD/socket" $((scale * 800)); done
    kill $server
    expect 0 wait $server
}
