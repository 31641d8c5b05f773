//! Whose a fact is: the owner, party and stage of its moment, whenever it is told and whatever
//! comes late.

use crate::clocks::ACCEPT;
use crate::story::Story;
use leadpact::record::Actor;

#[test]
fn every_change_of_owner_is_told_and_the_first_owner_too() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 09:00", "status=MQL").event("Mon 09:05", "owner=ann");
    story.event("Mon 10:00", "owner=bob").event("Mon 10:30", "owner=bob").event("Mon 11:00", "owner=null");
    assert_eq!(story.told("assigned"), "assigned ann Mon 09:05; assigned bob Mon 10:00; assigned nobody Mon 11:00");
    let from: Vec<_> =
        story.live().iter().filter(|f| f.kind.as_str() == "assigned").map(|f| f.detail["from"].clone()).collect();
    assert_eq!(from, [serde_json::Value::Null, "ann".into(), "bob".into()]);
}

#[test]
fn an_owner_that_a_read_reveals_is_told_at_the_latest_moment() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 09:00", "status=MQL owner=ann").read("Mon 09:10", "Mon 09:00", "status=MQL owner=ann");
    story.read("Mon 12:00", "Mon 11:00", "status=MQL owner=bob");
    assert_eq!(story.told("assigned"), "assigned ann Mon 09:00; assigned bob Mon 11:00");
}

#[test]
fn our_own_moves_are_told_as_changes_of_owner_too() {
    let clock = format!("{ACCEPT}steps = [{{ at = \"+1h\", recycle = true }}]\n");
    let mut story = Story::lead(&clock);
    story.event("Mon 09:00", "status=MQL owner=ann score=60 company=Acme").until("Mon 14:00");
    story.lands("recycle", "Mon 14:00:02", "status=MQL owner=queue");
    assert_eq!(story.told("assigned"), "assigned ann Mon 09:00; assigned queue Mon 14:00:02");
    let ours = story.live().into_iter().rfind(|f| f.kind.as_str() == "assigned").map(|f| f.by.clone());
    assert_eq!(ours, Some(Actor::Leadpact));
}

#[test]
fn a_late_change_of_owner_corrects_whose_the_facts_are() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 09:00", "status=MQL owner=ann").until("Mon 14:00");
    assert_eq!(story.whose("breached"), "breached ann tele mql Mon 13:00");
    story.heard("Mon 12:00", "owner=bob");
    assert_eq!(story.whose("breached"), "breached bob tele mql Mon 13:00");
    let withdrawn = story.journal.iter().filter(|f| f.kind.as_str() == "withdrawn").count();
    assert_eq!(withdrawn, 1, "the breach alone is told anew");
}

#[test]
fn a_breach_that_a_read_tells_of_is_of_who_owned_it_at_the_deadline() {
    let mut told = Vec::new();
    for awake in [true, false] {
        let mut story = Story::lead(ACCEPT);
        story.event("Mon 09:00", "status=MQL owner=ann").read("Mon 09:10", "Mon 09:00", "status=MQL owner=ann");
        if awake {
            story.until("Mon 15:00");
        }
        story.change_read("Mon 15:00", "Mon 14:30", "status=TQL owner=bob");
        told.push(story.whose("assigned stage_entered handed_over met"));
    }
    assert_eq!(told[0], told[1]);
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 09:00", "status=MQL owner=ann").read("Mon 13:00", "Mon 09:00", "status=MQL owner=ann");
    story.change_read("Mon 15:00", "Mon 14:30", "status=MQL owner=bob");
    assert_eq!(story.whose("breached"), "breached ann tele mql Mon 13:00");
}

#[test]
fn what_a_form_lacks_is_held_against_whom_it_was_owed_by() {
    let mut story = Story::opportunity();
    story.event("Mon 09:00", "status=open owner=ann").until("Tue 10:00").event("Tue 10:00", "owner=bob");
    story.read("Tue 11:00", "Tue 10:00", "status=open owner=bob");
    assert_eq!(story.whose("breached"), "breached ann field sql Tue 09:00");
}

#[test]
fn a_run_that_a_new_owner_ends_was_the_former_ones() {
    let mut story = Story::lead(&format!("{ACCEPT}restarts_on = [\"owner\"]\n"));
    story.event("Mon 09:00", "status=MQL owner=ann").event("Mon 12:00", "owner=bob");
    assert_eq!(
        story.whose("transferred clock_started"),
        "clock_started ann tele mql Mon 09:00; transferred ann tele mql Mon 12:00; clock_started bob tele mql Mon 12:00"
    );
}

#[test]
fn a_read_that_reveals_another_owner_from_before_a_breach_corrects_the_breach() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 09:00", "status=MQL owner=ann").read("Mon 09:10", "Mon 09:00", "status=MQL owner=ann");
    story.until("Mon 14:00");
    assert_eq!(story.whose("breached"), "breached ann tele mql Mon 13:00");
    story.read("Mon 15:00", "Mon 12:00", "status=MQL owner=bob");
    assert_eq!(story.whose("assigned"), "assigned ann - - Mon 09:00; assigned bob tele mql Mon 12:00");
    assert_eq!(story.whose("breached"), "breached bob tele mql Mon 13:00");
}
