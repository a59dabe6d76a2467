# java and javac: a machine with a heap, threads and a compiler of its own: collections of Java's, direct buffers, zip
# streams, thread pools, sockets, a child; and the compiler, which is a Java program itself, over a large source.

packages='openjdk-17-jdk-headless'
variants=(java javac)
zeal=(500 300)

prepare() {
    cat >Program.java <<'END'
import java.io.*;
import java.net.*;
import java.nio.ByteBuffer;
import java.util.*;
import java.util.concurrent.*;
import java.util.zip.*;

public class Program {
    record Node(Node next, byte[] text) {}

    static long work(int n) {
        var table = new HashMap<String, List<Node>>();
        for (int i = 0; i < n; i++) {
            var list = table.computeIfAbsent("key" + i * 7919L % 50021, key -> new ArrayList<>());
            list.add(new Node(list.isEmpty() ? null : list.get(0), ("node" + i).getBytes()));
        }
        long sum = 0;
        for (var list : table.values()) for (var node : list) sum = (sum * 31 + node.text.length) % 1000003;
        return sum;
    }

    static long packed(int n) throws DataFormatException {
        long total = 0;
        for (int i = 0; i < n; i++) {
            var plain = new byte[20000];
            Arrays.fill(plain, (byte) i);
            var deflater = new Deflater();
            deflater.setInput(plain);
            deflater.finish();
            var out = new byte[1000];
            int length = deflater.deflate(out);
            deflater.end();
            var inflater = new Inflater();
            inflater.setInput(out, 0, length);
            var back = new byte[20000];
            if (inflater.inflate(back) != 20000 || !Arrays.equals(plain, back)) System.out.println("lost " + i);
            inflater.end();
            total += length;
        }
        return total;
    }

    static long buffers(int n) {
        var kept = new ArrayDeque<ByteBuffer>();
        long sum = 0;
        for (int i = 0; i < n; i++) {
            var buffer = ByteBuffer.allocateDirect(1000 + i % 5000);
            buffer.putLong(0, i).putLong(900, i);
            kept.add(buffer);
            if (kept.size() <= 500) continue;
            var old = kept.poll();
            if (old.getLong(0) != old.getLong(900)) System.out.println("lost");
            sum += old.getLong(0);
        }
        return sum;
    }

    static long sockets(int n) throws Exception {
        try (var server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            var answering = new Thread(() -> {
                for (int i = 0; i < n; i++) try (var socket = server.accept()) {
                    var line = new BufferedReader(new InputStreamReader(socket.getInputStream())).readLine();
                    socket.getOutputStream().write(("answer " + line + "\n").getBytes());
                } catch (IOException e) {
                    System.out.println(e);
                }
            });
            answering.start();
            long length = 0;
            for (int i = 0; i < n; i++) try (var socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                socket.getOutputStream().write((i + "\n").getBytes());
                length += new BufferedReader(new InputStreamReader(socket.getInputStream())).readLine().length();
            }
            answering.join();
            return length;
        }
    }

    public static void main(String[] args) throws Exception {
        int scale = Integer.parseInt(System.getenv("scale"));
        for (int round = 0; round < scale; round++) {
            System.out.println(work(50000) + " " + packed(400) + " " + buffers(5000) + " " + sockets(100));
            var pool = Executors.newFixedThreadPool(4);
            var results = new ArrayList<Future<Long>>();
            for (int i = 0; i < 40; i++) {
                int n = 1000 + i * 100;
                results.add(pool.submit(() -> work(n) + packed(20)));
            }
            long sum = 0;
            for (var result : results) sum += result.get();
            pool.shutdown();
            for (int i = 0; i < 50; i++) {
                var thread = new Thread(() -> work(100));
                thread.start();
                thread.join();
            }
            System.gc();
            System.out.println(sum);
        }
        var child = new ProcessBuilder("echo", "child").start();
        System.out.println(new String(child.getInputStream().readAllBytes()).trim() + child.waitFor());
        System.exit(7);
    }
}
END
    awk -v n=$((scale * 100)) 'BEGIN {
        print "import java.util.*;\npublic class Large {"
        for (i = 0; i < n; i++) {
            printf "    interface Shape%d<T> { T area(T x); default String name() { return \"shape%d\"; } }\n", i, i
            printf "    static long f%d(long x) {\n        Shape%d<Long> s = y -> y * %d + x;\n", i, i, i
            printf "        List<String> list = new ArrayList<>();\n"
            printf "        for (int k = 0; k < 5; k++) list.add(s.name() + k);\n"
            printf "        return switch ((int) (x %% 3)) { case 0 -> s.area(x); case 1 -> list.size(); default -> x; };\n    }\n"
        }
        print "    public static void main(String[] args) {\n        long x = 1;"
        for (i = 0; i < n; i++) printf "        x = (x * 31 + f%d(x)) %% 1000003;\n", i
        print "        System.out.println(x);\n    }\n}"
    }' >Large.java
    javac -d . Program.java
}

commands() {
    if [[ $1 = java ]]; then
        expect 7 java -cp ../input Program
    else
        javac -d . ../input/Large.java
        cat ./*.class | md5sum
        java -cp . Large
        echo 'class Broken { missing }' >Broken.java
        expect 1 javac Broken.java
    fi
}
