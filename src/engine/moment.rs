//! Moments as people write them, on the command line and in forms.

use crate::record::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// A moment to come: a day (its beginning), a day and time, or a length from now such as `2h` or `3d`; in
/// the zone unless it names an offset.
///
/// # Errors
/// A sentence for whoever wrote it.
pub fn to_come(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, String> {
    let found = read(text, zone, now)?;
    if found <= now { Err(format!("{} is over already", found.in_zone(zone))) } else { Ok(found) }
}

/// A moment that is over, or not; a length counts back from now.
///
/// # Errors
/// A sentence for whoever wrote it.
pub fn back(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, String> {
    match length(text, zone, now) {
        Some(until) => Ok(now - (until - now)),
        None => read(text, zone, now),
    }
}

fn read(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, String> {
    if let Some(at) = Timestamp::parse(text) {
        return Ok(at);
    }
    let civil = text.parse::<Date>().map(|day| day.at(0, 0, 0, 0)).ok().filter(|_| text.len() <= 10);
    if let Some(civil) = civil.or_else(|| text.parse::<DateTime>().ok()) {
        let zoned = civil.to_zoned(zone.clone()).map_err(|_| format!("`{text}` is no moment"))?;
        return Ok(Timestamp::from_jiff(zoned.timestamp()));
    }
    length(text, zone, now).ok_or_else(|| {
        format!(
            "`{text}` is no moment: write 2027-01-05, \"2027-01-05 09:00\", 2027-01-05T09:00:00Z or a length like 2h"
        )
    })
}

/// So much later than now: days are days of the zone.
fn length(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let span = text.parse::<jiff::Span>().ok()?;
    let later = now.to_jiff().to_zoned(zone.clone()).checked_add(span).ok()?;
    Some(Timestamp::from_jiff(later.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn moments_are_read_as_people_write_them() {
        let zone = TimeZone::get("America/New_York").unwrap();
        let now = at("2027-01-05T17:00:00Z");
        let read = |text: &str| to_come(text, &zone, now);
        assert_eq!(read("2027-01-08"), Ok(at("2027-01-08T05:00:00Z")));
        assert_eq!(read("2027-01-08 09:30"), Ok(at("2027-01-08T14:30:00Z")));
        assert_eq!(read("2027-01-08T09:30"), Ok(at("2027-01-08T14:30:00Z")));
        assert_eq!(read("2027-01-08T09:30:00Z"), Ok(at("2027-01-08T09:30:00Z")));
        assert_eq!(read("2h"), Ok(at("2027-01-05T19:00:00Z")));
        assert_eq!(read("3d"), Ok(at("2027-01-08T17:00:00Z")));
        assert!(read("2027-01-04").unwrap_err().contains("over already"));
        assert!(read("Friday").unwrap_err().contains("is no moment"));
        assert_eq!(back("90m", &zone, now), Ok(at("2027-01-05T15:30:00Z")));
        assert_eq!(back("2027-01-05 11:00", &zone, now), Ok(at("2027-01-05T16:00:00Z")));
    }
}
