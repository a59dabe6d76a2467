//! The command as its users meet it: each test runs the binary, with a stand-in for the library.

mod environment;
mod refusals;
mod support;
