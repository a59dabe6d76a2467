# memcached: a server of four threads, eight clients that set and get at once, all of it compared by digests.

packages='memcached python3'
zeal=2000

prepare() {
    cat >client.py <<'END'
import hashlib
import os
import socket
import sys
import threading


def run(number, digests):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
    stream = connection.makefile("rwb")
    digest = hashlib.md5()
    for k in range(int(os.environ["scale"]) * 800):
        value = b"%d-%d;" % (number, k) * (k % 200 + 1)
        stream.write(b"set k%d-%d 0 0 %d\r\n%b\r\nget k%d-%d\r\n" % (number, k, len(value), value, number, k // 2))
        stream.flush()
        assert stream.readline() == b"STORED\r\n"
        header = stream.readline().split()
        digest.update(b" ".join(header[:2]) + stream.read(int(header[3]) + 2) + stream.readline())
    digests[number] = digest.hexdigest()


for _ in range(3):
    digests = {}
    threads = [threading.Thread(target=run, args=(number, digests)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sorted(digests.items()))
END
}

commands() {
    local server
    memcached -u root -s "$PWD/socket" -m 512 -t 4 &
    server=$!
    until [[ -S socket ]]; do :; done
    /usr/bin/python3 ../input/client.py "$PWD/socket"
    kill $server
    expect 0 wait $server
}
