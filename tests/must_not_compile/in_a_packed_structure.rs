//! In a packed structure a handle may lie across two words, where the collector does not see it.

use gleaner::{Ephemeron, Gc, Held, Root, Weak, WeakMap};

#[repr(packed)]
struct OfGc(u8, Gc<u32>);

#[repr(packed)]
struct OfWeak(u8, Weak<u32>);

#[repr(packed)]
struct OfEphemeron(u8, Ephemeron<u32, u32>);

#[repr(packed)]
struct OfRoot(u8, Root<u32>);

#[repr(packed)]
struct OfMap(u8, WeakMap<u32, u32>);

#[repr(packed)]
struct OfGuard(u8, Held<'static, u32>);

fn main() {}
