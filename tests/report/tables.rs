//! The waterfall, campaigns, rejections and neglect, and how tables come out.

use crate::world::World;
use leadpact::record::Elapsed;
use leadpact::report::figures::Dimension;
use leadpact::report::layout::{Stamp, What as Shown, table, to_csv};

/// Two converted leads of one source, one rejected, one neglected and recycled.
fn world() -> World {
    let mut world = World::enforcing(&[]);
    world.lead("a").event("01-05 09:00", "status=Open source=Web campaign=Spring owner=o1 score=70 company=A");
    let lead = world.lead("a").event("01-05 10:00", "status=MQL").event("01-05 12:00", "status=Accepted");
    lead.event("01-06 10:00", "opportunity=oa");
    world.delivered("b", "01-05 10:00").event("01-05 11:00", "status=Accepted").event("01-07 10:00", "opportunity=ob");
    world.lead("c").event("01-05 10:00", "status=MQL source==HYPERLINK owner=o2 score=70 company=C");
    world.lead("c").event("01-05 11:00", "status=Rejected reject_reason=Student");
    world.delivered("d", "01-05 10:00").event("01-08 10:00", "status=Accepted");
    world.decided("oa", "01-20 10:00", "status=won amount=100 currency=USD");
    world.decided("ob", "01-20 10:00", "status=lost");
    world
}

#[test]
fn the_waterfall_counts_what_entered_and_what_of_it_went_on() {
    let report = world().report("2027-01", "02-01 00:00");
    let stages = &report.waterfall.parts[0].stages;
    let line = |name: &str| stages.iter().find(|s| s.stage.as_str() == name).expect(name);
    let counts = |name: &str| (line(name).entered, line(name).converted, line(name).recycled);
    assert_eq!(counts("inquiry"), (4, 4, 2));
    // The neglected lead was recycled twice before somebody accepted it.
    assert_eq!(counts("mql"), (4, 2, 2));
    assert_eq!(counts("tal"), (2, 2, 1));
    assert_eq!(counts("sql"), (2, 1, 0));
    assert_eq!(counts("won"), (1, 0, 0));
    assert_eq!((line("mql").rate, line("tal").cumulative), (Some(0.5), Some(0.5)));
    // Two hours and one; a jump would tell nothing.
    assert_eq!(line("mql").median_to_next, Some(Elapsed::from_secs(3600)));
    assert_eq!(line("inquiry").median_to_next, Some(Elapsed::from_secs(3600)));
    assert_eq!(line("won").amounts.as_ref().map(|a| a.sum.to_string()).as_deref(), Some("100.00"));
    let endings: Vec<_> = report.waterfall.parts[0].endings.iter().map(|e| (e.stage.as_str(), e.entered)).collect();
    assert_eq!(endings, [("lost", 1), ("rejected", 1), ("nurture", 0)]);
}

#[test]
fn the_parts_of_the_waterfall_add_up_to_the_whole() {
    for by in [Dimension::Source, Dimension::Campaign, Dimension::Party, Dimension::Owner] {
        let report = world().report_by("2027-01", "02-01 00:00", Some(by));
        let (whole, parts) = report.waterfall.parts.split_first().expect("the whole");
        assert!(!parts.is_empty(), "{by:?}");
        for (i, stage) in whole.stages.iter().enumerate() {
            let entered: u64 = parts.iter().map(|p| p.stages[i].entered).sum();
            assert_eq!(entered, stage.entered, "{by:?} {}", stage.stage);
        }
    }
    let report = world().report_by("2027-01", "02-01 00:00", Some(Dimension::Party));
    let tele = report.waterfall.parts.iter().find(|p| p.value.as_deref() == Some("tele")).expect("a part");
    let mql = tele.stages.iter().find(|s| s.stage.as_str() == "mql").expect("mql");
    assert_eq!(mql.entered, 4, "whoever receives a lead has it from the handoff on");
}

#[test]
fn a_lead_nobody_worked_in_time_is_lost_to_neglect_and_one_answered_late_is_not() {
    let mut world = world();
    let report = world.report("2027-01", "02-01 00:00");
    assert_eq!((report.neglected, report.recycles), (2, 2));
    let web = report.by_source.iter().find(|c| c.name == "Web").expect("a line");
    assert_eq!(web.neglected, 2);
    let mut world = World::of(&[]);
    world.delivered("late", "01-05 10:00").event("01-05 15:00", "status=Accepted");
    assert_eq!(world.report("2027-01", "01-06 00:00").neglected, 0);
    let mut world = World::of(&[]);
    world.delivered("silent", "01-05 10:00");
    assert_eq!(world.report("2027-01", "01-05 15:00").neglected, 1);
}

#[test]
fn acceptance_and_rejections_are_told_by_handoff_and_reason() {
    let mut world = world();
    let detail = serde_json::json!({ "reason": "Duplicate", "worked": false });
    world.lead("c").told(leadpact::record::FactKind::Rejected, "01-09 10:00", "", detail);
    let report = world.report("2027-01", "02-01 00:00");
    let line = &report.acceptance[0];
    assert_eq!((line.delivered, line.accepted, line.rejected, line.again, line.waiting), (4, 2, 1, 2, 0));
    let reasons: Vec<_> = report.rejections.iter().map(|r| (r.reason.as_str(), r.count, r.unworked)).collect();
    assert_eq!(reasons, [("student", 1, 1), ("duplicate", 1, 1)]);
}

#[test]
fn violations_are_counted_where_they_were_opened_closed_and_are_open() {
    let mut world = World::of(&[]);
    let bad = "status=MQL score=10 company=Acme";
    let lead = world.lead("a").event("01-29 10:00", bad).read("01-29 10:01", "01-29 10:00", bad);
    lead.event("01-29 11:00", "status=Accepted").event("02-02 10:00", "score=70");
    let counts = |world: &mut World, period: &str| {
        let report = world.report(period, "02-10 00:00");
        let line = report.violations.first().map(|v| (v.party.clone().unwrap(), v.opened, v.closed, v.open));
        line.map(|(party, opened, closed, open)| (party.to_string(), opened, closed, open))
    };
    assert_eq!(counts(&mut world, "2027-01"), Some(("marketing".into(), 1, 0, 1)));
    assert_eq!(counts(&mut world, "2027-02"), Some(("marketing".into(), 0, 1, 0)));
    assert_eq!(counts(&mut world, "2027-03"), None);
}

#[test]
fn every_table_fits_a_terminal_and_a_formula_in_a_name_stays_text() {
    let report = world().report_by("2027-01", "02-01 00:00", Some(Dimension::Source));
    for what in Shown::ALL {
        let drawn = table(&report, what);
        assert!(drawn.rows.iter().all(|row| row.len() == drawn.columns.len()), "{what:?}");
        let text = drawn.to_text();
        assert!(text.lines().skip(1).all(|line| line.chars().count() <= 120), "{text}");
    }
    let stamp = Stamp { connection: "crm", period: "2027-01" };
    let csv = to_csv(&[(stamp, table(&report, Shown::Sources))]);
    assert!(csv.contains("\r\ncrm,2027-01,'=HYPERLINK,1,1,0,1,student 1,0,0,0,0.00,\r\n"), "{csv}");
}
