;;; What the collector does for the language: weak tables, finalizers, symbols, a limit that can be caught.
(load "check.scm")

;; Garbage is made in a call that has returned, with other calls after it, so that no word of it is left on the stack.
(define (scrub n) (if (= n 0) 0 (+ 1 (scrub (- n 1)))))
(define (collect!) (scrub 200) (gc) (scrub 200) (gc))

;; A conservative collector may keep a few objects that only look reachable.
(define (nearly-all? n of) (>= n (- of 8)))

;; Finalizers may be on their way on another thread.
(define (await ready? rounds)
  (collect!)
  (or (ready?) (and (> rounds 0) (await ready? (- rounds 1)))))

(define weak (make-weak-hash-table))
(define kept '())
(define (fill! n)
  (do ((i 0 (+ i 1))) ((= i n))
    (let ((key (list i)))
      (if (< i 10) (set! kept (cons key kept)))
      (hash-table-set! weak key i))))
(fill! 500)
(check (<= 10 (hash-table-count weak) 500) => #t)
(check (await (lambda () (nearly-all? (- 500 (hash-table-count weak)) 490)) 100) => #t)
(check (map (lambda (k) (hash-table-ref/default weak k 'lost)) kept) => (9 8 7 6 5 4 3 2 1 0))
(check-error (hash-table-set! weak 5 1) => "hash-table-set!: expected a key that can die, got 5")
(check-error (hash-table-set! weak 1.5 1) => "hash-table-set!: expected a key that can die, got 1.5")
(fill! 500)
(check (map (lambda (k) (hash-table-ref/default weak k 'lost)) (list-tail kept 10)) => (9 8 7 6 5 4 3 2 1 0))

;; strings, vectors, procedures and symbols are keys as well as pairs
(define some-keys (list "s" (vector 1) car (string->symbol "a-symbol") (lambda () 1)))
(for-each (lambda (k) (hash-table-set! weak k 'here)) some-keys)
(collect!)
(check (map (lambda (k) (hash-table-ref/default weak k #f)) some-keys) => (here here here here here))

;; symbols that nobody names are forgotten, and come back as themselves while they are named
(define a-symbol (string->symbol "a rare symbol"))
(do ((i 0 (+ i 1))) ((= i 3000)) (string->symbol (string-append "garbage" (number->string i))))
(collect!)
(check (eq? a-symbol (string->symbol "a rare symbol")) => #t)

;; finalizers
(define finalized 0)
(define (count-it object) (set! finalized (+ finalized (car object))))
(define (make-finalizable n) (do ((i 0 (+ i 1))) ((= i n)) (set-finalizer! (list 1 i) count-it)))
(make-finalizable 100)
(check (await (lambda () (run-finalizers) (nearly-all? finalized 100)) 100) => #t)
(check-error (set-finalizer! 5 car) => "set-finalizer!: expected an object that can be collected, got 5")

;; one that is brought back to life
(define saved '())
(define (save object) (set! saved (cons object saved)))
(define (make-phoenix n) (do ((i 0 (+ i 1))) ((= i n)) (set-finalizer! (vector 'phoenix i) save)))
(make-phoenix 20)
(check (await (lambda () (run-finalizers) (nearly-all? (length saved) 20)) 100) => #t)
(check (every (lambda (v) (eq? (vector-ref v 0) 'phoenix)) saved) => #t)

;; they run by themselves, at calls
(set! finalized 0)
(make-finalizable 100)
(check (await (lambda () (nearly-all? finalized 100)) 100) => #t)

(check (> (gc-count) 0) => #t)
(check (> (heap-bytes) 0) => #t)

(check-summary "collector")
