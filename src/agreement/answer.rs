//! What people answer to a promise whose clock runs, from Slack or an e-mail: what each answer may be
//! and does. Who may answer is not decided here; that a click was theirs neither. An answer is kept
//! beside the history, which cannot tell it; what it writes lands like any other write.

use super::fold::{About, Fold, details};
use super::model::{Agreement, ClockOf, Handoff, Span, Step};
use super::span;
use super::standing::{Run, Standing, StepState};
use crate::record::change::FieldValues;
use crate::record::field::well_known;
use crate::record::{Action, Actor, Answer, Effect, FactKind, Reply, Timestamp, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::sync::Arc;

/// How many answers are remembered for each record.
const ANSWERS_KEPT: usize = 8;

/// What a person answered to a promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    pub reply: Reply,
    /// When it was applied.
    pub at: Timestamp,
    /// Their name.
    pub by: String,
    /// Of `on_it`: until when nothing takes the lead away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Of `snooze`: the step whose notice it put off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_by: Option<Arc<str>>,
    pub state: GivenState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GivenState {
    /// What it writes is on its way to the CRM.
    Pending,
    Done,
    /// It changed nothing; why.
    Failed(String),
}

/// What may be answered to a run now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    pub accept: bool,
    /// The agreed reasons; empty where it cannot be rejected this way.
    pub reasons: Vec<String>,
    pub on_it: bool,
    /// By how much the owner's next notice is put off.
    pub snooze: Option<Span>,
}

impl Offered {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What can be answered about this run as it stands: nothing for mandatory fields, nor once an answer
/// was given that decides.
pub fn offered(agreement: &Agreement, standing: &Standing, run: &Run) -> Offered {
    let Some(handoff) = handoff_of(agreement, run).filter(|_| run.is_open() && standing.gone.is_none()) else {
        return Offered::default();
    };
    if is_converted(standing) || decided(standing, run).is_some() {
        return Offered::default();
    }
    let is_current = standing.handoff.as_ref() == Some(&handoff.name);
    let here = is_current && standing.stage.as_ref() == Some(&agreement.stages[handoff.at].name);
    let rejectable = handoff.reject.as_ref().filter(|reject| is_current && !reject.writes.set.is_empty());
    Offered {
        accept: here && !handoff.accept.set.is_empty(),
        reasons: rejectable.map(|reject| reject.allowed.clone()).unwrap_or_default(),
        on_it: said(standing, run, &Answer::OnIt).is_none(),
        snooze: has_next_notice(agreement, run).then_some(handoff.snooze).filter(|_| !snoozed(standing, run)),
    }
}

/// Why this cannot be answered any more, as the rest of a sentence about the record.
pub fn hindrance(agreement: &Agreement, standing: &Standing, reply: &Reply) -> Option<String> {
    if standing.gone.is_some() {
        return Some("the record is gone".to_owned());
    }
    let run = standing.run(&reply.clock, reply.run).filter(|r| standing.pass == reply.pass && r.is_open());
    let Some(run) = run else { return Some("the clock has ended".to_owned()) };
    if let Some(given) = decided(standing, run) {
        return Some(format!("{} has answered already", given.by));
    }
    if standing.owner() != reply.owner {
        return Some("it has another owner now".to_owned());
    }
    let offered = offered(agreement, standing, run);
    let may = match &reply.answer {
        Answer::Accept => offered.accept,
        Answer::Reject { reason } => offered.reasons.contains(reason),
        Answer::OnIt => offered.on_it,
        Answer::Snooze => offered.snooze.is_some(),
    };
    (!may).then(|| match &reply.answer {
        Answer::Accept => "it is past the point of being accepted".to_owned(),
        Answer::Reject { .. } => "it cannot be rejected for this reason".to_owned(),
        Answer::OnIt => "somebody said so already".to_owned(),
        Answer::Snooze => "there is no further reminder to put off, or one was put off already".to_owned(),
    })
}

/// What an answer leaves on the record, in words: `Accepted by Ben Castillo via Slack`.
pub fn in_words(answer: &Answer, by: &str, via: &str) -> String {
    match answer {
        Answer::Accept => format!("Accepted by {by} via {via}"),
        Answer::Reject { reason } => format!("Rejected by {by} via {via}: {reason}"),
        Answer::OnIt => format!("{by} is on it, said via {via}"),
        Answer::Snooze => format!("{by} put the next reminder off, via {via}"),
    }
}

fn handoff_of<'a>(agreement: &'a Agreement, run: &Run) -> Option<&'a Handoff> {
    match agreement.clock_named(&run.clock)?.of {
        ClockOf::Handoff(h) => agreement.handoffs.get(h),
        ClockOf::Requirement(_) => None,
    }
}

fn is_converted(standing: &Standing) -> bool {
    standing.fields.get(well_known().converted).as_bool() == Some(true)
}

/// The answers of this run that stand or are on their way.
fn of_run<'s>(standing: &'s Standing, run: &Run) -> impl Iterator<Item = &'s Given> {
    let (clock, number, pass) = (run.clock.clone(), run.number, standing.pass);
    let lives = |g: &&Given| !matches!(g.state, GivenState::Failed(_));
    standing.answers.iter().filter(lives).filter(move |g| {
        let reply = &g.reply;
        reply.clock == clock && reply.run == number && reply.pass == pass
    })
}

fn said<'s>(standing: &'s Standing, run: &Run, answer: &Answer) -> Option<&'s Given> {
    of_run(standing, run).find(|g| &g.reply.answer == answer)
}

fn snoozed(standing: &Standing, run: &Run) -> bool {
    said(standing, run, &Answer::Snooze).is_some()
}

/// An answer that decides about the handoff.
fn decided<'s>(standing: &'s Standing, run: &Run) -> Option<&'s Given> {
    of_run(standing, run).find(|g| matches!(g.reply.answer, Answer::Accept | Answer::Reject { .. }))
}

fn has_next_notice(agreement: &Agreement, run: &Run) -> bool {
    let steps = agreement.clock_named(&run.clock).map(|c| c.steps.as_slice()).unwrap_or_default();
    let tells = |name: &str| steps.iter().any(|s| &*s.name == name && tells_owner(s));
    run.steps.iter().any(|s| s.state == StepState::Pending && tells(&s.name))
}

fn tells_owner(step: &Step) -> bool {
    step.notify.contains(&super::model::Audience::Owner)
}

/// Until when somebody's word keeps a run from taking the lead away.
pub(super) fn on_it_until(standing: &Standing, run: &Run) -> Option<Timestamp> {
    said(standing, run, &Answer::OnIt)?.until
}

/// Who said to be on it after this notice fell due: it need not be told any more.
pub(super) fn who_is_on_it<'s>(standing: &'s Standing, effect: &Effect, run: &Run) -> Option<&'s str> {
    let given = said(standing, run, &Answer::OnIt).filter(|g| effect.at <= g.at)?;
    Some(&given.by)
}

/// Whether this run's step was put off by a snooze.
pub(super) fn is_put_off(standing: &Standing, run: &Run, step: &str) -> bool {
    said(standing, run, &Answer::Snooze).is_some_and(|g| g.used_by.as_deref() == Some(step))
}

/// Whether the answer's write is still for the situation that it was given in.
pub(super) fn still_holds(standing: &Standing, reply: &Reply) -> Result<(), &'static str> {
    match standing.run(&reply.clock, reply.run).filter(|_| standing.pass == reply.pass) {
        None => Err("a new pass began"),
        Some(run) if !run.is_open() => Err("the clock has ended"),
        Some(_) if is_converted(standing) => Err("the lead is converted and cannot be written"),
        Some(_) if standing.owner() != reply.owner => Err("it has another owner now"),
        Some(_) => Ok(()),
    }
}

impl Fold<'_> {
    /// A person answers: noted, and what it writes is issued.
    pub(super) fn answer_ordered(&mut self, by: String, reply: Reply, now: Timestamp) -> Vec<Effect> {
        if self.standing.answers.iter().any(|g| g.reply.id == reply.id) {
            return Vec::new();
        }
        let hindrance = hindrance(self.agreement, &self.standing, &reply);
        let state = match &hindrance {
            Some(why) => GivenState::Failed(why.clone()),
            None if self.written(&reply).is_some() => GivenState::Pending,
            None => GivenState::Done,
        };
        let until = (reply.answer == Answer::OnIt).then(|| now + self.spare_for());
        let given = Given { at: now, by: by.clone(), until, state: state.clone(), used_by: None, reply };
        if let Some(why) = hindrance {
            self.tell_unanswered(&given, &why, now);
        } else if state == GivenState::Done {
            self.tell_answer(&given, now);
        }
        self.remember_answer(given.clone());
        match state {
            GivenState::Failed(_) => Vec::new(),
            GivenState::Pending => self.write_answer(given, now).into_iter().collect(),
            GivenState::Done => self.note_answer(&given, now).into_iter().collect(),
        }
    }

    fn remember_answer(&mut self, given: Given) {
        let answers = &mut self.standing.answers;
        answers.push(given);
        if answers.len() > ANSWERS_KEPT {
            // What still counts for the pass is kept before what is over.
            let pass = self.standing.pass;
            let over = |g: &Given| g.reply.pass != pass || matches!(g.state, GivenState::Failed(_));
            let oldest = answers.iter().position(over).unwrap_or(0);
            answers.remove(oldest);
        }
    }

    /// What the answer writes; `None`: nothing.
    fn written(&self, reply: &Reply) -> Option<FieldValues> {
        let run = self.standing.run(&reply.clock, reply.run)?;
        let handoff = handoff_of(self.agreement, run)?;
        let mut set = match &reply.answer {
            Answer::Accept => handoff.accept.set.clone(),
            Answer::Reject { reason } => {
                let reject = handoff.reject.as_ref()?;
                let mut set = reject.writes.set.clone();
                set.retain(|(name, _)| *name != reject.reason);
                set.push((reject.reason, Value::text(reason)));
                set
            }
            Answer::OnIt | Answer::Snooze => FieldValues::new(),
        };
        // A lead that is nobody's yet is taken by whoever says that they work it.
        if reply.takes && matches!(reply.answer, Answer::Accept | Answer::OnIt) {
            set.extend(reply.person.as_ref().map(|id| (well_known().owner, Value::text(id.as_str()))));
        }
        (!set.is_empty()).then_some(set)
    }

    fn write_answer(&mut self, given: Given, now: Timestamp) -> Option<Effect> {
        let set = self.written(&given.reply)?;
        let deadline = self.standing.run(&given.reply.clock, given.reply.run).map(|r| r.deadline);
        let item = format!("answer/{}", given.reply.id);
        let (source, run) = (given.reply.clock.clone(), given.reply.run);
        let action = Action::Answer { set, by: given.by, reply: given.reply };
        Some(Effect { source, run, deadline, ..self.record_effect(&item, action, now, now) })
    }

    /// An activity on the record that names the person, since the write itself bears our user's name.
    fn note_answer(&self, given: &Given, now: Timestamp) -> Option<Effect> {
        if given.reply.answer == Answer::Snooze {
            return None;
        }
        let text = Arc::from(in_words(&given.reply.answer, &given.by, &given.reply.via));
        let item = format!("note/{}", given.reply.id);
        let (source, run) = (given.reply.clock.clone(), given.reply.run);
        Some(Effect { source, run, ..self.record_effect(&item, Action::Note { text }, now, now) })
    }

    /// What an answer wrote has landed on the record.
    pub(super) fn answer_landed(&mut self, reply: &Reply, at: Timestamp, now: Timestamp) -> Vec<Effect> {
        let Some(given) = self.standing.answers.iter_mut().find(|g| g.reply.id == reply.id) else { return Vec::new() };
        given.state = GivenState::Done;
        let given = given.clone();
        self.tell_answer(&given, at);
        self.note_answer(&given, now).into_iter().collect()
    }

    /// It was not written, and the run may be answered again.
    pub(super) fn answer_failed(&mut self, action: &Action, why: &str) {
        let Action::Answer { reply, .. } = action else { return };
        if let Some(given) = self.standing.answers.iter_mut().find(|g| g.reply.id == reply.id) {
            given.state = GivenState::Failed(why.to_owned());
        }
    }

    fn tell_answer(&mut self, given: &Given, at: Timestamp) {
        let reply = &given.reply;
        let mut detail = details([
            ("answer", reply.answer.as_str().into()),
            ("name", given.by.as_str().into()),
            ("via", reply.via.as_str().into()),
        ]);
        if let Answer::Reject { reason } = &reply.answer {
            detail.insert("reason".to_owned(), reason.as_str().into());
        }
        detail.extend(given.until.map(|until| ("until".to_owned(), until.as_millis().into())));
        let about = About { source: &reply.clock, run: reply.run, item: &reply.id };
        self.fact(FactKind::Replied, at, about, &actor(reply), detail).pass = reply.pass;
        self.standing.last_action = Some(in_words(&reply.answer, &given.by, &reply.via));
    }

    fn tell_unanswered(&mut self, given: &Given, why: &str, now: Timestamp) {
        let reply = &given.reply;
        let action = ("action", Json::from("answer"));
        let detail = details([action, ("by", given.by.as_str().into()), ("why", why.into())]);
        let about = About { source: &reply.clock, run: reply.run, item: &reply.id };
        self.fact(FactKind::Dropped, now, about, &actor(reply), detail).pass = reply.pass;
    }

    /// When the owner is told of a step that falls due: later by the agreed span, once a run, where
    /// somebody asked for it; never by more than `spare`.
    pub(super) fn put_off(&mut self, run: usize, step: usize, not_before: Timestamp) -> Timestamp {
        let spare = self.spare_for();
        let of = &self.standing.runs[run];
        let (name, at) = (of.steps[step].name.clone(), of.steps[step].at);
        let Some(clock) = self.clock(&of.clock) else { return not_before };
        let Some(handoff) = handoff_of(self.agreement, of) else { return not_before };
        let id = said(&self.standing, of, &Answer::Snooze).filter(|g| g.used_by.is_none() && g.at < at);
        let Some(id) = id.map(|g| g.reply.id.clone()) else { return not_before };
        for given in self.standing.answers.iter_mut().filter(|g| g.reply.id == id) {
            given.used_by = Some(name.clone());
        }
        let later = span::after(self.agreement.calendar_of(clock), not_before, handoff.snooze);
        later.min(not_before + spare).max(not_before)
    }
}

/// Who did it, for the journal and for what follows from a person's change.
pub(super) fn actor(reply: &Reply) -> Actor {
    reply.person.clone().map_or(Actor::Unknown, Actor::Person)
}
