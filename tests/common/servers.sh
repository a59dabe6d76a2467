# The servers that tests put under load: what they are told, and who loads them. To be sourced by bash.
#
# Each `write_...` leaves files in the current directory. The servers listen on 127.0.0.1 or on a socket in that directory
# only.

# write_nginx PORT: nginx.conf for `nginx -p "$PWD" -c nginx.conf`, which proxies to itself, caches and packs. What it says
# of its own processes is in `notes`.
write_nginx() {
    cat >nginx.conf <<END
daemon off; worker_processes 2; error_log stderr error; error_log notes notice; pid nginx.pid; user root;
events { worker_connections 512; }
http {
    access_log access.log; gzip on; gzip_types *;
    client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
    proxy_cache_path cache keys_zone=all:1m;
    upstream back { server unix:back.socket; keepalive 8; }
    server {
        listen 127.0.0.1:$1;
        location /static/ { alias ./; }
        location / {
            proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_cache all; proxy_cache_valid 200 1s;
        }
    }
    server { listen unix:back.socket; location / { return 200 "hello \$request_uri \$arg_x\n"; } }
}
END
}

# write_haproxy PORT: haproxy.cfg for `haproxy -f haproxy.cfg -db`, with threads and a table, which answers itself.
write_haproxy() {
    cat >haproxy.cfg <<END
global
    nbthread 3
    log stderr local0 err
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 5s
frontend front
    bind 127.0.0.1:$1
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
}

# write_lighttpd PORT: lighttpd.conf for `lighttpd -D -f lighttpd.conf`: big.txt is /old/ANYTHING, too, and script.cgi
# answers with what it was asked.
write_lighttpd() {
    cat >lighttpd.conf <<END
server.modules = ("mod_cgi", "mod_rewrite")
server.document-root = env.PWD
server.bind = "127.0.0.1"
server.port = $1
server.errorlog = env.PWD + "/errors"
cgi.assign = (".cgi" => "")
url.rewrite-once = ("^/old/(.*)" => "/big.txt?\$1")
END
    printf '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"\necho "$QUERY_STRING"\n' >script.cgi
    chmod +x script.cgi
}

# wrk_requests URL SECONDS: 20 clients ask for as much as they get, that long; prints how many answers they got. Answers
# that are errors, and errors of sockets, are told on stderr.
wrk_requests() {
    wrk -t 2 -c 20 -d "$2" "$1" | awk '/requests in/ { print $1 } /Non-2xx|Socket errors/ { print | "cat >&2" }'
}

# redis_server SOCKET: becomes a server with threads for its connections, which logs what it is told to do. To be called in
# a subshell or in the background, as are all `..._server`.
redis_server() {
    exec redis-server --port 0 --unixsocket "$1" --dir "$PWD" --save '' --appendonly yes --io-threads 2 \
        --io-threads-do-reads yes --enable-debug-command local --logfile "$PWD/log"
}

# redis_load SOCKET REQUESTS [OPTION...]: so many requests of each kind, 30 clients at once.
redis_load() {
    local socket=$1 requests=$2
    shift 2
    redis-benchmark -s "$socket" -n "$requests" -c 30 -r 5000 -d 100 "$@" \
        -t set,get,incr,lpush,rpush,lpop,sadd,hset,zadd,lrange_100,mset
}

# memcached_server SOCKET: becomes one of four threads.
memcached_server() { exec memcached -u root -s "$1" -m 512 -t 4; }

# write_memcached_client: client.py for `python3 client.py SOCKET COUNT`: eight clients set and get COUNT values each, and
# print digests of what they got, a line each.
write_memcached_client() {
    cat >client.py <<'END'
import hashlib
import socket
import sys
import threading


def run(number, digests):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
    stream = connection.makefile("rwb")
    digest = hashlib.md5()
    for k in range(int(sys.argv[2])):
        value = b"%d-%d;" % (number, k) * (k % 200 + 1)
        stream.write(b"set k%d-%d 0 0 %d\r\n%b\r\nget k%d-%d\r\n" % (number, k, len(value), value, number, k // 2))
        stream.flush()
        assert stream.readline() == b"STORED\r\n"
        header = stream.readline().split()
        assert header[0] == b"VALUE"
        digest.update(b" ".join(header[:2]) + stream.read(int(header[3]) + 2) + stream.readline())
    digests[number] = digest.hexdigest()


digests = {}
threads = [threading.Thread(target=run, args=(number, digests)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for number, digest in sorted(digests.items()):
    print(number, digest)
END
}

# postgres_bin: where the server's programs are.
postgres_bin() {
    local found=(/usr/lib/postgresql/*/bin/initdb)
    dirname "${found[-1]}"
}

# as_postgres COMMAND...: becomes a command of the server's user, who is not root.
as_postgres() { exec setpriv --reuid=postgres --regid=postgres --clear-groups env HOME="$PWD" "$@"; }

# create_postgres [OPTION...]: a cluster in `data`, to be reached by way of `sockets`. Its user has to get here.
create_postgres() {
    mkdir data sockets
    chown postgres data sockets
    (as_postgres "$(postgres_bin)/initdb" -D data -A trust --no-sync "$@")
}

# postgres_server [OPTION...]: becomes the server of that cluster.
postgres_server() { as_postgres "$(postgres_bin)/postgres" -D data -k "$PWD/sockets" -c listen_addresses= "$@"; }
