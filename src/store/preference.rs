//! How people want to be told: by which channel, one by one or gathered, and when not. What follows
//! from it for a notice is not decided here.

use super::{Db, Result, StoreError, Tx, clean, count};
use crate::record::{ConnectionName, OwnerId, Timestamp};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channel {
    #[default]
    Slack,
    Email,
    Both,
}

impl Channel {
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Slack => "slack",
            Channel::Email => "email",
            Channel::Both => "both",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Channel::Slack, Channel::Email, Channel::Both].into_iter().find(|c| c.as_str() == text)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gathering {
    /// Each by itself.
    #[default]
    Single,
    /// At every full hour.
    Hourly,
    /// At the day's opening.
    Daily,
}

impl Gathering {
    pub fn as_str(self) -> &'static str {
        match self {
            Gathering::Single => "single",
            Gathering::Hourly => "hourly",
            Gathering::Daily => "daily",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Gathering::Single, Gathering::Hourly, Gathering::Daily].into_iter().find(|g| g.as_str() == text)
    }
}

/// From one minute of the day to another, the last not included; over midnight where it ends earlier
/// than it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    pub from: u16,
    pub until: u16,
}

impl Quiet {
    /// `None` where these are no minutes of a day, or none lies between them.
    pub fn new(from: u16, until: u16) -> Option<Self> {
        (from < 1440 && until < 1440 && from != until).then_some(Self { from, until })
    }

    pub fn holds(self, minute: u16) -> bool {
        if self.from < self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preference {
    pub owner: OwnerId,
    pub channel: Channel,
    pub gathering: Gathering,
    pub quiet: Option<Quiet>,
    pub by: String,
    pub at: Timestamp,
}

/// Sets what a person prefers, in place of what was said before.
///
/// # Errors
/// `Unavailable`.
pub async fn set(tx: &mut Tx, connection: &ConnectionName, row: &Preference) -> Result<()> {
    const SQL: &str = "INSERT INTO preference (connection, owner, channel, gathering, quiet_from, quiet_until, \
         set_by, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (connection, owner) DO UPDATE SET \
         channel = excluded.channel, gathering = excluded.gathering, quiet_from = excluded.quiet_from, \
         quiet_until = excluded.quiet_until, set_by = excluded.set_by, at = excluded.at";
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(connection.as_str())
            .bind(row.owner.as_str())
            .bind(row.channel.as_str())
            .bind(row.gathering.as_str())
            .bind(row.quiet.map(|quiet| i64::from(quiet.from)))
            .bind(row.quiet.map(|quiet| i64::from(quiet.until)))
            .bind(clean(&row.by))
            .bind(row.at.as_millis())
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

type Row = (String, String, String, Option<i64>, Option<i64>, String, i64);

/// All that people of a connection said, by owner.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn load_all(db: &Db, connection: &ConnectionName) -> Result<Vec<Preference>> {
    const SQL: &str = "SELECT owner, channel, gathering, quiet_from, quiet_until, set_by, at FROM preference \
         WHERE connection = $1 ORDER BY owner";
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_all(c).await)?;
    rows.into_iter().map(read).collect()
}

fn read((owner, channel, gathering, from, until, by, at): Row) -> Result<Preference> {
    let corrupt = |text: &str| StoreError::Corrupt(format!("`{text}` is no preference"));
    let quiet = match (from, until) {
        (Some(from), Some(until)) => Quiet::new(count(from)?, count(until)?),
        _ => None,
    };
    Ok(Preference {
        owner: OwnerId::new(owner),
        channel: Channel::parse(&channel).ok_or_else(|| corrupt(&channel))?,
        gathering: Gathering::parse(&gathering).ok_or_else(|| corrupt(&gathering))?,
        quiet,
        by,
        at: Timestamp::from_millis(at),
    })
}

/// `22:30` as a minute of the day.
pub fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let (h, m) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
    (digits(hours) && digits(minutes) && h < 24 && m < 60).then_some(h * 60 + m)
}
