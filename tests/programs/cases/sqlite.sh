# sqlite3: a recursive query, joins, windows, indexes, text and blobs, in memory and in a file.

packages=sqlite3
short=yes
zeal=40000

prepare() {
    cat >query.sql <<END
PRAGMA temp_store = memory;
CREATE TABLE numbers(n INTEGER PRIMARY KEY, word TEXT, bucket INTEGER);
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < $((scale * 50000)))
INSERT INTO numbers SELECT n, printf('word-%d-%s', n * 7919 % 10007, hex(n)), n % 97 FROM c;
CREATE INDEX by_word ON numbers(word);
SELECT count(*), count(DISTINCT word), sum(length(word)), max(word) FROM numbers;
SELECT bucket, count(*), group_concat(n % 10, '') FROM numbers WHERE n < 3000 GROUP BY bucket ORDER BY 2 DESC, 1 LIMIT 5;
SELECT sum(r) FROM (SELECT row_number() OVER (PARTITION BY bucket ORDER BY word) * (n % 3) AS r FROM numbers);
SELECT count(*) FROM numbers a JOIN numbers b ON b.word = a.word AND b.n >= a.n;
SELECT hex(substr(group_concat(word, ';'), 1, 20)), length(group_concat(word, ';')) FROM numbers;
WITH RECURSIVE t(s, n) AS (SELECT 'a', 1 UNION ALL SELECT replace(s || 'b', 'ab', 'ba'), n + 1 FROM t WHERE n < 400)
SELECT count(*), max(length(s)) FROM t;
UPDATE numbers SET word = upper(word) WHERE bucket < 10;
DELETE FROM numbers WHERE bucket > 90;
SELECT json_group_array(n) FROM (SELECT n FROM numbers ORDER BY word LIMIT 20);
SELECT count(*), sum(n), min(word) FROM numbers;
END
}

commands() {
    sqlite3 :memory: <../input/query.sql
    sqlite3 file.db <../input/query.sql
    sqlite3 file.db .dump | md5sum
    expect 1 sqlite3 file.db 'PRAGMA integrity_check; SELECT nonsense FROM numbers'
}
