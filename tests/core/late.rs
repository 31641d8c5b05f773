//! Late changes: what turns out not to have happened is withdrawn, and what was sent stays sent.

use crate::clocks::ACCEPT;
use crate::story::Story;
use leadpact::record::Outcome;

const STEPS: &str = r#"steps = [{ at = "50%", notify = ["owner"] }, { at = "due", notify = ["owner"] }]"#;

fn breached() -> Story {
    let mut story = Story::lead(&format!("{ACCEPT}{STEPS}\n"));
    story.event("Mon 09:00", "status=MQL score=60 company=Acme").until("Mon 14:00");
    assert_eq!(story.told("breached"), "breached Mon 13:00");
    story
}

#[test]
fn a_breach_that_turns_out_not_to_have_happened_is_withdrawn() {
    let mut story = breached();
    story.heard("Mon 12:00", "status=Accepted");
    assert_eq!(story.told("breached met"), "met Mon 12:00");
    let withdrawn: Vec<_> = story.journal.iter().filter(|f| f.kind.as_str() == "withdrawn").collect();
    assert_eq!(withdrawn.len(), 1);
    assert_eq!(&*withdrawn[0].item, "1/Accept/1/breached/");
}

#[test]
fn what_was_sent_stays_sent_and_what_was_not_is_withdrawn() {
    let mut story = breached();
    let first = story.outbox.iter().find(|e| &*e.step == "50%").expect("issued").clone();
    story.outbox.retain(|e| e.key != first.key);
    let done = Outcome::Done { at: story.now, since: story.now, values: vec![], note: None };
    story.input(leadpact::agreement::Input::Settled(first, done));
    story.heard("Mon 12:00", "status=Accepted");
    assert_eq!(
        story.told("step_fired notified"),
        "step_fired 50% Mon 11:00; step_fired due Mon 13:00; notified Mon 14:00"
    );
    assert_eq!(story.todo(), "");
    assert_eq!(story.withdrawn, 1);
}

#[test]
fn steps_that_fired_do_not_fire_again() {
    let mut story = breached();
    story.heard("Mon 10:00", "owner=bob").until("Mon 15:00");
    assert_eq!(story.told("step_fired"), "step_fired 50% Mon 11:00; step_fired due Mon 13:00");
}

#[test]
fn a_run_that_began_and_ended_in_the_past_yields_facts_and_no_effects() {
    let mut story = Story::lead(&format!("{ACCEPT}{STEPS}\n"));
    story.event("Mon 08:00", "status=Open").event("Mon 16:00", "status=Accepted");
    story.outbox.clear();
    story.heard("Mon 09:00", "status=MQL");
    assert_eq!(
        story.told("clock_started breached met_late"),
        "clock_started Mon 09:00; breached Mon 13:00; met_late Mon 16:00"
    );
    assert_eq!(story.todo(), "");
}

#[test]
fn the_same_change_told_again_changes_nothing() {
    let mut story = breached();
    let before = (story.journal.len(), story.standing.clone());
    for _ in 0..3 {
        story.heard("Mon 09:00", "status=MQL score=60 company=Acme").heard("Mon 09:00", "status=MQL");
    }
    assert_eq!((story.journal.len(), story.standing.clone()), before);
}

#[test]
fn what_confirmed_a_value_still_decides_between_two_others() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 09:00", "status=MQL").event("Mon 12:00", "status=MQL").heard("Mon 10:00", "status=Open");
    assert_eq!(story.standing.stage.as_ref().map(|s| s.as_str()), Some("mql"));
    assert_eq!(
        story.told("clock_started cancelled"),
        "clock_started Mon 09:00; cancelled Mon 10:00; clock_started#2 Mon 12:00"
    );
}

#[test]
fn changes_of_one_moment_are_one_change_whatever_comes_first() {
    let told = |first: &str, second: &str| {
        let mut story = Story::lead(&format!("{ACCEPT}restarts_on = [\"owner\"]\n"));
        story.event("Mon 08:00", "status=Open owner=ann").event("Mon 09:00", first).heard("Mon 09:00", second);
        let told = story.told("clock_started transferred stage_entered");
        let mut told: Vec<String> = told.split("; ").map(str::to_owned).collect();
        told.sort();
        told
    };
    assert_eq!(told("status=MQL", "owner=bob"), told("owner=bob", "status=MQL"));
    assert_eq!(told("status=MQL", "status=Accepted"), told("status=Accepted", "status=MQL"));
}

#[test]
fn who_did_what_at_one_moment_does_not_depend_on_what_comes_first() {
    use leadpact::record::{Actor, OwnerId};
    let kim = || Actor::Person(OwnerId::new("kim"));
    let spared = |first: (&str, Actor), second: (&str, Actor)| {
        let mut story = breached();
        story.until("Mon 15:00").heard_by("Mon 15:00", first.0, first.1).heard_by("Mon 15:00", second.0, second.1);
        // Another late change, so that all of it is folded anew.
        story.heard("Mon 14:30", "company=Acme2").told("spared")
    };
    let (owner, status) = ("owner=bob", "status=MQL");
    for (mover, other, expected) in [(kim(), Actor::Automation, "spared Mon 15:00"), (Actor::Automation, kim(), "")] {
        assert_eq!(spared((owner, mover.clone()), (status, other.clone())), expected);
        assert_eq!(spared((status, other), (owner, mover)), expected);
    }
    assert_eq!(spared((owner, Actor::Automation), (owner, kim())), "spared Mon 15:00", "both say so: a person did");
    assert_eq!(spared((owner, kim()), (owner, Actor::Automation)), "spared Mon 15:00");
}
