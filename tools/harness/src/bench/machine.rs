//! The head of a report: on which machine, with which versions, on which day, by which command.

use std::fs;
use std::process::Command;

use super::allocators::Allocator;

/// Three lines of text. What cannot be found out is left out.
pub fn describe(allocators: &[Allocator], rounds: usize) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let packages = allocators.iter().filter_map(|allocator| allocator.package());
    let mut peers: Vec<_> = packages.map(|package| format!("{package} {}", version(package))).collect();
    peers.dedup();
    let command: Vec<_> = std::env::args().skip(1).collect();
    format!(
        "Machine: {}, {} cores, {} GiB, Linux {}\nPeers: {}\nDate: {}. Command: `gleaner-harness {}`. Rounds in turn: {rounds}.",
        model(&cpu).unwrap_or("an unknown processor"),
        std::thread::available_parallelism().map_or(0, |cores| cores.get()),
        memory_gib(&memory).unwrap_or(0),
        kernel.trim(),
        peers.join(", "),
        output("date", &["-u", "+%Y-%m-%d"]),
        command.join(" "),
    )
}

/// The name of the processor.
fn model(cpuinfo: &str) -> Option<&str> {
    cpuinfo.lines().find_map(|line| Some(line.strip_prefix("model name")?.split_once(": ")?.1))
}

/// All memory, in GiB.
fn memory_gib(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some((line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? + (1 << 19)) >> 20)
}

/// The version of an installed package.
fn version(package: &str) -> String {
    output("dpkg-query", &["-W", "-f", "${Version}", package])
}

/// What a command prints.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or(String::new(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_read_from_proc() {
        assert_eq!(model("processor\t: 0\nmodel name\t: A Processor 9\n"), Some("A Processor 9"));
        assert_eq!(memory_gib("MemTotal:       24623000 kB\nMemFree: 1 kB\n"), Some(23));
        assert_eq!((model(""), memory_gib("")), (None, None));
    }
}
