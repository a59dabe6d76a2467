;;; Coroutines: each has a stack of its own.
(load "check.scm")

(define (generator f) (make-coroutine (lambda (x) (f))))
(define c (generator (lambda () (yield 1) (yield 2) 'end)))
(check (coroutine? c) => #t)
(check (list (resume c) (resume c) (coroutine-done? c) (resume c) (coroutine-done? c)) => (1 2 #f end #t))
(check-error (resume c) => "resume: this coroutine has ended")
(check-error (yield 1) => "yield: not in a coroutine")
(check-error (resume 5) => "resume: expected a coroutine, got 5")

;; values in both directions
(define adder (make-coroutine (lambda (x) (let loop ((sum x)) (loop (+ sum (yield sum)))))))
(check (let* ((a (resume adder 1)) (b (resume adder 10)) (c (resume adder 100))) (list a b c)) => (1 11 111))

;; from inside anything
(define (tree-walk tree) (if (pair? tree) (begin (tree-walk (car tree)) (tree-walk (cdr tree))) (if (not (null? tree)) (yield tree))))
(define (all-of co) (let loop ((done '())) (let ((v (resume co))) (if (coroutine-done? co) (reverse done) (loop (cons v done))))))
(check (all-of (generator (lambda () (tree-walk '((1 2) (3 (4)) 5))))) => (1 2 3 4 5))
(check (all-of (generator (lambda () (for-each yield '(a b c))))) => (a b c))
(check (all-of (generator (lambda () (sort '(2 1) (lambda (x y) (yield (list x y)) (< x y)))))) => ((1 2)))

;; one within another
(define (squares n) (generator (lambda () (do ((i 0 (+ i 1))) ((= i n)) (yield (* i i))))))
(define (evens co) (generator (lambda () (let loop () (let ((v (resume co))) (if (not (coroutine-done? co)) (begin (if (even? v) (yield v)) (loop))))))))
(check (all-of (evens (squares 10))) => (0 4 16 36 64))
(define self #f)
(set! self (generator (lambda () (resume self))))
(check-error (resume self) => "resume: this coroutine runs already")

;; errors and escapes
(define failing (generator (lambda () (yield 1) (car 5))))
(check (resume failing) => 1)
(check-error (resume failing) => "car: expected a pair, got 5")
(check (coroutine-done? failing) => #t)
(define guarded (generator (lambda () (guard (e (#t (yield (list 'caught e)))) (yield 1) (raise 'oops)) 'end)))
(check (list (resume guarded) (resume guarded) (resume guarded)) => (1 (caught oops) end))
(check (guard (e (#t (list 'outer e))) (resume (generator (lambda () (raise 'inner))))) => (outer inner))
(check (call/cc (lambda (k) (guard (e (#t 'refused)) (resume (generator (lambda () (k 1))))))) => refused)
(define (deep n) (+ 1 (deep n)))
(check-error (resume (generator (lambda () (deep 0)))) => "recursion too deep")
(define trail '())
(define wound (generator (lambda () (dynamic-wind (lambda () (set! trail (cons 'in trail))) (lambda () (yield 1)) (lambda () (set! trail (cons 'out trail)))))))
(check (begin (resume wound) (resume wound) (reverse trail)) => (in out))

;; what only a parked stack holds lives; what nobody can reach goes, in the middle of its work
(define (holder n) (generator (lambda () (let ((mine (iota n))) (yield 'parked) (apply + mine)))))
(define holders (map holder (make-list 50 100)))
(for-each resume holders)
(gc)
(do ((i 0 (+ i 1))) ((= i 1000)) (iota 100))
(gc)
(check (every (lambda (co) (= (resume co) 4950)) holders) => #t)
(define dropped 0)
(define (count-drop x) (set! dropped (+ dropped 1)))
(define (drop-one) (let ((co (generator (lambda () (let ((mine (list 'mine))) (set-finalizer! mine count-drop) (yield 1) mine))))) (resume co)))
(define (scrub n) (if (= n 0) 0 (+ 1 (scrub (- n 1)))))
(do ((i 0 (+ i 1))) ((= i 50)) (drop-one))
;; One stale word can keep some of them for a round or two, and the finalizers may be on their way on another thread.
(define (await ready? rounds)
  (scrub 200)
  (gc)
  (run-finalizers)
  (or (ready?) (and (> rounds 0) (await ready? (- rounds 1)))))
(check (await (lambda () (>= dropped 42)) 100) => #t)

;; many, in turn
(define many (map (lambda (i) (generator (lambda () (let loop ((n i)) (yield n) (loop (+ n 1)))))) (iota 200)))
(define (round-robin n) (if (= n 0) 'done (begin (for-each resume many) (round-robin (- n 1)))))
(check (round-robin 20) => done)
(check (apply + (map resume many)) => 23900)

(check-summary "coroutines")
