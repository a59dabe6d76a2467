//! What the kernel tells about a process: its resident memory and the CPU time it has used, read from `/proc`.

use std::fs;

use anyhow::{Context, Result};

/// The unit of CPU times in `/proc/PID/stat`, the same on every x86-64 Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Resident memory of a process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resident {
    /// Now.
    pub bytes: u64,
    /// The most there ever was.
    pub peak_bytes: u64,
}

/// The resident memory of a process.
pub fn resident(pid: u32) -> Result<Resident> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("{path} cannot be read: has the process ended?"))?;
    parse_resident(&text).with_context(|| format!("{path} names no VmRSS and VmHWM: is the process ending?"))
}

/// The proportional set size of a process in bytes: resident memory, where a shared page counts by its share.
/// The kernel walks the page tables for it, which holds up the process: not for use while it is being timed.
pub fn proportional(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    kilobytes(&text, "Pss:").with_context(|| format!("{path} names no Pss"))
}

/// The seconds of CPU time that all threads of a process have used so far.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    parse_cpu_seconds(&text).with_context(|| format!("{path} has no CPU times where they are expected: {text}"))
}

/// Finds both figures in the text of `/proc/PID/status`.
fn parse_resident(status: &str) -> Option<Resident> {
    Some(Resident { bytes: kilobytes(status, "VmRSS:")?, peak_bytes: kilobytes(status, "VmHWM:")? })
}

/// The bytes on the line `name  N kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix("kB")?.trim_end().parse::<u64>().ok()? * 1024)
}

/// Adds user and system time, fields 14 and 15 of `/proc/PID/stat`. Field 2, the name, may hold anything, so the count
/// starts behind its last parenthesis, at field 3.
fn parse_cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace().skip(14 - 3);
    let (user, system) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    Some((user + system) as f64 / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_a_status() {
        let status = "Name:\tx\nVmPeak:\t  9000 kB\nVmHWM:\t    5678 kB\nVmRSS:\t    1234 kB\nThreads:\t4\n";
        let expected = Resident { bytes: 1234 * 1024, peak_bytes: 5678 * 1024 };
        assert_eq!(parse_resident(status), Some(expected));
    }

    #[test]
    fn a_status_without_memory_is_refused() {
        assert_eq!(parse_resident("Name:\tx\nState:\tZ (zombie)\n"), None);
        assert_eq!(parse_resident("VmHWM:\t1 kB\nVmRSS:\tmany kB\n"), None);
    }

    #[test]
    fn cpu_time_is_read_behind_a_name_with_parentheses() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 150 25 0 0 20 0 5 0 100 1000 10";
        assert_eq!(parse_cpu_seconds(stat), Some(1.75));
        assert_eq!(parse_cpu_seconds("42 (a) S 1 42"), None);
    }

    #[test]
    fn this_process_has_resident_memory() {
        let resident = resident(std::process::id()).unwrap();
        assert!(resident.bytes > 0 && resident.peak_bytes >= resident.bytes);
        assert!(cpu_seconds(std::process::id()).unwrap() >= 0.0);
    }
}
