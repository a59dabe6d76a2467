# redis: a server with threads for its connections, under a benchmark, a script, a snapshot in a child, and a reload.

packages='redis-server redis-tools'
zeal=20000

# shellcheck source=../../common/servers.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../common/servers.sh"

commands() {
    local socket=$PWD/socket server
    local client=(redis-cli -s "$socket")
    redis_server "$socket" &
    server=$!
    until "${client[@]}" ping >ready 2>&1; do :; done
    redis_load "$socket" $((scale * 200)) -q >benchmark
    "${client[@]}" flushall
    awk -v n=$((scale * 8000)) 'BEGIN {
        for (i = 1; i <= n; i++) {
            printf "set k%d value-%d\r\nhset h%d f%d x%d\r\nzadd z %d m%d\r\n", i, i, i % 100, i, i, i % 7, i
            printf "lpush l%d e%d\r\nsadd s%d %d\r\n", i % 11, i, i % 13, i
        }
    }' | "${client[@]}" --pipe | tail -n 1
    "${client[@]}" eval 'local sum = 0
        for i = 1, 20000 do local t = {} for j = 1, 10 do t[j] = tostring(i * j) end sum = sum + #table.concat(t) end
        return sum' 0
    "${client[@]}" bgrewriteaof
    "${client[@]}" eval 'for i = 1, 5000 do redis.call("del", "k" .. i) end return redis.call("dbsize")' 0
    while "${client[@]}" info persistence | grep -q '_in_progress:1'; do :; done
    "${client[@]}" debug reload
    "${client[@]}" dbsize
    "${client[@]}" zrange z 100 105
    "${client[@]}" llen l3
    "${client[@]}" scard s4
    "${client[@]}" debug digest
    "${client[@]}" shutdown nosave
    wait $server
}
