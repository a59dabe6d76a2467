;;; fib.scm: calls and small integers.
(load "size.scm")

(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))
(display (fib (size 30 15)))
(newline)
