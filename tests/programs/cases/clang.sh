# clang and rustc with lld: a large file each, optimised and linked with optimisation at link time, by threads of the
# linker; what they make must be the same to the byte, and run.

packages='clang lld gcc libc6-dev rustc'
variants=(clang rustc)
zeal=(10000 50000)

prepare() {
    awk -v n=$((scale * 60)) 'BEGIN {
        print "#include <stdio.h>\nstruct node { struct node *next; int key; };"
        for (i = 0; i < n; i++) {
            printf "int f%d(struct node *list, int x)\n{\n    int sum = x;\n", i
            printf "    for (struct node *p = list; p; p = p->next)\n        switch ((p->key ^ x) %% 7) {\n"
            for (k = 0; k < 6; k++) printf "        case %d: sum += p->key * %d; break;\n", k, i + k
            printf "        default: sum ^= %d;\n        }\n", i
            if (i > 0) printf "    if (sum %% 3 == 0) sum += f%d(list, sum / 2);\n", i - 1
            printf "    return sum;\n}\n"
        }
        printf "int main(void)\n{\n    struct node b = { 0, 5 }, a = { &b, 3 };\n"
        printf "    printf(\"%%d\\n\", f%d(&a, 12345));\n    return 0;\n}\n", n - 1
    }' >large.c
    awk -v n=$((scale * 3)) 'BEGIN {
        print "use std::collections::HashMap;\ntrait Shape { fn area(&self, x: u64) -> u64; }"
        for (i = 0; i < n; i++) {
            printf "#[derive(Debug, Clone, PartialEq)]\nstruct S%d { side: u64, names: Vec<String> }\n", i
            printf "impl Shape for S%d { fn area(&self, x: u64) -> u64 { self.side * x + %d + self.names.len() as u64 } }\n", i, i
            printf "fn f%d(x: u64) -> u64 {\n    let s = S%d { side: x, names: (0..x %% 5).map(|k| format!(\"{k}\")).collect() };\n", i, i
            printf "    let mut table = HashMap::new();\n    for name in &s.names { *table.entry(name.clone()).or_insert(0) += 1; }\n"
            printf "    let all: Vec<Box<dyn Shape>> = vec![Box::new(s.clone()), Box::new(s)];\n"
            printf "    all.iter().map(|shape| shape.area(x)).sum::<u64>() + table.len() as u64\n}\n"
        }
        print "fn main() {\n    let mut x = 1;"
        for (i = 0; i < n; i++) printf "    x = (x * 31 + f%d(x)) %% 1000003;\n", i
        print "    println!(\"{x}\");\n}"
    }' >large.rs
}

commands() {
    if [[ $1 = clang ]]; then
        cp ../input/large.c .
        clang -O2 -g -Wall -c large.c -o large.o
        clang -O2 -flto -c large.c -o between.o
        clang -fuse-ld=lld -Wl,--threads=4 -Wl,--gc-sections large.o -o large
        clang -fuse-ld=lld -flto -O2 -Wl,--threads=4 between.o -o between
        md5sum large.o large between
        ./large
        ./between
        echo 'int broken(void) { return missing; }' >broken.c
        expect 1 clang -c broken.c
    else
        rustc -O -g -C link-arg=-fuse-ld=lld --crate-name large -o large ../input/large.rs
        rustc -C opt-level=1 -C lto=fat -C codegen-units=4 -C link-arg=-fuse-ld=lld --crate-name large -o fat ../input/large.rs
        md5sum fat large
        ./large
        ./fat
        echo 'fn main() { missing }' >broken.rs
        expect 1 rustc broken.rs
    fi
}
