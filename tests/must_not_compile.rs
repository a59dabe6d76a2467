//! What the compiler refuses: each file of `tests/must_not_compile` is a program that would misuse a handle, beside the exact
//! message that it gets.
//!
//! After a new compiler has changed its words, `TRYBUILD=overwrite cargo test --test must_not_compile` writes them down.

#[test]
fn the_compiler_refuses_each_misuse_and_says_why() {
    trybuild::TestCases::new().compile_fail("tests/must_not_compile/*.rs");
}
