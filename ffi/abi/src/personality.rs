//! What builds without link-time optimisation lack to be loaded.
//!
//! The standard library's `core` comes compiled with unwinding, so its code names Rust's personality routine, which is
//! part of `std`. A release build drops that code; in a debug build the name has to stand for something. Nothing unwinds
//! through Rust here, so it is never called. Hidden, so that no program's own one is replaced; weak, so that a static
//! library can be linked beside `std`.

core::arch::global_asm!(
    ".pushsection .text.rust_eh_personality, \"ax\", @progbits",
    ".weak rust_eh_personality",
    ".hidden rust_eh_personality",
    ".type rust_eh_personality, @function",
    "rust_eh_personality:",
    "ud2",
    ".size rust_eh_personality, . - rust_eh_personality",
    ".popsection",
);
