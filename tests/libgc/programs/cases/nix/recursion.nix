# Deep recursion and laziness: queens, a prime sieve, Fibonacci without memory, long chains of thunks, big lists.
let
  scale = builtins.fromJSON (builtins.getEnv "scale");
  range = from: to: if to < from then [ ] else builtins.genList (i: from + i) (to - from + 1);
  fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2);
  sum = list: if list == null then 0 else list.head + sum list.tail;
  chain = n: if n == 0 then null else { head = n; tail = chain (n - 1); };
  safe = column: placed: builtins.all (p: p.column != column && p.column - column != p.row && column - p.column != p.row) placed;
  queens = n:
    let place = row: placed: if row == n then 1 else
      builtins.foldl' (all: column: if safe column placed
        then all + place (row + 1) (map (p: { inherit (p) column; row = p.row + 1; }) placed ++ [ { inherit column; row = 1; } ])
        else all) 0 (range 1 n);
    in place 0 [ ];
  sieve = list: if list == [ ] then [ ] else
    let p = builtins.head list; in [ p ] ++ sieve (builtins.filter (n: n - (n / p) * p != 0) (builtins.tail list));
  round = i: fib 21 + sum (chain (3000 + i)) + queens 7 + builtins.length (sieve (range 2 2500))
    + builtins.length (builtins.concatLists (builtins.genList (i: range 0 60) 2000));
in builtins.foldl' (all: i: all + round i) 0 (range 1 (scale * 10))
