//! One alert for each time that the breaker holds: to the channels of the party that would receive,
//! and to those who sign. Told once to each, whatever crashes in between but for the last word.

use super::desk::Desk;
use super::{Deliver, backoff};
use crate::engine::clock::monotonic_now;
use crate::engine::reach::{answerable, called};
use crate::engine::switches::Switches;
use crate::notify::letter::Paper;
use crate::notify::{Destination, NotifyError, Rendered};
use crate::store::switch::SwitchRow;
use crate::store::{StoreError, cursor, outbox};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// The name under which it is kept who was told.
const CURSOR: &str = "breaker_alert";

/// Who was told of one trip.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Told {
    /// The trip, by its moment in milliseconds.
    trip: i64,
    to: Vec<String>,
}

/// When an alert that did not get through is tried again; known only in memory.
#[derive(Debug, Default)]
pub(super) struct Again {
    at: Option<Instant>,
    tries: u32,
}

impl Deliver {
    /// Tells whoever was not told yet. Answers how many were.
    pub(super) async fn alert(&mut self, desk: Desk<'_>) -> Result<usize, StoreError> {
        if self.again.at.is_some_and(|at| monotonic_now() < at) {
            return Ok(0);
        }
        let (db, name) = (&desk.engine.db, desk.site.name());
        let switches = Switches::read(db, name).await?;
        let Some(trip) = switches.breaker().filter(|row| row.on) else { return Ok(0) };
        let mut told = told(desk, trip).await?;
        let left: Vec<Destination> =
            answerable(&desk.site.agreement).into_iter().filter(|to| !told.to.contains(&called(to))).collect();
        if left.is_empty() {
            return Ok(0);
        }
        let said = words(desk, trip).await?;
        let (mut count, mut down) = (0, false);
        for to in left {
            match desk.engine.notifiers.post(&to, &said).await {
                Err(NotifyError::Later { message, .. }) => {
                    tracing::warn!("the breaker's alert did not reach {} and is tried again: {message}", called(&to));
                    down = true;
                    continue;
                }
                Err(error) => tracing::error!("the breaker's alert cannot reach {}: {error}", called(&to)),
                Ok(_) => count += 1,
            }
            told.to.push(called(&to));
            keep(desk, &told).await?;
        }
        self.again = match down {
            true => Again { at: Some(monotonic_now() + backoff(self.again.tries)), tries: self.again.tries + 1 },
            false => Again::default(),
        };
        Ok(count)
    }
}

async fn told(desk: Desk<'_>, trip: &SwitchRow) -> Result<Told, StoreError> {
    let kept = cursor::get(&desk.engine.db, desk.site.name(), CURSOR).await?;
    let kept = kept.and_then(|text| serde_json::from_str::<Told>(&text).ok());
    let trip = trip.at.as_millis();
    Ok(kept.filter(|told| told.trip == trip).unwrap_or(Told { trip, to: Vec::new() }))
}

async fn keep(desk: Desk<'_>, told: &Told) -> Result<(), StoreError> {
    let text = serde_json::to_string(told).map_err(|e| StoreError::Refused(e.to_string()))?;
    let mut tx = desk.begin().await?;
    cursor::set(&mut tx, desk.site.name(), CURSOR, &text).await?;
    tx.commit().await
}

async fn words(desk: Desk<'_>, trip: &SwitchRow) -> Result<Rendered, StoreError> {
    let name = desk.site.name();
    let held = outbox::count_held(&desk.engine.db, name).await?;
    let since = trip.at.in_zone(&desk.site.agreement.zone());
    let subject = format!("Recycling stopped in {name}: {held} leads are held");
    let paragraphs = vec![
        format!(
            "So nothing goes back: {held} leads are held since {since}, and so is every later one, until \
             somebody decides. Clocks go on, and whoever answers a held lead keeps it."
        ),
        format!(
            "`leadpact release {name} --list` shows them by party and owner; `leadpact release {name}` lets them \
             go, with --discard it gives them up."
        ),
    ];
    let key = format!("{name}/breaker/{}", trip.at.as_millis());
    Ok(Paper::plain(subject, format!("{}.", trip.why), paragraphs).rendered(&key))
}
