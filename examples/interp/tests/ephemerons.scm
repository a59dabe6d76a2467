;;; Values that lead back to their keys; only with ephemerons.
(load "check.scm")

(define (scrub n) (if (= n 0) 0 (+ 1 (scrub (- n 1)))))
(define (collect!) (scrub 200) (gc) (scrub 200) (gc))
(define (await ready? rounds)
  (collect!)
  (or (ready?) (and (> rounds 0) (await ready? (- rounds 1)))))

(define weak (make-weak-hash-table))
(define (fill! n)
  (do ((i 0 (+ i 1))) ((= i n))
    (let ((key (list i)))
      (hash-table-set! weak key (vector key i)))))
(fill! 500)
(check (await (lambda () (< (hash-table-count weak) 100)) 20) => #t)

;; a chain: each value is the next key
(define (chain! key n)
  (if (> n 0)
      (let ((next (list n)))
        (hash-table-set! weak key next)
        (chain! next (- n 1)))))
(define (chain-length key n)
  (let ((next (hash-table-ref/default weak key #f)))
    (if next (chain-length next (+ n 1)) n)))
(define first-key (list 'first))
(chain! first-key 1000)
(collect!)
(check (chain-length first-key 0) => 1000)
(hash-table-clear! weak)

;; chains that nobody holds: short ones, for a forgotten word on a stack keeps all that is left of its chain
(do ((i 0 (+ i 1))) ((= i 100)) (chain! (list 'first) 10))
(check (await (lambda () (< (hash-table-count weak) 100)) 20) => #t)

(check-summary "ephemerons")
