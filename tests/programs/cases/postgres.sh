# PostgreSQL: initdb, pgbench of both kinds, queries with parallel workers, a dump restored; a cluster of processes that
# share memory and wake each other by SIGURG. Compared are the numbers of transactions and the results of queries.

packages='postgresql-15 postgresql-client-15'
zeal=1500

# shellcheck source=../../common/servers.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../common/servers.sh"

prepare() {
    cat >queries.sql <<'END'
SELECT count(*), sum(bid), min(aid), max(aid) FROM pgbench_accounts;
SELECT sum(abalance) = (SELECT sum(bbalance) FROM pgbench_branches), count(*) FROM pgbench_accounts;
SELECT count(*) FROM (SELECT row_number() OVER (PARTITION BY a.bid ORDER BY b.aid)
    FROM pgbench_accounts a JOIN pgbench_accounts b ON a.aid = b.aid + 1) t;
SELECT md5(string_agg(x::text, ',')) FROM generate_series(1, 100000) x;
SELECT x % 7, count(*), md5(string_agg(repeat('v', x % 50), ';' ORDER BY x)) FROM generate_series(1, 50000) x GROUP BY 1 ORDER BY 1;
CREATE TABLE texts AS SELECT x, repeat(md5(x::text), 20 + x % 40) AS t FROM generate_series(1, 5000) x;
CREATE INDEX ON texts (md5(t));
DELETE FROM texts WHERE x % 3 = 0;
VACUUM ANALYZE texts;
SELECT count(*), md5(string_agg(t, '' ORDER BY x)) FROM texts;
DO $$ DECLARE sum bigint := 0; BEGIN
    FOR i IN 1..100000 LOOP sum := sum + length(i::text || 'x'); END LOOP; RAISE NOTICE 'sum %', sum;
END $$;
SELECT jsonb_object_agg(x, x * x)->'77' FROM generate_series(1, 2000) x;
SELECT nonsense;
END
}

commands() {
    local bin server
    bin=$(postgres_bin)
    export PGHOST=$PWD/sockets PGUSER=postgres PGDATABASE=postgres
    # The directories of the suite are root's alone.
    chmod 755 ../.. ..
    create_postgres --locale=C -E UTF8 >initdb.log
    (postgres_server -c fsync=off -c log_min_messages=panic) &
    server=$!
    until "$bin/psql" -c 'SELECT 1' >ready 2>&1; do :; done
    (as_postgres "$bin/pgbench" -i -q -s 2) 2>init.log
    (as_postgres "$bin/pgbench" -c 4 -j 2 -t $((scale * 250))) | grep -E '^number of'
    (as_postgres "$bin/pgbench" -S -M prepared -c 4 -j 4 -t $((scale * 1000))) | grep -E '^number of'
    "$bin/psql" -X -A -t -f ../input/queries.sql
    "$bin/pg_dump" -t texts >dump.sql
    "$bin/psql" -X -q -c 'DROP TABLE texts'
    "$bin/psql" -X -q -A -t -f dump.sql
    "$bin/psql" -X -A -t -c 'SELECT count(*), md5(string_agg(t, $$$$ ORDER BY x)) FROM texts'
    kill -INT $server
    wait $server
}
