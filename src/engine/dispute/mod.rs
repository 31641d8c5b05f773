//! Disputes: people open and decide them (`orders.rs`), and under the lease they climb the
//! agreement's conflict-resolution steps (here): the people of a step are told at once, and when its
//! time is over undecided, it is the next one's turn.

mod orders;

pub use orders::{DisputeError, Ruling, decide, disputable, open};

use super::context::{Engine, Site};
use super::directory::Snapshot;
use super::letters;
use super::reach::{self, Answerable};
use crate::agreement::calendar::Calendar;
use crate::agreement::{Agreement, Standing, span};
use crate::notify::RecordItem;
use crate::notify::letter::{Dispute, Letter};
use crate::record::field::well_known;
use crate::record::{Actor, Fact, FactKind, OwnerId, PartyName, Timestamp};
use crate::report::story::{Reader, Told, withdrawn};
use crate::report::words;
use crate::store::dispute::{self, DisputeRow, DisputeState};
use crate::store::journal::{self, JournalEntry, JournalRow};
use crate::store::lease::Lease;
use crate::store::{Priority, StoreError, standing};
use serde_json::json;

/// The disputes of one connection, on their way up.
#[derive(Debug, Default)]
pub struct Disputes {
    /// How far the journal was looked through for facts that were taken back.
    looked_to: Option<i64>,
}

impl Disputes {
    /// Moves every dispute whose moment has come. Answers how many moved.
    ///
    /// # Errors
    /// When the database is unavailable or the lease is lost.
    pub async fn step(&mut self, engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
        let open = dispute::undecided(&engine.db, site.name()).await?;
        if open.is_empty() {
            return Ok(0);
        }
        let head = journal::head(&engine.db, site.name()).await?.map_or(0, |head| head.seq);
        let news = self.looked_to != Some(head);
        let desk = Desk { engine, site, lease, now: engine.clock.now() };
        let mut moved = 0;
        for row in open {
            moved += usize::from(desk.one(&row, news).await?);
        }
        self.looked_to = Some(head);
        Ok(moved)
    }
}

struct Desk<'a> {
    engine: &'a Engine,
    site: &'a Site,
    lease: &'a Lease,
    now: Timestamp,
}

impl Desk<'_> {
    async fn one(&self, row: &DisputeRow, news: bool) -> Result<bool, StoreError> {
        if news && is_taken_back(&journal::of_record(&self.engine.db, &row.record).await?, row) {
            return self.end(row).await;
        }
        if row.state != DisputeState::Open {
            return Ok(false);
        }
        if row.step_due.is_some_and(|due| due <= self.now) {
            return self.climb(row).await;
        }
        if row.told_step < row.step { self.tell(row).await } else { Ok(false) }
    }

    /// The disputed fact turned out not to have happened: there is nothing to decide any more.
    async fn end(&self, row: &DisputeRow) -> Result<bool, StoreError> {
        let why = "a later change took back what was disputed";
        let is = DisputeRow {
            state: DisputeState::Withdrawn,
            step_due: None,
            decided_at: Some(self.now),
            decided_by: Some("leadpact".to_owned()),
            verdict: Some(why.to_owned()),
            ..row.clone()
        };
        let mut fact = fact(row, FactKind::DisputeWithdrawn, self.now, "leadpact", why);
        fact.by = Actor::Leadpact;
        self.advance(row, &is, fact).await
    }

    /// The step's time is over: the next one's begins now, so that its people have all of it.
    async fn climb(&self, row: &DisputeRow) -> Result<bool, StoreError> {
        let agreement = &self.site.agreement;
        let next = agreement.resolutions.get(row.step as usize);
        let due = next.map(|step| span::after(calendar(agreement, row.party.as_ref()), self.now, step.within));
        let is = match due {
            Some(due) => DisputeRow { step: row.step + 1, step_due: Some(due), ..row.clone() },
            None => DisputeRow { state: DisputeState::Exhausted, step_due: None, ..row.clone() },
        };
        let who = match next {
            Some(step) => reach::in_words(&step.who, row.party.as_ref()),
            None => "no step is left; it stays open".to_owned(),
        };
        let mut fact = fact(row, FactKind::Climbed, self.now, "leadpact", "nobody decided in time");
        fact.by = Actor::Leadpact;
        fact.detail.insert("who".to_owned(), json!(who));
        fact.detail.insert("step".to_owned(), json!(is.step));
        fact.detail.insert("until".to_owned(), json!(due.map(Timestamp::as_millis)));
        tracing::info!(record = %row.record, dispute = %row.id, step = is.step, "a dispute went on: {who}");
        self.advance(row, &is, fact).await
    }

    async fn advance(&self, was: &DisputeRow, is: &DisputeRow, fact: Fact) -> Result<bool, StoreError> {
        let entry = entry(&self.site.agreement, was, fact, self.now);
        let mut tx = self.engine.db.begin(Priority::Work).await?;
        self.lease.check(&mut tx).await?;
        if !dispute::advance(&mut tx, was, is).await? {
            return Ok(false);
        }
        journal::append(&mut tx, self.site.name(), std::slice::from_ref(&entry)).await?;
        tx.commit().await?;
        letters::tell(self.engine, self.site, vec![entry]);
        Ok(true)
    }

    /// The people of the step are told, with the dispute's state in one transaction.
    async fn tell(&self, row: &DisputeRow) -> Result<bool, StoreError> {
        let (engine, site) = (self.engine, self.site);
        let Some(step) = site.agreement.resolutions.get(row.step as usize - 1) else {
            // Another version of the agreement knows no such step.
            return self.climb(row).await;
        };
        let standing = self.standing(row).await?;
        let owner = row.owner.clone().or_else(|| standing.as_ref().and_then(Standing::owner));
        let wanted: Vec<OwnerId> = owner.iter().cloned().collect();
        let people = site.directory.people(&engine.db, site.name(), &site.crm, &wanted).await?;
        let of = Answerable { party: row.party.as_ref(), owner: owner.as_ref() };
        let letter = Letter::Dispute(self.letter(row, standing.as_ref(), &people).await?);
        let tells = letters::tells(engine, site, self.now).await?;
        let mut tx = engine.db.begin(Priority::Work).await?;
        self.lease.check(&mut tx).await?;
        for (n, route) in reach::routes(&site.agreement, &people, &step.who, of).into_iter().enumerate() {
            match engine.notifiers.letter(&format!("dispute/{}/{}/{n}", row.id, row.step), &letter) {
                Ok(says) => letters::issue(&mut tx, site.name(), &route, &says, tells, self.now).await?,
                Err(error) => tracing::error!(dispute = %row.id, "cannot be told: {error}"),
            }
        }
        let told = dispute::advance(&mut tx, row, &DisputeRow { told_step: row.step, ..row.clone() }).await?;
        if told {
            tx.commit().await?;
        }
        Ok(told)
    }

    async fn standing(&self, row: &DisputeRow) -> Result<Option<Standing>, StoreError> {
        let json = standing::load_one(&self.engine.db, &row.record).await?;
        // Who cannot be read is spoken of by id.
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
    }

    async fn letter(
        &self,
        row: &DisputeRow,
        standing: Option<&Standing>,
        people: &Snapshot,
    ) -> Result<Dispute, StoreError> {
        let agreement = &self.site.agreement;
        let zone = agreement.zone_of(row.party.as_ref());
        let rows = journal::of_record(&self.engine.db, &row.record).await?;
        let name_of = |id: &OwnerId| people.name(id);
        let reader = Reader { agreement, zone: &zone, name_of: &name_of };
        let fact = rows.iter().map(|r| &r.entry.fact).rfind(|f| f.at == row.fact_at && f.key() == row.fact_key);
        let next = agreement.resolutions.get(row.step as usize);
        let name = standing.map(|s| s.name().to_owned()).filter(|name| !name.is_empty());
        let company = standing.and_then(|s| s.fields.get(well_known().company).as_text().map(str::to_owned));
        Ok(Dispute {
            id: row.id.clone(),
            record: RecordItem {
                name: name.unwrap_or_else(|| row.record.id.to_string()),
                url: self.site.crm.record_url(row.record.object, &row.record.id),
                object: row.record.object.to_string(),
                company,
                stage: None,
            },
            fact: fact.map_or_else(|| row.source.clone(), |fact| words::sentence(&reader, fact)),
            at: row.fact_at.in_zone(&zone),
            party: row.party.as_ref().map(|party| party.as_str().replace('_', " ")),
            by: row.by.clone(),
            why: row.why.clone(),
            step: row.step,
            steps: u32::try_from(agreement.resolutions.len()).unwrap_or(u32::MAX),
            deadline: row.step_due.map(|due| due.in_zone(&zone)).unwrap_or_default(),
            next: match next {
                Some(step) => format!("it goes on to {}.", reach::in_words(&step.who, row.party.as_ref())),
                None => "it stays open, and every review lists it.".to_owned(),
            },
        })
    }
}

/// The calendar in which the blamed party's time is counted.
fn calendar<'a>(agreement: &'a Agreement, party: Option<&PartyName>) -> Option<&'a Calendar> {
    let own = party.and_then(|name| agreement.party(name)).and_then(|p| p.calendar);
    own.or(agreement.calendar).map(|i| &agreement.calendars[i].calendar)
}

/// Whether the disputed fact turned out not to have happened.
fn is_taken_back(rows: &[JournalRow], row: &DisputeRow) -> bool {
    let told: Vec<Told<'_>> = rows.iter().map(|r| Told { fact: &r.entry.fact, seen_at: r.entry.seen_at }).collect();
    let struck = withdrawn(&told);
    let mut meant = told.iter().zip(struck).filter(|(t, _)| t.fact.at == row.fact_at && t.fact.key() == row.fact_key);
    // One that came again stands.
    meant.next_back().is_some_and(|(_, struck)| struck)
}

/// A fact about a dispute.
fn fact(row: &DisputeRow, kind: FactKind, at: Timestamp, by: &str, why: &str) -> Fact {
    let detail = json!({ "fact": row.fact_key, "at": row.fact_at.as_millis(), "by": by, "why": why });
    Fact {
        kind,
        at,
        pass: row.fact_key.split('/').next().and_then(|pass| pass.parse().ok()).unwrap_or(0),
        source: row.source.as_str().into(),
        run: 0,
        item: row.id.as_str().into(),
        party: row.party.clone(),
        owner: row.owner.clone(),
        stage: None,
        by: Actor::Unknown,
        detail: detail.as_object().cloned().unwrap_or_default(),
    }
}

fn entry(agreement: &Agreement, row: &DisputeRow, fact: Fact, now: Timestamp) -> JournalEntry {
    JournalEntry { record: Some(row.record.clone()), fact, seen_at: now, agreement: agreement.hash.to_string() }
}
