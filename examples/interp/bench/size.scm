;;; size.scm: how large a program is to be: (size FULL SMALL), the latter when SMALL is in the environment.
(define (size full small) (if (get-environment-variable "SMALL") small full))
