//! The reference agreement, promise by promise: what it says is what happens. Times are UTC; Boston
//! opens at 14:00.

use crate::story::{Story, agreement, at, said};
use leadpact::agreement::{Verdict, violation_text};
use leadpact::record::{Action, FactKind, Object, Outcome, OwnerId};

const REFERENCE: &str = include_str!("../../config/agreement.toml");

/// Everything that the definitions and handoffs ask for.
const SOUND: &str = "score=80 email=zoe@acme.example company=Acme source=Web campaign=News budget=1 authority=yes \
                     need=yes timeframe=Q1";

fn lead() -> Story {
    Story::of(Object::Lead, agreement(REFERENCE))
}

/// A status with spaces in it; everything else as `fields`.
fn becomes(story: &mut Story, when: &str, status: &str, fields: &str) {
    let mut values = story.values(fields);
    values.push((leadpact::record::FieldName::new("status"), leadpact::record::Value::text(status)));
    let by = leadpact::record::Actor::Person(OwnerId::new("someone"));
    story.until(when).change(leadpact::record::Change {
        at: at(when),
        what: leadpact::record::What::Fields(values),
        by,
    });
}

/// The record is read, and nothing is news.
fn is_read(story: &mut Story, when: &str) {
    let values = story.standing.fields.iter().map(|f| (f.name, f.value.clone())).collect();
    let modified = story.standing.fields.iter().map(|f| f.at).max().expect("fields");
    let reading = leadpact::record::change::Reading { modified, values, import: false, from_now: false };
    story.happened(when, leadpact::record::What::Read(reading));
}

/// Passed to teleprospecting on Monday at 09:00 in Boston.
fn qualified(fields: &str) -> Story {
    let mut story = lead();
    becomes(&mut story, "Mon 14:00", "Qualified by marketing", fields);
    is_read(&mut story, "Mon 14:00:20");
    story
}

/// Passed to field sales on Monday at 09:00 in Boston.
fn qualified_by_tele() -> Story {
    let mut story = lead();
    becomes(&mut story, "Mon 14:00", "Qualified by teleprospecting", &format!("{SOUND} owner=ann touches=0"));
    is_read(&mut story, "Mon 14:00:20");
    story
}

fn facts_of(story: &Story, clock: &str, kinds: &str) -> String {
    let mine = story.live().into_iter().filter(|f| &*f.source == clock);
    let told = mine.filter(|f| kinds.split_whitespace().any(|k| k == f.kind.as_str()));
    told.map(|f| format!("{} {}", f.kind.as_str(), said(f.at))).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_lead_that_does_not_meet_the_definition_is_a_violation_of_the_sender_term_by_term() {
    let story = qualified("score=20 email=zoe@gmail.com company=Acme source=Web campaign=News");
    let failed = story.live().into_iter().find(|f| f.kind == FactKind::DefinitionFailed).expect("told");
    assert_eq!(failed.party.as_ref().map(|p| p.as_str()), Some("marketing"));
    let terms = failed.detail["terms"].as_array().expect("terms");
    let held: Vec<bool> = terms.iter().map(|t| t["held"].as_bool().expect("held")).collect();
    assert_eq!(held, [false, true, false], "score, an address, and not a free one: {terms:?}");
    assert_eq!(
        violation_text(&story.agreement, &story.standing),
        "definition not met at 2027-01-04 09:00 EST: Marketing to teleprospecting (score >= 60 (was 20), \
         !email.endsWith(\"@gmail.com\") (was \"zoe@gmail.com\"))"
    );
    let sound = qualified(SOUND);
    assert_eq!(sound.told("definition_failed violation_opened"), "");
}

#[test]
fn teleprospecting_accepts_or_rejects_within_four_business_hours() {
    let mut story = qualified(&format!("{SOUND} owner=ann"));
    story.until("Tue 20:00");
    let clock = "Accept or reject";
    assert_eq!(
        facts_of(&story, clock, "clock_started step_fired breached"),
        "clock_started Mon 14:00; step_fired Mon 16:00; step_fired Mon 18:15; breached Mon 18:45; step_fired Mon \
         18:45; step_fired Mon 20:45"
    );
    let Action::Reassign { to } = story.effect("reassign").action else { panic!("a reassignment") };
    assert_eq!(to.as_str(), "teleprospecting");
    assert_eq!(story.verdict("reassign"), Verdict::Send);
    let Action::Task { title } = story.effect("task").action else { panic!("a task") };
    assert_eq!(&*title, "Accept or reject {{ record.name }}");
    let mut accepted = qualified(SOUND);
    accepted.event("Mon 18:45", "status=Accepted").until("Wed 00:00");
    assert_eq!(facts_of(&accepted, clock, "met met_late breached"), "met Mon 18:45");
}

#[test]
fn a_rejection_without_an_agreed_reason_is_a_violation_and_the_clock_runs_on() {
    let mut story = qualified(SOUND);
    story.event("Mon 15:00", "status=Rejected reject_reason=boring");
    is_read(&mut story, "Mon 15:00:20");
    assert_eq!(story.told("violation_opened"), "violation_opened rejection Mon 15:00");
    story.until("Mon 19:00");
    assert_eq!(facts_of(&story, "Accept or reject", "met breached"), "breached Mon 18:45");
    let mut agreed = qualified(SOUND);
    agreed.event("Mon 15:00", "status=Rejected reject_reason=Student").until("Tue 00:00");
    assert_eq!(facts_of(&agreed, "Accept or reject", "met breached"), "met Mon 15:00");
    assert_eq!(agreed.told("rejected violation_opened"), "rejected Mon 15:00");
}

#[test]
fn the_first_follow_up_is_owed_within_eight_business_hours_and_anew_by_a_new_owner() {
    let clock = "First follow-up";
    let mut story = qualified_by_tele();
    story.until("Tue 15:00");
    // Eight hours and a quarter are open on Monday.
    assert_eq!(facts_of(&story, clock, "breached"), "breached Mon 22:45");
    let mut passed_on = qualified_by_tele();
    passed_on.event("Mon 20:00", "owner=bob").event("Tue 15:00", "touches=1");
    assert_eq!(
        facts_of(&passed_on, clock, "clock_started transferred met breached"),
        "clock_started Mon 14:00; transferred Mon 20:00; clock_started Mon 20:00; met Tue 15:00"
    );
    assert!(passed_on.whose("met").ends_with("; met bob field_sales tql Tue 15:00"), "{}", passed_on.whose("met"));
}

#[test]
fn six_touches_are_owed_within_ten_business_days() {
    let clock = "Follow-up depth";
    let mut story = qualified_by_tele();
    for n in 1..=5 {
        story.event(&format!("Tue 1{n}:00"), &format!("touches={n}"));
    }
    // Monday the 18th is a holiday.
    story.until("+2 Tue 14:00");
    assert_eq!(facts_of(&story, clock, "breached"), "breached +2 Tue 14:00");
    story.event("+2 Tue 15:00", "touches=6");
    assert_eq!(facts_of(&story, clock, "met_late"), "met_late +2 Tue 15:00");
}

#[test]
fn a_lead_is_promoted_or_disqualified_or_lost_and_a_hold_stops_the_time() {
    let clock = "Promote or disqualify";
    let mut story = qualified_by_tele();
    story.event("Tue 14:00", "on_hold=true").event("Thu 14:00", "on_hold=false");
    // Fifteen business days end on Tuesday the 26th; the hold took two. What remained is open time, and
    // closing time is still open: Wednesday at 18:00 and not Thursday at 09:00, with nothing between.
    story.until("+3 Fri 20:00");
    assert_eq!(
        facts_of(&story, clock, "clock_started paused resumed breached"),
        "clock_started Mon 14:00; paused Tue 14:00; resumed Thu 14:00; breached +3 Wed 23:00"
    );
    assert_eq!(said(story.effect("recycle").at), "+3 Thu 23:00");
    let mut promoted = qualified_by_tele();
    promoted.event("Wed 15:00", "opportunity=006");
    assert_eq!(facts_of(&promoted, clock, "met"), "met Wed 15:00");
    let mut nurtured = qualified_by_tele();
    nurtured.event("Tue 15:00", "touches=1").event("Wed 15:00", "status=Nurture");
    assert_eq!(facts_of(&nurtured, clock, "met"), "met Wed 15:00");
    assert_eq!(nurtured.told("disqualified rejected"), "disqualified Wed 15:00");
}

#[test]
fn no_activity_for_ten_business_days_is_counted_from_the_last_touch() {
    let idle = r#"
  [[handoff.clock]]
  name   = "No activity"
  until  = 'reached("sql") || stage == "nurture"'
  within = "10 business days"
  restarts_on = ["touch"]
  steps  = [{ at = "due", notify = ["manager"] }, { at = "+1bd", recycle = true }]

# ── Passive recycling"#;
    let text = REFERENCE.replace("# ── Passive recycling", idle);
    let mut story = Story::of(Object::Lead, agreement(&text));
    becomes(&mut story, "Mon 14:00", "Qualified by teleprospecting", &format!("{SOUND} owner=ann touches=0"));
    is_read(&mut story, "Mon 14:00:20");
    story.event("Fri 15:00", "touches=1").event("+1 Wed 15:00", "touches=2").until("+2 Fri 00:00");
    assert_eq!(facts_of(&story, "No activity", "breached"), "");
    // Ten business days after Wednesday the 13th, with a holiday between.
    story.until("+3 Fri 00:00");
    assert_eq!(
        facts_of(&story, "No activity", "answered breached"),
        "answered Fri 15:00; answered +1 Wed 15:00; breached +3 Thu 15:00"
    );
}

#[test]
fn value_and_timeframe_are_owed_after_a_day_and_the_violation_clears_itself() {
    let mut story = Story::of(Object::Opportunity, agreement(REFERENCE));
    story.event("Mon 14:00", "status=open owner=ann");
    is_read(&mut story, "Mon 14:01");
    story.until("Tue 13:59");
    assert_eq!(story.told("violation_opened"), "");
    story.until("Tue 14:00");
    assert_eq!(story.whose("violation_opened"), "violation_opened ann field_sales sql Tue 14:00");
    assert!(story.standing.violations[0].flagged);
    story.event("Tue 15:00", "amount=5000 close_date=2027-03-01");
    assert_eq!(story.told("violation_closed"), "violation_closed missing Tue 15:00");
    assert_eq!(violation_text(&story.agreement, &story.standing), "");
}

/// Lets field sales miss its promise; the move that follows lands, and the lead is qualified again.
fn round(story: &mut Story, action: &str, owner: &str) {
    while story.outbox.iter().all(|e| !e.action.moves() || e.action.as_str() == "reassign") {
        let wake = story.standing.wake_at.expect("something is still due");
        story.pass_to(wake);
    }
    let moment = said(story.effect(action).not_before.max(story.now));
    story.until(&moment);
    assert_eq!(story.verdict(action), Verdict::Send);
    let effect = story.effect(action);
    let (Action::Recycle { set, .. } | Action::Nurture { set }) = effect.action else { panic!("a move") };
    let mut values = set.clone();
    values.extend(story.values(&format!("owner={owner}")));
    leadpact::agreement::intend(&mut story.standing, &effect.key, values.clone(), at(&moment));
    story.ends(action, Outcome::Done { at: at(&moment), since: at(&moment), values, note: None });
    story.outbox.clear();
}

#[test]
fn a_lead_is_recycled_twice_and_then_goes_to_nurture() {
    let mut story = qualified_by_tele();
    for (n, owner) in ["tele1", "tele2"].into_iter().enumerate() {
        round(&mut story, "recycle", owner);
        assert_eq!(story.standing.recycles.len(), n + 1);
        assert_eq!(story.standing.stage.as_ref().map(|s| s.as_str()), Some("mql"));
        let again = said(story.now + leadpact::record::Elapsed::from_secs(60));
        becomes(&mut story, &again, "Qualified by teleprospecting", "owner=ann");
    }
    round(&mut story, "nurture", "ann");
    assert_eq!(story.standing.stage.as_ref().map(|s| s.as_str()), Some("nurture"));
    assert_eq!(story.told("recycled nurtured disqualified").matches("recycled").count(), 2);
    assert_eq!(story.live().into_iter().filter(|f| f.kind == FactKind::Disqualified).count(), 0);
    assert!(story.standing.earlier_owners.contains(&OwnerId::new("ann")), "avoided when it is given out again");
}

#[test]
fn nobody_is_moved_at_quarter_end_and_a_customer_never() {
    let mut story = lead();
    // Monday, 8 March: 15 business days end on the 29th, and the recycle falls into the freeze.
    becomes(&mut story, "+9 Mon 14:00", "Qualified by teleprospecting", &format!("{SOUND} owner=ann touches=0"));
    is_read(&mut story, "+9 Mon 14:00:20");
    story.until("+12 Tue 14:00");
    assert_eq!(said(story.effect("recycle").at), "+12 Tue 13:00", "summer time began meanwhile");
    assert_eq!(story.verdict("recycle"), Verdict::Wait(at("+12 Thu 04:00")));
    assert!(story.told("breached").contains("+12 Mon 13:00"), "clocks go on: {}", story.told("breached"));
    story.event("+12 Tue 15:00", "customer=true");
    assert_eq!(story.verdict("recycle"), Verdict::Drop("excluded from recycling".into()));
}
