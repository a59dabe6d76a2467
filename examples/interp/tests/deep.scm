;;; Recursion that is too deep is an error, wherever it happens, and afterwards all is well.
(load "check.scm")

(define (endless n) (+ 1 (endless (+ n 1))))
(check-error (endless 0) => "recursion too deep")
(check-error (let loop ((l '())) (+ 1 (loop (list l)))) => "recursion too deep")
(define (nested n) (let loop ((n n) (l '())) (if (= n 0) l (loop (- n 1) (list l)))))
(check-error (equal? (nested 1000000) (nested 1000000)) => "recursion too deep")
(check-error (with-output-to-string (lambda () (display (nested 1000000)))) => "recursion too deep")
(check-error (read (open-input-string (make-string 1000000 #\())) => "recursion too deep")
(check-error (eval (let loop ((n 1000000) (form 1)) (if (= n 0) form (loop (- n 1) (list '- form))))) => "recursion too deep")
(check (let loop ((n 1000)) (if (= n 0) 'fine (+ 0 (begin (loop (- n 1)) 0)))) => 0)
(check (guard (e (#t 'caught)) (with-exception-handler (lambda (e) (endless 0)) (lambda () (endless 0)))) => caught)
(define (count-up n) (if (= n 0) 0 (+ 1 (count-up (- n 1)))))
(check (count-up 10000) => 10000)

(check-summary "deep")
