# node: a just-in-time compiler with threads of its own, worker threads, a thread pool, streams, and a server in it. And
# two million objects that are alive at once, buffers in the tens of thousands, and workers that share memory.

packages=nodejs
variants=(services objects)
zeal=(8000 6000)

prepare() {
    cat >program.js <<'END'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const crypto = require('crypto'), fs = require('fs'), http = require('http'), zlib = require('zlib');
const scale = Number(process.env.scale);

function work(n) {
  const table = new Map();
  for (let i = 0; i < n; i++) {
    const key = 'key' + (i * 7919 % 50021);
    if (!table.has(key)) table.set(key, []);
    table.get(key).push({ i, text: 'x'.repeat(i % 30) });
  }
  let sum = 0;
  for (const list of table.values()) for (const item of list) sum = (sum * 31 + item.i + item.text.length) % 1000003;
  const buffers = [];
  for (let i = 0; i < 2000; i++) { buffers.push(Buffer.alloc(1000, i % 256)); if (buffers.length > 100) buffers.shift(); }
  return sum + ':' + Buffer.concat(buffers).length;
}

function request(port, i) {
  return new Promise((resolve) => {
    const sent = http.request({ port, path: '/x' + i, method: 'POST' }, (response) => {
      let text = '';
      response.on('data', (part) => text += part);
      response.on('end', () => resolve(JSON.parse(text).length));
    });
    sent.end('y'.repeat(1000 + i));
  });
}

async function main() {
  console.log(work(scale * 25000));
  console.log(await Promise.all([1, 2, 3].map((i) => new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: scale * 6000 * i });
    worker.on('message', resolve);
    worker.on('error', reject);
  }))));
  const hash = crypto.createHash('sha256');
  for (let i = 0; i < scale * 5000; i++) hash.update('line' + i);
  console.log(hash.digest('hex'), crypto.pbkdf2Sync('a', 'b', 20000, 32, 'sha256').toString('hex'));
  await Promise.all([...Array(scale * 10).keys()].map((i) => new Promise((resolve) => {
    zlib.deflate(Buffer.alloc(100000, i), (_, packed) => zlib.inflate(packed, (_, plain) => {
      if (!plain.every((byte) => byte === i)) console.log('lost', i);
      resolve();
    }));
  })));
  await Promise.all([...Array(50).keys()].map(async (i) => {
    await fs.promises.writeFile('file' + i, 'data' + i);
    if (await fs.promises.readFile('file' + i, 'utf8') !== 'data' + i) console.log('lost file', i);
  }));
  const server = http.createServer((request, response) => {
    let text = '';
    request.on('data', (part) => text += part);
    request.on('end', () => response.end(JSON.stringify({ url: request.url, length: text.length })));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  let total = 0;
  for (let round = 0; round < scale * 3; round++) {
    const lengths = await Promise.all([...Array(20).keys()].map((i) => request(server.address().port, i)));
    total += lengths.reduce((a, b) => a + b);
  }
  console.log(total);
  server.close();
  console.log(require('child_process').execSync('echo child').toString().trim());
  process.exitCode = 9;
}

if (isMainThread) main(); else parentPort.postMessage(work(workerData));
END
    cat >objects.js <<'END'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const scale = Number(process.env.scale);

function work(n) {
  const kept = [];
  for (let i = 0; i < n; i++) kept.push({ i, text: 'x' + i, before: i ? kept[i - 1] : null });
  let sum = 0;
  for (const one of kept) sum = (sum * 31 + one.i + one.text.length) % 1000003;
  return sum;
}

function worker(source, options) {
  return new Promise((resolve, reject) => {
    const made = new Worker(source, options);
    let result;
    made.on('message', (message) => { result = message; });
    made.on('exit', () => resolve(result));
    made.on('error', reject);
  });
}

async function main() {
  console.log(work(scale * 250000));
  const ring = [];
  let sum = 0;
  for (let i = 0; i < scale * 10000; i++) {
    ring.push(Buffer.allocUnsafeSlow(500 + i % 9000).fill(i % 256));
    if (ring.length <= 300) continue;
    const old = ring.shift();
    if (old[0] !== old[old.length - 1]) console.log('lost');
    sum += old[0] + old.length;
  }
  console.log(sum);
  const shared = new Int32Array(new SharedArrayBuffer(1 << 20));
  const sizes = [1, 2, 3, 4].map((i) => ({ workerData: [scale * 20000 * i, shared] }));
  console.log(await Promise.all(sizes.map((options) => worker(__filename, options))));
  const source = 'require("worker_threads").parentPort.postMessage(new ArrayBuffer(1000000))';
  for (let k = 0; k < scale; k++) {
    const made = await Promise.all([1, 2, 3].map(() => worker(source, { eval: true })));
    sum += made.reduce((bytes, buffer) => bytes + buffer.byteLength, 0);
  }
  console.log(sum, shared[5]);
  process.exitCode = 9;
}

if (isMainThread) {
  main();
} else {
  Atomics.add(workerData[1], 5, 1);
  parentPort.postMessage(work(workerData[0]));
}
END
}

commands() {
    local program=program.js
    [[ $1 = services ]] || program=objects.js
    expect 9 /usr/bin/node ../input/$program
}
