# ecl: its own roots and threads, finalizers, weak tables, and its compiler, which writes C and has gcc compile it.

packages="ecl gcc libc6-dev"
variants=(boyer loop compile)
short="boyer loop"

prepare() {
    cp "$here"/cases/ecl/*.lisp .
    ecl --norc --eval '(compile-file "boyer.lisp")' --eval '(compile-file "loop.lisp")' --eval '(ext:quit)' >compile.log 2>&1 ||
        { cat compile.log >&2 && return 1; }
    perl -e 'for my $i (0 .. shift) {
        print "(defmacro with-$i ((name) &body body) `(let ((,name (list $i))) ,\@body))\n",
            "(defun f$i (a &optional (b $i) &key (c \"text $i\"))\n  (with-$i (x) (loop for i from 0 below b collect (cons i x) into all\n",
            "    finally (return (case a ((1 2 3) (list all c)) (t (vector a (format nil \"~a-~d\" c (length all)) (flet ((g (y) (+ y $i))) (mapcar #\x27g (list a b))))))))))\n";
    } print "(print (f3 7))\n"' $((scale * 5)) >large.lisp
}

commands() {
    if [[ $1 = compile ]]; then
        cp ../input/large.lisp .
        ecl --norc --eval '(setf c::*cc-optimize* "-O0")' --eval '(compile-file "large.lisp")' --eval '(ext:quit)' | tail -n 2
        ecl --norc --load large.fas --eval '(ext:quit)'
    else
        ecl --norc --load "../input/$1.fas" --eval '(ext:quit)'
    fi
}
