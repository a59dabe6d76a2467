//! The report: one Markdown table of all rows, and where gleaner stands, worst first.

use super::allocators::Allocator;
use super::summary::{self, Row, Standing};

/// The head of the table.
const HEAD: &str = "\
| workload | allocator | figure | gleaner / this | gleaner-malloc / this | CPU, s | peak RSS, MB | collections \
| pauses, ms | longest, ms | more | lost a core |
|---|---|---|---|---|---|---|---|---|---|---|---|
";

/// The whole report.
pub fn text(head: &str, rows: &[Row], failures: &[(&str, String)]) -> String {
    let table: String = rows.iter().map(line).collect();
    let standings = [
        ("gleaner-malloc beside the best malloc", Allocator::GleanerMalloc, Allocator::is_other_malloc as fn(_) -> _),
        ("gleaner beside bdwgc", Allocator::Gleaner, Allocator::is_other_collector),
        ("gleaner beside the best malloc, which frees by hand", Allocator::Gleaner, Allocator::is_other_malloc),
        ("gleaner beside what the memory can do", Allocator::Gleaner, |other| other == Allocator::Limit),
    ];
    let standings: String =
        standings.map(|(title, ours, peers)| standing_table(title, &summary::standings(rows, ours, peers))).concat();
    let failures: String = failures.iter().map(|(workload, what)| format!("\nFAILED: {workload}: {what}\n")).collect();
    format!("{head}\n\n{HEAD}{table}{standings}{}{failures}", means(rows))
}

/// A number with about three digits.
pub fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// One row of the table.
fn line(row: &Row) -> String {
    let ratio = |ratio: Option<f64>| ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
    let collects = |text: String| if row.collections > 0.0 { text } else { String::new() };
    let own: Vec<_> = row.own.iter().map(|(key, value)| format!("{key} {}", short(*value))).collect();
    let lost = if row.lost_a_core > 0 { format!("{} of {}", row.lost_a_core, row.rounds) } else { String::new() };
    format!(
        "| {} | {} | {} {} ({} to {}) | {} | {} | {:.2} | {} | {:.0} | {} | {} | {} | {lost} |\n",
        row.workload,
        row.allocator.name(),
        short(row.figure.median),
        row.unit.unit,
        short(row.figure.least),
        short(row.figure.most),
        ratio(row.gleaner_by_this),
        ratio(row.gleaner_malloc_by_this),
        row.cpu_seconds,
        short(row.peak_rss_mb),
        row.collections,
        collects(short(row.pause_total_ms)),
        collects(short(row.pause_longest_ms)),
        own.join(", "),
    )
}

/// Where one of ours stands; nothing when it ran beside no peer.
fn standing_table(title: &str, standings: &[Standing]) -> String {
    if standings.is_empty() {
        return String::new();
    }
    let row = |s: &Standing| format!("| {} | {} | {:.2} | {:.2} |\n", s.workload, s.best.name(), s.ratio, s.rss_ratio);
    let table: String = standings.iter().map(row).collect();
    format!(
        "\n{title}, worst first:\n\n| workload | best peer | figure by its | RSS by its |\n|---|---|---|---|\n{table}"
    )
}

/// The geometric means beside two mallocs.
fn means(rows: &[Row]) -> String {
    let line = |peer| {
        let beside = summary::means(rows, peer)?;
        Some(format!(
            "\ngleaner-malloc by {}, geometric mean over {} workloads: time {:.2}, peak RSS {:.2}\n",
            peer.name(),
            beside.workloads,
            beside.time,
            beside.rss
        ))
    };
    [Allocator::Mimalloc, Allocator::Glibc].into_iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::summary::Spread;
    use super::super::workloads::WORKLOADS;
    use super::*;

    /// A row of a two-thread workload.
    fn row(allocator: Allocator, median: f64, by_this: Option<f64>) -> Row {
        Row {
            workload: "pair",
            allocator,
            figure: Spread { median, least: 1.0, most: 250.4 },
            unit: WORKLOADS[0].figure,
            gleaner_by_this: None,
            gleaner_malloc_by_this: by_this,
            cpu_seconds: 1.234,
            peak_rss_mb: 12.34,
            collections: 0.0,
            pause_total_ms: 0.0,
            pause_longest_ms: 0.0,
            own: vec![("live_kb".to_owned(), 1234.5)],
            rounds: 5,
            lost_a_core: 2,
        }
    }

    #[test]
    fn a_row_shows_median_and_ends() {
        let text = line(&row(Allocator::Mimalloc, 12.34, Some(0.5)));
        let expected =
            "| pair | mimalloc | 12.3 ns (1.00 to 250) |  | 0.50 | 1.23 | 12.3 | 0 |  |  | live_kb 1234 | 2 of 5 |\n";
        assert_eq!(text, expected);
        let columns = |text: &str| text.matches('|').count();
        assert_eq!(columns(&text), columns(HEAD.lines().next().unwrap()));
    }

    #[test]
    fn the_report_ends_with_what_failed() {
        let rows = [row(Allocator::GleanerMalloc, 3.0, None), row(Allocator::Mimalloc, 2.0, Some(1.5))];
        let text = text("Machine", &rows, &[("mix", "glibc: killed".to_owned())]);
        assert!(text.starts_with("Machine\n\n| workload |"), "{text}");
        assert!(text.contains("| pair | mimalloc | 1.50 | 1.00 |"), "{text}");
        assert!(text.contains("gleaner-malloc by mimalloc, geometric mean over 1 workloads: time 1.50"), "{text}");
        assert!(text.ends_with("\nFAILED: mix: glibc: killed\n"), "{text}");
    }
}
