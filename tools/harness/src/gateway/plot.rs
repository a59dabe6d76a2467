//! The drawing: both footprints over time, and below them gleaner's alone at a scale that shows its collections.
//!
//! A line is named where it ends, in its own colour; there is no legend to match.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::judge::resident_most;
use super::run::Run;
use crate::figures::{MIB, grouped};

/// Width and height of the picture.
const SIZE: (u32, u32) = (1200, 880);
/// The height of the title.
const TITLE_HEIGHT: u32 = 104;
/// The height of the upper panel.
const UPPER_HEIGHT: u32 = 456;
/// The room right of a panel, for the names of its lines.
const NAMES_WIDTH: u32 = 230;
/// The least distance between two names, in pixels.
const NAMES_APART: i32 = 19;

/// Text and axes.
const INK: RGBColor = RGBColor(0x1f, 0x29, 0x37);
/// Lesser text.
const GREY: RGBColor = RGBColor(0x6b, 0x72, 0x80);
/// The grid.
const GRID: RGBColor = RGBColor(0xe5, 0xe7, 0xeb);
/// The quarters that are compared.
const BAND: RGBColor = RGBColor(0xf0, 0xf4, 0xf3);
/// glibc's line.
const GLIBC: RGBColor = RGBColor(0xc2, 0x41, 0x0c);
/// gleaner's line.
const GLEANER: RGBColor = RGBColor(0x0f, 0x76, 0x6e);

/// A point of a line: seconds and MiB.
type Point = (f64, f64);
/// The surface that is drawn on.
type Surface<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A panel with its axes.
type Panel<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// A name right of a point: where, what, in which colour.
struct Name {
    point: Point,
    text: String,
    colour: RGBColor,
}

/// Draws two runs into a file.
pub fn draw(glibc: &Run, gleaner: &Run, file: &Path) -> Result<()> {
    let surface = SVGBackend::new(file, SIZE).into_drawing_area();
    draw_all(&surface, glibc, gleaner).map_err(|error| anyhow!("{error}"))
}

/// What may go wrong while drawing.
type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The title and the two panels.
fn draw_all(surface: &Surface, glibc: &Run, gleaner: &Run) -> Outcome {
    surface.fill(&WHITE)?;
    let (title, panels) = surface.split_vertically(TITLE_HEIGHT);
    let (upper, lower) = panels.split_vertically(UPPER_HEIGHT);
    draw_title(&title, glibc)?;

    let seconds = glibc.seconds.max(gleaner.seconds) * 1.01;
    let (glibc_line, gleaner_line) = (line(glibc), line(gleaner));
    let (live, most) = (gleaner.kept_bytes as f64 / MIB, resident_most(gleaner.kept_bytes) / MIB);
    let top = |lines: &[&[Point]]| lines.iter().flat_map(|line| line.iter()).map(|point| point.1).fold(0.0, f64::max);

    let high = 1.08 * top(&[&glibc_line, &gleaner_line]).max(most);
    let mut panel = open_panel(&upper, seconds, high, "both, MiB", "")?;
    draw_line(&mut panel, &glibc_line, GLIBC)?;
    draw_line(&mut panel, &gleaner_line, GLEANER)?;
    let end_name = |name: &str, line: &[Point], colour| {
        let point = line.last().copied().unwrap_or_default();
        Name { point, text: format!("{name} {} MiB", grouped(point.1.round() as u64)), colour }
    };
    let names = [end_name("glibc", &glibc_line, GLIBC), end_name("gleaner", &gleaner_line, GLEANER)];
    draw_names(&upper, &panel, &names)?;

    let high = 1.12 * top(&[&gleaner_line]).max(most);
    let mut panel = open_panel(&lower, seconds, high, "gleaner alone, MiB", "seconds")?;
    for (quarter, name) in [(2.0, "second quarter"), (4.0, "last quarter")] {
        draw_band(&mut panel, gleaner, quarter, high, name)?;
    }
    draw_level(&mut panel, seconds, most, INK)?;
    draw_level(&mut panel, seconds, live, GREY)?;
    draw_line(&mut panel, &gleaner_line, GLEANER)?;
    let reclaimed = gleaner.trace.reclaimed_bytes() as f64 / MIB;
    let collections = format!("{} collections", gleaner.trace.collections.len());
    let back = format!("took back {} MiB", grouped(reclaimed.round() as u64));
    let end = gleaner_line.last().copied().unwrap_or_default();
    let names = [
        Name { point: (seconds, most), text: format!("limit, 1.5 × live + 16: {most:.0}"), colour: INK },
        Name { point: end, text: collections, colour: GLEANER },
        Name { point: end, text: back, colour: GLEANER },
        Name { point: (seconds, live), text: format!("live, kept on purpose: {live:.0}"), colour: GREY },
    ];
    draw_names(&lower, &panel, &names)?;
    surface.present()?;
    Ok(())
}

/// What the picture shows, in two lines.
fn draw_title(title: &Surface, run: &Run) -> Outcome {
    let large = ("sans-serif", 26).into_font().style(FontStyle::Bold).color(&INK);
    let small = ("sans-serif", 17).into_font().color(&GREY);
    title.draw_text("A payment gateway that forgets the id of every transaction", &large, (24, 22))?;
    let figures = format!(
        "Resident memory while {} payments in {} requests leak {:.0} MiB beside {:.0} MiB that are kept",
        grouped(run.payments),
        grouped(run.requests),
        run.forgotten_bytes as f64 / MIB,
        run.kept_bytes as f64 / MIB,
    );
    title.draw_text(&figures, &small, (24, 60))?;
    Ok(())
}

/// A run as a line.
fn line(run: &Run) -> Vec<Point> {
    let first = (0.0, run.resident_first_bytes as f64 / MIB);
    let rest = run.samples.iter().map(|sample| (sample.seconds, sample.resident_bytes as f64 / MIB));
    std::iter::once(first).chain(rest).collect()
}

/// A panel with its grid, its heading and its axes.
fn open_panel<'a>(
    area: &Surface<'a>,
    seconds: f64,
    high: f64,
    heading: &str,
    below: &str,
) -> Result<Panel<'a>, Box<dyn std::error::Error>> {
    let font = |size| ("sans-serif", size).into_font();
    area.draw_text(heading, &font(16).style(FontStyle::Bold).color(&INK), (24, 0))?;
    let mut panel = ChartBuilder::on(area)
        .margin_top(30)
        .margin_right(NAMES_WIDTH)
        .margin_left(10)
        .x_label_area_size(if below.is_empty() { 50 } else { 46 })
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..seconds, 0.0..high)?;
    panel
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(GREY)
        .x_desc(below)
        .x_labels(12)
        .y_labels(7)
        .x_label_formatter(&|second| format!("{second:.0}"))
        .y_label_formatter(&|mib| grouped(*mib as u64))
        .label_style(font(15).color(&GREY))
        .axis_desc_style(font(15).color(&GREY))
        .draw()?;
    Ok(panel)
}

/// A line of samples.
fn draw_line(panel: &mut Panel, line: &[Point], colour: RGBColor) -> Outcome {
    panel.draw_series(LineSeries::new(line.iter().copied(), colour.stroke_width(2)))?;
    Ok(())
}

/// A dashed line at one height.
fn draw_level(panel: &mut Panel, seconds: f64, height: f64, colour: RGBColor) -> Outcome {
    let ends = [(0.0, height), (seconds, height)];
    panel.draw_series(DashedLineSeries::new(ends, 6, 5, colour.stroke_width(1)))?;
    Ok(())
}

/// The time of one quarter of a run's requests as a band, with its name and its mean.
fn draw_band(panel: &mut Panel, run: &Run, quarter: f64, high: f64, name: &str) -> Outcome {
    let second = |share: f64| {
        super::meter::at_share(&run.samples, share, run.requests).map_or(run.seconds, |sample| sample.seconds)
    };
    let (from, to) = (second((quarter - 1.0) / 4.0), second(quarter / 4.0));
    panel.draw_series([Rectangle::new([(from, 0.0), (to, high)], BAND.filled())])?;
    let mean = run.quarter_mean(quarter as u64) / MIB;
    let style = ("sans-serif", 14).into_font().color(&GREY).pos(Pos::new(HPos::Center, VPos::Bottom));
    let place = ((from + to) / 2.0, high * 0.04);
    panel.draw_series([Text::new(format!("{name}: mean {mean:.1}"), place, style)])?;
    Ok(())
}

/// Names right of their points, moved apart where they would overlap.
fn draw_names(area: &Surface, panel: &Panel, names: &[Name]) -> Outcome {
    let (left, top) = area.get_base_pixel();
    let place = |name: &Name| panel.backend_coord(&name.point);
    let heights = move_apart(&names.iter().map(|name| place(name).1).collect::<Vec<_>>());
    for (name, height) in names.iter().zip(heights) {
        let font = ("sans-serif", 16).into_font().style(FontStyle::Bold);
        let style = font.color(&name.colour).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw_text(&name.text, &style, (place(name).0 - left + 10, height - top))?;
    }
    Ok(())
}

/// Heights in pixels, moved down where one would be less than a name below the one above it; in the given order.
fn move_apart(heights: &[i32]) -> Vec<i32> {
    let mut order: Vec<usize> = (0..heights.len()).collect();
    order.sort_by_key(|&i| heights[i]);
    let mut moved = heights.to_vec();
    for pair in order.windows(2) {
        moved[pair[1]] = moved[pair[1]].max(moved[pair[0]] + NAMES_APART);
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_too_near_are_moved_down() {
        assert_eq!(move_apart(&[10, 100, 200]), [10, 100, 200]);
        assert_eq!(move_apart(&[100, 101, 90]), [109, 128, 90]);
        assert_eq!(move_apart(&[50, 50]), [50, 50 + NAMES_APART]);
    }
}
