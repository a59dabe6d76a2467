# Web servers under load: nginx that proxies and packs, haproxy with threads and stick tables, lighttpd with scripts. A known
# number of requests first, then as many as wrk gets through, on 127.0.0.1.

packages='nginx-light haproxy lighttpd apache2-utils wrk curl'
variants=(nginx haproxy lighttpd)
zeal=(500 2000 100)

# shellcheck source=../../common/servers.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../common/servers.sh"

prepare() {
    seq 1 $((scale * 5000)) >big.txt
    write_nginx 18081
    write_haproxy 18082
    write_lighttpd 18083
}

# load URL REQUESTS [OPTION...]: that many requests from 20 clients; how many were answered, and how many not.
load() {
    local url=$1 requests=$2
    shift 2
    ab -q -n "$requests" -c 20 "$@" "$url" 2>load.errors | grep -E '^(Complete|Failed|Non-2xx)'
}

# flood URL: requests without pause; whether there were any, and what has gone wrong.
flood() {
    local answers
    answers=$(wrk_requests "$1" $((scale / 3 + 1)))
    ((answers > 0)) && echo 'flood answered'
}

commands() {
    local server url status
    cp ../input/* .
    case $1 in
    nginx)
        url=http://127.0.0.1:18081
        nginx -p "$PWD" -c nginx.conf &
        ;;
    haproxy)
        url=http://127.0.0.1:18082
        haproxy -f haproxy.cfg -db &
        ;;
    lighttpd)
        url=http://127.0.0.1:18083
        lighttpd -D -f lighttpd.conf &
        ;;
    esac
    server=$!
    until curl -s -o /dev/null $url/; do :; done
    if [[ $1 = lighttpd ]]; then
        load $url/old/x $((scale * 2000)) -k
        load $url/script.cgi?x=1 $((scale * 40))
        curl -s $url/script.cgi?x=5
        curl -s $url/old/x | md5sum
        flood $url/old/x
    else
        load "$url/a?x=1" $((scale * 2000)) -k
        load "$url/b?x=2" $((scale * 1500))
        curl -s "$url/c?x=3"
        flood "$url/d?x=3"
    fi
    if [[ $1 = nginx ]]; then
        load $url/static/big.txt $((scale * 300)) -H 'Accept-Encoding: gzip'
        curl -s --compressed $url/static/big.txt | md5sum
        kill -HUP $server
        until grep -q 'gracefully shutting down' notes; do :; done
        curl -s "$url/d?x=4"
    fi
    kill $server
    # lighttpd 1.4.69 ends with 1 now and then when it is told to end, on glibc's malloc too: once in some 60 times.
    wait $server || { status=$?; [[ $1 = lighttpd && $status = 1 ]] || echo "status $status"; }
}

# What servers say about their own processes, and with the time.
tidy() {
    sed -E '/^\[/d; /^20[0-9]{2}[-/]/d'
}
