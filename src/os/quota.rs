//! What control groups grant: CPU time, in processors, and memory.
//!
//! A group may use so many microseconds of CPU time in each period, and so many bytes. Groups nest, and none gets more than
//! those above it. Version 1 has a hierarchy for each controller; version 2 has one for all. Two files say where a thread's group is:
//!
//! ```text
//! /proc/thread-self/cgroup      4:cpu,cpuacct:/box/job                             the group in its hierarchy
//! /proc/thread-self/mountinfo   … /box /sys/fs/cgroup/cpu … - cgroup x rw,cpu      what of it is mounted, and where
//! ```
//!
//! so the quotas of CPU time to look at are those of `/sys/fs/cgroup/cpu/job` and of `/sys/fs/cgroup/cpu`. Groups above what is
//! mounted cannot be seen. In a namespace the first path may lie outside the mounted part; then it is the mounted part's
//! own quota that counts.
//!
//! Holds: nothing is allocated, and no more than 6 KiB of stack are used. What cannot be read, or is longer than the
//! buffers here, is no quota.

use super::{
    lines::{self, Line},
    path,
    sys::File,
};

/// Longer lines of the kernel's tables are passed over.
const LINE_MAX: usize = 2048;
/// Longer paths are not followed.
const PATH_MAX: usize = 1024;
type Path = path::Path<PATH_MAX>;
/// Two numbers and their separators.
const QUOTA_MAX: usize = 64;

/// The processors' worth of time that all groups of the calling thread leave it, a part of one counted as one. `None`: as
/// much as there is. The kernel's files are those below `root`.
pub fn processors(root: &[u8]) -> Option<usize> {
    least_of_all(root, Controller::Cpu)
}

/// The bytes of memory that all groups of the calling thread leave it together with their other threads. `None`: no limit.
pub fn memory_bytes(root: &[u8]) -> Option<usize> {
    least_of_all(root, Controller::Memory)
}

#[derive(Clone, Copy)]
enum Version {
    One,
    Two,
}

#[derive(Clone, Copy)]
enum Controller {
    Cpu,
    Memory,
}

impl Controller {
    const fn name(self) -> &'static [u8] {
        match self {
            Controller::Cpu => b"cpu",
            Controller::Memory => b"memory",
        }
    }

    /// Whether a list with commas names it.
    fn is_in(self, list: &[u8]) -> bool {
        list.split(|&byte| byte == b',').any(|name| name == self.name())
    }
}

fn least_of_all(root: &[u8], controller: Controller) -> Option<usize> {
    [Version::One, Version::Two].into_iter().filter_map(|version| least(root, version, controller)).min()
}

/// The least quota in one hierarchy, from the thread's group up to the one that is mounted.
fn least(root: &[u8], version: Version, controller: Controller) -> Option<usize> {
    let (mut directory, top) = group_directory(root, version, controller)?;
    let mut least = None;
    loop {
        let quota = match controller {
            Controller::Cpu => version.processors(&directory),
            Controller::Memory => version.memory_bytes(&directory),
        };
        least = least.into_iter().chain(quota).min();
        if directory.len() <= top {
            return least;
        }
        directory.up(top);
    }
}

/// The directory of the thread's group, and how long the path of the mounted one is.
fn group_directory(root: &[u8], version: Version, controller: Controller) -> Option<(Path, usize)> {
    let mut group = Path::new();
    for_each_line(&Path::of(&[root, b"/proc/thread-self/cgroup"])?, |line| {
        if let Some(path) = version.group(line, controller) {
            group = Path::of(&[path]).unwrap_or(Path::new());
        }
    });
    // A mount that shows the group itself is better than one that shows other groups of the hierarchy.
    let mut found: Option<(Path, usize, bool)> = None;
    for_each_line(&Path::of(&[root, b"/proc/thread-self/mountinfo"])?, |line| {
        let Some((mounted, point)) = version.mount(line, controller) else { return };
        let below = below(group.bytes(), mounted);
        if found.as_ref().is_none_or(|found| below.is_some() && !found.2) {
            found = directory(root, point, below.unwrap_or(b"")).map(|(path, top)| (path, top, below.is_some()));
        }
    });
    found.filter(|_| !group.is_empty()).map(|(path, top, _)| (path, top))
}

/// The directory `below` a mount point, and the length of the mount point's path.
fn directory(root: &[u8], point: &[u8], below: &[u8]) -> Option<(Path, usize)> {
    let mut path = Path::of(&[root])?;
    push_unescaped(&mut path, point)?;
    let top = path.len();
    path.push(below)?;
    Some((path, top))
}

/// What of `group` lies below `mounted`. `None`: it lies elsewhere.
fn below<'a>(group: &'a [u8], mounted: &[u8]) -> Option<&'a [u8]> {
    let mounted = mounted.strip_suffix(b"/").unwrap_or(mounted);
    let rest = group.strip_prefix(mounted)?;
    let rest = rest.strip_suffix(b"/").unwrap_or(rest);
    // `/..` is a group above the namespace.
    (rest.is_empty() || rest[0] == b'/' && !rest.starts_with(b"/..")).then_some(rest)
}

impl Version {
    /// The path of the group in a line `number:controllers:path`.
    fn group(self, line: &[u8], controller: Controller) -> Option<&[u8]> {
        let mut fields = line.splitn(3, |&byte| byte == b':');
        let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let is_this = match self {
            Version::One => controller.is_in(controllers),
            Version::Two => number == b"0" && controllers.is_empty(),
        };
        is_this.then_some(path)
    }

    /// The mounted group and the mount point in a line
    /// `id parent device mounted point options [more…] - type source options`.
    fn mount(self, line: &[u8], controller: Controller) -> Option<(&[u8], &[u8])> {
        let mut fields = line.split(|&byte| byte == b' ');
        let (mounted, point) = (fields.nth(3)?, fields.next()?);
        fields.find(|field| *field == b"-")?;
        let (kind, options) = (fields.next()?, fields.nth(1)?);
        let is_this = match self {
            Version::One => kind == b"cgroup" && controller.is_in(options),
            Version::Two => kind == b"cgroup2",
        };
        is_this.then_some((mounted, point))
    }

    /// The CPU time of one group, in processors.
    fn processors(self, directory: &Path) -> Option<usize> {
        let mut buffer = [0; QUOTA_MAX];
        let (quota, period) = match self {
            Version::One => {
                let quota = number(read(directory, b"/cpu.cfs_quota_us", &mut buffer)?)?;
                (quota, number(read(directory, b"/cpu.cfs_period_us", &mut buffer)?)?)
            }
            Version::Two => {
                let mut words = read(directory, b"/cpu.max", &mut buffer)?.split(|&byte| byte == b' ');
                (number(words.next()?)?, number(words.next()?)?)
            }
        };
        (period > 0).then(|| quota.div_ceil(period).max(1))
    }

    /// The bytes of one group. Where version 1 has no limit, it says a number beyond all memory.
    fn memory_bytes(self, directory: &Path) -> Option<usize> {
        let mut buffer = [0; QUOTA_MAX];
        let name: &[u8] = match self {
            Version::One => b"/memory.limit_in_bytes",
            Version::Two => b"/memory.max",
        };
        number(read(directory, name, &mut buffer)?)
    }
}

/// A decimal number. `max`, and the -1 that means it in version 1, are none.
fn number(digits: &[u8]) -> Option<usize> {
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// The first line of a small file of a directory.
fn read<'a>(directory: &Path, name: &[u8], buffer: &'a mut [u8; QUOTA_MAX]) -> Option<&'a [u8]> {
    let path = Path::of(&[directory.bytes(), name])?;
    let length = File::open(path.c_str()?).ok()?.read(buffer).ok()?;
    buffer[..length].split(|&byte| byte == b'\n').next()
}

/// Visits the lines of a file. A line that is too long is passed over.
fn for_each_line(path: &Path, mut visit: impl FnMut(&[u8])) {
    let Some(Ok(file)) = path.c_str().map(File::open) else { return };
    // What could be read until it failed counts.
    let _ = lines::for_each(&file, &mut [0; LINE_MAX], |line| {
        if let Line::Whole(line) = line {
            visit(line);
        }
    });
}

/// Appends a path of `mountinfo`, where spaces and the like are a backslash and three octal digits.
fn push_unescaped(path: &mut Path, part: &[u8]) -> Option<()> {
    let mut rest = part;
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match (byte, after) {
            (b'\\', [high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', after @ ..]) => {
                ((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'), after)
            }
            _ => (byte, after),
        };
        path.push(&[byte])?;
        rest = after;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::{
        eprintln, format, fs,
        path::PathBuf,
        string::{String, ToString},
    };

    /// A directory that stands for the root of a file system, removed at the end.
    struct Root(PathBuf);

    impl Root {
        fn new(test: &str, cgroup: &str, mountinfo: &str) -> Root {
            let root = Root(std::env::temp_dir().join(format!("gleaner-quota-{test}-{}", std::process::id())));
            root.write("proc/thread-self/cgroup", cgroup);
            root.write("proc/thread-self/mountinfo", mountinfo);
            root
        }

        fn write(&self, file: &str, text: &str) {
            let file = self.0.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }

        fn one(&self, group: &str, quota: &str) {
            self.write(&format!("{group}/cpu.cfs_quota_us"), &format!("{quota}\n"));
            self.write(&format!("{group}/cpu.cfs_period_us"), "100000\n");
        }

        fn processors(&self) -> Option<usize> {
            processors(self.0.as_os_str().as_encoded_bytes())
        }
    }

    impl Drop for Root {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const MOUNT_ONE: &str = "\
24 20 0:22 / /sys rw shared:7 - sysfs sysfs rw\n\
33 25 0:29 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n\
34 25 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:10 master:1 - cgroup cgroup rw,cpu,cpuacct\n";
    const MOUNT_TWO: &str = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn version_1_is_read() {
        let root = Root::new("one", "5:cpuset:/no\n4:cpu,cpuacct:/job\n3:memory:/no\n", MOUNT_ONE);
        root.one("sys/fs/cgroup/cpu,cpuacct/job", "350000");
        assert_eq!(root.processors(), Some(4));
        root.one("sys/fs/cgroup/cpu,cpuacct/job", "50000");
        assert_eq!(root.processors(), Some(1), "half a processor is one");
        root.one("sys/fs/cgroup/cpu,cpuacct/job", "-1");
        assert_eq!(root.processors(), None);
    }

    #[test]
    fn version_2_is_read() {
        let root = Root::new("two", "0::/job\n", MOUNT_TWO);
        let quota = |text: &str| root.write("sys/fs/cgroup/job/cpu.max", text);
        for (text, expected) in [
            ("200000 100000\n", Some(2)),
            ("210000 100000\n", Some(3)),
            ("50000 100000\n", Some(1)),
            ("1000 100000\n", Some(1)),
            ("max 100000\n", None),
            ("100000 0\n", None),
            ("much\n", None),
            ("", None),
        ] {
            quota(text);
            assert_eq!(root.processors(), expected, "{text:?}");
        }
    }

    #[test]
    fn memory_is_read_in_both_versions() {
        let root =
            Root::new("memory", "4:cpu,cpuacct:/no\n3:memory:/job\n0::/job\n", &format!("{MOUNT_ONE}{MOUNT_TWO}"));
        let bytes = || memory_bytes(root.0.as_os_str().as_encoded_bytes());
        assert_eq!(bytes(), None);
        root.write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(bytes(), Some(9_223_372_036_854_771_712));
        root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
        assert_eq!(bytes(), Some(1 << 30));
        root.write("sys/fs/cgroup/job/memory.max", "max\n");
        assert_eq!(bytes(), Some(1 << 30));
        root.write("sys/fs/cgroup/job/memory.max", "536870912\n");
        assert_eq!(bytes(), Some(512 << 20));
        assert_eq!(root.processors(), None);
    }

    #[test]
    fn the_least_of_all_groups_above_counts() {
        let root = Root::new("nested", "0::/a/b/c\n", MOUNT_TWO);
        root.write("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
        root.write("sys/fs/cgroup/a/b/cpu.max", "400000 100000\n");
        assert_eq!(root.processors(), Some(4));
        root.write("sys/fs/cgroup/a/cpu.max", "300000 100000\n");
        assert_eq!(root.processors(), Some(3));
        root.write("sys/fs/cgroup/cpu.max", "200000 100000\n");
        assert_eq!(root.processors(), Some(2), "a mounted group may have a quota when it is not the root of all");
        root.write("sys/fs/cgroup/a/b/c/cpu.max", "100000 100000\n");
        assert_eq!(root.processors(), Some(1));
    }

    #[test]
    fn both_versions_at_once_are_both_read() {
        let root = Root::new("both", "4:cpu,cpuacct:/job\n0::/job\n", &format!("{MOUNT_ONE}{MOUNT_TWO}"));
        root.one("sys/fs/cgroup/cpu,cpuacct/job", "300000");
        assert_eq!(root.processors(), Some(3));
        root.write("sys/fs/cgroup/job/cpu.max", "200000 100000\n");
        assert_eq!(root.processors(), Some(2));
    }

    #[test]
    fn a_mounted_part_is_seen_from_its_own_root() {
        // A container sees the paths of its host, and only its own group is mounted.
        let mount = "34 25 0:30 /box/17 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n";
        let root = Root::new("part", "4:cpu:/box/17/job\n", mount);
        root.one("sys/fs/cgroup/cpu/job", "300000");
        root.one("sys/fs/cgroup/cpu", "200000");
        root.one("sys/fs/cgroup/cpu/box/17/job", "100000");
        assert_eq!(root.processors(), Some(2));
    }

    #[test]
    fn a_group_outside_the_mounted_part_has_that_of_the_part() {
        for (i, group) in ["/other/job", "/../job", "/boxes/17"].into_iter().enumerate() {
            let mount = "34 25 0:30 /box /sys/fs/cgroup rw - cgroup2 none rw\n";
            let root = Root::new(&format!("outside-{i}"), &format!("0::{group}\n"), mount);
            root.write("sys/fs/cgroup/cpu.max", "300000 100000\n");
            assert_eq!(root.processors(), Some(3), "{group}");
        }
    }

    #[test]
    fn the_mount_that_shows_the_group_is_taken() {
        let elsewhere = "29 24 0:26 /boxes /elsewhere rw - cgroup2 cgroup2 rw\n";
        for (i, mounts) in [format!("{elsewhere}{MOUNT_TWO}"), format!("{MOUNT_TWO}{elsewhere}")].iter().enumerate() {
            let root = Root::new(&format!("mounts-{i}"), "0::/job\n", mounts);
            root.write("elsewhere/cpu.max", "100000 100000\n");
            root.write("sys/fs/cgroup/job/cpu.max", "200000 100000\n");
            assert_eq!(root.processors(), Some(2));
        }
    }

    #[test]
    fn spaces_in_a_mount_point_are_read() {
        let root = Root::new("space", "0::/job\n", "30 24 0:26 / /my\\040groups rw - cgroup2 cgroup2 rw\n");
        root.write("my groups/job/cpu.max", "200000 100000\n");
        assert_eq!(root.processors(), Some(2));
    }

    #[test]
    fn what_is_missing_is_no_quota() {
        assert_eq!(processors(b"/nowhere"), None);
        assert_eq!(Root::new("no-group", "", MOUNT_TWO).processors(), None);
        assert_eq!(Root::new("no-mount", "0::/job\n", "").processors(), None);
        assert_eq!(Root::new("no-file", "0::/job\n", MOUNT_TWO).processors(), None);
        assert_eq!(Root::new("torn", "0:\n4:cpu\n", "30 24 0:26 / /x\n").processors(), None);
    }

    #[test]
    fn long_lines_are_passed_over_and_what_follows_is_read() {
        for length in [LINE_MAX - 1, LINE_MAX, LINE_MAX + 1, 3 * LINE_MAX] {
            let long = "x".repeat(length);
            let root = Root::new(&format!("long-{length}"), "0::/job\n", &format!("{long}\n{MOUNT_TWO}"));
            root.write("sys/fs/cgroup/job/cpu.max", "200000 100000\n");
            assert_eq!(root.processors(), Some(2), "{length}");
        }
        let group = format!("0::/{}\n", "deep/".repeat(PATH_MAX / 5 + 1));
        assert_eq!(Root::new("deep", &group, MOUNT_TWO).processors(), None);
    }

    /// A group of version 1 that this test has made, with the calling thread in it; the thread leaves it at the end.
    struct Group(PathBuf);

    impl Group {
        fn enter(parent: &str, name: &str) -> std::io::Result<Group> {
            let group = PathBuf::from(parent).join(name);
            fs::create_dir(&group)?;
            let group = Group(group);
            fs::write(group.0.join("tasks"), crate::os::thread::id().to_string())?;
            Ok(group)
        }

        fn set(&self, quota: &str) -> std::io::Result<()> {
            fs::write(self.0.join("cpu.cfs_quota_us"), quota)
        }
    }

    impl Drop for Group {
        fn drop(&mut self) {
            let _ = fs::write(self.0.with_file_name("tasks"), crate::os::thread::id().to_string());
            let _ = fs::remove_dir(&self.0);
        }
    }

    #[test]
    fn the_kernel_is_understood() {
        let parent = "/sys/fs/cgroup/cpu";
        let name: String = format!("gleaner-quota-{}", std::process::id());
        let outer = match Group::enter(parent, &name) {
            Ok(outer) => outer,
            Err(error) => return eprintln!("skipped: no group of version 1 can be made in {parent}: {error}"),
        };
        let before = processors(b"");
        outer.set("150000").unwrap();
        let inner = Group::enter(outer.0.to_str().unwrap(), "inner").unwrap();
        assert_eq!(processors(b""), Some(2), "it was {before:?} before");
        inner.set("50000").unwrap();
        assert_eq!(processors(b""), Some(1));
    }
}
