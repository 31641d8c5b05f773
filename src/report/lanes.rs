//! One record's story as a picture: its stages, owners and clocks in lanes, what was done about it
//! beneath, working hours behind. Put together from facts that were not withdrawn.

use super::course::{Course, Run};
use super::story::{Reader, Told, withdrawn};
use super::tale::{Entry, Tale};
use super::words::sentence;
use crate::agreement::calendar::Calendar;
use crate::agreement::model::Agreement;
use crate::chart::lanes::{Kind, Lane, Lanes, Point, Sign, Stretch};
use crate::record::{Elapsed, Fact, FactKind, OwnerId, RecordKey, Timestamp};
use jiff::tz::TimeZone;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// Beyond so many days single working hours would be thinner than a line.
const SHADED: i64 = 45;
/// Marks of the scale at most.
const TICKS: i64 = 12;

/// What is to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// `None`: from the first fact on.
    pub since: Option<Timestamp>,
    pub now: Timestamp,
}

/// The picture; `None` where nothing has happened.
pub fn lanes(reader: &Reader<'_>, key: &RecordKey, facts: &[Told<'_>], frame: Frame) -> Option<Lanes> {
    let struck = withdrawn(facts);
    let mut live: Vec<&Fact> = facts.iter().zip(struck).filter(|(_, s)| !s).map(|(t, _)| t.fact).collect();
    live.sort_by_key(|fact| fact.at);
    let begin = frame.since.or(live.first().map(|fact| fact.at))?;
    let entries = facts.iter().map(|t| Entry { fact: t.fact.clone(), seen_at: t.seen_at }).collect();
    let course = Course::of(Tale { key: key.clone(), entries, latest: None });
    let runs: Vec<&Run> = course.passes.iter().flat_map(|pass| &pass.runs).collect();
    let due = runs.iter().filter_map(|run| run.due()).max();
    let end = due.map_or(frame.now, |due| due.max(frame.now)).max(live.last().map_or(begin, |fact| fact.at));
    let end = end.max(begin + Elapsed::from_millis(HOUR));
    let end = end + Elapsed::from_millis((end - begin).as_millis() / 40);
    let drawing = Drawing { reader, now: frame.now, end };
    let mut all = vec![drawing.stages(&course), drawing.owners(&live)];
    all.extend(drawing.clocks(&runs));
    all.push(drawing.deeds(&live));
    all.retain(|lane| !lane.stretches.is_empty() || !lane.points.is_empty());
    Some(Lanes {
        title: "What happened, over time".to_owned(),
        description: "Stages, owners, clocks and what leadpact did, on one scale. The list below says the same."
            .to_owned(),
        from: x(begin),
        to: x(end),
        open: working_hours(calendar(reader.agreement, &runs), begin, end),
        ticks: ticks(begin, end, reader.zone),
        now: x(frame.now),
        lanes: all,
    })
}

fn x(at: Timestamp) -> f64 {
    at.as_millis() as f64
}

/// The calendar of the clock that ran last, else the agreement's.
fn calendar<'a>(agreement: &'a Agreement, runs: &[&Run]) -> Option<&'a Calendar> {
    let last = runs.iter().max_by_key(|run| run.started).and_then(|run| agreement.clock_named(&run.clock));
    last.and_then(|clock| agreement.calendar_of(clock))
        .or_else(|| agreement.calendar.map(|i| &agreement.calendars[i].calendar))
}

/// Open stretches between two moments; none where they would be too thin to be seen.
fn working_hours(calendar: Option<&Calendar>, begin: Timestamp, end: Timestamp) -> Vec<(f64, f64)> {
    let Some(calendar) = calendar.filter(|_| (end - begin).as_millis() <= SHADED * DAY) else { return Vec::new() };
    let (mut found, mut from) = (Vec::new(), calendar.next_open(begin));
    while from < end {
        let to = closing(calendar, from, end);
        found.push((x(from), x(to)));
        // Closing time itself is open.
        let next = calendar.next_open(to + Elapsed::from_millis(1));
        if next <= from {
            break;
        }
        from = next;
    }
    found
}

/// When the open stretch that begins here ends, at the latest at `end`.
fn closing(calendar: &Calendar, from: Timestamp, end: Timestamp) -> Timestamp {
    let is_open_until =
        |length: i64| calendar.open_between(from, from + Elapsed::from_millis(length)) == Elapsed::from_millis(length);
    let (mut open, mut closed) = (0, (end - from).as_millis() + 1);
    while closed - open > 1 {
        let middle = open + (closed - open) / 2;
        if is_open_until(middle) { open = middle } else { closed = middle }
    }
    from + Elapsed::from_millis(open.max(1))
}

/// Round moments of the zone, few enough to be read.
fn ticks(begin: Timestamp, end: Timestamp, zone: &TimeZone) -> Vec<(f64, String)> {
    let whole = (end - begin).as_millis();
    let steps = [1, 2, 3, 6, 12, 24, 48, 7 * 24, 14 * 24, 30 * 24, 91 * 24, 365 * 24];
    let hours = steps.into_iter().find(|hours| whole / (hours * HOUR) <= TICKS).unwrap_or(365 * 24);
    let form = if hours < 24 { "%a %H:%M" } else { "%-d %b" };
    let first = begin.to_jiff().to_zoned(zone.clone()).start_of_day();
    let Ok(first) = first else { return Vec::new() };
    let step = if hours < 24 { jiff::Span::new().hours(hours) } else { jiff::Span::new().days(hours / 24) };
    let (mut ticks, mut at) = (Vec::new(), first);
    while Timestamp::from_jiff(at.timestamp()) <= end {
        let moment = Timestamp::from_jiff(at.timestamp());
        if moment >= begin {
            ticks.push((x(moment), at.strftime(form).to_string()));
        }
        let Ok(next) = at.checked_add(step) else { break };
        at = next;
    }
    ticks
}

struct Drawing<'a> {
    reader: &'a Reader<'a>,
    now: Timestamp,
    end: Timestamp,
}

impl Drawing<'_> {
    fn stretch(&self, from: Timestamp, to: Timestamp, kind: Kind, label: &str, what: &str) -> Stretch {
        let zone = self.reader.zone;
        let tip = format!("{what}: {} to {}", from.in_zone(zone), to.in_zone(zone));
        Stretch { from: x(from), to: x(to), kind, label: label.to_owned(), tip }
    }

    /// What was so from each of these moments to the next.
    fn following(&self, label: &str, states: &[(Timestamp, String)]) -> Lane {
        let ends = states.iter().skip(1).map(|(at, _)| *at).chain([self.now]);
        let shown = states.iter().zip(ends).filter(|((_, name), _)| !name.is_empty());
        let stretches = shown.map(|((from, name), to)| self.stretch(*from, to.max(*from), Kind::State, name, name));
        Lane { label: label.to_owned(), stretches: stretches.collect(), points: Vec::new() }
    }

    fn stages(&self, course: &Course) -> Lane {
        let term = |name: &str| {
            let known = self.reader.agreement.stages.iter().find(|s| s.name.as_str() == name);
            known.map_or_else(|| name.to_owned(), |stage| stage.term.clone())
        };
        let entries = course.passes.iter().flat_map(|pass| &pass.entries);
        let mut states: Vec<(Timestamp, String)> = entries.map(|e| (e.at, term(e.stage.as_str()))).collect();
        states.sort_by_key(|(at, _)| *at);
        self.following("Stage", &states)
    }

    fn owners(&self, live: &[&Fact]) -> Lane {
        let name = |id: &str| match id {
            "" => "nobody".to_owned(),
            id => (self.reader.name_of)(&OwnerId::new(id)).unwrap_or_else(|| id.to_owned()),
        };
        let changes = live.iter().filter(|fact| fact.kind == FactKind::Assigned);
        let states: Vec<(Timestamp, String)> = changes.map(|fact| (fact.at, name(&fact.item))).collect();
        self.following("Owner", &states)
    }

    /// A lane for each clock that ran, in the order in which they first did.
    fn clocks(&self, runs: &[&Run]) -> Vec<Lane> {
        let mut lanes: Vec<Lane> = Vec::new();
        for run in runs {
            let known = lanes.iter().position(|lane| lane.label == *run.clock);
            let at = known.unwrap_or_else(|| {
                lanes.push(Lane { label: run.clock.to_string(), ..Lane::default() });
                lanes.len() - 1
            });
            self.run(&mut lanes[at], run);
        }
        lanes
    }

    fn run(&self, lane: &mut Lane, run: &Run) {
        let end = run.ended.unwrap_or(self.now).max(run.started);
        let turns = run.breached.map_or(end, |at| at.clamp(run.started, end));
        lane.stretches.push(self.stretch(run.started, turns, Kind::Running, "runs", "running"));
        if run.breached.is_some() && turns < end {
            lane.stretches.push(self.stretch(turns, end, Kind::Overdue, "late", "late"));
        }
        for (from, to) in &run.pauses {
            let to = to.unwrap_or(end).min(end);
            lane.stretches.push(self.stretch(*from, to.max(*from), Kind::Paused, "", "paused"));
        }
        if let Some(due) = run.due().filter(|due| *due > end) {
            lane.stretches.push(self.stretch(end, due.min(self.end), Kind::Ahead, "", "left"));
        }
        if let Some(due) = run.deadline {
            let tip = format!("{} is due {}", run.clock, due.in_zone(self.reader.zone));
            lane.points.push(Point { at: x(due), sign: Sign::Deadline, tip });
        }
    }

    fn deeds(&self, live: &[&Fact]) -> Lane {
        let points = live.iter().filter_map(|fact| {
            let tip = format!("{} {}", fact.at.in_zone(self.reader.zone), sentence(self.reader, fact));
            Some(Point { at: x(fact.at), sign: sign(fact.kind)?, tip })
        });
        Lane {
            label: "leadpact told ●, moved ◆, wrote ■".to_owned(), stretches: Vec::new(), points: points.collect()
        }
    }
}

fn sign(kind: FactKind) -> Option<Sign> {
    match kind {
        FactKind::Notified => Some(Sign::Told),
        FactKind::Recycled | FactKind::Reassigned | FactKind::Nurtured | FactKind::Undone => Some(Sign::Moved),
        FactKind::TaskCreated | FactKind::FieldsSet | FactKind::Flagged | FactKind::Unflagged => Some(Sign::Wrote),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::parse::parse;
    use crate::record::{Actor, ConnectionName, Object, RecordId};
    use serde_json::json;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn fact(kind: FactKind, moment: &str, item: &str, detail: serde_json::Value) -> Fact {
        Fact {
            kind,
            at: at(moment),
            pass: 1,
            source: "Accept or reject".into(),
            run: 1,
            item: item.into(),
            party: None,
            owner: None,
            stage: None,
            by: Actor::Leadpact,
            detail: detail.as_object().cloned().unwrap_or_default(),
        }
    }

    #[test]
    fn a_breached_clock_is_late_from_its_deadline_on() {
        let text = include_str!("../../config/agreement.toml");
        let agreement = parse("agreement.toml", text, &|_| Err("no files".into())).unwrap().agreement;
        let zone = agreement.zone();
        let reader = Reader { agreement: &agreement, zone: &zone, name_of: &|_| None };
        let due = at("2027-01-05T18:00:00Z");
        let facts = [
            fact(FactKind::Assigned, "2027-01-05T14:00:00Z", "7020", json!({})),
            fact(FactKind::ClockStarted, "2027-01-05T14:00:00Z", "", json!({ "deadline": due.as_millis() })),
            fact(FactKind::Breached, "2027-01-05T18:00:00Z", "", json!({})),
            fact(FactKind::Recycled, "2027-01-05T20:00:00Z", "k", json!({ "from": "7020", "to": "7021" })),
        ];
        let told: Vec<Told<'_>> = facts.iter().map(|fact| Told { fact, seen_at: fact.at }).collect();
        let (connection, id) = (ConnectionName::new("acme"), RecordId::new("1"));
        let key = RecordKey { connection, object: Object::Lead, id };
        let frame = Frame { since: None, now: at("2027-01-05T21:00:00Z") };
        let picture = lanes(&reader, &key, &told, frame).unwrap();
        let lane = picture.lanes.iter().find(|lane| lane.label == "Accept or reject").unwrap();
        let kinds: Vec<(Kind, f64)> = lane.stretches.iter().map(|s| (s.kind, s.from)).collect();
        assert_eq!(kinds, [(Kind::Running, x(at("2027-01-05T14:00:00Z"))), (Kind::Overdue, x(due))]);
        assert_eq!(lane.points.iter().map(|p| (p.sign, p.at)).collect::<Vec<_>>(), [(Sign::Deadline, x(due))]);
        let deeds = picture.lanes.last().unwrap();
        assert_eq!(deeds.points.iter().map(|p| p.sign).collect::<Vec<_>>(), [Sign::Moved]);
        // From nine in New York, with a pause at noon, as far as the picture reaches.
        let open: Vec<f64> = picture.open.iter().flat_map(|(from, to)| [*from, *to]).take(3).collect();
        let wanted = ["2027-01-05T14:00:00Z", "2027-01-05T17:30:00Z", "2027-01-05T18:15:00Z"];
        assert_eq!(open, wanted.map(|text| x(at(text))));
        assert!(!picture.ticks.is_empty());
        assert_eq!(lanes(&reader, &key, &[], frame), None);
    }
}
