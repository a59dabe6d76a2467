;;; closures.scm: procedures that make procedures.
(load "size.scm")

(define (compose f g) (lambda (x) (f (g x))))
(define (power f n) (if (= n 0) (lambda (x) x) (compose f (power f (- n 1)))))

;; Numbers, pairs and lists of nothing but procedures.
(define (church n) (lambda (f) (power f n)))
(define (add a b) (lambda (f) (compose (a f) (b f))))
(define (times a b) (lambda (f) (a (b f))))
(define (number a) ((a (lambda (x) (+ x 1))) 0))

(define (stream f i) (lambda (choose) (choose (f i) (lambda () (stream f (+ i 1))))))
(define (sum-of stream n) (let loop ((s stream) (n n) (sum 0)) (if (= n 0) sum (s (lambda (x rest) (loop (rest) (- n 1) (+ sum x)))))))

(display (list (number (times (church (size 300 10)) (add (church 300) (church 400))))
               (sum-of (stream (lambda (x) (* x x)) 0) (size 200000 200))))
(newline)
