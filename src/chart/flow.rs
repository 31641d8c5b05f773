//! The waterfall on a page: a bar for each stage under its name, what went on between them and how long that took, and
//! what came back. Every bar may be a link to what it counts.

use super::text::{bold_width, escape, number, text_width, wrap};
use super::{Align, Chart, Drawing, Mark, Paint, Table, Theme};

const SIZE: f64 = 13.0;
const SMALL: f64 = 11.5;
const LINE: f64 = 17.0;
const BAR: f64 = 16.0;
/// At the right edge, for the line of what came back.
const GUTTER: f64 = 16.0;

/// What came to a stage a second time.
#[derive(Debug, Clone, PartialEq)]
pub struct Return {
    pub count: f64,
    /// `12 recycled, 3 returned`.
    pub shown: String,
    pub href: String,
}

/// One stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    pub label: String,
    pub count: f64,
    pub shown: String,
    /// Where what the bar counts is listed.
    pub href: String,
    /// What went on to the next stage: `42% went on, median 3h`; `None` for the last.
    pub onward: Option<String>,
    pub back: Option<Return>,
}

/// Stages in waterfall order.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    pub title: String,
    pub stages: Vec<Stage>,
    /// From which stage, and to which, records came back, by their places.
    pub loop_back: Option<(usize, usize)>,
}

/// Marks that are one link, or none.
struct Group<'a> {
    href: Option<(&'a str, String)>,
    marks: Vec<Mark>,
}

impl Flow {
    fn description(&self) -> String {
        let tell = |stage: &Stage| {
            let onward = stage.onward.as_ref().map_or(String::new(), |text| format!(", {text}"));
            let back = stage.back.as_ref().map_or(String::new(), |back| format!(", came back: {}", back.shown));
            format!("{}: {}{onward}{back}. ", stage.label, stage.shown)
        };
        self.stages.iter().map(tell).collect::<String>().trim_end().to_owned()
    }

    fn greatest(&self) -> f64 {
        let counts = self.stages.iter().flat_map(|s| [Some(s.count), s.back.as_ref().map(|b| b.count)]).flatten();
        counts.fold(0.0, f64::max)
    }

    /// The marks from top to bottom, and the height of them all.
    fn groups(&self, width: f64) -> (Vec<Group<'_>>, f64) {
        let (room, greatest) = ((width - GUTTER).max(40.0), self.greatest());
        let scale = |count: f64| if greatest > 0.0 { (count / greatest * room).max(1.0) } else { 1.0 };
        let (mut groups, mut y, mut bars) = (Vec::new(), 0.0, Vec::new());
        for stage in &self.stages {
            let mut marks = Vec::new();
            y = heading(&mut marks, stage, y, room);
            marks.push(Mark::Box { x: 0.0, y, width: scale(stage.count), height: BAR, paint: Paint::Open });
            bars.push(y + BAR / 2.0);
            y += BAR;
            groups.push(Group { href: Some((&stage.href, format!("{}: {}", stage.label, stage.shown))), marks });
            if let Some(back) = &stage.back {
                y = returned(&mut groups, back, y, scale(back.count), room);
            }
            if let Some(onward) = &stage.onward {
                let mut marks = Vec::new();
                y = lines(&mut marks, &format!("↓ {onward}"), y + 3.0, room);
                groups.push(Group { href: None, marks });
            }
            y += 9.0;
        }
        if let Some((from, to)) = self.loop_back.and_then(|(from, to)| Some((*bars.get(from)?, *bars.get(to)?))) {
            groups.push(Group { href: None, marks: loop_back(width, from, to) });
        }
        (groups, y)
    }

    /// The picture with its links. Screen readers find the links; the picture as a whole has a name beside.
    pub fn linked(&self, width: f64, theme: &Theme) -> String {
        let (groups, height) = self.groups(width);
        let inner: String = groups.iter().map(|group| group.svg(theme)).collect();
        let (width, height) = (number(width), number(height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"group\" aria-label=\"{}\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"system-ui, sans-serif\">{inner}</svg>",
            escape(&self.title)
        )
    }
}

impl Group<'_> {
    fn svg(&self, theme: &Theme) -> String {
        let marks: String = self.marks.iter().map(|mark| mark.svg(theme)).collect();
        match &self.href {
            Some((href, says)) => {
                format!("<a href=\"{}\" aria-label=\"{}\">{marks}</a>", escape(href), escape(says))
            }
            None => marks,
        }
    }
}

/// The stage's name with its number at the right, or above it where both do not fit. Answers the y below.
fn heading(marks: &mut Vec<Mark>, stage: &Stage, mut y: f64, room: f64) -> f64 {
    let told = bold_width(&stage.shown, SIZE);
    let first = y + LINE - 4.0;
    for line in wrap(&stage.label, SIZE, (room - told - SIZE).max(room * 0.4)) {
        marks.push(Mark::label((0.0, y + LINE - 4.0), line, SIZE, Align::Start, Paint::Ink));
        y += LINE;
    }
    marks.push(Mark::label((room, first), &stage.shown, SIZE, Align::End, Paint::Ink).bold());
    y + 1.0
}

fn lines(marks: &mut Vec<Mark>, text: &str, mut y: f64, room: f64) -> f64 {
    for line in wrap(text, SMALL, room) {
        marks.push(Mark::label((0.0, y + LINE - 5.0), line, SMALL, Align::Start, Paint::Quiet));
        y += LINE - 1.0;
    }
    y
}

/// A thin bar beneath the stage's own: what came here again.
fn returned<'a>(groups: &mut Vec<Group<'a>>, back: &'a Return, y: f64, long: f64, room: f64) -> f64 {
    let mut marks = vec![Mark::Box { x: 0.0, y: y + 3.0, width: long, height: 6.0, paint: Paint::Quiet }];
    let text = format!("↩ came back: {}", back.shown);
    let fits = text_width(&text, SMALL) + long + 8.0 <= room;
    let below = if fits {
        marks.push(Mark::label((long + 8.0, y + 11.0), &text, SMALL, Align::Start, Paint::Quiet));
        y + 13.0
    } else {
        lines(&mut marks, &text, y + 9.0, room)
    };
    groups.push(Group { href: Some((&back.href, text)), marks });
    below
}

/// From a stage up to the one to which records came back.
fn loop_back(width: f64, from: f64, to: f64) -> Vec<Mark> {
    let (x, inner) = (width - 4.0, width - GUTTER + 4.0);
    let line =
        |from: (f64, f64), to: (f64, f64)| Mark::Line { from, to, thick: 1.5, dashed: true, paint: Paint::Quiet };
    let head = |dy: f64| Mark::Line {
        from: (inner, to),
        to: (inner + 4.0, to + dy),
        thick: 1.5,
        dashed: false,
        paint: Paint::Quiet,
    };
    vec![line((inner, from), (x, from)), line((x, from), (x, to)), line((x, to), (inner, to)), head(-4.0), head(4.0)]
}

impl Chart for Flow {
    fn draw(&self, width: f64) -> Drawing {
        let (groups, height) = self.groups(width);
        let marks = groups.into_iter().flat_map(|group| group.marks).collect();
        Drawing { title: self.title.clone(), description: self.description(), width, height, marks }
    }

    fn table(&self) -> Table {
        let row = |stage: &Stage| {
            let back = stage.back.as_ref().map_or("–".to_owned(), |back| back.shown.clone());
            vec![stage.label.clone(), stage.shown.clone(), stage.onward.clone().unwrap_or_else(|| "–".to_owned()), back]
        };
        Table {
            caption: self.title.clone(),
            head: ["Stage", "Reached it", "Went on", "Came back"].map(str::to_owned).to_vec(),
            rows: self.stages.iter().map(row).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(label: &str, count: f64) -> Stage {
        let (shown, href) = (format!("{count}"), format!("/waterfall/stage?stage={label}&x=\""));
        Stage { label: label.into(), count, shown, href, onward: Some("40% went on, median 2h 5m".into()), back: None }
    }

    fn flow() -> Flow {
        let back = Return { count: 12.0, shown: "10 recycled, 2 returned".into(), href: "/again".into() };
        let stages = vec![
            stage("Marketing <responder> of a very long name indeed", 1000.0),
            Stage { back: Some(back), ..stage("Marketing qualified lead", 400.0) },
            Stage { onward: None, ..stage("Closed won", 0.0) },
        ];
        Flow { title: "Waterfall".into(), stages, loop_back: Some((2, 1)) }
    }

    #[test]
    fn every_bar_is_a_link_and_what_stands_in_it_is_escaped() {
        let svg = flow().linked(360.0, &Theme::PAGE);
        assert_eq!(svg.matches("<a href=").count(), 4, "three stages and what came back: {svg}");
        assert!(svg.contains("&lt;responder&gt;") && !svg.contains("<responder>"), "{svg}");
        assert!(svg.contains("&amp;x=&quot;\""), "{svg}");
        assert!(svg.contains("fill=\"var(--calm)\""), "{svg}");
    }

    #[test]
    fn bars_are_to_scale_and_labels_stay_inside() {
        for width in [280.0, 360.0, 720.0] {
            let drawing = flow().draw(width);
            assert_eq!(drawing.overflowing(), Vec::<&str>::new(), "{width}");
            let wide = |m: &Mark| if let Mark::Box { width, .. } = m { Some(*width) } else { None };
            let bars: Vec<f64> = drawing.marks.iter().filter_map(wide).collect();
            assert!((bars[1] / bars[0] - 0.4).abs() < 1e-9 && (bars[2] / bars[0] - 0.012).abs() < 1e-9, "{bars:?}");
        }
    }

    #[test]
    fn without_returns_there_is_no_way_back() {
        let lines = |flow: &Flow| flow.draw(360.0).marks.iter().filter(|m| matches!(m, Mark::Line { .. })).count();
        assert_eq!(lines(&flow()), 5, "three lines and the head of an arrow");
        let flow = Flow { loop_back: None, ..flow() };
        assert_eq!(lines(&flow), 0);
    }
}
