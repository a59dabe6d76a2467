;;; prelude.scm: all of the language that needs no C. Each interpreter reads it when it starts.
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

(define (%fail-syntax form) (error "bad syntax" form))

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

(define-expander delay (lambda (form) `(%make-promise #f (lambda () ,(cadr form)))))
(define-expander delay-force (lambda (form) `(delay (force ,(cadr form)))))
(define-expander assert
  (lambda (form) `(if ,(cadr form) #t (error "assertion failed" ',(cadr form)))))
(define-expander let-values
  (lambda (form)
    (let ((bindings (cadr form)))
      (if (null? bindings) `(let () ,@(cddr form))
          `(call-with-values (lambda () ,(cadr (car bindings)))
             (lambda ,(caar bindings) (let-values ,(cdr bindings) ,@(cddr form))))))))
(define-expander let*-values (lambda (form) (cons 'let-values (cdr form))))
(define-expander receive
  (lambda (form) `(call-with-values (lambda () ,(caddr form)) (lambda ,(cadr form) ,@(cdddr form)))))
(define-expander case-lambda
  (lambda (form)
    `(%case-lambda ,@(%map (lambda (clause) `(cons ',(car clause) (lambda ,@clause))) (cdr form)))))

(define (%case-lambda . choices)
  (define (fits? formals count)
    (if (pair? formals) (and (> count 0) (fits? (cdr formals) (- count 1)))
        (or (not (null? formals)) (= count 0))))
  (lambda items
    (let loop ((rest choices))
      (cond ((null? rest) (error "case-lambda: no clause for so many arguments" (length items)))
            ((fits? (caar rest) (length items)) (apply (cdar rest) items))
            (else (loop (cdr rest)))))))

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

;; (syntax-rules (literal ...) (pattern template) ...), without hygiene; an ellipsis may be followed by more.
(define-expander define-syntax (lambda (form) `(define-expander ,(cadr form) ,(caddr form))))
(define-expander syntax-rules
  (lambda (form) `(lambda (form) (%apply-rules form ',(cadr form) ',(cddr form)))))

(define (%apply-rules form literals rules)
  (if (null? rules) (%fail-syntax form)
      (let ((found (%match (cdr (caar rules)) (cdr form) literals '())))
        (if found (%fill (cadr (car rules)) found) (%apply-rules form literals (cdr rules))))))

(define (%dots? x) (and (pair? x) (pair? (cdr x)) (eq? (cadr x) '...)))

;; What the variables of the pattern stand for, before `found`; #f if it does not fit.
(define (%match pattern form literals found)
  (cond ((not found) #f)
        ((symbol? pattern)
         (cond ((memq pattern literals) (and (eq? pattern form) found))
               ((eq? pattern '_) found)
               (else (cons (cons pattern form) found))))
        ((%dots? pattern)
         (let* ((after (%pattern-length (cddr pattern))) (many (- (%pattern-length form) after)))
           (and (>= many 0)
                (let loop ((form form) (many many) (done '()))
                  (if (> many 0)
                      (let ((one (%match (car pattern) (car form) literals '())))
                        (and one (loop (cdr form) (- many 1) (cons one done))))
                      (%match (cddr pattern) form literals
                              (append (%spread (car pattern) literals (reverse done)) found)))))))
        ((pair? pattern)
         (and (pair? form)
              (%match (cdr pattern) (cdr form) literals (%match (car pattern) (car form) literals found))))
        (else (and (equal? pattern form) found))))

(define (%pattern-length x) (if (pair? x) (+ 1 (%pattern-length (cdr x))) 0))

(define (%pattern-names pattern literals)
  (cond ((symbol? pattern) (if (or (memq pattern '(... _)) (memq pattern literals)) '() (list pattern)))
        ((pair? pattern) (append (%pattern-names (car pattern) literals) (%pattern-names (cdr pattern) literals)))
        (else '())))

;; Each name with the list of what it stands for in turn, marked as such.
(define (%spread pattern literals matches)
  (%map (lambda (name) (cons name (cons '... (%map (lambda (m) (cdr (assq name m))) matches))))
        (%pattern-names pattern literals)))

(define (%fill template found)
  (cond ((symbol? template) (let ((entry (assq template found))) (if entry (cdr entry) template)))
        ((and (pair? template) (eq? (car template) '...)) (cadr template))
        ((%dots? template)
         (let* ((names (%pattern-names (car template) '()))
                (many (filter (lambda (e) (and (memq (car e) names) (pair? (cdr e)) (eq? (cadr e) '...))) found)))
           (if (null? many) (error "nothing to repeat in a template" template))
           (let loop ((lists (%map (lambda (e) (cons (car e) (cddr e))) many)) (done '()))
             (if (any (lambda (l) (null? (cdr l))) lists)
                 (append (reverse done) (%fill (cddr template) found))
                 (loop (%map (lambda (l) (cons (car l) (cddr l))) lists)
                       (cons (%fill (car template)
                                    (append (%map (lambda (l) (cons (car l) (cadr l))) lists) found))
                             done))))))
        ((pair? template) (cons (%fill (car template) found) (%fill (cdr template) found)))
        (else template)))

;; ---- lists

(define (list-tail items n) (if (= n 0) items (list-tail (cdr items) (- n 1))))
(define (list-ref items n) (car (list-tail items n)))
(define (list-copy items) (append items '()))
(define (last-pair items) (if (pair? (cdr items)) (last-pair (cdr items)) items))

(define (%member same?)
  (lambda (x items)
    (let loop ((items items))
      (and (pair? items) (if (same? x (car items)) items (loop (cdr items)))))))
(define (memq x items) (and (pair? items) (if (eq? x (car items)) items (memq x (cdr items)))))
(define memv (%member eqv?))
(define (member x items . same) ((%member (if (pair? same) (car same) equal?)) x items))

(define (%assoc same?)
  (lambda (x items)
    (let loop ((items items))
      (and (pair? items) (if (same? x (caar items)) (car items) (loop (cdr items)))))))
(define (assq x items) (and (pair? items) (if (eq? x (caar items)) (car items) (assq x (cdr items)))))
(define assv (%assoc eqv?))
(define (assoc x items . same) ((%assoc (if (pair? same) (car same) equal?)) x items))

(define (any f items) (and (pair? items) (or (f (car items)) (any f (cdr items)))))
(define (every f items) (or (null? items) (and (f (car items)) (every f (cdr items)))))

(define (map f items . more)
  (if (null? more) (%map f items)
      (let loop ((lists (cons items more)) (done '()))
        (if (every pair? lists)
            (loop (%map cdr lists) (cons (apply f (%map car lists)) done))
            (reverse done)))))

(define (for-each f items . more)
  (if (pair? more) (begin (apply map f items more) (if #f #f))
      (let loop ((items items)) (if (pair? items) (begin (f (car items)) (loop (cdr items)))))))

(define (filter f items)
  (let loop ((items items) (done '()))
    (cond ((null? items) (reverse done))
          ((f (car items)) (loop (cdr items) (cons (car items) done)))
          (else (loop (cdr items) done)))))
(define (remove f items) (filter (lambda (x) (not (f x))) items))
(define (fold-left f x items) (if (null? items) x (fold-left f (f x (car items)) (cdr items))))
(define (fold-right f x items) (fold-left (lambda (x item) (f item x)) x (reverse items)))
(define (fold f x items) (fold-left (lambda (x item) (f item x)) x items))
(define (reduce f x items) (if (null? items) x (fold f (car items) (cdr items))))
(define (delete x items) (remove (lambda (y) (equal? x y)) items))
(define (append-map f items) (apply append (map f items)))

(define (iota n . more)
  (let ((start (if (pair? more) (car more) 0)) (step (if (and (pair? more) (pair? (cdr more))) (cadr more) 1)))
    (do ((i (- n 1) (- i 1)) (done '() (cons (+ start (* i step)) done))) ((< i 0) done))))
(define (make-list n . fill)
  (do ((i 0 (+ i 1)) (done '() (cons (if (pair? fill) (car fill) #f) done))) ((= i n) done)))

(define (%merge a b less?)
  (let loop ((a a) (b b) (done '()))
    (cond ((null? a) (append (reverse done) b))
          ((null? b) (append (reverse done) a))
          ((less? (car b) (car a)) (loop a (cdr b) (cons (car b) done)))
          (else (loop (cdr a) b (cons (car a) done))))))
(define (sort items less?)
  (define (sort-list items n)
    (if (= n 1) (list (car items))
        (let ((half (quotient n 2)))
          (%merge (sort-list items half) (sort-list (list-tail items half) (- n half)) less?))))
  (cond ((vector? items) (list->vector (sort (vector->list items) less?)))
        ((null? items) '())
        (else (sort-list items (length items)))))

;; ---- numbers

(define (real? x) (number? x))
(define (rational? x) (number? x))
(define (exact? x) (if (number? x) (exact-integer? x) (error "exact?: expected a number, got" x)))
(define (inexact? x) (not (exact? x)))
(define exact->inexact inexact)
(define inexact->exact exact)
(define (positive? x) (> x 0))
(define (negative? x) (< x 0))
(define (odd? x) (not (zero? (remainder x 2))))
(define (even? x) (zero? (remainder x 2)))
(define (nan? x) (not (= x x)))
(define (1+ x) (+ x 1))
(define (square x) (* x x))
(define (abs x) (if (< x 0) (- x) x))
(define truncate-quotient quotient)
(define truncate-remainder remainder)
(define floor-remainder modulo)
(define (floor-quotient a b) (quotient (- a (modulo a b)) b))
(define (tan x) (/ (sin x) (cos x)))

(define (%extreme better?)
  (lambda (x . more)
    (let loop ((x x) (more more) (exact #t))
      (let ((exact (and exact (exact? x))))
        (cond ((null? more) (if exact x (inexact x)))
              ((better? (car more) x) (loop (car more) (cdr more) exact))
              (else (loop x (cdr more) (and exact (exact? (car more))))))))))
(define max (%extreme >))
(define min (%extreme <))

(define (%gcd a b) (if (zero? b) (abs a) (%gcd b (remainder a b))))
(define (gcd . numbers) (fold-left %gcd 0 numbers))
(define (lcm . numbers)
  (fold-left (lambda (a b) (if (zero? b) 0 (abs (* a (quotient b (%gcd a b)))))) 1 numbers))

(define (expt base power)
  (cond ((not (and (exact-integer? power) (exact? base) (>= power 0))) (%pow base power))
        ((= power 0) 1)
        ((even? power) (expt (* base base) (quotient power 2)))
        (else (* base (expt base (- power 1))))))

(define (exact-integer-sqrt n) (let ((root (exact (floor (sqrt n))))) (values root (- n (* root root)))))

;; ---- several values, promises, parameters

(define-record-type <values> (%make-values items) %values? (items %values-items))
(define (values . items) (if (and (pair? items) (null? (cdr items))) (car items) (%make-values items)))
(define (call-with-values producer consumer)
  (let ((v (producer))) (if (%values? v) (apply consumer (%values-items v)) (consumer v))))

(define-record-type <promise> (%make-promise done content) promise? (done %promise-done %promise-done!)
  (content %promise-content %promise-content!))
(define (make-promise x) (if (promise? x) x (%make-promise #t x)))
(define (force p)
  (cond ((not (promise? p)) p)
        ((%promise-done p) (%promise-content p))
        (else
         (let ((v ((%promise-content p))))
           (if (not (%promise-done p)) (begin (%promise-done! p #t) (%promise-content! p v)))
           (%promise-content p)))))

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

;; ---- characters and strings

(define (%comparison key)
  (lambda (holds?)
    (lambda (a b . more)
      (let loop ((a a) (b b) (more more))
        (and (holds? (key a b) 0) (or (null? more) (loop b (car more) (cdr more))))))))
(define %char-comparison (%comparison (lambda (a b) (- (char->integer a) (char->integer b)))))
(define char=? (%char-comparison =))
(define char<? (%char-comparison <))
(define char>? (%char-comparison >))
(define char<=? (%char-comparison <=))
(define char>=? (%char-comparison >=))
(define %string-comparison (%comparison %string-compare))
(define string=? (%string-comparison =))
(define string<? (%string-comparison <))
(define string>? (%string-comparison >))
(define string<=? (%string-comparison <=))
(define string>=? (%string-comparison >=))

(define (%char-between? low high) (lambda (c) (<= low (char->integer c) high)))
(define char-numeric? (%char-between? 48 57))
(define char-upper-case? (%char-between? 65 90))
(define char-lower-case? (%char-between? 97 122))
(define (char-alphabetic? c) (or (char-upper-case? c) (char-lower-case? c)))
(define (char-whitespace? c) (if (memv c '(#\space #\newline #\tab #\return)) #t #f))
(define (char-upcase c) (if (char-lower-case? c) (integer->char (- (char->integer c) 32)) c))
(define (char-downcase c) (if (char-upper-case? c) (integer->char (+ (char->integer c) 32)) c))
(define (digit-value c) (and (char-numeric? c) (- (char->integer c) 48)))

(define (%start range) (if (pair? range) (car range) 0))
(define (%end range length) (if (and (pair? range) (pair? (cdr range))) (cadr range) length))

(define (substring s start end) (%copy s start end ""))
(define (string-copy s . range) (%copy s (%start range) (%end range (string-length s)) ""))
(define (string->utf8 s . range) (%copy s (%start range) (%end range (string-length s)) #u8()))
(define (utf8->string b . range) (%copy b (%start range) (%end range (bytevector-length b)) ""))
(define (bytevector-copy b . range) (%copy b (%start range) (%end range (bytevector-length b)) #u8()))
(define (bytevector . bytes)
  (let ((b (make-bytevector (length bytes))))
    (let loop ((i 0) (bytes bytes))
      (if (null? bytes) b (begin (bytevector-u8-set! b i (car bytes)) (loop (+ i 1) (cdr bytes)))))))

;; The elements of [start, end) as a list.
(define (%elements ref)
  (lambda (v start end) (do ((i (- end 1) (- i 1)) (done '() (cons (ref v i) done))) ((< i start) done))))
(define %string-elements (%elements string-ref))
(define %vector-elements (%elements vector-ref))
(define (string->list s . range) (%string-elements s (%start range) (%end range (string-length s))))
(define (vector->list v . range) (%vector-elements v (%start range) (%end range (vector-length v))))
(define (list->string chars)
  (let ((s (make-string (length chars))))
    (let loop ((i 0) (chars chars))
      (if (null? chars) s (begin (string-set! s i (car chars)) (loop (+ i 1) (cdr chars)))))))
(define (string . chars) (list->string chars))
(define (string-upcase s) (list->string (map char-upcase (string->list s))))
(define (string-downcase s) (list->string (map char-downcase (string->list s))))
(define (string-map f . strings) (list->string (apply map f (map string->list strings))))
(define (string-for-each f . strings) (apply for-each f (map string->list strings)))
(define (string-null? s) (= (string-length s) 0))
(define (string-join strings between)
  (if (null? strings) ""
      (apply string-append (car strings)
             (append-map (lambda (s) (list between s)) (cdr strings)))))
(define (string-index s c)
  (let ((end (string-length s)))
    (let loop ((i 0)) (and (< i end) (if (eq? c (string-ref s i)) i (loop (+ i 1)))))))
(define (string-search s part)
  (let ((last (- (string-length s) (string-length part))))
    (let loop ((i 0))
      (and (<= i last) (if (string=? part (substring s i (+ i (string-length part)))) i (loop (+ i 1)))))))
(define (symbol=? a b) (eq? a b))
(define (boolean? x) (or (eq? x #t) (eq? x #f)))
(define (boolean=? a b) (eq? a b))
(define (void) (if #f #f))

;; ---- vectors

(define (list->vector items)
  (let ((v (make-vector (length items))))
    (let loop ((i 0) (items items))
      (if (null? items) v (begin (vector-set! v i (car items)) (loop (+ i 1) (cdr items)))))))
(define (vector-fill! v x . range)
  (let ((end (%end range (vector-length v))))
    (do ((i (%start range) (+ i 1))) ((>= i end)) (vector-set! v i x))))
(define (vector-copy! to at from . range)
  (let ((start (%start range)) (end (%end range (vector-length from))))
    (if (< at start)
        (do ((i start (+ i 1))) ((>= i end)) (vector-set! to (+ at (- i start)) (vector-ref from i)))
        (do ((i (- end 1) (- i 1))) ((< i start)) (vector-set! to (+ at (- i start)) (vector-ref from i))))))
(define (vector-copy v . range)
  (let* ((start (%start range)) (end (%end range (vector-length v))) (copy (make-vector (- end start))))
    (vector-copy! copy 0 v start end)
    copy))
(define subvector vector-copy)
(define (vector-append . vectors) (list->vector (append-map vector->list vectors)))
(define (vector-map f . vectors) (list->vector (apply map f (map vector->list vectors))))
(define (vector-for-each f . vectors) (apply for-each f (map vector->list vectors)))

;; ---- hash tables

(define (make-hash-table) (%make-table #t #f))
(define make-equal-hash-table make-hash-table)
(define (make-eq-hash-table) (%make-table #f #f))
(define make-eqv-hash-table make-eq-hash-table)
(define (make-weak-hash-table) (%make-table #f #t))

(define %none (list 'none))
(define (hash-table-contains? table key) (not (eq? %none (hash-table-ref/default table key %none))))
(define (hash-table-ref table key . otherwise)
  (let ((v (hash-table-ref/default table key %none)))
    (cond ((not (eq? v %none)) v)
          ((pair? otherwise) ((car otherwise)))
          (else (error "hash-table-ref: no such key" key)))))
(define (hash-table-update! table key f . otherwise)
  (hash-table-set! table key (f (apply hash-table-ref table key otherwise))))
(define (hash-table-update!/default table key f otherwise)
  (hash-table-set! table key (f (hash-table-ref/default table key otherwise))))
(define (hash-table-keys table) (map car (hash-table->alist table)))
(define (hash-table-values table) (map cdr (hash-table->alist table)))
(define (hash-table-walk table f) (for-each (lambda (e) (f (car e) (cdr e))) (hash-table->alist table)))
(define (alist->hash-table items)
  (let ((table (make-hash-table)))
    (for-each (lambda (e) (hash-table-set! table (car e) (cdr e))) items)
    table))

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
