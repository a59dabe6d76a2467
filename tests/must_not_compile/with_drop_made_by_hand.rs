//! Only `Gc::with_drop` makes one: its state belongs to it alone.

use gleaner::WithDrop;
use std::{cell::UnsafeCell, mem::ManuallyDrop, sync::atomic::AtomicU32};

fn main() {
    WithDrop { state: AtomicU32::new(0), value: UnsafeCell::new(ManuallyDrop::new(1)) };
}
