//! What is done about a standing now: steps that fell due become effects, reads that are needed are
//! asked for, our own fields on the record are brought up to date, and the next moment to look is set.

use super::answer::on_it_until;
use super::fold::{About, Fold, escape};
use super::model::{Address, Agreement, Audience, Clock, ClockOf, Move, Span, Step};
use super::span;
use super::standing::{Annotation, Run, Standing, StepRun, StepState, ViolationKind};
use super::violation::violation_text;
use crate::record::effect::Notice;
use crate::record::{Action, Actor, Effect, EffectKey, Elapsed, FactKind, PartyName, Recipient, Timestamp};
use serde_json::Map;
use std::sync::Arc;

/// How long to wait before reading again, when a read came too early by the CRM's clock.
const READ_AGAIN: Elapsed = Elapsed::from_secs(5);

impl Fold<'_> {
    /// Does what is due at `now`. Effects come in the order in which they are to be carried out.
    pub(super) fn act(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.end_exclusion(now);
        self.ask_for_read(now, &mut effects);
        if self.standing.gone.is_none() {
            for i in 0..self.standing.runs.len() {
                let run = &self.standing.runs[i];
                if run.is_open() && run.paused.is_none() {
                    self.fire_due(i, now, &mut effects);
                }
            }
            self.tell_contested(now, &mut effects);
        }
        self.annotate(now, &mut effects);
        self.standing.wake_at = self.next_wake(now);
        effects
    }

    /// A read is needed at the first sight of a record, after a handoff, and in doubt.
    fn ask_for_read(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let standing = &self.standing;
        if standing.reading || (standing.gone.is_some() && !self.doubt) {
            return;
        }
        let not_before = if self.doubt || standing.last_read.is_none() {
            now
        } else {
            let unread = self.unread_requirement().then_some(now);
            let Some(due) = self.next_judgement().into_iter().chain(unread).min() else { return };
            // By the CRM's clock the last read came too early: not again at once.
            let again = standing.last_read.filter(|r| now - r.at < READ_AGAIN && due <= now);
            due.max(again.map_or(now, |_| now + READ_AGAIN))
        };
        self.standing.reading = true;
        self.standing.reads += 1;
        let item = format!("read/{}", self.standing.reads);
        effects.push(self.record_effect(&item, Action::Read, now, not_before));
    }

    /// When a form will have settled that waits to be judged on a read.
    fn next_judgement(&self) -> Option<Timestamp> {
        let standing = &self.standing;
        let check = standing.checks.iter().map(|c| c.due).min();
        let rejection = standing.rejection.as_ref().map(|r| r.at + self.agreement.settle);
        // A rejection that was judged and stays without a reason is looked at again by its changes only.
        let judged = standing.violations.iter().any(|v| v.kind == ViolationKind::Rejection);
        check.into_iter().chain(rejection.filter(|_| !judged)).min()
    }

    /// A requirement began, but the record was not read since.
    fn unread_requirement(&self) -> bool {
        self.standing.open_runs().any(|r| {
            let filled = self.clock(&r.clock).is_some_and(|c| matches!(c.of, ClockOf::Requirement(_)));
            filled && !r.silent && !self.read_covers(r.started)
        })
    }

    fn fire_due(&mut self, i: usize, now: Timestamp, effects: &mut Vec<Effect>) {
        let Some(clock) = self.clock(&self.standing.runs[i].clock) else { return };
        let due: Vec<usize> = due_steps(&self.standing.runs[i], now);
        let notifies =
            |s: &usize| step_of(clock, &self.standing.runs[i], *s).is_some_and(|step| !step.notify.is_empty());
        let last_notice = due.iter().copied().rfind(|s| notifies(s));
        for s in due {
            let run = &self.standing.runs[i];
            match step_of(clock, run, s).filter(|_| !run.silent) {
                // Late: the notice is still owed only if no later one says it better.
                Some(step) => self.fire(Due { i, s, clock, step, now }, last_notice == Some(s), effects),
                None => self.standing.runs[i].steps[s].state = StepState::Skipped,
            }
        }
    }

    fn fire(&mut self, due: Due<'_>, tells: bool, effects: &mut Vec<Effect>) {
        let Due { i, s, clock, step, now } = due;
        let before = effects.len();
        self.standing.runs[i].steps[s].state = StepState::Fired;
        self.tell_step(FactKind::StepFired, i, s);
        if tells {
            self.notify(due, effects);
        } else if !step.notify.is_empty() {
            self.tell_step(FactKind::Skipped, i, s);
        }
        if let Some(title) = &step.task {
            effects.push(self.step_effect(i, s, Action::Task { title: title.clone() }, "", now));
        }
        if !step.set.is_empty() {
            effects.push(self.step_effect(i, s, Action::Set { set: step.set.clone() }, "", now));
        }
        if step.flag {
            self.raise_flags(&clock.name);
        }
        if let Some(action) = step.moves.as_ref().and_then(|m| self.move_action(m, now)) {
            let not_before = self.move_not_before(i, s, clock, now);
            effects.push(self.step_effect(i, s, action, "", not_before));
        }
        let keys = effects[before..].iter().map(|e| e.key.clone()).collect();
        self.standing.runs[i].steps[s].issued = keys;
    }

    fn tell_step(&mut self, kind: FactKind, i: usize, s: usize) {
        let run = &self.standing.runs[i];
        let (clock, number, step, at) = (run.clock.clone(), run.number, run.steps[s].name.clone(), run.steps[s].at);
        self.fact(kind, at, About { source: &clock, run: number, item: &step }, &Actor::Leadpact, Map::new());
    }

    /// Notices of a clock that counts business time wait for working hours; a clock that counts
    /// elapsed time was agreed to run around the clock, and so do its notices.
    fn notify(&mut self, due: Due<'_>, effects: &mut Vec<Effect>) {
        let Due { i, s, clock, step, now } = due;
        let not_before = match self.agreement.calendar_of(clock) {
            Some(calendar) if span::is_business(clock.within) => calendar.next_open(now),
            _ => now,
        };
        let to_owner = if step.notify.contains(&Audience::Owner) { self.put_off(i, s, not_before) } else { not_before };
        self.standing.runs[i].steps[s].noticed = Some(to_owner);
        let run = &self.standing.runs[i];
        let notice = match clock.of {
            ClockOf::Requirement(_) => Notice::Violation,
            ClockOf::Handoff(_) if run.steps[s].at < run.deadline => Notice::Reminder,
            ClockOf::Handoff(_) => Notice::Breach,
        };
        for to in self.recipients(&step.notify, &clock.party) {
            let who = to.to_string();
            let not_before = if to == Recipient::Owner { to_owner } else { not_before };
            effects.push(self.step_effect(i, s, Action::Notify { to, notice }, &who, not_before));
        }
    }

    /// The people and channels that a step names; a party stands for its channels.
    fn recipients(&self, audience: &[Audience], party: &PartyName) -> Vec<Recipient> {
        let mut to: Vec<Recipient> = Vec::new();
        for one in audience {
            let more = match one {
                Audience::Owner => vec![Recipient::Owner],
                Audience::Manager => vec![Recipient::Manager],
                Audience::Party => party_channels(self.agreement, party),
                Audience::PartyNamed(name) => party_channels(self.agreement, name),
                Audience::Address(address) => vec![channel(address)],
            };
            to.extend(more.into_iter().filter(|r| !to.contains(r)).collect::<Vec<_>>());
        }
        to
    }

    fn raise_flags(&mut self, source: &str) {
        for violation in self.standing.violations.iter_mut().filter(|v| &*v.source == source) {
            violation.flagged = true;
        }
    }

    /// At the cap a lead goes to nurture instead of round again.
    fn move_action(&mut self, asked: &Move, now: Timestamp) -> Option<Action> {
        let nurture = || self.agreement.nurture.as_ref().map(|n| Action::Nurture { set: n.set.clone() });
        match asked {
            Move::Reassign(to) => Some(Action::Reassign { to: to.clone() }),
            Move::Nurture => nurture(),
            Move::Recycle => {
                let recycling = self.agreement.recycling.as_ref()?;
                if !is_capped(self.agreement, &self.standing, now) {
                    return Some(Action::Recycle { to: recycling.to.clone(), set: recycling.set.clone() });
                }
                recycling.at_most.filter(|cap| cap.then_nurture).and_then(|_| nurture())
            }
        }
    }

    /// An acting step keeps its agreed distance from the last notice before it, so that a person
    /// who was told late still has the agreed time; and it waits while the lead is spared.
    fn move_not_before(&self, i: usize, s: usize, clock: &Clock, now: Timestamp) -> Timestamp {
        let run = &self.standing.runs[i];
        let told = run.steps[..s].iter().rev().find_map(|p| p.noticed.map(|at| (p.at, at)));
        let distance = told.map_or(now, |(agreed, told_at)| {
            let calendar = self.agreement.calendar_of(clock);
            let business = span::is_business(clock.within);
            let gap = span::counted_between(calendar, business, agreed, run.steps[s].at);
            span::after(calendar, told_at, if business { Span::Open(gap) } else { Span::Elapsed(gap) })
        });
        let spared = run.spared.map(|s| s.until).max(on_it_until(&self.standing, run));
        now.max(distance).max(spared.unwrap_or(Timestamp::MIN))
    }

    fn step_effect(&self, i: usize, s: usize, action: Action, who: &str, not_before: Timestamp) -> Effect {
        let run = &self.standing.runs[i];
        let step = &run.steps[s];
        let parts = [&*run.clock, &run.number.to_string(), &step.name, action.as_str(), who];
        Effect {
            key: effect_key(&self.standing, &parts),
            record: self.standing.key.clone(),
            source: run.clock.clone(),
            pass: self.standing.pass,
            run: run.number,
            step: step.name.clone(),
            at: step.at,
            not_before,
            deadline: Some(run.deadline),
            action,
        }
    }

    pub(super) fn record_effect(&self, item: &str, action: Action, at: Timestamp, not_before: Timestamp) -> Effect {
        Effect {
            key: self.record_key(item),
            record: self.standing.key.clone(),
            action,
            source: Arc::from(""),
            pass: self.standing.pass,
            run: 0,
            step: Arc::from(""),
            at,
            not_before,
            deadline: None,
        }
    }

    /// The key of an effect that belongs to the record and to no clock.
    fn record_key(&self, item: &str) -> EffectKey {
        EffectKey::new(format!("{}/{item}", effect_key(&self.standing, &["", "0"])))
    }

    /// Asks for our own fields to be written when what they should say has changed.
    fn annotate(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.standing.gone.is_some() {
            return;
        }
        let wanted = annotation(self.agreement, &self.standing);
        let asked = self.standing.annotation.clone().unwrap_or_default();
        let shown = wanted.violation != asked.violation || (self.standing.shows_due && wanted != asked);
        if !shown {
            return;
        }
        // One that has not left yet would say the same: what is written is looked up when it leaves.
        self.outdated.push(self.record_key(&annotate_item(self.standing.annotations)));
        self.standing.annotation = Some(wanted);
        self.standing.annotations += 1;
        let item = annotate_item(self.standing.annotations);
        effects.push(self.record_effect(&item, Action::Annotate, now, now));
    }

    /// The next moment at which time alone changes something.
    fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        if self.standing.gone.is_some() {
            return None;
        }
        let judged = (0..self.standing.runs.len()).filter_map(|i| self.judged_at(i));
        let runs = self.standing.open_runs().filter(|r| r.paused.is_none() && !r.silent);
        let steps = runs.flat_map(|r| r.steps.iter().filter(|s| s.state == StepState::Pending).map(|s| s.at));
        judged.chain(steps).filter(|at| *at > now).min()
    }
}

/// A step that fell due on a run.
#[derive(Clone, Copy)]
struct Due<'c> {
    /// The run's place in the standing, and the step's in the run.
    i: usize,
    s: usize,
    clock: &'c Clock,
    step: &'c Step,
    now: Timestamp,
}

/// What follows a missed deadline waits until it is certain that it was missed.
/// Annotations are numbered, so that each is issued once.
fn annotate_item(number: u32) -> String {
    format!("annotate/{number}")
}

fn due_steps(run: &Run, now: Timestamp) -> Vec<usize> {
    let certain = |s: &StepRun| s.at < run.deadline || run.breached.is_some() || run.silent;
    let due = |s: &StepRun| s.state == StepState::Pending && s.at <= now && certain(s);
    run.steps.iter().enumerate().filter(|(_, s)| due(s)).map(|(i, _)| i).collect()
}

/// The step as the agreement has it now; `None` when this version knows it no more.
fn step_of<'c>(clock: &'c Clock, run: &Run, s: usize) -> Option<&'c Step> {
    clock.steps.iter().find(|step| step.name == run.steps[s].name)
}

fn channel(address: &Address) -> Recipient {
    match address {
        Address::Slack(channel) => Recipient::Slack(channel.clone()),
        Address::Email(address) => Recipient::Email(address.clone()),
    }
}

/// The channels that a party gave for itself.
pub fn party_channels(agreement: &Agreement, party: &PartyName) -> Vec<Recipient> {
    agreement.party(party).map(|p| p.notify.iter().map(channel).collect()).unwrap_or_default()
}

/// Whether the lead was recycled as often as the agreement allows.
pub(super) fn is_capped(agreement: &Agreement, standing: &Standing, now: Timestamp) -> bool {
    let Some(cap) = agreement.recycling.as_ref().and_then(|r| r.at_most) else { return false };
    let recent = standing.recycles.iter().filter(|at| now - **at <= cap.within).count();
    recent >= cap.times as usize
}

fn effect_key(standing: &Standing, rest: &[&str]) -> EffectKey {
    let key = &standing.key;
    let pass = standing.pass.to_string();
    let parts = [key.connection.as_str(), key.object.as_str(), key.id.as_str(), &pass];
    let all: Vec<String> = parts.iter().chain(rest).map(|p| escape(p)).collect();
    EffectKey::new(all.join("/"))
}

/// What our own fields on the record should say now.
pub fn annotation(agreement: &Agreement, standing: &Standing) -> Annotation {
    let next = standing.open_runs().filter(|r| r.paused.is_none() && !r.silent).min_by_key(|r| r.deadline);
    Annotation {
        violation: violation_text(agreement, standing),
        due: next.map(|r| r.deadline),
        clock: next.map(|r| r.clock.clone()),
        last_action: standing.last_action.clone(),
    }
}
