//! The shapes of a slide: text boxes, rectangles, lines, dots. Lengths come in points and leave in EMU.

use crate::chart::text::escape;
use crate::chart::{Align, Drawing, Mark, Theme};
use crate::document::block::Text;
use crate::document::measure::LEADING;

/// English Metric Units in a point.
const EMU: f64 = 12_700.0;

pub(super) fn emu(points: f64) -> i64 {
    (points * EMU).round() as i64
}

/// A rectangle of the slide.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Numbers shapes; every one of a slide needs its own id.
pub(super) struct Ids(u32);

impl Ids {
    /// 1 is the slide's own tree.
    pub fn new() -> Self {
        Self(1)
    }

    pub fn next(&mut self) -> u32 {
        self.0 += 1;
        self.0
    }
}

/// How letters look: size in points, `RRGGBB`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub size: f64,
    pub bold: bool,
    pub color: &'static str,
}

pub(super) const INK: &str = "1A1A1A";

pub(super) fn place(frame: Frame) -> String {
    format!(
        "<a:off x=\"{}\" y=\"{}\"/><a:ext cx=\"{}\" cy=\"{}\"/>",
        emu(frame.x),
        emu(frame.y),
        emu(frame.width),
        emu(frame.height)
    )
}

pub(super) fn fill(color: &str) -> String {
    format!("<a:solidFill><a:srgbClr val=\"{color}\"/></a:solidFill>")
}

/// Letters, with their language so that spelling is checked as English.
pub(super) fn run(text: &str, look: Look) -> String {
    let bold = if look.bold { " b=\"1\"" } else { "" };
    let size = (look.size * 100.0).round() as i64;
    format!(
        "<a:r><a:rPr lang=\"en-US\" sz=\"{size}\"{bold} dirty=\"0\">{}</a:rPr><a:t>{}</a:t></a:r>",
        fill(look.color),
        escape(text)
    )
}

/// The runs of a text, bold where it is.
pub(super) fn runs(text: &Text, look: Look) -> String {
    let one = |r: &crate::document::block::Run| run(&r.text, Look { bold: r.bold || look.bold, ..look });
    text.0.iter().map(one).collect()
}

/// One paragraph. `before` is the space above it in points; `properties` are further children and attributes.
pub(super) fn paragraph(runs: &str, size: f64, before: f64, attributes: &str, bullet: &str) -> String {
    let leading = (size * LEADING * 100.0).round() as i64;
    let before = (before * 100.0).round() as i64;
    let bullet = if bullet.is_empty() { "<a:buNone/>" } else { bullet };
    // A paragraph without letters still has a height, given by its end.
    let end = (size * 100.0).round() as i64;
    format!(
        "<a:p><a:pPr{attributes}><a:lnSpc><a:spcPts val=\"{leading}\"/></a:lnSpc><a:spcBef><a:spcPts val=\"{before}\"/>\
         </a:spcBef>{bullet}</a:pPr>{runs}<a:endParaRPr lang=\"en-US\" sz=\"{end}\" dirty=\"0\"/></a:p>"
    )
}

/// A box of text without margins, growing for nobody.
pub(super) fn text_box(id: u32, name: &str, frame: Frame, paragraphs: &str, wraps: bool) -> String {
    let wrap = if wraps { "square" } else { "none" };
    format!(
        "<p:sp><p:nvSpPr><p:cNvPr id=\"{id}\" name=\"{} {id}\"/><p:cNvSpPr txBox=\"1\"/><p:nvPr/></p:nvSpPr><p:spPr>\
         <a:xfrm>{}</a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom><a:noFill/></p:spPr><p:txBody><a:bodyPr \
         wrap=\"{wrap}\" lIns=\"0\" tIns=\"0\" rIns=\"0\" bIns=\"0\" rtlCol=\"0\"><a:noAutofit/></a:bodyPr><a:lstStyle/>\
         {paragraphs}</p:txBody></p:sp>",
        escape(name),
        place(frame)
    )
}

/// A filled shape without text; `form` is one of the preset geometries.
pub(super) fn solid(id: u32, form: &str, frame: Frame, color: &str) -> String {
    format!(
        "<p:sp><p:nvSpPr><p:cNvPr id=\"{id}\" name=\"Shape {id}\"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr><a:xfrm>{}\
         </a:xfrm><a:prstGeom prst=\"{form}\"><a:avLst/></a:prstGeom>{}<a:ln><a:noFill/></a:ln></p:spPr></p:sp>",
        place(frame),
        fill(color)
    )
}

pub(super) fn line(id: u32, from: (f64, f64), to: (f64, f64), thick: f64, color: &str, dashed: bool) -> String {
    let frame =
        Frame { x: from.0.min(to.0), y: from.1.min(to.1), width: (to.0 - from.0).abs(), height: (to.1 - from.1).abs() };
    // A line runs from the upper left; one that rises is flipped.
    let flip = if (to.0 - from.0) * (to.1 - from.1) < 0.0 { " flipV=\"1\"" } else { "" };
    let dash = if dashed { "<a:prstDash val=\"dash\"/>" } else { "" };
    format!(
        "<p:cxnSp><p:nvCxnSpPr><p:cNvPr id=\"{id}\" name=\"Line {id}\"/><p:cNvCxnSpPr/><p:nvPr/></p:nvCxnSpPr><p:spPr>\
         <a:xfrm{flip}>{}</a:xfrm><a:prstGeom prst=\"line\"><a:avLst/></a:prstGeom><a:ln w=\"{}\">{}{dash}</a:ln>\
         </p:spPr></p:cxnSp>",
        place(frame),
        emu(thick),
        fill(color)
    )
}

/// A chart as a group of shapes, with its words for screen readers.
pub(super) fn drawing(ids: &mut Ids, drawing: &Drawing, x: f64, y: f64) -> String {
    let id = ids.next();
    let frame = Frame { x, y, width: drawing.width, height: drawing.height };
    let marks: String = drawing.marks.iter().map(|m| mark(ids, m, x, y)).collect();
    let place = place(frame);
    let child = place.replace("a:off", "a:chOff").replace("a:ext", "a:chExt");
    let words = format!("{}. {}", drawing.title, drawing.description);
    format!(
        "<p:grpSp><p:nvGrpSpPr><p:cNvPr id=\"{id}\" name=\"Chart {id}\" descr=\"{}\"/><p:cNvGrpSpPr/><p:nvPr/>\
         </p:nvGrpSpPr><p:grpSpPr><a:xfrm>{place}{child}</a:xfrm></p:grpSpPr>{marks}</p:grpSp>",
        escape(&words)
    )
}

fn mark(ids: &mut Ids, mark: &Mark, x: f64, y: f64) -> String {
    let id = ids.next();
    let color = |paint| Theme::LIGHT.color(paint).trim_start_matches('#');
    match mark {
        Mark::Box { x: left, y: top, width, height, paint } => {
            solid(id, "rect", Frame { x: x + left, y: y + top, width: *width, height: *height }, color(*paint))
        }
        Mark::Line { from, to, thick, dashed, paint } => {
            line(id, (x + from.0, y + from.1), (x + to.0, y + to.1), *thick, color(*paint), *dashed)
        }
        Mark::Dot { at, radius, paint } => {
            let frame = Frame { x: x + at.0 - radius, y: y + at.1 - radius, width: 2.0 * radius, height: 2.0 * radius };
            solid(id, "ellipse", frame, color(*paint))
        }
        Mark::Label { at, text, size, bold, align, paint } => {
            let (from, to) = mark.reach();
            let align = match align {
                Align::Start => " algn=\"l\"",
                Align::Middle => " algn=\"ctr\"",
                Align::End => " algn=\"r\"",
            };
            // The baseline lies about four fifths down a line.
            let top = y + at.1 - size * LEADING * 0.8;
            let frame = Frame { x: x + from, y: top, width: to - from, height: size * LEADING };
            let look = Look { size: *size, bold: *bold, color: color(*paint) };
            text_box(id, "Label", frame, &paragraph(&run(text, look), *size, 0.0, align, ""), true)
        }
    }
}
