//! Moments and lengths of elapsed time, in milliseconds. Reading the clock is not done here
//! (`engine/clock.rs`), and business time is not either (`agreement/calendar`).

use jiff::{SignedDuration, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};

/// A moment: milliseconds since 1970-01-01 00:00 UTC, as the database keeps it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A length of elapsed time in milliseconds; may be negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Elapsed(i64);

impl Timestamp {
    /// The far future: "never".
    pub const MAX: Timestamp = Timestamp(i64::MAX / 4);
    /// The far past: "at some time before all we know".
    pub const MIN: Timestamp = Timestamp(i64::MIN / 4);

    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The same moment for jiff; moments beyond its range are brought to its edge.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }

    pub fn from_jiff(t: jiff::Timestamp) -> Self {
        Self(t.as_millisecond())
    }

    /// Wall-clock text in a zone, to the minute: `2027-01-05 09:00 EST`.
    pub fn in_zone(self, zone: &TimeZone) -> String {
        self.to_jiff().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
    }

    /// Reads RFC 3339, Salesforce's `2026-01-05T09:00:00.000+0000`, or milliseconds since 1970.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(t) = text.parse::<jiff::Timestamp>() {
            return Some(Self::from_jiff(t));
        }
        if let Ok(t) = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text).and_then(|t| t.to_timestamp()) {
            return Some(Self::from_jiff(t));
        }
        text.parse::<i64>().ok().map(Self)
    }
}

impl Elapsed {
    pub const ZERO: Elapsed = Elapsed(0);

    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    pub const fn from_secs(s: i64) -> Self {
        Self(s * 1000)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// For sleeping and time-outs; a negative length is none.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.max(0) as u64)
    }
}

impl Add<Elapsed> for Timestamp {
    type Output = Timestamp;
    fn add(self, by: Elapsed) -> Timestamp {
        Timestamp(self.0.saturating_add(by.0))
    }
}

impl Sub<Elapsed> for Timestamp {
    type Output = Timestamp;
    fn sub(self, by: Elapsed) -> Timestamp {
        Timestamp(self.0.saturating_sub(by.0))
    }
}

impl Sub for Timestamp {
    type Output = Elapsed;
    fn sub(self, other: Timestamp) -> Elapsed {
        Elapsed(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.to_jiff())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Elapsed {
    /// The two largest units, for people: `2h 5m`, `3d`, `40s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = SignedDuration::from_millis(self.0.abs()).as_secs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let (d, h, m, s) = (total / 86_400, total / 3_600 % 24, total / 60 % 60, total % 60);
        match (d, h, m) {
            (0, 0, 0) => write!(f, "{sign}{s}s"),
            (0, 0, _) if s > 0 => write!(f, "{sign}{m}m {s}s"),
            (0, 0, _) => write!(f, "{sign}{m}m"),
            (0, _, 0) => write!(f, "{sign}{h}h"),
            (0, ..) => write!(f, "{sign}{h}h {m}m"),
            (_, 0, _) => write!(f, "{sign}{d}d"),
            _ => write!(f, "{sign}{d}d {h}h"),
        }
    }
}
