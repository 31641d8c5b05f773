//! How fast: runs in time, percentiles, and where the time went.

use crate::world::World;
use leadpact::record::{Elapsed, FactKind};
use serde_json::json;

const ON_TIME: &str = "On time | tele | on_time = \"Accept\" | >= 95% | month";
const MEDIAN: &str = "Median | tele | median = \"Accept\" | <= 2bh | month";

#[test]
fn a_run_counts_once_as_met_late_or_breached() {
    let mut world = World::of(&[ON_TIME]);
    world.delivered("met", "01-05 10:00").event("01-05 14:00", "status=Accepted");
    world.delivered("late", "01-05 10:00").event("01-05 14:00:01", "status=Accepted");
    world.delivered("gone", "01-05 10:00").event("01-05 15:00", "status=Nurture");
    assert_eq!(world.january(), "1 of 3, missed");
    let report = world.report("2027-01", "02-01 00:00");
    let line = report.clocks.iter().find(|l| l.clock == "Accept" && l.owner.is_none()).expect("the party's line");
    assert_eq!((line.runs, line.met, line.late, line.breached), (3, 1, 1, 1));
    assert_eq!(report.clocks.iter().filter(|l| l.clock == "Accept").count(), 2, "and that of the owner");
}

#[test]
fn what_was_cancelled_or_transferred_in_time_was_never_decided() {
    let mut world = World::of(&[ON_TIME]);
    world.delivered("a", "01-05 10:00").event("01-05 11:00", "status=Nurture");
    world.delivered("b", "01-05 10:00").event("01-05 13:00", "owner=o9").event("01-05 16:00", "status=Accepted");
    assert_eq!(world.january(), "1 of 1, attained");
}

#[test]
fn a_touch_that_restarts_a_clock_is_an_answer_in_time() {
    let mut world = World::of(&["Touches | tele | on_time = \"Touch\" | >= 50% | month"]);
    let lead = world.delivered("a", "01-05 10:00").read("01-05 10:01", "01-05 10:00", "touches=0");
    lead.event("01-05 11:00", "status=Accepted").event("01-06 10:00", "touches=1");
    // The next one is two days late.
    lead.event("01-10 10:00", "touches=2").event("01-10 11:00", "status=Nurture");
    assert_eq!(world.january(), "1 of 2, attained");
}

#[test]
fn a_run_belongs_to_the_period_of_its_answer_or_of_the_deadline_that_it_missed() {
    let mut world = World::of(&[ON_TIME]);
    // Friday, 29 January 15:00: due on Monday at 11:00.
    world.delivered("a", "01-29 15:00").event("02-01 10:00", "status=Accepted");
    world.delivered("b", "01-29 10:00").event("02-01 10:00", "status=Accepted");
    assert_eq!(world.measured("2027-01", "02-10 00:00"), "0 of 1, missed");
    assert_eq!(world.measured("2027-02", "03-01 00:00"), "1 of 1, attained");
}

#[test]
fn a_run_that_is_due_in_the_period_and_undecided_is_waited_for() {
    let mut world = World::of(&["On time | tele | on_time = \"Accept\" | >= 95% | week"]);
    world.delivered("a", "01-11 10:00").event("01-11 11:00", "status=Accepted");
    world.delivered("b", "01-12 10:00");
    let report = world.report("2027-W02", "01-12 11:00");
    assert_eq!(crate::world::said(&report.commitments[0]), "1 of 1, open, 1 waiting to be decided");
    let forecast = report.commitments[0].measured.forecast.expect("a forecast");
    assert_eq!((forecast.worst, forecast.best, forecast.attains), (Some(0.5), Some(1.0), true));
    let accept = report.clocks.iter().find(|l| l.clock == "Accept").expect("a line");
    assert_eq!((accept.runs, accept.open), (1, 1));
}

#[test]
fn runs_of_unknown_start_measure_nothing() {
    let mut world = World::of(&[ON_TIME]);
    let lead = world.lead("a").imported("01-20 10:00", "01-19 10:00", "status=MQL score=70 company=Acme");
    lead.event("01-22 10:00", "status=Accepted");
    assert_eq!(world.january(), "nothing, no data");
}

#[test]
fn answer_times_are_counted_as_the_clock_counts_and_without_pauses() {
    let mut world = World::of(&[MEDIAN]);
    // An hour on Friday and an hour on Monday.
    world.delivered("a", "01-08 16:00").event("01-11 10:00", "status=Accepted");
    // Three hours, two of them on hold.
    let held = world.delivered("b", "01-12 10:00").event("01-12 10:30", "on_hold=true");
    held.event("01-12 12:30", "on_hold=false").event("01-12 13:00", "status=Accepted");
    world.delivered("c", "01-13 10:00").event("01-13 13:00", "status=Accepted");
    assert_eq!(world.january(), "2h business, attained, 2 of 3 within the target, 2 needed");
}

#[test]
fn an_unanswered_run_counts_as_at_least_so_long() {
    let mut world = World::enforcing(&["P90 | tele | p90 = \"Accept\" | <= 2bh | month"]);
    world.delivered("a", "01-12 10:00").event("01-12 11:00", "status=Accepted");
    // Due on the 29th at 14:00; four business hours more, on the 1st at 10:00, it is recycled.
    world.delivered("b", "01-29 10:00");
    assert_eq!(
        world.measured("2027-01", "01-29 15:00"),
        "at least 5h business, open, 1 of 2 within the target, 2 needed"
    );
    let later = world.report("2027-01", "02-03 00:00");
    assert_eq!(later.commitments[0].measured.short_by.as_deref(), Some("6h of business time over"));
}

#[test]
fn a_target_in_business_days_is_met_by_those_who_answered_by_that_wall_time() {
    let mut world = World::of(&["P90 | tele | p90 = \"Accept\" | <= 1bd | month"]);
    world.delivered("a", "01-08 10:00").event("01-11 10:00", "status=Accepted");
    assert!(world.january().contains("attained, 1 of 1 within"), "{}", world.january());
    world.delivered("b", "01-08 10:00").event("01-11 10:00:01", "status=Accepted");
    assert!(world.january().contains("missed, 1 of 2 within"), "{}", world.january());
}

#[test]
fn the_systems_delay_ends_when_the_owner_had_the_lead_and_could_know() {
    let mut world = World::of(&[]);
    // Nobody owned it for an hour, then it took thirty minutes.
    world.lead("a").event("01-05 10:00", "status=MQL score=70 company=Acme");
    world.lead("a").told(FactKind::Assigned, "01-05 11:00", "o1", json!({}));
    world.lead("a").event("01-05 11:00", "owner=o1").event("01-05 11:30", "status=Accepted");
    // The CRM told us two hours later; it was answered an hour after that.
    world.lead("b").heard("01-06 10:00", "01-06 12:00", "status=MQL score=70 company=Acme owner=o1");
    world.lead("b").event("01-06 13:00", "status=Accepted");
    // Answered before we were told: the owner knew by themselves.
    world.lead("c").heard("01-07 10:00", "01-07 12:00", "status=MQL score=70 company=Acme owner=o1");
    world.lead("c").heard("01-07 11:00", "01-07 12:00", "status=Accepted");
    let report = world.report("2027-01", "02-01 00:00");
    let delay = report.delays.iter().find(|d| d.clock == "Accept").expect("a line");
    let minutes = |m: i64| Elapsed::from_secs(m * 60);
    assert_eq!(delay.answers, 3);
    // The first run was transferred to o1 at 11:00, whose own run began then.
    assert_eq!((delay.unowned_total, delay.untold_total), (minutes(0), minutes(120)));
    assert_eq!((delay.system_total, delay.human_total), (minutes(120), minutes(150)));
    assert_eq!((delay.system_median, delay.human_median), (minutes(0), minutes(60)));
}

#[test]
fn time_without_an_owner_is_the_systems_where_a_new_owner_starts_no_new_clock() {
    let mut world = World::of(&["Touches | tele | on_time = \"Touch\" | >= 50% | month"]);
    let lead = world.lead("a").event("01-05 10:00", "status=MQL score=70 company=Acme");
    lead.read("01-05 10:00:30", "01-05 10:00", "touches=0");
    lead.told(FactKind::Assigned, "01-05 11:00", "o1", json!({})).event("01-05 11:00", "owner=o1");
    lead.event("01-05 13:00", "touches=1").event("01-05 13:30", "status=Nurture");
    let report = world.report("2027-01", "02-01 00:00");
    let delay = report.delays.iter().find(|d| d.clock == "Touch").expect("a line");
    let hours = |h: i64| Elapsed::from_secs(h * 3600);
    assert_eq!((delay.unowned_total, delay.human_total, delay.business), (hours(1), hours(2), false));
}
