//! The drawing: a panel a workload, memory to the right by a logarithmic scale, time upward. The paces lie on a line; what
//! has none is a point. Each point is named beside it, where nothing else is.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{DEFAULT, Point};

/// Width and height of the picture.
const SIZE: (u32, u32) = (1100, 520);
/// The height of the title.
const TITLE_HEIGHT: u32 = 84;
/// The radius of a point, and the room between it and its name.
const RADIUS: i32 = 5;
/// Height of a name and width of one of its letters, about.
const LETTER: (i32, i32) = (7, 15);
/// What is named below: sizes that are some way apart by the logarithm.
const SIZES_MB: [f64; 11] = [10.0, 20.0, 30.0, 40.0, 60.0, 80.0, 100.0, 150.0, 200.0, 300.0, 500.0];

/// Text and axes.
const INK: RGBColor = RGBColor(0x1f, 0x29, 0x37);
/// Lesser text.
const GREY: RGBColor = RGBColor(0x6b, 0x72, 0x80);
/// The grid.
const GRID: RGBColor = RGBColor(0xe5, 0xe7, 0xeb);
/// gleaner.
const OURS: RGBColor = RGBColor(0x0f, 0x76, 0x6e);
/// The peers.
const THEIRS: RGBColor = RGBColor(0xc2, 0x41, 0x0c);

/// What may go wrong while drawing.
type Outcome = Result<(), Box<dyn std::error::Error>>;
/// The surface that is drawn on.
type Surface<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A place in pixels.
type Pixel = (i32, i32);

/// A rectangle in pixels: left, top, right, bottom.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Frame(i32, i32, i32, i32);

/// Draws the panels side by side into a file.
pub fn draw(panels: &[(&str, Vec<Point>)], file: &Path) -> Outcome {
    let surface = SVGBackend::new(file, SIZE).into_drawing_area();
    surface.fill(&WHITE)?;
    let (title, below) = surface.split_vertically(TITLE_HEIGHT);
    let large = ("sans-serif", 22).into_font().style(FontStyle::Bold).color(&INK);
    let small = ("sans-serif", 15).into_font().color(&GREY);
    title.draw_text("Time against memory", &large, (24, 18))?;
    title.draw_text(
        "gleaner.h at several paces, and with none set (default), beside another collector and two mallocs",
        &small,
        (24, 52),
    )?;
    for (area, (name, points)) in below.split_evenly((1, panels.len())).iter().zip(panels) {
        draw_panel(area, name, points)?;
    }
    surface.present()?;
    Ok(())
}

/// The axes, the line of the paces, the points and their names.
fn draw_panel(area: &Surface, name: &str, points: &[Point]) -> Outcome {
    let font = |size: i32| ("sans-serif", size).into_font();
    let sizes = || points.iter().map(|point| point.peak_mb);
    let across = sizes().fold(f64::INFINITY, f64::min) / 1.2..sizes().fold(0.0, f64::max) * 1.35;
    let named: Vec<_> = SIZES_MB.into_iter().filter(|size| across.contains(size)).collect();
    let top = 1.1 * points.iter().map(|point| point.seconds.median).fold(0.0, f64::max);
    let mut panel = ChartBuilder::on(area)
        .caption(name, font(17).style(FontStyle::Bold).color(&INK))
        .margin(12)
        .x_label_area_size(46)
        .y_label_area_size(52)
        .build_cartesian_2d(across.log_scale().with_key_points(named), 0.0..top)?;
    panel
        .configure_mesh()
        .max_light_lines(0)
        .bold_line_style(GRID)
        .axis_style(GREY)
        .x_desc("peak of the resident set, MB")
        .y_desc("time, s")
        .x_labels(SIZES_MB.len())
        .y_labels(6)
        .x_label_formatter(&|mb| format!("{mb:.0}"))
        .y_label_formatter(&|seconds| format!("{seconds}"))
        .label_style(font(14).color(&GREY))
        .axis_desc_style(font(14).color(&GREY))
        .draw()?;
    let at = |point: &Point| (point.peak_mb, point.seconds.median);
    let paces = || points.iter().filter(|point| point.is_ours && point.name != DEFAULT);
    panel.draw_series(LineSeries::new(paces().map(at), OURS.stroke_width(2)))?;
    let colour = |point: &Point| if point.is_ours { OURS } else { THEIRS };
    panel.draw_series(points.iter().map(|point| Circle::new(at(point), RADIUS, colour(point).filled())))?;

    let pixel = |point: &Point| panel.backend_coord(&at(point));
    let line: Vec<_> = paces().map(pixel).collect();
    let (pixels, names): (Vec<_>, Vec<_>) = points.iter().map(|point| (pixel(point), point.name.as_str())).unzip();
    let (left, top) = area.get_base_pixel();
    for (point, frame) in points.iter().zip(name_places(&pixels, &names, &line)) {
        let style = font(14).style(FontStyle::Bold).color(&colour(point)).pos(Pos::new(HPos::Center, VPos::Center));
        area.draw_text(&point.name, &style, ((frame.0 + frame.2) / 2 - left, (frame.1 + frame.3) / 2 - top))?;
    }
    Ok(())
}

/// A frame for each name: of the places around its point the first that covers neither a point, nor the line, nor a name
/// before it, or the one that covers least of them.
fn name_places(points: &[Pixel], names: &[&str], line: &[Pixel]) -> Vec<Frame> {
    let along = line.windows(2).flat_map(|ends| between(ends[0], ends[1]));
    let mut taken: Vec<_> = points.iter().copied().chain(along).map(|pixel| around(pixel, RADIUS)).collect();
    let mut frames = Vec::new();
    for (&point, name) in points.iter().zip(names) {
        let covers = |frame: &Frame| taken.iter().filter(|other| frame.meets(**other)).count();
        let best = frames_beside(point, name).min_by_key(covers).expect("there are places");
        taken.push(best);
        frames.push(best);
    }
    frames
}

/// The frames of a name around its point, nearest first.
fn frames_beside((x, y): Pixel, name: &str) -> impl Iterator<Item = Frame> {
    let (wide, high) = (LETTER.0 * name.chars().count() as i32 / 2 + 3, LETTER.1 / 2);
    let places = [RADIUS + 4, RADIUS + 12, RADIUS + 24].map(|apart| {
        let (dx, dy) = (apart + wide, apart + high);
        [(dx, 0), (0, -dy), (-dx, 0), (0, dy), (dx, -dy / 2), (-dx, -dy / 2), (dx, dy / 2), (-dx, dy / 2)]
    });
    places.into_iter().flatten().map(move |(dx, dy)| Frame(x + dx - wide, y + dy - high, x + dx + wide, y + dy + high))
}

/// Places on the way from one pixel to another, close to each other.
fn between(from: Pixel, to: Pixel) -> impl Iterator<Item = Pixel> {
    let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()) / RADIUS + 1;
    (0..=steps).map(move |step| (from.0 + (to.0 - from.0) * step / steps, from.1 + (to.1 - from.1) * step / steps))
}

/// The square around a pixel.
fn around((x, y): Pixel, radius: i32) -> Frame {
    Frame(x - radius, y - radius, x + radius, y + radius)
}

impl Frame {
    /// Whether two frames have a pixel in common.
    fn meets(self, other: Frame) -> bool {
        self.0 < other.2 && other.0 < self.2 && self.1 < other.3 && other.1 < self.3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cover_neither_points_nor_the_line_nor_each_other() {
        let points = [(100, 100), (104, 103), (110, 96), (200, 180)];
        let line = [points[0], points[3]];
        let frames = name_places(&points, &["default", "bdwgc", "2", "glibc"], &line);
        for (i, frame) in frames.iter().enumerate() {
            for other in &frames[..i] {
                assert!(!frame.meets(*other), "{frame:?} {other:?}");
            }
            for pixel in points.into_iter().chain(between(line[0], line[1])) {
                assert!(!frame.meets(around(pixel, RADIUS)), "{frame:?} {pixel:?}");
            }
        }
    }

    #[test]
    fn a_name_with_room_stands_right_of_its_point() {
        let [frame] = name_places(&[(50, 50)], &["4"], &[])[..] else { panic!("there is one") };
        assert!(frame.0 > 50 + RADIUS && (frame.1 + frame.3) / 2 == 50, "{frame:?}");
    }
}
