//! What happened to one thing over time, in lanes beneath one another on one scale: stretches with what
//! they are called, and moments as marks. Colours are classes of the page's style sheet (`lanes-…`), so
//! that light and dark both hold; this picture is for pages alone. Its table is the page's own story.

use super::text::{escape, number, text_width};

const SIZE: f64 = 11.0;
const HEAD: f64 = 22.0;
const TITLE: f64 = 15.0;
const BAR: f64 = 20.0;
const GAP: f64 = 9.0;
const PAD: f64 = 8.0;

/// What a stretch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It was so: a stage, an owner.
    State,
    Running,
    /// Time stood still: hatched.
    Paused,
    /// Past the deadline.
    Overdue,
    /// Not yet come.
    Ahead,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Kind::State => "state",
            Kind::Running => "running",
            Kind::Paused => "paused",
            Kind::Overdue => "overdue",
            Kind::Ahead => "ahead",
        }
    }
}

/// What a moment is; each has a shape of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Somebody was told: a dot.
    Told,
    /// It was taken or given: a diamond.
    Moved,
    /// Something was written: a square.
    Wrote,
    /// A deadline: an upright line through its lane.
    Deadline,
}

/// From when to when, in any unit that the whole picture shares.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    pub from: f64,
    pub to: f64,
    pub kind: Kind,
    /// On the stretch, where it has room.
    pub label: String,
    /// The whole of it, for whoever points at it.
    pub tip: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub at: f64,
    pub sign: Sign,
    pub tip: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lane {
    pub label: String,
    pub stretches: Vec<Stretch>,
    pub points: Vec<Point>,
}

/// The whole picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Lanes {
    pub title: String,
    pub description: String,
    pub from: f64,
    pub to: f64,
    /// Working hours.
    pub open: Vec<(f64, f64)>,
    pub ticks: Vec<(f64, String)>,
    pub now: f64,
    pub lanes: Vec<Lane>,
}

impl Lanes {
    /// Where a moment stands in a picture so wide; what lies outside stands at its edge.
    pub fn x(&self, at: f64, width: f64) -> f64 {
        let whole = self.to - self.from;
        let share = if whole > 0.0 { ((at - self.from) / whole).clamp(0.0, 1.0) } else { 0.0 };
        PAD + share * (width - 2.0 * PAD)
    }

    fn height(&self) -> f64 {
        HEAD + self.lanes.len() as f64 * (TITLE + BAR + GAP) + 2.0
    }

    fn shows(&self, at: f64) -> bool {
        (self.from..=self.to).contains(&at)
    }

    /// One `<svg>` without script or style, so many units wide.
    pub fn svg(&self, width: f64) -> String {
        let height = self.height();
        let mut out = format!(
            "<svg class=\"lanes\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{title}\" \
             viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" font-size=\"{SIZE}\"><title>{title}</title>\
             <desc>{}</desc><defs><pattern id=\"lanes-hatch\" width=\"6\" height=\"6\" \
             patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect class=\"lanes-hatch-ground\" \
             width=\"6\" height=\"6\"/><rect class=\"lanes-hatch-line\" width=\"2\" height=\"6\"/></pattern></defs>",
            escape(&self.description),
            title = escape(&self.title),
            w = number(width),
            h = number(height),
        );
        self.draw_ground(&mut out, width, height);
        for (n, lane) in self.lanes.iter().enumerate() {
            let top = HEAD + n as f64 * (TITLE + BAR + GAP);
            out.push_str(&text("lanes-title", PAD, top + 11.0, "start", &lane.label));
            lane.stretches.iter().for_each(|s| self.draw_stretch(&mut out, s, top + TITLE, width));
            // Somebody is told of each move at that moment: the rarer sign lies on top.
            let (moved, others): (Vec<_>, Vec<_>) = lane.points.iter().partition(|p| p.sign == Sign::Moved);
            others.into_iter().chain(moved).for_each(|p| self.draw_point(&mut out, p, top + TITLE, width));
        }
        out.push_str("</svg>");
        out
    }

    fn draw_ground(&self, out: &mut String, width: f64, height: f64) {
        for (from, to) in self.open.iter().filter(|(from, to)| *to > self.from && *from < self.to) {
            let (left, right) = (self.x(*from, width), self.x(*to, width));
            out.push_str(&rect("lanes-open", left, HEAD, right - left, height - HEAD));
        }
        let mut free = 0.0;
        for (at, label) in &self.ticks {
            let (x, half) = (self.x(*at, width), text_width(label, SIZE) / 2.0);
            out.push_str(&line("lanes-tick", x, HEAD - 4.0, height));
            let middle = x.clamp(half + 1.0, width - half - 1.0);
            if middle - half >= free {
                out.push_str(&text("lanes-when", middle, 12.0, "middle", label));
                free = middle + half + 6.0;
            }
        }
        if self.shows(self.now) {
            out.push_str(&line("lanes-now", self.x(self.now, width), HEAD - 8.0, height));
        }
    }

    fn draw_stretch(&self, out: &mut String, stretch: &Stretch, top: f64, width: f64) {
        if stretch.to < self.from || stretch.from > self.to {
            return;
        }
        let (left, right) = (self.x(stretch.from, width), self.x(stretch.to, width));
        // What took no time can still be seen.
        let wide = (right - left).max(1.5);
        let fill = if stretch.kind == Kind::Paused { " fill=\"url(#lanes-hatch)\"" } else { "" };
        out.push_str(&format!(
            "<g><title>{}</title><rect class=\"lanes-{}\"{fill} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\"/>",
            escape(&stretch.tip),
            stretch.kind.class(),
            number(left),
            number(top),
            number(wide),
            number(BAR),
        ));
        if !stretch.label.is_empty() && text_width(&stretch.label, SIZE) + 10.0 <= wide {
            let class = format!("lanes-on-{}", stretch.kind.class());
            out.push_str(&text(&class, left + 5.0, top + 14.0, "start", &stretch.label));
        }
        out.push_str("</g>");
    }

    fn draw_point(&self, out: &mut String, point: &Point, top: f64, width: f64) {
        if !self.shows(point.at) {
            return;
        }
        let (x, y) = (self.x(point.at, width), top + BAR / 2.0);
        let shape = match point.sign {
            Sign::Told => {
                format!("<circle class=\"lanes-told\" cx=\"{}\" cy=\"{}\" r=\"5\"/>", number(x), number(y))
            }
            Sign::Moved => {
                format!("<path class=\"lanes-moved\" d=\"M{} {}l7 7l-7 7l-7 -7z\"/>", number(x), number(y - 7.0))
            }
            Sign::Wrote => rect("lanes-wrote", x - 4.5, y - 4.5, 9.0, 9.0),
            Sign::Deadline => format!(
                "<line class=\"lanes-deadline\" x1=\"{0}\" x2=\"{0}\" y1=\"{1}\" y2=\"{2}\"/>",
                number(x),
                number(top - 3.0),
                number(top + BAR + 3.0)
            ),
        };
        out.push_str(&format!("<g><title>{}</title>{shape}</g>", escape(&point.tip)));
    }
}

fn rect(class: &str, x: f64, y: f64, width: f64, height: f64) -> String {
    format!(
        "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
        number(x),
        number(y),
        number(width),
        number(height)
    )
}

fn line(class: &str, x: f64, from: f64, to: f64) -> String {
    let (x, from, to) = (number(x), number(from), number(to));
    format!("<line class=\"{class}\" x1=\"{x}\" x2=\"{x}\" y1=\"{from}\" y2=\"{to}\"/>")
}

fn text(class: &str, x: f64, y: f64, anchor: &str, text: &str) -> String {
    let text = escape(text);
    format!("<text class=\"{class}\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{text}</text>", number(x), number(y))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Lanes {
        let stretch = |from, to, kind, label: &str| Stretch { from, to, kind, label: label.into(), tip: label.into() };
        let clock = Lane {
            label: "Accept <or> reject".into(),
            stretches: vec![
                stretch(10.0, 60.0, Kind::Running, "runs"),
                stretch(20.0, 30.0, Kind::Paused, ""),
                stretch(60.0, 100.0, Kind::Overdue, "late"),
            ],
            points: vec![
                Point { at: 60.0, sign: Sign::Deadline, tip: "due".into() },
                Point { at: 500.0, sign: Sign::Told, tip: "far away".into() },
            ],
        };
        Lanes {
            title: "Story".into(),
            description: "d".into(),
            from: 0.0,
            to: 100.0,
            open: vec![(-50.0, 50.0)],
            ticks: (0..=50).map(|n| (f64::from(n) * 2.0, format!("tick {n}"))).collect(),
            now: 100.0,
            lanes: vec![clock],
        }
    }

    /// The x of every element of this class, with its width where it has one.
    fn places(svg: &str, class: &str) -> Vec<(f64, f64)> {
        let value = |tag: &str, name: &str| {
            let (_, rest) = tag.split_once(&format!(" {name}=\"")).unwrap_or(("", "0\""));
            rest.split('"').next().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
        };
        let of_class = |tag: &&str| tag.contains(&format!("class=\"{class}\""));
        svg.split('<').filter(of_class).map(|t| (value(t, "x").max(value(t, "x1")), value(t, "width"))).collect()
    }

    #[test]
    fn a_known_history_stands_to_scale() {
        // 100 units on 1000 points between the edges.
        let svg = picture().svg(1000.0 + 2.0 * PAD);
        assert_eq!(places(&svg, "lanes-running"), [(PAD + 100.0, 500.0)]);
        assert_eq!(places(&svg, "lanes-paused"), [(PAD + 200.0, 100.0)]);
        assert_eq!(places(&svg, "lanes-overdue"), [(PAD + 600.0, 400.0)]);
        assert_eq!(places(&svg, "lanes-deadline"), [(PAD + 600.0, 0.0)]);
        assert_eq!(places(&svg, "lanes-open"), [(PAD, 500.0)], "cut at the edge");
        assert!(svg.contains("fill=\"url(#lanes-hatch)\""));
    }

    #[test]
    fn what_lies_outside_is_left_out_and_names_are_escaped() {
        let svg = picture().svg(600.0);
        assert!(!svg.contains("far away") && svg.contains("Accept &lt;or&gt; reject"), "{svg}");
        assert!(!svg.contains("style="));
    }

    #[test]
    fn a_move_is_not_hidden_by_what_was_told_of_it() {
        let point = |sign| Point { at: 50.0, sign, tip: String::new() };
        let lane = Lane { points: vec![point(Sign::Moved), point(Sign::Told)], ..Lane::default() };
        let svg = Lanes { lanes: vec![lane], ..picture() }.svg(400.0);
        assert!(svg.find("lanes-told").unwrap() < svg.find("lanes-moved").unwrap(), "{svg}");
    }

    #[test]
    fn labels_of_the_scale_do_not_cover_one_another() {
        let svg = picture().svg(400.0);
        let labels = places(&svg, "lanes-when");
        let wide = text_width("tick 10", SIZE);
        assert!(labels.len() > 2 && labels.windows(2).all(|pair| pair[1].0 - pair[0].0 >= wide - 6.0), "{labels:?}");
    }
}
