# gcc and g++: a large generated file each, optimised, linked by ld and by lld; what they make must be the same to the byte,
# and run.

packages='gcc g++ lld'
variants=(gcc g++)
zeal=(50000 100000)

prepare() {
    awk -v n=$((scale * 60)) 'BEGIN {
        print "#include <stdio.h>\n#include <string.h>\nstruct node { struct node *next; int key; char name[16]; };"
        for (i = 0; i < n; i++) {
            printf "static int f%d(struct node *list, int x)\n{\n    int sum = x;\n", i
            printf "    for (struct node *p = list; p; p = p->next) {\n"
            printf "        switch ((p->key ^ x) %% 7) {\n"
            for (k = 0; k < 6; k++)
                printf "        case %d: sum += p->key * %d + (int)strlen(p->name) %% %d; break;\n", k, i + k, k + 2
            printf "        default: sum ^= %d;\n        }\n    }\n", i
            if (i > 0) printf "    if (sum %% 3 == 0) sum += f%d(list, sum / 2);\n", i - 1
            printf "    return sum;\n}\n"
        }
        printf "int main(void)\n{\n    struct node b = { 0, 5, \"five\" }, a = { &b, 3, \"three\" };\n"
        printf "    printf(\"%%d\\n\", f%d(&a, 12345));\n    return 0;\n}\n", n - 1
    }' >large.c
    awk -v n=$((scale * 5)) 'BEGIN {
        print "#include <algorithm>\n#include <iostream>\n#include <map>\n#include <memory>\n#include <string>\n#include <vector>"
        for (i = 0; i < n; i++) {
            printf "template <int N> struct shape%d { virtual ~shape%d() = default;\n", i, i
            printf "    virtual int area() const { return N * %d; }\n    std::map<int, std::string> names; };\n", i
            printf "static int g%d()\n{\n    std::vector<std::unique_ptr<shape%d<%d>>> all;\n", i, i, i + 1
            printf "    for (int k = 0; k < 5; k++) { all.push_back(std::make_unique<shape%d<%d>>());\n", i, i + 1
            printf "        all.back()->names[k] = std::to_string(k); }\n    int sum = 0;\n"
            printf "    std::for_each(all.begin(), all.end(), [&](auto &s) { sum += s->area() + (int)s->names.size(); });\n"
            printf "    return sum;\n}\n"
        }
        print "int main()\n{\n    int sum = 0;"
        for (i = 0; i < n; i++) printf "    sum += g%d();\n", i
        print "    std::cout << sum << \"\\n\";\n}"
    }' >large.cc
}

commands() {
    local source=large.c
    [[ $1 = gcc ]] || source=large.cc
    cp ../input/$source .
    "$1" -O2 -g -Wall -Wextra -frandom-seed=1 -c $source -o large.o
    "$1" -O2 -S -frandom-seed=1 $source -o large.s
    "$1" large.o -o large
    "$1" -fuse-ld=lld large.o -o linked
    md5sum large.o large.s large linked
    ./large
    ./linked
    echo 'int broken(void) { return missing; }' >broken.c
    expect 1 gcc -c broken.c
}
