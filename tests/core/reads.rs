//! What only a read reveals: when it is believed to have happened, first imports, records first
//! seen late, and touches that have a time of their own.

use crate::clocks::ACCEPT;
use crate::story::Story;
use leadpact::record::What;

const RUNS: &str = "clock_started met met_late breached cancelled transferred paused resumed";

#[test]
fn an_end_that_a_read_reveals_is_believed_at_the_earliest_moment() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 09:00", "status=MQL").read("Mon 10:00", "Mon 09:00", "status=MQL");
    story.until("Mon 17:00").read("Mon 18:00", "Mon 17:30", "status=Accepted");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00; met Mon 10:00");
}

#[test]
fn a_start_that_a_read_reveals_is_believed_at_the_latest_moment() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 08:00", "status=Open").read("Mon 08:30", "Mon 08:00", "status=Open");
    story.read("Mon 12:00", "Mon 11:00", "status=MQL");
    assert_eq!(story.told(RUNS), "clock_started Mon 11:00");
}

#[test]
fn a_field_cannot_have_changed_before_it_took_the_value_that_was_heard_of() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 08:00", "status=Open").read("Mon 08:30", "Mon 08:00", "status=Open");
    story.event("Mon 09:00", "status=MQL").read("Mon 12:00", "Mon 11:00", "status=Accepted");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00; met Mon 09:00");
}

#[test]
fn a_late_event_replaces_what_a_read_had_to_guess() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 09:00", "status=MQL").read("Mon 09:10", "Mon 09:00", "status=MQL");
    story.read("Mon 18:00", "Mon 12:00", "status=Accepted");
    assert_eq!(story.told("met"), "met Mon 09:10");
    story.heard("Mon 12:00", "status=Accepted");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00; met Mon 12:00");
}

#[test]
fn a_read_wins_over_an_older_event_that_comes_after_it() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 09:00", "status=MQL").read("Mon 12:00", "Mon 11:00", "status=Accepted");
    story.heard("Mon 10:00", "status=Nurture").until("Mon 13:00");
    assert_eq!(story.standing.stage.as_ref().map(|s| s.as_str()), Some("tal"));
}

#[test]
fn an_event_later_than_the_read_stands() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 09:00", "status=MQL").event("Mon 12:00", "status=Accepted");
    story.change_read("Mon 11:00", "Mon 09:00", "status=MQL");
    assert_eq!(story.told("met"), "met Mon 12:00");
    assert_eq!(story.standing.stage.as_ref().map(|s| s.as_str()), Some("tal"));
}

#[test]
fn a_first_import_lists_what_it_finds_and_fires_nothing() {
    let steps = "steps = [{ at = \"50%\", notify = [\"owner\"] }, { at = \"due\", notify = [\"owner\"] }]";
    let mut story = Story::lead(&format!("{ACCEPT}{steps}\n"));
    story.imported("Tue 09:00", "Mon 09:00", "status=MQL").until("Fri 09:00");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00");
    assert_eq!(story.told("imported step_fired"), "imported Tue 09:00");
    assert_eq!(
        story.journal.iter().find(|f| f.kind.as_str() == "imported").map(|f| f.detail["clocks"].to_string()),
        Some("[\"Accept\"]".into())
    );
    assert_eq!(story.todo(), "");
    story.event("Fri 10:00", "status=Accepted");
    assert_eq!(story.told("met met_late breached"), "met Fri 10:00");
}

#[test]
fn an_import_with_history_measures_and_fires_only_what_falls_due_later() {
    let steps = "steps = [{ at = \"50%\", notify = [\"owner\"] }, { at = \"due\", notify = [\"owner\"] }]";
    let mut story = Story::lead(&format!("{ACCEPT}{steps}\n"));
    story.imported("Mon 12:00", "Mon 09:00", "status=MQL").heard("Mon 09:00", "status=MQL");
    assert_eq!(story.told("imported step_fired"), "imported Mon 12:00");
    story.until("Mon 14:00");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00; breached Mon 13:00");
    assert_eq!(story.told("step_fired"), "step_fired due Mon 13:00");
}

#[test]
fn a_record_first_seen_late_fires_from_its_true_time() {
    let steps = "steps = [{ at = \"50%\", notify = [\"owner\"] }, { at = \"due\", notify = [\"owner\"] }]";
    let mut story = Story::lead(&format!("{ACCEPT}{steps}\n"));
    story.read("Mon 14:00", "Mon 09:00", "status=MQL score=60 company=Acme");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00; breached Mon 13:00");
    assert_eq!(story.todo(), "notify owner Mon 14:00");
}

#[test]
fn touches_have_the_time_of_the_last_one() {
    let clock = ACCEPT.replace("'reached(\"tal\")'", "'touches >= 1'");
    let mut story = Story::lead(&clock);
    story.event("Mon 09:00", "status=MQL").read("Mon 09:10", "Mon 09:00", "status=MQL touches=3");
    story.read("Mon 18:00", "Mon 16:00", "status=MQL touches=4 last_touch=Mon@12:00 score=7");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00; met Mon 12:00");
}

#[test]
fn of_the_first_count_only_the_last_touch_can_be_the_runs() {
    let clock = ACCEPT.replace("'reached(\"tal\")'", "'touches >= 1'");
    let mut before = Story::lead(&clock);
    before.event("Mon 09:00", "status=MQL");
    before.read("Mon 10:00", "Mon 09:00", "status=MQL touches=3 last_touch=Mon@08:59");
    assert_eq!(before.told(RUNS), "clock_started Mon 09:00");
    let mut since = Story::lead(&clock);
    since.event("Mon 09:00", "status=MQL");
    since.read("Mon 10:00", "Mon 09:50", "status=MQL touches=3 last_touch=Mon@09:30");
    assert_eq!(since.told(RUNS), "clock_started Mon 09:00; met Mon 09:30");
}

#[test]
fn a_breach_that_a_read_disproves_is_withdrawn_with_all_that_followed() {
    let clock = format!("{ACCEPT}pauses = 'on_hold == true'\n");
    let mut story = Story::lead(&clock);
    story.event("Mon 09:00", "status=MQL").read("Mon 09:10", "Mon 09:00", "status=MQL");
    story.until("Mon 14:00").event("Mon 15:00", "owner=bob");
    assert_eq!(story.told("breached spared"), "breached Mon 13:00; spared Mon 15:00");
    story.read("Mon 18:00", "Mon 17:00", "status=MQL owner=bob on_hold=true");
    assert_eq!(story.told(RUNS), "clock_started Mon 09:00; paused Mon 09:10");
    assert_eq!(story.told("spared"), "");
}

#[test]
fn a_deleted_record_that_somebody_changes_is_read_again() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 08:00", "status=Open").read("Mon 08:30", "Mon 08:00", "status=Open");
    story.happened("Mon 09:00", What::Deleted);
    assert!(!story.standing.reading);
    story.event("Mon 10:00", "status=MQL");
    assert!(story.standing.reading, "it may be there after all");
    story.read("Mon 10:01", "Mon 10:00", "status=MQL");
    assert_eq!(story.told("restored clock_started"), "restored Mon 10:01; clock_started Mon 10:01");
}

#[test]
fn a_read_of_a_deleted_record_finds_it_alive() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 09:00", "status=MQL").happened("Mon 10:00", What::Deleted);
    story.read("Mon 11:00", "Mon 09:00", "status=MQL").until("Mon 12:00");
    assert_eq!(story.told("deleted restored"), "deleted Mon 10:00; restored Mon 11:00");
    assert_eq!(story.told("clock_started"), "clock_started Mon 09:00; clock_started#2 Mon 11:00");
}

#[test]
fn the_first_sight_of_a_record_asks_for_one_read() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 09:00", "status=Open").event("Mon 09:01", "score=70");
    story.effect("read");
    story.ends("read", leadpact::record::Outcome::Parked { error: "500".into() }).event("Mon 09:02", "score=71");
    assert_eq!(story.outbox.len(), 0, "a read that was given up is not asked for again at once");
}

#[test]
fn two_values_of_one_moment_ask_for_a_read() {
    let mut story = Story::lead(ACCEPT);
    story.event("Mon 08:00", "status=Open").read("Mon 08:00:01", "Mon 08:00", "status=Open");
    story.outbox.clear();
    story.event("Mon 09:00", "status=MQL score=1").heard("Mon 09:00", "score=2");
    let reads = story.outbox.iter().filter(|e| e.action.as_str() == "read");
    assert_eq!(reads.map(|e| e.not_before).min(), Some(crate::story::at("Mon 09:00")), "{:?}", story.outbox);
}
