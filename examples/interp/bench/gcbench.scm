;;; gcbench.scm: trees of growing depth built and dropped, beside a tree and an array of numbers that stay. After the
;;; benchmark by John Ellis and Pete Kovac that Hans Boehm adapted; nodes are records of four fields.

(load "size.scm")

(define-record-type node (make-node left right i j) node?
  (left node-left set-node-left!) (right node-right set-node-right!) (i node-i) (j node-j))

(define (empty-node) (make-node '() '() 0 0))

(define (tree-size depth) (- (expt 2 (+ depth 1)) 1))

;; Downwards: a node exists before its children do.
(define (populate depth node)
  (if (> depth 0)
      (begin
        (set-node-left! node (empty-node))
        (set-node-right! node (empty-node))
        (populate (- depth 1) (node-left node))
        (populate (- depth 1) (node-right node)))))

;; Upwards.
(define (make-tree depth)
  (if (<= depth 0)
      (empty-node)
      (make-node (make-tree (- depth 1)) (make-tree (- depth 1)) 0 0)))

(define (count-nodes tree)
  (if (null? tree) 0 (+ 1 (count-nodes (node-left tree)) (count-nodes (node-right tree)))))

(define (time-construction depth stretch)
  (let ((iterations (quotient (* 2 (tree-size stretch)) (tree-size depth))))
    (do ((i 0 (+ i 1))) ((= i iterations))
      (populate depth (empty-node)))
    (do ((i 0 (+ i 1)) (last '() (make-tree depth)))
        ((= i iterations)
         (display (list depth iterations (count-nodes last)))
         (newline)))))

(define (gcbench stretch)
  (make-tree stretch)
  (let ((long-lived (empty-node)) (array (make-vector (size 250000 2500) 0.0)))
    (populate (- stretch 2) long-lived)
    (do ((i 0 (+ i 1))) ((= i (size 125000 1250))) (vector-set! array i (/ 1.0 (+ i 1))))
    (do ((depth 4 (+ depth 2))) ((> depth (- stretch 2)))
      (time-construction depth stretch))
    (display (list 'long-lived (count-nodes long-lived) (= (vector-ref array 1000) (/ 1.0 1001))))
    (newline)))

(gcbench (size 18 8))
