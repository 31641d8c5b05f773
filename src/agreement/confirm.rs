//! The last check before an effect leaves: is it still wanted, now that the record was just read?

use super::fold::view;
use super::model::Agreement;
use super::standing::{Run, Standing};
use super::steps::{annotation, is_capped};
use crate::record::effect::Notice;
use crate::record::{Action, Effect, Elapsed, Timestamp};

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

/// News of a move that has been made.
fn is_told(action: &Action) -> bool {
    matches!(action, Action::Notify { notice: Notice::Recycled | Notice::Reassigned | Notice::Nurtured, .. })
}

/// Our fields are written only where they do not say it already; a converted lead is read-only.
fn confirm_annotation(agreement: &Agreement, standing: &Standing) -> Verdict {
    let w = crate::record::field::well_known();
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
    if effect.action.moves() { confirm_move(agreement, standing, run, effect, now) } else { Verdict::Send }
}

/// Taking a lead from somebody: exclusions, freeze days, a person's sign of life, the cap.
fn confirm_move(agreement: &Agreement, standing: &Standing, run: &Run, effect: &Effect, now: Timestamp) -> Verdict {
    let excluded = agreement.recycling.as_ref().and_then(|r| r.exclude.as_ref());
    if excluded.is_some_and(|p| p.holds(&view(agreement, standing, None))) {
        return drop("excluded from recycling");
    }
    if let Some(spared) = run.spared.filter(|s| s.until > now) {
        return Verdict::Wait(spared.until);
    }
    if let Some(freeze) = agreement.freezes.iter().find(|f| f.from <= now && now < f.until) {
        return Verdict::Wait(freeze.until);
    }
    if matches!(effect.action, Action::Recycle { .. }) && is_capped(agreement, standing, now) {
        return drop("recycled as often as the agreement allows");
    }
    Verdict::Send
}
