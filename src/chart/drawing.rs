//! A picture as a list of marks, and its SVG. Lengths are points, from the upper left corner. No fonts, no scripts and
//! no styles of the page around it: a drawing looks the same in a page, a mail and print.

use super::text::{bold_width, escape, number, text_width};
use super::theme::{Paint, Theme};

/// On which side of its point a label stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Start,
    Middle,
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    Box {
        x: f64,
        y: f64,
        width: f64,
        height: f64,
        paint: Paint,
    },
    Line {
        from: (f64, f64),
        to: (f64, f64),
        thick: f64,
        dashed: bool,
        paint: Paint,
    },
    Dot {
        at: (f64, f64),
        radius: f64,
        paint: Paint,
    },
    /// One line of text; `at` is on its baseline.
    Label {
        at: (f64, f64),
        text: String,
        size: f64,
        bold: bool,
        align: Align,
        paint: Paint,
    },
}

/// A finished picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// What it shows, in a few words.
    pub title: String,
    /// What can be seen in it, for whoever cannot see it.
    pub description: String,
    pub width: f64,
    pub height: f64,
    pub marks: Vec<Mark>,
}

impl Mark {
    /// A label in plain letters.
    pub(super) fn label(at: (f64, f64), text: impl Into<String>, size: f64, align: Align, paint: Paint) -> Mark {
        Mark::Label { at, text: text.into(), size, bold: false, align, paint }
    }

    pub(super) fn bold(self) -> Mark {
        match self {
            Mark::Label { at, text, size, align, paint, .. } => {
                Mark::Label { at, text, size, bold: true, align, paint }
            }
            other => other,
        }
    }

    /// The words of a label.
    pub fn text(&self) -> Option<&str> {
        if let Mark::Label { text, .. } = self { Some(text) } else { None }
    }

    /// From where to where it reaches sideways; labels by the estimate of their width.
    pub fn reach(&self) -> (f64, f64) {
        match self {
            Mark::Box { x, width, .. } => (*x, x + width),
            Mark::Line { from, to, .. } => (from.0.min(to.0), from.0.max(to.0)),
            Mark::Dot { at, radius, .. } => (at.0 - radius, at.0 + radius),
            Mark::Label { at, text, size, bold, align, .. } => {
                let wide = if *bold { bold_width(text, *size) } else { text_width(text, *size) };
                match align {
                    Align::Start => (at.0, at.0 + wide),
                    Align::Middle => (at.0 - wide / 2.0, at.0 + wide / 2.0),
                    Align::End => (at.0 - wide, at.0),
                }
            }
        }
    }

    pub(super) fn svg(&self, theme: &Theme) -> String {
        match self {
            Mark::Box { x, y, width, height, paint } => format!(
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>",
                number(*x),
                number(*y),
                number(*width),
                number(*height),
                theme.color(*paint)
            ),
            Mark::Line { from, to, thick, dashed, paint } => format!(
                "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\" stroke-width=\"{}\"{}/>",
                number(from.0),
                number(from.1),
                number(to.0),
                number(to.1),
                theme.color(*paint),
                number(*thick),
                if *dashed { " stroke-dasharray=\"4 3\"" } else { "" }
            ),
            Mark::Dot { at, radius, paint } => format!(
                "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"/>",
                number(at.0),
                number(at.1),
                number(*radius),
                theme.color(*paint)
            ),
            Mark::Label { at, text, size, bold, align, paint } => {
                let anchor = match align {
                    Align::Start => "start",
                    Align::Middle => "middle",
                    Align::End => "end",
                };
                format!(
                    "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\" text-anchor=\"{anchor}\"{}>{}</text>",
                    number(at.0),
                    number(at.1),
                    number(*size),
                    theme.color(*paint),
                    if *bold { " font-weight=\"bold\"" } else { "" },
                    escape(text)
                )
            }
        }
    }
}

impl Drawing {
    /// Labels that reach beyond the picture by the estimate of their width.
    pub fn overflowing(&self) -> Vec<&str> {
        let is_beyond = |mark: &Mark| mark.reach().0 < -0.01 || mark.reach().1 > self.width + 0.01;
        let beyond = self.marks.iter().filter(|mark| is_beyond(mark));
        beyond.filter_map(Mark::text).collect()
    }

    /// One `<svg>` element, to stand in HTML or alone. It has its size in points; a page may scale it.
    pub fn svg(&self, theme: &Theme) -> String {
        let (width, height) = (number(self.width), number(self.height));
        let ground =
            theme.ground.map(|color| format!("<rect width=\"{width}\" height=\"{height}\" fill=\"{color}\"/>"));
        let marks: String = self.marks.iter().map(|mark| mark.svg(theme)).collect();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{title}\" viewBox=\"0 0 {width} \
             {height}\" width=\"{width}pt\" height=\"{height}pt\" font-family=\"Arial, Helvetica, sans-serif\">\
             <title>{title}</title><desc>{}</desc>{}{marks}</svg>",
            escape(&self.description),
            ground.unwrap_or_default(),
            title = escape(&self.title),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing(text: &str) -> Drawing {
        let marks = vec![
            Mark::Box { x: 0.0, y: 0.0, width: 40.0, height: 10.0, paint: Paint::Kept },
            Mark::label((38.0, 9.0), text, 10.0, Align::Start, Paint::Ink),
        ];
        Drawing { title: "R&D".into(), description: "a <b>".into(), width: 60.0, height: 12.0, marks }
    }

    #[test]
    fn everything_in_a_picture_is_escaped() {
        let svg = drawing("<script>alert(1)</script>\u{0}").svg(&Theme::LIGHT);
        assert!(svg.contains("&lt;script&gt;alert(1)&lt;/script&gt;</text>"), "{svg}");
        assert!(!svg.contains("<script") && !svg.contains('\u{0}'));
        assert!(svg.contains("<title>R&amp;D</title><desc>a &lt;b&gt;</desc>") && svg.contains("role=\"img\""));
    }

    #[test]
    fn a_theme_with_a_ground_paints_it_and_the_other_leaves_the_pages() {
        assert!(drawing("").svg(&Theme::DARK).contains("<rect width=\"60\" height=\"12\" fill=\"#16191D\"/>"));
        let inherited = drawing("a").svg(&Theme::INHERIT);
        assert!(inherited.contains("fill=\"currentColor\"") && !inherited.contains("<rect width=\"60\""));
    }

    #[test]
    fn labels_beyond_the_edge_are_found() {
        assert_eq!(drawing("ab").overflowing(), Vec::<&str>::new());
        assert_eq!(drawing("abcdef").overflowing(), ["abcdef"]);
    }
}
