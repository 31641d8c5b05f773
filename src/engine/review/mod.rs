//! Reviews on their schedule: at its moment each review's pack is computed and sent to whom the
//! agreement names, once. What a pack holds is gathered in `gather.rs`; when a review is held is
//! `report::meeting`'s.

mod gather;

pub use gather::{Asked, gather};

use super::context::{Engine, Site};
use super::letters;
use super::reach;
use crate::agreement::model::Review;
use crate::notify::Rendered;
use crate::notify::letter::{Line, Paper, Section};
use crate::record::{Actor, Fact, FactKind, Timestamp};
use crate::report::meeting::{Meeting, last_review};
use crate::report::pack::{self, Item, Pack};
use crate::store::journal::{self, JournalEntry};
use crate::store::lease::Lease;
use crate::store::{Priority, StoreError, cursor};
use serde_json::json;

/// Sends the packs whose moment has come. After a down time the last one missed is sent, late, about
/// the period that it was to look back on. Answers how many reviews were held.
///
/// # Errors
/// When the database is unavailable or the lease is lost.
pub async fn step(engine: &Engine, site: &Site, lease: &Lease) -> Result<usize, StoreError> {
    let now = engine.clock.now();
    let mut held = 0;
    for review in &site.agreement.reviews {
        let last = last_review(&site.agreement, review, now).filter(|m| m.at >= site.agreement.effective_at);
        match (last, sent_to(engine, site, review).await?) {
            // Nobody asks a new installation for what was before it.
            (_, None) => remember(engine, site, lease, review, now).await?,
            (Some(meeting), Some(sent)) if meeting.at > sent => {
                hold(engine, site, lease, review, &meeting).await?;
                held += 1;
            }
            _ => {}
        }
    }
    Ok(held)
}

fn cursor_of(review: &Review) -> String {
    format!("review/{}", review.name)
}

/// The moment of the review that was sent last.
async fn sent_to(engine: &Engine, site: &Site, review: &Review) -> Result<Option<Timestamp>, StoreError> {
    let text = cursor::get(&engine.db, site.name(), &cursor_of(review)).await?;
    Ok(text.and_then(|text| text.parse().ok()).map(Timestamp::from_millis))
}

async fn remember(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    review: &Review,
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    cursor::set(&mut tx, site.name(), &cursor_of(review), &at.as_millis().to_string()).await?;
    tx.commit().await
}

/// Computes the pack, then stores its letters, the fact and the cursor together.
async fn hold(
    engine: &Engine,
    site: &Site,
    lease: &Lease,
    review: &Review,
    meeting: &Meeting,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let sharing = engine.sites().iter().filter(|s| s.connection.agreement.is_none()).count();
    let asked = Asked {
        db: &engine.db,
        agreement: &site.agreement,
        connection: &site.connection,
        crm: &site.crm,
        is_shared: site.connection.agreement.is_none() && sharing > 1,
        review,
        period: meeting.covers,
        now,
    };
    let pack = gather(&asked).await?;
    let tells = letters::tells(engine, site, now).await?;
    let entry = JournalEntry {
        record: None,
        fact: fact(review, meeting, tells, now),
        seen_at: now,
        agreement: site.agreement.hash.to_string(),
    };
    let mut tx = engine.db.begin(Priority::Work).await?;
    lease.check(&mut tx).await?;
    for (n, to) in review.send_to.iter().map(reach::destination).enumerate() {
        let says = paper(&pack, &format!("review/{}/{}/{n}", review.name, meeting.at.as_millis()));
        letters::issue(&mut tx, site.name(), &vec![to], &says, tells, now).await?;
    }
    journal::append(&mut tx, site.name(), std::slice::from_ref(&entry)).await?;
    cursor::set(&mut tx, site.name(), &cursor_of(review), &meeting.at.as_millis().to_string()).await?;
    tx.commit().await?;
    tracing::info!(connection = %site.name(), review = review.name, period = %meeting.covers, "review pack made");
    letters::tell(engine, site, vec![entry]);
    Ok(())
}

fn fact(review: &Review, meeting: &Meeting, tells: bool, now: Timestamp) -> Fact {
    let detail = json!({
        "period": meeting.covers.to_string(),
        "due": meeting.at.as_millis(),
        "action": "notify",
    });
    Fact {
        kind: if tells { FactKind::Reviewed } else { FactKind::WouldHave },
        at: now,
        pass: 0,
        source: review.name.as_str().into(),
        run: 0,
        item: meeting.covers.to_string().into(),
        party: None,
        owner: None,
        stage: None,
        by: Actor::Leadpact,
        detail: detail.as_object().cloned().unwrap_or_default(),
    }
}

/// The pack in every form that a channel may want.
pub fn paper(pack: &Pack<'_>, key: &str) -> Rendered {
    let sections = pack.parts().into_iter().map(|part| {
        let mut lines: Vec<Line> = part.items.into_iter().map(line).collect();
        if lines.is_empty() {
            lines.push(Line { link: None, text: part.empty.to_owned() });
        }
        Section { heading: part.heading, lines }
    });
    let sections = sections.collect();
    Paper { subject: pack.title(), text: pack.text(), html: pack::html(pack), sections }.rendered(key)
}

fn line(item: Item) -> Line {
    match (item.name, item.url) {
        (Some(name), Some(url)) => Line { link: Some((url, name)), text: item.text },
        (Some(name), None) => Line { link: None, text: format!("{name}: {}", item.text) },
        (None, _) => Line { link: None, text: item.text },
    }
}
