;;; hash.scm: tables by number, by text, by identity, and weak.
(load "size.scm")

(define n (size 100000 300))

(define numbers (make-hash-table))
(do ((i 0 (+ i 1))) ((= i n)) (hash-table-set! numbers (* i 7919) i))
(define (sum-up) (do ((i 0 (+ i 1)) (sum 0 (+ sum (hash-table-ref/default numbers (* i 7919) 0)))) ((= i n) sum)))

(define words (make-hash-table))
(do ((i 0 (+ i 1))) ((= i n))
  (hash-table-update!/default words (string-append "w" (number->string (modulo (* i 31) 1009))) (lambda (x) (+ x 1)) 0))

(define weak (make-weak-hash-table))
(define kept
  (let loop ((i 0) (kept '()))
    (if (= i n) kept
        (let ((key (list i)))
          (hash-table-set! weak key i)
          (loop (+ i 1) (if (= 0 (modulo i 100)) (cons key kept) kept))))))
(define kept-sum (fold-left + 0 (map (lambda (key) (hash-table-ref/default weak key -1)) kept)))

(display (list (sum-up) (hash-table-count words) (fold-left max 0 (hash-table-values words)) kept-sum))
(newline)
