//! The allocators that are compared, and how a program gets each: compiled for it, or with its library preloaded.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

/// Where Debian keeps the libraries that are preloaded.
const LIBRARIES: &str = "/usr/lib/x86_64-linux-gnu";

/// An allocator in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Allocator {
    /// Collected, through `gleaner.h`.
    Gleaner,
    /// The same with one marker, whatever it thinks worthwhile.
    #[value(name = "gleaner-1-marker")]
    #[serde(rename = "gleaner-1-marker")]
    Gleaner1,
    /// The same with two.
    #[value(name = "gleaner-2-markers")]
    #[serde(rename = "gleaner-2-markers")]
    Gleaner2,
    /// malloc and free, `libgleaner_malloc.so` preloaded, collection on.
    GleanerMalloc,
    /// Collected, the Boehm-Demers-Weiser collector with one marker thread.
    #[value(name = "bdwgc-1-marker")]
    #[serde(rename = "bdwgc-1-marker")]
    Bdwgc1,
    /// The same with two.
    #[value(name = "bdwgc-2-markers")]
    #[serde(rename = "bdwgc-2-markers")]
    Bdwgc2,
    /// malloc and free, preloaded.
    Mimalloc,
    /// malloc and free, preloaded.
    Jemalloc,
    /// malloc and free, preloaded.
    Tcmalloc,
    /// malloc and free, as the program is.
    Glibc,
    /// No allocator: what the memory can do, by the program `limits` with the same arguments.
    Limit,
    /// The same by two threads.
    #[value(name = "limit-2-threads")]
    #[serde(rename = "limit-2-threads")]
    Limit2,
}

/// What a program is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// `gleaner.h`.
    Gleaner,
    /// `gc.h`.
    Bdwgc,
    /// `stdlib.h`.
    Malloc,
}

impl Binding {
    /// The end of the program's name.
    pub fn suffix(self) -> &'static str {
        match self {
            Binding::Gleaner => "gleaner",
            Binding::Bdwgc => "bdwgc",
            Binding::Malloc => "malloc",
        }
    }
}

impl Allocator {
    /// Its name, in tables and on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().expect("no allocator is hidden").get_name().to_owned()
    }

    /// What a program has to be compiled for.
    pub fn binding(self) -> Binding {
        match self {
            Allocator::Gleaner | Allocator::Gleaner1 | Allocator::Gleaner2 => Binding::Gleaner,
            Allocator::Bdwgc1 | Allocator::Bdwgc2 => Binding::Bdwgc,
            _ => Binding::Malloc,
        }
    }

    /// Whether it is a collector of somebody else's.
    pub fn is_other_collector(self) -> bool {
        matches!(self, Allocator::Bdwgc1 | Allocator::Bdwgc2)
    }

    /// Whether it is somebody else's malloc.
    pub fn is_other_malloc(self) -> bool {
        matches!(self, Allocator::Mimalloc | Allocator::Jemalloc | Allocator::Tcmalloc | Allocator::Glibc)
    }

    /// The library to preload; `doors` is where ours are.
    pub fn preload(self, doors: &Path) -> Option<PathBuf> {
        let installed = |name: &str| Some(Path::new(LIBRARIES).join(name));
        match self {
            Allocator::GleanerMalloc => Some(doors.join("libgleaner_malloc.so")),
            Allocator::Mimalloc => installed("libmimalloc.so.2"),
            Allocator::Jemalloc => installed("libjemalloc.so.2"),
            Allocator::Tcmalloc => installed("libtcmalloc_minimal.so.4"),
            _ => None,
        }
    }

    /// Whether no allocator takes part: nothing is built, so nothing has a checksum.
    pub fn is_limit(self) -> bool {
        matches!(self, Allocator::Limit | Allocator::Limit2)
    }

    /// A variable of the environment of a program on this allocator, `LD_PRELOAD` left aside. `options` are those that
    /// gleaner has of the harness's own environment.
    pub fn environment(self, options: &str) -> Option<(&'static str, String)> {
        let gleaner = |markers| Some(("GLEANER_OPTIONS", joined(options, markers)));
        match self {
            Allocator::Gleaner1 => gleaner("markers=1"),
            Allocator::Gleaner2 => gleaner("markers=2"),
            Allocator::Bdwgc1 => Some(("GC_MARKERS", "1".to_owned())),
            Allocator::Bdwgc2 => Some(("GC_MARKERS", "2".to_owned())),
            _ => None,
        }
    }

    /// What its program is told besides the arguments of the workload.
    pub fn arguments(self) -> &'static [&'static str] {
        if self == Allocator::Limit2 { &["--threads", "2"] } else { &[] }
    }

    /// The Debian package that brings it.
    pub fn package(self) -> Option<&'static str> {
        match self {
            Allocator::Bdwgc1 | Allocator::Bdwgc2 => Some("libgc-dev"),
            Allocator::Mimalloc => Some("libmimalloc2.0"),
            Allocator::Jemalloc => Some("libjemalloc2"),
            Allocator::Tcmalloc => Some("libtcmalloc-minimal4"),
            Allocator::Glibc => Some("libc6"),
            _ => None,
        }
    }
}

/// Options of gleaner, and more of them.
pub fn joined(options: &str, more: &str) -> String {
    [options, more].into_iter().filter(|options| !options.is_empty()).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_figures_has_the_names_of_the_command_line() {
        for &allocator in Allocator::value_variants() {
            assert_eq!(serde_json::to_value(allocator).unwrap(), allocator.name());
        }
    }

    #[test]
    fn options_of_the_environment_stay() {
        assert_eq!(Allocator::Gleaner1.environment(""), Some(("GLEANER_OPTIONS", "markers=1".to_owned())));
        assert_eq!(Allocator::Gleaner2.environment("pace=2"), Some(("GLEANER_OPTIONS", "pace=2:markers=2".to_owned())));
        assert_eq!(Allocator::Gleaner.environment("pace=2"), None);
    }

    #[test]
    fn only_malloc_programs_are_preloaded() {
        for &allocator in Allocator::value_variants() {
            if allocator.preload(Path::new("doors")).is_some() {
                assert_eq!(allocator.binding(), Binding::Malloc, "{allocator:?}");
            }
        }
    }
}
