//! Arming a connection whose configuration names no mode, and disarming it: what would move first,
//! then the switch. It works beside a running daemon and while it is stopped.

use super::overdue::overdue;
use super::switches::{Switches, Told, turn};
use crate::agreement::Agreement;
use crate::crm::connection::Mode;
use crate::record::{ConnectionName, EffectKey, Elapsed, Timestamp};
use crate::store::clock::{ClockRow, ClockState, Filter, Shown, list, open_soonest};
use crate::store::outbox::{self, WaitingMove};
use crate::store::switch::{Switch, SwitchRow};
use crate::store::{Db, Priority, StoreError};

/// How many of the next deadlines are shown.
const NEXT: usize = 5;

/// What arming would mean at a moment.
#[derive(Clone, Debug, Default)]
pub struct Outlook {
    pub is_armed: bool,
    /// Moves that were missed while it observed and are still due.
    pub missed: Vec<WaitingMove>,
    /// Clocks that are breached and still open.
    pub breached: Vec<ClockRow>,
    /// The next deadlines.
    pub next: Vec<ClockRow>,
}

/// A mode of the file goes before arming: its word.
pub fn fixed(mode: Option<Mode>) -> Option<&'static str> {
    match mode {
        None => None,
        Some(Mode::Observe) => Some("observe"),
        Some(Mode::Enforce) => Some("enforce"),
    }
}

/// What would move.
///
/// # Errors
/// When the database is unavailable or holds what cannot be read.
pub async fn outlook(
    db: &Db,
    agreement: &Agreement,
    name: &ConnectionName,
    at: Timestamp,
) -> Result<Outlook, StoreError> {
    let mut outlook = Outlook {
        is_armed: Switches::read(db, name).await?.is_armed(),
        missed: overdue(db, agreement, name, at).await?,
        ..Outlook::default()
    };
    outlook.look(db, name, at).await?;
    Ok(outlook)
}

/// What a page shows of it at once: neither breached clocks nor what was missed, of which there may be many.
#[derive(Clone, Debug, Default)]
pub struct Glance {
    pub is_armed: bool,
    /// The next deadlines.
    pub next: Vec<ClockRow>,
}

/// How it stands, without looking at what there may be many of.
///
/// # Errors
/// When the database is unavailable or holds what cannot be read.
pub async fn glance(db: &Db, name: &ConnectionName, at: Timestamp) -> Result<Glance, StoreError> {
    let mut next = Vec::new();
    for state in [ClockState::Open, ClockState::Paused] {
        let (state, from) = (Some(Shown::In(state)), Some(at + Elapsed::from_millis(1)));
        let filter = Filter { state, from, ..Filter::default() };
        next.extend(list(db, std::slice::from_ref(name), &filter, None, NEXT as u32).await?);
    }
    next.retain(|row: &ClockRow| row.deadline.is_some());
    next.sort_by_key(|row| row.deadline);
    next.truncate(NEXT);
    Ok(Glance { is_armed: Switches::read(db, name).await?.is_armed(), next })
}

impl Outlook {
    /// Open runs by their deadlines, up to the next few.
    async fn look(&mut self, db: &Db, name: &ConnectionName, at: Timestamp) -> Result<(), StoreError> {
        const PAGE: u32 = 500;
        let mut after = None;
        loop {
            let page = open_soonest(db, Some(name), after.as_ref(), PAGE).await?;
            after = page.last().map(ClockRow::place);
            for row in page {
                match row.deadline {
                    _ if row.state == ClockState::Breached => self.breached.push(row),
                    Some(deadline) if deadline > at && self.next.len() < NEXT => self.next.push(row),
                    Some(deadline) if deadline > at => return Ok(()),
                    _ => {}
                }
            }
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

/// What somebody decides.
#[derive(Clone, Debug)]
pub struct Arming<'a> {
    pub on: bool,
    pub by: String,
    pub why: String,
    /// Missed moves to be made after all.
    pub overdue: &'a [EffectKey],
}

/// Sets the switch, and has missed moves made through breaker and pace. Answers how many.
///
/// # Errors
/// When the database is unavailable.
pub async fn set(db: &Db, chain: &Told, arming: Arming<'_>, at: Timestamp) -> Result<usize, StoreError> {
    let Arming { on, by, why, overdue } = arming;
    let connection = Some(chain.0.clone());
    let row = SwitchRow { connection, switch: Switch::Armed, on, until: None, by, why, at };
    let mut tx = db.begin(Priority::Work).await?;
    let reissued = usize::try_from(outbox::reissue(&mut tx, &chain.0, overdue, at).await?).unwrap_or(usize::MAX);
    let to = match (on, reissued) {
        (false, _) => "off".to_owned(),
        (true, 0) => "on".to_owned(),
        (true, 1) => "on, with 1 move overdue".to_owned(),
        (true, n) => format!("on, with {n} moves overdue"),
    };
    turn(&mut tx, &row, std::slice::from_ref(chain), &to).await?;
    tx.commit().await?;
    Ok(reissued)
}
