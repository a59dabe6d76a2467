# git: a generated tree through init, add, commit, branches, a merge, clone, log, diff, blame, gc and fsck.

packages=git
zeal=4000

prepare() {
    local i
    mkdir tree
    for ((i = 0; i < scale * 100; i++)); do
        mkdir -p "tree/d$((i % 17))"
        awk -v i="$i" 'BEGIN { for (k = 0; k < 60; k++) print "line", k, (k * 7919 + i * 104729) % 1000003 }' \
            >"tree/d$((i % 17))/f$i.txt"
    done
    cat >"$HOME/.gitconfig" <<'END'
[user]
    name = Gleaner
    email = gleaner@example.org
[init]
    defaultBranch = main
[gc]
    auto = 0
[maintenance]
    auto = false
[pack]
    threads = 1
END
}

# commit NUMBER: everything that has changed, at a time that depends on the number only.
commit() {
    git add -A
    GIT_AUTHOR_DATE="$((1000000000 + $1)) +0000" GIT_COMMITTER_DATE="$((1000000000 + $1)) +0000" \
        git commit -q -m "commit $1"
}

commands() {
    local i
    git init -q origin
    cp -r ../input/tree/. origin
    cd origin
    commit 0
    for ((i = 1; i <= scale * 4; i++)); do
        find . -name "*$i.txt" -not -path './.git/*' -exec sed -i "s/line $i /changed $i /" {} +
        echo "$i" >>log.txt
        commit "$i"
    done
    git checkout -q -b side HEAD~2
    echo side >side.txt
    commit 1000
    git checkout -q main
    GIT_AUTHOR_DATE='1000002000 +0000' GIT_COMMITTER_DATE='1000002000 +0000' git merge -q -m merged side
    git log --stat --topo-order | md5sum
    git log -p --topo-order --find-copies-harder -n 5 | md5sum
    git diff HEAD~3 | wc -l
    git blame log.txt | md5sum
    git grep -c changed | wc -l
    cd ..
    git clone -q --no-local origin clone
    git clone -q --bare origin bare.git
    cd clone
    git gc -q --aggressive
    git fsck --full --no-progress
    git rev-parse HEAD
    git rev-list --objects --all | sort | md5sum
    git count-objects -v | grep -E '^(in-pack|packs|garbage)'
    git archive HEAD | md5sum
    expect 1 git checkout nonsense
}
