;;; deriv.scm: symbolic derivation; symbols, lists, map.
(load "size.scm")

(define (deriv e)
  (if (not (pair? e)) (if (eq? e 'x) 1 0)
      (case (car e)
        ((+) (cons '+ (map deriv (cdr e))))
        ((-) (cons '- (map deriv (cdr e))))
        ((*) (list '* e (cons '+ (map (lambda (f) (list '/ (deriv f) f)) (cdr e)))))
        ((/) (list '- (list '/ (deriv (cadr e)) (caddr e))
                   (list '/ (cadr e) (list '* (caddr e) (caddr e) (deriv (caddr e))))))
        (else (error "no rule for" (car e))))))

(define (count e) (if (pair? e) (+ (count (car e)) (count (cdr e))) 1))

(do ((i 0 (+ i 1)) (sum 0 (+ sum (count (deriv '(+ (* 3 x x) (* a x x) (* b x) 5))))))
    ((= i (size 100000 300)) (display sum) (newline)))
