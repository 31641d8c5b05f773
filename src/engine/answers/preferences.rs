//! What people prefer, and what follows from it for a notice: by which channel it goes, whether it
//! waits to be gathered with others or for the end of quiet hours, and what is never put off. Whoever
//! changes it, by the command or a link, leaves a line in the journal.

use crate::agreement::calendar::Calendar;
use crate::engine::switches::{Setting, Told, tell};
use crate::notify::Destination;
use crate::record::effect::Notice;
use crate::record::{Effect, Elapsed, Timestamp};
use crate::store::preference::{self, Channel, Gathering, Preference, Quiet};
use crate::store::{Db, Priority, StoreError};
use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};

/// In which time a person lives, as far as the agreement says.
#[derive(Clone, Copy)]
pub struct Hours<'a> {
    pub zone: &'a TimeZone,
    pub calendar: Option<&'a Calendar>,
}

/// Keeps what somebody prefers from now on and journals it; where it is what they preferred before,
/// nothing is journalled. `called`: whose it is, `by`: who says so, both for people who read the journal.
///
/// # Errors
/// When the database is unavailable.
pub async fn set(
    db: &Db,
    chain: &Told,
    row: &Preference,
    (called, by): (&str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = preference::load_all(db, &chain.0).await?.into_iter().find(|p| p.owner == row.owner);
    let said = |p: &Preference| (p.channel, p.gathering, p.quiet);
    let same = before.as_ref().is_some_and(|before| said(before) == said(row));
    let mut tx = db.begin(Priority::Work).await?;
    preference::set(&mut tx, &chain.0, row).await?;
    if !same {
        let to = format!("{called} is told {}", in_words(row));
        tell(&mut tx, chain, &Setting { name: "preference", to: &to, by, why: "" }, now).await?;
    }
    tx.commit().await
}

/// `in Slack, gathered every full hour, quiet from 22:00 to 07:00`
pub fn in_words(row: &Preference) -> String {
    let channel = match row.channel {
        Channel::Slack => "in Slack",
        Channel::Email => "by e-mail",
        Channel::Both => "in Slack and by e-mail",
    };
    let gathering = match row.gathering {
        Gathering::Single => "each notice by itself",
        Gathering::Hourly => "gathered every full hour",
        Gathering::Daily => "gathered when the day opens",
    };
    let clock = |m: u16| format!("{:02}:{:02}", m / 60, m % 60);
    let quiet = row.quiet.map(|q| format!(", quiet from {} to {}", clock(q.from), clock(q.until)));
    format!("{channel}, {gathering}{}", quiet.unwrap_or_default())
}

/// Where a notice for this person goes, and where a second one.
pub fn route(preference: &Preference, to: Destination) -> (Destination, Option<Destination>) {
    let Destination::SlackMember { email } = &to else { return (to, None) };
    let mail = Destination::Email { address: email.clone(), name: None };
    match preference.channel {
        Channel::Slack => (to, None),
        Channel::Email => (mail, None),
        Channel::Both => (to, Some(mail)),
    }
}

/// Until when a notice to this person waits; `None`: it goes now. What tells of a missed deadline is
/// never put off, nor what goes to somebody as a manager. A reminder waits only where what it waits for
/// comes before its deadline: quiet hours and digests must not make anybody miss what they were to be
/// reminded of.
pub fn wait(
    preference: &Preference,
    effect: &Effect,
    notice: Notice,
    now: Timestamp,
    hours: Hours<'_>,
) -> Option<Timestamp> {
    let may_wait =
        matches!(notice, Notice::Reminder | Notice::Recycled | Notice::Reassigned | Notice::Nurtured | Notice::Undone);
    if !may_wait {
        return None;
    }
    let in_time = |at: &Timestamp| notice != Notice::Reminder || effect.deadline.is_none_or(|deadline| *at < deadline);
    let base = effect.at.max(effect.not_before);
    let digest = gathered_at(preference.gathering, base, hours).filter(in_time);
    let begin = digest.unwrap_or(now).max(now);
    let quiet = preference.quiet.and_then(|quiet| end_of(quiet, begin, hours.zone)).filter(in_time);
    quiet.or(digest).filter(|at| *at > now)
}

/// When notices that fell due at `base` are gathered.
fn gathered_at(gathering: Gathering, base: Timestamp, hours: Hours<'_>) -> Option<Timestamp> {
    let local = base.to_jiff().to_zoned(hours.zone.clone());
    match gathering {
        Gathering::Single => None,
        Gathering::Hourly => Some(full_hour(base, hours.zone)),
        Gathering::Daily => {
            let today = local.date();
            let opening = |day: jiff::civil::Date| {
                let midnight = day.to_zoned(hours.zone.clone()).ok()?;
                let begins = Timestamp::from_jiff(midnight.timestamp());
                match hours.calendar {
                    Some(calendar) => Some(calendar.next_open(begins)),
                    None => {
                        Some(Timestamp::from_jiff(day.to_datetime(NINE).to_zoned(hours.zone.clone()).ok()?.timestamp()))
                    }
                }
            };
            let first = opening(today)?;
            if first >= base { Some(first) } else { opening(today.tomorrow().ok()?) }
        }
    }
}

/// The day's opening where no calendar says it.
const NINE: Time = Time::constant(9, 0, 0, 0);

/// The full hour on the clock on the wall, from this moment on. One that is repeated is another hour.
fn full_hour(at: Timestamp, zone: &TimeZone) -> Timestamp {
    const HOUR: i64 = 3_600_000;
    let offset = i64::from(zone.to_offset(at.to_jiff()).seconds()) * 1_000;
    let since = (at.as_millis() + offset).rem_euclid(HOUR);
    if since == 0 { at } else { at + Elapsed::from_millis(HOUR - since) }
}

/// When the quiet hours end in which this moment lies, on the clock on the wall.
fn end_of(quiet: Quiet, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let local = at.to_jiff().to_zoned(zone.clone());
    let minute = local.hour() as u16 * 60 + local.minute() as u16;
    if !quiet.holds(minute) {
        return None;
    }
    let ends = Time::new((quiet.until / 60) as i8, (quiet.until % 60) as i8, 0, 0).ok()?;
    let (today, tomorrow) = (local.date(), local.date().tomorrow().ok()?);
    let moments = [today, tomorrow].into_iter().flat_map(|day| shown(day.to_datetime(ends), zone));
    let end = moments.flatten().find(|moment| *moment > at.to_jiff())?;
    Some(Timestamp::from_jiff(end))
}

/// When the clock on the wall shows this time: twice where the hour is repeated; where it is skipped, the
/// moment of the skip, at which the clock is past it.
fn shown(time: DateTime, zone: &TimeZone) -> [Option<jiff::Timestamp>; 2] {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    let is_gap = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
    let (earlier, later) = (ambiguous.earlier().ok(), ambiguous.later().ok());
    if is_gap {
        return [earlier.and_then(|e| zone.following(e).next()).map(|skip| skip.timestamp()), None];
    }
    [earlier, later]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Action, EffectKey, Elapsed, Object, OwnerId, Recipient, RecordId, RecordKey};
    use std::sync::Arc;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("2027-01-05T{text}:00Z")).unwrap()
    }

    fn reminder(notice: Notice, due: Timestamp) -> Effect {
        Effect {
            key: EffectKey::new("k"),
            record: RecordKey { connection: "acme".into(), object: Object::Lead, id: RecordId::new("1") },
            action: Action::Notify { to: Recipient::Owner, notice },
            source: Arc::from("Call"),
            pass: 1,
            run: 1,
            step: Arc::from("50%"),
            at: at("22:10"),
            not_before: at("22:10"),
            deadline: Some(due),
        }
    }

    fn waits(gathering: Gathering, quiet: Option<Quiet>, notice: Notice, due: Timestamp) -> Option<Timestamp> {
        let preference = Preference {
            owner: OwnerId::new("80"),
            channel: Channel::Slack,
            gathering,
            quiet,
            by: String::new(),
            at: at("00:00"),
        };
        let hours = Hours { zone: &TimeZone::UTC, calendar: None };
        wait(&preference, &reminder(notice, due), notice, at("22:10"), hours)
    }

    #[test]
    fn a_reminder_waits_for_the_end_of_quiet_hours_only_where_that_is_before_its_deadline() {
        let quiet = Quiet::new(22 * 60, 7 * 60);
        let morning = at("07:00") + Elapsed::from_secs(86_400);
        let single = |notice, due| waits(Gathering::Single, quiet, notice, due);
        assert_eq!(single(Notice::Reminder, morning + Elapsed::from_secs(60)), Some(morning));
        assert_eq!(single(Notice::Reminder, morning), None);
        assert_eq!(single(Notice::Breach, morning + Elapsed::from_secs(60)), None);
        assert_eq!(single(Notice::Violation, morning + Elapsed::from_secs(60)), None);
        assert_eq!(single(Notice::Recycled, at("22:30")), Some(morning));
    }

    #[test]
    fn a_digest_is_sent_at_the_full_hour_or_the_days_opening_and_never_after_the_deadline() {
        let later = at("09:30") + Elapsed::from_secs(86_400);
        assert_eq!(waits(Gathering::Hourly, None, Notice::Reminder, later), Some(at("23:00")));
        assert_eq!(waits(Gathering::Hourly, None, Notice::Reminder, at("23:00")), None);
        let nine = at("09:00") + Elapsed::from_secs(86_400);
        assert_eq!(waits(Gathering::Daily, None, Notice::Reminder, later), Some(nine));
        assert_eq!(waits(Gathering::Daily, None, Notice::Reminder, nine), None);
    }

    /// When quiet hours end in which a moment lies, each as somebody there says it.
    fn quiet_until(zone: &str, (from, until): (u16, u16), at: &str) -> Option<String> {
        let zone = TimeZone::get(zone).unwrap();
        let at: jiff::Timestamp = at.parse().unwrap();
        let end = end_of(Quiet::new(from, until).unwrap(), Timestamp::from_jiff(at), &zone)?;
        Some(end.to_jiff().to_zoned(zone).strftime("%d %H:%M %:z").to_string())
    }

    const NIGHT: (u16, u16) = (22 * 60, 7 * 60);
    /// Ends within the hour that Berlin skips and repeats.
    const TILL_HALF_PAST_TWO: (u16, u16) = (22 * 60, 2 * 60 + 30);

    #[test]
    fn quiet_hours_end_by_the_clock_on_the_wall_where_an_hour_is_skipped() {
        let end = |quiet, at| quiet_until("Europe/Berlin", quiet, at);
        let (evening, night) = ("2026-03-28T23:00:00+01:00", "2026-03-29T01:59:00+01:00");
        for at in [evening, night, "2026-03-29T03:00:00+02:00"] {
            assert_eq!(end(NIGHT, at).as_deref(), Some("29 07:00 +02:00"), "{at}");
        }
        for at in [evening, night] {
            assert_eq!(end(TILL_HALF_PAST_TWO, at).as_deref(), Some("29 03:00 +02:00"), "{at}");
        }
        assert_eq!(end(TILL_HALF_PAST_TWO, "2026-03-29T03:00:00+02:00"), None);
        assert_eq!(end(NIGHT, "2026-03-29T07:00:00+02:00"), None);
        // Beirut skips the first hour of the day.
        assert_eq!(
            quiet_until("Asia/Beirut", (22 * 60, 0), "2026-03-28T23:00:00+02:00").as_deref(),
            Some("29 01:00 +03:00")
        );
    }

    #[test]
    fn quiet_hours_end_by_the_clock_on_the_wall_where_an_hour_is_repeated() {
        let end = |quiet, at| quiet_until("Europe/Berlin", quiet, at);
        let (evening, first, second) =
            ("2026-10-24T23:00:00+02:00", "2026-10-25T02:15:00+02:00", "2026-10-25T02:15:00+01:00");
        for at in [evening, first, second, "2026-10-25T06:59:00+01:00"] {
            assert_eq!(end(NIGHT, at).as_deref(), Some("25 07:00 +01:00"), "{at}");
        }
        for at in [evening, first] {
            assert_eq!(end(TILL_HALF_PAST_TWO, at).as_deref(), Some("25 02:30 +02:00"), "{at}");
        }
        assert_eq!(end(TILL_HALF_PAST_TWO, second).as_deref(), Some("25 02:30 +01:00"));
        assert_eq!(end(TILL_HALF_PAST_TWO, "2026-10-25T02:30:00+01:00"), None);
    }

    #[test]
    fn quiet_hours_are_as_long_as_ever_where_no_clock_is_changed() {
        for day in ["2026-03-28", "2026-10-24"] {
            let next = day[8..].parse::<u8>().unwrap() + 1;
            let end = |quiet| quiet_until("Asia/Kolkata", quiet, &format!("{day}T23:00:00+05:30"));
            assert_eq!(end(NIGHT), Some(format!("{next} 07:00 +05:30")));
            assert_eq!(end(TILL_HALF_PAST_TWO), Some(format!("{next} 02:30 +05:30")));
        }
    }

    #[test]
    fn an_hourly_digest_waits_an_hour_at_most_on_the_day_of_a_change_too() {
        for (zone, at, expected) in [
            ("Europe/Berlin", "2026-10-25T02:10:00+02:00", "2026-10-25T02:00:00+01:00"),
            ("Europe/Berlin", "2026-10-25T02:10:00+01:00", "2026-10-25T03:00:00+01:00"),
            ("Europe/Berlin", "2026-03-29T01:10:00+01:00", "2026-03-29T03:00:00+02:00"),
            ("Europe/Berlin", "2026-03-29T03:00:00+02:00", "2026-03-29T03:00:00+02:00"),
            ("Asia/Kolkata", "2026-10-25T02:10:00+05:30", "2026-10-25T03:00:00+05:30"),
        ] {
            let moment = |text: &str| Timestamp::from_jiff(text.parse().unwrap());
            let hours = Hours { zone: &TimeZone::get(zone).unwrap(), calendar: None };
            assert_eq!(gathered_at(Gathering::Hourly, moment(at), hours), Some(moment(expected)), "{zone} {at}");
        }
    }

    #[test]
    fn a_daily_digest_comes_at_nine_by_the_clock_on_the_wall_on_the_day_of_a_change_too() {
        for (at, expected) in [
            ("2026-03-28T22:00:00+01:00", "2026-03-29T09:00:00+02:00"),
            ("2026-10-24T22:00:00+02:00", "2026-10-25T09:00:00+01:00"),
        ] {
            let moment = |text: &str| Timestamp::from_jiff(text.parse().unwrap());
            let hours = Hours { zone: &TimeZone::get("Europe/Berlin").unwrap(), calendar: None };
            assert_eq!(gathered_at(Gathering::Daily, moment(at), hours), Some(moment(expected)));
        }
    }
}
