;;; strings.scm: texts built, cut, compared and named.
(load "size.scm")

(define (number-text i) (string-append "item-" (number->string i) "/" (number->string (* i i) 16)))

(define (build n)
  (call-with-output-string
   (lambda (port)
     (do ((i 0 (+ i 1))) ((= i n))
       (write-string (number-text i) port)
       (write-char #\newline port)))))

(define (checksum s)
  (let ((end (string-length s)))
    (let loop ((i 0) (sum 0))
      (if (= i end) sum (loop (+ i 1) (modulo (+ (* sum 31) (char->integer (string-ref s i))) 1000003))))))

(define (symbols n)
  (do ((i 0 (+ i 1)) (same 0 (if (eq? (string->symbol (number-text i)) (string->symbol (number-text i))) (+ same 1) same)))
      ((= i n) same)))

(define text (build (size 30000 100)))
(display (list (string-length text) (checksum text) (symbols (size 30000 100))))
(newline)
