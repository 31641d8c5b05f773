//! The life of a clock: every row of the design's table of events.

use crate::story::{Story, agreement, said, terms};
use leadpact::record::{Actor, Object, RecordId, What};

/// Teleprospecting accepts within four hours on the clock.
pub const ACCEPT: &str = r#"
  [[handoff.clock]]
  name   = "Accept"
  until  = 'reached("tal")'
  within = "4h"
"#;

const RUNS: &str = "clock_started met met_late breached cancelled transferred answered paused resumed";

fn accept(more: &str) -> String {
    format!("{ACCEPT}{more}\n")
}

fn accepted(clock: &str) -> Story {
    let mut story = Story::lead(clock);
    story.event("Mon 08:00", "status=Open").event("Mon 09:00", "status=MQL");
    story
}

fn check(clock: &str, happens: impl FnOnce(&mut Story), expected: &str) {
    let mut story = accepted(clock);
    happens(&mut story);
    assert_eq!(story.told(RUNS), expected);
}

#[test]
fn a_run_starts_at_the_time_of_the_change_and_not_of_its_arrival() {
    let mut story = Story::lead(ACCEPT);
    story.until("Mon 12:00").heard("Mon 09:00", "status=MQL").until("Mon 12:59");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00");
    story.until("Mon 13:00");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00; breached Mon 13:00");
}

#[test]
fn nothing_runs_for_a_handoff_before_the_agreement_is_in_effect() {
    let text = terms(ACCEPT).replace("effective = 2027-01-01", "effective = 2027-01-05");
    let mut story = Story::of(Object::Lead, agreement(&text));
    story.event("Mon 09:00", "status=MQL").until("Wed 00:00");
    assert_eq!(story.told(RUNS), "");
    assert_eq!(story.told("handed_over"), "handed_over Mon 09:00");
    story.event("Wed 09:00", "status=TQL");
    assert_eq!(story.told("clock_started"), "clock_started Wed 09:00");
}

#[test]
fn an_answer_at_the_very_deadline_is_in_time() {
    check(ACCEPT, |s| drop(s.event("Mon 13:00", "status=Accepted")), "clock_started Mon 09:00; met Mon 13:00");
}

#[test]
fn an_answer_after_the_deadline_is_late_and_measured() {
    check(
        ACCEPT,
        |s| drop(s.event("Mon 15:00", "status=Accepted")),
        "clock_started Mon 09:00; breached Mon 13:00; met_late Mon 15:00",
    );
}

#[test]
fn a_deadline_is_missed_once() {
    check(
        ACCEPT,
        |s| drop(s.until("Mon 14:00").asleep_until("Tue 09:00").asleep_until("Wed 09:00")),
        "clock_started Mon 09:00; breached Mon 13:00",
    );
}

#[test]
fn jumping_over_a_stage_meets_its_clock_at_once() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 08:00", "status=Open").event("Mon 09:00", "status=Working");
    assert_eq!(story.told("handed_over"), "handed_over Mon 09:00; handed_over Mon 09:00");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00; met Mon 09:00; clock_started Mon 09:00");
}

#[test]
fn at_an_ending_a_clock_is_met_where_its_condition_holds_and_else_cancelled() {
    let mut story = accepted(ACCEPT);
    story.event("Mon 10:00", "status=TQL").event("Mon 11:00", "status=Nurture");
    let expected = "clock_started Mon 09:00; met Mon 10:00; clock_started Mon 10:00; met Mon 11:00";
    assert_eq!(story.told(RUNS), expected);
    check(
        ACCEPT,
        |s| drop(s.event("Mon 10:00", "status=Nurture").until("Tue 10:00")),
        "clock_started Mon 09:00; cancelled Mon 10:00",
    );
}

#[test]
fn a_rejection_for_an_agreed_reason_meets_the_clocks_of_its_handoff() {
    check(
        ACCEPT,
        |s| drop(s.event("Mon 10:00", "status=Rejected reject_reason=duplicate").until("Tue 10:00")),
        "clock_started Mon 09:00; met Mon 10:00",
    );
}

#[test]
fn a_reason_of_another_handoff_is_no_agreed_reason() {
    check(
        ACCEPT,
        |s| drop(s.event("Mon 10:00", "status=Rejected reject_reason=budget").until("Tue 10:00")),
        "clock_started Mon 09:00; breached Mon 13:00",
    );
}

#[test]
fn a_rejection_without_a_reason_leaves_the_clock_running_until_the_reason_is_given() {
    let mut story = accepted(ACCEPT);
    story.event("Mon 10:00", "status=Rejected").until("Mon 14:00").event("Mon 15:00", "reject_reason=student");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00; breached Mon 13:00; met_late Mon 15:00");
    assert_eq!(story.told("rejected"), "rejected Mon 15:00");
    assert_eq!(story.told("stage_entered").split("; ").last(), Some("stage_entered rejected Mon 15:00"));
}

#[test]
fn a_reason_given_while_the_form_settles_counts_from_the_rejection() {
    check(
        ACCEPT,
        |s| drop(s.event("Mon 12:59:55", "status=Rejected").event("Mon 13:00:09", "reject_reason=student")),
        "clock_started Mon 09:00; met Mon 12:59:55",
    );
    check(
        ACCEPT,
        |s| drop(s.event("Mon 12:59:55", "status=Rejected").event("Mon 13:00:11", "reject_reason=student")),
        "clock_started Mon 09:00; breached Mon 13:00; met_late Mon 13:00:11",
    );
}

#[test]
fn a_rejection_that_is_taken_back_was_none() {
    let mut story = accepted(ACCEPT);
    story.event("Mon 10:00", "status=Rejected").event("Mon 10:00:10", "status=Accepted").until("Tue 09:00");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00; met Mon 10:00:10");
    assert_eq!(story.told("rejected violation_opened"), "");
}

#[test]
fn while_it_is_paused_time_stands_still() {
    let clock = accept("pauses = 'on_hold == true'");
    check(
        &clock,
        |s| {
            s.event("Mon 10:00", "on_hold=true").until("Tue 10:00").event("Tue 11:00", "on_hold=false");
            assert_eq!(said(s.standing.runs[0].deadline), "Tue 14:00");
            s.until("Wed 00:00");
        },
        "clock_started Mon 09:00; paused Mon 10:00; resumed Tue 11:00; breached Tue 14:00",
    );
}

#[test]
fn a_pause_keeps_the_remaining_open_time() {
    let clock = accept("pauses = 'on_hold == true'").replace("4h", "4bh");
    check(
        &clock,
        |s| drop(s.event("Mon 10:00", "on_hold=true").event("Mon 16:00", "on_hold=false").until("Wed 00:00")),
        "clock_started Mon 09:00; paused Mon 10:00; resumed Mon 16:00; breached Tue 11:00",
    );
}

#[test]
fn a_clock_met_while_paused_is_met_in_time_unless_it_was_late_before() {
    let clock = accept("pauses = 'on_hold == true'");
    check(
        &clock,
        |s| drop(s.event("Mon 10:00", "on_hold=true").event("Tue 10:00", "status=Accepted")),
        "clock_started Mon 09:00; paused Mon 10:00; met Tue 10:00",
    );
    check(
        &clock,
        |s| drop(s.event("Mon 14:00", "on_hold=true").event("Tue 10:00", "status=Accepted")),
        "clock_started Mon 09:00; breached Mon 13:00; paused Mon 14:00; met_late Tue 10:00",
    );
}

#[test]
fn a_cancelling_condition_ends_the_run_without_a_breach() {
    check(
        &accept("cancels = 'customer == true'"),
        |s| drop(s.event("Mon 10:00", "customer=true").until("Tue 10:00")),
        "clock_started Mon 09:00; cancelled Mon 10:00",
    );
}

#[test]
fn a_record_that_is_deleted_or_merged_away_owes_nothing() {
    let merged = What::Merged { into: RecordId::new("2") };
    for what in [What::Deleted, merged] {
        check(
            ACCEPT,
            |s| drop(s.happened("Mon 10:00", what).until("Tue 10:00")),
            "clock_started Mon 09:00; cancelled Mon 10:00",
        );
    }
}

#[test]
fn a_restored_record_starts_its_clocks_anew_and_is_read() {
    let mut story = accepted(ACCEPT);
    story.read("Mon 09:01", "Mon 09:00", "status=MQL").happened("Mon 10:00", What::Deleted);
    story.outbox.clear();
    story.happened("Mon 11:00", What::Restored);
    let expected = "clock_started Mon 09:00; cancelled Mon 10:00; clock_started#2 Mon 11:00";
    assert_eq!(story.told(RUNS), expected);
    story.effect("read");
}

#[test]
fn back_before_the_stage_cancels_and_a_second_start_in_the_pass_is_no_second_delivery() {
    let mut story = accepted(ACCEPT);
    story.event("Mon 10:00", "status=Open").event("Mon 11:00", "status=MQL");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00; cancelled Mon 10:00; clock_started#2 Mon 11:00");
    assert_eq!(story.told("handed_over pass_began"), "pass_began first Mon 08:00; handed_over Mon 09:00");
}

#[test]
fn at_no_stage_at_all_a_clock_has_nothing_to_stand_on() {
    check(ACCEPT, |s| drop(s.event("Mon 10:00", "status=Strange")), "clock_started Mon 09:00; cancelled Mon 10:00");
}

#[test]
fn a_new_owner_gets_a_fresh_clock() {
    let clock = accept("restarts_on = [\"owner\"]");
    check(
        &clock,
        |s| drop(s.event("Mon 12:00", "owner=bob").until("Mon 15:59").until("Mon 16:00")),
        "clock_started Mon 09:00; transferred Mon 12:00; clock_started#2 Mon 12:00; breached#2 Mon 16:00",
    );
    check(&clock, |s| drop(s.event("Mon 12:00", "touches=1")), "clock_started Mon 09:00");
}

#[test]
fn a_touch_starts_a_clock_anew_that_counts_from_the_last_one() {
    let clock = accept("restarts_on = [\"touch\"]");
    check(
        &clock,
        |s| drop(s.event("Mon 12:00", "touches=1").event("Mon 15:00", "touches=2")),
        "clock_started Mon 09:00; answered Mon 12:00; clock_started#2 Mon 12:00; answered#2 Mon 15:00; \
         clock_started#3 Mon 15:00",
    );
}

#[test]
fn touches_count_from_the_start_of_the_run() {
    let clock = accept("").replace("'reached(\"tal\")'", "'touches >= 2'");
    let mut story = Story::lead(&clock);
    story.event("Mon 08:00", "status=Open").read("Mon 08:01", "Mon 08:00", "status=Open touches=5");
    story.event("Mon 09:00", "status=MQL").event("Mon 10:00", "touches=6");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00");
    story.event("Mon 11:00", "touches=7");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00; met Mon 11:00");
}

#[test]
fn the_first_count_that_is_heard_of_was_raised_by_one() {
    let clock = accept("").replace("'reached(\"tal\")'", "'touches >= 2'");
    check(
        &clock,
        |s| drop(s.event("Mon 10:00", "touches=8").event("Mon 11:00", "touches=9")),
        "clock_started Mon 09:00; met Mon 11:00",
    );
}

#[test]
fn an_opportunity_made_of_the_lead_reaches_the_first_opportunity_stage() {
    let mut story = Story::lead("");
    story.event("Mon 09:00", "status=TQL").event("Mon 10:00", "opportunity=006");
    assert_eq!(story.told("converted met"), "converted Mon 10:00; met Mon 10:00");
}

#[test]
fn a_conversion_meets_what_waited_for_it_even_where_the_status_leaves_every_stage() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 09:00", "status=TQL");
    story.event("Mon 10:00", "converted=true opportunity=006 status=Converted");
    let expected = "clock_started Mon 09:00; met Mon 09:00; clock_started Mon 09:00; met Mon 10:00";
    assert_eq!(story.told(RUNS), expected);
    assert_eq!(story.told("violation_opened"), "");
}

#[test]
fn a_conversion_without_an_opportunity_cancels_and_is_a_violation() {
    let mut story = Story::lead("");
    story.event("Mon 09:00", "status=TQL").event("Mon 10:00", "converted=true");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00; cancelled Mon 10:00");
    assert_eq!(story.told("violation_opened converted"), "violation_opened conversion Mon 10:00");
    story.event("Mon 11:00", "opportunity=006");
    assert_eq!(story.told("violation_closed"), "violation_closed conversion Mon 11:00");
}

#[test]
fn automation_answers_a_clock_like_a_person() {
    let mut story = accepted(ACCEPT);
    story.until("Mon 10:00").heard_by("Mon 10:00", "status=Accepted", Actor::Automation);
    assert_eq!(story.told("met"), "met Mon 10:00");
}
