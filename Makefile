# make            builds the libraries and the command
# make demo       runs the leaking gateway under glibc and under gleaner, and draws both
# make test       passes all tests
# make loom       checks the protocols of threads with a model checker
# make bench      measures beside other allocators and collectors; bench-quick does a part in two minutes
# make install    lays everything down below $(DESTDIR)$(PREFIX)
# make accept-*   shows one promise each; `make accept` shows all of them

PREFIX ?= /usr/local
DESTDIR ?=
CARGO ?= cargo

VERSION := 0.1.0
SOVERSION := 0
DOORS := target/doors/release
TOOLS := target/release
OUT := target/out
# The libraries in place of bdwgc's.
LIBGC := gc gccpp gctba

.PHONY: all doors tools demo test loom bench bench-quick bench-pace bench-inline bench-weak bench-peers install clean
all: doors tools

# The libraries are built apart from the tools, whose dependencies need `std`.
doors:
	$(CARGO) build --release --target-dir target/doors
	@ln -sf libgleaner.so $(DOORS)/libgleaner.so.$(SOVERSION)
	@ln -sf libgleaner_malloc.so $(DOORS)/libgleaner_malloc.so.$(SOVERSION)
	@mkdir -p $(DOORS)/libgc
	@for library in $(LIBGC); do ln -sf ../lib$$library.so $(DOORS)/libgc/lib$$library.so.1; done

tools:
	$(CARGO) build --release -p gleaner-tools -p gleaner-harness

$(OUT)/leaky_gateway: $(wildcard examples/c/leaky_gateway/*)
	@mkdir -p $(OUT)
	$(CC) -std=c11 -O2 -Wall -Wextra -pthread -o $@ $(filter %.c,$^)

$(OUT)/leaky_server: examples/c/leaky_server.c
	@mkdir -p $(OUT)
	$(CC) -std=c11 -O2 -Wall -Wextra -pthread -o $@ $<

GATEWAY = $(TOOLS)/gleaner-harness gateway --server $(OUT)/leaky_gateway --gleaner $(TOOLS)/gleaner --out $(OUT)/gateway

demo: doors tools $(OUT)/leaky_gateway
	$(GATEWAY)

# What the tests run and build against.
TEST_PACKAGES := gcc g++ binutils pkg-config libgc-dev libluajit-5.1-2
.PHONY: test-packages
test-packages:
	@dpkg -s $(TEST_PACKAGES) >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq --no-install-recommends $(TEST_PACKAGES); } >/dev/null

test: test-packages doors tools
	$(CARGO) test --workspace
	tests/header/check.sh
	tests/libgc/headers.sh

# The protocols of threads under the model checker, as they are and with a fault planted at each of their accesses.
# LOOM_MAX_PREEMPTIONS=3 looks further than the bound of 2 in tests/loom, and takes twenty times as long.
loom:
	RUSTFLAGS="--cfg loom" $(CARGO) test --profile loom --target-dir target/loom -p gleaner --test loom

# The workloads of benches/c in turn, on everything; `--workload NAME --rounds N` chooses: see benches/README.md.
bench: doors tools bench-peers
	$(TOOLS)/gleaner-harness bench

bench-quick: doors tools bench-peers
	$(TOOLS)/gleaner-harness bench --quick

# Time against memory at several paces, drawn.
bench-pace: doors tools bench-peers
	$(TOOLS)/gleaner-harness bench --pace

# An allocation without a call beside one with, in half a minute.
bench-inline: doors bench-peers
	benches/inline.sh

# What weak objects cost a collection.
bench-weak: doors
	@mkdir -p $(OUT)
	$(CC) -std=gnu11 -O2 -Wall -Wextra -Iinclude -o $(OUT)/weak benches/c/weak.c -L$(DOORS) -lgleaner -Wl,-rpath,$(CURDIR)/$(DOORS)
	$(OUT)/weak

PEERS := gcc libgc-dev libmimalloc2.0 libjemalloc2 libtcmalloc-minimal4
bench-peers:
	@dpkg -s $(PEERS) >/dev/null 2>&1 || apt-get install -y -qq $(PEERS) >/dev/null

# ---- What is promised, one command a promise -------------------------------------------------------------------------

.PHONY: accept accept-gateway accept-tests accept-collect accept-programs accept-tools accept-leak accept-threads accept-quarantine accept-interpreters accept-fibers accept-ripgrep

accept: accept-tests accept-handles accept-gateway accept-collect accept-programs accept-interp accept-interpreters accept-ripgrep accept-tools accept-leak accept-threads accept-quarantine accept-fibers accept-speed accept-constrained accept-handle-speed accept-preload accept-roots accept-leaks accept-throughput accept-verify accept-libgc-symbols accept-libgc-cpp accept-libgc-programs accept-libgc-speed accept-libgc-zeal accept-libgc-threads

# A leaking server keeps a flat footprint, at the speed it had.
accept-gateway: doors tools $(OUT)/leaky_gateway
	$(GATEWAY) --check --pairs 9

# All tests pass, none is ignored; the protocols of threads hold in every order of their steps.
accept-tests: test loom

# A Scheme in C on gleaner.h: its tests at -O0 and -O2, 1 and 4 threads, both doors, under zeal; its gcbench is 2 times
# faster than the same interpreter's on Debian's libgc.
.PHONY: accept-interp
accept-interp: doors
	examples/interp/accept.sh

# GCBench, binary trees and a long list through gleaner.h, at -O0 and -O2, 1 to 8 threads; verified, rechecked, under zeal.
accept-collect: doors
	tests/stress/collect_programs.sh

# Real programs do under preload what they do without, and are collected meanwhile.
accept-programs: doors
	tests/programs/run.sh

# Lua and TinyScheme on this heap, with their own collectors and without: the same output, time and memory printed.
accept-interpreters: doors
	tests/interpreters/run.sh

# ripgrep and other published crates on gleaner as their global allocator: their own tests, and their time beside mimalloc.
accept-ripgrep: tools
	tests/rust_programs/run.sh $(CHECK)

# Under memcheck what is planted is found and the C tests are silent; under AddressSanitizer so are unit and model tests.
accept-tools: doors
	tests/tools/run.sh

# A gigabyte leaked in small pieces ends with a small resident set; finalizers, weak cells, ephemerons at scale.
accept-leak: doors
	tests/stress/run.sh footprint finalizers

# Forks, waves of threads, dlopen, and callbacks that leave in every way there is.
accept-threads: doors
	tests/stress/run.sh threads callbacks

# Uses after free and double frees under quarantine, failing realloc, a limit reached.
accept-quarantine: doors
	tests/stress/run.sh misuse

# 100,000 fibers, each with the only address of its object on its parked stack; a collection's time follows the used parts
# of stacks; what a switch costs.
accept-fibers: doors
	tests/fibers/run.sh

# Speed and memory beside other allocators and collectors: figures with their goals, at full size, all in some forty
# minutes. `--quick` makes one small: `make accept-lru CHECK=--quick`.
SPEED := malloc-speed garbage trees mark lru large leaky release scaling fragmentation

.PHONY: accept-speed accept-constrained $(SPEED:%=accept-%)

# All of them in one run.
accept-speed: doors tools bench-peers
	$(TOOLS)/gleaner-harness bench --check all $(CHECK)

# malloc and free with collection on, every workload: accept-malloc-speed. Garbage only: accept-garbage. GCBench and
# binary trees: accept-trees. A full collection of 1 GiB: accept-mark. A map that forgets: accept-lru. Objects of 64 KiB
# to 8 MiB: accept-large. A leaky server: accept-leaky. Memory given back after 1 GiB was freed: accept-release. Several
# threads, and 4 GiB by hand: accept-scaling. The resident set phase by phase, and metadata: accept-fragmentation.
$(SPEED:%=accept-%): accept-%: doors tools bench-peers
	$(TOOLS)/gleaner-harness bench --check $* $(CHECK)

# Half a processor, one, 500 idle threads, no huge pages, no AVX, a tiny heap and one of 8 GiB: it degrades gracefully.
accept-constrained: doors tools bench-peers
	$(TOOLS)/gleaner-harness bench --constrained $(CHECK)

# Programs that know nothing of us hide their pointers in every place, and lose none of what they point to.
.PHONY: accept-preload
accept-preload:
	$(CARGO) test -p gleaner --test preload

# Long-running servers under load touch nothing that a collection would have reclaimed.
.PHONY: accept-verify
accept-verify: doors
	tests/preload/servers.sh

# libgc.so.1, libgccpp.so.1 and libgctba.so.1 export what Debian's do.
.PHONY: accept-libgc-symbols
accept-libgc-symbols: doors
	tests/libgc/symbols.sh

# Programs in C++, built with our headers and with Debian's, run on our libraries and on Debian's.
.PHONY: accept-libgc-cpp
accept-libgc-cpp: doors
	tests/libgc/cpp/run.sh

# What the roots of a process with 50 libraries and 2 GiB of its own mappings cost.
.PHONY: accept-roots
accept-roots: doors
	tests/preload/cost.sh

# A server with four leaks stays flat: each alone for ten minutes, all of them for an hour. `CHECK=--short`: half a minute
# each.
.PHONY: accept-leaks
accept-leaks: doors tools $(OUT)/leaky_server
	$(TOOLS)/gleaner-harness leaks --server $(OUT)/leaky_server --gleaner $(TOOLS)/gleaner --out $(OUT)/leaks $(CHECK)

# redis, postgres and nginx under load, beside the same on mimalloc by preload: ten minutes. `CHECK=--short` is a look.
.PHONY: accept-throughput
accept-throughput: doors
	benches/servers.sh $(CHECK)

# Debian's own programs on our libgc.so.1: what they do on Debian's, in less time and no more memory, and the same, on small
# inputs, when there is a collection every thousand allocations. `CHECK=guile/deep` makes it one case, `CHECK=ecl` a group.
.PHONY: accept-libgc-programs accept-libgc-speed accept-libgc-zeal
accept-libgc-programs: doors
	tests/libgc/programs/judged.sh
	tests/libgc/programs/run.sh $(CHECK)

accept-libgc-speed: doors
	tests/libgc/programs/run.sh --speed $(CHECK)

accept-libgc-zeal: doors
	tests/libgc/programs/run.sh --small --options zeal=1000:verify=1 $(CHECK)

# Several threads that allocate at once on our libgc.so.1: ten times faster than on Debian's. `CHECK=--short` judges no time.
.PHONY: accept-libgc-threads
accept-libgc-threads: doors
	tests/libgc/threads/run.sh $(CHECK)

# Handles beside Rc, Arc and the collectors of other crates, each on three allocators: four minutes.
# `CHECK=--short` makes it half a minute, `CHECK=trees` one workload.
.PHONY: accept-handle-speed
accept-handle-speed:
	$(CARGO) build --release -p gleaner-handles
	$(TOOLS)/handles-compare $(CHECK)

# The handles of Rust programs: what the compiler refuses, each promise of their documentation, and a walk of ten million
# random operations beside a naive twin.
.PHONY: accept-handles
accept-handles:
	$(CARGO) test -p gleaner --doc
	$(CARGO) test -p gleaner --test must_not_compile --test foreign_allocator --test handles --test regress_handles
	OPERATIONS=10000000 $(CARGO) test --release -p gleaner --test handles_model -- --nocapture --test-threads=1

# ---- Installing -------------------------------------------------------------------------------------------------------

D := $(DESTDIR)$(PREFIX)

install: doors tools
	install -d $(D)/bin $(D)/lib/pkgconfig $(D)/include $(D)/share/man/man1 $(D)/share/man/man3 $(D)/share/man/man7 $(D)/share/gleaner
	install -m 755 $(TOOLS)/gleaner $(D)/bin/gleaner
	for library in gleaner gleaner_malloc; do \
	    install -m 755 $(DOORS)/lib$$library.so $(D)/lib/lib$$library.so.$(VERSION) && \
	    ln -sf lib$$library.so.$(VERSION) $(D)/lib/lib$$library.so.$(SOVERSION) && \
	    ln -sf lib$$library.so.$(SOVERSION) $(D)/lib/lib$$library.so || exit 1; done
	install -m 644 $(DOORS)/libgleaner.a $(D)/lib/libgleaner.a
	install -m 644 include/gleaner.h include/gleaner_inline.h $(D)/include
	install -d $(D)/lib/gleaner/libgc/pkgconfig $(D)/lib/gleaner/libgc/cmake $(D)/include/gleaner/libgc/gc
	for library in $(LIBGC); do \
	    install -m 755 $(DOORS)/lib$$library.so $(D)/lib/gleaner/libgc/lib$$library.so.1 && \
	    ln -sf lib$$library.so.1 $(D)/lib/gleaner/libgc/lib$$library.so || exit 1; done
	install -m 644 include/libgc/*.h $(D)/include/gleaner/libgc
	install -m 644 include/libgc/gc/*.h $(D)/include/gleaner/libgc/gc
	sed -e 's|@PREFIX@|$(PREFIX)|g' packaging/bdw-gc.pc.in > $(D)/lib/gleaner/libgc/pkgconfig/bdw-gc.pc
	install -m 644 packaging/BDWgcConfig.cmake packaging/BDWgcConfigVersion.cmake $(D)/lib/gleaner/libgc/cmake
	sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@VERSION@|$(VERSION)|g' packaging/gleaner.pc.in > $(D)/lib/pkgconfig/gleaner.pc
	install -m 644 packaging/valgrind.supp $(D)/share/gleaner/valgrind.supp
	install -m 644 docs/man/gleaner.1 $(D)/share/man/man1/gleaner.1
	install -m 644 docs/man/gleaner.3 $(D)/share/man/man3/gleaner.3
	sed -e 's|@PREFIX@|$(PREFIX)|g' docs/man/libgleaner_malloc.7 > $(D)/share/man/man7/libgleaner_malloc.7

clean:
	$(CARGO) clean
