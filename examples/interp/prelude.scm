;;; prelude.scm: all of the language that needs no C, but for library.scm. Each interpreter reads it when it starts.
;;;
;;; An expander is a procedure from a form to another form. What it inserts means what it means where it lands, so
;;; programs should leave the names of syntax alone.

;; ---- pairs, before there is any syntax to write with

(define (caar p) (car (car p)))
(define (cdar p) (cdr (car p)))
(define (caddr p) (car (cddr p)))
(define (cdddr p) (cdr (cddr p)))
(define (cadddr p) (car (cdddr p)))
(define (cddddr p) (cdr (cdddr p)))

(define (%map f items)
  (let loop ((items items) (done '()))
    (if (pair? items) (loop (cdr items) (cons (f (car items)) done)) (reverse done))))

;; ---- syntax

(define-expander and
  (lambda (form)
    (if (null? (cdr form)) #t
        (if (null? (cddr form)) (cadr form)
            (list 'if (cadr form) (cons 'and (cddr form)) #f)))))

(define (%quasi x depth)
  (define (nested name depth)
    (list list (list 'quote name) (%quasi (cadr x) depth)))
  (if (vector? x) (list list->vector (%quasi (vector->list x) depth))
      (if (not (pair? x)) (list 'quote x)
          (if (eq? (car x) 'unquote) (if (= depth 1) (cadr x) (nested 'unquote (- depth 1)))
              (if (eq? (car x) 'quasiquote) (nested 'quasiquote (+ depth 1))
                  (if (and (pair? (car x)) (eq? (caar x) 'unquote-splicing) (= depth 1))
                      (list append (cadr (car x)) (%quasi (cdr x) depth))
                      (list cons (%quasi (car x) depth) (%quasi (cdr x) depth))))))))
(define-expander quasiquote (lambda (form) (%quasi (cadr form) 1)))

(define-expander cond
  (lambda (form)
    (let ((clauses (cdr form)))
      (if (null? clauses) ''#f
          (let ((clause (car clauses)) (rest (cons 'cond (cdr clauses))))
            (if (not (pair? clause)) (%fail-syntax form))
            (if (eq? (car clause) 'else) (cons 'begin (cdr clause))
                (if (null? (cdr clause)) (list 'or (car clause) rest)
                    (if (eq? (cadr clause) '=>)
                        (let ((t (gensym)))
                          `(let ((,t ,(car clause))) (if ,t (,(caddr clause) ,t) ,rest)))
                        `(if ,(car clause) (begin ,@(cdr clause)) ,rest)))))))))

(define-expander when (lambda (form) `(if ,(cadr form) (begin ,@(cddr form)))))
(define-expander unless (lambda (form) `(if ,(cadr form) (begin) (begin ,@(cddr form)))))

(define-expander let*
  (lambda (form)
    (let ((bindings (cadr form)))
      (if (or (null? bindings) (null? (cdr bindings))) `(let ,bindings ,@(cddr form))
          `(let (,(car bindings)) (let* ,(cdr bindings) ,@(cddr form)))))))

(define-expander letrec
  (lambda (form)
    `(let () ,@(%map (lambda (binding) (cons 'define binding)) (cadr form)) (let () ,@(cddr form)))))
(define-expander letrec* (lambda (form) (cons 'letrec (cdr form))))

(define-expander case
  (lambda (form)
    (let ((key (gensym)))
      (define (test datum) `(,(if (%real? datum) 'eqv? 'eq?) ,key ',datum))
      (define (clause c)
        (cons (if (eq? (car c) 'else) 'else (cons 'or (%map test (car c))))
              (if (eq? (cadr c) '=>) `((,(caddr c) ,key)) (cdr c))))
      `(let ((,key ,(cadr form))) (cond ,@(%map clause (cddr form)))))))

(define-expander do
  (lambda (form)
    (let ((loop (gensym)) (bindings (cadr form)) (end (caddr form)))
      (define (binding b) (list (car b) (cadr b)))
      (define (step b) (if (null? (cddr b)) (car b) (caddr b)))
      `(let ,loop ,(%map binding bindings)
         (if ,(car end) (begin ,@(cdr end))
             (begin ,@(cdddr form) (,loop ,@(%map step bindings))))))))

(define-expander guard
  (lambda (form)
    (let ((name (car (cadr form))) (clauses (cdr (cadr form))))
      `(%guard ,name (let () ,@(cddr form)) (cond ,@clauses (else (raise-continuable ,name)))))))

(define-expander define-record-type
  (lambda (form)
    (let* ((name (cadr form)) (constructor (caddr form)) (predicate (cadddr form)) (fields (cddddr form))
           (names (%map (lambda (f) (if (pair? f) (car f) f)) fields)))
      (define (procedure sort name type n) `(define ,name (%record-procedure ,sort ',name ,type ,n)))
      (define (make-constructor)
        (cond ((not constructor) '())
              ((or (symbol? constructor) (equal? (cdr constructor) names))
               (list (procedure 0 (if (pair? constructor) (car constructor) constructor) name (length names))))
              (else `((define ,(car constructor)
                        (let ((make (%record-procedure 0 ',(car constructor) ,name ,(length names))))
                          (lambda ,(cdr constructor)
                            (make ,@(%map (lambda (f) (if (memq f (cdr constructor)) f #f)) names)))))))))
      (define (field-procedures f n)
        (if (or (not (pair? f)) (null? (cdr f))) '()
            (cons (procedure 2 (cadr f) name n)
                  (if (null? (cddr f)) '() (list (procedure 3 (caddr f) name n))))))
      `(begin
         (define ,name (%make-record-type ',name ',names))
         ,@(make-constructor)
         ,@(if predicate (list (procedure 1 predicate name 0)) '())
         ,@(let loop ((fields fields) (n 0))
             (if (null? fields) '()
                 (append (field-procedures (car fields) n) (loop (cdr fields) (+ n 1)))))))))



;; ---- control

(define call-with-current-continuation call/cc)
(define call-with-escape-continuation call/cc)

(define (dynamic-wind before thunk after)
  (before)
  (%winds (cons (cons before after) (%winds)))
  (let ((v (thunk)))
    (%winds (cdr (%winds)))
    (after)
    v))

(define (with-exception-handler handler thunk)
  (let ((outer (%handlers)))
    (%handlers (cons handler outer))
    (let ((v (thunk)))
      (%handlers outer)
      v)))

;; ---- bytevectors

(define (string->utf8 s . range) (%copy s (%start range) (%end range (string-length s)) #u8()))
(define (utf8->string b . range) (%copy b (%start range) (%end range (bytevector-length b)) ""))
(define (bytevector-copy b . range) (%copy b (%start range) (%end range (bytevector-length b)) #u8()))
(define (bytevector . bytes)
  (let ((b (make-bytevector (length bytes))))
    (let loop ((i 0) (bytes bytes))
      (if (null? bytes) b (begin (bytevector-u8-set! b i (car bytes)) (loop (+ i 1) (cdr bytes)))))))

;; ---- ports

(define (write-string s . port) (apply display s port))
(define write-char write-string)
(define (eof-object? x) (eq? x (eof-object)))
(define (read-line . port)
  (let loop ((chars '()))
    (let ((c (apply read-char port)))
      (cond ((eof-object? c) (if (null? chars) c (list->string (reverse chars))))
            ((eq? c #\newline) (list->string (reverse chars)))
            (else (loop (cons c chars)))))))
(define (with-output-to-string thunk)
  (let ((port (open-output-string)) (outer #f))
    (dynamic-wind
     (lambda () (set! outer (%output)) (%output port))
     thunk
     (lambda () (%output outer)))
    (get-output-string port)))
(define (call-with-output-string f)
  (let ((port (open-output-string)))
    (f port)
    (get-output-string port)))
