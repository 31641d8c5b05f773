//! How a pass ends: a rejection before anybody worked the lead is another fact than one after, and
//! than a disqualification.

use crate::clocks::ACCEPT;
use crate::story::Story;
use leadpact::record::{Actor, FactKind};
use serde_json::Value as Json;

const ENDINGS: &str = "rejected disqualified nurtured";

/// `rejected false student`: kind, whether worked, and the reason.
fn endings(story: &Story) -> Vec<String> {
    let text =
        |detail: Option<&Json>| detail.map_or("-".to_owned(), |d| d.as_str().map_or(d.to_string(), str::to_owned));
    let wanted = story.live().into_iter().filter(|f| ENDINGS.split(' ').any(|k| k == f.kind.as_str()));
    wanted
        .map(|f| format!("{} {} {}", f.kind.as_str(), text(f.detail.get("worked")), text(f.detail.get("reason"))))
        .collect()
}

fn check(events: &[(&str, &str)], expected: &[&str]) -> Story {
    let mut story = Story::lead(ACCEPT);
    for (when, fields) in events {
        story.event(when, fields);
    }
    assert_eq!(endings(&story), expected, "{events:?}");
    story
}

#[test]
fn a_lead_rejected_before_anybody_worked_it_is_rejected_unworked() {
    check(
        &[("Mon 09:00", "status=MQL owner=ann"), ("Mon 10:00", "status=Rejected reject_reason=student")],
        &["rejected false student"],
    );
}

#[test]
fn a_rejection_after_the_handoff_was_accepted_says_that_it_was_worked() {
    check(
        &[
            ("Mon 09:00", "status=MQL"),
            ("Mon 10:00", "status=Accepted"),
            ("Mon 11:00", "status=Rejected reject_reason=student"),
        ],
        &["rejected true student"],
    );
    check(
        &[
            ("Mon 08:00", "status=Open touches=2"),
            ("Mon 09:00", "status=MQL"),
            ("Mon 10:00", "touches=3"),
            ("Mon 11:00", "status=Rejected reject_reason=duplicate"),
        ],
        &["rejected true duplicate"],
    );
}

#[test]
fn touches_from_before_the_handoff_are_no_work_of_its_receiver() {
    check(
        &[
            ("Mon 08:00", "status=Open touches=2"),
            ("Mon 08:30", "touches=3"),
            ("Mon 09:00", "status=MQL"),
            ("Mon 11:00", "status=Rejected reject_reason=duplicate"),
        ],
        &["rejected false duplicate"],
    );
}

#[test]
fn a_touch_that_the_same_read_reveals_was_before_the_ending() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 09:00", "status=MQL").read("Mon 09:10", "Mon 09:00", "status=MQL touches=1");
    story.read("Mon 12:00", "Mon 11:50", "status=Nurture touches=2 last_touch=Mon@11:00");
    assert_eq!(endings(&story), ["disqualified - null"]);
}

#[test]
fn nurture_after_work_is_a_disqualification_by_whoever_did_it() {
    let story = check(
        &[
            ("Mon 09:00", "status=MQL owner=ann"),
            ("Mon 10:00", "status=TQL owner=bob"),
            ("Mon 11:00", "status=Working"),
            ("Mon 12:00", "status=Nurture reject_reason=budget"),
        ],
        &["disqualified - budget"],
    );
    assert_eq!(story.whose("disqualified"), "disqualified bob field nurture Mon 12:00");
    let told = story.live().into_iter().find(|f| f.kind == FactKind::Disqualified).expect("told");
    assert_eq!((&*told.source, matches!(told.by, Actor::Person(_))), ("To field", true));
}

#[test]
fn nurture_before_any_work_is_a_rejection() {
    check(&[("Mon 09:00", "status=MQL"), ("Mon 10:00", "status=Nurture")], &["rejected false null"]);
}

#[test]
fn what_was_never_handed_over_is_neither_rejected_nor_disqualified() {
    check(&[("Mon 09:00", "status=Open"), ("Mon 10:00", "status=Nurture")], &[]);
}

#[test]
fn a_reason_from_an_earlier_pass_is_not_the_reason_of_this_one() {
    check(
        &[
            ("Mon 09:00", "status=MQL"),
            ("Mon 10:00", "status=Rejected reject_reason=student"),
            ("Tue 09:00", "status=MQL"),
            ("Tue 10:00", "status=Accepted"),
            ("Tue 11:00", "status=Nurture"),
        ],
        &["rejected false student", "disqualified - null"],
    );
}

#[test]
fn from_one_ending_to_another_nothing_is_judged_again() {
    check(
        &[
            ("Mon 09:00", "status=MQL"),
            ("Mon 10:00", "status=Accepted"),
            ("Mon 11:00", "status=Rejected reject_reason=student"),
            ("Mon 12:00", "status=Nurture"),
        ],
        &["rejected true student"],
    );
}

#[test]
fn our_own_move_to_nurture_is_nobodys_judgement() {
    let mut story = Story::lead(&format!("{ACCEPT}steps = [{{ at = \"due\", nurture = true }}]\n"));
    story.event("Mon 09:00", "status=MQL owner=ann").event("Mon 09:30", "touches=1").until("Mon 13:00");
    story.lands("nurture", "Mon 13:00:02", "status=Nurture");
    assert_eq!(endings(&story), ["nurtured - -"]);
}
