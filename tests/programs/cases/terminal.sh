# vim on a screen of its own, with keys typed by a script; tmux with panes, in which programs run. Compared are the file
# that vim leaves and what stands in tmux's panes.

packages='vim-nox tmux bsdutils'
variants=(vim tmux)
trace=no
zeal=(5000 300)

prepare() {
    awk -v n=$((scale * 500)) 'BEGIN { for (i = 1; i <= n; i++) print "fn name_" i * 7919 % 1009 "(x) -> y // line", i }' >text.c
    cat >vimrc <<'END'
set nocompatible nomore notimeout nottimeout noswapfile shellredir=>%s undolevels=1000 hlsearch incsearch number showcmd ruler wildmenu
syntax on
let mapleader = ','
nnoremap ,s :%sort<CR>
END
    {
        printf ',s:split\rG50kdd/name_7\rn:%%s/fn \\(\\w*\\)/FN<\\1>/\ruu\022\022gg'
        for ((i = 0; i < scale * 10; i++)); do printf 'o%s inserted text\033yyp5j>>G%dGzz' "$i" $((i * 37 + 1)); done
        printf ':vsplit\r:help\r:quit\rggqaA;\033jq30@a:g/1$/m0\rggVGgU:%%!sort -u\r:w! out.c\r:qa!\r'
    } >keys
    printf 'set -g automatic-rename off\nset -g status off\nset -g history-limit 50000\n' >tmux.conf
    cat >pane.sh <<'END'
# The library's lines would stand in the pane.
exec 2>/dev/null
stty -echo
i=0
while [ $i -lt $((scale * 20)) ]; do
    i=$((i + 1))
    printf '\033[3%dm%s line %d\033[0m %s\n' $((i % 8)) "$1" $i "$(printf '%0*d' $((i % 60)) $i)"
done
echo "end of $1"
exec cat
END
}

# Waits until what a pane shows ends so.
shows() {
    until tmux capture-pane -p -t main | grep -q "end of $1"; do tmux has-session -t main; done
}

commands() {
    local i
    export TERM=xterm-256color
    if [[ $1 = vim ]]; then
        script -q -e -c 'stty rows 40 cols 120; vim -N -u ../input/vimrc -i NONE -s ../input/keys ../input/text.c 2>errors' \
            typescript >screen
        cat errors >&2
        md5sum out.c
        wc -l <out.c
    else
        export TMUX_TMPDIR=$PWD
        tmux -f ../input/tmux.conf new-session -d -x 120 -y 40 -s main 'exec sh ../input/pane.sh first'
        shows first
        for ((i = 0; i < scale; i++)); do
            tmux split-window -t main 'exec sh ../input/pane.sh second'
            shows second
            tmux new-window -t main 'exec sh ../input/pane.sh third'
            shows third
            tmux resize-window -t main -x $((80 + i)) -y 30
            tmux capture-pane -p -J -S - -t main | md5sum
            tmux copy-mode -t main
            tmux send-keys -t main -X search-backward 'line 1[0-9]'
            tmux send-keys -t main -X cancel
            tmux set-buffer -b "b$i" "kept $i"
            tmux rename-window -t main "window $i"
            tmux select-window -t main:0
            tmux list-panes -t main -F '#{pane_index} #{pane_width}x#{pane_height}'
            tmux kill-pane -t main:0.1
        done
        tmux list-windows -t main -F '#{window_index} #{window_name} #{window_panes}'
        tmux list-buffers -F '#{buffer_name} #{buffer_sample}'
        tmux capture-pane -p -e -J -S - -t main:0.0 | md5sum
        tmux kill-server
    fi
}
