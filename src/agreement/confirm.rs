//! The last check before an effect leaves: is it still wanted, now that the record was just read?

use super::answer::{is_put_off, on_it_until, still_holds, who_is_on_it};
use super::fold::view;
use super::model::Agreement;
use super::standing::{Run, Standing};
use super::steps::{annotation, is_capped};
use crate::record::effect::Notice;
use crate::record::field::well_known;
use crate::record::{Action, Effect, EffectKey, Elapsed, Timestamp};

/// What to do with an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Send,
    /// Not before this moment.
    Wait(Timestamp),
    /// Never; the reason is journalled.
    Drop(String),
}

/// How long a paused clock's effect waits before it is looked at again.
const WHILE_PAUSED: Elapsed = Elapsed::from_secs(60);

/// Whether an effect may be carried out now. When unsure it may not: late is recoverable, wrong is not.
pub fn confirm(agreement: &Agreement, standing: &Standing, effect: &Effect, now: Timestamp) -> Verdict {
    if effect.action == Action::Read {
        return Verdict::Send;
    }
    if standing.gone.is_some() {
        return drop("the record is gone");
    }
    if let Action::Undo { of, .. } = &effect.action {
        return confirm_undo(standing, of);
    }
    if let Action::Answer { reply, .. } = &effect.action {
        return still_holds(standing, reply).map_or_else(drop, |()| Verdict::Send);
    }
    if effect.action == Action::Annotate {
        return confirm_annotation(agreement, standing);
    }
    if is_told(&effect.action) {
        return Verdict::Send;
    }
    let Some(run) = standing.run(&effect.source, effect.run).filter(|_| standing.pass == effect.pass) else {
        return drop("a new pass began");
    };
    confirm_run(agreement, standing, run, effect, now)
}

fn drop(reason: &str) -> Verdict {
    Verdict::Drop(reason.to_owned())
}

/// News of a move that has been made, or will not be.
fn is_told(action: &Action) -> bool {
    let Action::Notify { notice, .. } = action else { return matches!(action, Action::Note { .. }) };
    match notice {
        Notice::Recycled | Notice::Reassigned | Notice::Nurtured | Notice::Undone | Notice::Contested => true,
        Notice::Reminder | Notice::Breach | Notice::Violation => false,
    }
}

/// An undo is for the record as our move left it; a converted lead is read-only.
fn confirm_undo(standing: &Standing, of: &EffectKey) -> Verdict {
    let Some(moved) = standing.moves.iter().find(|m| &m.effect == of) else {
        return drop("the move is not known, or was undone already");
    };
    if standing.fields.get(well_known().converted).as_bool() == Some(true) {
        return drop("the lead is converted and cannot be written");
    }
    let shown = moved.wrote.iter().all(|(name, value)| standing.fields.get(*name) == value);
    if shown { Verdict::Send } else { drop("somebody changed it since") }
}

/// Our fields are written only where they do not say it already; a converted lead is read-only.
fn confirm_annotation(agreement: &Agreement, standing: &Standing) -> Verdict {
    let w = well_known();
    if standing.fields.get(w.converted).as_bool() == Some(true) {
        return drop("the lead is converted and cannot be written");
    }
    let wanted = annotation(agreement, standing);
    let shown = standing.fields.get(w.violation).as_text().unwrap_or_default();
    if shown == wanted.violation && !standing.shows_due && standing.fields.field(w.violation).is_some() {
        return drop("the record says so already");
    }
    Verdict::Send
}

fn confirm_run(agreement: &Agreement, standing: &Standing, run: &Run, effect: &Effect, now: Timestamp) -> Verdict {
    if !run.is_open() {
        return drop("the clock has ended");
    }
    if run.paused.is_some() {
        return Verdict::Wait(now + WHILE_PAUSED);
    }
    if effect.not_before > now {
        return Verdict::Wait(effect.not_before);
    }
    let after_deadline = effect.at >= run.deadline;
    if after_deadline && run.breached.is_none() {
        return drop("the deadline was not missed after all");
    }
    if matches!(effect.action, Action::Notify { .. }) {
        if let Some(who) = who_is_on_it(standing, effect, run) {
            return drop(&format!("{who} is on it"));
        }
        // A reminder that was put off beyond the deadline: what falls due there says it better.
        if !after_deadline && now >= run.deadline && is_put_off(standing, run, &effect.step) {
            return drop("the deadline has passed");
        }
    }
    if let Some(held) = held_by_order(standing, &effect.action, now) {
        return held;
    }
    if effect.action.moves() { confirm_move(agreement, standing, run, effect, now) } else { Verdict::Send }
}

/// A person ordered to leave the record alone: whatever would change it is held, clocks and reminders
/// go on.
fn held_by_order(standing: &Standing, action: &Action, now: Timestamp) -> Option<Verdict> {
    let changes = action.moves() || matches!(action, Action::Set { .. });
    let excluded = standing.excluded.as_ref().filter(|_| changes)?;
    match excluded.until {
        Some(until) => (until > now).then_some(Verdict::Wait(until)),
        None => Some(drop(&format!("left alone by order of {}", excluded.by))),
    }
}

/// Taking a lead from somebody: contests, exclusions, freeze days, a person's sign of life, the cap.
fn confirm_move(agreement: &Agreement, standing: &Standing, run: &Run, effect: &Effect, now: Timestamp) -> Verdict {
    if standing.is_contested() {
        return drop("contested: something else keeps changing it back");
    }
    let excluded = agreement.recycling.as_ref().and_then(|r| r.exclude.as_ref());
    if excluded.is_some_and(|p| p.holds(&view(agreement, standing, None))) {
        return drop("excluded from recycling");
    }
    if let Some(spared) = run.spared.filter(|s| s.until > now) {
        return Verdict::Wait(spared.until);
    }
    if let Some(until) = on_it_until(standing, run).filter(|until| *until > now) {
        return Verdict::Wait(until);
    }
    if let Some(freeze) = agreement.freezes.iter().find(|f| f.from <= now && now < f.until) {
        return Verdict::Wait(freeze.until);
    }
    if matches!(effect.action, Action::Recycle { .. }) && is_capped(agreement, standing, now) {
        return drop("recycled as often as the agreement allows");
    }
    Verdict::Send
}
