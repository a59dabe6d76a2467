//! A door.
#![no_std]
