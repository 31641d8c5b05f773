//! The records behind a bar of the waterfall: which came to a stage in a period, page by page, the newest first. It
//! judges by the same course of a record as the bar does.

use super::measure::{DETAILED, KINDS, MORE_KINDS, from_row};
use crate::agreement::Agreement;
use crate::agreement::standing::PassKind;
use crate::record::{ConnectionName, FactKind, Object, OwnerId, PartyName, RecordKey, Timestamp};
use crate::report::course::{Course, Pass, first_of_opportunities};
use crate::report::figures::Dimension;
use crate::report::window::Window;
use crate::store::entries::{self, Before, EntryRow};
use crate::store::tale::Wanted;
use crate::store::{Db, Result, journal, tale};
use std::collections::HashMap;
use std::sync::Arc;

/// Entries looked at together.
const SLICE: u32 = 100;
/// A page looks at so many slices, however few of them belong to it.
const SLICES: usize = 3;

/// Which passes are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passes {
    /// First and revived ones, which count as deliveries.
    Deliveries,
    /// Recycled and returned ones.
    Again,
    All,
}

impl Passes {
    fn has(self, kind: PassKind) -> bool {
        match self {
            Passes::Deliveries => kind.is_delivery(),
            Passes::Again => !kind.is_delivery(),
            Passes::All => true,
        }
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    pub connection: &'a ConnectionName,
    pub agreement: &'a Arc<Agreement>,
    /// The place of the stage in the agreement.
    pub stage: usize,
    pub window: Window,
    /// Nothing from before this counts.
    pub since: Timestamp,
    pub passes: Passes,
    /// Only those of this source, campaign, party or owner; empty: of those where it is not set.
    pub only: Option<(Dimension, &'a str)>,
    /// What owners are called: the one that is asked for may be named.
    pub names: &'a HashMap<OwnerId, String>,
}

/// A record that came to the stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
    pub key: RecordKey,
    pub name: String,
    pub at: Timestamp,
    pub kind: PassKind,
    pub party: Option<PartyName>,
    pub owner: Option<OwnerId>,
}

/// A page of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub rows: Vec<Reached>,
    /// Where the next page begins, if there may be one; a page can be short of rows and still have a next.
    pub next: Option<Before>,
}

/// At most so many records of those asked for.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn page(db: &Db, asked: &Asked<'_>, before: Option<Before>, limit: usize) -> Result<Page> {
    let object = asked.agreement.stages[asked.stage].of;
    let items = asked.items();
    let mut place = before.unwrap_or(Before { at: asked.window.until, id: String::new() });
    let mut rows: Vec<Reached> = Vec::new();
    for _ in 0..SLICES {
        let span = (asked.window.from.max(asked.since), &place);
        let found = entries::newest(db, asked.connection, object, &items, span, SLICE).await?;
        let is_last = found.len() < SLICE as usize;
        let courses = asked.courses(db, object, &found).await?;
        for entry in &found {
            // What was told twice of one moment is one row.
            let is_known = rows.last().is_some_and(|last| last.at == entry.at && last.key.id.as_str() == entry.id);
            if let Some(row) = courses.get(&entry.id).and_then(|c| asked.judge(c, entry)).filter(|_| !is_known) {
                rows.push(row);
            }
            place = entry.place();
            if rows.len() == limit {
                return Ok(Page { rows, next: Some(place) });
            }
        }
        if is_last {
            return Ok(Page { rows, next: None });
        }
    }
    Ok(Page { rows, next: Some(place) })
}

impl Asked<'_> {
    /// The stages by which this one is reached; empty stands for a conversion.
    fn items(&self) -> Vec<&str> {
        let stages = &self.agreement.stages;
        let wanted = &stages[self.stage];
        if !wanted.in_waterfall() {
            return vec![wanted.name.as_str()];
        }
        let later = stages[self.stage..].iter().filter(|s| s.in_waterfall() && s.of == wanted.of);
        let made = (wanted.of == Object::Lead && first_of_opportunities(self.agreement).is_some()).then_some("");
        later.map(|s| s.name.as_str()).chain(made).collect()
    }

    async fn courses(&self, db: &Db, object: Object, found: &[EntryRow]) -> Result<HashMap<String, (Course, String)>> {
        let kinds: Vec<FactKind> = KINDS.into_iter().chain(MORE_KINDS).collect();
        let until_seq = journal::head(db, self.connection).await?.map_or(0, |head| head.seq);
        let wanted = Wanted { connection: self.connection, object, kinds: &kinds, detailed: &DETAILED, until_seq };
        let ids: Vec<&str> = found.iter().map(|entry| entry.id.as_str()).collect();
        let mut courses = HashMap::new();
        for row in tale::of_records(db, &wanted, &ids).await? {
            let id = row.id.clone();
            let tale = from_row(self.connection, object, row)?;
            let name =
                tale.latest.as_ref().and_then(|l| l.fields.get(crate::record::field::well_known().name).as_text());
            let name = name.unwrap_or_default().to_owned();
            courses.insert(id, (Course::of(tale), name));
        }
        Ok(courses)
    }

    /// The record, where this entry is the one by which a pass counts.
    fn judge(&self, (course, name): &(Course, String), entry: &EntryRow) -> Option<Reached> {
        let pass = course.passes.iter().find(|p| p.number == entry.pass).filter(|p| self.passes.has(p.kind))?;
        let at = pass.reached_in(self.agreement, self.stage, &self.window, self.since)?;
        if course.merged || at != entry.at || !self.is_asked(course, pass, at) {
            return None;
        }
        let had = pass.entry_at(self.agreement, self.stage, at);
        Some(Reached {
            key: course.key.clone(),
            name: if name.is_empty() { course.key.id.to_string() } else { name.clone() },
            at,
            kind: pass.kind,
            party: had.and_then(|e| e.party.clone()),
            owner: had.and_then(|e| e.owner.clone()),
        })
    }

    fn is_asked(&self, course: &Course, pass: &Pass, at: Timestamp) -> bool {
        let Some((dimension, wanted)) = self.only else { return true };
        let had = pass.entry_at(self.agreement, self.stage, at);
        match dimension {
            Dimension::Source => course.source.as_deref().unwrap_or_default() == wanted,
            Dimension::Campaign => course.campaign.as_deref().unwrap_or_default() == wanted,
            Dimension::Party => had.and_then(|e| e.party.as_ref()).map_or("", PartyName::as_str) == wanted,
            Dimension::Owner => {
                let owner = had.and_then(|e| e.owner.as_ref());
                let name = owner.and_then(|id| self.names.get(id)).map(String::as_str);
                name.or(owner.map(OwnerId::as_str)).unwrap_or_default() == wanted
            }
        }
    }
}
