# guile-3.0: free lists of its own, mark procedures, weak tables, guardians, its own stack maps. Programs compiled before, and
# its compiler on a large file.

packages=guile-3.0
variants=(gcbench boyer earley parsing weak guardians threads callcc deep ports tables bignums permutations streams compiler)
short=yes

# compile FILE OUTPUT: as `guild compile` does, which is in another package.
compile() {
    guile -c '(use-modules (system base compile))
(let ((arguments (command-line)))
  (compile-file (cadr arguments) #:output-file (caddr arguments)))' "$1" "$2"
}

# A large file: procedures of every shape, and calls of them.
generate() {
    perl -e 'my $n = shift;
        for my $i (0 .. $n - 1) {
            my $j = $i ? $i - 1 : 0;
            print "(define (f$i a b)\n  (let loop ((i 0) (list (quote ())))\n    (cond ((= i $i) (vector a b list))\n",
                "          ((string? a) (loop (+ i 1) (cons (string-append a \"text $i\") list)))\n",
                "          (else (let* ((x (* i 2)) (y (+ x b)) (z (lambda (k) (if (> k y) (list x y k) (g$j k x)))))\n",
                "                  (loop (+ i 1) (cons (z i) list)))))))\n",
                "(define-syntax-rule (m$i form ...) (begin (let ((v $i)) form ...)))\n",
                "(define* (g$i a #:optional (b $i) . rest)\n  (m$i (case a ((1 2 3) (quote (a \"b\" #(c $i)))) ((x) (apply f$i b rest))\n",
                "    (else (call-with-values (lambda () (values a b)) (lambda (p q) (do ((i 0 (+ i 1))) ((> i 3) p) (set! q (cons i q)))))))))\n";
        }
        print "(display (vector-length (f3 1 2)))\n(newline)\n";' "$1"
}

prepare() {
    local program
    for program in "${variants[@]}"; do
        [[ $program = compiler ]] || compile "$here/cases/guile/$program.scm" "$PWD/$program.go"
    done 2>compile.log || { cat compile.log >&2 && return 1; }
    generate $((scale * 9)) >large.scm
}

commands() {
    if [[ $1 = compiler ]]; then
        compile ../input/large.scm large.go
        cksum <large.go
        guile -c '(load-compiled "large.go")'
    else
        guile -c '(load-compiled (cadr (command-line)))' "$PWD/../input/$1.go"
    fi
}
