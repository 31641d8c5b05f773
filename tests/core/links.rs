//! Associations as reads list them: which deal promotes a lead, and which is of the past.

use crate::story::Story;
use leadpact::record::field::well_known;

const PURSUED: &str = r#"
  [[handoff.clock]]
  name   = "Pursue"
  until  = 'reached("sql")'
  within = "40 business hours"
  steps  = [{ at = "due", recycle = true }]
"#;

fn story() -> Story {
    Story::lead(PURSUED)
}

fn link(story: &Story) -> Option<&str> {
    story.standing.fields.get(well_known().opportunity).as_text()
}

#[test]
fn a_deal_that_an_earlier_read_did_not_list_promotes_between_the_two_reads() {
    let mut story = story();
    story.event("Mon 09:00", "status=MQL").read("Mon 09:01", "Mon 09:00", "status=MQL opportunity[]=;");
    story.read("Mon 12:00", "Mon 11:30", "status=MQL opportunity[]=;7;");
    assert_eq!(story.told("converted met"), "converted Mon 11:30; met Mon 09:01");
    assert_eq!(link(&story), Some("7"));
}

#[test]
fn an_association_need_not_modify_the_lead() {
    let mut story = story();
    story.event("Mon 09:00", "status=MQL").read("Mon 10:00", "Mon 09:00", "status=MQL opportunity[]=;");
    story.read("Mon 12:00", "Mon 09:00", "status=MQL opportunity[]=;7;");
    assert_eq!(story.told("converted"), "converted Mon 10:00");
}

#[test]
fn a_deal_from_before_the_pass_promotes_nobody() {
    let mut story = story();
    story.event("Mon 09:00", "status=MQL created=Mon@08:00");
    story.read("Mon 09:01", "Mon 09:00", "status=MQL created=Mon@08:00 opportunity[]=;5;");
    assert_eq!(story.told("converted met"), "");
    assert_eq!(link(&story), Some("5"), "yet reports know whose lead it was");
    story.read("Mon 10:00", "Mon 09:00", "status=MQL created=Mon@08:00 opportunity[]=;5;9;");
    assert_eq!(story.told("converted met"), "converted Mon 09:01; met Mon 09:01");
    assert_eq!(link(&story), Some("9"));
}

#[test]
fn a_lead_that_is_imported_with_a_deal_is_not_promoted_by_it() {
    let mut story = story();
    story.imported("Mon 09:00", "Mon 08:00", "status=MQL created=Mon@08:00 opportunity[]=;5;");
    assert_eq!(story.told("converted"), "");
}

#[test]
fn what_belongs_to_a_lead_that_was_just_made_was_made_in_its_pass() {
    let mut story = story();
    story.event("Mon 09:00", "status=MQL created=Mon@09:00");
    story.read("Mon 09:01", "Mon 09:00", "status=MQL created=Mon@09:00 opportunity[]=;5;");
    assert_eq!(story.told("converted"), "converted Mon 09:00");
}

#[test]
fn another_primary_deal_is_no_new_one() {
    let mut story = story();
    story.event("Mon 09:00", "status=MQL created=Mon@08:00");
    story.read("Mon 09:01", "Mon 09:00", "status=MQL created=Mon@08:00 opportunity[]=;3;5;");
    story.event("Mon 10:00", "opportunity=3");
    assert_eq!(story.told("converted"), "");
    story.event("Mon 11:00", "opportunity=9");
    assert_eq!(story.told("converted"), "converted Mon 11:00");
}

#[test]
fn an_association_that_is_told_after_the_read_that_showed_it_promotes_at_its_own_moment() {
    let mut story = story();
    story.event("Mon 09:00", "status=MQL").read("Mon 09:01", "Mon 09:00", "status=MQL opportunity[]=;");
    story.read("Mon 12:00", "Mon 11:59", "status=MQL opportunity[]=;7;").heard("Mon 11:00", "opportunity=7");
    assert_eq!(story.told("converted met"), "converted Mon 11:00; met Mon 11:00");
    assert_eq!(link(&story), Some("7"));
}

#[test]
fn what_is_associated_no_more_was_promoted_all_the_same() {
    let mut story = story();
    story.event("Mon 09:00", "status=MQL").read("Mon 09:01", "Mon 09:00", "status=MQL opportunity[]=;5;");
    story.event("Mon 10:00", "opportunity=7");
    story.read("Mon 11:00", "Mon 10:30", "status=MQL opportunity[]=;5;");
    assert_eq!((story.told("converted met").as_str(), link(&story)), ("converted Mon 10:00; met Mon 10:00", Some("5")));
    story.read("Mon 12:00", "Mon 11:30", "status=MQL opportunity[]=;");
    assert_eq!(link(&story), None);
    story.event("Mon 13:00", "opportunity=7");
    assert_eq!(link(&story), Some("7"), "associated again");
}

#[test]
fn a_recycled_lead_is_not_promoted_by_its_old_deal() {
    let mut story = story();
    story.event("Mon 09:00", "status=MQL owner=ann").read(
        "Mon 09:01",
        "Mon 09:00",
        "status=MQL owner=ann opportunity[]=;",
    );
    story.event("Mon 10:00", "opportunity=7").event("Mon 11:00", "status=Nurture").event("Tue 09:00", "status=MQL");
    story.read("Tue 09:01", "Tue 09:00", "status=MQL owner=ann opportunity[]=;7;");
    assert_eq!(
        story.told("pass_began converted"),
        "pass_began first Mon 09:00; converted Mon 10:00; pass_began revived Tue 09:00"
    );
    story.read("Tue 12:00", "Tue 11:00", "status=MQL owner=ann opportunity[]=;7;8;");
    assert_eq!(story.told("converted"), "converted Mon 10:00; converted Tue 11:00");
}

#[test]
fn an_opportunity_that_is_deleted_after_the_conversion_leaves_no_violation() {
    let mut story = story();
    story.event("Mon 09:00", "status=MQL").read("Mon 09:01", "Mon 09:00", "status=MQL converted=false");
    story.read("Mon 10:00", "Mon 09:30", "status=MQL converted=true opportunity=006");
    story.read("Mon 12:00", "Mon 11:00", "status=MQL converted=true opportunity=null");
    assert_eq!(story.told("converted met"), "converted Mon 09:30; met Mon 09:01");
    assert!(!story.told("violation_opened").contains("conversion"));
}

#[test]
fn a_conversion_to_an_opportunity_that_was_there_already_counts_as_one() {
    let mut story = story();
    story.event("Mon 09:00", "status=MQL").read(
        "Mon 09:01",
        "Mon 09:00",
        "status=MQL converted=false opportunity=null",
    );
    story.event("Mon 10:00", "converted=true opportunity=0060old");
    assert_eq!(story.told("converted met"), "converted Mon 10:00; met Mon 10:00");
    assert!(!story.told("violation_opened").contains("conversion"));
}

#[test]
fn a_conversion_without_an_opportunity_is_a_violation() {
    let mut story = story();
    story.event("Mon 09:00", "status=MQL").event("Mon 10:00", "converted=true");
    assert_eq!(
        story.told("converted cancelled violation_opened"),
        "cancelled Mon 10:00; violation_opened conversion Mon 10:00"
    );
}
