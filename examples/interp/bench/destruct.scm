;;; destruct.scm: lists taken apart and put together in place.
(load "size.scm")

(define (append-to-tail! x y)
  (if (null? x) y
      (let loop ((a x))
        (if (null? (cdr a)) (begin (set-cdr! a y) x) (loop (cdr a))))))

(define (destructive n m)
  (let ((l (do ((i 10 (- i 1)) (a '() (cons '() a))) ((= i 0) a))))
    (do ((i n (- i 1))) ((= i 0) l)
      (if (null? (car l))
          (do ((l l (cdr l))) ((null? l))
            (if (null? (car l)) (set-car! l (cons '() '())))
            (append-to-tail! (car l) (do ((j m (- j 1)) (a '() (cons '() a))) ((= j 0) a))))
          (do ((l1 l (cdr l1)) (l2 (cdr l) (cdr l2))) ((null? l2))
            (set-cdr!
             (do ((j (quotient (length (car l2)) 2) (- j 1)) (a (car l2) (cdr a))) ((= j 0) a)
               (set-car! a i))
             (let ((n (quotient (length (car l1)) 2)))
               (if (= n 0) (begin (set-car! l1 '()) (car l1))
                   (do ((j n (- j 1)) (a (car l1) (cdr a)))
                       ((= j 1) (let ((x (cdr a))) (set-cdr! a '()) x))
                     (set-car! a i))))))))))

(define result #f)
(do ((i 0 (+ i 1))) ((= i (size 60 2))) (set! result (destructive 600 50)))
(display (map length result))
(newline)
