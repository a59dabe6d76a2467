//! Options: one table of names, what they take, and what they set.
//!
//! Debug builds have one more, `blind`, which is for tests only (`collect::roots::blind`).
//!
//! They come from `GLEANER_OPTIONS="name=value:name=value"` (ignored in secure mode), or one by one through
//! [`set`].

#[cfg(debug_assertions)]
use crate::collect::roots::blind;
use crate::{
    collect::{
        disguise, grace,
        settings::{self, Exec, FreeMode, Mode},
    },
    heap::{pressure, zeal},
    os::{log, mem},
};
use core::fmt;

/// Why an option was not set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rejected<'a> {
    /// There is no such option; the closest name there is.
    UnknownName(&'static str),
    /// The option does not take this value; what it takes.
    BadValue(&'a str, &'static str),
    /// It can be set only before the first allocation.
    TooLate,
}

impl fmt::Display for Rejected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rejected::UnknownName(closest) => {
                write!(f, "no option is called that; did you mean '{closest}'? (help lists them)")
            }
            Rejected::BadValue(value, values) => write!(f, "'{value}' is not understood; it takes {values}"),
            Rejected::TooLate => f.write_str("it can be set only before the first allocation"),
        }
    }
}

impl core::error::Error for Rejected<'_> {}

/// An option.
pub struct Opt {
    /// Its name.
    pub name: &'static str,
    /// The values it takes, for people.
    pub values: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
    /// Whether it can be set only before the first allocation.
    is_early: bool,
    set: fn(&str) -> bool,
}

macro_rules! options {
    ($($name:literal $values:literal $when:ident $set:expr, $help:literal;)*) => {
        /// All options.
        pub static OPTIONS: &[Opt] = &[$(Opt {
            name: $name, values: $values, help: $help, is_early: options!(@$when), set: $set,
        },)*];
    };
    (@early) => { true };
    (@any) => { false };
}

options! {
    "help" "" any |_| { print_table(); true },
        "prints this table";
    "collect" "on|report|off|verify" any set_mode,
        "take back what is unreachable, only count it, never collect, or keep it and say who touches it";
    "free" "normal|checked|quarantine|ignore" early set_free_mode,
        "what a free by hand does: free; catch each double free; zero and leave it to the collector; nothing";
    "grace" "N[,SECONDS]" early set_grace,
        "reclaims what so many collections in a row have found unreachable, at most 15, each SECONDS after the one before";
    "limit" "SIZE" any |text| size(text).is_some_and(|bytes| { set_limit(bytes); true }),
        "the most bytes that the heap may take (suffix K, M or G); 0: no limit";
    "pace" "FACTOR" any |text| milli(text).is_some_and(|pace| { settings::set_pace_milli(pace); true }),
        "bytes allocated per live byte between two collections, such as 0.5; 0 leaves it to the door";
    "floor" "SIZE" any |text| size(text).is_some_and(|bytes| { settings::set_floor_bytes(bytes.max(1 << 16)); true }),
        "the least that is allocated between two collections; by default the door's";
    "finalizers" "auto|manual" any |text| choose(text, &[("auto", true), ("manual", false)], settings::set_finalizers_run_by_themselves),
        "finalizers run by themselves, or only when asked for";
    "markers" "N" any |text| text.parse().is_ok_and(|n| { settings::set_markers(n); true }),
        "threads that mark at once, at most 16; 0: as many as there are processors when there is enough to mark";
    "signal" "NUMBER" early |text| text.parse().is_ok_and(|n: i32| (1..=64).contains(&n) && { settings::set_signal(n); true }),
        "the signal that stops threads; by default SIGURG, or a real-time signal if the program uses that";
    "exec" "inherit|keep|drop" early
        |text| choose(text, &[("inherit", Exec::Inherit), ("keep", Exec::Keep), ("drop", Exec::Drop)], settings::set_exec),
        "programs that this one becomes or starts: as the environment goes, preloaded too, or not preloaded";
    "deepbind" "0|1" early |text| switch(text, settings::set_deep_binding),
        "lets a library be opened with RTLD_DEEPBIND; nothing is reclaimed from then on";
    "trace" "0|1" any |text| switch(text, settings::set_trace),
        "one line on standard error for each collection";
    "stats" "0|1" any |text| switch(text, set_stats_at_exit),
        "one line on standard error at exit";
    "verbose" "0|1" any |text| switch(text, settings::set_verbose),
        "says what is worth knowing, such as a collection given up";
    "verify" "0|1" any |text| switch(text, settings::set_verify),
        "checks the whole heap after each collection";
    "recheck" "0|1" any |text| switch(text, settings::set_recheck),
        "a second, slow marker judges each collection";
    "zeal" "N" early |text| text.parse().is_ok_and(|n| { zeal::set_collect_every(n); true }),
        "collects at every N-th allocation";
    "poison" "0|1" early |text| switch(text, |on| if on { zeal::set_poison() }),
        "fills what is freed";
    "refuse" "M" any |text| text.parse().is_ok_and(|m| { mem::refuse_every(m); true }),
        "refuses each M-th request for memory from the system";
    "step" "8|4" any |text| text.parse().is_ok_and(disguise::set_step),
        "looks for addresses at every so many bytes: 4 finds those in packed structures, too";
    "mask" "BITS" any |text| text.parse().is_ok_and(disguise::set_mask),
        "an address may carry a tag above so many low bits, such as 48; 0: none does, nor in programs known for it";
    "before" "BYTES" any |text| text.parse().is_ok_and(disguise::set_before),
        "an address may lie so many bytes before its object, at most 256";
    "vector" "0|1" any |text| switch(text, settings::set_vector),
        "reads roots and objects by vector instructions where the processor has them";
    "track" "0|1" any |text| switch(text, settings::set_track),
        "does not read pages of large mappings again that nobody has written to, where the kernel can say so";
    "mark_stack" "N" any |text| text.parse().is_ok_and(|n| { settings::set_mark_stack_objects(n); true }),
        "objects that the mark stack holds; 0 follows the heap";
}

fn choose<T: Copy>(text: &str, values: &[(&str, T)], set: impl FnOnce(T)) -> bool {
    values.iter().find(|(name, _)| *name == text).map(|&(_, value)| set(value)).is_some()
}

fn switch(text: &str, set: impl FnOnce(bool)) -> bool {
    choose(text, &[("0", false), ("1", true)], set)
}

fn set_stats_at_exit(on: bool) {
    settings::set_stats_at_exit(on);
    if on {
        // The program may have closed it by then.
        log::keep_standard_error();
    }
}

fn set_mode(text: &str) -> bool {
    let modes = [("on", Mode::On), ("report", Mode::Report), ("off", Mode::Off), ("verify", Mode::Verify)];
    choose(text, &modes, |mode| {
        settings::set_mode(mode);
        if mode == Mode::Verify {
            zeal::set_slow_path_only();
        }
    })
}

fn set_grace(text: &str) -> bool {
    let (collections, seconds) = text.split_once(',').unwrap_or((text, "0"));
    matches!((collections.parse(), seconds.parse()), (Ok(collections), Ok(seconds)) if grace::set(collections, seconds))
}

fn set_free_mode(text: &str) -> bool {
    let modes = [
        ("normal", FreeMode::Normal),
        ("checked", FreeMode::Checked),
        ("quarantine", FreeMode::Quarantine),
        ("ignore", FreeMode::Ignore),
    ];
    choose(text, &modes, |mode| {
        settings::set_free_mode(mode);
        if mode != FreeMode::Normal {
            zeal::set_slow_path_only();
        }
    })
}

/// Sets the heap's limit in bytes; zero takes it away.
pub fn set_limit(bytes: usize) {
    pressure::set_limit_bytes(if bytes == 0 { usize::MAX } else { bytes });
}

/// A size as options take it, in bytes: `64M` and the like; K, M and G are powers of 1024. `None` when it is none.
pub fn size(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches(['K', 'M', 'G', 'k', 'm', 'g']);
    let shift = match &text[digits.len()..] {
        "" => 0,
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        _ => return None,
    };
    digits.parse::<usize>().ok()?.checked_mul(1 << shift)
}

/// `0.75` and the like, in thousandths.
fn milli(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut thousandths = 0;
    for index in 0..3 {
        let digit = fraction.as_bytes().get(index).copied().unwrap_or(b'0');
        thousandths = thousandths * 10 + u32::from(digit.checked_sub(b'0').filter(|digit| *digit <= 9)?);
    }
    let whole: u32 = whole.parse().ok()?;
    (whole <= 1000).then_some(whole * 1000 + thousandths)
}

/// Sets one option.
///
/// # Errors
/// [`Rejected`] says why not; nothing has changed then.
///
/// ```
/// # #[global_allocator] static HEAP: gleaner::Gleaner = gleaner::Gleaner;
/// use gleaner::api::options::{self, Rejected};
/// assert_eq!(options::set("pace", "0.5"), Ok(()));
/// assert_eq!(options::set("pase", "0.5"), Err(Rejected::UnknownName("pace")));
/// assert!(options::set("pace", "fast").unwrap_err().to_string().contains("it takes FACTOR"));
/// ```
pub fn set<'a>(name: &str, value: &'a str) -> Result<(), Rejected<'a>> {
    set_in_time(name, value, pressure::has_started())
}

/// Sets one option; `is_late`: something has been allocated.
fn set_in_time<'a>(name: &str, value: &'a str, is_late: bool) -> Result<(), Rejected<'a>> {
    #[cfg(debug_assertions)]
    if name == "blind" {
        let is_known = blind::set(value);
        return if is_known { Ok(()) } else { Err(Rejected::BadValue(value, "PLACE,PLACE")) };
    }
    let Some(option) = OPTIONS.iter().find(|option| option.name == name) else {
        return Err(Rejected::UnknownName(closest(name)));
    };
    if is_late && (option.is_early || is_early_value(name, value)) {
        return Err(Rejected::TooLate);
    }
    if (option.set)(value) { Ok(()) } else { Err(Rejected::BadValue(value, option.values)) }
}

/// Whether an option that can be set at any time can be set to this value only before the first allocation.
fn is_early_value(name: &str, value: &str) -> bool {
    (name, value) == ("collect", "verify")
}

/// Sets the options of a text `name=value:name=value`, and says on standard error which it did not set, and why.
pub fn set_all(text: &str) {
    set_each(text, pressure::has_started());
}

/// The same for a library while the loader starts it: what the loader itself has allocated does not make it late.
///
/// # Safety
/// The program has not used the engine yet.
pub unsafe fn set_all_at_load(text: &str) {
    set_each(text, false);
}

fn set_each(text: &str, is_late: bool) {
    for part in text.split(':').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match set_in_time(name, value, is_late) {
            Ok(()) => {}
            Err(Rejected::UnknownName(closest)) => log::print(format_args!(
                "gleaner: GLEANER_OPTIONS: no option is called '{name}'; did you mean '{closest}'? (help lists them)"
            )),
            Err(Rejected::BadValue(value, values)) => log::print(format_args!(
                "gleaner: GLEANER_OPTIONS: {name}={value} is not understood; it takes {values}"
            )),
            Err(Rejected::TooLate) => {
                log::print(format_args!("gleaner: GLEANER_OPTIONS: {name} can be set only before the first allocation"))
            }
        }
    }
}

/// The name with the fewest edits to `name`.
fn closest(name: &str) -> &'static str {
    OPTIONS.iter().map(|option| option.name).min_by_key(|known| distance(known, name)).unwrap_or("help")
}

/// The number of letters to insert, remove or replace (Levenshtein), in whichever case, for names of up to 31 letters.
fn distance(known: &str, name: &str) -> usize {
    let name = &name.as_bytes()[..name.len().min(31)];
    let mut row: [usize; 32] = core::array::from_fn(|index| index);
    for (i, letter) in known.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in name.iter().enumerate() {
            let replaced = diagonal + usize::from(!letter.eq_ignore_ascii_case(other));
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[name.len()]
}

fn print_table() {
    log::print(format_args!("gleaner {}: GLEANER_OPTIONS=\"name=value:name=value\"", env!("CARGO_PKG_VERSION")));
    for option in OPTIONS {
        log::print(format_args!("  {:<11}{:<34}{}", option.name, option.values, option.help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_factors_are_read_and_nonsense_is_not() {
        assert_eq!(size("64M"), Some(64 << 20));
        assert_eq!(size("0"), Some(0));
        assert_eq!(size("1T"), None);
        assert_eq!(size("K"), None);
        assert_eq!(size("99999999999G"), None);
        assert_eq!(milli("0.75"), Some(750));
        assert_eq!(milli("2"), Some(2000));
        assert_eq!(milli("1.x"), None);
        assert_eq!(milli("-1"), None);
    }

    #[test]
    fn an_unknown_name_gets_the_closest_one() {
        assert_eq!(set_in_time("trase", "1", false), Err(Rejected::UnknownName("trace")));
        assert_eq!(set_in_time("colect", "on", false), Err(Rejected::UnknownName("collect")));
    }

    #[test]
    fn values_and_times_are_checked() {
        assert_eq!(set_in_time("collect", "maybe", false), Err(Rejected::BadValue("maybe", "on|report|off|verify")));
        assert_eq!(set_in_time("collect", "verify", true), Err(Rejected::TooLate));
        assert_eq!(set_in_time("free", "checked", true), Err(Rejected::TooLate));
        assert_eq!(set_in_time("trace", "0", true), Ok(()));
    }
}
