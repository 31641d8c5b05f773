//! The lines of a record's story as its page shows them.

use crate::record::{FactKind, Timestamp};
use crate::report::story::Line;
use crate::store::journal::JournalRow;
use jiff::tz::TimeZone;

/// A line of the story with its times as text.
pub struct Shown {
    pub at: String,
    /// Where it was learned of more than a minute later.
    pub seen_at: Option<String>,
    pub line: Line,
    /// The values seen were taken away by a privacy deletion.
    pub erased: bool,
    /// How it is marked: `met`, `late` or nothing.
    pub tone: &'static str,
    pub held: usize,
}

/// A line, with what the journal says of its values.
pub fn shown(line: Line, rows: &[JournalRow], zone: &TimeZone) -> Shown {
    const AT_ONCE_MS: i64 = 60_000;
    let is_late = (line.seen_at - line.at).as_millis() > AT_ONCE_MS;
    let exact = |at: Timestamp| at.to_jiff().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
    Shown {
        at: exact(line.at),
        seen_at: is_late.then(|| exact(line.seen_at)),
        erased: rows.get(line.place).is_some_and(|row| row.erased),
        tone: tone(line.kind),
        held: line.terms.iter().filter(|term| term.held).count(),
        line,
    }
}

fn tone(kind: FactKind) -> &'static str {
    match kind {
        FactKind::Met | FactKind::Answered | FactKind::ViolationClosed | FactKind::Upheld => "met",
        FactKind::Breached
        | FactKind::MetLate
        | FactKind::Recycled
        | FactKind::ViolationOpened
        | FactKind::DefinitionFailed
        | FactKind::Parked => "late",
        _ => "",
    }
}
