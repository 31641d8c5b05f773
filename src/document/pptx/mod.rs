//! The document as a PowerPoint file (Office Open XML, ECMA-376): real text, real tables, pictures as native shapes.
//! This file is the package: which parts there are and how they point to each other. What never changes is in `parts`,
//! a slide's content in `slide`, `table` and `shape`. The same document gives the same bytes.

mod parts;
mod shape;
mod slide;
mod table;

use super::layout::Document;
use crate::chart::text::escape;
use std::io::{Cursor, Write};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const TYPE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const CONTENT: &str = "application/vnd.openxmlformats-officedocument.presentationml";

/// The bytes of a `.pptx`.
///
/// # Errors
/// When the archive cannot be written, which in memory means that it grew beyond what a ZIP can hold.
pub fn pptx(document: &Document) -> Result<Vec<u8>, ZipError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // 1980-01-01, the first moment that ZIP knows, so that the same agreement gives the same bytes.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (name, text) in all_parts(document) {
        zip.start_file(name, options)?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Every part with its name; the list of their types comes first, as readers expect.
fn all_parts(document: &Document) -> Vec<(String, String)> {
    let count = document.pages.len();
    let mut all = vec![
        ("[Content_Types].xml".to_owned(), content_types(count)),
        ("_rels/.rels".to_owned(), relationships(&root())),
        ("docProps/app.xml".to_owned(), format!("{HEAD}{}", parts::APP)),
        ("docProps/core.xml".to_owned(), core(document)),
        ("ppt/presentation.xml".to_owned(), presentation(count)),
        ("ppt/_rels/presentation.xml.rels".to_owned(), relationships(&of_presentation(count))),
        ("ppt/presProps.xml".to_owned(), format!("{HEAD}{}", parts::PRESENTATION_PROPERTIES)),
        ("ppt/viewProps.xml".to_owned(), format!("{HEAD}{}", parts::VIEW_PROPERTIES)),
        ("ppt/tableStyles.xml".to_owned(), format!("{HEAD}{}", parts::TABLE_STYLES)),
        ("ppt/theme/theme1.xml".to_owned(), format!("{HEAD}{}", parts::THEME)),
        ("ppt/slideMasters/slideMaster1.xml".to_owned(), format!("{HEAD}{}", parts::master())),
        (
            "ppt/slideMasters/_rels/slideMaster1.xml.rels".to_owned(),
            relationships(&[
                ("slideLayout".to_owned(), "../slideLayouts/slideLayout1.xml".to_owned()),
                ("theme".to_owned(), "../theme/theme1.xml".to_owned()),
            ]),
        ),
        ("ppt/slideLayouts/slideLayout1.xml".to_owned(), format!("{HEAD}{}", parts::layout())),
        (
            "ppt/slideLayouts/_rels/slideLayout1.xml.rels".to_owned(),
            relationships(&[("slideMaster".to_owned(), "../slideMasters/slideMaster1.xml".to_owned())]),
        ),
    ];
    for (at, page) in document.pages.iter().enumerate() {
        let number = at + 1;
        let to_layout = [("slideLayout".to_owned(), "../slideLayouts/slideLayout1.xml".to_owned())];
        all.push((format!("ppt/slides/slide{number}.xml"), format!("{HEAD}{}", slide::slide(document, number, page))));
        all.push((format!("ppt/slides/_rels/slide{number}.xml.rels"), relationships(&to_layout)));
    }
    all
}

fn content_types(slides: usize) -> String {
    let part = |name: &str, of: &str| format!("<Override PartName=\"/{name}\" ContentType=\"{of}\"/>");
    let of = |what: &str| format!("{CONTENT}.{what}+xml");
    let mut out = format!(
        "{HEAD}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" \
         ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" \
         ContentType=\"application/xml\"/>"
    );
    for (name, of) in [
        ("ppt/presentation.xml", of("presentation.main")),
        ("ppt/presProps.xml", of("presProps")),
        ("ppt/viewProps.xml", of("viewProps")),
        ("ppt/tableStyles.xml", of("tableStyles")),
        ("ppt/slideMasters/slideMaster1.xml", of("slideMaster")),
        ("ppt/slideLayouts/slideLayout1.xml", of("slideLayout")),
        ("ppt/theme/theme1.xml", "application/vnd.openxmlformats-officedocument.theme+xml".to_owned()),
        ("docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml".to_owned()),
        ("docProps/app.xml", "application/vnd.openxmlformats-officedocument.extended-properties+xml".to_owned()),
    ] {
        out.push_str(&part(name, &of));
    }
    (1..=slides).for_each(|at| out.push_str(&part(&format!("ppt/slides/slide{at}.xml"), &of("slide"))));
    out + "</Types>"
}

/// Kinds and targets, numbered `rId1` on. A kind with a `:` is a whole address.
fn relationships(targets: &[(String, String)]) -> String {
    let one = |(at, (kind, target)): (usize, &(String, String))| {
        let kind = if kind.contains(':') { kind.clone() } else { format!("{TYPE}/{kind}") };
        format!("<Relationship Id=\"rId{}\" Type=\"{kind}\" Target=\"{target}\"/>", at + 1)
    };
    let all: String = targets.iter().enumerate().map(one).collect();
    format!("{HEAD}<Relationships xmlns=\"{PACKAGE}\">{all}</Relationships>")
}

fn root() -> [(String, String); 3] {
    [
        ("officeDocument".to_owned(), "ppt/presentation.xml".to_owned()),
        (format!("{PACKAGE}/metadata/core-properties"), "docProps/core.xml".to_owned()),
        ("extended-properties".to_owned(), "docProps/app.xml".to_owned()),
    ]
}

/// The master first, then the slides, then what belongs to the whole.
fn of_presentation(slides: usize) -> Vec<(String, String)> {
    let mut all = vec![("slideMaster".to_owned(), "slideMasters/slideMaster1.xml".to_owned())];
    all.extend((1..=slides).map(|at| ("slide".to_owned(), format!("slides/slide{at}.xml"))));
    for (kind, target) in [
        ("theme", "theme/theme1.xml"),
        ("presProps", "presProps.xml"),
        ("viewProps", "viewProps.xml"),
        ("tableStyles", "tableStyles.xml"),
    ] {
        all.push((kind.to_owned(), target.to_owned()));
    }
    all
}

fn presentation(slides: usize) -> String {
    // Ids of slides begin at 256 (ECMA-376 part 1, 19.7.13); `rId1` is the master.
    let slide = |at: usize| format!("<p:sldId id=\"{}\" r:id=\"rId{}\"/>", 255 + at, at + 1);
    let list: String = (1..=slides).map(slide).collect();
    format!(
        "{HEAD}<p:presentation {}><p:sldMasterIdLst><p:sldMasterId id=\"2147483648\" r:id=\"rId1\"/></p:sldMasterIdLst>\
         <p:sldIdLst>{list}</p:sldIdLst><p:sldSz cx=\"12192000\" cy=\"6858000\"/><p:notesSz cx=\"6858000\" \
         cy=\"9144000\"/></p:presentation>",
        parts::NAMESPACES
    )
}

fn core(document: &Document) -> String {
    format!(
        "{HEAD}<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>{}</dc:title><dc:identifier>sha256:{}</dc:identifier>\
         <dc:language>en</dc:language><cp:version>{}</cp:version></cp:coreProperties>",
        escape(&document.title),
        escape(&document.hash),
        escape(&document.version)
    )
}
