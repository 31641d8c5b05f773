//! What an upheld dispute is about is nobody's fault: it is left out, and counted beside.

use crate::world::World;
use leadpact::record::FactKind;

#[test]
fn an_excused_breach_is_left_out_of_what_was_on_time() {
    let mut world = World::of(&["On time | tele | on_time = \"Accept\" | >= 95% | month"]);
    world.delivered("a", "01-05 10:00").event("01-05 14:00", "status=Accepted");
    world.delivered("b", "01-05 10:00").event("01-05 15:00", "status=Accepted").excused(FactKind::Breached);
    assert_eq!(world.january(), "1 of 1, attained, 1 excused by a dispute");
    let report = world.report("2027-01", "02-01 00:00");
    assert_eq!(report.clocks.iter().map(|l| (l.runs, l.excused)).next(), Some((1, 1)));
    assert_eq!(report.delays.iter().find(|d| d.clock == "Accept").map(|d| d.answers), Some(1));
}

#[test]
fn an_excused_definition_is_left_out_however_it_was_disputed() {
    for kind in [FactKind::DefinitionFailed, FactKind::ViolationOpened] {
        let mut world = World::of(&["Defined | marketing | defined = \"To tele\" | >= 95% | month"]);
        let bad = "status=MQL score=10 company=Acme";
        let lead = world.lead("a").event("01-05 10:00", bad).read("01-05 10:01", "01-05 10:00", bad);
        lead.event("01-05 11:00", "status=Accepted").excused(kind);
        assert_eq!(world.january(), "nothing, no data, 1 excused by a dispute");
    }
}

#[test]
fn excusing_the_definition_does_not_excuse_a_missing_field() {
    let mut world = World::of(&["Defined | marketing | defined = \"To tele\" | >= 95% | month"]);
    let bad = "status=MQL score=10";
    let lead = world.lead("a").event("01-05 10:00", bad).read("01-05 10:01", "01-05 10:00", bad);
    lead.event("01-05 11:00", "status=Accepted").excused(FactKind::DefinitionFailed);
    assert_eq!(world.january(), "0 of 1, missed");
}

#[test]
fn an_excused_rejection_and_an_excused_violation_stand_beside() {
    let mut world = World::of(&["Reasons | tele | complete = \"reject_reason\", stage = \"rejected\" | 100% | month"]);
    let lead = world.delivered("a", "01-05 10:00");
    lead.event("01-05 11:00", "status=Rejected reject_reason=student").excused(FactKind::Rejected);
    let silent = world.delivered("b", "01-05 10:00").event("01-05 10:30", "status=Accepted");
    silent.event("01-05 11:00", "status=Rejected").read("01-05 11:01", "01-05 11:00", "status=Rejected");
    silent.excused(FactKind::ViolationOpened);
    assert_eq!(world.january(), "nothing, no data, 2 excused by a dispute");
    let report = world.report("2027-01", "02-01 00:00");
    assert_eq!((report.rejections[0].count, report.rejections[0].excused), (0, 1));
    let violation = report.violations.iter().find(|v| v.kind == "rejection").expect("a line");
    assert_eq!((violation.opened, violation.excused), (0, 1));
}

#[test]
fn a_dispute_about_another_moment_excuses_nothing() {
    let mut world = World::of(&["On time | tele | on_time = \"Accept\" | >= 95% | month"]);
    let lead = world.delivered("a", "01-05 10:00").event("01-05 15:00", "status=Accepted");
    let key = lead.journal.iter().map(|e| &e.fact).find(|f| f.kind == FactKind::Breached).expect("a breach").key();
    lead.told(FactKind::Upheld, "02-01 00:00", "d1", serde_json::json!({ "fact": key, "at": 5 }));
    assert_eq!(world.january(), "0 of 1, missed");
}
