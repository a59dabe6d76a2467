//! Warming the machine: memory that a virtual machine's host has not backed yet costs ten times as much on its first
//! touch, and whoever runs first would pay for all. So memory is touched and given back before anything is timed.

use std::fs;

use anyhow::{Context, Result};

/// The bytes of an OS page.
const OS_PAGE: usize = 4096;
/// Taken at once: more than malloc ever keeps for itself, so that dropping a piece gives it back.
const PIECE: usize = 64 << 20;

/// Touches so many GiB, or half of what is available if that is less, and gives them back.
pub fn warm(gib: u64) -> Result<()> {
    let bytes = (gib << 30).min(available()? / 2);
    let mut pieces = Vec::new();
    for _ in 0..bytes / PIECE as u64 {
        let mut piece = vec![0_u8; PIECE];
        piece.iter_mut().step_by(OS_PAGE).for_each(|byte| *byte = 1);
        pieces.push(std::hint::black_box(piece));
    }
    Ok(())
}

/// The memory that processes can still have, in bytes.
pub fn available() -> Result<u64> {
    let meminfo = fs::read_to_string("/proc/meminfo").context("/proc/meminfo cannot be read")?;
    available_bytes(&meminfo).context("/proc/meminfo names no MemAvailable")
}

/// The same in the text of `/proc/meminfo`.
fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_from_meminfo() {
        assert_eq!(available_bytes("MemTotal: 9 kB\nMemAvailable:    2000 kB\n"), Some(2_048_000));
        assert_eq!(available_bytes("MemTotal: 9 kB\n"), None);
    }
}
