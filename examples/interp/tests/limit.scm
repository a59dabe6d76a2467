;;; A heap limit: what does not fit is an error like another, and the program goes on. One thread only, for the limit is
;;; the process's.
(load "check.scm")

(heap-limit! 33554432)
(define (fill-memory) (let loop ((l '())) (loop (cons (make-vector 1000 0) l))))
(check-error (fill-memory) => "out of memory")
(check-error (make-vector 100000000) => "out of memory")
(check-error (make-string 1000000000) => "out of memory")
(check (let loop ((i 0) (caught 0))
         (if (= i 5) caught
             (loop (+ i 1) (guard (e ((equal? (error-object-message e) "out of memory") (+ caught 1))) (fill-memory)))))
       => 5)
(define table (make-hash-table))
(define (fill-table) (let loop ((i 0)) (hash-table-set! table i (make-vector 100 i)) (loop (+ i 1))))
(check-error (fill-table) => "out of memory")
(check (let loop ((i 0)) (if (= i (hash-table-count table)) #t (and (= i (vector-ref (hash-table-ref table i) 0)) (loop (+ i 1)))))
       => #t)
(set! table #f)
(define (fill-text) (call-with-output-string (lambda (port) (let loop () (display "0123456789" port) (loop)))))
(check-error (fill-text) => "out of memory")
(check (guard (e (#t 'handled))
         (with-exception-handler (lambda (e) (raise 'from-handler)) (lambda () (fill-memory)))) => handled)
(heap-limit! 0)
(check (vector-length (make-vector 5000000 0)) => 5000000)

(check-summary "limit")
