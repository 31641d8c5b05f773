//! Steps: what fires when, what is skipped, what keeps its distance, and when the record is to be
//! looked at again.

use crate::clocks::ACCEPT;
use crate::story::{Story, at, said};
use leadpact::agreement::{Input, Verdict};
use leadpact::record::{Outcome, Recipient};

const STEPS: &str = r##"
  steps  = [
    { at = "50%",   notify = ["owner"] },
    { at = "-30m",  notify = ["owner", "party"] },
    { at = "due",   notify = ["owner", "manager", "slack:#sales"], task = "Accept {{ record.name }}" },
    { at = "+2h",   reassign = "field" },
  ]
"##;

fn started(clock: &str) -> Story {
    let mut story = Story::lead(clock);
    story.event("Mon 09:00", "status=MQL score=60 company=Acme");
    story.read("Mon 09:00:20", "Mon 09:00", "status=MQL score=60 company=Acme");
    story
}

fn with_steps() -> Story {
    started(&format!("{ACCEPT}{STEPS}"))
}

#[test]
fn steps_fire_once_and_in_order() {
    let mut story = with_steps();
    story.until("Tue 09:00");
    assert_eq!(
        story.told("step_fired skipped"),
        "step_fired 50% Mon 11:00; step_fired -30m Mon 12:30; step_fired due Mon 13:00; step_fired +2h Mon 15:00"
    );
    assert_eq!(
        story.todo(),
        "notify owner Mon 11:00; notify owner Mon 12:30; notify slack:#tele Mon 12:30; notify owner Mon 13:00; \
         notify manager Mon 13:00; notify slack:#sales Mon 13:00; task Mon 13:00; reassign Mon 15:00"
    );
}

#[test]
fn of_several_notices_due_together_only_the_last_is_sent() {
    let mut story = with_steps();
    story.asleep_until("Mon 14:00");
    assert_eq!(
        story.told("step_fired skipped"),
        "step_fired 50% Mon 11:00; skipped 50% Mon 11:00; step_fired -30m Mon 12:30; skipped -30m Mon 12:30; \
         step_fired due Mon 13:00"
    );
    assert_eq!(
        story.todo(),
        "notify owner Mon 14:00; notify manager Mon 14:00; notify slack:#sales Mon 14:00; task Mon 14:00"
    );
}

#[test]
fn an_acting_step_keeps_its_distance_from_the_notice_before_it() {
    let mut story = with_steps();
    story.asleep_until("Mon 20:00");
    assert_eq!(said(story.effect("reassign").not_before), "Mon 22:00");
    assert_eq!(story.verdict("reassign"), Verdict::Wait(at("Mon 22:00")));
}

#[test]
fn notices_of_a_business_clock_wait_for_working_hours_and_so_does_what_follows() {
    let steps = r#"steps = [{ at = "due", notify = ["owner"] }, { at = "+1bh", recycle = true }]"#;
    let mut story = started(&format!("{}{steps}\n", ACCEPT.replace("4h", "8bh")));
    story.asleep_until("Mon 21:00");
    assert_eq!(story.todo(), "notify owner Tue 09:00");
    story.until("Tue 12:00");
    assert_eq!(story.todo(), "notify owner Tue 09:00; recycle Tue 10:00");
}

#[test]
fn when_the_run_ends_what_it_issued_is_withdrawn() {
    let mut story = with_steps();
    story.until("Mon 11:30").event("Mon 11:31", "status=Accepted");
    assert_eq!((story.todo(), story.withdrawn), (String::new(), 1));
    story.until("Wed 09:00");
    assert_eq!(story.told("step_fired"), "step_fired 50% Mon 11:00");
}

#[test]
fn a_paused_clock_fires_nothing_and_its_effects_wait() {
    let clock = format!("{ACCEPT}{STEPS}pauses = 'on_hold == true'\n");
    let mut story = started(&clock);
    story.until("Mon 11:00").event("Mon 11:01", "on_hold=true").until("Tue 11:00");
    assert_eq!(story.told("step_fired"), "step_fired 50% Mon 11:00");
    assert!(matches!(story.verdict("notify"), Verdict::Wait(_)));
    assert_eq!(story.standing.wake_at, None);
    story.event("Tue 11:01", "on_hold=false").until("Tue 12:59");
    assert_eq!(story.told("step_fired"), "step_fired 50% Mon 11:00; step_fired -30m Tue 12:30");
}

#[test]
fn nothing_that_follows_a_missed_deadline_fires_while_a_reason_may_still_come() {
    let mut story = with_steps();
    story.until("Mon 12:59:50").event("Mon 12:59:55", "status=Rejected").until("Mon 13:00:09");
    assert_eq!(story.told("breached"), "");
    assert!(!story.told("step_fired").contains("due"));
    story.until("Mon 13:00:10");
    assert_eq!(story.told("breached"), "breached Mon 13:00");
    assert!(story.told("step_fired").contains("due Mon 13:00"));
}

#[test]
fn the_last_check_lets_through_only_what_is_still_wanted() {
    let mut story = with_steps();
    story.until("Mon 11:00");
    assert_eq!(story.verdict("notify"), Verdict::Send);
    let effect = story.effect("notify");
    story.heard("Mon 11:00", "status=Accepted");
    let verdict = leadpact::agreement::confirm(&story.agreement, &story.standing, &effect, story.now);
    assert_eq!(verdict, Verdict::Drop("the clock has ended".into()));
}

#[test]
fn notices_and_tasks_are_journalled_when_they_are_done_and_when_they_are_not() {
    let steps = r#"steps = [{ at = "due", notify = ["owner"], task = "Call" }]"#;
    let mut story = started(&format!("{ACCEPT}{steps}\n"));
    story.until("Mon 13:00");
    let done = |note: &str| Outcome::Done {
        at: at("Mon 13:00"),
        since: at("Mon 13:00"),
        values: vec![],
        note: Some(note.into()),
    };
    story.ends("notify", done("U1")).ends("task", done("00T1"));
    assert_eq!(story.told("notified task_created"), "notified Mon 13:00; task_created Mon 13:00");
    let mut story = started(&format!("{ACCEPT}{steps}\n"));
    story.until("Mon 13:00").ends("notify", Outcome::WouldHave).ends("task", Outcome::Parked { error: "403".into() });
    assert_eq!(story.told("would_have parked"), "would_have Mon 13:00; parked Mon 13:00");
}

#[test]
fn the_manager_and_the_party_are_told_as_the_agreement_says() {
    let mut story = with_steps();
    story.until("Mon 12:30");
    let to: Vec<Recipient> =
        leadpact::agreement::party_channels(&story.agreement, &leadpact::record::PartyName::new("tele"));
    assert_eq!(to, vec![Recipient::Slack("#tele".into())]);
}

#[test]
fn waking_whenever_asked_tells_the_same_as_waking_once_and_never_spins() {
    let mut watched = with_steps();
    watched.until("Tue 09:00");
    let mut asleep = with_steps();
    asleep.asleep_until("Tue 09:00");
    for kinds in ["breached clock_started", "step_fired"] {
        assert_eq!(watched.told(kinds), asleep.told(kinds));
    }
    assert_eq!(watched.standing.wake_at, None);
    let before = watched.journal.len();
    watched.input(Input::Woke);
    assert_eq!(watched.journal.len(), before, "a second look at the same moment finds nothing");
}

#[test]
fn a_record_is_looked_at_again_when_the_next_thing_is_due() {
    let mut story = with_steps();
    let mut moments = vec![];
    while let Some(wake) = story.standing.wake_at {
        moments.push(said(wake));
        story.pass_to(wake);
    }
    assert_eq!(moments, ["Mon 11:00", "Mon 12:30", "Mon 13:00", "Mon 15:00"]);
}
