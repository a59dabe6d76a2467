;; Threads that allocate, pass data through queues, and end; futures and fluids.
(use-modules (ice-9 threads) (ice-9 futures) (srfi srfi-1))
(include "common.scm")
(define (build n) (let loop ((i 0) (list '())) (if (= i n) list (loop (+ i 1) (cons (vector i (number->string i)) list)))))
(define (total list) (fold (lambda (v sum) (+ sum (vector-ref v 0) (string-length (vector-ref v 1)))) 0 list))
(define (work rounds size) (let loop ((i 0) (sum 0)) (if (= i rounds) sum (loop (+ i 1) (+ sum (total (build size)))))))
(say (map join-thread (map (lambda (i) (call-with-new-thread (lambda () (work (* scale 45) (+ 8000 i))))) (range 0 4))))
;; Producers and consumers around one bounded queue.
(define lock (make-mutex))
(define changed (make-condition-variable))
(define queue '())
(define (put! thing)
  (with-mutex lock
    (let wait () (when (> (length queue) 50) (wait-condition-variable changed lock) (wait)))
    (set! queue (cons thing queue))
    (broadcast-condition-variable changed)))
(define (take!)
  (with-mutex lock
    (let wait () (when (null? queue) (wait-condition-variable changed lock) (wait)))
    (let ((thing (car queue)))
      (set! queue (cdr queue))
      (broadcast-condition-variable changed)
      thing)))
(define each (* scale 2000))
(define producers (map (lambda (p) (call-with-new-thread (lambda () (do ((i 0 (+ i 1))) ((= i each)) (put! (build 30)))))) '(0 1)))
(define consumers
  (map (lambda (c) (call-with-new-thread
                    (lambda () (let loop ((i 0) (sum 0)) (if (= i each) sum (loop (+ i 1) (+ sum (total (take!)))))))))
       '(0 1)))
(for-each join-thread producers)
(say (apply + (map join-thread consumers)))
;; Many short threads, and futures.
(define local (make-parameter 'outside))
(say (fold + 0 (append-map (lambda (i) (map join-thread (map (lambda (j) (call-with-new-thread (lambda () (parameterize ((local j)) (+ (local) (total (build 50))))))) (range 0 8))))
                           (range 0 (* scale 60)))))
(say (fold + 0 (par-map (lambda (i) (total (build (+ 100 (modulo i 50))))) (range 0 (* scale 800)))) " " (local))
