;; String ports, formatting, reading back, ports of bytes, and text cut up and joined.
(use-modules (ice-9 format) (ice-9 rdelim) (ice-9 regex) (rnrs bytevectors) (rnrs io ports))
(include "common.scm")
(define (lines n)
  (call-with-output-string
   (lambda (port)
     (do ((i 0 (+ i 1))) ((= i n))
       (format port "~5d ~a ~s ~,3f\n" i (string-append "name" (number->string (random-below! 1000))) `(list ,i "of things" #\x) (/ i 7.0))))))
(define (read-all text)
  (call-with-input-string text
    (lambda (port) (let loop ((count 0) (thing (read port))) (if (eof-object? thing) count (loop (+ count (if (pair? thing) (cadr thing) 1)) (read port)))))))
(define (count-lines text)
  (call-with-input-string text
    (lambda (port) (let loop ((count 0) (line (read-line port))) (if (eof-object? line) count (loop (+ count (string-length (string-trim-both line))) (read-line port)))))))
(do ((i 0 (+ i 1))) ((= i (* 2 scale)))
  (let ((text (lines 2500)))
    (say (string-length text) " " (read-all text) " " (count-lines text) " "
         (length (string-split text #\space)) " "
         (string-length (string-join (map string-upcase (string-split text #\newline)) "; ")) " "
         (string-hash (regexp-substitute/global #f "name([0-9]+)" (substring text 0 5000) 'pre "<" 1 ">" 'post) 1000003))
    (let ((bytes (string->utf8 text)))
      (say (bytevector-length bytes) " "
           (string-length (utf8->string (call-with-input-string text (lambda (p) (call-with-values open-bytevector-output-port (lambda (out get) (put-bytevector out bytes) (get)))))))))))
