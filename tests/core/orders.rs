//! People's orders: leave a record alone, go on with it, put back what a move changed.

use crate::recycling::{LANDED, stale};
use crate::story::{Story, at};
use leadpact::agreement::{Input, Verdict};
use leadpact::record::change::FieldValues;
use leadpact::record::{Action, Actor, Ask, EffectKey, FactKind, Object, Order, OwnerId, RecordId, Timestamp};

fn orders(story: &mut Story, ask: Ask) {
    let order = Order { object: Object::Lead, id: RecordId::new("1"), by: "Eve".into(), ask };
    story.input(Input::Ordered(order));
}

fn exclude(story: &mut Story, until: Option<Timestamp>) {
    orders(story, Ask::Exclude { until, why: "our largest customer".into() });
}

#[test]
fn a_record_that_is_excluded_for_good_is_not_moved() {
    let mut story = stale();
    exclude(&mut story, None);
    assert_eq!(story.verdict("recycle"), Verdict::Drop("left alone by order of Eve".into()));
    let told = story.live().into_iter().find(|f| f.kind == FactKind::Excluded).expect("told");
    assert_eq!((&told.detail["by"], &told.detail["why"]), (&"Eve".into(), &"our largest customer".into()));
    orders(&mut story, Ask::Include { why: "lost".into() });
    assert_eq!(story.verdict("recycle"), Verdict::Send);
    assert_eq!(story.told("excluded included"), "excluded Mon 14:00; included Mon 14:00");
}

#[test]
fn an_exclusion_with_an_end_makes_moves_wait_and_ends_in_silence() {
    let mut story = stale();
    exclude(&mut story, Some(at("Wed 09:00")));
    assert_eq!(story.verdict("recycle"), Verdict::Wait(at("Wed 09:00")));
    story.now = at("Wed 09:00");
    assert_eq!(story.verdict("recycle"), Verdict::Send);
    story.input(Input::Woke);
    assert_eq!(story.standing.excluded, None);
    assert_eq!(story.told("excluded included"), "excluded Mon 14:00");
}

#[test]
fn clocks_and_reminders_of_an_excluded_record_go_on_and_fields_are_not_set() {
    let clock = r#"
  [[handoff.clock]]
  name   = "Accept"
  until  = 'reached("tal")'
  within = "4h"
  steps  = [{ at = "50%", notify = ["owner"] }, { at = "due", set = { status = "Nurture" } }]
"#;
    let mut story = Story::lead(clock);
    story.event("Mon 09:00", "status=MQL owner=ann");
    exclude(&mut story, None);
    story.until("Mon 11:00");
    assert_eq!(story.verdict("notify"), Verdict::Send);
    story.until("Mon 13:00");
    assert_eq!(story.told("breached"), "breached Mon 13:00");
    assert_eq!(story.verdict("set"), Verdict::Drop("left alone by order of Eve".into()));
}

#[test]
fn an_order_outlives_late_news() {
    let mut story = stale();
    exclude(&mut story, None);
    story.heard("Mon 09:30", "owner=bob");
    assert!(story.standing.excluded.is_some());
    assert_eq!(story.told("excluded"), "excluded Mon 14:00");
}

/// The key of the move that landed last, and what stood on the record before it, by the journal.
fn last_move(story: &Story) -> (EffectKey, FieldValues) {
    let moved = [FactKind::Recycled, FactKind::Reassigned, FactKind::Nurtured];
    let fact = story.live().into_iter().rfind(|f| moved.contains(&f.kind)).expect("moved");
    let before = serde_json::from_value(fact.detail["before"].clone()).expect("field values");
    (EffectKey::new(&*fact.item), before)
}

fn undo(story: &mut Story) {
    let (effect, values) = last_move(story);
    orders(story, Ask::Undo { effect, values, why: "a mistake".into() });
}

/// Ann's lead at work, recycled to the queue although she had taken it up.
fn recycled() -> Story {
    let clock = r#"
  [[handoff.clock]]
  name   = "Accept"
  until  = 'reached("tal")'
  within = "4h"

  [[handoff.clock]]
  name   = "Work"
  until  = 'reached("sql")'
  within = "5h"
  steps  = [{ at = "due", recycle = true }]
"#;
    let mut story = Story::lead(clock);
    story.event("Mon 09:00", "status=MQL owner=ann score=60 company=Acme").event("Mon 10:00", "status=Accepted");
    story.until("Mon 14:00").lands("recycle", "Mon 14:00:02", LANDED);
    story.outbox.clear();
    story
}

#[test]
fn the_journal_keeps_what_stood_there_before_a_move() {
    let story = recycled();
    let (key, before) = last_move(&story);
    assert_eq!(key.as_str(), "crm/lead/1/1/Work/1/due/recycle/");
    assert_eq!(before, story.values("status=Accepted owner=ann"));
}

#[test]
fn an_undo_puts_the_record_back_and_the_move_counts_no_more() {
    let mut story = recycled();
    assert_eq!((story.standing.recycles.len(), story.standing.earlier_owners.len()), (1, 1));
    story.until("Mon 15:00");
    undo(&mut story);
    assert_eq!(story.verdict("undo"), Verdict::Send);
    let Action::Undo { set, .. } = story.effect("undo").action else { panic!("an undo") };
    assert_eq!(set, story.values("status=Accepted owner=ann"));
    story.lands("undo", "Mon 15:00:02", "status=Accepted owner=ann");
    assert_eq!(story.told("undone"), "undone Mon 15:00:02");
    let told = story.live().into_iter().find(|f| f.kind == FactKind::Undone).expect("told");
    assert_eq!((&*told.item, &told.detail["by"]), ("crm/lead/1/1/Work/1/due/recycle/", &"Eve".into()));
    assert_eq!((story.standing.recycles.len(), story.standing.earlier_owners.len()), (0, 0));
    assert_eq!(story.standing.owner(), Some(OwnerId::new("ann")));
    assert_eq!(story.standing.stage.as_ref().map(|s| s.as_str()), Some("tal"));
}

#[test]
fn after_an_undo_the_clocks_of_the_stage_have_their_full_time_and_nothing_is_met_twice() {
    let mut story = recycled();
    story.until("Mon 15:00");
    undo(&mut story);
    story.lands("undo", "Mon 15:00:02", "status=Accepted owner=ann");
    assert_eq!(
        story.told("pass_began"),
        "pass_began first Mon 09:00; pass_began recycled Mon 14:00:02",
        "no pass begins by itself"
    );
    let open: Vec<_> = story.standing.open_runs().map(|r| (&*r.clock, r.deadline)).collect();
    assert_eq!(open, [("Work", at("Mon 20:00:02"))]);
    assert_eq!(story.told("met"), "met Mon 10:00");
}

#[test]
fn who_has_the_record_again_and_who_had_it_meanwhile_are_told() {
    let mut story = recycled();
    undo(&mut story);
    story.lands("undo", "Mon 15:00:02", "status=Accepted owner=ann");
    assert_eq!(story.todo(), "notify person:ann Mon 15:00:02; notify person:queue Mon 15:00:02");
    story.outbox.truncate(1);
    assert_eq!(story.verdict("notify"), Verdict::Send);
}

#[test]
fn what_somebody_changed_since_is_not_undone() {
    let mut story = recycled();
    story.event("Mon 14:30", "owner=kim");
    undo(&mut story);
    assert_eq!(story.verdict("undo"), Verdict::Drop("somebody changed it since".into()));
}

#[test]
fn a_move_is_undone_once_and_one_that_is_not_known_never() {
    let mut story = recycled();
    undo(&mut story);
    let first = story.effect("undo");
    story.lands("undo", "Mon 15:00:02", "status=Accepted owner=ann");
    let again = leadpact::agreement::confirm(&story.agreement, &story.standing, &first, story.now);
    assert_eq!(again, Verdict::Drop("the move is not known, or was undone already".into()));
    story.outbox.clear();
    undo(&mut story);
    assert_eq!(story.todo(), "");
    assert_eq!(story.told("dropped"), "dropped Mon 15:00:02");
}

#[test]
fn an_undo_that_was_dropped_can_be_ordered_again() {
    let mut story = recycled();
    undo(&mut story);
    let first = story.effect("undo").key;
    story.outbox.clear();
    undo(&mut story);
    assert_ne!(story.effect("undo").key, first);
}

#[test]
fn a_reassignment_that_is_undone_leaves_its_clock_the_full_time() {
    let clock = r#"
  [[handoff.clock]]
  name   = "Accept"
  until  = 'reached("tal")'
  within = "4h"
  steps  = [{ at = "+1h", reassign = "tele" }]
"#;
    let mut story = Story::lead(clock);
    story.event("Mon 09:00", "status=MQL owner=ann").until("Mon 14:00").lands("reassign", "Mon 14:00:02", "owner=kim");
    undo(&mut story);
    story.lands("undo", "Mon 15:00", "owner=ann").until("Tue 00:00");
    assert_eq!(
        story.told("clock_started cancelled breached"),
        "clock_started Mon 09:00; breached Mon 13:00; cancelled Mon 15:00; clock_started#2 Mon 15:00; \
         breached#2 Mon 19:00"
    );
}

#[test]
fn a_nurture_that_is_undone_is_no_second_delivery() {
    let mut story = stale();
    story.lands("recycle", "Mon 14:00:02", LANDED).until("Mon 20:00").lands(
        "nurture",
        "Mon 20:00:01",
        "status=Nurture",
    );
    undo(&mut story);
    story.lands("undo", "Tue 09:00", "status=MQL");
    assert!(!story.standing.pass_kind.is_delivery(), "{:?}", story.standing.pass_kind);
    assert!(story.standing.checks.is_empty());
    assert_eq!(story.standing.recycles.len(), 1, "the recycle before it stands");
}

#[test]
fn late_news_leave_an_undo_undone() {
    let mut story = recycled();
    undo(&mut story);
    story.lands("undo", "Mon 15:00:02", "status=Accepted owner=ann").heard("Mon 09:30", "score=77");
    assert_eq!(story.told("recycled undone"), "recycled Mon 14:00:02; undone Mon 15:00:02");
    assert!(story.standing.recycles.is_empty() && story.standing.moves.is_empty());
    assert!(!story.journal.iter().any(|f| f.kind == FactKind::Withdrawn));
}

fn until_a_move(story: &mut Story) {
    while story.outbox.iter().all(|e| !e.action.moves()) {
        let wake = story.standing.wake_at.expect("something is still due");
        story.pass_to(wake);
    }
}

/// Two recycles of Ann's lead, each changed back by `by`.
fn changed_back(by: &Actor, back: [&str; 2]) -> Story {
    let text = crate::story::terms(crate::recycling::RECYCLE).replace("times = 1", "times = 5");
    let mut story = Story::of(Object::Lead, crate::story::agreement(&text));
    story.event("Mon 09:00", "status=MQL owner=ann score=60 company=Acme").until("Mon 14:00");
    story.lands("recycle", "Mon 14:00:02", "status=MQL owner=queue").until("Mon 14:10");
    story.heard_by("Mon 14:10", back[0], by.clone());
    until_a_move(&mut story);
    let recycle = story.effect("recycle").not_before;
    story.pass_to(recycle);
    let landed = recycle + leadpact::record::Elapsed::from_secs(2);
    let landed = crate::story::said(landed);
    story.lands("recycle", &landed, "status=MQL owner=queue");
    story.outbox.clear();
    let later = crate::story::said(at(&landed) + leadpact::record::Elapsed::from_secs(60));
    story.until(&later).heard_by(&later, back[1], by.clone());
    story
}

#[test]
fn what_an_automation_changes_back_twice_is_contested_and_let_be() {
    for by in [Actor::Automation, Actor::Unknown] {
        let mut story = changed_back(&by, ["owner=ann", "owner=ann"]);
        assert_eq!(story.told("contested").matches("contested").count(), 1, "{by:?}");
        assert!(story.standing.is_contested());
        let to: Vec<String> =
            story.todo().split("; ").map(|t| t.rsplitn(3, ' ').last().unwrap_or("").to_owned()).collect();
        assert_eq!(to, ["notify manager", "notify slack:#tele"]);
        story.outbox.clear();
        until_a_move(&mut story);
        let why = "contested: something else keeps changing it back";
        assert_eq!(story.verdict("recycle"), Verdict::Drop(why.into()), "{by:?}");
        orders(&mut story, Ask::Include { why: "the other flow is off".into() });
        assert_eq!(story.verdict("recycle"), Verdict::Send);
    }
}

#[test]
fn a_person_who_changes_a_move_back_has_decided_and_ends_a_contest() {
    let story = changed_back(&Actor::Person(OwnerId::new("kim")), ["owner=ann", "owner=ann"]);
    assert_eq!(story.told("contested"), "");
    let mut story = changed_back(&Actor::Automation, ["owner=ann", "owner=ann"]);
    assert!(story.standing.is_contested());
    let now = crate::story::said(story.now + leadpact::record::Elapsed::from_secs(60));
    story.event(&now, "owner=kim");
    assert!(!story.standing.is_contested());
}

#[test]
fn another_change_by_an_automation_is_no_contest() {
    let story = changed_back(&Actor::Automation, ["owner=ann", "owner=someone"]);
    assert_eq!(story.told("contested"), "");
}

/// Two recycles of Ann's lead; what happens after each is told by hand.
fn recycled_with(after: &[(&str, &str)]) -> Story {
    let text = crate::story::terms(crate::recycling::RECYCLE).replace("times = 1", "times = 5");
    let mut story = Story::of(Object::Lead, crate::story::agreement(&text));
    story.event("Mon 09:00", "status=Accepted owner=ann score=60 company=Acme").event("Mon 09:01", "status=MQL");
    story.until("Mon 14:01").lands("recycle", "Mon 14:01:02", "status=MQL owner=queue");
    for (when, fields) in after {
        story.until(when).heard_by(when, fields, Actor::Automation);
    }
    story
}

#[test]
fn a_change_back_long_after_the_move_is_no_contest() {
    let soon = recycled_with(&[("Tue 14:01:02", "owner=ann")]);
    assert_eq!(soon.standing.changed_back, 1, "within the day that spares a lead");
    let late = recycled_with(&[("Tue 14:01:03", "owner=ann")]);
    assert_eq!(late.standing.changed_back, 0);
}

#[test]
fn a_move_is_changed_back_once_however_many_events_tell_it() {
    let story = recycled_with(&[("Mon 14:10", "owner=ann"), ("Mon 14:11", "owner=queue"), ("Mon 14:12", "owner=ann")]);
    assert_eq!(story.standing.changed_back, 1);
    assert_eq!(story.told("contested"), "");
}

#[test]
fn a_lead_that_begins_anew_begins_without_the_quarrels_of_before() {
    let story =
        recycled_with(&[("Mon 14:10", "owner=ann"), ("Mon 15:00", "status=Nurture"), ("Mon 16:00", "status=MQL")]);
    assert_eq!(story.standing.changed_back, 0);
}
