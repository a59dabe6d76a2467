;;; tak.scm: calls of three arguments.
(load "size.scm")

(define (tak x y z)
  (if (not (< y x)) z
      (tak (tak (- x 1) y z) (tak (- y 1) z x) (tak (- z 1) x y))))

;; The same on lists of that length.
(define (shorter? a b) (and (pair? b) (or (null? a) (shorter? (cdr a) (cdr b)))))
(define (takl x y z)
  (if (not (shorter? y x)) z
      (takl (takl (cdr x) y z) (takl (cdr y) z x) (takl (cdr z) x y))))

(display (list (tak (size 18 9) 12 6) (length (takl (iota (size 18 9)) (iota 12) (iota 6)))))
(newline)
