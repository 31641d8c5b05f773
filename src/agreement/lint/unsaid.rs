//! What an agreement leaves unsaid. None of it is wrong; all of it is what people later quarrel about.

use crate::agreement::model::{Agreement, Clock, Ending, Handoff, Measure, Move, Party, Stage, Until};
use crate::agreement::predicate::{Joined, Part, Predicate};
use crate::record::{Object, PartyName};

/// One sentence for each gap, in the order of the agreement.
pub fn unsaid(agreement: &Agreement) -> Vec<String> {
    let mut said = Vec::new();
    said.extend(of_the_whole(agreement));
    said.extend(agreement.parties.iter().filter(|party| !promises(agreement, party)).map(|party| {
        format!("{} promises nothing: no handoff, requirement or commitment names it as the one who owes.", party.name)
    }));
    said.extend(without_channel(agreement));
    said.extend(of_stages(agreement));
    said.extend(agreement.handoffs.iter().flat_map(|handoff| of_handoff(agreement, handoff)));
    said.extend(of_chain(agreement));
    said.extend(agreement.clocks.iter().filter_map(of_clock));
    said.extend(of_recycling(agreement));
    said.extend(one_sided(agreement));
    said.extend(of_currency(agreement));
    if agreement.handoffs.is_empty() {
        said.push("No handoff: nobody passes a lead to anybody.".to_owned());
    }
    if agreement.commitments.is_empty() {
        said.push("No commitments: nothing is measured over a period.".to_owned());
    }
    if agreement.reviews.is_empty() {
        said.push("No review: nobody meets over what was promised.".to_owned());
    }
    if agreement.resolutions.is_empty() {
        said.push("No conflict-resolution steps: a dispute has no next person to go to.".to_owned());
    }
    said
}

fn of_the_whole(agreement: &Agreement) -> Vec<String> {
    let mut said = Vec::new();
    match agreement.parties.iter().filter(|party| party.signs.is_some()).count() {
        0 => said.push("No signatories: nobody signs this agreement.".to_owned()),
        1 => said.push("Only one party signs: an agreement has two sides.".to_owned()),
        _ => {}
    }
    if agreement.effective.is_none() {
        said.push("No `effective` day: it holds from the moment it is read.".to_owned());
    }
    if agreement.review_by.is_none() {
        said.push("No `review_by` day: nobody is reminded to look at it again.".to_owned());
    }
    said
}

fn promises(agreement: &Agreement, party: &Party) -> bool {
    agreement.clocks.iter().any(|clock| clock.party == party.name)
        || agreement.requirements.iter().any(|requirement| requirement.by == party.name)
        || agreement.commitments.iter().any(|commitment| commitment.by == party.name)
}

fn of_handoff(agreement: &Agreement, handoff: &Handoff) -> Vec<String> {
    let name = &handoff.name;
    let mut said = Vec::new();
    if handoff.definition.is_none() {
        said.push(format!("{name}: no definition says which records may be handed over."));
    }
    if handoff.clocks.is_empty() {
        said.push(format!("{name}: no deadline; {} may take as long as it likes.", handoff.to));
    } else if !handoff.clocks.iter().any(|clock| has_back_end(agreement, &agreement.clocks[*clock])) {
        said.push(format!("{name}: no back end; a record that nobody moves on stays where it is for ever."));
    }
    if handoff.reject.is_none() {
        said.push(format!("{name}: no agreed reasons for which {} may reject a record.", handoff.to));
    }
    said
}

/// Whether a clock ends a record's stay: by taking it away, or by asking for an opportunity or an ending.
fn has_back_end(agreement: &Agreement, clock: &Clock) -> bool {
    let taken =
        clock.steps.iter().any(|step| matches!(step.moves, Some(Move::Recycle | Move::Nurture | Move::Reassign(_))));
    taken || asks_for_an_end(agreement, clock)
}

fn asks_for_an_end(agreement: &Agreement, clock: &Clock) -> bool {
    let Until::Condition(until) = &clock.until else { return false };
    let is_end = |stage: &Stage| stage.of == Object::Opportunity || stage.ends == Some(Ending::Nurture);
    until.stages().into_iter().any(|at| is_end(&agreement.stages[at]))
}

/// The sender should be who got the record at the handoff before.
fn of_chain(agreement: &Agreement) -> Vec<String> {
    let mut handoffs: Vec<&Handoff> = agreement.handoffs.iter().collect();
    handoffs.sort_by_key(|handoff| handoff.at);
    let broken = handoffs.windows(2).filter(|two| two[0].to != two[1].from);
    let said = broken.map(|two| {
        let [before, after] = [two[0], two[1]];
        format!("{}: {} hands over, but {} gave the record to {}.", after.name, after.from, before.name, before.to)
    });
    said.collect()
}

/// From the first handoff on, a record at a stage without a running clock can rest there for ever.
fn of_stages(agreement: &Agreement) -> Vec<String> {
    let Some(first) = agreement.handoffs.iter().map(|handoff| handoff.at).min() else { return vec![] };
    let stages = agreement.stages.iter().enumerate().skip(first);
    let unwatched = stages.filter(|(at, stage)| {
        stage.ends.is_none() && !agreement.clocks.iter().any(|clock| runs_at(agreement, clock, *at))
    });
    let said = unwatched.map(|(_, stage)| {
        format!("{} ({}): no clock runs at this stage; a record may rest there for ever.", stage.term, stage.name)
    });
    said.collect()
}

/// Whether a clock can still run over a record at this stage: it began there or before, on that kind of
/// record, and being there does not end it.
fn runs_at(agreement: &Agreement, clock: &Clock, at: usize) -> bool {
    let began = clock.starts_at <= at && clock.object == agreement.stages[at].of;
    began && !matches!(&clock.until, Until::Condition(until) if is_met_at(agreement, until, at))
}

/// Whether being at the stage is enough: one of its alternatives asks for no more than having reached it.
fn is_met_at(agreement: &Agreement, until: &Predicate, at: usize) -> bool {
    let (joined, parts) = until.parts();
    let reached = |name: &str| agreement.stage_index(name).is_some_and(|stage| stage <= at);
    let is_met = |part: &Part| matches!(&part.about[..], [one] if one.strip_prefix("reached ").is_some_and(reached));
    match joined {
        Joined::Any => parts.iter().any(is_met),
        Joined::Alone | Joined::All => parts.iter().all(is_met),
    }
}

/// A side that promises nothing to whoever promises it something.
fn one_sided(agreement: &Agreement) -> Vec<String> {
    let mut pairs: Vec<(&PartyName, &PartyName)> = agreement.commitments.iter().map(|c| (&c.by, &c.to)).collect();
    pairs.sort();
    pairs.dedup();
    let answers = |by: &PartyName, to: &PartyName| {
        let owes = |handoff: &Handoff| (&handoff.from, &handoff.to) == (to, by) && !handoff.clocks.is_empty();
        pairs.contains(&(by, to)) || agreement.handoffs.iter().any(owes)
    };
    let alone = pairs.iter().filter(|(by, to)| by != to && !answers(to, by));
    alone.map(|(by, to)| format!("{by} is committed to {to}, and {to} to nothing in return.")).collect()
}

/// Whoever cannot be found is replaced by the party's channel.
fn without_channel(agreement: &Agreement) -> Vec<String> {
    let told = |party: &&Party| {
        let owes = |clock: &&Clock| clock.party == party.name;
        let tells = |clock: &Clock| clock.steps.iter().any(|step| !step.notify.is_empty());
        party.notify.is_empty() && agreement.clocks.iter().filter(owes).any(tells)
    };
    let parties = agreement.parties.iter().filter(told);
    parties
        .map(|party| format!("{}: no channel in `notify`; what finds no person is told to nobody.", party.name))
        .collect()
}

fn of_recycling(agreement: &Agreement) -> Option<String> {
    let endless = agreement.recycling.as_ref().is_some_and(|recycling| recycling.at_most.is_none());
    endless.then(|| "Recycling has no `at_most`: a lead that nobody works goes round for ever.".to_owned())
}

fn of_currency(agreement: &Agreement) -> Option<String> {
    let sums = agreement.commitments.iter().any(|c| matches!(c.measure, Measure::RevenueShare(_)));
    let unsaid = sums && agreement.currency.is_none();
    unsaid.then(|| "No [currency]: revenue in several currencies cannot be added up.".to_owned())
}

fn of_clock(clock: &Clock) -> Option<String> {
    clock.steps.is_empty().then(|| format!("{}: nothing happens when it is missed; it is only measured.", clock.name))
}
