//! What is switched on and off while the daemon runs: armed, paused, whether the breaker holds, whether
//! the CRM refuses us or its clock is another.
//! A row without a connection holds everywhere. What a switch means is decided elsewhere.

use super::{Db, Result, StoreError, Tx, clean, moment};
use crate::record::{ConnectionName, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Switch {
    /// Acts, where the configuration names no mode.
    Armed,
    /// Nothing leaves; everywhere it is the kill switch.
    Paused,
    /// The breaker holds recycles back. Off: it counts afresh from `at`.
    Breaker,
    /// The CRM refuses our credentials.
    SignedOut,
    /// The CRM's clock and ours are too far apart.
    ClocksApart,
}

impl Switch {
    pub fn as_str(self) -> &'static str {
        match self {
            Switch::Armed => "armed",
            Switch::Paused => "paused",
            Switch::Breaker => "breaker",
            Switch::SignedOut => "signed_out",
            Switch::ClocksApart => "clocks_apart",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        match text {
            "armed" => Ok(Switch::Armed),
            "paused" => Ok(Switch::Paused),
            "breaker" => Ok(Switch::Breaker),
            "signed_out" => Ok(Switch::SignedOut),
            "clocks_apart" => Ok(Switch::ClocksApart),
            _ => Err(StoreError::Corrupt(format!("`{text}` is no switch"))),
        }
    }
}

/// How a switch was last set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchRow {
    /// `None`: everywhere.
    pub connection: Option<ConnectionName>,
    pub switch: Switch,
    pub on: bool,
    /// On until then; `None`: until somebody switches it off.
    pub until: Option<Timestamp>,
    pub by: String,
    pub why: String,
    pub at: Timestamp,
}

const EVERYWHERE: &str = "";

fn place(connection: Option<&ConnectionName>) -> &str {
    connection.map_or(EVERYWHERE, ConnectionName::as_str)
}

/// The switches of a connection, with those that hold everywhere.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn load(db: &Db, connection: &ConnectionName) -> Result<Vec<SwitchRow>> {
    const SQL: &str = "SELECT connection, name, is_on, until, set_by, why, at FROM switch \
         WHERE connection IN ($1, '') ORDER BY connection, name";
    type Row = (String, String, bool, Option<i64>, String, String, i64);
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_all(c).await)?;
    let read = |(connection, name, on, until, by, why, at): Row| {
        Ok(SwitchRow {
            connection: Some(ConnectionName::new(connection)).filter(|c| c.as_str() != EVERYWHERE),
            switch: Switch::parse(&name)?,
            on,
            until: moment(until),
            by,
            why,
            at: Timestamp::from_millis(at),
        })
    };
    rows.into_iter().map(read).collect()
}

/// Sets a switch, whatever it was before.
///
/// # Errors
/// `Unavailable`.
pub async fn set(tx: &mut Tx, row: &SwitchRow) -> Result<()> {
    const SQL: &str = "INSERT INTO switch (connection, name, is_on, until, set_by, why, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (connection, name) DO UPDATE SET \
         is_on = excluded.is_on, until = excluded.until, set_by = excluded.set_by, why = excluded.why, \
         at = excluded.at";
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(place(row.connection.as_ref()))
            .bind(row.switch.as_str())
            .bind(row.on)
            .bind(row.until.map(Timestamp::as_millis))
            .bind(clean(&row.by))
            .bind(clean(&row.why))
            .bind(row.at.as_millis())
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

/// Whether a connection's own switch is on, the row locked until the transaction ends: nobody else
/// switches it in its midst.
///
/// # Errors
/// `Unavailable`.
pub async fn lock(tx: &mut Tx, connection: &ConnectionName, switch: Switch) -> Result<bool> {
    const SQL: &str = "UPDATE switch SET is_on = is_on WHERE connection = $1 AND name = $2 RETURNING is_on";
    let row: Option<(bool,)> = on_tx!(tx, |c| {
        sqlx::query_as(SQL).bind(connection.as_str()).bind(switch.as_str()).fetch_optional(c).await
    })?;
    Ok(row.is_some_and(|(on,)| on))
}
