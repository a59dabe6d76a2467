;;; prelude.scm: what the library beside it needs to be there. A record's type is the list of its name and its fields'.

(define-expander define-record-type
  (lambda (form)
    (let* ((type (cadr form)) (constructor (caddr form)) (predicate (cadddr form)) (fields (cdr (cdddr form)))
           (names (map (lambda (f) (if (pair? f) (car f) f)) fields)))
      (define (field f n)
        `((define (,(cadr f) r) (%record-ref r ,type ,n ',(cadr f)))
          ,@(if (null? (cddr f)) '()
                `((define (,(caddr f) r x) (%record-set! r ,type ,n x ',(caddr f)))))))
      `(begin
         (define ,type '(,type ,@names))
         (define ,constructor (%record ,type ,@(map (lambda (f) (if (memq f (cdr constructor)) f #f)) names)))
         (define (,predicate x) (%record? x ,type))
         ,@(append-map field fields (iota (length fields)))))))
