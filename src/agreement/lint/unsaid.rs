//! What an agreement leaves unsaid. None of it is wrong; all of it is what people later quarrel about.

use crate::agreement::model::{Agreement, Clock, Handoff, Move, Party};

/// One sentence for each gap, in the order of the agreement.
pub fn unsaid(agreement: &Agreement) -> Vec<String> {
    let mut said = Vec::new();
    said.extend(of_the_whole(agreement));
    said.extend(agreement.parties.iter().filter(|party| !promises(agreement, party)).map(|party| {
        format!("{} promises nothing: no handoff, requirement or commitment names it as the one who owes.", party.name)
    }));
    said.extend(agreement.handoffs.iter().flat_map(|handoff| of_handoff(agreement, handoff)));
    said.extend(agreement.clocks.iter().filter_map(of_clock));
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
    use crate::agreement::model::{Ending, Until};
    use crate::record::Object;
    let Until::Condition(until) = &clock.until else { return false };
    let ends =
        agreement.stages.iter().filter(|stage| stage.of == Object::Opportunity || stage.ends == Some(Ending::Nurture));
    ends.map(|stage| format!("\"{}\"", stage.name)).any(|name| until.source().contains(&name))
}

fn of_clock(clock: &Clock) -> Option<String> {
    clock.steps.is_empty().then(|| format!("{}: nothing happens when it is missed; it is only measured.", clock.name))
}
