//! A new version of the agreement: what it takes over, what it judges anew, and late news of the
//! time before it.

use crate::story::{Story, agreement, said, terms};
use leadpact::agreement::Input;
use std::sync::Arc;

const CLOCKS: &str = r#"
  [[handoff.clock]]
  name   = "Accept"
  until  = 'reached("tal")'
  within = "4h"
  steps  = [{ at = "50%", notify = ["owner"] }, { at = "due", notify = ["owner"] }]

  [[handoff.clock]]
  name   = "Call"
  until  = 'touches >= 1'
  within = "6h"
"#;

/// At work under the first version; the second becomes active at 10:00.
fn story(change: impl Fn(&str) -> String) -> Story {
    let mut story = Story::lead(CLOCKS);
    story.event("Mon 08:00", "status=Open").event("Mon 09:00", "status=MQL owner=ann").until("Mon 10:00");
    story.agreement = Arc::new(agreement(&change(&terms(CLOCKS).replace("version   = \"1\"", "version   = \"2\""))));
    story.input(Input::Woke);
    story
}

#[test]
fn an_open_run_keeps_its_deadline() {
    let mut story = story(|t| t.replace("4h", "8h"));
    story.until("Mon 14:00");
    assert_eq!(story.told("breached recomputed"), "breached Mon 13:00");
    story.event("Mon 15:00", "status=Nurture").event("Mon 16:00", "status=MQL").until("Tue 00:00");
    let accept = story.live().into_iter().rfind(|f| f.kind.as_str() == "breached" && &*f.source == "Accept");
    assert_eq!(accept.map(|f| said(f.at)), Some("Tue 00:00".into()), "the next run follows the new version");
}

#[test]
fn where_it_says_so_open_runs_are_computed_anew_and_both_deadlines_journalled() {
    let mut story = story(|t| t.replace("4h", "8h").replace("settle ", "apply_to_open = true\nsettle "));
    let told = story.journal.iter().find(|f| f.kind.as_str() == "recomputed" && &*f.source == "Accept").expect("told");
    let moment = |key: &str| said(leadpact::record::Timestamp::from_millis(told.detail[key].as_i64().expect(key)));
    assert_eq!((moment("deadline_before"), moment("deadline")), ("Mon 13:00".into(), "Mon 17:00".into()));
    story.until("Mon 18:00");
    let due =
        story.live().into_iter().filter(|f| f.kind.as_str() == "step_fired").map(|f| said(f.at)).collect::<Vec<_>>();
    assert_eq!(due, ["Mon 13:00", "Mon 17:00"]);
}

#[test]
fn a_run_whose_clock_is_gone_is_cancelled() {
    let mut story = story(|t| t.replace("\"Call\"", "\"Ring\""));
    assert_eq!(story.told("cancelled"), "cancelled Mon 10:00");
    story.until("Tue 10:00");
    assert_eq!(story.told("breached"), "breached Mon 13:00");
    assert_eq!(story.told("clock_started").matches("clock_started").count(), 2, "a new clock starts at the next edge");
}

#[test]
fn late_news_of_the_time_before_counts_from_the_new_version_on() {
    let mut story = story(|t| t.replace("4h", "8h"));
    story.event("Mon 11:00", "score=70").heard("Mon 08:30", "customer=true");
    assert_eq!(story.standing.fields.get(leadpact::record::FieldName::new("customer")).as_bool(), Some(true));
    story.heard("Mon 12:00", "status=Accepted").heard("Mon 11:30", "company=Acme").until("Tue 00:00");
    assert_eq!(story.told("met breached pass_began"), "pass_began first Mon 08:00; met Mon 12:00; breached Mon 15:00");
    assert!(!story.journal.iter().any(|f| f.kind.as_str() == "withdrawn"), "what was judged before stays judged");
}

#[test]
fn late_news_since_the_new_version_are_put_in_their_place() {
    let mut story = story(|t| t.to_owned());
    story.until("Mon 14:00");
    assert_eq!(story.told("breached"), "breached Mon 13:00");
    story.heard("Mon 12:30", "status=Accepted");
    assert_eq!(
        story.told("breached met clock_started"),
        "clock_started Mon 09:00; clock_started Mon 09:00; met Mon 12:30"
    );
}
