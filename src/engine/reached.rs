//! The records behind a bar of the waterfall: which came to a stage in a period, page by page, the newest first. It
//! judges by the same course of a record as the bar does.

use super::measure::{DETAILED, KINDS, from_row, latest_fields};
use crate::agreement::Agreement;
use crate::agreement::standing::PassKind;
use crate::record::field::well_known;
use crate::record::{ConnectionName, FactKind, Object, OwnerId, PartyName, RecordId, RecordKey, Timestamp};
use crate::report::course::{Course, Pass, first_of_opportunities};
use crate::report::figures::Dimension;
use crate::report::window::Window;
use crate::store::entries::{self, Before, EntryRow};
use crate::store::tale::{TaleRow, Wanted};
use crate::store::{Db, Result, journal, standing, tale};
use std::collections::HashMap;
use std::sync::Arc;

/// Entries looked at together.
const SLICE: u32 = 100;
/// Whose it was stands in the entry itself: of one owner's many more can be looked at.
const OWNER_SLICE: u32 = 1_000;
/// A page looks at so many slices, however few of them belong to it.
const SLICES: usize = 3;
/// What tells when a pass came to its stages. What else an import did not know is asked for where there was one.
const ENTRIES: [FactKind; 9] = [
    FactKind::Imported,
    FactKind::PassBegan,
    FactKind::StageEntered,
    FactKind::HandedOver,
    FactKind::Converted,
    FactKind::Withdrawn,
    FactKind::Merged,
    FactKind::Deleted,
    FactKind::Restored,
];

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
    /// What an owner is called: the one that is asked for may be named.
    pub name_of: &'a (dyn Fn(&OwnerId) -> Option<&'a str> + Sync),
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
    let slice = if matches!(asked.only, Some((Dimension::Owner, _))) { OWNER_SLICE } else { SLICE };
    let (mut rows, mut goes_on) = (Vec::new(), true);
    for _ in 0..SLICES {
        if rows.len() == limit || !goes_on {
            break;
        }
        let span = (asked.window.from.max(asked.since), &place);
        let mut found = entries::newest(db, asked.connection, object, &items, span, slice).await?;
        goes_on = found.len() == slice as usize;
        goes_on |= asked.cut(&mut found);
        if goes_on {
            end_between_places(&mut found);
        }
        let courses = asked.courses(db, object, &found).await?;
        for entry in &found {
            place = entry.place();
            let row = courses.get(&entry.id).and_then(|course| asked.judge(course, entry));
            // What was told twice of one moment is one row.
            let is_known =
                |row: &Reached| rows.last().is_some_and(|last: &Reached| (last.at, &last.key) == (row.at, &row.key));
            rows.extend(row.filter(|row| !is_known(row)));
            if rows.len() == limit {
                goes_on = true;
                break;
            }
        }
    }
    asked.name(db, &mut rows).await?;
    Ok(Page { rows, next: goes_on.then_some(place) })
}

/// Where more follows, of one record and moment all entries are looked at together: a list goes on behind its place.
fn end_between_places(found: &mut Vec<EntryRow>) {
    let Some(last) = found.last().map(EntryRow::place) else { return };
    if let Some(before) = found.iter().rposition(|entry| entry.place() != last) {
        found.truncate(before + 1);
    }
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

    /// What became of these records, as far as it tells when they came to their stages.
    async fn courses(&self, db: &Db, object: Object, found: &[EntryRow]) -> Result<HashMap<String, Course>> {
        let meant = self.meant(db, object, found).await?;
        let ids: Vec<&str> = meant.iter().map(|key| key.id.as_str()).collect();
        let until_seq = journal::head(db, self.connection).await?.map_or(0, |head| head.seq);
        let connection = self.connection;
        let brief = Wanted { connection, object, kinds: &ENTRIES, detailed: &[], until_seq, with_states: false };
        let (mut tales, mut imported) = (tale::of_records(db, &brief, &ids).await?, Vec::new());
        let is_imported = |tale: &TaleRow| tale.facts.iter().any(|(fact, _)| fact.kind == FactKind::Imported);
        tales.retain(|tale| {
            let stays = !is_imported(tale);
            imported.extend((!stays).then(|| tale.id.clone()));
            stays
        });
        if !imported.is_empty() {
            let ids: Vec<&str> = imported.iter().map(String::as_str).collect();
            let whole = Wanted { kinds: &KINDS, detailed: &DETAILED, ..brief };
            tales.extend(tale::of_records(db, &whole, &ids).await?);
        }
        let course = |row: TaleRow| Ok((row.id.clone(), Course::of(from_row(connection, object, row)?)));
        tales.into_iter().map(course).collect()
    }

    /// Whether the entry itself leaves it open that its record is meant.
    fn may_be_meant(&self, entry: &EntryRow) -> bool {
        match self.only {
            // Who had a lead that a deal was made of is told by where it was before.
            Some((Dimension::Owner, wanted)) => entry.item.is_empty() || self.called(entry.owner.as_ref()) == wanted,
            _ => true,
        }
    }

    /// Leaves no more of them than records can be looked at together; whether there were more.
    fn cut(&self, found: &mut Vec<EntryRow>) -> bool {
        let mut records = 0;
        let end = found.iter().position(|entry| {
            records += u32::from(self.may_be_meant(entry));
            records > SLICE
        });
        end.inspect(|end| found.truncate(*end)).is_some()
    }

    /// Those of the owner, source or campaign that is asked for, if one is. Of the latter two counts what a record
    /// says now.
    async fn meant(&self, db: &Db, object: Object, found: &[EntryRow]) -> Result<Vec<RecordKey>> {
        let key = |entry: &EntryRow| {
            let (connection, id) = (self.connection.clone(), RecordId::new(&entry.id));
            RecordKey { connection, object, id }
        };
        let mut keys: Vec<RecordKey> = found.iter().filter(|entry| self.may_be_meant(entry)).map(key).collect();
        keys.sort();
        keys.dedup();
        let (field, wanted) = match self.only {
            Some((Dimension::Source, wanted)) => (well_known().source, wanted),
            Some((Dimension::Campaign, wanted)) => (well_known().campaign, wanted),
            _ => return Ok(keys),
        };
        let mut meant = Vec::new();
        for (key, json) in standing::load_many(db, &keys).await? {
            if latest_fields(&key, &json)?.get(field).as_text().unwrap_or_default() == wanted {
                meant.push(key);
            }
        }
        Ok(meant)
    }

    /// What is listed without a name was never named by the CRM: its id stands for it.
    async fn name(&self, db: &Db, rows: &mut [Reached]) -> Result<()> {
        let keys: Vec<RecordKey> = rows.iter().map(|row| row.key.clone()).collect();
        let mut names = standing::names(db, &keys).await?;
        for row in rows {
            let name = names.remove(&row.key).filter(|name| !name.is_empty());
            row.name = name.unwrap_or_else(|| row.key.id.to_string());
        }
        Ok(())
    }

    /// The record, where this entry is the one by which a pass counts.
    fn judge(&self, course: &Course, entry: &EntryRow) -> Option<Reached> {
        let pass = course.passes.iter().find(|p| p.number == entry.pass).filter(|p| self.passes.has(p.kind))?;
        let at = pass.reached_in(self.agreement, self.stage, &self.window, self.since)?;
        if course.merged || at != entry.at || !self.is_asked(pass, at) {
            return None;
        }
        let had = pass.entry_at(self.agreement, self.stage, at);
        Some(Reached {
            key: course.key.clone(),
            name: String::new(),
            at,
            kind: pass.kind,
            party: had.and_then(|e| e.party.clone()),
            owner: had.and_then(|e| e.owner.clone()),
        })
    }

    /// What the split calls an owner; empty for nobody.
    fn called<'b>(&'b self, owner: Option<&'b OwnerId>) -> &'b str {
        owner.map_or("", |id| (self.name_of)(id).unwrap_or(id.as_str()))
    }

    fn is_asked(&self, pass: &Pass, at: Timestamp) -> bool {
        let Some((dimension, wanted)) = self.only else { return true };
        let had = pass.entry_at(self.agreement, self.stage, at);
        match dimension {
            // Sorted out before.
            Dimension::Source | Dimension::Campaign => true,
            Dimension::Party => had.and_then(|e| e.party.as_ref()).map_or("", PartyName::as_str) == wanted,
            Dimension::Owner => self.called(had.and_then(|e| e.owner.as_ref())) == wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_goes_on_ends_between_places() {
        let ended = |places: &[(i64, &str)]| {
            let entry = |(at, id): &(i64, &str)| {
                let (at, item) = (Timestamp::from_millis(*at), "mql".to_owned());
                EntryRow { at, id: (*id).to_owned(), pass: 1, item, owner: None }
            };
            let mut found: Vec<EntryRow> = places.iter().map(entry).collect();
            end_between_places(&mut found);
            found.len()
        };
        assert_eq!(ended(&[(9, "b"), (9, "a"), (8, "b"), (8, "b")]), 2, "more of the last may follow");
        assert_eq!(ended(&[(9, "b"), (9, "a")]), 1);
        assert_eq!(ended(&[(9, "b"), (9, "b")]), 2, "else it would not go on at all");
    }
}
