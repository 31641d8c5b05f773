//! A record's story in plain words: a sentence for every kind of fact.

use crate::house::agreement;
use leadpact::record::{Actor, Fact, FactKind, OwnerId, StageName, Timestamp};
use leadpact::report::story::{Reader, Told, story};
use serde_json::{Value as Json, json};

const NINE: &str = "2027-01-05T14:00:00Z";

fn ms(text: &str) -> i64 {
    Timestamp::parse(text).unwrap().as_millis()
}

fn fact(kind: FactKind, source: &str, item: &str, detail: Json) -> Fact {
    Fact {
        kind,
        at: Timestamp::parse(NINE).unwrap(),
        pass: 1,
        source: source.into(),
        run: 1,
        item: item.into(),
        party: None,
        owner: None,
        stage: None,
        by: Actor::Leadpact,
        detail: detail.as_object().cloned().unwrap_or_default(),
    }
}

fn texts(facts: &[Fact]) -> Vec<(String, bool)> {
    let agreement = agreement();
    let zone = agreement.zone();
    let name_of = |id: &OwnerId| (id.as_str() == "7020").then(|| "Amy".to_owned());
    let reader = Reader { agreement: &agreement, zone: &zone, name_of: &name_of };
    let told: Vec<Told<'_>> = facts.iter().map(|fact| Told { fact, seen_at: fact.at }).collect();
    story(&reader, &told).into_iter().map(|line| (line.text, line.withdrawn)).collect()
}

fn check(fact: Fact, says: &str) {
    assert_eq!(texts(&[fact])[0].0, says);
}

#[test]
fn facts_are_told_in_plain_words() {
    let clock = "Accept or reject";
    let due = json!({ "deadline": ms("2027-01-05T18:15:00Z") });
    check(fact(FactKind::ClockStarted, clock, "", due), "Accept or reject started; due 13:15");
    let tomorrow = json!({ "deadline": ms("2027-01-06T15:00:00Z") });
    check(fact(FactKind::Resumed, clock, "", tomorrow), "Accept or reject goes on; due 2027-01-06 10:00 EST");
    check(
        fact(FactKind::Breached, clock, "", json!({})),
        "Breached: Accept or reject was not done by 2027-01-05 09:00 EST",
    );
    let moved = json!({ "from": "7020", "to": "7021" });
    check(fact(FactKind::Recycled, clock, "k", moved), "Recycled from Amy to 7021 (Accept or reject)");
    let freed = json!({ "from": "7020", "to": null });
    check(fact(FactKind::Reassigned, clock, "k", freed), "Reassigned from Amy to nobody (Accept or reject)");
    check(fact(FactKind::Notified, clock, "k", json!({ "to": "person:7020" })), "Told Amy (Accept or reject)");
    check(fact(FactKind::Notified, clock, "k", json!({ "to": "slack:#tele" })), "Told #tele (Accept or reject)");
    let missing = json!({ "what": ["amount", "close_date"] });
    check(fact(FactKind::ViolationOpened, "Value", "missing", missing), "Violation: Value lacks amount, close_date");
    check(
        fact(FactKind::WouldHave, clock, "k", json!({ "action": "recycle" })),
        "Would have done: recycle (Accept or reject); only observing",
    );
    let late = json!({ "reason": "student", "worked": true });
    check(fact(FactKind::Rejected, clock, "", late), "Rejected after it had been worked: student, by leadpact");
    let early = json!({ "reason": "student", "worked": false });
    check(fact(FactKind::Rejected, clock, "", early), "Rejected: student, by leadpact");
    let undone = json!({ "from": "7021", "to": "7020", "by": "Eve", "why": "a mistake" });
    check(
        fact(FactKind::Undone, clock, "k", undone),
        "Undone from 7021 to Amy, asked by Eve: a mistake (Accept or reject)",
    );
    let alone = json!({ "by": "Eve", "why": "our largest customer", "until": ms("2027-01-06T14:00:00Z") });
    check(
        fact(FactKind::Excluded, "", "", alone),
        "Left alone until 2027-01-06 09:00 EST, asked by Eve: our largest customer",
    );
    check(fact(FactKind::Assigned, "", "7020", json!({ "from": null })), "Belongs to Amy now, by leadpact");
    check(fact(FactKind::Assigned, "", "", json!({ "from": "7020" })), "Belongs to nobody now, by leadpact");
    let stage = Fact {
        stage: Some(StageName::new("mql")),
        by: Actor::Person(OwnerId::new("7020")),
        ..fact(FactKind::StageEntered, "", "mql", json!({}))
    };
    check(stage, "Became Marketing qualified lead (mql), by Amy");
}

/// Erased values leave a sentence behind, and none speaks of a kind by its code name.
#[test]
fn every_kind_has_a_sentence_even_without_its_details() {
    let kinds = "imported pass_began stage_entered handed_over definition_failed clock_started paused resumed met \
        met_late breached withdrawn cancelled transferred answered step_fired skipped notified task_created \
        reassigned recycled nurtured fields_set recomputed spared held contested would_have undone dropped \
        violation_opened violation_closed flagged unflagged rejected converted parked merged deleted restored \
        assigned disqualified excluded included";
    for name in kinds.split_whitespace() {
        let kind = FactKind::parse(name).unwrap();
        let text = &texts(&[fact(kind, "Clock", "item", Json::Null)])[0].0;
        assert!(text.chars().next().is_some_and(char::is_uppercase) && text.len() > 5, "{name}: {text}");
        assert!(!text.contains('_') && !text.contains("  ") && !text.ends_with([' ', ':', ',']), "{name}: {text}");
    }
}

#[test]
fn a_withdrawn_fact_is_struck_and_one_that_came_again_stands() {
    let breach = fact(FactKind::Breached, "Clock", "", json!({}));
    let back = fact(FactKind::Withdrawn, "Clock", &breach.key(), json!({}));
    let struck = |facts: &[Fact]| texts(facts).into_iter().map(|(_, struck)| struck).collect::<Vec<_>>();
    assert_eq!(struck(&[breach.clone(), back.clone()]), [true, false]);
    assert!(texts(std::slice::from_ref(&back))[0].0.contains("the breach did not happen"));
    let move_back = fact(FactKind::Withdrawn, "A/B", "1/A/B/1/recycled/crm/lead/1/1/A%2FB/1/due/recycle/", json!({}));
    assert_eq!(move_back.takes_back(), Some(FactKind::Recycled));
    let elsewhere = Fact { at: Timestamp::parse("2027-01-05T15:00:00Z").unwrap(), ..back };
    assert_eq!(struck(&[breach, elsewhere]), [false, false]);
}

#[test]
fn of_a_fact_that_turned_out_to_be_anothers_only_the_corrected_line_is_shown() {
    let of = |owner: &str, by: &str| Fact {
        owner: Some(OwnerId::new(owner)),
        by: Actor::Person(OwnerId::new(by)),
        ..fact(FactKind::Met, "Clock", "", json!({}))
    };
    let back = Fact { kind: FactKind::Withdrawn, item: of("1", "1").key().into(), ..of("1", "1") };
    let corrected = texts(&[of("1", "1"), back.clone(), of("2", "7020")]);
    assert_eq!(corrected, [("Clock: done in time, by Amy".to_owned(), false)]);
    let other = fact(FactKind::Breached, "Clock", "", json!({}));
    let mixed = texts(&[of("1", "1"), other.clone(), back.clone(), other, of("2", "7020")]);
    assert_eq!(mixed.len(), 3, "what stands between changes nothing: {mixed:?}");
    let twice = texts(&[of("1", "1"), back.clone(), of("2", "2"), Fact { owner: Some(OwnerId::new("2")), ..back }]);
    assert_eq!(twice.len(), 2, "what was corrected and then taken back is struck once: {twice:?}");
}

#[test]
fn a_fact_that_came_again_later_is_told_with_its_withdrawal() {
    let breach = fact(FactKind::Breached, "Clock", "", json!({}));
    let back = fact(FactKind::Withdrawn, "Clock", &breach.key(), json!({}));
    let agreement = agreement();
    let zone = agreement.zone();
    let reader = Reader { agreement: &agreement, zone: &zone, name_of: &|_| None };
    let later = Timestamp::parse("2027-01-05T16:00:00Z").unwrap();
    let told = [(&breach, breach.at), (&back, back.at), (&breach, later)];
    let told = told.map(|(fact, seen_at)| Told { fact, seen_at });
    let struck: Vec<bool> = story(&reader, &told).iter().map(|line| line.withdrawn).collect();
    assert_eq!(struck, [true, false, false]);
}
