//! Passes through the waterfall: when one begins, of which kind, and what belongs to it.

use crate::clocks::ACCEPT;
use crate::story::Story;
use leadpact::agreement::standing::PassKind;

fn check(events: &[(&str, &str)], expected: &str) -> Story {
    let mut story = Story::lead(ACCEPT);
    for (when, fields) in events {
        story.event(when, fields);
    }
    assert_eq!(story.told("pass_began"), expected);
    story
}

#[test]
fn a_pass_begins_when_a_record_first_enters_the_waterfall() {
    check(
        &[("Mon 08:00", "status=Odd"), ("Mon 09:00", "status=Open"), ("Mon 10:00", "status=TQL")],
        "pass_began first Mon 09:00",
    );
    check(&[("Mon 08:00", "status=Nurture"), ("Mon 09:00", "status=Open")], "pass_began first Mon 09:00");
}

#[test]
fn back_from_an_ending_it_is_revived_and_counts_again() {
    let story = check(
        &[("Mon 09:00", "status=MQL"), ("Mon 10:00", "status=Nurture"), ("Tue 09:00", "status=MQL")],
        "pass_began first Mon 09:00; pass_began revived Tue 09:00",
    );
    assert_eq!(story.standing.pass_kind, PassKind::Revived);
    assert!(story.standing.pass_kind.is_delivery());
    assert_eq!(story.told("clock_started"), "clock_started Mon 09:00; clock_started Tue 09:00");
    assert_eq!(story.standing.checks.len(), 1, "the sender answers for it anew");
}

#[test]
fn from_one_ending_to_another_no_pass_begins() {
    check(
        &[("Mon 09:00", "status=MQL"), ("Mon 10:00", "status=Nurture"), ("Mon 11:00", "status=Rejected")],
        "pass_began first Mon 09:00",
    );
}

#[test]
fn back_to_an_earlier_handoffs_stage_it_is_returned_and_blames_nobody_again() {
    let story = check(
        &[("Mon 09:00", "status=MQL"), ("Mon 10:00", "status=Accepted"), ("Mon 11:00", "status=MQL")],
        "pass_began first Mon 09:00; pass_began returned Mon 11:00",
    );
    assert_eq!(story.told("clock_started"), "clock_started Mon 09:00; clock_started Mon 11:00");
    assert!(story.standing.checks.is_empty() && !story.standing.pass_kind.is_delivery());
}

#[test]
fn back_to_a_stage_of_no_handoff_the_pass_goes_on() {
    let story = check(&[("Mon 09:00", "status=TQL"), ("Mon 10:00", "status=Accepted")], "pass_began first Mon 09:00");
    assert_eq!(story.standing.party.as_ref().map(|p| p.as_str()), Some("tele"));
    assert_eq!(story.told("cancelled"), "cancelled Mon 10:00");
    assert_eq!(story.standing.furthest.as_ref().map(|s| s.as_str()), Some("tql"), "reached belongs to the pass");
}

#[test]
fn the_party_is_the_receiver_of_the_latest_handoff() {
    let mut story = Story::lead("");
    story.event("Mon 09:00", "status=MQL");
    assert_eq!(story.standing.party.as_ref().map(|p| p.as_str()), Some("tele"));
    story.event("Mon 10:00", "status=TQL");
    assert_eq!(story.standing.party.as_ref().map(|p| p.as_str()), Some("field"));
}

#[test]
fn an_opportunity_that_is_opened_again_begins_a_pass() {
    let mut story = Story::opportunity();
    story.event("Mon 09:00", "status=open").event("Mon 10:00", "status=lost").event("Tue 09:00", "status=open");
    assert_eq!(story.told("pass_began"), "pass_began first Mon 09:00; pass_began revived Tue 09:00");
    story.event("Tue 10:00", "status=won");
    assert_eq!(story.told("pass_began").matches("pass_began").count(), 2);
}
