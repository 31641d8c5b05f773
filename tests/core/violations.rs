//! What is owed on the record: opened on a read after the event, flagged, and cleared when mended.

use crate::story::{Story, agreement, at};
use leadpact::agreement::{Verdict, annotation, violation_text};
use leadpact::record::{Object, Timestamp};

const OPENED: &str = "violation_opened violation_closed";

#[test]
fn a_mandatory_field_that_is_missing_after_its_grace_is_a_violation_until_filled() {
    let mut story = Story::opportunity();
    story.event("Mon 09:00", "status=open").read("Mon 09:00:05", "Mon 09:00", "status=open").until("Tue 08:59");
    assert_eq!(story.told(OPENED), "");
    story.until("Tue 09:00");
    assert_eq!(story.told(OPENED), "violation_opened missing Tue 09:00");
    assert_eq!(
        violation_text(&story.agreement, &story.standing),
        "amount, close_date missing since 2027-01-05 09:00 UTC: Value"
    );
    assert_eq!(story.todo(), "notify owner Tue 09:00; annotate Tue 09:00");
    assert_eq!(story.verdict("annotate"), Verdict::Send);
    story.outbox.clear();
    story.event("Tue 10:00", "amount=5000");
    assert_eq!(
        violation_text(&story.agreement, &story.standing),
        "close_date missing since 2027-01-05 09:00 UTC: Value"
    );
    story.outbox.clear();
    story.event("Tue 11:00", "close_date=2027-03-01");
    assert_eq!(story.told(OPENED), "violation_opened missing Tue 09:00; violation_closed missing Tue 11:00");
    assert_eq!(story.told("breached met_late"), "breached Tue 09:00; met_late Tue 11:00");
    assert_eq!(story.todo(), "annotate Tue 11:00");
    assert_eq!(annotation(&story.agreement, &story.standing).violation, "");
}

#[test]
fn what_is_filled_in_within_its_grace_was_never_a_violation() {
    let mut story = Story::opportunity();
    story.event("Mon 09:00", "status=open").read("Mon 09:00:05", "Mon 09:00", "status=open");
    story.event("Tue 09:00", "amount=5000 close_date=2027-03-01").until("Wed 09:00");
    assert_eq!(story.told("met breached violation_opened"), "met Tue 09:00");
    assert_eq!(violation_text(&story.agreement, &story.standing), "");
}

#[test]
fn a_violation_is_told_as_the_agreement_names_it_and_in_its_own_zone() {
    let text = include_str!("../../config/agreement.toml");
    let mut story = Story::of(Object::Opportunity, agreement(text));
    // Monday and Tuesday, 09:00 in Boston.
    story.event("Mon 14:00", "status=open").read("Mon 14:01", "Mon 14:00", "status=open").until("Tue 14:00");
    assert_eq!(
        violation_text(&story.agreement, &story.standing),
        "amount, close_date missing since 2027-01-05 09:00 EST: Value and timeframe of an opportunity"
    );
}

#[test]
fn missing_fields_are_judged_only_on_a_read_made_since() {
    let mut story = Story::opportunity();
    story.event("Mon 09:00", "status=open").until("Tue 10:00");
    assert_eq!(story.told("breached step_fired violation_opened"), "");
    story.effect("read");
    story.read("Tue 10:01", "Mon 09:00", "status=open");
    assert_eq!(story.told("breached violation_opened"), "breached Tue 09:00; violation_opened missing Tue 09:00");
    assert_eq!(
        violation_text(&story.agreement, &story.standing).split(" since").next(),
        Some("amount, close_date missing")
    );
}

#[test]
fn a_late_fill_withdraws_the_violation_that_was_none() {
    let mut story = Story::opportunity();
    story.event("Mon 09:00", "status=open").read("Mon 09:00:05", "Mon 09:00", "status=open").until("Tue 10:00");
    story.heard("Tue 08:00", "amount=1 close_date=2027-03-01");
    assert_eq!(story.told("met breached violation_opened violation_closed"), "met Tue 08:00");
    assert_eq!(annotation(&story.agreement, &story.standing).violation, "");
}

#[test]
fn a_read_that_finds_the_fields_filled_withdraws_it_too() {
    let mut story = Story::opportunity();
    story.event("Mon 09:00", "status=open").read("Mon 09:00:05", "Mon 09:00", "status=open").until("Tue 10:00");
    story.read("Tue 10:01", "Mon 18:00", "status=open amount=1 close_date=2027-03-01");
    assert_eq!(story.told("met breached violation_opened violation_closed"), "met Mon 09:00:05");
}

#[test]
fn a_definition_is_judged_on_a_read_after_the_form_has_settled() {
    let mut story = Story::lead("");
    story.event("Mon 09:00", "status=MQL score=20").read("Mon 09:00:05", "Mon 09:00", "status=MQL score=20");
    assert_eq!(story.told("definition_failed"), "");
    assert_eq!(story.outbox.iter().map(|e| e.not_before).max(), Some(at("Mon 09:00:15")), "a read is asked for then");
    story.read("Mon 09:00:15", "Mon 09:00", "status=MQL score=20");
    assert_eq!(story.told("definition_failed"), "definition_failed Mon 09:00");
    let opened = "violation_opened definition Mon 09:00; violation_opened missing Mon 09:00";
    assert_eq!(story.told(OPENED), opened);
    let failed = story.journal.iter().find(|f| f.kind.as_str() == "definition_failed").expect("told");
    assert_eq!(failed.party.as_ref().map(|p| p.as_str()), Some("marketing"));
    assert_eq!(
        violation_text(&story.agreement, &story.standing),
        "definition not met at 2027-01-04 09:00 UTC: To tele (score >= 60 (was 20)); company missing since 2027-01-04 \
         09:00 UTC: To tele"
    );
    story.event("Mon 12:00", "score=70 company=Acme");
    assert_eq!(violation_text(&story.agreement, &story.standing), "");
}

#[test]
fn what_is_filled_in_while_the_form_settles_is_no_violation() {
    let mut story = Story::lead("");
    story.event("Mon 09:00", "status=MQL").event("Mon 09:00:10", "score=60 company=Acme");
    story.read("Mon 09:00:16", "Mon 09:00:10", "status=MQL score=60 company=Acme");
    assert_eq!(story.told("definition_failed violation_opened"), "");
}

#[test]
fn the_sender_is_blamed_once_and_not_for_what_came_back() {
    let mut story = Story::lead("");
    story.event("Mon 09:00", "status=MQL").read("Mon 09:01", "Mon 09:00", "status=MQL");
    story.event("Mon 10:00", "status=Accepted").event("Mon 11:00", "status=MQL");
    story
        .read("Mon 11:01", "Mon 11:00", "status=MQL")
        .event("Mon 12:00", "status=Open")
        .event("Mon 13:00", "status=MQL");
    story.read("Mon 13:01", "Mon 13:00", "status=MQL");
    assert_eq!(story.told("definition_failed"), "definition_failed Mon 09:00");
}

#[test]
fn a_rejection_without_an_agreed_reason_is_a_violation_after_settling_and_a_read() {
    let mut story = Story::lead("");
    story.event("Mon 09:00", "status=MQL score=60 company=Acme");
    story.read("Mon 09:01", "Mon 09:00", "status=MQL score=60 company=Acme");
    story.outbox.clear();
    story.event("Mon 10:00", "status=Rejected reject_reason=budget");
    assert_eq!(story.effect("read").not_before, at("Mon 10:00:15"));
    story.read("Mon 10:00:10", "Mon 10:00", "status=Rejected reject_reason=budget");
    assert_eq!(story.told(OPENED), "");
    story.read("Mon 10:00:20", "Mon 10:00", "status=Rejected reject_reason=budget");
    assert_eq!(story.told(OPENED), "violation_opened rejection Mon 10:00");
    let violation = &story.standing.violations[0];
    assert_eq!(violation.party.as_ref().map(|p| p.as_str()), Some("tele"), "who rejects owes the reason");
    assert_eq!(
        violation_text(&story.agreement, &story.standing),
        "rejected without an agreed reason since 2027-01-04 10:00 UTC: To tele"
    );
    story.event("Mon 11:00", "reject_reason=DUPLICATE");
    assert_eq!(story.told(OPENED), "violation_opened rejection Mon 10:00; violation_closed rejection Mon 11:00");
    assert_eq!(story.told("rejected"), "rejected Mon 11:00");
}

#[test]
fn a_lost_opportunity_owes_its_review() {
    let mut story = Story::opportunity();
    story.event("Mon 09:00", "status=open amount=1 close_date=2027-03-01").event("Mon 10:00", "status=lost");
    story.read("Mon 10:01", "Mon 10:00", "status=lost amount=1 close_date=2027-03-01").until("Tue 10:00");
    assert_eq!(story.told("violation_opened"), "violation_opened missing Tue 10:00");
    assert_eq!(
        violation_text(&story.agreement, &story.standing),
        "loss_reason missing since 2027-01-05 10:00 UTC: Review"
    );
}

#[test]
fn where_the_connection_maps_it_the_next_deadline_is_kept_on_the_record() {
    let mut story = Story::lead(crate::clocks::ACCEPT);
    story.standing.shows_due = true;
    story.event("Mon 09:00", "status=MQL");
    story.effect("annotate");
    let shown = annotation(&story.agreement, &story.standing);
    assert_eq!((shown.due, shown.clock.as_deref()), (Some(at("Mon 13:00")), Some("Accept")));
    story.outbox.clear();
    story.event("Mon 10:00", "status=Accepted");
    story.effect("annotate");
    assert_eq!(annotation(&story.agreement, &story.standing).due, None::<Timestamp>);
}

#[test]
fn a_newer_annotation_stands_in_for_one_that_has_not_left() {
    let mut story = Story::opportunity();
    story.event("Mon 09:00", "status=open").read("Mon 09:00:05", "Mon 09:00", "status=open").until("Tue 09:00");
    story.event("Tue 10:00", "amount=5000").event("Tue 11:00", "close_date=2027-03-01");
    assert_eq!(story.todo(), "annotate Tue 11:00");
}

#[test]
fn our_own_fields_are_written_only_where_they_do_not_say_it_already() {
    let mut story = Story::opportunity();
    story.event("Mon 09:00", "status=open").read("Mon 09:00:05", "Mon 09:00", "status=open").until("Tue 09:00");
    let text = violation_text(&story.agreement, &story.standing);
    let name = leadpact::record::FieldName::new("violation");
    let reading = leadpact::record::change::Reading {
        modified: at("Tue 09:00:01"),
        values: vec![(name, leadpact::record::Value::text(text))],
        import: false,
        from_now: false,
    };
    story.happened("Tue 09:00:02", leadpact::record::What::Read(reading));
    assert_eq!(story.verdict("annotate"), Verdict::Drop("the record says so already".into()));
}
