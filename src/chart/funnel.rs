//! The waterfall: how many records reached each stage, and which share of them went on to the next.

use super::text::{bold_width, text_width, wrap};
use super::{Align, Chart, Drawing, Mark, Paint, Table};

const SIZE: f64 = 11.0;
const LINE: f64 = 14.0;
const BAR: f64 = 14.0;

/// One stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    pub label: String,
    pub count: f64,
    /// As people write it: `1,240`, `12 (USD 30,000)`.
    pub shown: String,
}

/// Stages in waterfall order. A stage may hold more than the one before it (returned records); the share then says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Funnel {
    pub title: String,
    pub levels: Vec<Level>,
}

/// `42 %`; nothing where the earlier stage held nothing.
fn conversion(from: &Level, to: &Level) -> Option<String> {
    (from.count > 0.0).then(|| format!("{:.0} %", to.count / from.count * 100.0))
}

impl Funnel {
    fn conversions(&self) -> Vec<Option<String>> {
        let between = self.levels.windows(2).map(|pair| conversion(&pair[0], &pair[1]));
        std::iter::once(None).chain(between).collect()
    }

    fn description(&self) -> String {
        let tell = |(level, share): (&Level, Option<String>)| {
            let of = share.map_or(String::new(), |share| format!(", {share} of the stage before"));
            format!("{}: {}{of}. ", level.label, level.shown)
        };
        self.levels.iter().zip(self.conversions()).map(tell).collect::<String>().trim_end().to_owned()
    }
}

impl Chart for Funnel {
    fn draw(&self, width: f64) -> Drawing {
        let greatest = self.levels.iter().map(|level| level.count).fold(0.0, f64::max);
        let labels = self.levels.iter().map(|level| text_width(&level.label, SIZE)).fold(0.0, f64::max);
        let column = labels.min(width * 0.4).max(1.0);
        let numbers = self.levels.iter().map(|level| bold_width(&level.shown, SIZE)).fold(0.0, f64::max) + 6.0;
        let left = column + 10.0;
        let room = (width - left - numbers).max(10.0);
        let (mut marks, mut y) = (Vec::new(), 0.0);
        for (level, share) in self.levels.iter().zip(self.conversions()) {
            if let Some(share) = share {
                let text = format!("↓ {share} went on");
                marks.push(Mark::label((left, y + 9.0), text, 10.5, Align::Start, Paint::Quiet));
                y += LINE;
            }
            let lines = wrap(&level.label, SIZE, column);
            for (at, line) in lines.iter().enumerate() {
                let baseline = y + 11.0 + LINE * at as f64;
                marks.push(Mark::label((column, baseline), line, SIZE, Align::End, Paint::Ink));
            }
            let long = if greatest > 0.0 { level.count.max(0.0) / greatest * room } else { 0.0 };
            marks.push(Mark::Box { x: left, y, width: long.max(1.0), height: BAR, paint: Paint::Kept });
            let beside = (left + long + 6.0, y + 11.0);
            marks.push(Mark::label(beside, &level.shown, SIZE, Align::Start, Paint::Ink).bold());
            y += BAR.max(LINE * lines.len() as f64) + 3.0;
        }
        Drawing { title: self.title.clone(), description: self.description(), width, height: y, marks }
    }

    fn table(&self) -> Table {
        let row = |(level, share): (&Level, Option<String>)| {
            vec![level.label.clone(), level.shown.clone(), share.unwrap_or_else(|| "–".to_owned())]
        };
        Table {
            caption: self.title.clone(),
            head: ["Stage", "Reached it", "Of the stage before"].map(str::to_owned).to_vec(),
            rows: self.levels.iter().zip(self.conversions()).map(row).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(label: &str, count: f64) -> Level {
        Level { label: label.into(), count, shown: format!("{count}") }
    }

    fn chart() -> Funnel {
        let levels = vec![
            level("Marketing responder", 1000.0),
            level("Marketing qualified lead", 400.0),
            level("Teleprospecting accepted lead", 0.0),
            level("Closed won", 3.0),
        ];
        Funnel { title: "Waterfall".into(), levels }
    }

    #[test]
    fn conversion_is_the_share_of_the_stage_before() {
        let shares: Vec<String> = chart().table().rows.into_iter().map(|row| row[2].clone()).collect();
        assert_eq!(shares, ["–", "40 %", "0 %", "–"], "of nothing there is no share");
        assert!(chart().description().contains("Marketing qualified lead: 400, 40 % of the stage before."));
    }

    #[test]
    fn bars_are_to_scale_and_labels_stay_inside() {
        let drawing = chart().draw(400.0);
        let wide = |mark: &Mark| if let Mark::Box { width, .. } = mark { Some(*width) } else { None };
        let bars: Vec<f64> = drawing.marks.iter().filter_map(wide).collect();
        assert!((bars[1] / bars[0] - 0.4).abs() < 1e-9);
        for width in [200.0, 400.0, 800.0] {
            assert_eq!(chart().draw(width).overflowing(), Vec::<&str>::new(), "{width}");
        }
    }
}
