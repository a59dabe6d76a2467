# Web servers under load: nginx that proxies and packs, haproxy with threads and stick tables, lighttpd with scripts.

packages='nginx-light haproxy lighttpd apache2-utils curl'
variants=(nginx haproxy lighttpd)
zeal=(500 2000 100)

prepare() {
    seq 1 $((scale * 5000)) >big.txt
    cat >nginx.conf <<'END'
daemon off; worker_processes 2; error_log stderr error; error_log notes notice; pid nginx.pid; user root;
events { worker_connections 512; }
http {
    access_log access.log; gzip on; gzip_types *;
    client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
    proxy_cache_path cache keys_zone=all:1m;
    upstream back { server unix:back.socket; keepalive 8; }
    server {
        listen 127.0.0.1:18081;
        location /static/ { alias ./; }
        location / {
            proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_cache all; proxy_cache_valid 200 1s;
        }
    }
    server { listen unix:back.socket; location / { return 200 "hello $request_uri $arg_x\n"; } }
}
END
    cat >haproxy.cfg <<'END'
global
    nbthread 3
    log stderr local0 err
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 5s
frontend front
    bind 127.0.0.1:18082
    http-request set-header X-Random %[rand(100)]
    stick-table type ip size 10k store http_req_cnt
    http-request track-sc0 src
    default_backend back
backend back
    server only unix@back.socket
frontend answers
    bind unix@back.socket
    http-request return status 200 content-type text/plain lf-string "hello %[path] %[url_param(x)]\n"
END
    cat >lighttpd.conf <<'END'
server.modules = ("mod_cgi", "mod_rewrite")
server.document-root = env.PWD
server.bind = "127.0.0.1"
server.port = 18083
server.errorlog = env.PWD + "/errors"
cgi.assign = (".cgi" => "")
url.rewrite-once = ("^/old/(.*)" => "/big.txt?$1")
END
    printf '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"\necho "$QUERY_STRING"\n' >script.cgi
    chmod +x script.cgi
}

# load URL REQUESTS [OPTION...]: that many requests from 20 clients; how many were answered, and how many not.
load() {
    local url=$1 requests=$2
    shift 2
    ab -q -n "$requests" -c 20 "$@" "$url" 2>load.errors | grep -E '^(Complete|Failed|Non-2xx)'
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
    else
        load "$url/a?x=1" $((scale * 2000)) -k
        load "$url/b?x=2" $((scale * 1500))
        curl -s "$url/c?x=3"
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
