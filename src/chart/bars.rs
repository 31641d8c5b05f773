//! Attained against agreed: a bar for each promise, with a mark where its target lies.

use super::text::{bold_width, text_width, wrap};
use super::{Align, Chart, Drawing, Mark, Paint, Table};

const SIZE: f64 = 11.0;
const LINE: f64 = 14.0;
const BAR: f64 = 10.0;
/// Space for the target's mark above and below a bar, and between rows.
const GAP: f64 = 9.0;

/// How a promise stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Kept,
    Missed,
    /// The period is not over, or there was nothing to measure.
    Open,
}

impl Outcome {
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Kept => "kept",
            Outcome::Missed => "missed",
            Outcome::Open => "open",
        }
    }

    pub(super) fn paint(self) -> Paint {
        match self {
            Outcome::Kept => Paint::Kept,
            Outcome::Missed => Paint::Missed,
            Outcome::Open => Paint::Open,
        }
    }
}

/// One promise. `value` and `target` share the chart's scale; `shown` and `wanted` are how people write them.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    pub label: String,
    /// `None`: nothing was measured.
    pub value: Option<f64>,
    pub shown: String,
    pub target: Option<f64>,
    pub wanted: String,
    pub outcome: Outcome,
}

/// Promises of one scale. Where they differ in kind, give each as a share of its target.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    pub title: String,
    pub bars: Vec<Bar>,
}

impl Bars {
    fn description(&self) -> String {
        self.bars.iter().map(|bar| format!("{}: {}. ", bar.label, bar.verdict())).collect::<String>().trim_end().into()
    }

    /// The value at the right edge; a little more than the greatest, so that a mark there can be seen.
    fn greatest(&self) -> f64 {
        let values = self.bars.iter().flat_map(|bar| [bar.value, bar.target]).flatten().filter(|v| v.is_finite());
        values.fold(0.0, f64::max) * 1.05
    }
}

impl Bar {
    /// `93 %, target at least 95 %: missed`
    fn verdict(&self) -> String {
        let of = if self.wanted.is_empty() { String::new() } else { format!(", target {}", self.wanted) };
        format!("{}{of}: {}", self.shown, self.outcome.word())
    }

    /// Label and verdict above, the bar below. Answers the y below it.
    fn draw(&self, marks: &mut Vec<Mark>, top: f64, width: f64, greatest: f64) -> f64 {
        let verdict = self.verdict();
        let told = bold_width(&verdict, SIZE).min(width);
        let beside = width - told - SIZE;
        // A verdict that leaves the label no room stands on lines of its own.
        let is_narrow = beside < width * 0.35;
        let mut y = top;
        for line in wrap(&self.label, SIZE, if is_narrow { width } else { beside }) {
            y += LINE;
            marks.push(Mark::label((0.0, y), line, SIZE, Align::Start, Paint::Ink));
        }
        if is_narrow {
            for line in wrap(&verdict, SIZE * 1.08, width) {
                y += LINE;
                marks.push(Mark::label((0.0, y), line, SIZE, Align::Start, Paint::Ink).bold());
            }
        } else {
            marks.push(Mark::label((width, top + LINE), verdict, SIZE, Align::End, Paint::Ink).bold());
        }
        y += 6.0;
        marks.push(Mark::Box { x: 0.0, y, width, height: BAR, paint: Paint::Rule });
        let at = |value: f64| if greatest > 0.0 { (value / greatest).clamp(0.0, 1.0) * width } else { 0.0 };
        if let Some(value) = self.value {
            marks.push(Mark::Box { x: 0.0, y, width: at(value), height: BAR, paint: self.outcome.paint() });
        }
        if let Some(target) = self.target {
            let x = at(target);
            let (from, to) = ((x, y - 3.0), (x, y + BAR + 3.0));
            marks.push(Mark::Line { from, to, thick: 2.0, dashed: false, paint: Paint::Target });
        }
        y + BAR + GAP
    }
}

impl Chart for Bars {
    fn draw(&self, width: f64) -> Drawing {
        let (mut marks, mut y, greatest) = (Vec::new(), 0.0, self.greatest());
        for bar in &self.bars {
            y = bar.draw(&mut marks, y, width, greatest);
        }
        let key = "The upright mark is the target.";
        if self.bars.iter().any(|bar| bar.target.is_some()) && text_width(key, 10.5) <= width {
            marks.push(Mark::label((0.0, y + 8.0), key, 10.5, Align::Start, Paint::Quiet));
            y += LINE;
        }
        Drawing { title: self.title.clone(), description: self.description(), width, height: y, marks }
    }

    fn table(&self) -> Table {
        let row =
            |bar: &Bar| vec![bar.label.clone(), bar.shown.clone(), bar.wanted.clone(), bar.outcome.word().to_owned()];
        Table {
            caption: self.title.clone(),
            head: ["Promise", "Attained", "Target", "Outcome"].map(str::to_owned).to_vec(),
            rows: self.bars.iter().map(row).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Theme;

    fn bar(label: &str, value: Option<f64>, outcome: Outcome) -> Bar {
        let shown = value.map_or("nothing measured".to_owned(), |v| format!("{} %", v * 100.0));
        Bar { label: label.into(), value, shown, target: Some(0.95), wanted: "at least 95 %".into(), outcome }
    }

    fn chart() -> Bars {
        let long = "Share of closed revenue whose opportunities were sourced by marketing in the quarter";
        let bars = vec![
            bar("First follow-ups on time", Some(0.9), Outcome::Missed),
            bar(long, Some(0.99), Outcome::Kept),
            bar("Close ratio", None, Outcome::Open),
        ];
        Bars { title: "Promises".into(), bars }
    }

    #[test]
    fn a_bar_is_as_long_as_its_value_and_its_mark_stands_at_the_target() {
        let drawing = chart().draw(400.0);
        let boxes: Vec<f64> = drawing
            .marks
            .iter()
            .filter(|m| matches!(m, Mark::Box { paint: Paint::Missed | Paint::Kept, .. }))
            .map(|m| m.reach().1)
            .collect();
        let lines: Vec<f64> =
            drawing.marks.iter().filter(|m| matches!(m, Mark::Line { .. })).map(|m| m.reach().0).collect();
        let scale: f64 = 400.0 / (0.99 * 1.05);
        assert_eq!(
            boxes.iter().map(|x| x.round()).collect::<Vec<_>>(),
            [(0.9 * scale).round(), (0.99 * scale).round()]
        );
        assert_eq!(lines.len(), 3);
        assert!((lines[0] - 0.95 * scale).abs() < 0.01);
    }

    #[test]
    fn every_bar_says_in_words_how_it_stands() {
        let svg = chart().draw(400.0).svg(&Theme::LIGHT);
        assert!(svg.contains("90 %, target at least 95 %: missed</text>"), "{svg}");
        assert!(svg.contains("nothing measured, target at least 95 %: open"));
        assert!(svg.contains("<desc>First follow-ups on time: 90 %, target at least 95 %: missed."));
    }

    #[test]
    fn labels_stay_within_the_picture_at_any_width() {
        for width in [160.0, 240.0, 400.0, 700.0] {
            assert_eq!(chart().draw(width).overflowing(), Vec::<&str>::new(), "{width}");
        }
    }

    #[test]
    fn the_table_says_the_same() {
        assert_eq!(chart().table().rows[0], ["First follow-ups on time", "90 %", "at least 95 %", "missed"]);
        assert_eq!(chart().table().rows.len(), 3);
    }
}
