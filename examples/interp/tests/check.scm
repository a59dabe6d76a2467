;;; check.scm: (check FORM => VALUE), where the value is written as it prints, and (check-error FORM => "REPORT").

(define checks 0)
(define failures 0)

(define (%check form thunk expected)
  (let ((got (guard (e (#t (list 'raised (error-report e)))) (thunk))))
    (set! checks (+ checks 1))
    (if (not (equal? got expected))
        (begin
          (set! failures (+ failures 1))
          (write form) (display " gives ") (write got) (display ", not ") (write expected) (newline)))))

(define-expander check
  (lambda (form) `(%check ',(cadr form) (lambda () ,(cadr form)) ',(cadddr form))))

;; The report without the place.
(define (%report thunk)
  (guard (e ((error-object? e)
             (call-with-output-string
              (lambda (port)
                (display (error-object-message e) port)
                (for-each (lambda (x) (display " " port) (write x port)) (error-object-irritants e)))))
            (#t (list 'raised e)))
    (thunk)
    'nothing-raised))

(define-expander check-error
  (lambda (form) `(%check ',(cadr form) (lambda () (%report (lambda () ,(cadr form)))) ',(cadddr form))))

;; An error of the compiler: it comes before anything runs.
(define-expander check-syntax
  (lambda (form) `(check-error (eval ',(cadr form)) => ,(cadddr form))))

(define (check-summary name)
  (display name) (display ": ") (display checks) (display " checks, ") (display failures) (display " failed")
  (newline))
