//! How a CRM writes moments: RFC 3339, seconds or milliseconds since 1970, or a pattern whose wall
//! clock stands in a named zone.

use super::path::scalar;
use crate::record::{Elapsed, Timestamp};
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    Rfc3339,
    Unix,
    UnixMs,
    /// As strftime; without an offset in it, the time is one of the zone.
    Pattern(String),
}

/// A format and the zone of its wall clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    pub format: TimeFormat,
    pub zone: TimeZone,
}

impl TimeFormat {
    pub const NAMES: [&str; 3] = ["rfc3339", "unix", "unix-ms"];

    /// `None`: neither a name nor a pattern that writes a whole moment and reads it back.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "rfc3339" => Some(TimeFormat::Rfc3339),
            "unix" => Some(TimeFormat::Unix),
            "unix-ms" => Some(TimeFormat::UnixMs),
            pattern => {
                let times = Times { format: TimeFormat::Pattern(pattern.to_owned()), zone: TimeZone::UTC };
                // 2026-01-05 09:08:07: no two parts of it are alike.
                let moment = Timestamp::from_millis(1_767_604_087_000);
                let fits = pattern.contains('%') && times.read(&times.write(moment)) == Some(moment);
                fits.then_some(times.format)
            }
        }
    }
}

impl Times {
    pub fn new(format: TimeFormat, zone: TimeZone) -> Self {
        Self { format, zone }
    }

    /// The moment; `None` when it is none in this format. Of a wall time that comes twice, the first
    /// is meant; one that does not come, a moment after the gap.
    pub fn read(&self, json: &Json) -> Option<Timestamp> {
        let text = scalar(json)?;
        let text = text.trim();
        match &self.format {
            TimeFormat::Rfc3339 => text.parse::<jiff::Timestamp>().ok().map(Timestamp::from_jiff),
            TimeFormat::Unix => {
                let seconds = text.parse::<f64>().ok().filter(|s| s.is_finite() && s.abs() < 1e11)?;
                Some(Timestamp::from_millis((seconds * 1000.0).round() as i64))
            }
            TimeFormat::UnixMs => text.parse::<i64>().ok().map(Timestamp::from_millis),
            TimeFormat::Pattern(pattern) => self.read_pattern(pattern, text),
        }
    }

    fn read_pattern(&self, pattern: &str, text: &str) -> Option<Timestamp> {
        let parsed = strtime::parse(pattern, text).ok()?;
        if parsed.offset().is_some() {
            return parsed.to_timestamp().ok().map(Timestamp::from_jiff);
        }
        let wall: DateTime = parsed.to_datetime().ok()?;
        let zoned = self.zone.to_ambiguous_zoned(wall).compatible().ok()?;
        Some(Timestamp::from_jiff(zoned.timestamp()))
    }

    /// The moment as this CRM writes it; a number where it is one there.
    pub fn write(&self, at: Timestamp) -> Json {
        match &self.format {
            TimeFormat::Rfc3339 => at.to_string().into(),
            TimeFormat::Unix => at.as_millis().div_euclid(1000).into(),
            TimeFormat::UnixMs => at.as_millis().into(),
            TimeFormat::Pattern(pattern) => {
                let zoned = at.to_jiff().to_zoned(self.zone.clone());
                strtime::format(pattern, &zoned).unwrap_or_default().into()
            }
        }
    }

    /// As [`Times::write`], for a bound that nothing later may lie below: a wall clock that is set back
    /// within the next hour shows earlier times again.
    pub fn write_bound(&self, at: Timestamp) -> Json {
        let offset = |at: Timestamp| i64::from(self.zone.to_offset(at.to_jiff()).seconds());
        let set_back = offset(at) - offset(at + Elapsed::from_secs(3600));
        match &self.format {
            TimeFormat::Pattern(_) if set_back > 0 => self.write(at - Elapsed::from_secs(set_back)),
            _ => self.write(at),
        }
    }

    /// Date and time of day in the zone: `2026-01-05`, `09:00`.
    pub fn date_and_time(&self, at: Timestamp) -> (String, String) {
        let zoned = at.to_jiff().to_zoned(self.zone.clone());
        (zoned.strftime("%Y-%m-%d").to_string(), zoned.strftime("%H:%M").to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn times(format: &str, zone: &str) -> Times {
        Times::new(TimeFormat::parse(format).unwrap(), TimeZone::get(zone).unwrap())
    }

    fn read(format: &str, zone: &str, json: Json) -> Option<String> {
        times(format, zone).read(&json).map(|t| t.to_string())
    }

    #[test]
    fn every_format_reads_the_same_moment_and_writes_it_back() {
        let at = Timestamp::parse("2026-07-05T09:00:00Z").unwrap();
        for (format, zone, text) in [
            ("rfc3339", "UTC", json!("2026-07-05T09:00:00.000Z")),
            ("unix", "UTC", json!(1_783_242_000)),
            ("unix-ms", "UTC", json!(1_783_242_000_000i64)),
            ("%Y-%m-%d %H:%M:%S", "Europe/Berlin", json!("2026-07-05 11:00:00")),
            ("%Y-%m-%dT%H:%M:%S%z", "Asia/Tokyo", json!("2026-07-05T18:00:00+0900")),
        ] {
            assert_eq!(times(format, zone).write(at), text);
            assert_eq!(times(format, zone).read(&text), Some(at), "{format}");
        }
    }

    #[test]
    fn fractions_are_read_and_numbers_may_come_as_text() {
        let pattern = "%Y-%m-%d %H:%M:%S%.f";
        assert_eq!(
            read(pattern, "Asia/Kolkata", json!("2026-01-05 14:30:00.512345")).as_deref(),
            Some("2026-01-05T09:00:00.512Z")
        );
        assert_eq!(
            read(pattern, "Asia/Kolkata", json!("2026-01-05 14:30:00")).as_deref(),
            Some("2026-01-05T09:00:00.000Z")
        );
        assert_eq!(read("unix", "UTC", json!("1767603600.5")).as_deref(), Some("2026-01-05T09:00:00.500Z"));
    }

    #[test]
    fn the_hour_that_comes_twice_is_the_first_and_the_one_that_does_not_come_is_after_the_gap() {
        let berlin = |text: &str| read("%Y-%m-%d %H:%M:%S", "Europe/Berlin", json!(text));
        assert_eq!(berlin("2026-10-25 02:30:00").as_deref(), Some("2026-10-25T00:30:00.000Z"));
        assert_eq!(berlin("2026-03-29 02:30:00").as_deref(), Some("2026-03-29T01:30:00.000Z"));
    }

    #[test]
    fn a_bound_lies_below_all_that_the_wall_clock_shows_after_it() {
        let berlin = times("%Y-%m-%d %H:%M:%S", "Europe/Berlin");
        let bound = |text| berlin.write_bound(Timestamp::parse(text).unwrap());
        // 02:50 in summer time; ten minutes later the clock shows 02:00.
        assert_eq!(bound("2026-10-25T00:50:00Z"), json!("2026-10-25 01:50:00"));
        assert_eq!(bound("2026-10-25T01:10:00Z"), json!("2026-10-25 02:10:00"));
        assert_eq!(bound("2026-03-29T00:50:00Z"), json!("2026-03-29 01:50:00"));
    }

    #[test]
    fn what_is_no_moment_is_none_and_a_pattern_must_tell_a_whole_one() {
        for json in [json!(null), json!([]), json!("soon"), json!({}), json!(true), json!("")] {
            assert_eq!(times("rfc3339", "UTC").read(&json), None, "{json}");
            assert_eq!(times("unix", "UTC").read(&json), None, "{json}");
        }
        assert_eq!(times("unix", "UTC").read(&json!(1e300)), None);
        for bad in ["rfc-3339", "%Y-%m-%d", "%H:%M", "%Q", ""] {
            assert_eq!(TimeFormat::parse(bad), None, "{bad}");
        }
    }
}
