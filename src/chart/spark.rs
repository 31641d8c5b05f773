//! A number over its last periods, small enough to stand in a line of text: a column each, and where the target lies.
//! It has no letters; its description and the table say what it shows.

use super::trend::Point;
use super::{Chart, Drawing, Mark, Paint, Table};

const HEIGHT: f64 = 34.0;
/// Beneath the columns, a line on which periods without a value stand as well.
const FLOOR: f64 = HEIGHT - 3.0;

/// Oldest first; the last is the period that is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Spark {
    pub title: String,
    pub points: Vec<Point>,
    /// On the scale of the values.
    pub target: Option<f64>,
}

impl Spark {
    fn y(&self, value: f64) -> f64 {
        let values = self.points.iter().filter_map(|p| p.value).chain(self.target);
        let greatest = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
        let share = if greatest > 0.0 { (value / greatest).clamp(0.0, 1.0) } else { 0.0 };
        FLOOR - share * (FLOOR - 2.0)
    }
}

impl Chart for Spark {
    fn draw(&self, width: f64) -> Drawing {
        let slot = width / self.points.len().max(1) as f64;
        let mut marks = vec![line((0.0, FLOOR + 1.0), width, false, Paint::Rule)];
        for (at, point) in self.points.iter().enumerate() {
            let (x, paint) = (slot * at as f64 + slot * 0.15, point.outcome.paint());
            let Some(value) = point.value else { continue };
            // Nothing attained is still something measured.
            let y = self.y(value).min(FLOOR - 1.0);
            marks.push(Mark::Box { x, y, width: slot * 0.7, height: FLOOR - y, paint });
        }
        if let Some(target) = self.target {
            marks.push(line((0.0, self.y(target)), width, true, Paint::Target));
        }
        let said = self.points.iter().map(|p| format!("{}: {}, {}. ", p.label, p.shown, p.outcome.word()));
        let description = said.collect::<String>().trim_end().to_owned();
        Drawing { title: self.title.clone(), description, width, height: HEIGHT, marks }
    }

    fn table(&self) -> Table {
        let row = |p: &Point| vec![p.label.clone(), p.shown.clone(), p.outcome.word().to_owned()];
        Table {
            caption: self.title.clone(),
            head: ["Period", "Attained", "Outcome"].map(str::to_owned).to_vec(),
            rows: self.points.iter().map(row).collect(),
        }
    }
}

fn line((x, y): (f64, f64), width: f64, dashed: bool, paint: Paint) -> Mark {
    Mark::Line { from: (x, y), to: (x + width, y), thick: 1.0, dashed, paint }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Outcome;

    fn spark(values: &[Option<f64>], target: Option<f64>) -> Spark {
        let point = |(n, value): (usize, &Option<f64>)| Point {
            label: format!("week {n}"),
            value: *value,
            shown: value.map_or("–".to_owned(), |v| format!("{v}")),
            outcome: Outcome::Kept,
        };
        Spark { title: "On time".into(), points: values.iter().enumerate().map(point).collect(), target }
    }

    fn columns(drawing: &Drawing) -> Vec<f64> {
        let height = |mark: &Mark| if let Mark::Box { height, .. } = mark { Some(*height) } else { None };
        drawing.marks.iter().filter_map(height).collect()
    }

    #[test]
    fn a_period_without_a_value_has_no_column_and_one_with_zero_has() {
        let heights = columns(&spark(&[Some(0.0), None, Some(2.0), Some(4.0)], None).draw(90.0));
        assert_eq!(heights.len(), 3);
        assert!(heights[0] >= 1.0 && (heights[2] / heights[1] - 2.0).abs() < 0.01, "{heights:?}");
    }

    #[test]
    fn the_target_is_on_the_scale_of_the_values_and_everything_is_said_in_words() {
        let drawing = spark(&[Some(2.0)], Some(4.0)).draw(90.0);
        let dashed = |m: &&Mark| matches!(m, Mark::Line { dashed: true, from, .. } if from.1 == 2.0);
        assert_eq!(drawing.marks.iter().filter(dashed).count(), 1, "the greatest is at the top");
        assert_eq!(drawing.description, "week 0: 2, kept.");
        assert!(spark(&[], None).draw(90.0).marks.iter().all(|m| m.reach().1.is_finite()));
    }
}
