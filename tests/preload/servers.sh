#!/usr/bin/env bash
# Long-running servers under load with collect=verify: none of them touches what a collection would have reclaimed.
#
#   tests/preload/servers.sh [--short] [--library PATH] [NAME...]
#
# Each server runs for at least 10 seconds of load, and collects at least 20 times in its busiest process; --short makes that
# one second and two collections, of four of them if none is named. One row a server: seconds of load, collections, how
# often clients were served, accesses. Fails when an access is reported, a server ends before it is told to, nobody was
# served, or it has collected too seldom.
#
# The last row is the judge's own trial: `hider` (hider.c) hides its pointers, and has to be convicted.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
library=$here/../../target/doors/release/libgleaner_malloc.so
seconds=10 collections_min=20 names=()
all=(redis memcached nginx haproxy lighttpd node php python postgres hider)
while (($#)); do
    case $1 in
    --short) seconds=1 collections_min=2 all=(memcached nginx haproxy lighttpd hider) ;;
    --library) library=${2:?--library needs a path} && shift ;;
    -*) echo "servers.sh: unknown option: $1" >&2 && exit 2 ;;
    *) names+=("$1") ;;
    esac
    shift
done
[[ -r $library ]] || { echo "servers.sh: no library: $library; build it with make doors" >&2 && exit 2; }
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
unset LD_PRELOAD GLEANER_OPTIONS
work=$(mktemp -d "${TMPDIR:-/tmp}/servers.XXXXXX")
chmod 755 "$work"
# Where another user can read it, too.
install -m 755 "$library" "$work/library.so"
library=$work/library.so
server=
end() { [[ -z $server ]] || kill -KILL "$server" 2>/dev/null || true; }
trap 'end; rm -rf "$work"' EXIT

# shellcheck source=../common/packages.sh
source "$here/../common/packages.sh"
# shellcheck source=../common/servers.sh
source "$here/../common/servers.sh"

# serve ZEAL COMMAND...: the server, preloaded, in the background; it collects at every ZEAL-th allocation.
serve() {
    local zeal=$1
    shift
    GLEANER_OPTIONS=collect=verify:trace=1:stats=1:zeal=$zeal LD_PRELOAD=$library "$@" </dev/null >stdout 2>stderr &
    server=$!
}

# until_there COMMAND...: until it succeeds, or the server has ended.
until_there() {
    until "$@" >/dev/null 2>&1; do
        kill -0 $server || return 1
    done
}

# load COMMAND...: again and again for as long as the load lasts; counts the lines that it prints into `served`.
load() {
    local stop=$((SECONDS + seconds)) lines
    while ((SECONDS < stop)); do
        lines=$("$@" | wc -l)
        served=$((served + lines))
        kill -0 $server || return 1
    done
}

web_load() {
    until_there curl -sf "$1" || return 1
    served=$((served + $(wrk_requests "$1" "$seconds")))
    curl -sf "$1" >/dev/null
}

run_redis() {
    install_packages apt.log redis-server redis-tools
    serve 10000 redis_server "$PWD/socket"
    until_there redis-cli -s socket ping
    load redis_load socket 1000 --csv
    redis-cli -s socket shutdown nosave >shutdown
}

run_memcached() {
    install_packages apt.log memcached python3
    write_memcached_client
    serve 5 memcached_server "$PWD/socket"
    until_there test -S socket
    load /usr/bin/python3 client.py socket 500
}

run_nginx() {
    install_packages apt.log nginx-light wrk curl
    seq 1 5000 >big.txt
    write_nginx 18091
    serve 500 nginx -p "$PWD" -c nginx.conf
    web_load http://127.0.0.1:18091/a?x=1
    web_load http://127.0.0.1:18091/static/big.txt
}

run_haproxy() {
    install_packages apt.log haproxy wrk curl
    write_haproxy 18092
    serve 2000 haproxy -f haproxy.cfg -db
    web_load http://127.0.0.1:18092/a?x=1
}

run_lighttpd() {
    install_packages apt.log lighttpd wrk curl
    seq 1 5000 >big.txt
    write_lighttpd 18093
    serve 50 lighttpd -D -f lighttpd.conf
    web_load http://127.0.0.1:18093/old/x
}

run_node() {
    install_packages apt.log nodejs wrk curl
    cat >server.js <<'END'
const http = require('http');
const zlib = require('zlib');
const kept = new Map();
let count = 0;
http.createServer((request, response) => {
    const number = count++;
    kept.set(number % 1000, Buffer.alloc(number % 5000, 'x'));
    const body = JSON.stringify({ number, url: request.url, sizes: Array.from({ length: 50 }, (_, i) => i * number) });
    if (number % 16 === 0) {
        zlib.gzip(body, (error, packed) => response.end(packed));
    } else {
        response.end(body);
    }
}).listen(18094, '127.0.0.1');
END
    serve 3000 node server.js
    web_load http://127.0.0.1:18094/
}

run_php() {
    install_packages apt.log php-cli wrk curl
    cat >index.php <<'END'
<?php
$all = [];
for ($i = 0; $i < 500; $i++) $all["k$i"] = ['number' => $i, 'text' => str_repeat('x', $i % 90)];
usort($all, fn($a, $b) => strcmp($a['text'], $b['text']) ?: $a['number'] - $b['number']);
echo strlen(json_encode($all)), ' ', preg_match_all('/x+/', json_encode($all)), "\n";
END
    # It closes a connection after each answer, which wrk calls an error.
    USE_ZEND_ALLOC=0 serve 5000 php -S 127.0.0.1:18095
    web_load http://127.0.0.1:18095/
}

run_python() {
    install_packages apt.log python3 wrk curl
    cat >server.py <<'END'
import http.server
import json


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = json.dumps({str(k): [k] * 20 for k in range(100)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", 18096), Handler).serve_forever()
END
    PYTHONMALLOC=malloc serve 20000 /usr/bin/python3 server.py
    web_load http://127.0.0.1:18096/
}

run_postgres() {
    install_packages apt.log postgresql util-linux
    local bin client=(-h "$PWD/sockets" -U postgres)
    bin=$(postgres_bin)
    create_postgres >initdb.log
    serve 500 postgres_server
    until_there "$bin/pg_isready" -q -h "$PWD/sockets"
    "$bin/pgbench" "${client[@]}" -q -i -s 2 postgres >pgbench.log 2>&1
    "$bin/pgbench" "${client[@]}" -n -c 4 -T "$seconds" postgres >pgbench.log 2>&1
    served=$((served + $(sed -nE 's/^number of transactions actually processed: ([0-9]+).*/\1/p' pgbench.log)))
    "$bin/psql" "${client[@]}" -qAt -c 'select count(*) from pgbench_accounts' postgres >accounts
}

run_hider() {
    install_packages apt.log gcc libc6-dev wrk curl
    gcc -O2 -Wall -Wextra -Werror -o hider "$here/hider.c"
    serve 200 ./hider 18097
    web_load http://127.0.0.1:18097/
}

# judge NAME: runs one, and prints its row.
judge() {
    local name=$1 begin=$SECONDS served=0 status=0 collections accesses verdict=HOLDS
    mkdir "$work/$name" && cd "$work/$name"
    chmod 755 .
    # Without `set -e` a function that is tested goes on after a failure: each step says so.
    run_"$name" || verdict='FAILS: its load failed'
    local took=$((SECONDS - begin))
    ((took >= seconds)) || verdict='FAILS: too short a load'
    [[ $name = redis ]] || kill -0 $server 2>/dev/null || verdict='FAILS: it has ended'
    kill -TERM $server 2>/dev/null || true
    wait $server || status=$?
    server=
    collections=$(sed -nE 's/.*gleaner: (gc|exit collections)=([0-9]+).*/\2/p' stderr | sort -n | tail -1)
    accesses=$(grep -cE 'gleaner: verify: [a-z]' stderr || true)
    ((served > 0)) || verdict='FAILS: nobody was served'
    ((${collections:-0} >= collections_min)) || verdict="FAILS: too few collections"
    ((status < 129 || status == 143)) || verdict="FAILS: it ended by signal $((status - 128))"
    if [[ $name = hider ]]; then
        ((accesses > 0)) || verdict='FAILS: its accesses were not seen'
    else
        ((accesses == 0)) || verdict='FAILS: an access'
    fi
    printf '%-10s %8d %12d %10d %10d  %s\n' "$name" "$took" "${collections:-0}" "$served" "$accesses" "$verdict"
    if [[ $verdict != HOLDS ]]; then
        failed+=("$name")
        grep -v 'gleaner: gc=' stderr | head -n 30 >&2 || true
    fi
    cd "$work"
}

failed=()
((${#names[@]})) || names=("${all[@]}")
printf '%-10s %8s %12s %10s %10s\n' server seconds collections served accesses
for name in "${names[@]}"; do judge "$name"; done
((${#failed[@]} == 0)) || { echo "FALLS SHORT: ${failed[*]}" && exit 1; }
echo "${#names[@]} servers: no access to what would have been reclaimed, but by the one that hides its pointers"
