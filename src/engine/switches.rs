//! Whether a connection may act now: its mode, whether it is armed, whether it is paused. Whoever
//! switches something leaves a line in the journal, in the same transaction.

use super::context::Site;
use super::held::note;
use crate::crm::connection::Mode;
use crate::record::{Actor, ConnectionName, Fact, FactKind, Timestamp};
use crate::store::journal::JournalEntry;
use crate::store::switch::{self, Switch, SwitchRow};
use crate::store::{Db, Priority, StoreError, Tx, journal};
use std::sync::Arc;

/// Whether CRM writes are made; else they settle as *would have*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acts {
    /// It observes: by its mode, or since the agreement is not signed.
    Never,
    /// The configuration names no mode: once somebody has armed it.
    WhenArmed,
    Always,
}

impl Acts {
    /// A mode in the file goes before arming; nothing acts on an unsigned agreement.
    pub fn of(mode: Option<Mode>, signed: bool) -> Self {
        match mode {
            _ if !signed => Acts::Never,
            Some(Mode::Observe) => Acts::Never,
            Some(Mode::Enforce) => Acts::Always,
            None => Acts::WhenArmed,
        }
    }
}

/// A connection's switches at one moment, with those that hold everywhere.
#[derive(Clone, Debug, Default)]
pub struct Switches(Vec<SwitchRow>);

impl Switches {
    /// # Errors
    /// When the database is unavailable.
    pub async fn read(db: &Db, connection: &ConnectionName) -> Result<Self, StoreError> {
        switch::load(db, connection).await.map(Self)
    }

    fn own(&self, switch: Switch) -> Option<&SwitchRow> {
        self.0.iter().find(|row| row.switch == switch && row.connection.is_some())
    }

    pub fn is_armed(&self) -> bool {
        self.own(Switch::Armed).is_some_and(|row| row.on)
    }

    /// Whether the connection writes to its CRM, but for pauses.
    pub fn acts(&self, site: &Site) -> bool {
        match site.acts {
            Acts::Never => false,
            Acts::WhenArmed => self.is_armed(),
            Acts::Always => true,
        }
    }

    /// What pauses the connection at `now`: the kill switch before its own pause.
    pub fn pause(&self, now: Timestamp) -> Option<&SwitchRow> {
        let paused = |row: &&SwitchRow| row.switch == Switch::Paused && row.on && row.until.is_none_or(|t| now < t);
        self.0.iter().filter(paused).min_by_key(|row| row.connection.is_some())
    }

    /// How the breaker was last set; `None`: it never held.
    pub fn breaker(&self) -> Option<&SwitchRow> {
        self.own(Switch::Breaker)
    }

    /// Since when the CRM refuses our credentials, and what it says.
    pub fn signed_out(&self) -> Option<&SwitchRow> {
        self.own(Switch::SignedOut).filter(|row| row.on)
    }

    /// Since when the CRM's clock and ours are too far apart, and how far.
    pub fn clocks_apart(&self) -> Option<&SwitchRow> {
        self.own(Switch::ClocksApart).filter(|row| row.on)
    }
}

/// A chain that is told of a setting: its connection, and the hash of the agreement in force there.
pub type Told = (ConnectionName, String);

/// Sets a switch and journals it in every chain that it concerns.
///
/// # Errors
/// When the database is unavailable.
pub async fn turn(tx: &mut Tx, row: &SwitchRow, told: &[Told], to: &str) -> Result<(), StoreError> {
    switch::set(tx, row).await?;
    let setting = Setting { name: row.switch.as_str(), to, by: &row.by, why: &row.why };
    for chain in told {
        tell(tx, chain, &setting, row.at).await?;
    }
    Ok(())
}

/// A pause as somebody sets it, or its end.
#[derive(Clone, Debug)]
pub struct Pausing {
    /// `None`: of every connection, the kill switch.
    pub connection: Option<ConnectionName>,
    pub on: bool,
    pub until: Option<Timestamp>,
    pub by: String,
    pub why: String,
}

/// Sets a pause or ends it, and journals it in every chain that it concerns; `to` says what was set.
///
/// # Errors
/// When the database is unavailable.
pub async fn pause(db: &Db, pausing: Pausing, told: &[Told], to: &str, at: Timestamp) -> Result<(), StoreError> {
    let Pausing { connection, on, until, by, why } = pausing;
    let row = SwitchRow { connection, switch: Switch::Paused, on, until, by, why, at };
    let mut tx = db.begin(Priority::Work).await?;
    turn(&mut tx, &row, told, to).await?;
    tx.commit().await
}

/// What somebody set, in words.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    pub name: &'a str,
    pub to: &'a str,
    pub by: &'a str,
    pub why: &'a str,
}

/// Journals a setting that concerns no record.
///
/// # Errors
/// When the database is unavailable.
pub async fn tell(tx: &mut Tx, chain: &Told, setting: &Setting<'_>, at: Timestamp) -> Result<(), StoreError> {
    let (connection, agreement) = chain;
    let entry = JournalEntry { record: None, fact: fact(setting, at), seen_at: at, agreement: agreement.clone() };
    journal::append(tx, connection, &[entry]).await
}

fn fact(setting: &Setting<'_>, at: Timestamp) -> Fact {
    let detail = note([("to", setting.to), ("by", setting.by), ("why", setting.why)]);
    Fact {
        kind: FactKind::Setting,
        at,
        pass: 0,
        source: Arc::from(""),
        run: 0,
        item: Arc::from(setting.name),
        party: None,
        owner: None,
        stage: None,
        by: Actor::Unknown,
        detail,
    }
}
