//! What is ahead of one open run: how much time is left as its clock counts it, and what happens next
//! and when. Nothing is decided here; a step that an order or a freeze holds up is still told.

use crate::agreement::calendar::Calendar;
use crate::agreement::model::{Agreement, Audience, Clock, Move, Span, Step};
use crate::agreement::span::{counted_between, is_business};
use crate::agreement::standing::{Run, StepRun, StepState};
use crate::record::{Elapsed, PartyName, Timestamp};
use jiff::tz::TimeZone;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// How much of a run's time is left.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// `2h 5m`, `1 business day 3h`, `5m late`; what stands still says so.
    pub text: String,
    /// The share of the agreed time that is used, from 0 to 1; more is 1.
    pub used: f64,
    pub is_late: bool,
}

/// What is left of a run at `now`; of a paused one what was left as time stopped.
pub fn left(agreement: &Agreement, run: &Run, now: Timestamp) -> Left {
    let at = run.paused.unwrap_or(now);
    let Some(clock) = agreement.clock_named(&run.clock) else {
        return told(on_the_wall(run.deadline - at), run, at, share(run.started, run.deadline, at));
    };
    let calendar = agreement.calendar_of(clock);
    let count = |a: Timestamp, b: Timestamp| counted_between(calendar, is_business(clock.within), a, b).as_millis();
    let (from, to) = if at <= run.deadline { (at, run.deadline) } else { (run.deadline, at) };
    let amount = match (clock.within, calendar) {
        (Span::OpenDays(_), Some(calendar)) => in_days(calendar, from, to),
        (Span::Open(_), Some(calendar)) => hours(calendar.open_between(from, to)),
        _ => on_the_wall(to - from),
    };
    let whole = match clock.within {
        Span::Elapsed(length) | Span::Open(length) => length.as_millis(),
        Span::OpenDays(_) => count(run.started, run.deadline),
    };
    let used = if whole > 0 { 1.0 - count(at, run.deadline) as f64 / whole as f64 } else { 1.0 };
    told(amount, run, at, used)
}

fn told(amount: String, run: &Run, at: Timestamp, used: f64) -> Left {
    let is_late = at > run.deadline;
    let text = match (run.paused, is_late) {
        (Some(_), _) => format!("{amount} left when it was paused"),
        (None, true) => format!("{amount} late"),
        (None, false) => amount,
    };
    Left { text, used: if is_late { 1.0 } else { used.clamp(0.0, 1.0) }, is_late }
}

fn share(started: Timestamp, deadline: Timestamp, at: Timestamp) -> f64 {
    let whole = (deadline - started).as_millis();
    if whole > 0 { (at - started).as_millis() as f64 / whole as f64 } else { 1.0 }
}

fn on_the_wall(length: Elapsed) -> String {
    Elapsed::from_millis(length.as_millis().abs()).to_string()
}

/// Open time in hours and minutes, for a day of it is no 24 hours.
fn hours(open: Elapsed) -> String {
    let ms = open.as_millis();
    match (ms / HOUR, ms % HOUR / MINUTE) {
        (0, 0) => Elapsed::from_millis(ms).to_string(),
        (0, m) => format!("{m}m"),
        (h, 0) => format!("{h}h"),
        (h, m) => format!("{h}h {m}m"),
    }
}

/// Whole business days, and the open time beyond them.
fn in_days(calendar: &Calendar, from: Timestamp, to: Timestamp) -> String {
    // Never more days than the calendar has between the two.
    let most = i32::try_from((to - from).as_millis() / (24 * HOUR) + 1).unwrap_or(i32::MAX);
    let (mut days, mut too_many) = (0, most.saturating_add(1));
    while too_many - days > 1 {
        let middle = days + (too_many - days) / 2;
        if calendar.add_open_days(from, middle) <= to { days = middle } else { too_many = middle }
    }
    let rest = hours(calendar.open_between(if days == 0 { from } else { calendar.add_open_days(from, days) }, to));
    match days {
        0 => rest,
        1 => format!("1 business day {rest}"),
        n => format!("{n} business days {rest}"),
    }
}

/// Something that is going to happen by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Next {
    pub at: Timestamp,
    /// `manager told, goes back to marketing`.
    pub what: String,
    /// It takes the record from its owner.
    pub moves: bool,
}

/// The steps of a run that have not come yet, soonest first. None of a paused run's: when is not known.
pub fn ahead(agreement: &Agreement, run: &Run) -> Vec<Next> {
    let Some(clock) = agreement.clock_named(&run.clock).filter(|_| run.paused.is_none() && !run.silent) else {
        return Vec::new();
    };
    let pending = run.steps.iter().filter(|s| s.state == StepState::Pending);
    let told = |s: &StepRun| {
        let step = clock.steps.iter().find(|step| step.name == s.name)?;
        let held = run.spared.filter(|_| step.moves.is_some()).map_or(s.at, |spared| s.at.max(spared.until));
        Some(Next { at: held, what: in_words(agreement, clock, step)?, moves: step.moves.is_some() })
    };
    let mut ahead: Vec<Next> = pending.filter_map(told).collect();
    ahead.sort_by_key(|next| next.at);
    ahead
}

/// `None` for a step that does nothing.
fn in_words(agreement: &Agreement, clock: &Clock, step: &Step) -> Option<String> {
    let told: Vec<String> = step.notify.iter().map(|to| audience(to, &clock.party)).collect();
    let mut parts = Vec::new();
    if !told.is_empty() {
        parts.push(format!("{} told", told.join(", ")));
    }
    parts.extend(step.task.as_ref().map(|_| "a task is made".to_owned()));
    parts.extend((!step.set.is_empty()).then(|| "fields are set".to_owned()));
    parts.extend(step.flag.then(|| "the violation is written onto the record".to_owned()));
    parts.extend(step.moves.as_ref().map(|moves| moved(agreement, moves)));
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn audience(to: &Audience, party: &PartyName) -> String {
    match to {
        Audience::Owner => "owner".to_owned(),
        Audience::Manager => "manager".to_owned(),
        Audience::Party => plain(party),
        Audience::PartyNamed(name) => plain(name),
        Audience::Address(crate::agreement::model::Address::Slack(channel)) => channel.to_string(),
        Audience::Address(crate::agreement::model::Address::Email(address)) => address.to_string(),
    }
}

fn moved(agreement: &Agreement, moves: &Move) -> String {
    match (moves, &agreement.recycling) {
        (Move::Reassign(to), _) => format!("goes to {}", plain(to)),
        (Move::Recycle, Some(recycling)) => format!("goes back to {}", plain(&recycling.to)),
        (Move::Recycle, None) => "goes back".to_owned(),
        (Move::Nurture, _) => "goes to nurture".to_owned(),
    }
}

fn plain(party: &PartyName) -> String {
    party.as_str().replace('_', " ")
}

/// Steps that are ahead as one line: `manager told at 15:00; goes back at 17:00`. The day stands where it
/// is another than that of `now`.
pub fn line(ahead: &[Next], zone: &TimeZone, now: Timestamp) -> String {
    let local = |at: Timestamp| at.to_jiff().to_zoned(zone.clone());
    let today = local(now).date();
    let when = |at: Timestamp| {
        let form = if local(at).date() == today { "at %H:%M" } else { "on %a %-d %b at %H:%M" };
        local(at).strftime(form).to_string()
    };
    let told = |next: &Next| {
        if next.at <= now { format!("{} now", next.what) } else { format!("{} {}", next.what, when(next.at)) }
    };
    ahead.iter().map(told).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::parse::parse;
    use std::sync::Arc;

    fn agreement() -> Agreement {
        let text = include_str!("../../config/agreement.toml");
        parse("agreement.toml", text, &|_| Err("no files".into())).unwrap().agreement
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    /// A run of the first clock that counts so.
    fn run(agreement: &Agreement, counts: fn(&Span) -> bool, started: &str) -> Run {
        let clock = agreement.clocks.iter().find(|c| counts(&c.within)).expect("such a clock");
        let started = at(started);
        let deadline = crate::agreement::span::after(agreement.calendar_of(clock), started, clock.within);
        let step = |s: &Step| StepRun {
            name: s.name.clone(),
            at: deadline,
            noticed: None,
            state: StepState::Pending,
            issued: Vec::new(),
        };
        Run {
            clock: Arc::clone(&clock.name),
            number: 1,
            started,
            deadline,
            paused: None,
            breached: None,
            ended: None,
            touches_before: None,
            spared: None,
            silent: false,
            steps: clock.steps.iter().map(step).collect(),
        }
    }

    #[test]
    fn a_weekend_takes_nothing_from_business_time() {
        let agreement = agreement();
        // Friday afternoon in New York.
        let run = run(&agreement, |s| matches!(s, Span::Open(_)), "2027-01-08T21:30:00Z");
        let [friday, sunday] = ["2027-01-08T23:30:00Z", "2027-01-10T12:00:00Z"].map(|t| left(&agreement, &run, at(t)));
        assert_eq!(friday, sunday, "nothing of it passes while nobody works");
        let late = left(&agreement, &run, run.deadline + Elapsed::from_secs(300));
        assert!(late.is_late && late.used >= 1.0 && late.text.ends_with("late"), "{late:?}");
        let fresh = left(&agreement, &run, run.started);
        assert!(fresh.used.abs() < 1e-9 && !fresh.is_late, "{fresh:?}");
    }

    #[test]
    fn business_days_are_told_as_days() {
        let agreement = agreement();
        let run = run(&agreement, |s| matches!(s, Span::OpenDays(n) if *n > 1), "2027-01-05T15:00:00Z");
        let text = left(&agreement, &run, run.started).text;
        assert!(text.contains("business day"), "{text}");
    }

    #[test]
    fn what_was_paused_keeps_what_was_left() {
        let agreement = agreement();
        let mut run = run(&agreement, |s| matches!(s, Span::Open(_)), "2027-01-05T15:00:00Z");
        run.paused = Some(run.started);
        let told = left(&agreement, &run, at("2027-03-01T15:00:00Z"));
        assert!(told.text.ends_with("left when it was paused") && !told.is_late, "{told:?}");
        assert!(ahead(&agreement, &run).is_empty());
    }

    #[test]
    fn steps_are_told_in_the_order_of_their_moments_with_the_day_where_it_is_another() {
        let now = at("2027-01-05T15:00:00Z");
        let next = |text: &str, hours: i64, moves| Next {
            at: now + Elapsed::from_millis(hours * HOUR),
            what: text.to_owned(),
            moves,
        };
        let zone = TimeZone::get("America/New_York").unwrap();
        let ahead = [next("manager told", 5, false), next("goes back to marketing", 24, true)];
        let told = "manager told at 15:00; goes back to marketing on Wed 6 Jan at 10:00";
        assert_eq!(line(&ahead, &zone, now), told);
    }

    #[test]
    fn every_pending_step_that_does_something_is_ahead() {
        let agreement = agreement();
        let run = run(&agreement, |s| matches!(s, Span::Open(_)), "2027-01-05T15:00:00Z");
        let told = ahead(&agreement, &run);
        assert!(!told.is_empty() && told.iter().all(|n| !n.what.is_empty()), "{told:?}");
        let mut fired = run.clone();
        fired.steps.iter_mut().for_each(|s| s.state = StepState::Fired);
        assert!(ahead(&agreement, &fired).is_empty());
    }
}
