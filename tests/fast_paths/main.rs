//! The fast paths as they are shipped: `malloc`, `free` and their kin, disassembled from the built library; and what
//! compilers make of those that `gleaner_inline.h` puts into programs.
//!
//! What `heap::magazine` promises about the order of accesses is a promise about machine code, so machine code is
//! judged ([`judge`]). Each function is walked along every path from its entry, with the registers as sums of unknowns:
//! enough to know that two addresses are the same, and which register holds the slot.
//!
//! ```text
//!   mov  rdx, [rcx+rax]      top        = word at A          A: the magazine's first field
//!   mov  rax, [rdx-8]        the slot   = word at top - 8
//!   mov  [A], rdx - 8        lowered    only now
//! ```
//!
//! A path that returns is a fast path. It has exactly two kinds of it: *pop* (one write, of `top - 8` to where `top` was
//! read, after the word below `top` was read, which is returned) and *push* (the argument is written at `top`, then
//! `top + 8` to where `top` was read; a register holds the argument until then). A path that leaves otherwise is a slow
//! path: it has written nothing but its stack, and jumps away with the stack and the kept registers as it found them, so
//! that no frame of ours stays.
//!
//! Nowhere in the functions is a locked instruction or a fence. A fast path calls nothing but `memset`, where a kind
//! promises zeroed memory. Not judged: what lies behind a call in [`judge::COLD`].

#[path = "../common/doors.rs"]
mod doors;
mod judge;

use judge::{Found, Instruction, judge, judge_of_program, parse};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The address and the size of the function `name` that a library in `path` exports.
fn place(path: &Path, name: &str) -> (u64, u64) {
    let symbols = tool("nm", &["-D", "-S", "--defined-only"], path);
    let line = symbols.lines().find(|line| line.split_whitespace().nth(3) == Some(name));
    let line = line.unwrap_or_else(|| panic!("{} exports no {name}", path.display()));
    let mut fields = line.split_whitespace().map(|field| u64::from_str_radix(field, 16).unwrap_or(0));
    (fields.next().unwrap_or(0), fields.next().unwrap_or(0))
}

/// Whether `jump` leads to the library's own function `name`, at once or by a word that the loader fills.
fn goes_to(library: &str, jump: &Instruction, name: &str) -> bool {
    let address = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    let word = jump.symbol.split(' ').next().and_then(address);
    let relocations = tool("objdump", &["-R", "-w"], &doors::doors().join(library));
    let of_word = |line: &&str| word.is_some() && line.split(' ').next().and_then(address) == word;
    let by_word = relocations.lines().find(of_word).and_then(|line| line.rsplit('+').next()).and_then(address);
    by_word.or(address(&jump.operands[0])) == Some(place(&doors::doors().join(library), name).0)
}

/// The exported function `name` of a library of ours, disassembled.
fn disassemble(library: &str, name: &str) -> String {
    disassemble_in(&doors::doors().join(library), name)
}

fn disassemble_in(path: &Path, name: &str) -> String {
    let (start, size) = place(path, name);
    let range = [format!("--start-address={start:#x}"), format!("--stop-address={:#x}", start + size)];
    tool("objdump", &["-d", "--no-show-raw-insn", "-M", "intel", &range[0], &range[1]], path)
}

fn tool(name: &str, arguments: &[&str], path: &Path) -> String {
    let output = Command::new(name).args(arguments).arg(path).output();
    let output = output.unwrap_or_else(|e| panic!("{name}: {e}; install binutils"));
    assert!(output.status.success(), "{name} {}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn shipped(library: &str, name: &str) -> Found {
    let text = disassemble(library, name);
    judge(name, &text).unwrap_or_else(|fault| panic!("{library}: {fault}\n{text}"))
}

const MALLOC_DOOR: &str = "libgleaner_malloc.so";
const LIBGC: &str = "libgc.so";
const LIBGC_ALLOCATIONS: [&str; 4] =
    ["GC_malloc", "GC_malloc_atomic", "GC_malloc_uncollectable", "GC_malloc_atomic_uncollectable"];

#[test]
fn a_shipped_allocation_reads_its_slot_before_it_lowers_top() {
    for name in ["malloc", "calloc", "gc_malloc", "gc_malloc_atomic", "_Znwm", "_Znam"] {
        let found = shipped(MALLOC_DOOR, name);
        assert!(found.pops >= 1 && found.pushes == 0, "{name}: {found:?}");
    }
    assert!(shipped("libgleaner.so", "gc_malloc").pops >= 1);
    for name in LIBGC_ALLOCATIONS {
        let found = shipped(LIBGC, name);
        assert!(found.pops >= 1 && found.pushes == 0, "{name}: {found:?}");
    }
}

#[test]
fn a_shipped_allocation_leaves_for_the_slow_path_by_a_jump() {
    for name in ["malloc", "gc_malloc", "gc_malloc_atomic", "_Znwm", "_Znam"] {
        let found = shipped(MALLOC_DOOR, name);
        assert!(found.leaves >= 1 && found.idle == 0, "{name}: {found:?}");
    }
    for name in LIBGC_ALLOCATIONS {
        let found = shipped(LIBGC, name);
        assert!(found.leaves >= 1 && found.idle == 0, "{name}: {found:?}");
    }
}

#[test]
fn a_shipped_free_writes_its_slot_before_it_raises_top() {
    let found = shipped(MALLOC_DOOR, "free");
    assert!(found.pushes >= 1 && found.leaves >= 1 && found.pops + found.clearing + found.idle == 0, "{found:?}");
    // Where it leaves for with what is not of its own kind.
    for name in ["gleaner_free_of_any_kind", "gc_free"] {
        let found = shipped(MALLOC_DOOR, name);
        assert!(found.pushes >= 2 && found.clearing >= 1 && found.leaves >= 1 && found.pops == 0, "{found:?}");
    }
}

#[test]
fn a_shipped_operator_delete_is_free() {
    for name in ["_ZdlPv", "_ZdaPv", "_ZdlPvm", "_ZdaPvm"] {
        let code = parse(&disassemble(MALLOC_DOOR, name));
        match &code[..] {
            [jump] => assert!(jump.name == "jmp" && goes_to(MALLOC_DOOR, jump, "free"), "{name}: {jump:?}"),
            _ => assert_eq!(shipped(MALLOC_DOOR, name), shipped(MALLOC_DOOR, "free"), "{name}"),
        }
    }
}

/// `tests/c/inline/shapes.c` as a compiler makes it, with the headers in `include`. `None`: the compiler is not there.
fn shapes(compiler: &str, level: &str, include: &Path) -> Option<PathBuf> {
    let directory = include.file_name().expect("a name").to_string_lossy().into_owned();
    let out = doors::scratch("fast_paths").join(format!("shapes_{directory}_{compiler}{level}.so"));
    let mut command = Command::new(compiler);
    command.args([level, "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-Wl,-z,now", "-I"]);
    command.arg(include).arg(doors::root().join("tests/c/inline/shapes.c")).arg("-o").arg(&out);
    let output = match command.args(doors::link("gleaner")).output() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return None,
        output => output.unwrap_or_else(|e| panic!("{command:?}: {e}")),
    };
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    Some(out)
}

const SHAPES: [&str; 6] = ["cache_malloc", "cache_malloc_typed", "malloc_inline", "cons", "cons_inline", "list"];

#[test]
fn an_inlined_allocation_reads_its_slot_before_it_lowers_top_and_fills_it_after() {
    let compiled = ["gcc", "clang"].into_iter().flat_map(|compiler| {
        let compile = move |level| Some((level, shapes(compiler, level, &doors::root().join("include"))?));
        ["-O1", "-O2", "-O3"].into_iter().filter_map(compile).map(move |(level, path)| (compiler, level, path))
    });
    let mut count = 0;
    for (compiler, level, path) in compiled {
        for name in SHAPES {
            let text = disassemble_in(&path, name);
            let found = judge_of_program(name, &text);
            let found = found.unwrap_or_else(|fault| panic!("{compiler} {level}: {fault}\n{text}"));
            assert!(found.pops >= 1 && found.pushes + found.idle == 0, "{compiler} {level} {name}: {found:?}\n{text}");
            count += 1;
        }
    }
    assert!(count >= 3 * SHAPES.len(), "there is no C compiler by the name of gcc or clang");
}

/// The headers with one part of the inline one replaced.
fn altered_headers(name: &str, part: &str, by: &str) -> PathBuf {
    let (from, to) = (doors::root().join("include"), doors::scratch("fast_paths").join(name));
    std::fs::create_dir_all(&to).expect("a directory can be made");
    std::fs::copy(from.join("gleaner.h"), to.join("gleaner.h")).expect("the header is there");
    let text = std::fs::read_to_string(from.join("gleaner_inline.h")).expect("the header is there");
    assert_eq!(text.matches(part).count(), 1, "{part}");
    std::fs::write(to.join("gleaner_inline.h"), text.replace(part, by)).expect("a file can be written");
    to
}

#[track_caller]
fn is_refused_inline(function: &str, headers: &Path, because: &str) {
    let path = shapes("gcc", "-O2", headers).expect("there is gcc");
    match judge_of_program(function, &disassemble_in(&path, function)) {
        Ok(found) => panic!("accepted, {found:?}"),
        Err(fault) => assert!(fault.contains(because), "expected \"{because}\", got \"{fault}\""),
    }
}

#[test]
fn a_planted_header_with_another_order_is_refused() {
    const READ: &str = "void *slot = (void *)*(uintptr_t volatile *)(top - 1);";
    const LOWER: &str = "cache->gc_top = top - 1;";
    let swapped = format!("cache->gc_top = top - 1;\n    {READ}");
    let late = altered_headers("late", &format!("{READ}\n    {LOWER}"), &swapped);
    is_refused_inline("cache_malloc", &late, "lowered before the slot is read");
    // The layout of an object that is still free: whoever takes the slot meanwhile finds it.
    let early = altered_headers("early", LOWER, &format!("*(uintptr_t volatile *)slot = 1; {LOWER}"));
    is_refused_inline("cons", &early, "not the lowered top");
}

/// A pop and a push as they should be, to be altered.
const POP: &str = "
 100: cmp    rdi,0x1fff
 104: ja     120
 108: mov    rdx,QWORD PTR [rcx+rax*1]
 10c: cmp    rdx,QWORD PTR [rcx+rax*1+0x8]
 110: je     120
 112: add    rcx,rax
 114: mov    rax,QWORD PTR [rdx-0x8]
 116: add    rdx,0xfffffffffffffff8
 118: mov    QWORD PTR [rcx],rdx
 11a: ret
 120: mov    esi,0x1
 124: jmp    QWORD PTR [rip+0x1000]   # 2000 <gleaner_edge_malloc>
";

const PUSH: &str = "
 200: push   r14
 202: push   rbx
 203: mov    rbx,rdi
 208: mov    r14,QWORD PTR [rip+0x100]
 210: test   al,0x2
 212: je     220
 214: mov    rdi,rbx
 216: call   QWORD PTR [rip+0x100]    # 3000 <memset@GLIBC_2.2.5>
 220: mov    rax,QWORD PTR [r14]
 222: cmp    rax,QWORD PTR [r14+0x10]
 224: je     240
 226: mov    QWORD PTR [rax],rbx
 228: add    rax,0x8
 22a: mov    QWORD PTR [r14],rax
 230: pop    rbx
 232: pop    r14
 234: ret
 240: mov    rdi,rbx
 242: pop    rbx
 244: pop    r14
 246: jmp    5000 <free_slowly>
";

#[test]
fn a_right_pop_and_a_right_push_are_accepted() {
    let pop = Found { pops: 1, leaves: 2, ..Found::default() };
    assert_eq!(judge("pop", POP), Ok(pop));
    let push = Found { pushes: 2, clearing: 1, leaves: 1, ..Found::default() };
    let without_memset = PUSH.replace("je     240", "je     230");
    assert_eq!(judge("push", PUSH).map(|found| found.pushes), Ok(push.pushes));
    // A free that gives up without a word would drop its object.
    assert_eq!(judge("push", &without_memset).map(|found| found.idle), Ok(2));
}

/// `text` with the line at `address` replaced by `lines`.
fn altered(text: &str, address: &str, lines: &str) -> String {
    let is_line = |line: &&str| line.trim_start().starts_with(&format!("{address}:"));
    assert_eq!(text.lines().filter(is_line).count(), 1, "the line {address} is there once");
    text.lines().map(|line| if is_line(&line) { format!("{lines}\n") } else { format!("{line}\n") }).collect()
}

#[track_caller]
fn is_refused(text: &str, because: &str) {
    match judge("planted", text) {
        Ok(found) => panic!("accepted, {found:?}:\n{text}"),
        Err(fault) => assert!(fault.contains(because), "expected \"{because}\", got \"{fault}\""),
    }
}

#[test]
fn a_planted_pop_that_is_wrong_is_refused() {
    let late = altered(&altered(POP, "114", ""), "118", " 118: mov QWORD PTR [rcx],rdx\n 119: mov rax,QWORD PTR [rdx]");
    is_refused(&late, "lowered before the slot is read");
    is_refused(&altered(POP, "11a", " 119: mov rax,rdx\n 11a: ret"), "not the slot it read");
    is_refused(
        &altered(POP, "11a", " 119: push rax\n 11b: xor eax,eax\n 11c: pop rax\n 11d: ret"),
        "no register holds",
    );
    is_refused(&altered(POP, "116", " 116: add rdx,0xfffffffffffffff0"), "not the lowered top");
    is_refused(&altered(POP, "112", " 112: lock add rcx,rax"), "lock on a path");
    is_refused(&altered(POP, "112", " 112: add rcx,rax\n 113: mfence"), "mfence on a path");
    is_refused(
        &altered(POP, "108", " 108: mov QWORD PTR [rcx+0x40],1\n 109: mov rdx,QWORD PTR [rcx+rax*1]"),
        "written",
    );
}

#[test]
fn a_planted_push_that_is_wrong_is_refused() {
    let early =
        altered(&altered(PUSH, "226", ""), "22a", " 229: mov QWORD PTR [r14],rax\n 22a: mov QWORD PTR [rax-0x8],rbx");
    is_refused(&early, "raised before the slot is written");
    let given_up = altered(PUSH, "228", " 227: xor ebx,ebx\n 228: add rax,0x8");
    is_refused(&given_up, "no register holds");
    is_refused(&altered(PUSH, "214", " 214: xor ebx,ebx"), "not its argument");
    is_refused(&altered(PUSH, "228", " 228: add rax,0x10"), "raise it by a word");
    is_refused(&altered(PUSH, "226", " 225: call 7000 <note>\n 226: mov QWORD PTR [rax],rbx"), "calls note");
    // Cleared by stores: by what is not known to be zero, somewhere else, and when the object is in the magazine already.
    let cleared = |at, before| altered(PUSH, "208", &format!(" 205: {before}\n 206: movups XMMWORD PTR [{at}],xmm0"));
    assert_eq!(judge("push", &cleared("rdi+rax*1", "xorps xmm0,xmm0")).map(|found| found.clearing), Ok(2));
    is_refused(&cleared("rdi", "xorps xmm0,xmm1"), "has written to memory");
    is_refused(&cleared("rsi", "xorps xmm0,xmm0"), "has written to memory");
    let late = " 229: xorps xmm0,xmm0\n 22a: mov QWORD PTR [r14],rax\n 22b: movups XMMWORD PTR [rbx],xmm0";
    is_refused(&altered(PUSH, "22a", late), "writes 3 times");
}

#[test]
fn a_planted_frame_that_stays_is_refused() {
    let calls = altered(POP, "124", " 123: push rax\n 124: call 2000 <gleaner_edge_malloc>\n 126: pop rcx\n 127: ret");
    is_refused(&calls, "calls gleaner_edge_malloc");
    is_refused(&altered(PUSH, "242", ""), "a frame of ours stays");
    is_refused(&altered(POP, "120", " 120: sub rsp,0x8"), "a frame of ours stays");
    let branch = altered(POP, "104", " 104: ja     5000 <slowly>");
    assert_eq!(judge("pop", &branch).map(|found| found.leaves), Ok(2));
    is_refused(&altered(&branch, "100", " 0fe: push rbx\n 100: cmp rdi,0x1fff"), "a frame of ours stays");
}
