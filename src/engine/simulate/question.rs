//! What is asked of a simulation, in the terms in which people ask: which connection, which two
//! agreements, which days. How it is replayed is in the folder's `mod.rs`.

use super::{SimulateError, Simulation, simulate};
use crate::agreement::Agreement;
use crate::engine::clock::real_now;
use crate::record::{ConnectionName, Elapsed, Timestamp};
use crate::report::difference::{Difference, Window};
use crate::store::{Db, StoreError, history};
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// One of the two agreements, in words.
#[derive(Clone, Debug)]
pub struct Terms {
    pub title: String,
    pub version: String,
    pub hash: String,
    /// Where it comes from.
    pub origin: String,
}

impl Terms {
    fn of(agreement: &Agreement, origin: &str) -> Self {
        let Agreement { title, version, hash, .. } = agreement;
        Self { title: title.clone(), version: version.clone(), hash: hash.to_string(), origin: origin.to_owned() }
    }
}

/// What is asked.
pub struct Question {
    pub connection: ConnectionName,
    /// Each with where it comes from.
    pub old: (Agreement, String),
    pub new: (Agreement, String),
    /// What happened on these days counts, both included, in the zone of the new agreement.
    pub from: Option<Date>,
    pub to: Option<Date>,
    /// At most so many leads are named a line.
    pub keep: usize,
    pub threads: usize,
}

/// The answer with what was asked.
pub struct Answer {
    pub connection: ConnectionName,
    pub old: Terms,
    pub new: Terms,
    pub from: Option<Date>,
    pub to: Option<Date>,
    pub zone: TimeZone,
    pub difference: Difference,
}

/// The days are no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the first day comes after the last, or lies in the future")]
pub struct BadDays;

impl Question {
    /// The window that is counted, and the end of all replays.
    ///
    /// # Errors
    /// Days that are no period; an unavailable database.
    pub async fn window(&self, db: &Db) -> Result<Result<(Window, Timestamp), BadDays>, StoreError> {
        // A history that was written in the time of a demo may be ahead of the clock on the wall.
        let latest = history::latest(db, &self.connection).await?;
        let until = latest.map_or_else(real_now, |latest| real_now().max(latest + Elapsed::from_millis(1)));
        Ok(self.days(until).map(|window| (window, until)))
    }

    fn days(&self, until: Timestamp) -> Result<Window, BadDays> {
        let zone = self.new.0.zone();
        let midnight = |day: Date| -> Result<Timestamp, BadDays> {
            let day = day.to_zoned(zone.clone()).map_err(|_| BadDays)?;
            Ok(Timestamp::from_jiff(day.timestamp()))
        };
        let from = self.from.map(midnight).transpose()?;
        let to = self.to.map(|day| midnight(day.tomorrow().map_err(|_| BadDays)?)).transpose()?;
        let window = Window { from: from.unwrap_or(Timestamp::MIN), until: to.unwrap_or(until) };
        if window.from < window.until { Ok(window) } else { Err(BadDays) }
    }

    /// Replays everything within what [`Question::window`] said.
    ///
    /// # Errors
    /// As [`simulate`].
    pub async fn answer(
        self,
        db: &Db,
        (window, until): (Window, Timestamp),
        progress: impl Fn(u64),
    ) -> Result<Answer, SimulateError> {
        let Self { connection, old, new, from, to, keep, threads } = self;
        let zone = new.0.zone();
        let terms = (Terms::of(&old.0, &old.1), Terms::of(&new.0, &new.1));
        let asked = Simulation { connection: connection.clone(), old: old.0, new: new.0, window, until, keep, threads };
        let difference = simulate(db, asked, progress).await?;
        Ok(Answer { connection, old: terms.0, new: terms.1, from, to, zone, difference })
    }
}
