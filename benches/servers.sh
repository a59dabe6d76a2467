#!/usr/bin/env bash
# Servers under load on this library, beside the same on mimalloc: redis under redis-benchmark, postgres under pgbench, nginx
# under wrk. Both are preloaded into the server alone.
#
#     benches/servers.sh [--short] [--pairs N] [redis|postgres|nginx[/WORK]]...
#
# Of each program two servers live at once and take turns under the same load, one two two one: a pair. Of each piece of
# work the median of the pairs' ratios has to be 0.97 at least. Each process of a server must have its library in its map,
# and what it said of its collections at its end is counted.
#
#     --short     a minute: two pairs, whose ratios are not judged
#     --pairs N   so many pairs instead of 15, which take ten minutes
#
# Logs, and the figure of each turn, are in target/servers.
set -euo pipefail
cd "$(dirname "$0")/.."

pairs=15 spell=1 least=0.97
wanted=()
while (($#)); do
    case $1 in
    --short) pairs=2 least=0 ;;
    --pairs) pairs=${2:?--pairs needs a number} && shift ;;
    redis | postgres | nginx | redis/* | postgres/* | nginx/*) wanted+=("$1") ;;
    *) echo "servers.sh: unknown argument $1: see the top of the script" >&2 && exit 2 ;;
    esac
    shift
done
((${#wanted[@]})) || wanted=(redis postgres nginx)

door=target/doors/release/libgleaner_malloc.so
[[ -r $door ]] || { echo "servers.sh: no library: $door; build it with make doors" >&2 && exit 2; }

# Another user's processes have to get here.
work=$(mktemp -d "${TMPDIR:-/tmp}/servers.XXXXXX")
chmod 755 "$work"
logs=target/servers
mkdir -p "$logs"
: >"$logs/turns"

# shellcheck source=../tests/common/packages.sh
source tests/common/packages.sh
install_packages "$work/install" redis-server redis-tools postgresql nginx-light wrk libmimalloc2.0
cp -L "$door" "$work/libgleaner_malloc.so"
cp -L /usr/lib/x86_64-linux-gnu/libmimalloc.so.2 "$work/libmimalloc.so"
chmod 755 "$work"/*.so
declare -A library=([gleaner]=$work/libgleaner_malloc.so [mimalloc]=$work/libmimalloc.so)
mallocs=(gleaner mimalloc)
export PATH=$PATH:/usr/sbin LC_ALL=C.UTF-8

# on MALLOC COMMAND...: becomes a command on a malloc; to be called in the background.
on() {
    local malloc=$1
    shift
    exec env GLEANER_OPTIONS=stats=1 LD_PRELOAD="${library[$malloc]}" "$@"
}

# await COMMAND...: until it succeeds.
await() {
    local end=$((SECONDS + 60))
    until "$@" >"$work/await" 2>&1; do
        if ((SECONDS > end)); then
            echo "servers.sh: does not come: $*" >&2
            cat "$work/await" >&2
            return 1
        fi
    done
}

failed=0
declare -A root

# ---- redis: PROGRAM_start MALLOC DIRECTORY sets root[MALLOC], the first process; PROGRAM_end MALLOC ends it;
# ---- PROGRAM_works names pieces of work; PROGRAM_load MALLOC WORK DIRECTORY prints what was done in a second.

redis_works=(mixed pipelined)
redis_tests=set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,mset

redis_start() {
    on "$1" redis-server --port 0 --unixsocket "$2/socket" --dir "$2" --save '' --appendonly no \
        >"$logs/redis-$1.log" 2>&1 &
    root[$1]=$!
    await redis-cli -s "$2/socket" ping
    redis-benchmark -s "$2/socket" -q -n 100000 -P 32 -r 50000 -d 200 -t set,hset,lpush >"$work/filled"
}

redis_load() {
    local options=(-n $((spell * 3000)) -t "$redis_tests,lrange_100")
    [[ $2 = mixed ]] || options=(-n $((spell * 15000)) -P 32 -t "$redis_tests")
    redis-benchmark -s "$3/socket" --csv -c 30 -r 50000 -d 200 "${options[@]}" 2>>"$work/client" |
        awk -F '","' 'NR > 1 && $1 !~ /needed/ { time += 1 / $2; tests++ } END { if (time) printf "%.1f\n", tests / time }'
}

redis_end() {
    redis-cli -s "$2/socket" shutdown nosave >"$work/await" 2>&1
    wait "${root[$1]}"
}

# ---- postgres, which refuses root and forks a process for each connection

postgres_works=(tpcb select connect)
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

postgres_start() {
    local bin data=$2/data
    bin=$(echo /usr/lib/postgresql/*/bin)
    chown postgres "$2"
    as_postgres "$bin/initdb" -D "$data" --no-sync -A trust >"$work/initdb" 2>&1
    cat >>"$data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$2'
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
checkpoint_timeout = 1h
max_wal_size = 10GB
END
    on "$1" setpriv --reuid=postgres --regid=postgres --init-groups "$bin/postgres" -D "$data" >"$logs/postgres-$1.log" 2>&1 &
    root[$1]=$!
    await as_postgres pgbench -h "$2" -i -s 5 -q postgres
}

postgres_load() {
    local options=()
    case $2 in
    tpcb) options=(-N -c 4) ;;
    select) options=(-S -c 4) ;;
    connect) options=(-S -C -c 2) ;;
    esac
    as_postgres pgbench -h "$3" -n -T "$spell" "${options[@]}" postgres 2>>"$work/client" |
        awk '/^tps = / { print $3 }'
}

postgres_end() {
    kill -INT "${root[$1]}"
    wait "${root[$1]}"
}

# ---- nginx

nginx_works=(file proxy gzip)

nginx_start() {
    seq 1 20000 >"$2/text"
    head -c 1000 "$2/text" >"$2/small"
    chmod 755 "$2"
    cat >"$2/nginx.conf" <<END
daemon off; worker_processes 1; error_log stderr error; pid nginx.pid; user root;
events { worker_connections 512; }
http {
    access_log off; gzip_types *; gzip_min_length 1;
    client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
    keepalive_requests 1000000;
    upstream back { server unix:$2/back; keepalive 16; }
    server {
        listen 127.0.0.1:${port[$1]};
        location /file { alias $2/small; }
        location /gzip { gzip on; alias $2/text; }
        location /proxy { proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }
    server { listen unix:$2/back; location / { return 200 "hello \$request_uri \$arg_x\n"; } }
}
END
    on "$1" nginx -p "$2" -c nginx.conf >"$logs/nginx-$1.log" 2>&1 &
    root[$1]=$!
    await wrk -d 1 -c 1 -t 1 "http://127.0.0.1:${port[$1]}/file"
}
declare -A port=([gleaner]=18091 [mimalloc]=18092)

nginx_load() {
    wrk -t 1 -c 16 -d "$spell" -H 'Accept-Encoding: gzip' "http://127.0.0.1:${port[$1]}/$2" 2>>"$work/client" |
        awk '/Non-2xx/ { bad = 1 } /^Requests\/sec:/ { rate = $2 } END { if (!bad) print rate }'
}

nginx_end() {
    kill -QUIT "${root[$1]}"
    wait "${root[$1]}"
}

# ---- what is done with each ------------------------------------------------------------------------------------------

# The first process of a server and its children.
processes() {
    echo "$1"
    pgrep -P "$1" || true
}

# Each of them has its library in its map.
check_preloaded() {
    local malloc pid count
    for malloc in "${mallocs[@]}"; do
        count=0
        for pid in $(processes "${root[$malloc]}"); do
            if ! grep -q "${library[$malloc]}" "/proc/$pid/maps"; then
                [[ -e /proc/$pid ]] || continue
                echo "FALLS SHORT: $1: process $pid runs without $malloc: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
                failed=1
            fi
            count=$((count + 1))
        done
        echo "  $malloc: preloaded in all $count processes"
    done
}

# one PROGRAM WORK MALLOC: a turn; it must say a figure.
one() {
    local rate
    rate=$("$1_load" "$3" "$2" "$work/$1-$3")
    if [[ $rate != *[1-9]* ]]; then
        echo "servers.sh: $1 $2 on $3 gives no figure: see $logs/$1-$3.log" >&2
        cat "$work/client" >&2
        return 1
    fi
    echo "$(date +%T) $1 $2 $3 $rate" >>"$logs/turns"
    echo "$rate"
}

# measure PROGRAM WORK: pairs of two turns each, in an order in which neither gains by a machine that becomes slower.
measure() {
    local program=$1 piece=$2 pair malloc rate turns lines=
    one "$program" "$piece" gleaner >"$work/first"
    one "$program" "$piece" mimalloc >"$work/first"
    for ((pair = 0; pair < pairs; pair++)); do
        if ((pair % 2)); then turns=(gleaner mimalloc mimalloc gleaner); else turns=(mimalloc gleaner gleaner mimalloc); fi
        declare -A done_by=()
        for malloc in "${turns[@]}"; do
            rate=$(one "$program" "$piece" "$malloc")
            done_by[$malloc]+=" $rate"
        done
        lines+="${done_by[gleaner]} ${done_by[mimalloc]}"$'\n'
    done
    judge "$program $piece" <<<"${lines%$'\n'}"
}

# judge TITLE: of lines with two figures of ours and two of theirs, the medians and that of the ratio, which is held against
# the least.
judge() {
    awk -v title="$1" -v least="$least" '
        function median(values, n,    i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && values[j] < values[j - 1]; j--) { t = values[j]; values[j] = values[j - 1]; values[j - 1] = t }
            return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
        }
        { ours[NR] = ($1 + $2) / 2; theirs[NR] = ($3 + $4) / 2; ratio[NR] = ours[NR] / theirs[NR] }
        END {
            m = median(ratio, NR)
            holds = m >= least
            printf "%s: %s: %.3f of mimalloc (%.3f to %.3f in %d pairs; %.0f and %.0f a second); at least %s\n",
                least == 0 ? "not judged" : holds ? "HOLDS" : "FALLS SHORT", title, m, ratio[1], ratio[NR], NR, median(ours, NR), median(theirs, NR), least
            exit !holds
        }' || failed=1
}

# What the processes of ours said at their end.
report_collections() {
    awk '/^gleaner: exit/ { processes++; split($3, n, "="); collections += n[2]; if (n[2] > 0) collected++ }
        END { printf "  %d processes of ours ended, %d of them had collected: %d collections\n", processes, collected, collections
              exit processes == 0 }' "$logs/$1-gleaner.log" || { echo "FALLS SHORT: $1: no word of ours at the end"; failed=1; }
}

end_all() {
    local pid
    for pid in "${root[@]}"; do kill -KILL "$pid" 2>>"$work/client" || true; done
    rm -rf "$work"
}
trap end_all EXIT

for name in "${wanted[@]}"; do
    program=${name%%/*}
    echo "$program"
    for malloc in "${mallocs[@]}"; do
        mkdir "$work/$program-$malloc"
        "${program}_start" "$malloc" "$work/$program-$malloc"
    done
    check_preloaded "$program"
    declare -n works=${program}_works
    [[ $name = "$program" ]] || works=("${name#*/}")
    for piece in "${works[@]}"; do
        measure "$program" "$piece"
    done
    for malloc in "${mallocs[@]}"; do
        "${program}_end" "$malloc" "$work/$program-$malloc"
        unset "root[$malloc]"
    done
    report_collections "$program"
done
exit $failed
