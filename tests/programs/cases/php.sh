# php: arrays, strings, objects in cycles, generators, fibers; with its own arenas, and with each object from malloc.

packages=php-cli
variants=(arenas malloc)
zeal=(500 30000)

prepare() {
    cat >program.php <<'END'
<?php
$scale = (int)getenv('scale');
$table = [];
for ($i = 0; $i < $scale * 25000; $i++) $table['key' . ($i * 7919 % 50021)][] = $i;
echo count($table), ' ', array_sum(array_map('array_sum', $table)), "\n";
ksort($table);
echo array_key_first($table), ' ', md5(serialize($table)), "\n";
$text = '';
for ($i = 0; $i < $scale * 15000; $i++) $text .= "word$i ";
echo preg_match_all('/word(\d*7) /', $text, $found), ' ';
echo strlen(preg_replace_callback('/\d+/', fn($match) => $match[0] * 2, $text)), "\n";
class Node {
    public static int $ended = 0;
    public ?Node $other = null;
    public string $text = '';
    function __destruct() { self::$ended++; }
}
for ($i = 0; $i < $scale * 12000; $i++) {
    $a = new Node;
    $b = new Node;
    $a->other = $b;
    $b->other = $a;
    $a->text = str_repeat('x', $i % 100);
}
unset($a, $b);
gc_collect_cycles();
echo Node::$ended, "\n";
function pairs(int $n) { for ($i = 0; $i < $n; $i++) yield "k$i" => str_repeat('v', $i % 50); }
$length = 0;
foreach (pairs($scale * 12000) as $key => $value) $length += strlen($key . $value);
echo $length, ' ', strlen(json_encode(json_decode(json_encode(array_slice($table, 0, 10000)), true))), "\n";
$fibers = [];
for ($i = 0; $i < 300; $i++) {
    $fibers[] = $fiber = new Fiber(function () use ($i) {
        $list = [];
        for ($k = 0; $k < 20; $k++) { $list[] = "$i-$k"; Fiber::suspend(count($list)); }
        return strlen(implode($list));
    });
    $fiber->start();
}
for ($k = 0; $k < 20; $k++) foreach ($fibers as $fiber) $fiber->resume();
echo array_sum(array_map(fn($fiber) => $fiber->getReturn(), $fibers)), ' ', shell_exec('echo child');
try { throw new Exception(str_repeat('e', 1000)); } catch (Exception $e) { echo strlen($e->getMessage()), "\n"; }
exit(7);
END
}

commands() {
    [[ $1 = arenas ]] || export USE_ZEND_ALLOC=0
    expect 7 php ../input/program.php
}
