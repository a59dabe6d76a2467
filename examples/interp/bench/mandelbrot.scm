;;; mandelbrot.scm: real numbers, each an object.
(load "size.scm")

(define (steps cr ci most)
  (let loop ((zr 0.0) (zi 0.0) (n 0))
    (let ((rr (* zr zr)) (ii (* zi zi)))
      (if (or (= n most) (> (+ rr ii) 4.0)) n
          (loop (+ (- rr ii) cr) (+ (* 2.0 (* zr zi)) ci) (+ n 1))))))

(define (mandelbrot n most)
  (let rows ((y 0) (sum 0))
    (if (= y n) sum
        (rows (+ y 1)
              (let columns ((x 0) (sum sum))
                (if (= x n) sum
                    (columns (+ x 1)
                             (+ sum (steps (- (/ (* 3.0 x) n) 2.0) (- (/ (* 2.0 y) n) 1.0) most)))))))))

(display (mandelbrot (size 200 20) 100))
(newline)
