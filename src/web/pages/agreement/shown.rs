//! Versions, signatures, receipts and differences in the words and shapes of the pages.

use super::shelf::Shelf;
use crate::agreement::Agreement;
use crate::agreement::difference::{self, Way};
use crate::agreement::parse::Parsed;
use crate::chart::Theme;
use crate::document::{Block, Document, Kind, Signed, document};
use crate::engine::versions::{Known, standing};
use crate::record::{PartyName, Timestamp};
use crate::store::receipt::Receipt;
use crate::store::signature::Signature;
use jiff::tz::TimeZone;

/// Charts on a page are so wide, in points; styles let them shrink.
const WIDTH: f64 = 420.0;
/// So many receipts are listed.
const LISTED: usize = 100;

/// `field_sales` as people say it.
pub fn words(party: &PartyName) -> String {
    party.as_str().replace('_', " ")
}

/// A version in a list.
pub struct Version {
    pub hash: String,
    pub title: String,
    pub version: String,
    /// The class of its badge, and the word in it.
    pub class: &'static str,
    pub state: &'static str,
    /// The state in a sentence.
    pub standing: String,
    pub effective: String,
    pub offered: String,
    pub signatures: Vec<Signatures>,
    pub missing: Vec<String>,
    pub is_active: bool,
}

/// One signature under it.
pub struct Signatures {
    pub party: String,
    pub name: String,
    pub title: String,
    pub on_behalf_of: Option<String>,
    pub entered_by: String,
    pub at: String,
}

/// With the parties who did not sign yet as people call them.
fn in_words(known: &Known, sentence: &str) -> String {
    let missing = known.missing().into_iter();
    missing.fold(sentence.to_owned(), |text, party| text.replace(party.as_str(), &words(party)))
}

/// A version of this shelf.
pub fn version(shelf: &Shelf, known: &Known) -> Version {
    let version = &known.version;
    let is_over = version.superseded_at.is_some();
    let (class, state) = match () {
        () if is_over => ("", "superseded"),
        () if known.is_active() => ("active", "in effect"),
        () if known.is_signed() => ("signed", "signed"),
        () => ("paused", "draft"),
    };
    Version {
        hash: version.hash.clone(),
        title: version.title.clone(),
        version: version.version.clone(),
        class,
        state,
        standing: in_words(known, &sentence(&standing(known, shelf.active(), shelf.now, &shelf.zone))),
        effective: effective(version.effective_at, &shelf.zone),
        offered: version.offered_at.in_zone(&shelf.zone),
        signatures: known.signatures.iter().map(|s| signature(s, &shelf.zone)).collect(),
        missing: known.missing().into_iter().map(words).collect(),
        is_active: known.is_active(),
    }
}

/// With a capital and a full stop.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

fn effective(at: Timestamp, zone: &TimeZone) -> String {
    if at == Timestamp::MIN { "at once".to_owned() } else { at.in_zone(zone) }
}

fn signature(signature: &Signature, zone: &TimeZone) -> Signatures {
    Signatures {
        party: words(&signature.party),
        name: signature.name.clone(),
        title: signature.title.clone(),
        on_behalf_of: signature.on_behalf_of.clone(),
        entered_by: signature.entered_by.clone(),
        at: signature.signed_at.in_zone(zone),
    }
}

/// The slides of a version with the signatures under it.
///
/// # Errors
/// What does not fit, in a sentence.
pub fn slides(agreement: &Agreement, known: Option<&Known>) -> Result<Document, String> {
    let signed = known.map(|known| known.signatures.as_slice()).unwrap_or_default().iter().cloned();
    let signed: Vec<Signed> =
        signed.map(|s| Signed { party: s.party, name: s.name, title: s.title, signed_at: s.signed_at }).collect();
    document(agreement, &signed).map_err(|overflow| format!("It does not fit on five slides: {overflow}"))
}

/// A slide as a part of a page.
pub struct Part {
    pub title: String,
    pub blocks: Vec<Piece>,
}

/// A block of a slide, with its chart drawn.
pub struct Piece {
    pub block: Block,
    /// Of a chart only.
    pub svg: String,
}

/// The slides without the cover's title and the page to sign, which pages show in their own way.
pub fn parts(document: &Document) -> Vec<Part> {
    let told = document.pages.iter().filter(|page| page.kind != Kind::Signatures);
    told.map(|page| {
        let blocks = page.columns.iter().flat_map(|column| &column.blocks).map(|placed| piece(&placed.block));
        let title = if page.kind == Kind::Cover { "In short".to_owned() } else { page.title.clone() };
        Part { title, blocks: blocks.collect() }
    })
    .collect()
}

fn piece(block: &Block) -> Piece {
    use crate::chart::Chart;
    let svg = match block {
        Block::Timeline(timeline) => timeline.draw(WIDTH).svg(&Theme::INHERIT),
        _ => String::new(),
    };
    Piece { block: block.clone(), svg }
}

/// What changed between two versions.
pub struct Difference {
    pub groups: Vec<Group>,
    /// `field sales: 2 stricter, 1 looser`
    pub tally: Vec<String>,
}

pub struct Group {
    pub part: &'static str,
    pub lines: Vec<Line>,
}

pub struct Line {
    pub text: String,
    /// The class of its badge, and the words in it.
    pub verdict: Option<(&'static str, String)>,
}

/// In words, with for whom each change is stricter.
pub fn difference(old: &Parsed, new: &Parsed) -> Difference {
    let found = difference::difference(old, new);
    let tally = found.tally().into_iter().map(|(party, tally)| format!("For {party}: {tally}")).collect();
    let line = |line: difference::Line| Line {
        text: line.text,
        verdict: line.verdict.map(|verdict| match verdict.way {
            Way::Stricter => ("paused", format!("stricter for {}", verdict.party)),
            Way::Looser => ("open", format!("looser for {}", verdict.party)),
            Way::Mixed => ("paused", format!("now stricter, now looser for {}", verdict.party)),
        }),
    };
    let groups = found.groups.into_iter();
    let groups = groups.map(|g| Group { part: g.part, lines: g.lines.into_iter().map(line).collect() });
    Difference { groups: groups.collect(), tally }
}

/// Who was told of a version.
#[derive(Default)]
pub struct Receipts {
    pub all: usize,
    pub told: usize,
    pub confirmed: usize,
    pub listed: Vec<Told>,
    /// Not listed.
    pub more: usize,
}

pub struct Told {
    pub name: String,
    pub email: String,
    pub how: String,
    pub confirmed: Option<String>,
}

/// In numbers and in a list.
pub fn receipts(all: &[Receipt], zone: &TimeZone) -> Receipts {
    Receipts {
        all: all.len(),
        told: all.iter().filter(|r| r.informed_at.is_some()).count(),
        confirmed: all.iter().filter(|r| r.confirmed_at.is_some()).count(),
        listed: all.iter().take(LISTED).map(|r| told(r, zone)).collect(),
        more: all.len().saturating_sub(LISTED),
    }
}

fn told(receipt: &Receipt, zone: &TimeZone) -> Told {
    let how = match (receipt.informed_at, receipt.next_at, &receipt.how) {
        (Some(at), ..) => format!("told {}", at.in_zone(zone)),
        (None, Some(at), None) => format!("to be told from {}", at.in_zone(zone)),
        (None, Some(at), Some(why)) => format!("tried again {}: {why}", at.in_zone(zone)),
        (None, None, why) => format!("not told: {}", why.as_deref().unwrap_or("unknown")),
    };
    let confirmed = receipt.confirmed_at.map(|at| at.in_zone(zone));
    Told { name: receipt.name.clone(), email: receipt.email.clone(), how, confirmed }
}
