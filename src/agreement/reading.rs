//! Reads: what only a read reveals happened between the previous read and the record's
//! modification, and touches have a time of their own. What is judged on a read is in `violation`.

use super::echo::without_overtaken;
use super::fold::{DATE_GRAIN, Fold, Moment, Stirred};
use super::link::link_of;
use super::standing::{Gone, ReadMark};
use crate::record::change::{FieldValues, Reading};
use crate::record::field::well_known;
use crate::record::{Actor, Elapsed, Timestamp, Value};

/// A count of touches that a read brought.
struct Touches {
    count: Value,
    /// When the last of them was, where the record tells it.
    last: Option<Timestamp>,
    /// Nobody told us before: most of them are of the past.
    is_first: bool,
}

impl Fold<'_> {
    /// A read wins over all we knew.
    pub(super) fn read(&mut self, reading: &Reading, at: Timestamp, by: &Actor) {
        // A read of the moment at which a write was intended is the one before it: it echoes nothing.
        let seen = Timestamp::from_millis(at.as_millis() - 1);
        let said = self.without_echoes(&reading.values, seen, by);
        // Whoever reads beside a write of ours may be answered late how it was before.
        let said = without_overtaken(&self.standing.own_writes, said, at, reading.modified);
        let mut values = self.news(&said);
        self.choose_link(reading, &mut values);
        let moment = self.interval(reading, &values, at);
        self.advance_before(moment.end);
        if self.standing.gone == Some(Gone::Deleted) {
            self.restored(at, by);
            self.doubt = false;
        }
        let touches_known = self.knows_touches();
        self.standing.last_read = Some(ReadMark { at, modified: reading.modified });
        self.standing.reading = false;
        let before = (self.standing.pass, self.standing.runs.len());
        let (touches, others): (FieldValues, _) =
            values.into_iter().partition(|(name, _)| *name == well_known().touches);
        let touches = touches.into_iter().next().map(|(_, count)| {
            let last = last_touch(reading).filter(|t| (!touches_known || *t > moment.end) && *t <= at + DATE_GRAIN);
            Touches { count, last, is_first: !touches_known }
        });
        self.counting = touches.as_ref().is_some_and(|t| t.is_first);
        // Even without news: what only a read may settle is looked at now.
        self.learn(&others, touches, moment, by);
        self.counting = false;
        if reading.import {
            // Handed over who knows when: nobody is blamed for how it was then.
            self.standing.checks.clear();
        }
        self.judge(at);
        if reading.import {
            let from = if self.standing.pass == before.0 { before.1 } else { 0 };
            self.silence(from, at, reading.from_now);
        }
    }

    /// The values that differ from what we know.
    fn news(&self, values: &FieldValues) -> FieldValues {
        values.iter().filter(|(name, value)| self.standing.fields.get(*name) != value).cloned().collect()
    }

    /// Between which moments these values came to be. A field that we know cannot have changed
    /// before it took the value that we know.
    fn interval(&self, reading: &Reading, values: &FieldValues, at: Timestamp) -> Moment {
        let (_, list) = link_of(self.standing.key.object);
        // An association need not modify the record; yet the read before did not show it.
        let linked = values.iter().any(|(name, _)| *name == list).then_some(self.standing.last_read).flatten();
        let modified = reading.modified.min(at + DATE_GRAIN).max(linked.map_or(Timestamp::MIN, |read| read.at));
        let start = modified.max(self.last_change()).max(self.adopted());
        let known = values.iter().filter_map(|(name, _)| self.standing.fields.field(*name).map(|f| f.at)).max();
        // The read before showed that it was not so then; a deadline of that very moment was missed.
        let missed = |at: Timestamp| self.standing.open_runs().any(|run| run.deadline == at);
        let after = |at: Timestamp| if missed(at) { at + Elapsed::from_millis(1) } else { at };
        let last_read = self.standing.last_read.map(|r| after(r.at));
        let end = last_read.max(known).unwrap_or(Timestamp::MIN).max(self.adopted());
        Moment { end: end.min(start), start }
    }

    /// An earlier read or event told how many touches there were, if any.
    fn knows_touches(&self) -> bool {
        self.standing.last_read.is_some() || self.standing.fields.get(well_known().touches).as_number().is_some()
    }

    /// Takes the news in the order in which they happened.
    fn learn(&mut self, others: &FieldValues, touches: Option<Touches>, moment: Moment, by: &Actor) {
        self.notice_touch(touches.as_ref());
        let mut stirred = self.set_fields(others, moment.start, by);
        match touches {
            Some(Touches { last: Some(last), .. }) if last > moment.start => {
                self.follow(moment, by, stirred);
                self.touch(touches.as_ref(), last, by);
            }
            Some(Touches { last: Some(last), .. }) => {
                self.follow_ends(moment, by);
                self.touch(touches.as_ref(), last, by);
                self.follow_starts(moment, by, stirred);
            }
            _ => {
                stirred.touches = self.count_touches(touches.as_ref(), moment.start, by);
                self.follow(moment, by, stirred);
            }
        }
    }

    /// When the last touch was, before what only followed from it is looked at.
    fn notice_touch(&mut self, touches: Option<&Touches>) {
        let known = self.standing.fields.get(well_known().touches).as_number().unwrap_or(0.0);
        let more = touches.filter(|t| t.count.as_number().is_some_and(|count| count > known));
        self.standing.touched = self.standing.touched.max(more.and_then(|t| t.last));
    }

    /// Touches of which we know when the last one was.
    fn touch(&mut self, touches: Option<&Touches>, at: Timestamp, by: &Actor) {
        self.advance_before(at);
        let count = self.count_touches(touches, at, by);
        if self.standing.gone.is_none() && count > 0.0 {
            let stirred = Stirred { touches: count, ..Stirred::default() };
            self.end_runs(Moment::exact(at), by);
            self.spare(at, by, stirred);
            self.restart_runs(at, by, stirred);
        }
        self.folded(at);
    }

    /// Keeps a new count, and answers how many touches it means. The first count that we see is a
    /// fact about the past; only its last touch can have happened since a run began.
    fn count_touches(&mut self, touches: Option<&Touches>, at: Timestamp, by: &Actor) -> f64 {
        let field = well_known().touches;
        let Some(touches) = touches else {
            // Never touched, as far as the record tells.
            if self.standing.fields.get(field).is_null() {
                self.know_touches(0.0, None);
            }
            return 0.0;
        };
        if !touches.is_first {
            return self.set_fields(&vec![(field, touches.count.clone())], at, by).touches;
        }
        let within = self.know_touches(touches.count.as_number().unwrap_or(0.0), touches.last);
        self.standing.fields.set(field, touches.count.clone(), at);
        if within { 1.0 } else { 0.0 }
    }

    /// Tells runs that did not know it how many touches there were when they began: those that
    /// began before the last touch had at least that one since. Answers whether any had.
    fn know_touches(&mut self, count: f64, last: Option<Timestamp>) -> bool {
        let mut any = false;
        for run in self.standing.runs.iter_mut().filter(|r| r.is_open() && r.touches_before.is_none()) {
            let within = last.is_some_and(|t| t >= run.started) && count >= 1.0;
            run.touches_before = Some(if within { count - 1.0 } else { count });
            any |= within;
        }
        any
    }
}

fn last_touch(reading: &Reading) -> Option<Timestamp> {
    reading.values.iter().find(|(n, _)| *n == well_known().last_touch).and_then(|(_, v)| v.as_time())
}
