//! The C functions of gleaner.h.
#![no_std]
