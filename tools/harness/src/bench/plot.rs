//! The drawing: a line a workload, on it each peer at its figure by ours. Right of the middle a peer is slower than
//! gleaner, left of it faster; the scale is logarithmic.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::allocators::Allocator;
use super::summary::Row;

/// The width of the picture, of the names in it, and of its right margin.
const WIDTH: (i32, i32, i32) = (1100, 290, 40);
/// The heights of the head, of a line and of the foot.
const HEIGHTS: (i32, i32, i32) = (96, 20, 40);
/// What lies beyond is drawn at the edge: a tenth and a hundred times our figure.
const RANGE: (f64, f64) = (0.1, 100.0);

/// Text and axes.
const INK: RGBColor = RGBColor(0x1f, 0x29, 0x37);
/// Lesser text.
const GREY: RGBColor = RGBColor(0x6b, 0x72, 0x80);
/// The grid.
const GRID: RGBColor = RGBColor(0xe5, 0xe7, 0xeb);

/// What may go wrong while drawing.
type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The peers that are drawn, each in its colour.
const PEERS: [(Allocator, RGBColor); 6] = [
    (Allocator::Bdwgc1, RGBColor(0xb9, 0x1c, 0x1c)),
    (Allocator::Bdwgc2, RGBColor(0xf4, 0x72, 0x72)),
    (Allocator::Mimalloc, RGBColor(0x1d, 0x4e, 0xd8)),
    (Allocator::Jemalloc, RGBColor(0xd9, 0x77, 0x06)),
    (Allocator::Tcmalloc, RGBColor(0x15, 0x80, 0x3d)),
    (Allocator::Glibc, RGBColor(0x6b, 0x21, 0xa8)),
];

/// A line: one of ours on one workload, and each peer's figure by ours.
#[derive(Debug, PartialEq)]
struct Band {
    name: String,
    peers: Vec<(Allocator, f64)>,
}

/// Draws all rows into a file.
pub fn draw(rows: &[Row], file: &Path) -> Result<()> {
    let bands = bands(rows);
    let height = HEIGHTS.0 + HEIGHTS.1 * bands.len() as i32 + HEIGHTS.2;
    let surface = SVGBackend::new(file, (WIDTH.0 as u32, height as u32)).into_drawing_area();
    draw_all(&surface, &bands, height).map_err(|error| anyhow!("{error}"))
}

/// gleaner's malloc beside the mallocs, and gleaner beside the collectors.
fn bands(rows: &[Row]) -> Vec<Band> {
    let mut bands: Vec<Band> = Vec::new();
    for row in rows.iter().filter(|row| PEERS.iter().any(|(peer, _)| *peer == row.allocator)) {
        let (ratio, ours) = match row.gleaner_malloc_by_this {
            Some(ratio) if row.allocator.is_other_malloc() => (Some(ratio), Allocator::GleanerMalloc),
            _ => (row.gleaner_by_this, Allocator::Gleaner),
        };
        let Some(ratio) = ratio else { continue };
        let name = format!("{}{}", row.workload, if ours == Allocator::Gleaner { ", collected" } else { "" });
        let peer = (row.allocator, 1.0 / ratio);
        match bands.iter_mut().find(|band| band.name == name) {
            Some(band) => band.peers.push(peer),
            None => bands.push(Band { name, peers: vec![peer] }),
        }
    }
    bands
}

/// The place of a ratio on the horizontal axis.
fn across(ratio: f64) -> i32 {
    let share = (ratio.clamp(RANGE.0, RANGE.1) / RANGE.0).ln() / (RANGE.1 / RANGE.0).ln();
    WIDTH.1 + (share * f64::from(WIDTH.0 - WIDTH.1 - WIDTH.2)).round() as i32
}

/// Head, grid and lines.
fn draw_all(surface: &DrawingArea<SVGBackend, plotters::coord::Shift>, bands: &[Band], height: i32) -> Outcome {
    surface.fill(&WHITE)?;
    let font = |size: i32| ("sans-serif", size).into_font();
    let at = |horizontal| Pos::new(horizontal, VPos::Center);
    let title = font(20).style(FontStyle::Bold).color(&INK);
    surface.draw_text("Figures of other allocators by gleaner's: right of 1, gleaner needs less", &title, (20, 14))?;
    for (i, (peer, colour)) in PEERS.iter().enumerate() {
        let left = 24 + 150 * i as i32;
        surface.draw(&Circle::new((left, 58), 5, colour.filled()))?;
        surface.draw_text(&peer.name(), &font(14).color(&INK).pos(at(HPos::Left)), (left + 10, 58))?;
    }
    for ratio in [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0] {
        let (x, colour) = (across(ratio), if ratio == 1.0 { INK } else { GRID });
        surface.draw(&PathElement::new(vec![(x, HEIGHTS.0 - 10), (x, height - HEIGHTS.2)], colour))?;
        surface.draw_text(&format!("{ratio}"), &font(13).color(&GREY).pos(at(HPos::Center)), (x, HEIGHTS.0 - 18))?;
    }
    for (i, band) in bands.iter().enumerate() {
        let y = HEIGHTS.0 + HEIGHTS.1 * i as i32 + HEIGHTS.1 / 2;
        surface.draw_text(&band.name, &font(13).color(&INK).pos(at(HPos::Right)), (WIDTH.1 - 12, y))?;
        for (peer, ratio) in &band.peers {
            let colour = PEERS.iter().find(|(other, _)| other == peer).map_or(INK, |(_, colour)| *colour);
            surface.draw(&Circle::new((across(*ratio), y), 5, colour.filled()))?;
        }
    }
    surface.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_figures_lie_a_third_of_the_way() {
        let width = WIDTH.0 - WIDTH.1 - WIDTH.2;
        assert_eq!(across(0.1), WIDTH.1);
        assert_eq!(across(1.0), WIDTH.1 + (f64::from(width) / 3.0).round() as i32);
        assert_eq!(across(1e9), WIDTH.0 - WIDTH.2);
    }
}
