//! The command line.
//!
//! Options that steer the collector are translated to `name=value` and judged by the library, which holds the one
//! table of them; only what GLEANER_OPTIONS cannot spell is rejected here.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Runs programs on the collecting malloc: what they leak is reclaimed.
#[derive(Debug, Parser)]
#[command(name = "gleaner", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a program with the collecting malloc preloaded
    Run(Run),
    /// Print the library's table of options
    Options(Options),
}

/// Arguments of `gleaner run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Take this library instead of the one found beside the command
    #[arg(long, value_name = "PATH")]
    pub library: Option<PathBuf>,

    /// Put libgc.so.1 in place of bdwgc's, for a program that is linked with it, instead of preloading a malloc
    #[arg(long)]
    pub libgc: bool,

    /// Reclaim what is unreachable, only report it, never collect, or keep it and say who touches it
    #[arg(long, value_parser = ["on", "report", "off", "verify"])]
    collect: Option<String>,

    /// Let the heap grow to at most SIZE bytes; suffixes K, M, G
    #[arg(long, value_name = "SIZE", value_parser = option_value)]
    limit: Option<String>,

    /// Allocate F times what is live between two collections
    #[arg(long, value_name = "F", value_parser = option_value)]
    pace: Option<String>,

    /// What free() does: normal, checked, quarantine, ignore
    #[arg(long, value_name = "MODE", value_parser = ["normal", "checked", "quarantine", "ignore"])]
    free: Option<String>,

    /// Reclaim what N collections in a row, at most 15, have found unreachable, each SECONDS after the one before
    #[arg(long, value_name = "N[,SECONDS]", value_parser = option_value)]
    grace: Option<String>,

    /// Print a line on stderr for each collection
    #[arg(long)]
    trace: bool,

    /// Print a summary on stderr when the program exits
    #[arg(long)]
    summary: bool,

    /// Check the whole heap after each collection
    #[arg(long)]
    verify: bool,

    /// Say on stderr what the library decides about the program
    #[arg(long)]
    verbose: bool,

    /// Set any option of the library; may be repeated, and wins over the flags above
    #[arg(long = "option", value_name = "NAME=VALUE", value_parser = setting)]
    options: Vec<Setting>,

    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_names = ["PROGRAM", "ARGS"])]
    pub program: Vec<OsString>,
}

/// Arguments of `gleaner options`.
#[derive(Debug, Args)]
pub struct Options {
    /// Ask this library instead of the one found beside the command
    #[arg(long, value_name = "PATH")]
    pub library: Option<PathBuf>,
}

/// One `name=value` for GLEANER_OPTIONS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Name of the option.
    pub name: String,
    /// Its value, without a colon.
    pub value: String,
}

impl Setting {
    /// The setting `name=value`.
    pub fn new(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: value.to_owned() }
    }
}

impl Run {
    /// What the flags ask of the library; a later setting wins over an earlier one of the same name.
    pub fn settings(&self) -> Vec<Setting> {
        let switch = |on: bool| on.then_some("1");
        let flags = [
            ("collect", self.collect.as_deref()),
            ("limit", self.limit.as_deref()),
            ("pace", self.pace.as_deref()),
            ("free", self.free.as_deref()),
            ("grace", self.grace.as_deref()),
            ("trace", switch(self.trace)),
            ("stats", switch(self.summary)),
            ("verify", switch(self.verify)),
            ("verbose", switch(self.verbose)),
        ];
        let flags = flags.into_iter().filter_map(|(name, value)| Some(Setting::new(name, value?)));
        flags.chain(self.options.iter().cloned()).collect()
    }
}

/// Accepts a value that GLEANER_OPTIONS can carry: not empty, no colon.
fn option_value(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("an option needs a value".to_owned());
    }
    if text.contains(':') {
        return Err("a colon separates options, so a value cannot contain one".to_owned());
    }
    Ok(text.to_owned())
}

/// Splits NAME=VALUE.
fn setting(text: &str) -> Result<Setting, String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE; `gleaner options` lists the names")?;
    if name.is_empty() || name.contains(':') {
        return Err("write NAME=VALUE; `gleaner options` lists the names".to_owned());
    }
    Ok(Setting { name: name.to_owned(), value: option_value(value)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn run(arguments: &[&str]) -> Run {
        match Cli::try_parse_from([&["gleaner", "run"], arguments].concat()).unwrap().command {
            Command::Run(run) => run,
            other => panic!("parsed as {other:?}"),
        }
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_follows_the_program_is_the_programs() {
        let run = run(&["--trace", "ls", "--trace", "-l", "--", "x"]);
        assert_eq!(run.program, ["ls", "--trace", "-l", "--", "x"]);
        assert_eq!(run.settings(), [Setting::new("trace", "1")]);
    }

    #[test]
    fn two_dashes_end_the_options() {
        assert_eq!(run(&["--", "--odd-name", "-x"]).program, ["--odd-name", "-x"]);
    }

    #[test]
    fn an_unknown_option_is_not_taken_for_the_program() {
        assert!(Cli::try_parse_from(["gleaner", "run", "--tracee", "ls"]).is_err());
    }

    #[test]
    fn named_options_come_after_flags() {
        let run = run(&["--option", "zeal=100", "--summary", "--free", "checked", "true"]);
        let expected = [Setting::new("free", "checked"), Setting::new("stats", "1"), Setting::new("zeal", "100")];
        assert_eq!(run.settings(), expected);
    }

    #[test]
    fn a_grace_is_handed_on_as_it_is() {
        assert_eq!(run(&["--grace", "3,10", "true"]).settings(), [Setting::new("grace", "3,10")]);
    }

    #[test]
    fn what_the_variable_cannot_spell_is_rejected() {
        for wrong in ["zeal", "=1", "zeal=", "a:b=1", "a=1:b=2"] {
            assert!(setting(wrong).is_err(), "{wrong}");
        }
        assert!(option_value("1:2").is_err());
    }
}
