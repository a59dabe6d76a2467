;; Numbers beyond the machine's: factorials, digits of pi, fractions, powers modulo a prime.
(include "common.scm")
(define (factorial n) (let loop ((i 2) (product 1)) (if (> i n) product (loop (+ i 1) (* i product)))))
(define (fibonacci n) (let loop ((a 0) (b 1) (i 0)) (if (= i n) a (loop b (+ a b) (+ i 1)))))
(define (digits-of-pi n)                ; a spigot after Rabinowitz and Wagon, in Gibbons' form
  (let loop ((q 1) (r 0) (t 1) (k 1) (m 3) (x 3) (left n) (sum 0))
    (if (= left 0)
        sum
        (if (< (+ (* 4 q) r (- t)) (* m t))
            (loop (* 10 q) (* 10 (- r (* m t))) t k (- (quotient (* 10 (+ (* 3 q) r)) t) (* 10 m)) x (- left 1) (modulo (+ (* sum 31) m) 1000003))
            (loop (* q k) (* (+ (* 2 q) r) x) (* t x) (+ k 1)
                  (quotient (+ (* q (+ (* 7 k) 2)) (* r x)) (* t x)) (+ x 2) left sum)))))
(define (harmonic n) (let loop ((i 1) (sum 0)) (if (> i n) sum (loop (+ i 1) (+ sum (/ 1 i))))))
(define (power base exponent modulus)
  (let loop ((base base) (exponent exponent) (result 1))
    (if (= exponent 0) result
        (loop (modulo (* base base) modulus) (quotient exponent 2) (if (odd? exponent) (modulo (* result base) modulus) result)))))
(define mersenne (- (expt 2 607) 1))
(do ((i 0 (+ i 1))) ((= i scale))
  (say (string-length (number->string (factorial 3000))) " " (modulo (fibonacci 12000) 1000000007) " " (digits-of-pi 900))
  (say (modulo (numerator (harmonic 1500)) 1000000007) " " (let loop ((n 0) (sum 0)) (if (= n 60) sum (loop (+ n 1) (modulo (+ sum (power (+ 3 n) (- mersenne 1) mersenne)) 97)))))
  (say (let loop ((n 0) (sum 0)) (if (= n 150000) sum (loop (+ n 1) (modulo (+ sum (* (expt 2 70) n)) 1000000007))))))
