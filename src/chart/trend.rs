//! How a number went over periods, as a line or as columns, against its target.

use super::bars::Outcome;
use super::text::{bold_width, text_width};
use super::{Align, Chart, Drawing, Mark, Paint, Table};

const SIZE: f64 = 10.5;
const LINE: f64 = 13.0;
const HEIGHT: f64 = 160.0;
const TOP: f64 = 8.0;
/// Three lines of labels.
const BOTTOM: f64 = 3.0 * LINE + 5.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Line,
    Columns,
}

/// One period.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// `Mar`, `2027 Q1`, `week 12`.
    pub label: String,
    /// `None`: nothing was measured; the line has a gap.
    pub value: Option<f64>,
    pub shown: String,
    pub outcome: Outcome,
}

/// A number over periods, oldest first. The scale begins at zero, lest small changes look great.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    pub title: String,
    pub form: Form,
    pub points: Vec<Point>,
    /// Value, and how people write it: `at least 95 %`.
    pub target: Option<(f64, String)>,
}

/// Where things stand.
struct Plot {
    width: f64,
    slot: f64,
    greatest: f64,
    top: f64,
}

impl Plot {
    fn x(&self, at: usize) -> f64 {
        self.slot * (at as f64 + 0.5)
    }

    fn y(&self, value: f64) -> f64 {
        let share = if self.greatest > 0.0 { (value / self.greatest).clamp(0.0, 1.0) } else { 0.0 };
        self.floor() - share * (HEIGHT - TOP - BOTTOM)
    }

    fn floor(&self) -> f64 {
        self.top + HEIGHT - BOTTOM
    }
}

impl Trend {
    fn plot(&self, width: f64) -> Plot {
        let values = self.points.iter().filter_map(|p| p.value).chain(self.target.iter().map(|t| t.0));
        let greatest = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
        let top = if self.target.is_some() { 16.0 } else { 0.0 };
        Plot { width, slot: width / self.points.len().max(1) as f64, greatest, top }
    }

    fn description(&self) -> String {
        let target = self.target.as_ref().map_or(String::new(), |(_, words)| format!("Target: {words}. "));
        let points = self.points.iter().map(|p| format!("{}: {}, {}. ", p.label, p.shown, p.outcome.word()));
        format!("{target}{}", points.collect::<String>()).trim_end().to_owned()
    }

    fn draw_target(&self, plot: &Plot, marks: &mut Vec<Mark>) {
        let Some((value, words)) = &self.target else { return };
        let y = plot.y(*value);
        let (from, to) = ((0.0, y), (plot.width, y));
        marks.push(Mark::Line { from, to, thick: 1.2, dashed: true, paint: Paint::Target });
        let label = format!("Target (dashed): {words}");
        let size = SIZE.min(SIZE * plot.width / text_width(&label, SIZE));
        marks.push(Mark::label((0.0, 10.0), label, size, Align::Start, Paint::Quiet));
    }

    fn draw_values(&self, plot: &Plot, marks: &mut Vec<Mark>) {
        let mut before: Option<(f64, f64)> = None;
        for (at, point) in self.points.iter().enumerate() {
            let here = point.value.map(|value| (plot.x(at), plot.y(value)));
            let paint = point.outcome.paint();
            match (self.form, here, before) {
                (Form::Columns, Some((x, y)), _) => {
                    let width = plot.slot * 0.6;
                    marks.push(Mark::Box { x: x - width / 2.0, y, width, height: plot.floor() - y, paint });
                }
                (Form::Line, Some(here), before) => {
                    if let Some(from) = before {
                        marks.push(Mark::Line { from, to: here, thick: 2.0, dashed: false, paint: Paint::Quiet });
                    }
                    marks.push(Mark::Dot { at: here, radius: 3.5, paint });
                }
                (_, None, _) => {}
            }
            before = here;
        }
    }

    /// Period, value and outcome stand beneath the axis, where no line crosses them. Every `step`th point is labelled,
    /// the newest always: as many as fit beside one another.
    fn draw_labels(&self, plot: &Plot, marks: &mut Vec<Mark>) {
        let count = self.points.len();
        let widest = self.points.iter().map(Point::label_width).fold(1.0, f64::max);
        // The first and the last label are moved inwards by what would stand out.
        let moved = (widest - plot.slot).max(0.0);
        let step = ((widest + 6.0 + moved) / plot.slot).ceil().max(1.0) as usize;
        for (at, point) in self.points.iter().enumerate().filter(|(at, _)| (count - 1 - at).is_multiple_of(step)) {
            let half = widest.min(plot.width) / 2.0;
            let x = plot.x(at).clamp(half, (plot.width - half).max(half));
            let label = |row: f64, text: &str, paint| {
                Mark::label((x, plot.floor() + LINE * row), text, SIZE, Align::Middle, paint)
            };
            marks.push(label(1.0, &point.label, Paint::Quiet));
            marks.push(label(2.0, &point.shown, Paint::Ink).bold());
            marks.push(label(3.0, point.outcome.word(), Paint::Quiet));
        }
    }
}

impl Point {
    fn label_width(&self) -> f64 {
        let plain = text_width(&self.label, SIZE).max(text_width(self.outcome.word(), SIZE));
        plain.max(bold_width(&self.shown, SIZE))
    }
}

impl Chart for Trend {
    fn draw(&self, width: f64) -> Drawing {
        let plot = self.plot(width);
        let mut marks = Vec::new();
        let (from, to) = ((0.0, plot.floor()), (width, plot.floor()));
        marks.push(Mark::Line { from, to, thick: 1.0, dashed: false, paint: Paint::Rule });
        self.draw_values(&plot, &mut marks);
        self.draw_target(&plot, &mut marks);
        self.draw_labels(&plot, &mut marks);
        let height = plot.top + HEIGHT;
        Drawing { title: self.title.clone(), description: self.description(), width, height, marks }
    }

    fn table(&self) -> Table {
        let target = self.target.as_ref().map_or(String::new(), |(_, words)| words.clone());
        let row = |p: &Point| vec![p.label.clone(), p.shown.clone(), target.clone(), p.outcome.word().to_owned()];
        Table {
            caption: self.title.clone(),
            head: ["Period", "Attained", "Target", "Outcome"].map(str::to_owned).to_vec(),
            rows: self.points.iter().map(row).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(form: Form, count: usize) -> Trend {
        let point = |at: usize| Point {
            label: format!("week {at}"),
            value: (at != 2).then_some(at as f64 / 10.0),
            shown: if at == 2 { "–".to_owned() } else { format!("{} %", at * 10) },
            outcome: if at == 1 { Outcome::Missed } else { Outcome::Kept },
        };
        let target = Some((0.3, "at least 30 %".to_owned()));
        Trend { title: "On time".into(), form, points: (0..count).map(point).collect(), target }
    }

    fn lines(drawing: &Drawing) -> usize {
        let is_line = |m: &&Mark| matches!(m, Mark::Line { thick, .. } if *thick == 2.0);
        drawing.marks.iter().filter(is_line).count()
    }

    #[test]
    fn a_period_without_a_value_is_a_gap() {
        assert_eq!(lines(&trend(Form::Line, 5).draw(500.0)), 2, "0-1 and 3-4");
        let columns = trend(Form::Columns, 5).draw(500.0);
        assert_eq!(columns.marks.iter().filter(|m| matches!(m, Mark::Box { .. })).count(), 4);
    }

    #[test]
    fn labels_that_would_collide_are_thinned_and_the_newest_stays() {
        let drawing = trend(Form::Line, 40).draw(300.0);
        let told = |m: &Mark| matches!(m, Mark::Label { text, .. } if text.starts_with("week"));
        let mut reaches: Vec<(f64, f64)> = drawing.marks.iter().filter(|m| told(m)).map(Mark::reach).collect();
        reaches.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(reaches.windows(2).all(|pair| pair[0].1 <= pair[1].0 + 0.01), "{reaches:?}");
        assert!(drawing.marks.iter().any(|m| matches!(m, Mark::Label { text, .. } if text == "week 39")));
        assert_eq!(drawing.overflowing(), Vec::<&str>::new());
        assert_eq!(trend(Form::Line, 40).table().rows.len(), 40, "the table has them all");
    }

    #[test]
    fn nothing_to_show_is_still_a_picture() {
        let drawing = trend(Form::Line, 0).draw(300.0);
        assert!(drawing.marks.iter().all(|m| m.reach().0.is_finite() && m.reach().1.is_finite()));
    }
}
