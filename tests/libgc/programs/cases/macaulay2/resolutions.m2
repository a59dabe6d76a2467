-- Free resolutions, minimal and not, their Betti tables, cohomology, Tor and Ext.
scale = value getenv "scale"
for round from 1 to 2 * scale do (
    R = ZZ/32003[vars(0..7)];
    setRandomSeed(17 + round);
    I = ideal apply(4, i -> random(2, R));
    C = res I;
    print betti C;
    print betti res minors(2, genericMatrix(R, 2, 4));
    S = ZZ/101[x, y, z, w];
    N = coker random(S^2, S^{4: -1});
    print apply(4, i -> rank source gens prune Ext^i(N, S^1));
    J = monomialCurveIdeal(S, {1, 4, 7});
    print apply(3, i -> hilbertFunction(i, Tor_1(S^1/J, S^1/(ideal(x, y)))));
    print toString hilbertPolynomial(S^1/J);
    print betti res((ideal vars S)^8))
