//! Compiles the edge.
#[path = "../edge.rs"]
mod edge;

fn main() {
    edge::compile("gleaner_bdw_edge", &["src/edge.c", "src/callouts.c", "src/debug.c", "src/suspend.c"], &[]);
}
