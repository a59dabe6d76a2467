;;; trees.scm: binary trees of pairs.
(load "size.scm")

(define (make depth) (if (= depth 0) (cons '() '()) (cons (make (- depth 1)) (make (- depth 1)))))
(define (check tree) (if (null? (car tree)) 1 (+ 1 (check (car tree)) (check (cdr tree)))))

(define (trees most)
  (let ((long-lived (make most)))
    (do ((depth 4 (+ depth 4))) ((> depth most))
      (let ((count (expt 2 (- (+ most 4) depth))))
        (do ((i 0 (+ i 1)) (sum 0 (+ sum (check (make depth)))))
            ((= i count) (display (list count depth sum)) (newline)))))
    (display (check long-lived))
    (newline)))

(trees (size 16 6))
