;;; generator.scm: a pipeline of coroutines, and many of them in turn.
(load "size.scm")

(define (generator f) (make-coroutine (lambda (x) (f) (eof-object))))
(define (numbers n) (generator (lambda () (do ((i 0 (+ i 1))) ((= i n)) (yield i)))))
(define (map-over f source)
  (generator (lambda () (let loop () (let ((x (resume source))) (if (not (eof-object? x)) (begin (yield (f x)) (loop))))))))
(define (keep f source)
  (generator (lambda () (let loop () (let ((x (resume source))) (if (not (eof-object? x)) (begin (if (f x) (yield x)) (loop))))))))
(define (sum source) (let loop ((sum 0)) (let ((x (resume source))) (if (eof-object? x) sum (loop (+ sum x))))))

(define (short-lived n)
  (let loop ((i 0) (sum 0))
    (if (= i n) sum
        (let ((source (numbers 10)))
          (resume source)
          (loop (+ i 1) (+ sum (resume source)))))))

(display (list (sum (keep even? (map-over (lambda (x) (* x 3)) (numbers (size 200000 200))))) (short-lived (size 5000 50))))
(newline)
