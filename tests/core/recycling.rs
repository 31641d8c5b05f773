//! Taking leads back: landing, echoes, sparing, the cap, exclusions, freezes, and who is told.

use crate::story::{Story, agreement, at, said, terms};
use leadpact::agreement::Verdict;
use leadpact::record::{Actor, Object, Outcome, OwnerId};

pub const RECYCLE: &str = r#"
  [[handoff.clock]]
  name   = "Accept"
  until  = 'reached("tal")'
  within = "4h"
  steps  = [{ at = "due", notify = ["owner"] }, { at = "+1h", recycle = true }]
"#;

pub const LANDED: &str = "status=MQL owner=queue";

/// A lead of Ann's that nobody touched; its recycle is due at 14:00.
pub fn stale() -> Story {
    let mut story = Story::lead(RECYCLE);
    story.event("Mon 09:00", "status=MQL owner=ann score=60 company=Acme");
    story.read("Mon 09:00:20", "Mon 09:00", "status=MQL owner=ann score=60 company=Acme").until("Mon 14:00");
    story
}

#[test]
fn a_recycle_that_landed_begins_a_pass_and_starts_its_clocks_anew() {
    let mut story = stale();
    story.lands("recycle", "Mon 14:00:02", LANDED);
    assert_eq!(
        story.told("recycled pass_began"),
        "pass_began first Mon 09:00; recycled Mon 14:00:02; pass_began recycled Mon 14:00:02"
    );
    assert_eq!(story.told("clock_started"), "clock_started Mon 09:00; clock_started Mon 14:00:02");
    assert_eq!((story.standing.pass, story.standing.recycles.len()), (2, 1));
    assert_eq!(story.standing.earlier_owners, vec![OwnerId::new("ann")]);
    assert_eq!(story.told("definition_failed handed_over").matches("handed_over").count(), 2);
}

#[test]
fn the_former_owner_and_the_receiver_are_told_unless_the_agreement_is_quiet() {
    let mut story = stale();
    story.outbox.retain(|e| e.action.moves());
    story.lands("recycle", "Mon 14:00:02", LANDED);
    assert_eq!(story.todo(), "notify person:ann Mon 14:00:02; notify slack:#tele Mon 14:00:02");
    let quiet = terms(RECYCLE).replace("[recycling]", "[recycling]\nquiet = true");
    let mut story = Story::of(Object::Lead, agreement(&quiet));
    story.event("Mon 09:00", "status=MQL owner=ann").until("Mon 14:00");
    story.outbox.retain(|e| e.action.moves());
    story.lands("recycle", "Mon 14:00:02", LANDED);
    assert_eq!(story.todo(), "");
}

/// Nothing may follow from an echo.
fn echo_is_nothing(before_settled: bool, echo: impl FnOnce(&mut Story) -> &mut Story) {
    let mut story = stale();
    story.intends("recycle", "Mon 14:00", LANDED);
    if before_settled {
        echo(&mut story);
        story.settles("recycle", "Mon 14:00:02", LANDED);
    } else {
        story.settles("recycle", "Mon 14:00:02", LANDED);
        echo(&mut story);
    }
    story.until("Mon 14:30");
    let passes = "pass_began first Mon 09:00; pass_began recycled Mon 14:00:02";
    assert_eq!(story.told("pass_began"), passes);
    assert_eq!(
        story.told("spared cancelled clock_started"),
        "clock_started Mon 09:00; cancelled Mon 14:00:02; clock_started Mon 14:00:02"
    );
    assert_eq!(story.standing.owner(), Some(OwnerId::new("queue")));
    assert!(!story.journal.iter().any(|f| f.kind.as_str() == "withdrawn"));
}

#[test]
fn the_echo_of_our_write_is_no_touch_and_no_return() {
    for before in [true, false] {
        echo_is_nothing(before, |s| {
            s.event("Mon 14:00:02", LANDED).heard_by("Mon 14:00:03", "owner=queue", Actor::Unknown)
        });
        echo_is_nothing(before, |s| s.event("Mon 14:00:01", "status=MQL").event("Mon 14:00:02", "owner=queue"));
        echo_is_nothing(before, |s| s.read("Mon 14:00:04", "Mon 14:00:02", LANDED));
        echo_is_nothing(before, |s| s.heard("Mon 14:00:02", LANDED).heard("Mon 14:00:02", LANDED));
    }
}

#[test]
fn what_a_person_did_while_the_write_was_on_its_way_has_its_place() {
    let mut story = stale();
    story.intends("recycle", "Mon 14:00", LANDED).event("Mon 14:00:03", "status=Accepted");
    story.settles("recycle", "Mon 14:00:02", LANDED);
    assert_eq!(story.standing.stage.as_ref().map(|s| s.as_str()), Some("tal"));
    assert_eq!(story.told("met"), "met Mon 14:00:03");
    assert_eq!(story.told("recycled"), "recycled Mon 14:00:02");
}

#[test]
fn an_answer_that_our_write_overtook_brings_nothing_back() {
    const BEFORE: &str = "status=MQL owner=ann score=60 company=Acme";
    // Told before the write is settled, after it, and for a record that was changed in that very second.
    for (settled_first, modified) in [(false, "Mon 09:00"), (true, "Mon 09:00"), (false, "Mon 14:00:02")] {
        let mut story = stale();
        story.read("Mon 14:00:02", modified, BEFORE).intends("recycle", "Mon 14:00:02", LANDED);
        if settled_first {
            story.settles("recycle", "Mon 14:00:02", LANDED);
        }
        story.read("Mon 14:00:02.001", modified, BEFORE);
        if !settled_first {
            story.settles("recycle", "Mon 14:00:02", LANDED);
        }
        assert_eq!(story.standing.owner(), Some(OwnerId::new("queue")), "{settled_first} {modified}");
        assert_eq!(story.told("pass_began"), "pass_began first Mon 09:00; pass_began recycled Mon 14:00:02");
        story.read("Mon 14:00:04", "Mon 14:00:02", "status=MQL owner=queue score=60 company=Acme").until("Mon 14:30");
        assert_eq!(story.told("assigned").matches("assigned").count(), 2, "{}", story.told("assigned"));
    }
}

#[test]
fn who_takes_the_lead_right_after_our_write_has_it() {
    let taken = "status=MQL owner=ann score=60 company=Acme";
    for (read, modified) in
        [("Mon 14:00:04", "Mon 14:00:03"), ("Mon 14:00:04", "Mon 14:00:02"), ("Mon 15:00", "Mon 13:59")]
    {
        let mut story = stale();
        story.read("Mon 14:00:02", "Mon 09:00", taken).lands("recycle", "Mon 14:00:02", LANDED);
        story.read(read, modified, taken);
        assert_eq!(story.standing.owner(), Some(OwnerId::new("ann")), "{read} {modified}");
    }
}

#[test]
fn a_crm_that_counts_whole_seconds_does_not_move_our_write_before_the_deadline() {
    let mut story = Story::lead(&RECYCLE.replace("{ at = \"+1h\", recycle", "{ at = \"+1s\", recycle"));
    story.event("Mon 09:00:00.400", "status=MQL owner=ann score=60 company=Acme").until("Mon 13:00:01.400");
    story.lands("recycle", "Mon 13:00:01", LANDED);
    assert_eq!(story.told("breached recycled"), "breached Mon 13:00:00.400; recycled Mon 13:00:01.401");
}

#[test]
fn a_sign_of_life_after_the_breach_spares_the_lead_once_a_run() {
    for sign in ["touches=1", "owner=bob", "status=Odd"] {
        let mut story = Story::lead(RECYCLE);
        story.event("Mon 09:00", "status=MQL owner=ann touches=0 score=60 company=Acme");
        story.event("Mon 13:30", sign);
        let spared = story.told("spared");
        assert_eq!(spared, if sign == "status=Odd" { "" } else { "spared Mon 13:30" }, "{sign}");
    }
    let mut story = stale();
    story.event("Mon 14:10", "touches=1").event("Mon 15:00", "touches=2").until("Mon 15:30");
    assert_eq!(story.told("spared"), "spared Mon 14:10");
    assert_eq!(story.verdict("recycle"), Verdict::Wait(at("Tue 14:10")));
}

#[test]
fn a_lead_spared_before_its_recycle_falls_due_is_left_until_the_time_is_over() {
    let mut story = Story::lead(RECYCLE);
    story
        .event("Mon 09:00", "status=MQL owner=ann score=60 company=Acme")
        .event("Mon 13:30", "owner=bob")
        .until("Mon 14:00");
    assert_eq!(said(story.effect("recycle").not_before), "Tue 13:30");
    story.until("Tue 13:30");
    assert_eq!(story.verdict("recycle"), Verdict::Send);
}

#[test]
fn a_read_that_shows_a_touch_spares_too() {
    let mut story = stale();
    story.read("Mon 14:00:01", "Mon 13:59", "status=MQL owner=ann touches=1 last_touch=Mon@13:59:58");
    assert_eq!(story.verdict("recycle"), Verdict::Wait(at("Mon 13:59:58") + crate::story::hours(24)));
}

#[test]
fn neither_we_nor_automation_spare_a_lead() {
    let mut story = stale();
    story.heard_by("Mon 13:59", "owner=bot", Actor::Automation);
    assert_eq!(story.told("spared"), "");
    assert_eq!(story.verdict("recycle"), Verdict::Send);
}

#[test]
fn at_the_cap_a_lead_goes_to_nurture() {
    let mut story = stale();
    story.lands("recycle", "Mon 14:00:02", LANDED).until("Mon 20:00");
    story.effect("nurture");
    story.lands("nurture", "Mon 20:00:01", "status=Nurture");
    assert_eq!(story.told("nurtured"), "nurtured Mon 20:00:01");
    assert_eq!(story.standing.stage.as_ref().map(|s| s.as_str()), Some("nurture"));
    assert_eq!(story.standing.pass, 2);
}

#[test]
fn a_customer_is_never_taken_and_nobody_in_the_freeze() {
    let mut story = stale();
    assert_eq!(story.verdict("recycle"), Verdict::Send);
    story.event("Mon 14:01", "customer=true");
    assert_eq!(story.verdict("recycle"), Verdict::Drop("excluded from recycling".into()));
    let mut story = Story::lead(RECYCLE);
    story.event("+2 Wed 09:00", "status=MQL owner=ann").until("+2 Wed 14:00");
    assert_eq!(story.verdict("recycle"), Verdict::Wait(at("+2 Fri 00:00")));
}

#[test]
fn what_was_only_observed_counts_for_nothing() {
    let mut story = stale();
    story.ends("recycle", Outcome::WouldHave).until("Tue 14:00");
    assert_eq!(story.told("would_have recycled"), "would_have Mon 14:00");
    assert_eq!((story.standing.pass, story.standing.recycles.len()), (1, 0));
}

#[test]
fn a_dropped_write_leaves_no_trace_in_what_counts_as_an_echo() {
    let mut story = stale();
    story.intends("recycle", "Mon 14:00", LANDED);
    story.ends("recycle", Outcome::Dropped { reason: "the clock has ended".into() });
    story.event("Mon 14:00:02", "owner=queue");
    assert_eq!(story.standing.owner(), Some(OwnerId::new("queue")));
    assert_eq!(story.told("dropped spared"), "dropped Mon 14:00; spared Mon 14:00:02");
}

#[test]
fn an_effect_of_an_earlier_pass_is_not_carried_out() {
    let mut story = stale();
    let recycle = story.effect("recycle");
    story.event("Mon 14:01", "status=Nurture").event("Mon 14:02", "status=MQL");
    let verdict = leadpact::agreement::confirm(&story.agreement, &story.standing, &recycle, story.now);
    assert_eq!(verdict, Verdict::Drop("a new pass began".into()));
}
