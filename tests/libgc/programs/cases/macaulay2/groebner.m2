-- Groebner bases: cyclic and Katsura systems, over finite fields and over the rationals, elimination, primary decomposition.
scale = value getenv "scale"
cyclic = (n, k) -> (
    R := k[vars(0..n-1)];
    x := gens R;
    ideal append(for d from 1 to n - 1 list sum(for i to n - 1 list product(for j to d - 1 list x#((i + j) % n))), product x - 1))
katsura = (n, k) -> (
    R := k[vars(0..n)];
    x := i -> if abs i > n then 0_R else R_(abs i);
    ideal prepend(sum(-n..n, i -> x i) - 1, for m to n - 1 list sum(-n..n, i -> x i * x(m - i)) - x m))
tell = I -> (
    G := gens gb I;
    print(numgens source G, sum flatten apply(flatten entries G, f -> degree f), degree I))
for round from 1 to scale do (
    tell cyclic(5, ZZ/32003);
    tell katsura(4, QQ);
    tell katsura(5, ZZ/101);
    R = QQ[t, x, y, z, w];
    J = eliminate(t, ideal(x - t^3 - t, y - t^4 + round * t, z - t^5, w - t^2 + 1));
    print(numgens J, codim J, degree J);
    S = ZZ/101[a..d];
    D = decompose (monomialCurveIdeal(S, {1, 3, 4}) * ideal(a - b, c^2 - d^2));
    print(sort apply(D, P -> (codim P, degree P)));
    -- the interpreter's own data: lists, hash tables, strings, sets
    T = new MutableHashTable;
    scan(30000, i -> T#(toString(i * i % 1009)) = {i, new HashTable from {i => i + 1}, set {i, i + 1}});
    print(#T, sum(values T, v -> v#0), #concatenate sort keys T);
    print sum(20000, i -> (2^i % 1000003)))
