//! How many leads, and how good: counts, definitions, conversions, completeness, a person's word.

use crate::world::{World, at};
use leadpact::record::What;
use leadpact::report::tale::Attestation;

const DELIVERED: &str = "Delivered | marketing | count = \"mql\" | >= 2 | month";
const DEFINED: &str = "Defined | marketing | defined = \"To tele\" | >= 95% | month";
const ACCEPTED: &str = "Accepted | tele | conversion = [\"mql\", \"tal\"] | >= 50% | month";
const REASONS: &str = "Reasons | tele | complete = \"reject_reason\", stage = \"rejected\" | 100% | month";

#[test]
fn a_delivery_counts_in_the_month_in_which_it_happened() {
    let mut world = World::of(&[DELIVERED]);
    world.delivered("a", "01-04 00:00");
    world.delivered("b", "01-31 23:59:59");
    world.delivered("c", "02-01 00:00");
    assert_eq!(world.january(), "2, attained");
}

#[test]
fn nothing_from_before_the_agreement_was_in_effect_is_counted() {
    let mut world = World::of(&[DELIVERED]);
    world.delivered("a", "01-03 23:59:59");
    world.delivered("b", "01-04 00:00");
    assert_eq!(world.january(), "1, missed");
}

#[test]
fn a_lead_that_jumps_over_a_stage_has_reached_it() {
    let mut world = World::of(&[DELIVERED]);
    world.lead("a").event("01-05 09:00", "status=Open").event("01-05 10:00", "status=Accepted");
    world.lead("b").event("01-05 09:00", "status=Open").event("01-05 10:00", "opportunity=o");
    world.lead("c").event("01-05 09:00", "status=Open");
    assert_eq!(world.january(), "2, attained");
}

#[test]
fn a_lead_that_came_back_from_an_ending_is_delivered_again_and_a_recycled_one_stands_beside() {
    let mut world = World::enforcing(&[DELIVERED]);
    let lead = world.delivered("a", "01-05 10:00");
    lead.event("01-05 11:00", "status=Rejected reject_reason=student").event("01-20 10:00", "status=MQL");
    lead.event("01-20 11:00", "status=Accepted");
    // Its clock breaches at 14:00, and leadpact takes it back the next morning at ten.
    world.delivered("b", "01-21 10:00").event("01-22 11:00", "status=Accepted");
    let returned = world.delivered("c", "01-25 10:00");
    returned.event("01-25 11:00", "status=Accepted").event("01-26 11:00", "status=MQL");
    returned.event("01-26 12:00", "status=Accepted");
    assert_eq!(world.january(), "4, attained, 2 more recycled or returned");
}

#[test]
fn a_duplicate_that_was_merged_away_counts_nowhere_and_a_deleted_lead_counts() {
    let mut world = World::of(&[DELIVERED]);
    world.delivered("a", "01-05 10:00").change("01-06 10:00", "01-06 10:00", What::Merged { into: "b".into() });
    world.delivered("b", "01-05 10:00").change("01-06 10:00", "01-06 10:00", What::Deleted);
    let report = world.report("2027-01", "02-01 00:00");
    assert_eq!(crate::world::said(&report.commitments[0]), "1, missed");
    assert_eq!(report.acceptance[0].delivered, 1);
    assert_eq!(report.by_source[0].qualified, 1);
}

#[test]
fn what_a_first_import_found_of_unknown_date_is_not_delivered() {
    let mut world = World::of(&[DELIVERED]);
    world.lead("a").imported("01-20 10:00", "01-19 10:00", "status=MQL score=70 company=Acme");
    world.delivered("b", "01-05 10:00");
    world.lead("b").event("01-05 11:00", "status=Accepted").imported("01-20 10:00", "01-05 11:00", "name=B");
    assert_eq!(world.january(), "1, missed, 1 found by the first import, of unknown date, not counted");
}

#[test]
fn late_news_corrects_what_was_counted() {
    let mut world = World::of(&[DELIVERED]);
    world.delivered("a", "01-05 10:00");
    let late = world.lead("b").event("02-02 10:00", "status=MQL");
    // It had been delivered in January already.
    late.heard("01-30 10:00", "02-03 10:00", "status=MQL");
    assert_eq!(world.measured("2027-01", "02-10 00:00"), "2, attained");
}

#[test]
fn a_running_period_is_forecast_by_business_time_and_what_is_reached_is_attained() {
    let mut world = World::of(&["Delivered | marketing | count = \"mql\" | >= 4 | week"]);
    world.delivered("a", "01-11 10:00");
    world.delivered("b", "01-12 10:00");
    // Two of five business days have passed.
    let report = world.report("2027-W02", "01-12 17:00");
    let measured = &report.commitments[0].measured;
    assert_eq!(crate::world::said(&report.commitments[0]), "2, open");
    let forecast = measured.forecast.expect("a forecast");
    assert_eq!((forecast.expected, forecast.attains), (5.0, true));
    world.delivered("c", "01-13 09:00");
    world.delivered("d", "01-13 09:00");
    assert_eq!(world.measured("2027-W02", "01-13 10:00"), "4, attained");
}

#[test]
fn a_missed_commitment_says_by_how_much_and_names_its_credit() {
    let mut world = World::of(&[DELIVERED]);
    world.delivered("a", "01-05 10:00");
    let missed = world.report("2027-01", "02-01 00:00").commitments.remove(0);
    assert_eq!(missed.measured.short_by.as_deref(), Some("1 short of 2"));
    assert_eq!(missed.credit.as_deref(), Some("A credit."));
    world.delivered("b", "01-05 10:00");
    let attained = world.report("2027-01", "02-01 00:00").commitments.remove(0);
    assert_eq!((attained.measured.short_by, attained.credit), (None, None));
}

#[test]
fn a_delivery_that_does_not_meet_the_definition_or_lacks_a_field_is_not_as_defined() {
    let mut world = World::of(&[DEFINED]);
    let good = "status=MQL score=70 company=Acme";
    for (id, fields) in [("a", good), ("b", "status=MQL score=50 company=Acme"), ("c", "status=MQL score=70")] {
        world.lead(id).event("01-05 10:00", fields).read("01-05 10:01", "01-05 10:00", fields);
    }
    // Mended the next day: it was wrong all the same.
    world.lead("b").event("01-06 10:00", "score=80");
    assert_eq!(world.january(), "1 of 3, missed");
}

#[test]
fn what_is_not_judged_yet_is_left_out_and_said() {
    let mut world = World::of(&[DEFINED]);
    let good = "status=MQL score=70 company=Acme";
    world.lead("a").event("01-05 10:00", good).read("01-05 10:01", "01-05 10:00", good);
    world.lead("b").event("01-29 10:00", "status=MQL score=10");
    // The one that waits may turn it.
    assert_eq!(world.january(), "1 of 1, open, 1 waiting to be decided");
}

#[test]
fn a_recycled_lead_blames_marketing_for_its_definition_only_once() {
    let mut world = World::enforcing(&[DEFINED]);
    let bad = "status=MQL score=10 company=Acme";
    world.lead("a").event("01-05 10:00", bad).read("01-05 10:01", "01-05 10:00", bad);
    world.lead("a").event("01-07 10:00", "status=Accepted");
    assert_eq!(world.january(), "0 of 1, missed, 1 more recycled or returned");
}

#[test]
fn a_conversion_is_that_of_the_passes_that_entered_in_the_period() {
    let mut world = World::of(&[ACCEPTED]);
    world.delivered("a", "01-05 10:00").event("01-05 11:00", "status=Accepted");
    world.delivered("b", "01-05 10:00").event("01-05 11:00", "status=Rejected reject_reason=student");
    world.delivered("c", "01-05 10:00").event("01-05 11:00", "status=Rejected reject_reason=student");
    // Entered in February: another cohort.
    world.delivered("d", "02-02 10:00").event("02-02 11:00", "status=Accepted");
    assert_eq!(world.measured("2027-01", "02-10 00:00"), "1 of 3, missed");
}

#[test]
fn an_open_pass_keeps_a_conversion_open_only_where_it_can_turn_it() {
    let mut world = World::of(&[ACCEPTED]);
    world.delivered("a", "01-29 10:00").event("01-29 11:00", "status=Rejected reject_reason=student");
    world.delivered("b", "01-29 15:00");
    assert_eq!(world.measured("2027-01", "02-01 00:00"), "0 of 2, open, 1 still open");
    world.delivered("c", "01-29 10:00").event("01-29 11:00", "status=Rejected reject_reason=student");
    assert_eq!(world.measured("2027-01", "02-01 00:00"), "0 of 3, missed, 1 still open");
    world.lead("b").event("02-01 09:30", "status=Accepted");
    assert_eq!(world.measured("2027-01", "02-02 00:00"), "1 of 3, missed");
}

#[test]
fn a_conversion_to_won_follows_the_lead_into_its_opportunity() {
    let mut world = World::of(&["Won | field | conversion = [\"mql\", \"won\"] | >= 50% | month"]);
    for (id, opportunity) in [("a", "oa"), ("a2", "oa"), ("b", "ob"), ("c", "oc"), ("d", "od")] {
        let lead = world.delivered(id, "01-05 10:00");
        lead.event("01-05 11:00", "status=Accepted").event("01-06 10:00", &format!("opportunity={opportunity}"));
    }
    world.decided("oa", "01-20 10:00", "status=won");
    world.decided("ob", "01-20 10:00", "status=lost");
    world.opportunity("oc").event("01-06 10:00", "status=open");
    world.decided("stranger", "01-20 10:00", "status=won");
    assert_eq!(world.january(), "2 of 5, open, 2 still open");
}

#[test]
fn a_rejection_that_was_never_given_a_reason_is_not_complete() {
    let mut world = World::of(&[REASONS]);
    let lead = world.delivered("a", "01-05 10:00");
    lead.event("01-05 10:30", "status=Accepted").event("01-05 11:00", "status=Rejected reject_reason=student");
    let silent = world.delivered("b", "01-05 10:00").event("01-05 10:30", "status=Accepted");
    silent.event("01-05 11:00", "status=Rejected").read("01-05 11:01", "01-05 11:00", "status=Rejected");
    assert_eq!(world.january(), "1 of 2, missed");
    // Given later, it counts where it was given.
    world.lead("b").event("02-01 10:00", "reject_reason=student");
    assert_eq!(world.measured("2027-01", "02-10 00:00"), "1 of 1, attained");
    assert_eq!(world.measured("2027-02", "03-01 00:00"), "1 of 1, attained");
}

#[test]
fn erased_values_are_left_out_of_what_asks_for_them() {
    let mut world = World::of(&[REASONS]);
    let lead = world.delivered("a", "01-05 10:00");
    lead.event("01-05 11:00", "status=Rejected reject_reason=student");
    let mut tally = leadpact::report::tally::Tally::new(world.question("2027-01", "02-01 00:00"));
    for mut tale in world.tales("02-01 00:00") {
        tale.latest = None;
        tally.add(tale);
    }
    let report = tally.finish();
    assert_eq!(crate::world::said(&report.commitments[0]), "nothing, no data, 1 left out, their values erased");
    assert!(report.notes[0].contains("1 record were erased"), "{:?}", report.notes);
}

#[test]
fn a_persons_word_counts_by_period_and_silence_is_a_miss_once_the_period_is_over() {
    let mut world = World::of(&["Briefing | marketing | attested = \"monthly\" | yes | month"]);
    assert_eq!(world.measured("2027-01", "01-20 00:00"), "None, open");
    assert_eq!(world.january(), "None, missed, 2027-01: nobody attested");
    let mut attest = |answer, when| {
        let (commitment, by) = ("Briefing".to_owned(), "Dana".to_owned());
        let period_start = at("01-01 00:00");
        world.attestations.push(Attestation { commitment, period_start, answer, by, at: at(when) });
    };
    attest(true, "01-15 10:00");
    attest(false, "01-14 10:00");
    assert_eq!(world.measured("2027-01", "01-20 00:00"), "Some(true), attained, 2027-01: Dana says yes");
    assert_eq!(world.measured("2027-02", "02-10 00:00"), "None, open");
}

#[test]
fn a_quarter_that_is_attested_monthly_needs_every_months_word() {
    let mut world = World::of(&["Briefing | marketing | attested = \"monthly\" | yes | quarter"]);
    for month in ["01-01 00:00", "02-01 00:00"] {
        let (commitment, by, at_then) = ("Briefing".to_owned(), "Dana".to_owned(), at("02-10 10:00"));
        let period_start = at(month);
        world.attestations.push(Attestation { commitment, period_start, answer: true, by, at: at_then });
    }
    let said = world.measured("2027-Q1", "03-15 00:00");
    assert!(said.starts_with("None, open"), "{said}");
    let said = world.measured("2027-Q1", "04-02 00:00");
    assert!(said.starts_with("None, missed") && said.ends_with("2027-03: nobody attested"), "{said}");
}
