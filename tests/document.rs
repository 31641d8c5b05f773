//! The agreement as slides: everything that was agreed stands on them, in HTML and in PowerPoint alike, nothing is cut,
//! and nothing that an agreement says becomes markup.

use leadpact::agreement::Agreement;
use leadpact::agreement::model::Until;
use leadpact::agreement::parse::parse;
use leadpact::document::{Block, Document, Kind, Signed, document, html, pptx};
use leadpact::record::{PartyName, Timestamp};
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::process::Command;

fn file(name: &str) -> String {
    fs::read_to_string(format!("{}/config/{name}", env!("CARGO_MANIFEST_DIR"))).expect("an agreement")
}

fn agreement(text: &str) -> Agreement {
    match parse("agreement.toml", text, &|_| Err("no file".to_owned())) {
        Ok(parsed) => parsed.agreement,
        Err(report) => panic!("{}", report.render(false)),
    }
}

fn reference() -> Agreement {
    agreement(&file("agreement.toml"))
}

fn laid_out(agreement: &Agreement) -> Document {
    document(agreement, &[]).unwrap_or_else(|overflow| panic!("{overflow}"))
}

/// The parts of a `.pptx` by name.
fn parts(bytes: Vec<u8>) -> BTreeMap<String, String> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    let mut parts = BTreeMap::new();
    for at in 0..zip.len() {
        let mut entry = zip.by_index(at).expect("an entry");
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("UTF-8");
        parts.insert(entry.name().to_owned(), text);
    }
    parts
}

/// The text of XML or of our HTML, without what people do not read; parts of a paragraph run together.
fn words(markup: &str) -> String {
    let text = markup.split("<style>").next().unwrap_or_default().to_owned()
        + markup.split("</style>").nth(1).unwrap_or_default();
    let mut out = String::new();
    for piece in text.split('<').skip(1) {
        let (tag, rest) = piece.split_once('>').expect("a whole tag");
        let inline = [
            "strong",
            "/strong",
            "a:t",
            "/a:t",
            "a:r",
            "/a:r",
            "a:rPr",
            "/a:rPr",
            "a:solidFill",
            "/a:solidFill",
            "a:srgbClr",
        ];
        if !inline.contains(&tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap_or_default())
            && !tag.starts_with("/strong")
        {
            out.push('\n');
        }
        out.push_str(&unescape(rest).expect("known entities").replace('\n', " "));
    }
    out
}

/// HTML and slides of a document, as text.
fn both(document: &Document) -> [(&'static str, String); 2] {
    let parts = parts(pptx::pptx(document).expect("written"));
    let slides = parts.iter().filter(|(name, _)| name.starts_with("ppt/slides/slide"));
    let slides: String = slides.map(|(_, text)| words(text)).collect();
    [("HTML", words(&html::html(document))), ("PowerPoint", slides)]
}

#[test]
fn the_reference_agreement_takes_five_slides_and_a_page_to_sign() {
    for name in ["agreement.toml", "demo-agreement.toml"] {
        let document = laid_out(&agreement(&file(name)));
        let slides = document.pages.iter().filter(|page| page.kind != Kind::Signatures).count();
        assert!((4..=5).contains(&slides), "{name}: {slides}");
        assert_eq!(document.pages.last().map(|page| page.kind), Some(Kind::Signatures));
        assert!(document.pages.iter().all(|page| page.size >= 10.5), "{name}");
    }
}

#[test]
fn blocks_stand_beneath_one_another_and_on_the_page() {
    for page in laid_out(&reference()).pages {
        let mut right = 40.0;
        for column in page.columns {
            assert!(column.x >= right - 0.01 && column.x + column.width <= 920.01, "{}", page.title);
            right = column.x + column.width;
            let mut below = 84.0;
            for placed in column.blocks {
                assert!(placed.y >= below - 0.01, "{}: {:?}", page.title, placed.block);
                below = placed.y + placed.height;
            }
            assert!(below <= 498.01, "{}: {below}", page.title);
        }
    }
}

#[test]
fn every_condition_stands_there_as_its_own_sentence() {
    use leadpact::agreement::model::Measure;
    let agreement = reference();
    let mut sentences: Vec<String> = agreement.stages.iter().map(|stage| stage.when.sentence()).collect();
    sentences.extend(agreement.handoffs.iter().filter_map(|h| h.definition.as_ref()).map(|d| d.sentence()));
    for clock in &agreement.clocks {
        let until = if let Until::Condition(until) = &clock.until { Some(until) } else { None };
        let conditions = [until, clock.pauses.as_ref(), clock.cancels.as_ref()];
        sentences.extend(conditions.into_iter().flatten().map(|p| p.sentence()));
    }
    sentences.extend(agreement.recycling.iter().filter_map(|r| r.exclude.as_ref()).map(|p| p.sentence()));
    sentences.extend(agreement.commitments.iter().filter_map(|c| match &c.measure {
        Measure::CloseRatio(which) | Measure::RevenueShare(which) => Some(which.sentence()),
        _ => None,
    }));
    assert!(sentences.len() > 18, "{}", sentences.len());
    for (format, text) in both(&laid_out(&agreement)) {
        for sentence in &sentences {
            assert!(text.contains(sentence), "{format} lacks `{sentence}`");
        }
    }
}

#[test]
fn nothing_that_was_agreed_is_missing_in_either_format() {
    let agreement = reference();
    let mut said: Vec<String> = vec![agreement.title.clone(), agreement.version.clone(), agreement.hash.to_string()];
    for stage in &agreement.stages {
        said.extend([stage.term.clone(), stage.means.clone()]);
    }
    for handoff in &agreement.handoffs {
        said.push(handoff.name.to_string());
        said.extend(handoff.reject.iter().flat_map(|reject| reject.allowed.clone()));
        said.extend(handoff.requires.iter().map(|field| field.as_str().replace('_', " ")));
    }
    said.extend(agreement.clocks.iter().map(|clock| clock.name.to_string()));
    said.extend(agreement.commitments.iter().map(|commitment| commitment.name.clone()));
    said.extend(agreement.commitments.iter().filter_map(|commitment| commitment.credit.clone()));
    for review in &agreement.reviews {
        said.push(review.name.clone());
        said.extend(review.topics.clone());
    }
    said.extend(
        agreement.parties.iter().filter_map(|p| p.signs.as_ref()).flat_map(|s| [s.name.clone(), s.title.clone()]),
    );
    said.extend(agreement.freezes.iter().map(|freeze| freeze.why.clone()));
    let further = [
        "4 business hours",
        "15 business days",
        "30 business minutes before the deadline",
        "at least 400 each month",
        "at least 95% each week",
        "Accept or reject [record name]",
        "Monday to Thursday 09:00–12:30 and 13:15–18:00; Friday 09:00–16:00 (America/New_York time).",
        "Closed on 18 January 2027 and 31 May 2027.",
        "1 EUR = 1.08 USD and 1 GBP = 1.27 USD",
        "The manager decides within 2 business days.",
        "in effect from 4 January 2027",
        "Every week on Monday at 09:00",
        "field sales",
    ];
    said.extend(further.map(str::to_owned));
    for (format, text) in both(&laid_out(&agreement)) {
        for one in &said {
            assert!(text.contains(one.trim()), "{format} lacks `{one}`");
        }
    }
}

/// The reference agreement with this in place of that.
fn with(what: &str, instead: &str) -> String {
    let text = file("agreement.toml");
    assert!(text.contains(what), "{what}");
    text.replacen(what, instead, 1)
}

#[test]
fn too_much_text_is_an_error_that_names_the_slide_and_the_part() {
    let essay = "A salesperson agrees to pursue the lead and then writes at length about it. ".repeat(40);
    let overflow =
        document(&agreement(&with("A salesperson agrees to pursue the lead.", &essay)), &[]).expect_err("long");
    assert_eq!((overflow.page, overflow.title.as_str()), (2, "Terminology"));
    assert!(overflow.lines > 20, "{overflow}");
    let said = overflow.to_string();
    assert!(said.starts_with("slide 2, Terminology: ") && said.contains("“Sales accepted lead (sal)”"), "{said}");

    let reasons = (0..300).map(|n| format!("\"reason number {n}\"")).collect::<Vec<_>>().join(", ");
    let overflow = document(&agreement(&with("\"duplicate\", \"student\"", &reasons)), &[]).expect_err("long");
    assert_eq!(overflow.page, 3);
    assert_eq!(overflow.longest.0, "Marketing to teleprospecting", "{overflow}");

    let title = "A very long title ".repeat(20);
    let overflow = document(&agreement(&with("Acme sales and marketing agreement", &title)), &[]).expect_err("long");
    assert_eq!((overflow.page, overflow.longest.0.as_str()), (1, "title"));
}

#[test]
fn a_word_without_end_is_broken_and_stays_on_the_page() {
    let word = "x".repeat(400);
    let laid_out = laid_out(&agreement(&with("The customer signed.", &word)));
    for (format, text) in both(&laid_out) {
        assert!(text.contains(&word), "{format}");
    }
}

#[test]
fn markup_in_an_agreement_stays_text() {
    let hostile = r#"<script>alert("1")</script> & <b onclick='x'>\u0000\u001b]]>"#;
    let mut text = with("The customer signed.", hostile);
    for name in ["Weekly lead review", "duplicate", "Accept or reject {{ record.name }}", "Chief Marketing Officer"] {
        text = text.replace(&format!("\"{name}\""), &format!("\"{}\"", hostile.replace('"', "\\\"")));
    }
    text = text.replace(hostile, &hostile.replace('"', "\\\""));
    let document = laid_out(&agreement(&text));
    let html = html::html(&document);
    assert!(!html.contains("<script") && !html.contains("<b onclick") && html.contains("&lt;script&gt;"), "{html}");
    let parts = parts(pptx::pptx(&document).expect("written"));
    let slides: Vec<&String> = parts.values().chain([&html]).collect();
    for text in slides {
        assert!(!text.contains("<script") && !text.contains(['\0', '\u{1b}']));
    }
    parts.iter().for_each(|(name, text)| well_formed(name, text));
    for (format, text) in both(&document) {
        assert!(text.contains("<script>alert(\"1\")</script> & <b onclick='x'>]]>"), "{format}");
    }
}

/// Every tag is closed and every entity known.
fn well_formed(name: &str, text: &str) {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut depth = 0;
    loop {
        match reader.read_event().unwrap_or_else(|e| panic!("{name}: {e}")) {
            Event::Start(tag) => {
                depth += 1;
                assert!(tag.attributes().all(|a| a.is_ok()), "{name}");
            }
            Event::End(_) => depth -= 1,
            Event::Empty(tag) => assert!(tag.attributes().all(|a| a.is_ok()), "{name}"),
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "{name}");
}

/// The values of an attribute, in order.
fn attributes(text: &str, name: &str) -> Vec<String> {
    let opening = format!(" {name}=\"");
    text.split(&opening).skip(1).map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_presentation_is_a_whole_package() {
    let parts = parts(pptx::pptx(&laid_out(&reference())).expect("written"));
    parts.iter().for_each(|(name, text)| well_formed(name, text));
    for (name, text) in parts.iter().filter(|(name, _)| name.ends_with(".rels")) {
        // `ppt/slides/_rels/slide1.xml.rels` speaks of `ppt/slides/slide1.xml`.
        let folder = name.split("_rels/").next().expect("a folder");
        for target in attributes(text, "Target") {
            let mut path: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
            target
                .split('/')
                .for_each(|part| if part == ".." { path.pop().map_or((), |_| ()) } else { path.push(part) });
            assert!(parts.contains_key(&path.join("/")), "{name} points to {target}, which is not there");
        }
    }
    let types = &parts["[Content_Types].xml"];
    for part in attributes(types, "PartName") {
        assert!(parts.contains_key(part.trim_start_matches('/')), "{part} has a type and is not there");
    }
    for name in parts.keys().filter(|name| name.ends_with(".xml") && *name != "[Content_Types].xml") {
        assert!(types.contains(&format!("\"/{name}\"")), "{name} has no type of its own");
    }
    for (name, text) in parts.iter().filter(|(name, _)| name.starts_with("ppt/slides/slide")) {
        let mut ids = attributes(&text.replace("<p:cNvPr id", "<p:cNvPr shape"), "shape");
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name} numbers two shapes alike");
        assert!(text.contains("<p:ph type=\"title\"/>"), "{name} has no title");
    }
    let tables = parts.values().map(|text| text.matches("<a:tbl>").count()).sum::<usize>();
    assert!(tables >= 5, "{tables} tables");
}

#[test]
fn the_same_agreement_gives_the_same_bytes() {
    let (one, other) = (laid_out(&reference()), laid_out(&reference()));
    assert_eq!(pptx::pptx(&one).expect("written"), pptx::pptx(&other).expect("written"));
    assert_eq!(html::html(&one), html::html(&other));
}

#[test]
fn the_page_can_be_read_by_a_screen_reader() {
    let html = html::html(&laid_out(&reference()));
    assert!(html.contains("<html lang=\"en\">") && html.matches("<h1").count() == 1);
    assert_eq!(html.matches("<section").count(), html.matches("aria-labelledby=\"page-").count());
    assert_eq!(html.matches("<table").count(), html.matches("<caption>").count());
    assert_eq!(html.matches("<svg").count(), html.matches("role=\"img\"").count());
    assert!(html.contains("scope=\"col\"") && html.contains("scope=\"row\""));
    for foreign in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!html.contains(foreign), "{foreign}");
    }
}

#[test]
fn signatures_that_were_given_are_printed() {
    let signed = |party: &str, name: &str| Signed {
        party: PartyName::new(party),
        name: name.to_owned(),
        title: "Chief Marketing Officer".to_owned(),
        signed_at: Timestamp::parse("2027-01-02T15:00:00Z").expect("a moment"),
    };
    let agreement = reference();
    let both_sides = [signed("marketing", "Dana Reyes"), signed("field_sales", "Former Head")];
    let document = document(&agreement, &both_sides).expect("room");
    for (format, text) in both(&document) {
        assert_eq!(text.matches("Signed electronically").count(), 2, "{format}");
        assert!(text.contains("2027-01-02 10:00 EST") && text.contains("Former Head"), "{format}");
        assert!(text.contains("Lee Okafor"), "{format}: who has not signed yet still has a line");
    }
}

#[test]
fn each_clock_has_a_picture_where_there_is_room() {
    let agreement = reference();
    let document = laid_out(&agreement);
    let blocks = document.pages.iter().flat_map(|page| &page.columns).flat_map(|column| &column.blocks);
    let pictures = blocks.filter(|placed| matches!(placed.block, Block::Timeline(_))).count();
    assert_eq!(pictures, agreement.clocks.len());
}

/// Prints as a browser does. `None`: Chromium is not installed.
fn printed(html: &str) -> Option<Vec<u8>> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let find = |name: &str| std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file());
    let Some(chromium) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "Chromium is not installed, but CI needs it");
        eprintln!("skipped: Chromium is not installed");
        return None;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (page, pdf) = (folder.path().join("agreement.html"), folder.path().join("agreement.pdf"));
    fs::write(&page, html).expect("written");
    let done = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--no-pdf-header-footer"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("--print-to-pdf={}", pdf.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("Chromium starts");
    assert!(pdf.is_file(), "{}", String::from_utf8_lossy(&done.stderr));
    fs::read(pdf).ok()
}

#[test]
fn a_browser_prints_one_sheet_a_page() {
    let document = laid_out(&reference());
    let Some(pdf) = printed(&html::html(&document)) else { return };
    let text = String::from_utf8_lossy(&pdf);
    let pages = text.matches("/Type /Page\n").count() + text.matches("/Type /Page/").count();
    assert_eq!(pages, document.pages.len());
}
