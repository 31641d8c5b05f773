//! One slide: its title, its blocks where the layout put them, and the line at its foot.

use super::parts::NAMESPACES;
use super::shape::{Frame, INK, Ids, Look, drawing, emu, line, paragraph, place, run, runs, solid, text_box};
use super::table::table;
use crate::chart::Chart;
use crate::chart::text::escape;
use crate::document::block::Block;
use crate::document::layout::{Column, Document, Kind, MARGIN, PAGE, Page};
use crate::document::measure::{BETWEEN_ITEMS, gap_before, heading_size, indent};

const DEEP: &str = "12304F";
const BLUE: &str = "0072B2";
const HEADING: &str = "005A8C";
const QUIET: &str = "595959";

pub(super) fn slide(document: &Document, number: usize, page: &Page) -> String {
    let mut ids = Ids::new();
    let mut shapes = match page.kind {
        Kind::Cover => cover(&mut ids, page),
        Kind::Slide | Kind::Signatures => title(&mut ids, page),
    };
    for column in &page.columns {
        shapes.push_str(&self::column(&mut ids, column, page.size));
    }
    shapes.push_str(&foot(&mut ids, document, number));
    format!(
        "<p:sld {NAMESPACES}><p:cSld name=\"{}\"><p:spTree><p:nvGrpSpPr><p:cNvPr id=\"1\" name=\"\"/><p:cNvGrpSpPr/>\
         <p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>{shapes}</p:spTree></p:cSld><p:clrMapOvr><a:masterClrMapping/></p:clrMapOvr>\
         </p:sld>",
        escape(&page.title)
    )
}

/// The placeholder that outlines and screen readers know as the slide's title.
fn title_shape(id: u32, text: &str, frame: Frame, look: Look, anchor: &str) -> String {
    format!(
        "<p:sp><p:nvSpPr><p:cNvPr id=\"{id}\" name=\"Title {id}\"/><p:cNvSpPr><a:spLocks noGrp=\"1\"/></p:cNvSpPr><p:nvPr>\
         <p:ph type=\"title\"/></p:nvPr></p:nvSpPr><p:spPr><a:xfrm>{}</a:xfrm></p:spPr><p:txBody><a:bodyPr lIns=\"0\" \
         tIns=\"0\" rIns=\"0\" bIns=\"0\" anchor=\"{anchor}\"><a:noAutofit/></a:bodyPr><a:lstStyle/>{}</p:txBody></p:sp>",
        place(frame),
        paragraph(&run(text, look), look.size, 0.0, "", "")
    )
}

fn cover(ids: &mut Ids, page: &Page) -> String {
    let width = PAGE.0 - 2.0 * MARGIN;
    let band = solid(ids.next(), "rect", Frame { x: 0.0, y: 0.0, width: PAGE.0, height: 138.0 }, DEEP);
    let look = Look { size: heading_size(1, page.size), bold: true, color: "FFFFFF" };
    let title = title_shape(ids.next(), &page.title, Frame { x: MARGIN, y: 16.0, width, height: 76.0 }, look, "b");
    let look = Look { size: 14.0, bold: false, color: "FFFFFF" };
    let words = paragraph(&run(&page.subtitle, look), look.size, 0.0, "", "");
    band + &title + &text_box(ids.next(), "Version", Frame { x: MARGIN, y: 100.0, width, height: 18.0 }, &words, true)
}

fn title(ids: &mut Ids, page: &Page) -> String {
    let width = PAGE.0 - 2.0 * MARGIN;
    let look = Look { size: heading_size(2, page.size), bold: true, color: DEEP };
    let title = title_shape(ids.next(), &page.title, Frame { x: MARGIN, y: 28.0, width, height: 30.0 }, look, "t");
    title + &line(ids.next(), (MARGIN, 66.0), (MARGIN + width, 66.0), 2.0, BLUE, false)
}

/// Text that stands together shares a box, so that it closes up where a line less is needed than was reckoned with.
fn column(ids: &mut Ids, column: &Column, size: f64) -> String {
    let (mut out, mut pending): (String, Option<(Frame, String)>) = (String::new(), None);
    for placed in &column.blocks {
        let frame = Frame { x: column.x, y: placed.y, width: column.width, height: placed.height };
        let picture = match &placed.block {
            Block::Table(grid) => table(ids.next(), grid, frame, size),
            Block::Timeline(timeline) => drawing(ids, &timeline.draw(column.width), column.x, placed.y),
            text => {
                let (top, said) = pending.take().unwrap_or((Frame { height: 0.0, ..frame }, String::new()));
                let gap = if said.is_empty() { 0.0 } else { gap_before(text) };
                let frame = Frame { height: frame.y + frame.height - top.y, ..top };
                pending = Some((frame, said + &words(text, size, gap)));
                continue;
            }
        };
        out.extend(pending.take().map(|(frame, said)| text_box(ids.next(), "Text", frame, &said, true)));
        out.push_str(&picture);
    }
    out.extend(pending.map(|(frame, said)| text_box(ids.next(), "Text", frame, &said, true)));
    out
}

/// The paragraphs of a block of text, with so much space above the first.
fn words(block: &Block, size: f64, gap: f64) -> String {
    let look = Look { size, bold: false, color: INK };
    match block {
        Block::Heading { level, text } => {
            let color = if *level == 3 { HEADING } else { DEEP };
            let size = heading_size(*level, size);
            paragraph(&run(text, Look { size, bold: true, color }), size, gap, "", "")
        }
        Block::Paragraph(text) => paragraph(&runs(text, look), size, gap, "", ""),
        Block::List { ordered, items } => {
            let indent = emu(indent(*ordered, size));
            let attributes = format!(" marL=\"{indent}\" indent=\"-{indent}\"");
            let bullet = if *ordered { "<a:buAutoNum type=\"arabicPeriod\"/>" } else { "<a:buChar char=\"•\"/>" };
            let item = |(at, text)| {
                let before = if at == 0 { gap } else { BETWEEN_ITEMS };
                paragraph(&runs(text, look), size, before, &attributes, bullet)
            };
            items.iter().enumerate().map(item).collect()
        }
        Block::Table(_) | Block::Timeline(_) => String::new(),
    }
}

fn foot(ids: &mut Ids, document: &Document, number: usize) -> String {
    let look = Look { size: 10.5, bold: false, color: QUIET };
    let left = Frame { x: MARGIN, y: 515.0, width: PAGE.0 - 2.0 * MARGIN - 80.0, height: 13.0 };
    let right = Frame { x: PAGE.0 - MARGIN - 70.0, y: 515.0, width: 70.0, height: 13.0 };
    let which = paragraph(&run(&document.footer(), look), look.size, 0.0, "", "");
    let page = run(&format!("{number} of {}", document.pages.len()), look);
    let page = paragraph(&page, look.size, 0.0, " algn=\"r\"", "");
    text_box(ids.next(), "Version", left, &which, true) + &text_box(ids.next(), "Page", right, &page, true)
}
