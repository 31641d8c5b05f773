//! People's orders about records: how they get into the inbox, and what of ours can be put back, by
//! the journal. What an order does is the core's to decide; apply brings it there in its turn.

use crate::record::change::FieldValues;
use crate::record::{Ask, ConnectionName, EffectKey, Fact, FactKind, Order, OwnerId, RecordKey, Timestamp};
use crate::store::inbox::{self, Kind, NewDelivery};
use crate::store::{Db, Priority, StoreError, journal};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A move of ours that stands, with what stood on the record before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    pub record: RecordKey,
    pub effect: EffectKey,
    pub kind: FactKind,
    pub at: Timestamp,
    /// The clock that asked for it.
    pub source: Arc<str>,
    pub from: Option<OwnerId>,
    pub to: Option<OwnerId>,
    pub before: FieldValues,
}

impl Made {
    /// The order to put it back.
    pub fn undo(self, by: &str, why: &str) -> Order {
        let ask = Ask::Undo { effect: self.effect, values: self.before, why: why.to_owned() };
        Order { object: self.record.object, id: self.record.id, by: by.to_owned(), ask }
    }
}

/// The order to leave a record alone: clocks and reminders go on, nothing takes it from its owner.
pub fn exclude(record: &RecordKey, until: Option<Timestamp>, by: &str, why: &str) -> Order {
    let ask = Ask::Exclude { until, why: why.to_owned() };
    Order { object: record.object, id: record.id.clone(), by: by.to_owned(), ask }
}

/// The order to treat it like any other again.
pub fn include(record: &RecordKey, by: &str, why: &str) -> Order {
    let ask = Ask::Include { why: why.to_owned() };
    Order { object: record.object, id: record.id.clone(), by: by.to_owned(), ask }
}

/// The orders about a record that wait in the inbox, as far as so many of its connection's tell.
///
/// # Errors
/// When the database is unavailable.
pub async fn waiting(db: &Db, record: &RecordKey) -> Result<Vec<Order>, StoreError> {
    const LOOKED_AT: u32 = 1000;
    let bodies = inbox::orders(db, &record.connection, LOOKED_AT).await?;
    let read = |body: &String| serde_json::from_str::<Order>(body).ok();
    Ok(bodies.iter().filter_map(read).filter(|o| o.object == record.object && o.id == record.id).collect())
}

/// Puts orders into the inbox: applied in their turn by whoever works the connection.
///
/// # Errors
/// When the database is unavailable.
pub async fn submit(db: &Db, connection: &ConnectionName, orders: &[Order], now: Timestamp) -> Result<(), StoreError> {
    let row = |order: &Order| {
        let body = serde_json::to_string(order).map_err(|e| StoreError::Refused(e.to_string()))?;
        let connection = connection.clone();
        Ok(NewDelivery { connection, delivery_id: None, kind: Kind::Order, body, received_at: now })
    };
    let rows = orders.iter().map(row).collect::<Result<Vec<_>, StoreError>>()?;
    let mut tx = db.begin(Priority::Ingest).await?;
    inbox::insert_all(&mut tx, &rows).await?;
    tx.commit().await
}

/// The moves of a record that stand, in the order in which they were made: neither taken back by late
/// news nor undone.
///
/// # Errors
/// When the database is unavailable or the journal cannot be read.
pub async fn moves_of(db: &Db, record: &RecordKey) -> Result<Vec<Made>, StoreError> {
    let mut standing: BTreeMap<String, Fact> = BTreeMap::new();
    for fact in journal::of_record(db, record).await?.into_iter().map(|row| row.entry.fact) {
        match fact.kind {
            FactKind::Recycled | FactKind::Reassigned | FactKind::Nurtured => {
                standing.insert(fact.key(), fact);
            }
            FactKind::Withdrawn => {
                standing.remove(&*fact.item);
            }
            FactKind::Undone => standing.retain(|_, moved| moved.item != fact.item),
            _ => {}
        }
    }
    let mut moves: Vec<Made> = standing.into_values().map(|fact| made(record, fact)).collect();
    moves.sort_by_key(|made| made.at);
    Ok(moves)
}

/// The moves of a connection that were made from `since` on and before `until` and stand; of each
/// record the last, since what stood there before an earlier one is history.
///
/// # Errors
/// As [`moves_of`].
pub async fn moves_between(
    db: &Db,
    connection: &ConnectionName,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<Made>, StoreError> {
    let mut moves = Vec::new();
    for record in journal::moved(db, connection, since, until).await? {
        let last = moves_of(db, &record).await?.pop();
        moves.extend(last.filter(|made| since <= made.at && made.at < until));
    }
    moves.sort_by_key(|made| made.at);
    Ok(moves)
}

fn made(record: &RecordKey, fact: Fact) -> Made {
    let owner = |name: &str| fact.detail.get(name).and_then(serde_json::Value::as_str).map(OwnerId::new);
    let before = fact.detail.get("before").and_then(|json| serde_json::from_value(json.clone()).ok());
    Made {
        record: record.clone(),
        effect: EffectKey::new(&*fact.item),
        kind: fact.kind,
        at: fact.at,
        source: fact.source.clone(),
        from: owner("from"),
        to: owner("to"),
        before: before.unwrap_or_default(),
    }
}
