//! From the inbox to facts: any order, any repetition, and one bad event harms no other.

use crate::world::{RECYCLE, World, acme, agreement, changed, lead, minute, said, text};
use leadpact::agreement::model::Agreement;
use leadpact::crm::{Event, Says};
use leadpact::engine::switches::Acts;
use leadpact::engine::{apply, wake};
use leadpact::record::{Elapsed, FactKind, Object, RecordId, Value};
use leadpact::store::person::{self, PersonRow};
use leadpact::store::{Priority, inbox, journal, standing};

/// Whoever reaches the cursed stage makes the decision fail.
fn cursed() -> Agreement {
    let mut agreement = agreement(RECYCLE, "");
    let clock = agreement.clocks.iter_mut().find(|c| &*c.name == "Cursed").unwrap();
    clock.calendar = Some(99);
    agreement
}

async fn step(world: &World) -> usize {
    let mark = inbox::mark(&world.engine.db, &acme()).await.unwrap().unwrap();
    apply::step(&world.engine, &world.site, &world.lease, &mark).await.unwrap()
}

/// What happened, as the journal has it in the end: without what was taken back.
async fn story(world: &World, id: &str) -> Vec<(String, i64)> {
    let mut facts: Vec<(String, i64)> = Vec::new();
    for row in journal::of_record(&world.engine.db, &lead(id)).await.unwrap() {
        let fact = row.entry.fact;
        match fact.kind {
            FactKind::Withdrawn => facts.retain(|told| *told != (fact.item.to_string(), fact.at.as_millis())),
            _ => facts.push((fact.key(), fact.at.as_millis())),
        }
    }
    facts.sort();
    facts
}

promise!(a_connector_is_told_who_people_were_before_it_understands_any_news, |store| {
    let world = World::new(store, RECYCLE).await;
    let amy = PersonRow {
        id: "7020".into(),
        user: Some("9914".into()),
        name: "Amy Ng".to_owned(),
        email: None,
        manager: None,
        active: true,
        queue: false,
    };
    let mut tx = world.engine.db.begin(Priority::Work).await.unwrap();
    person::save_all(&mut tx, &acme(), &[amy]).await.unwrap();
    tx.commit().await.unwrap();
    world.receive(&life("1")).await;
    step(&world).await;
    let (told, hasty) = world.crm.with(|s| (s.recalled.iter().map(|p| p.user.clone()).collect::<Vec<_>>(), s.hasty));
    assert_eq!((told, hasty), (vec![Some("9914".into())], 0));
});

promise!(what_was_received_does_not_wait_for_who_asks_the_crm_for_its_people, |store| {
    let world = World::new(store, RECYCLE).await;
    world.crm.with(|s| s.people_hang = true);
    let (engine, site) = (&world.engine, &world.site);
    let mut asking = std::pin::pin!(site.directory.people(&engine.db, site.name(), &site.crm, &[]));
    let patience = std::time::Duration::from_millis(100);
    assert!(tokio::time::timeout(patience, &mut asking).await.is_err(), "it is not answered");
    world.receive(&life("1")).await;
    let applied = tokio::time::timeout(100 * patience, step(&world)).await;
    assert!(applied.expect("nobody waits") > 0);
});

fn life(id: &str) -> Vec<Event> {
    vec![
        changed(id, minute(0), &[("status", text("MQL")), ("name", text("Zoë"))]),
        changed(id, minute(1), &[("status", text("TQL")), ("owner", text("80"))]),
        changed(id, minute(5), &[("owner", text("81"))]),
        changed(id, minute(9), &[("touches", Value::Number(1.0))]),
        changed(id, minute(12), &[("status", text("Working"))]),
    ]
}

promise!(shuffled_and_repeated_events_tell_the_same_story, |store| {
    let world = World::new(store, RECYCLE).await;
    world.at(20);
    world.receive(&life("ordered")).await;
    let mut shuffled = life("shuffled");
    shuffled.reverse();
    shuffled.extend(life("shuffled"));
    world.receive(&shuffled).await;
    for event in life("late").into_iter().rev() {
        world.receive(&[event.clone(), event]).await;
        world.turn().await;
    }
    world.turn().await;
    let ordered = story(&world, "ordered").await;
    assert!(ordered.len() > 5);
    assert_eq!(ordered, story(&world, "shuffled").await);
    assert_eq!(ordered, story(&world, "late").await);
    assert_eq!(world.standing("late").await.stage, world.standing("ordered").await.stage);
});

promise!(a_late_change_takes_back_a_breach_that_did_not_happen, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.site.acts = Acts::Never;
    world.hand_over(&["1".to_owned()]).await;
    world.at(61);
    world.turn().await;
    assert_eq!(world.count("1", FactKind::Breached).await, 1);
    assert_eq!(world.open_effects().await.due, 1);
    world.change("1", minute(30), &[("status", text("Working"))]).await;
    world.turn().await;
    assert_eq!(world.count("1", FactKind::Withdrawn).await, 1);
    assert_eq!(world.open_effects().await.due, 0, "what was not sent yet is taken back");
});

promise!(the_same_delivery_five_times_changes_nothing, |store| {
    let world = World::new(store, RECYCLE).await;
    world.at(20);
    world.receive(&life("1")).await;
    world.turn().await;
    let before = (world.facts("1").await, world.history("1").await, world.open_effects().await);
    for _ in 0..4 {
        world.receive(&life("1")).await;
        world.turn().await;
    }
    assert_eq!((world.facts("1").await, world.history("1").await, world.open_effects().await), before);
});

promise!(a_transaction_takes_as_many_rows_as_make_256_changes, |store| {
    let world = World::new(store, RECYCLE).await;
    for row in 0..5 {
        let of = |i: usize| changed(&format!("{row}-{i}"), minute(0), &[("status", text("MQL"))]);
        world.receive(&(0..100).map(of).collect::<Vec<_>>()).await;
    }
    assert_eq!(step(&world).await, 2);
    assert_eq!(standing::count_all(&world.engine.db, &acme()).await.unwrap(), 200);
    world.turn().await;
    assert_eq!(standing::count_all(&world.engine.db, &acme()).await.unwrap(), 500);
});

promise!(a_row_with_more_events_than_that_applies_whole, |store| {
    let world = World::new(store, RECYCLE).await;
    let of = |i: usize| changed(&i.to_string(), minute(0), &[("status", text("MQL"))]);
    world.receive(&(0..700).map(of).collect::<Vec<_>>()).await;
    assert_eq!(step(&world).await, 1);
    assert_eq!(standing::count_all(&world.engine.db, &acme()).await.unwrap(), 700);
    assert_eq!(inbox::counts(&world.engine.db, &acme()).await.unwrap().received, 0);
});

promise!(an_event_whose_decision_fails_is_set_aside_alone, |store| {
    let db = store.db.clone();
    let mut world = World::over(db, cursed(), "first").await;
    let events = [
        changed("good", minute(0), &[("status", text("TQL"))]),
        changed("bad", minute(0), &[("status", text("Cursed"))]),
        changed("other", minute(0), &[("status", text("TQL"))]),
    ];
    world.receive(&events).await;
    world.turn().await;
    for id in ["good", "other"] {
        assert_eq!(world.count(id, FactKind::ClockStarted).await, 1);
    }
    let aside = world.parked_deliveries().await;
    assert_eq!((aside.len(), aside[0].kind), (1, inbox::Kind::Event));
    assert!(aside[0].error.as_deref().unwrap().contains("acme/lead/bad"));
    assert!(world.facts("bad").await.is_empty());
    // Mended, it is replayed.
    world.site = crate::world::site(agreement(RECYCLE, ""), world.crm.clone());
    let mut tx = world.engine.db.begin(Priority::Work).await.unwrap();
    inbox::replay(&mut tx, &acme(), &[&aside[0].id]).await.unwrap();
    tx.commit().await.unwrap();
    world.turn().await;
    assert_eq!(world.standing("bad").await.stage.unwrap().as_str(), "cursed");
});

promise!(what_cannot_be_read_is_parked_and_the_rest_goes_on, |store| {
    let world = World::new(store, RECYCLE).await;
    world.receive_text("this is no list").await;
    world.receive(&[changed("1", minute(0), &[("status", text("TQL"))])]).await;
    world.turn().await;
    assert_eq!(world.count("1", FactKind::ClockStarted).await, 1);
    assert_eq!(world.parked_deliveries().await.len(), 1);
});

/// A process that dies in its work leaves the attempt counted.
async fn die(world: &World, times: usize) {
    let mark = inbox::mark(&world.engine.db, &acme()).await.unwrap().unwrap();
    let rows = inbox::received(&world.engine.db, &acme(), &mark, 100).await.unwrap();
    for _ in 0..times {
        let mut tx = world.engine.db.begin(Priority::Work).await.unwrap();
        let ids: Vec<&str> = rows.iter().map(|r| r.id.as_str()).collect();
        inbox::count_attempt(&mut tx, &acme(), &ids).await.unwrap();
        tx.commit().await.unwrap();
    }
}

promise!(the_fifth_death_parks_a_row, |store| {
    let world = World::new(store, RECYCLE).await;
    world.receive(&[changed("1", minute(0), &[("status", text("TQL"))])]).await;
    die(&world, 5).await;
    world.turn().await;
    assert_eq!(world.parked_deliveries().await.len(), 1);
    assert!(world.facts("1").await.is_empty());
});

promise!(rows_that_were_begun_before_are_tried_one_by_one, |store| {
    let world = World::new(store, RECYCLE).await;
    for id in ["1", "2", "3"] {
        world.receive(&[changed(id, minute(0), &[("status", text("TQL"))])]).await;
    }
    die(&world, 1).await;
    world.receive(&[changed("4", minute(0), &[("status", text("TQL"))])]).await;
    // One at a time, and the last of them without the fresh one behind it.
    for known in 1..=4 {
        assert_eq!(step(&world).await, 1);
        assert_eq!(standing::count_all(&world.engine.db, &acme()).await.unwrap(), known);
    }
});

promise!(attempts_are_counted_before_the_work, |store| {
    let world = World::new(store, RECYCLE).await;
    world.receive(&[changed("1", minute(0), &[("status", text("TQL"))])]).await;
    // The standing cannot be read: the work fails after it began.
    let row = standing::StandingRow {
        key: lead("1"),
        stage: None,
        owner: None,
        party: None,
        name: "1".into(),
        wake_at: None,
        state: "not a standing".into(),
        updated: minute(0),
    };
    let mut tx = world.engine.db.begin(Priority::Work).await.unwrap();
    standing::save(&mut tx, &[row]).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..5 {
        let mark = inbox::mark(&world.engine.db, &acme()).await.unwrap().unwrap();
        assert!(apply::step(&world.engine, &world.site, &world.lease, &mark).await.is_err());
    }
    assert_eq!(step(&world).await, 1);
    assert_eq!(world.parked_deliveries().await.len(), 1);
});

promise!(a_merged_record_ends_and_its_survivor_is_read, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.hand_over(&["loser".to_owned(), "survivor".to_owned()]).await;
    world.crm.with(|s| s.records.remove(&(Object::Lead, RecordId::new("loser"))));
    world.at(1);
    let merged = Says::Merged { into: RecordId::new("survivor") };
    world.receive(&[said("loser", minute(1), merged)]).await;
    world.settle().await;
    assert_eq!(world.count("loser", FactKind::Merged).await, 1);
    assert_eq!(world.crm.with(|s| s.reads.clone()), [[RecordId::new("survivor")]]);
    world.at(61);
    world.settle().await;
    assert_eq!(world.crm.times_written().into_keys().collect::<Vec<_>>(), ["survivor"]);
});

promise!(a_change_from_before_a_new_agreement_is_not_lost, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.hand_over(&["1".to_owned()]).await;
    world.at(10);
    world.change("1", minute(10), &[("name", text("Zoë Ü."))]).await;
    world.settle().await;
    let next = agreement(r#"{ at = "+5m", recycle = true }"#, "");
    world.site = crate::world::site(next, world.crm.clone());
    world.change("1", minute(9), &[("status", text("Working"))]).await;
    world.settle().await;
    assert_eq!(world.standing("1").await.stage.unwrap().as_str(), "sal");
    assert_eq!(world.standing("1").await.open_runs().count(), 0);
});

promise!(a_write_that_landed_before_a_human_edit_keeps_its_place, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.hand_over(&["1".to_owned()]).await;
    world.at(61);
    world.turn().await;
    world.crm.with(|s| s.write_calls.push_back(crate::crm::Call::DoneBut(crate::crm::doubt())));
    world.step().await.unwrap();
    // Told before the doubt is settled: a person takes it from the queue a little later.
    let later = minute(61) + Elapsed::from_secs(3);
    world.clock.set(later);
    world.receive(&[changed("1", later, &[("name", text("Zoë Ü."))])]).await;
    world.turn().await;
    world.settle().await;
    assert_eq!(world.count("1", FactKind::Recycled).await, 1);
    let standing = world.standing("1").await;
    assert_eq!((standing.pass, standing.name()), (2, "Zoë Ü."));
    assert_eq!(standing.owner().unwrap().as_str(), "70");
    assert!(world.history("1").await >= 3);
});

promise!(only_what_is_due_wakes_and_five_hundred_at_a_time, |store| {
    let mut world = World::new(store, RECYCLE).await;
    let ids: Vec<String> = (0..600).map(|i| i.to_string()).collect();
    world.hand_over(&ids).await;
    world.at(59);
    assert_eq!(wake::step(&world.engine, &world.site, &world.lease).await.unwrap(), 0);
    world.at(60);
    assert_eq!(wake::step(&world.engine, &world.site, &world.lease).await.unwrap(), 500);
    assert_eq!(wake::step(&world.engine, &world.site, &world.lease).await.unwrap(), 100);
    assert_eq!(wake::step(&world.engine, &world.site, &world.lease).await.unwrap(), 0);
    assert_eq!(world.open_effects().await.due, 600);
});

promise!(what_one_save_changed_is_one_change_however_many_events_tell_of_it, |store| {
    let world = World::new(store, RECYCLE).await;
    let at = minute(-5);
    let events = [("status", "TQL"), ("owner", "80")].map(|(name, value)| changed("1", at, &[(name, text(value))]));
    world.receive(&events).await;
    world.turn().await;
    assert_eq!(world.history("1").await, 1);
    assert_eq!(world.count("1", FactKind::HandedOver).await, 1);
    assert_eq!(world.count("1", FactKind::Withdrawn).await, 0);
});
