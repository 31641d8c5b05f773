//! Applying one entry of a record's history to its standing. What follows from it for stages,
//! clocks and violations is in `stage`, `clock` and `violation`; what is done about it, in `steps`.

use super::model::{Agreement, Clock};
use super::predicate::{Predicate, Term, View};
use super::standing::{Gone, OwnWrite, ReadMark, Run, Standing};
use crate::record::change::{FieldValues, Reading};
use crate::record::field::well_known;
use crate::record::{Action, Actor, Change, EffectKey, Elapsed, Fact, FactKind, FieldName, Timestamp, Value, What};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// How much earlier or later than our write its echo may be dated.
const ECHO_SLACK: Elapsed = Elapsed::from_secs(5);

/// How many writes of ours are remembered for their echoes.
const OWN_WRITES_KEPT: usize = 8;

/// A CRM's `Date` header counts whole seconds: a read may be so much later than it says.
pub(super) const DATE_GRAIN: Elapsed = Elapsed::from_secs(1);

/// When a change happened: an end is believed at the earliest, a start at the latest moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub end: Timestamp,
    pub start: Timestamp,
}

impl Moment {
    pub fn exact(at: Timestamp) -> Self {
        Self { end: at, start: at }
    }
}

/// What a change did to the fields that clocks care about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stirred {
    pub owner: bool,
    pub status: bool,
    pub touches: f64,
}

/// A standing on its way through its history.
pub(super) struct Fold<'a> {
    pub agreement: &'a Agreement,
    pub standing: Standing,
    pub facts: Vec<Fact>,
    /// Two values of one moment were seen, or something else that only a read settles.
    pub doubt: bool,
    /// The effect that this decision settles.
    pub settled: Option<EffectKey>,
}

impl<'a> Fold<'a> {
    pub fn new(agreement: &'a Agreement, standing: Standing) -> Self {
        Self { agreement, standing, facts: Vec::new(), doubt: false, settled: None }
    }

    /// Applies one entry. Entries must come in the order of their times.
    pub fn change(&mut self, change: &Change) {
        match &change.what {
            What::Fields(values) => {
                self.advance_before(change.at);
                let values = self.without_echoes(values, change.at, &change.by);
                self.set(&values, Moment::exact(change.at), &change.by);
            }
            What::Read(reading) => self.read(reading, change.at, &change.by),
            What::Wrote { effect, action, values, since } => {
                self.advance_before(change.at);
                self.wrote(effect, action, values, *since, change.at);
            }
            What::Deleted => self.gone(Gone::Deleted, FactKind::Deleted, change),
            What::Merged { into } => self.gone(Gone::MergedInto(into.clone()), FactKind::Merged, change),
            What::Restored => self.restored(change),
        }
        self.standing.folded_to = self.standing.folded_to.max(change.at);
    }

    /// Sets fields and lets everything follow.
    fn set(&mut self, values: &FieldValues, moment: Moment, by: &Actor) {
        let stirred = self.set_fields(values, moment.start);
        self.follow(moment, by, stirred);
    }

    fn set_fields(&mut self, values: &FieldValues, at: Timestamp) -> Stirred {
        let w = well_known();
        let mut stirred = Stirred::default();
        for (name, value) in values {
            let before = self.standing.fields.get(*name).clone();
            // A read may have told something later than this event; its `Date` has whole seconds only.
            let newer = self.standing.fields.field(*name).is_some_and(|f| f.at > at);
            if newer || !self.standing.fields.set(*name, value.clone(), at) {
                continue;
            }
            if *name == w.owner {
                stirred.owner = true;
            } else if *name == w.status {
                stirred.status = true;
            } else if *name == w.touches {
                stirred.touches = self.touched(&before, value, at);
            }
        }
        stirred
    }

    /// How many touches a new count means, and what it says about runs that did not know theirs.
    fn touched(&mut self, before: &Value, after: &Value, at: Timestamp) -> f64 {
        let Some(now) = after.as_number() else { return 0.0 };
        let more = match before.as_number() {
            Some(before) => (now - before).max(0.0),
            // The first count we see was raised by this very event; a read corrects it (`read`).
            None => 1.0_f64.min(now),
        };
        for run in self.standing.runs.iter_mut().filter(|r| r.is_open()) {
            match run.touches_before {
                None => run.touches_before = Some(now - more),
                // A touch from before the run began is none of the run's.
                Some(_) if at < run.started => run.touches_before = Some(now),
                Some(_) => {}
            }
        }
        more
    }

    /// Everything that follows from changed fields, in this order: a stage may end a pass, a pass
    /// ends runs, and only then clocks look at what is left.
    fn follow(&mut self, moment: Moment, by: &Actor, stirred: Stirred) {
        if self.standing.gone.is_some() {
            return;
        }
        self.spare(moment.start, by, stirred);
        self.restage(moment, by);
        self.run_clocks(moment, by, stirred);
        self.mend(moment.start);
        self.standing.folded_to = self.standing.folded_to.max(moment.start);
    }

    /// A read wins over all we knew; what it reveals happened between the last read and the
    /// record's modification.
    fn read(&mut self, reading: &Reading, at: Timestamp, by: &Actor) {
        let values = self.news(&self.without_echoes(&reading.values, at, by));
        let latest = reading.modified.min(at + DATE_GRAIN).max(self.last_change());
        let earliest = self.standing.last_read.map_or(Timestamp::MIN, |r| r.at).min(latest);
        self.advance_before(earliest.max(self.last_change()));
        if self.standing.gone == Some(Gone::Deleted) {
            self.standing.gone = None;
        }
        self.standing.last_read = Some(ReadMark { at, modified: reading.modified });
        self.standing.reading = false;
        let runs_before = self.standing.runs.len();
        let (touches, others) = self.split_touches(values);
        let moment = Moment { end: earliest, start: latest };
        // `follow` even without news: what only a read may settle is looked at now.
        self.set(&others, moment, by);
        self.read_touches(reading, &touches, moment, at, by);
        self.judge(at);
        if reading.import {
            self.silence(runs_before, at);
        }
    }

    /// The values that differ from what we know.
    fn news(&self, values: &FieldValues) -> FieldValues {
        values.iter().filter(|(name, value)| self.standing.fields.get(*name) != value).cloned().collect()
    }

    /// The latest moment at which a field was set.
    fn last_change(&self) -> Timestamp {
        self.standing.fields.iter().map(|f| f.at).max().unwrap_or(Timestamp::MIN)
    }

    fn split_touches(&self, values: FieldValues) -> (FieldValues, FieldValues) {
        let touches = well_known().touches;
        values.into_iter().partition(|(name, _)| *name == touches)
    }

    /// Touches have a time of their own (`last_touch`). The first count that we see is a fact about
    /// the past; only its last touch can have happened since a run began.
    fn read_touches(&mut self, reading: &Reading, touches: &FieldValues, moment: Moment, at: Timestamp, by: &Actor) {
        let w = well_known();
        let Some((_, count)) = touches.first() else { return };
        let told = reading.values.iter().find(|(n, _)| *n == w.last_touch).and_then(|(_, v)| v.as_time());
        let known = self.standing.fields.get(w.touches).as_number().is_some();
        if known {
            let exact = told.filter(|t| *t > moment.end && *t <= at + DATE_GRAIN).map(Moment::exact);
            let when = exact.unwrap_or(moment);
            self.advance_before(when.end);
            return self.set(touches, when, by);
        }
        let within = self.learn_touches(count.as_number().unwrap_or(0.0), told);
        self.standing.fields.set(w.touches, count.clone(), moment.start);
        if let (true, Some(last)) = (within, told) {
            self.advance_before(last);
            self.follow(Moment::exact(last), by, Stirred { touches: 1.0, ..Stirred::default() });
        }
    }

    /// Runs that began before the last touch had at least that one. Answers whether any had.
    fn learn_touches(&mut self, count: f64, last: Option<Timestamp>) -> bool {
        let mut any = false;
        for run in self.standing.runs.iter_mut().filter(|r| r.is_open() && r.touches_before.is_none()) {
            let within = last.is_some_and(|t| t >= run.started) && count >= 1.0;
            run.touches_before = Some(if within { count - 1.0 } else { count });
            any |= within;
        }
        any
    }

    /// A write of ours landed: a change like any other, and a recycle begins a pass.
    fn wrote(&mut self, effect: &EffectKey, action: &Action, values: &FieldValues, since: Timestamp, at: Timestamp) {
        self.remember_own_write(effect, values, since, at);
        let former = self.standing.owner();
        let stirred = self.set_fields(values, at);
        self.tell_write(effect, action, former.as_ref(), at);
        if action.moves()
            && let Some(owner) = former
            && !self.standing.earlier_owners.contains(&owner)
        {
            self.standing.earlier_owners.push(owner);
        }
        if let Action::Recycle { .. } = action {
            self.standing.recycles.push(at);
            self.begin_pass(super::standing::PassKind::Recycled, Moment::exact(at), &Actor::Leadpact);
        }
        self.follow(Moment::exact(at), &Actor::Leadpact, stirred);
    }

    fn tell_write(
        &mut self,
        effect: &EffectKey,
        action: &Action,
        former: Option<&crate::record::OwnerId>,
        at: Timestamp,
    ) {
        let kind = match action {
            Action::Recycle { .. } => FactKind::Recycled,
            Action::Reassign { .. } => FactKind::Reassigned,
            Action::Nurture { .. } => FactKind::Nurtured,
            Action::Set { .. } => FactKind::FieldsSet,
            _ => return,
        };
        let mut detail = Map::new();
        detail.insert("from".into(), former.map_or(Json::Null, |o| o.as_str().into()));
        detail.insert("to".into(), self.standing.owner().map_or(Json::Null, |o| o.as_str().into()));
        let (source, run) = source_and_run(effect);
        self.fact(kind, at, &source, run, effect.as_str(), &Actor::Leadpact, detail);
        self.standing.last_action = Some(kind.as_str().to_owned());
    }

    fn remember_own_write(&mut self, effect: &EffectKey, values: &FieldValues, since: Timestamp, at: Timestamp) {
        let writes = &mut self.standing.own_writes;
        writes.retain(|w| &w.effect != effect);
        writes.push(OwnWrite { effect: effect.clone(), values: values.clone(), since, until: Some(at) });
        if writes.len() > OWN_WRITES_KEPT {
            writes.remove(0);
        }
    }

    /// Drops the values that are echoes of our own writes: same field, same value, dated while the
    /// write was on its way.
    fn without_echoes(&self, values: &FieldValues, at: Timestamp, by: &Actor) -> FieldValues {
        if *by == Actor::Leadpact || self.standing.own_writes.is_empty() {
            return values.clone();
        }
        let is_echo = |name: FieldName, value: &Value| {
            self.standing.own_writes.iter().any(|w| {
                at >= w.since - DATE_GRAIN
                    && w.until.is_none_or(|until| at <= until + ECHO_SLACK)
                    && w.values.iter().any(|(n, v)| *n == name && v == value)
            })
        };
        // What we already know needs no excuse; it keeps its time.
        values.iter().filter(|(n, v)| self.standing.fields.get(*n) == v || !is_echo(*n, v)).cloned().collect()
    }

    fn gone(&mut self, how: Gone, kind: FactKind, change: &Change) {
        self.advance_before(change.at);
        if self.standing.gone.is_some() {
            return;
        }
        self.cancel_open(change.at, kind.as_str());
        self.standing.gone = Some(how);
        self.standing.checks.clear();
        self.standing.rejection = None;
        self.standing.violations.clear();
        self.fact(kind, change.at, "", 0, "", &change.by, Map::new());
    }

    /// Back from the bin: its clocks start anew, and a read tells what it is now.
    fn restored(&mut self, change: &Change) {
        if self.standing.gone.take().is_some() {
            self.fact(FactKind::Restored, change.at, "", 0, "", &change.by, Map::new());
            self.standing.on.clear();
            self.doubt = true;
            self.follow(Moment::exact(change.at), &change.by, Stirred::default());
        }
    }

    /// What conditions look at; `touches` since that run began, or the field itself.
    pub fn view<'s>(&'s self, run: Option<&Run>) -> View<'s> {
        view(self.agreement, &self.standing, run)
    }

    /// The terms of a condition with the values seen, for the journal.
    pub fn terms(&self, condition: &Predicate, run: Option<&Run>) -> Json {
        let terms: Vec<Term> = condition.explain(&self.view(run));
        serde_json::to_value(terms).unwrap_or(Json::Null)
    }

    #[allow(clippy::too_many_arguments)]
    pub fn fact(
        &mut self,
        kind: FactKind,
        at: Timestamp,
        source: &str,
        run: u32,
        item: &str,
        by: &Actor,
        detail: Map<String, Json>,
    ) {
        let standing = &self.standing;
        self.facts.push(Fact {
            kind,
            at,
            pass: standing.pass,
            source: Arc::from(source),
            run,
            item: Arc::from(item),
            party: standing.party.clone(),
            owner: standing.owner(),
            stage: standing.stage.clone(),
            by: by.clone(),
            detail,
        });
    }

    /// The clock of that name that concerns this kind of record.
    pub fn clock(&self, name: &str) -> Option<&'a Clock> {
        self.agreement.clock_named(name)
    }
}

/// What conditions look at.
pub(super) fn view<'s>(agreement: &Agreement, standing: &'s Standing, run: Option<&Run>) -> View<'s> {
    let touches = run.map(|run| {
        let now = standing.fields.get(well_known().touches).as_number().unwrap_or(0.0);
        run.touches_before.map_or(0.0, |before| (now - before).max(0.0))
    });
    View {
        fields: &standing.fields,
        stage: standing.stage.as_ref().and_then(|s| agreement.stage_index(s.as_str())),
        furthest: standing.furthest.as_ref().and_then(|s| agreement.stage_index(s.as_str())),
        touches,
    }
}

/// The clock and the run that an effect's key names: `connection/object/id/pass/source/run/…`.
pub(super) fn source_and_run(effect: &EffectKey) -> (Arc<str>, u32) {
    let mut parts = effect.as_str().split('/').skip(4);
    let source = parts.next().unwrap_or_default();
    let run = parts.next().and_then(|r| r.parse().ok()).unwrap_or(0);
    (Arc::from(unescape(source)), run)
}

/// `/` would split a key in the wrong place.
pub(super) fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F")
}

fn unescape(text: &str) -> String {
    text.replace("%2F", "/").replace("%25", "%")
}
