//! The line of a clock: its start, the steps on the way, the deadline, and what comes after it.

use super::text::{bold_width, text_width};
use super::{Align, Chart, Drawing, Mark, Paint, Table};

const SIZE: f64 = 10.5;
const LINE: f64 = 12.5;
/// Between two labels on one row.
const GAP: f64 = 5.0;
const RADIUS: f64 = 3.2;
/// The deadline's dot is larger; so far the line keeps from the edges.
const EDGE: f64 = RADIUS + 1.0;

/// One mark on the line.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// 0 is the start, 1 the deadline; after it more.
    pub at: f64,
    /// On the picture, short: `50 %`, `due`.
    pub label: String,
    /// In the table: `2 business hours after the start`.
    pub when: String,
    pub what: String,
}

/// A clock from its start to its last step, to scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    pub title: String,
    /// In the order of their moments.
    pub moments: Vec<Moment>,
}

/// A label with its place, once it is found.
struct Placed<'a> {
    moment: &'a Moment,
    x: f64,
    from: f64,
    to: f64,
    row: usize,
}

impl Timeline {
    fn description(&self) -> String {
        let tell = |m: &Moment| format!("{}: {}. ", m.when, m.what);
        self.moments.iter().map(tell).collect::<String>().trim_end().to_owned()
    }

    /// Each label goes into the first row that has room for it, so that none covers another.
    fn place(&self, width: f64) -> Vec<Placed<'_>> {
        let last = self.moments.iter().map(|m| m.at).filter(|at| at.is_finite()).fold(1.0, f64::max);
        let (mut placed, mut ends): (Vec<Placed<'_>>, Vec<f64>) = (Vec::new(), Vec::new());
        for moment in &self.moments {
            let x = EDGE + (moment.at / last).clamp(0.0, 1.0) * (width - 2.0 * EDGE);
            let wide = label_width(moment).min(width);
            let from = (x - wide / 2.0).clamp(0.0, width - wide);
            let row = ends.iter().position(|end| *end + GAP <= from).unwrap_or(ends.len());
            if row == ends.len() {
                ends.push(0.0);
            }
            ends[row] = from + wide;
            placed.push(Placed { moment, x, from, to: from + wide, row });
        }
        placed
    }
}

fn is_due(moment: &Moment) -> bool {
    (moment.at - 1.0).abs() < 1e-9
}

fn label_width(moment: &Moment) -> f64 {
    if is_due(moment) { bold_width(&moment.label, SIZE) } else { text_width(&moment.label, SIZE) }
}

fn paint(moment: &Moment) -> Paint {
    match moment.at {
        at if at > 1.0 + 1e-9 => Paint::Missed,
        _ if is_due(moment) => Paint::Ink,
        _ => Paint::Kept,
    }
}

impl Chart for Timeline {
    fn draw(&self, width: f64) -> Drawing {
        let placed = self.place(width);
        let rows = placed.iter().map(|p| p.row + 1).max().unwrap_or(0);
        let y = EDGE;
        let due = placed.iter().find(|p| is_due(p.moment)).map_or(width - EDGE, |p| p.x);
        let mut marks = vec![stretch(EDGE, due, y, Paint::Kept, false)];
        if due < width - EDGE - 0.01 {
            marks.push(stretch(due, width - EDGE, y, Paint::Missed, true));
        }
        for p in &placed {
            let radius = if is_due(p.moment) { EDGE } else { RADIUS };
            marks.push(Mark::Dot { at: (p.x, y), radius, paint: paint(p.moment) });
            let baseline = y + RADIUS + LINE * (p.row + 1) as f64 - 1.0;
            let middle = ((p.from + p.to) / 2.0, baseline);
            let label = Mark::label(middle, &p.moment.label, SIZE, Align::Middle, Paint::Ink);
            marks.push(if is_due(p.moment) { label.bold() } else { label });
        }
        let height = y + RADIUS + LINE * rows as f64 + 2.0;
        Drawing { title: self.title.clone(), description: self.description(), width, height, marks }
    }

    fn table(&self) -> Table {
        Table {
            caption: self.title.clone(),
            head: ["When", "What happens"].map(str::to_owned).to_vec(),
            rows: self.moments.iter().map(|m| vec![m.when.clone(), m.what.clone()]).collect(),
        }
    }
}

fn stretch(from: f64, to: f64, y: f64, paint: Paint, dashed: bool) -> Mark {
    Mark::Line { from: (from, y), to: (to, y), thick: 2.0, dashed, paint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(at: f64, label: &str) -> Moment {
        Moment { at, label: label.into(), when: format!("at {at}"), what: "the owner is told".into() }
    }

    fn timeline(extra: &[Moment]) -> Timeline {
        let mut moments = vec![moment(0.0, "start"), moment(0.5, "50 %"), moment(1.0, "due")];
        moments.extend_from_slice(extra);
        Timeline { title: "Accept or reject".into(), moments }
    }

    fn labels(drawing: &Drawing) -> Vec<(f64, f64, f64)> {
        let place =
            |m: &Mark| if let Mark::Label { at, .. } = m { Some((at.1, m.reach().0, m.reach().1)) } else { None };
        drawing.marks.iter().filter_map(place).collect()
    }

    #[test]
    fn moments_stand_to_scale() {
        let drawing = timeline(&[moment(1.5, "+2 h")]).draw(300.0);
        let dot = |m: &Mark| if let Mark::Dot { at, .. } = m { Some(at.0) } else { None };
        let dots: Vec<f64> = drawing.marks.iter().filter_map(dot).collect();
        let scale = (300.0 - 2.0 * EDGE) / 1.5;
        let expected = [EDGE, EDGE + 0.5 * scale, EDGE + scale, 300.0 - EDGE];
        assert!(dots.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.01), "{dots:?}");
    }

    #[test]
    fn no_label_covers_another_however_close_the_steps_are() {
        let crowd: Vec<Moment> = (0..6).map(|i| moment(1.0 + f64::from(i) / 100.0, "30 minutes after")).collect();
        let drawing = timeline(&crowd).draw(250.0);
        let labels = labels(&drawing);
        for (at, a) in labels.iter().enumerate() {
            for b in &labels[at + 1..] {
                assert!((a.0 - b.0).abs() >= LINE - 0.01 || a.2 <= b.1 || b.2 <= a.1, "{a:?} {b:?}");
            }
        }
        assert!(labels.iter().all(|label| label.0 <= drawing.height));
        assert_eq!(drawing.overflowing(), Vec::<&str>::new());
    }

    #[test]
    fn the_table_tells_what_happens_when() {
        assert_eq!(timeline(&[]).table().rows[1], ["at 0.5", "the owner is told"]);
    }
}
