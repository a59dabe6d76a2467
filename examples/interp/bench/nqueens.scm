;;; nqueens.scm: lists that are made and forgotten.
(load "size.scm")

(define (safe? row distance placed)
  (or (null? placed)
      (and (not (= (car placed) (+ row distance)))
           (not (= (car placed) (- row distance)))
           (not (= (car placed) row))
           (safe? row (+ distance 1) (cdr placed)))))

(define (queens board)
  (let place ((rows (iota board 1)) (left '()) (placed '()))
    (if (null? rows)
        (if (null? left) 1 0)
        (+ (if (safe? (car rows) 1 placed) (place (append (cdr rows) left) '() (cons (car rows) placed)) 0)
           (place (cdr rows) (cons (car rows) left) placed)))))

(display (queens (size 9 6)))
(newline)
