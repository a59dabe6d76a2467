# SWI-Prolog: terms, atoms and clauses by the thousand, its own collectors, threads and exceptions. It keeps some of its
# arrays by addresses before their starts.

packages=swi-prolog-nox
zeal=20000

prepare() {
    cat >program.pl <<'END'
:- dynamic fact/2.
:- dynamic seen/1.
scale(Scale) :- getenv(scale, Text), atom_number(Text, Scale).
sums(N) :- numlist(1, N, List), foldl([X, A, B]>>(B is A + X), List, 0, Sum), print(Sum), nl.
facts(N) :-
    forall(between(1, N, I), (atom_concat(name, I, Name), assertz(fact(Name, I)))),
    aggregate_all(count, fact(_, _), Count),
    forall((fact(Name, I), I mod 3 =:= 0), retract(fact(Name, I))),
    aggregate_all(sum(I), fact(_, I), Sum),
    print(Count-Sum), nl.
atoms(N) :-
    forall(between(1, N, I), (format(atom(Atom), 'lost ~w', [I]), atom_length(Atom, _))),
    garbage_collect_atoms, garbage_collect.
queens(N, Queens) :- numlist(1, N, List), permutation(List, Queens), safe(Queens), !.
safe([]).
safe([Q|Rest]) :- no_attack(Q, Rest, 1), safe(Rest).
no_attack(_, [], _).
no_attack(Q, [R|Rest], D) :- Q =\= R + D, Q =\= R - D, D1 is D + 1, no_attack(Q, Rest, D1).
count(N, Sum) :- numlist(1, N, List), foldl([X, A, B]>>(B is A + X mod 7), List, 0, Sum).
workers(N) :-
    findall(Thread, (between(1, 4, T), Bound is N * T, thread_create((count(Bound, S), assertz(seen(S))), Thread)), Threads),
    forall(member(Thread, Threads), thread_join(Thread, true)),
    findall(S, seen(S), All), msort(All, Sorted), print(Sorted), nl.
main :-
    scale(Scale), N is Scale * 10000,
    sums(N), facts(N), atoms(N), queens(7, Queens), print(Queens), nl, workers(N),
    Big is 3 ** 4000 mod 1000003, print(Big), nl,
    catch(atom_length(_, _), error(Error, _), (print(Error), nl)),
    catch(call_with_depth_limit(fail, 10, _), _, true) ; print(failed), nl.
END
}

commands() {
    swipl -g main -t halt ../input/program.pl
}
