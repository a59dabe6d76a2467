# vim and emacs, without a screen: scripts that search, replace, sort and count in a buffer.

packages='vim-nox emacs-nox'
variants=(vim emacs)
zeal=(20000 2000)

prepare() {
    awk -v n=$((scale * 2500)) 'BEGIN { for (i = 1; i <= n; i++) print "fn name_" i * 7919 % 10007 "(x) -> y // line", i }' >text
    cat >script.vim <<'END'
set nomore
read ../input/text
%s/fn \(\w*\)/FN<\1>/
global/name_1*7/move $
%sort
let counts = {}
for line in getline(1, '$')
  for word in split(line, '\W\+')
    let counts[word] = get(counts, word, 0) + 1
  endfor
endfor
call append(0, len(counts) . ' ' . counts['FN'])
normal! ggdd
undo
redo
write! out
quitall!
END
    cat >script.el <<'END'
(let ((table (make-hash-table :test 'equal)) (found 0) (scale (string-to-number (getenv "scale"))))
  (dotimes (i (* scale 25000))
    (push i (gethash (format "key%d" (% (* i 7919) 50021)) table)))
  (princ (hash-table-count table))
  (terpri)
  (with-temp-buffer
    (insert-file-contents "../input/text")
    (while (re-search-forward "fn \\([a-z_0-9]+\\)" nil t)
      (setq found (1+ found))
      (replace-match "<\\1>"))
    (sort-lines nil (point-min) (point-max))
    (princ (format "%d %s\n" found (md5 (buffer-string)))))
  (require 'json)
  (princ (length (json-read-from-string (json-encode (number-sequence 1 (* scale 2000))))))
  (garbage-collect)
  (princ (funcall (byte-compile (lambda (x) (* x x))) 12))
  (with-temp-buffer
    (call-process "echo" nil '(t nil) nil "child")
    (princ (buffer-string)))
  (kill-emacs 4))
END
}

commands() {
    if [[ $1 = vim ]]; then
        vim -es -u NONE -N -S ../input/script.vim
        md5sum out
    else
        expect 4 emacs -Q --batch -l ../input/script.el
    fi
}
