//! What keeps leadpact from doing harm: observing until armed, pause and kill switch, the breaker and
//! what a person decides about it, the pace, who is away, exclusions, freeze days, the cap.

use crate::world::{RECYCLE, Store, World, acme, agreement, agreement_with, lead, minute, text};
use leadpact::engine::held::{Decided, Decision, decide};
use leadpact::engine::overdue::{self, overdue};
use leadpact::engine::switches::{Acts, turn};
use leadpact::record::{ConnectionName, Elapsed, FactKind, Object, OwnerId, Timestamp, Value};
use leadpact::store::absence::{self, AbsenceRow};
use leadpact::store::switch::{Switch, SwitchRow};
use leadpact::store::{Priority, journal, outbox};

fn ids(from: usize, n: usize) -> Vec<String> {
    (from..from + n).map(|i| format!("{i:03}")).collect()
}

/// A world whose [recycling] says this too.
async fn world(store: Store, recycling: &str, more: &str) -> World {
    let agreement = agreement_with(RECYCLE, "", recycling, more);
    World::with(store, agreement).await
}

fn owner(world: &World, id: &str) -> String {
    world.crm.value(Object::Lead, id, "owner").as_text().unwrap_or_default().to_owned()
}

/// So many leads of a person, handed over now: due in an hour.
async fn hand_to(world: &mut World, person: &str, ids: &[String]) {
    let now = world.clock.now();
    let values = [("status", text("TQL")), ("owner", text(person)), ("touches", Value::Number(0.0))];
    for some in ids.chunks(100) {
        let events: Vec<_> = some.iter().map(|id| crate::world::changed(id, now, &values)).collect();
        some.iter().for_each(|id| world.crm.edit(Object::Lead, id, now, &values));
        world.receive(&events).await;
    }
    world.settle().await;
}

async fn switch(world: &World, connection: Option<ConnectionName>, switch: Switch, on: bool, until: Option<Timestamp>) {
    let (by, why, at) = ("Dana".to_owned(), "a test".to_owned(), world.clock.now());
    let row = SwitchRow { connection, switch, on, until, by, why, at };
    let mut tx = world.engine.db.begin(Priority::Work).await.unwrap();
    turn(&mut tx, &row, &[(acme(), "hash".into())], if on { "on" } else { "off" }).await.unwrap();
    tx.commit().await.unwrap();
}

async fn settings(world: &World) -> Vec<String> {
    let rows = journal::recent(&world.engine.db, &acme(), 0, 10_000).await.unwrap();
    let settings = rows.into_iter().map(|row| row.entry.fact).filter(|fact| fact.kind == FactKind::Setting);
    settings
        .map(|f| format!("{} {} by {}", f.item, f.detail["to"].as_str().unwrap(), f.detail["by"].as_str().unwrap()))
        .collect()
}

async fn ruled(world: &World, only: Option<&[&str]>, discard: bool) -> Decided {
    let held = outbox::held(&world.engine.db, &acme()).await.unwrap();
    let named = |id: &&leadpact::record::RecordId| only.is_none_or(|only| only.contains(&id.as_str()));
    let keys: Vec<_> = held.into_iter().filter(|one| named(&&one.effect.record.id)).map(|one| one.effect.key).collect();
    let decision = Decision { discard, by: "Dana".into(), why: "looked at".into() };
    let chain = (acme(), world.site.agreement.hash.to_string());
    let only = only.map(|_| &keys[..]);
    decide(&world.engine.db, &chain, only, &decision, world.clock.now()).await.unwrap()
}

async fn held(world: &World) -> u64 {
    outbox::count_held(&world.engine.db, &acme()).await.unwrap()
}

async fn recycled(world: &World, ids: &[String]) -> usize {
    let mut n = 0;
    for id in ids {
        n += world.count(id, FactKind::Recycled).await;
    }
    n
}

const QUIET: &str = "quiet = true";

promise!(while_paused_nothing_leaves_and_reads_go_on, |store| {
    let steps = r#"{ at = "50%", notify = ["owner"] }, { at = "due", task = "Call", recycle = true }"#;
    let mut world = World::new(store, steps).await;
    world.hand_over(&ids(0, 1)).await;
    switch(&world, Some(acme()), Switch::Paused, true, None).await;
    for at in [30, 61] {
        world.at(at);
        world.settle().await;
    }
    assert_eq!((world.crm.calls().1, world.crm.with(|s| s.task_attempts), world.channels.tried()), (0, 0, 0));
    world.receive(&[crate::world::said("000", minute(61), leadpact::crm::Says::ReadIt)]).await;
    world.settle().await;
    assert_eq!(world.crm.calls(), (1, 0), "it is read, and once");
    assert_eq!(world.count("000", FactKind::Breached).await, 1, "time counts on");
    switch(&world, Some(acme()), Switch::Paused, false, None).await;
    world.settle().await;
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
    assert_eq!(settings(&world).await, ["paused on by Dana", "paused off by Dana"]);
});

promise!(what_waited_for_the_end_of_a_pause_is_confirmed_again, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.hand_over(&ids(0, 2)).await;
    switch(&world, Some(acme()), Switch::Paused, true, None).await;
    world.at(61);
    world.settle().await;
    world.crm.edit(Object::Lead, "001", minute(61), &[("customer", Value::Bool(true))]);
    switch(&world, Some(acme()), Switch::Paused, false, None).await;
    world.settle().await;
    assert_eq!((owner(&world, "000").as_str(), owner(&world, "001").as_str()), ("70", "80"));
});

promise!(the_kill_switch_holds_everywhere_until_it_is_lifted, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.hand_over(&ids(0, 1)).await;
    switch(&world, None, Switch::Paused, true, None).await;
    // Resuming one connection does not lift it.
    switch(&world, Some(acme()), Switch::Paused, false, None).await;
    world.at(61);
    world.settle().await;
    assert_eq!(world.crm.calls().1, 0);
    switch(&world, None, Switch::Paused, false, None).await;
    world.settle().await;
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
});

promise!(a_pause_ends_by_itself_at_its_time, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.hand_over(&ids(0, 1)).await;
    switch(&world, Some(acme()), Switch::Paused, true, Some(minute(90))).await;
    world.at(89);
    world.settle().await;
    assert_eq!(world.crm.calls().1, 0);
    world.at(90);
    world.settle().await;
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
});

promise!(armed_it_acts_on_what_falls_due_from_then_on_and_on_the_rest_when_asked, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.site.acts = Acts::WhenArmed;
    world.hand_over(&ids(0, 3)).await;
    world.at(61);
    world.settle().await;
    assert_eq!((world.crm.calls().1, world.count("000", FactKind::WouldHave).await), (0, 1));
    switch(&world, Some(acme()), Switch::Armed, true, None).await;
    world.at(62);
    hand_to(&mut world, "80", &ids(3, 1)).await;
    // One was answered, one became a customer.
    world.change("001", minute(62), &[("status", text("Working"))]).await;
    world.change("002", minute(62), &[("customer", Value::Bool(true))]).await;
    world.at(123);
    world.settle().await;
    assert_eq!(recycled(&world, &ids(0, 4)).await, 1);
    assert_eq!(owner(&world, "003"), "70");
    let missed = overdue(&world.engine.db, &world.site.agreement, &acme(), minute(123)).await.unwrap();
    assert_eq!(missed.iter().map(|m| m.effect.record.id.as_str()).collect::<Vec<_>>(), ["000"]);
    let keys: Vec<_> = missed.into_iter().map(|m| m.effect.key).collect();
    let mut tx = world.engine.db.begin(Priority::Work).await.unwrap();
    assert_eq!(outbox::reissue(&mut tx, &acme(), &keys, minute(123)).await.unwrap(), 1);
    tx.commit().await.unwrap();
    world.settle().await;
    assert_eq!(owner(&world, "000"), "71");
    switch(&world, Some(acme()), Switch::Armed, false, None).await;
    world.at(24 * 60);
    hand_to(&mut world, "80", &ids(4, 1)).await;
    world.at(25 * 60 + 1);
    world.settle().await;
    assert_eq!((owner(&world, "004").as_str(), world.count("004", FactKind::WouldHave).await), ("80", 1));
});

promise!(what_is_overdue_when_armed_goes_through_the_breaker, |store| {
    let mut world = world(store, "quiet = true\nstop_above = { count = 5 }", "").await;
    world.site.acts = Acts::WhenArmed;
    world.hand_over(&ids(0, 6)).await;
    world.at(61);
    world.settle().await;
    switch(&world, Some(acme()), Switch::Armed, true, None).await;
    let (db, agreement) = (&world.engine.db, &world.site.agreement);
    let first = overdue::page(db, agreement, &acme(), minute(61), None, 4).await.unwrap();
    let second = overdue::page(db, agreement, &acme(), minute(61), first.next.as_ref(), 4).await.unwrap();
    assert_eq!((first.moves.len(), second.moves.len(), second.next), (4, 2, None));
    let all = overdue(db, agreement, &acme(), minute(61)).await.unwrap();
    assert_eq!(all, [first.moves, second.moves].concat());
    let keys: Vec<_> = outbox::would_have(&world.engine.db, &acme(), None, 99).await.unwrap();
    let keys: Vec<_> = keys.into_iter().map(|m| m.effect.key).collect();
    let mut tx = world.engine.db.begin(Priority::Work).await.unwrap();
    outbox::reissue(&mut tx, &acme(), &keys, minute(61)).await.unwrap();
    tx.commit().await.unwrap();
    world.settle().await;
    assert_eq!((held(&world).await, world.crm.calls().1), (6, 0));
});

promise!(too_many_at_once_are_held_until_a_person_lets_them_go, |store| {
    let mut world =
        world(store, "quiet = true\nstop_above = { count = 200, share_of_open = 1.0, share_of_owner = 1.0 }", "").await;
    let leads = ids(0, 201);
    world.hand_over(&leads).await;
    world.at(61);
    world.settle().await;
    assert_eq!((held(&world).await, world.crm.calls().1), (201, 0));
    assert_eq!((world.count("000", FactKind::Held).await, world.count("200", FactKind::Held).await), (1, 1));
    assert_eq!(world.channels.places(), ["#teleprospecting"], "one alert");
    let said = &world.channels.sent()[0].1;
    assert!(said.subject.contains("201 leads are held") && said.text.contains("leadpact release acme"), "{said:?}");
    assert!(world.engine.metrics.encode().contains("leadpact_held{connection=\"acme\"} 201"));
    // A later one is held too, however long it takes.
    world.at(300);
    hand_to(&mut world, "80", &ids(300, 1)).await;
    world.at(361);
    world.settle().await;
    assert_eq!((held(&world).await, world.crm.calls().1, world.channels.places().len()), (202, 0, 1));
    assert_eq!(ruled(&world, None, false).await, Decided { effects: 202, closed: true });
    world.settle().await;
    assert_eq!(recycled(&world, &leads).await, 201);
    assert_eq!((world.count("000", FactKind::Released).await, world.count("000", FactKind::Held).await), (1, 1));
    assert_eq!(settings(&world).await, ["breaker holding by leadpact", "breaker off, counting afresh by Dana"]);
    assert!(world.engine.metrics.encode().contains("leadpact_held{connection=\"acme\"} 0"));
    // It counts afresh: two hundred are no more than two hundred.
    world.at(361);
    let more = ids(400, 200);
    hand_to(&mut world, "80", &more).await;
    world.at(422);
    world.settle().await;
    assert_eq!((recycled(&world, &more).await, held(&world).await), (200, 0));
});

promise!(twenty_within_the_hour_are_not_too_many_and_one_more_is, |store| {
    let mut world =
        world(store, "quiet = true\nstop_above = { count = 20, share_of_open = 1.0, share_of_owner = 1.0 }", "").await;
    hand_to(&mut world, "80", &ids(0, 20)).await;
    world.at(30);
    hand_to(&mut world, "80", &ids(20, 1)).await;
    world.at(61);
    world.settle().await;
    assert_eq!(recycled(&world, &ids(0, 20)).await, 20);
    // Half an hour after those: together they are too many.
    world.at(91);
    world.settle().await;
    assert_eq!((recycled(&world, &ids(20, 1)).await, held(&world).await), (0, 1));
    assert_eq!(ruled(&world, None, false).await.effects, 1);
    world.settle().await;
    // An hour later what was made before counts no more.
    hand_to(&mut world, "80", &ids(40, 20)).await;
    world.at(152);
    world.settle().await;
    assert_eq!(recycled(&world, &ids(40, 20)).await, 20);
});

promise!(an_answer_takes_a_held_lead_out, |store| {
    let mut world = world(store, "quiet = true\nstop_above = { count = 2 }", "").await;
    world.hand_over(&ids(0, 3)).await;
    world.at(61);
    world.settle().await;
    assert_eq!(held(&world).await, 3);
    world.at(62);
    world.change("000", minute(62), &[("status", text("Working"))]).await;
    world.settle().await;
    assert_eq!(held(&world).await, 2);
    // What nobody told us is seen when it is let go.
    world.crm.edit(Object::Lead, "001", minute(62), &[("touches", Value::Number(1.0))]);
    ruled(&world, None, false).await;
    world.settle().await;
    let owners: Vec<String> = ids(0, 3).iter().map(|id| owner(&world, id)).collect();
    assert_eq!(owners, ["80", "80", "70"]);
});

promise!(what_is_given_up_stays_where_it_is, |store| {
    let mut world = world(store, "quiet = true\nstop_above = { count = 2 }", "").await;
    world.hand_over(&ids(0, 4)).await;
    world.at(61);
    world.settle().await;
    assert_eq!(ruled(&world, Some(&["000"]), false).await, Decided { effects: 1, closed: false });
    world.settle().await;
    assert_eq!((owner(&world, "000").as_str(), held(&world).await), ("70", 3));
    // One more falls due: the breaker holds as long as anything is held.
    hand_to(&mut world, "80", &ids(9, 1)).await;
    world.at(122);
    world.settle().await;
    assert_eq!(held(&world).await, 4);
    let calls = world.crm.calls();
    assert_eq!(ruled(&world, None, true).await, Decided { effects: 4, closed: true });
    world.settle().await;
    assert_eq!(world.crm.calls(), calls, "nothing is asked for it");
    for id in ["001", "002", "003", "009"] {
        assert_eq!(owner(&world, id), "80");
        assert_eq!((world.count(id, FactKind::Discarded).await, world.count(id, FactKind::Dropped).await), (1, 1));
    }
    assert_eq!(world.open_effects().await, outbox::OutboxCounts::default());
});

promise!(a_share_of_one_owners_leads_counts_from_twenty_on, |store| {
    let limits = "quiet = true\nstop_above = { share_of_open = 1.0, share_of_owner = 0.2 }";
    let mut world = world(store, limits, "").await;
    hand_to(&mut world, "80", &ids(0, 19)).await;
    world.at(1);
    hand_to(&mut world, "80", &ids(100, 6)).await;
    world.at(60);
    world.settle().await;
    assert_eq!(recycled(&world, &ids(0, 19)).await, 19, "nineteen of twenty-five are few");
    world.at(61);
    world.settle().await;
    assert_eq!((recycled(&world, &ids(100, 6)).await, held(&world).await), (0, 6), "and now it is all of them");
    let said = &world.channels.sent()[0].1.text;
    assert!(said.contains("25 of 25 open leads of Person 80"), "{said}");
});

promise!(a_share_of_all_open_leads_counts_too, |store| {
    let limits = "quiet = true\nstop_above = { share_of_open = 0.5, share_of_owner = 1.0 }";
    let mut world = world(store, limits, "").await;
    hand_to(&mut world, "80", &ids(0, 20)).await;
    world.at(1);
    hand_to(&mut world, "71", &ids(100, 20)).await;
    world.at(60);
    world.settle().await;
    assert_eq!(recycled(&world, &ids(0, 20)).await, 20, "a half is not more than a half");
    world.at(61);
    world.settle().await;
    assert_eq!(held(&world).await, 20);
});

promise!(whoever_takes_over_goes_on_holding, |store| {
    let mut world = world(store, "quiet = true\nstop_above = { count = 3 }", "").await;
    world.hand_over(&ids(0, 3)).await;
    // The process died right after the breaker went on; nothing was held yet, nobody was told.
    switch(&world, Some(acme()), Switch::Breaker, true, None).await;
    world.at(61);
    world.turn().await;
    world.crash().await;
    world.settle().await;
    assert_eq!((held(&world).await, world.crm.calls().1, world.channels.places().len()), (3, 0, 1));
    world.crash().await;
    world.settle().await;
    assert_eq!(world.channels.places().len(), 1, "told once");
});

promise!(who_observes_has_no_breaker, |store| {
    let mut world = world(store, "quiet = true\nstop_above = { count = 1 }", "").await;
    world.site.acts = Acts::Never;
    world.hand_over(&ids(0, 3)).await;
    world.at(61);
    world.settle().await;
    assert_eq!((held(&world).await, world.count("002", FactKind::WouldHave).await), (0, 1));
});

promise!(an_alert_that_did_not_get_through_is_tried_again, |store| {
    let mut world = world(store, "quiet = true\nstop_above = { count = 1 }", "").await;
    let down = leadpact::notify::NotifyError::Later { message: "down".into(), after: None };
    world.channels.answer("#teleprospecting", down);
    world.hand_over(&ids(0, 2)).await;
    world.at(61);
    world.settle().await;
    assert!(world.channels.places().is_empty());
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    world.settle().await;
    assert_eq!(world.channels.places(), ["#teleprospecting"]);
});

const PACED: &str = "quiet = true\nstop_above = { count = 1000, share_of_open = 1.0, share_of_owner = 1.0 }\n";

promise!(so_many_go_back_a_minute_the_oldest_first, |store| {
    let mut world = world(store, &format!("{PACED}pace = {{ per_minute = 10 }}"), "").await;
    hand_to(&mut world, "80", &ids(900, 5)).await;
    world.clock.set(minute(0) + Elapsed::from_secs(1));
    hand_to(&mut world, "80", &ids(0, 20)).await;
    world.at(61);
    world.settle().await;
    assert_eq!((recycled(&world, &ids(900, 5)).await, recycled(&world, &ids(0, 20)).await), (5, 5));
    world.clock.set(minute(61) + Elapsed::from_secs(59));
    world.settle().await;
    assert_eq!(recycled(&world, &ids(0, 20)).await, 5);
    for (at, n) in [(62, 15), (63, 20)] {
        world.at(at);
        world.settle().await;
        assert_eq!(recycled(&world, &ids(0, 20)).await, n, "minute {at}");
    }
});

promise!(so_many_of_one_owners_leads_go_back_a_day, |store| {
    let mut world = world(store, &format!("{PACED}pace = {{ per_owner_and_day = 2 }}"), "").await;
    hand_to(&mut world, "80", &ids(0, 5)).await;
    hand_to(&mut world, "71", &ids(10, 1)).await;
    world.at(61);
    world.settle().await;
    assert_eq!((recycled(&world, &ids(0, 5)).await, recycled(&world, &ids(10, 1)).await), (2, 1));
    world.at(12 * 60 - 1);
    world.settle().await;
    assert_eq!(recycled(&world, &ids(0, 5)).await, 2);
    for (at, n) in [(12 * 60, 4), (36 * 60, 5)] {
        world.at(at);
        world.settle().await;
        assert_eq!(recycled(&world, &ids(0, 5)).await, n, "minute {at}");
    }
});

promise!(what_a_person_lets_go_keeps_the_pace, |store| {
    let limits = "quiet = true\nstop_above = { count = 2 }\npace = { per_minute = 2 }";
    let mut world = world(store, limits, "").await;
    world.hand_over(&ids(0, 3)).await;
    world.at(61);
    world.settle().await;
    assert_eq!(held(&world).await, 3);
    ruled(&world, None, false).await;
    world.settle().await;
    assert_eq!((recycled(&world, &ids(0, 3)).await, held(&world).await), (2, 0));
    world.at(62);
    world.settle().await;
    assert_eq!(recycled(&world, &ids(0, 3)).await, 3);
});

async fn away(world: &World, owner: &str, until: i64) {
    let row = AbsenceRow { owner: OwnerId::new(owner), until: minute(until), by: "Dana".into(), at: world.clock.now() };
    let mut tx = world.engine.db.begin(Priority::Work).await.unwrap();
    absence::set(&mut tx, &acme(), &row).await.unwrap();
    tx.commit().await.unwrap();
}

promise!(who_is_away_gets_nothing_until_they_are_back, |store| {
    let mut world = World::new(store, RECYCLE).await;
    away(&world, "70", 100).await;
    world.hand_over(&ids(0, 3)).await;
    world.at(61);
    world.settle().await;
    assert!(ids(0, 3).iter().all(|id| owner(&world, id) == "71"));
    // With everybody away a lead waits, and is not given up.
    away(&world, "71", 140).await;
    away(&world, "70", 140).await;
    hand_to(&mut world, "80", &ids(5, 1)).await;
    world.at(122);
    world.settle().await;
    assert_eq!((owner(&world, "005").as_str(), world.parked().await.len()), ("80", 0));
    world.at(141);
    world.settle().await;
    assert_ne!(owner(&world, "005"), "80");
});

promise!(quiet_tells_nobody_of_a_move_and_else_both_sides_hear_of_it, |store| {
    let mut quiet = World::over(store.db.clone(), agreement(RECYCLE, ""), "first").await;
    quiet.hand_over(&ids(0, 1)).await;
    quiet.at(61);
    quiet.settle().await;
    assert_eq!(quiet.count("000", FactKind::Recycled).await, 1);
    assert!(quiet.channels.places().is_empty());
    let mut told = world(store, "quiet = false", "").await;
    told.hand_over(&ids(1, 1)).await;
    told.at(61);
    told.settle().await;
    let mut places = told.channels.places();
    places.sort();
    assert_eq!(places, ["#teleprospecting", "@pat@acme.example"]);
});

promise!(on_freeze_days_nothing_goes_back_and_clocks_go_on, |store| {
    let freeze = "[[freeze]]\nfirst = 2027-01-05\nlast = 2027-01-05\nwhy = \"Quarter end\"";
    let mut world = world(store, QUIET, freeze).await;
    world.hand_over(&ids(0, 1)).await;
    world.at(12 * 60 - 1);
    world.settle().await;
    assert_eq!((world.crm.calls().1, world.count("000", FactKind::Breached).await), (0, 1));
    world.at(12 * 60);
    world.settle().await;
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
});

promise!(at_the_cap_a_lead_goes_to_nurture_and_who_had_it_is_avoided, |store| {
    let mut world = World::new(store, RECYCLE).await;
    let mut had = vec!["80".to_owned()];
    for round in 0..2 {
        let from = round * 24 * 60;
        world.at(from);
        hand_to(&mut world, had.last().unwrap().clone().as_str(), &ids(0, 1)).await;
        world.at(from + 61);
        world.settle().await;
        had.push(owner(&world, "000"));
    }
    assert_eq!(had, ["80", "70", "71"]);
    world.at(48 * 60);
    hand_to(&mut world, "71", &ids(0, 1)).await;
    world.at(48 * 60 + 61);
    world.settle().await;
    assert_eq!((world.count("000", FactKind::Recycled).await, world.count("000", FactKind::Nurtured).await), (2, 1));
    assert_eq!(world.crm.value(Object::Lead, "000", "status"), text("Nurture"));
    assert_eq!(world.standing("000").await.key, lead("000"));
});
