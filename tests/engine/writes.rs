//! Writes: once, one by one settled, as they were intended, and never on a lead that lives.

use crate::crm::{Call, later, never};
use crate::world::{RECYCLE, World, acme, agreement, changed, minute, said, text};
use leadpact::crm::connection::Roster;
use leadpact::crm::{CrmError, ItemResult, Says};
use leadpact::engine::switches::Acts;
use leadpact::record::{Elapsed, FactKind, FieldName, Object, PartyName, RecordId, Value};
use leadpact::store::StoreError;
use leadpact::store::lease;
use std::collections::VecDeque;
use std::time::Duration;

fn ids(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{i:03}")).collect()
}

/// Leads whose follow-up was due an hour after noon, and it is a minute later.
async fn overdue(world: &mut World, ids: &[String]) {
    world.hand_over(ids).await;
    world.at(61);
    world.turn().await;
}

fn owner(world: &World, id: &str) -> Option<String> {
    world.crm.value(Object::Lead, id, "owner").as_text().map(str::to_owned)
}

promise!(a_stale_lead_goes_back_once, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(1)).await;
    world.settle().await;
    assert_eq!(world.crm.calls(), (1, 1), "one read before one write");
    assert_eq!(owner(&world, "000").as_deref(), Some("70"));
    assert_eq!(world.crm.value(Object::Lead, "000", "status"), text("MQL"));
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
    assert_eq!(world.standing("000").await.pass, 2);
});

promise!(two_hundred_leads_go_back_in_one_call, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(250)).await;
    world.settle().await;
    let sizes: Vec<usize> = world.crm.with(|s| s.writes.iter().map(Vec::len).collect());
    assert_eq!(sizes, [200, 50]);
});

promise!(each_item_of_a_call_settles_on_its_own, |store| {
    let mut world = World::new(store, RECYCLE).await;
    let ids = ids(200);
    overdue(&mut world, &ids).await;
    let fail = |message: &str| ItemResult::Refused { message: message.to_owned() };
    let put_off = |after| ItemResult::Later { message: "locked".into(), after };
    let gone = ItemResult::Gone { message: "deleted".into() };
    world.crm.with(|s| {
        for (i, id) in ids.iter().take(37).enumerate() {
            let answers = match i % 5 {
                0 => vec![fail("validation")],
                1 => vec![fail("permission")],
                2 => vec![gone.clone()],
                3 => vec![put_off(Some(Duration::from_secs(30)))],
                _ => vec![put_off(None); 20],
            };
            if i % 5 == 2 {
                s.records.remove(&(Object::Lead, RecordId::new(id)));
                // The read before still shows it.
                s.untold.insert(RecordId::new(id));
            }
            s.items.insert(RecordId::new(id), VecDeque::from(answers));
        }
        s.untold.clear();
    });
    // Records that go between the read and the write.
    for id in ids.iter().take(37).skip(2).step_by(5) {
        world.crm.edit(Object::Lead, id, minute(0), &[("status", text("TQL")), ("owner", text("80"))]);
    }
    world.step().await.unwrap();
    for id in ids.iter().take(37).skip(2).step_by(5) {
        world.crm.with(|s| s.records.remove(&(Object::Lead, RecordId::new(id))));
    }
    for i in 0..40 {
        world.clock.set(minute(62 + 20 * i));
        world.settle().await;
    }
    let times = world.crm.times_written();
    for (i, id) in ids.iter().enumerate() {
        let expected = match i {
            0..37 => [1, 1, 1, 2, 10][i % 5],
            _ => 1,
        };
        assert_eq!(times[id], expected, "{id}");
    }
    let errors: Vec<String> = world.parked().await.into_iter().filter_map(|row| row.outcome).collect();
    assert_eq!(errors.iter().filter(|e| e.contains("validation")).count(), 8);
    assert_eq!(errors.iter().filter(|e| e.contains("permission")).count(), 8);
    assert_eq!(errors.iter().filter(|e| e.contains("given up after 10 tries: locked")).count(), 7);
    assert_eq!(errors.len(), 23);
    assert!(world.standing("002").await.gone.is_some(), "what is gone was read again");
    assert_eq!(world.count("002", FactKind::Dropped).await, 1);
    assert_eq!(world.count("100", FactKind::Recycled).await, 1);
});

promise!(a_read_that_is_refused_is_halved_down_to_the_one_to_blame, |store| {
    let mut world = World::new(store, RECYCLE).await;
    let ids = ids(30);
    overdue(&mut world, &ids).await;
    world.crm.with(|s| s.poison.insert(RecordId::new("017")));
    world.settle().await;
    let parked = world.parked().await;
    assert_eq!(parked.iter().map(|r| r.effect.record.id.as_str()).collect::<Vec<_>>(), ["017"]);
    for id in ids.iter().filter(|id| *id != "017") {
        assert_eq!(world.count(id, FactKind::Recycled).await, 1, "{id}");
        assert!(owner(&world, id).is_some_and(|o| o != "80"), "{id}");
    }
    assert!(world.crm.calls().1 <= 2, "the read before it told the bad one apart");
});

promise!(a_write_that_is_refused_as_a_whole_is_halved_too, |store| {
    let mut world = World::new(store, RECYCLE).await;
    let ids = ids(30);
    overdue(&mut world, &ids).await;
    world.crm.with(|s| s.write_calls.extend([Call::Fails(never()), Call::Fails(never())]));
    world.settle().await;
    let sizes: Vec<usize> = world.crm.with(|s| s.writes.iter().map(Vec::len).collect());
    assert_eq!(sizes[..3], [30, 15, 7]);
    assert_eq!(sizes[2..].iter().sum::<usize>(), 30);
    assert!(world.parked().await.is_empty());
    // One alone is to blame for itself.
    world.crm.with(|s| s.write_calls.push_back(Call::Fails(never())));
    world.at(62);
    overdue_one(&mut world, "lonely").await;
    assert_eq!(world.parked().await.len(), 1);
});

/// Another lead, a day later.
async fn overdue_one(world: &mut World, id: &str) {
    world.at(60 * 24);
    world.hand_over(&[id.to_owned()]).await;
    world.at(60 * 24 + 61);
    world.settle().await;
}

promise!(while_the_crm_rests_it_is_not_called, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(3)).await;
    world.crm.with(|s| s.write_calls.push_back(Call::Fails(later(Some(3600)))));
    world.step().await.unwrap();
    let calls = world.crm.calls();
    world.at(90);
    for _ in 0..20 {
        world.turn().await;
        assert_eq!(world.step().await.unwrap(), 0);
    }
    assert_eq!(world.crm.calls(), calls, "no call before the time that it asked for");
    assert!(world.deliver.next_look().unwrap() > Duration::from_secs(3500));
    assert_eq!(world.open_effects().await.due, 3, "nothing is lost");
});

promise!(a_failed_read_spares_the_crm_the_rest_of_the_step, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(1)).await;
    // A read is due too.
    world.receive(&[said("other", minute(61), Says::ReadIt)]).await;
    world.turn().await;
    world.crm.with(|s| s.read_calls.push_back(Call::Fails(later(Some(60)))));
    world.step().await.unwrap();
    assert_eq!(world.crm.calls(), (1, 0));
});

promise!(however_long_the_crm_is_down_a_recycle_is_not_given_up, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(2)).await;
    world.crm.with(|s| s.write_calls.extend(vec![Call::Fails(later(Some(0))); 25]));
    for _ in 0..25 {
        assert_eq!(world.step().await.unwrap(), 0);
    }
    world.settle().await;
    assert_eq!(world.crm.calls().1, 26);
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
    assert!(world.parked().await.is_empty());
});

promise!(failures_of_whole_calls_do_not_count_against_an_item, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(1)).await;
    world.crm.with(|s| {
        s.write_calls.extend(vec![Call::Fails(later(Some(0))); 15]);
        let locked = ItemResult::Later { message: "locked".into(), after: Some(Duration::ZERO) };
        s.items.insert(RecordId::new("000"), VecDeque::from([locked]));
    });
    for _ in 0..15 {
        world.step().await.unwrap();
    }
    world.settle().await;
    assert!(world.parked().await.is_empty());
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
});

promise!(lost_credentials_pause_the_connection, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(1)).await;
    let signed_out = CrmError::SignIn { message: "revoked".into() };
    world.crm.with(|s| s.read_calls.push_back(Call::Fails(signed_out)));
    // It would go fine from now on, and nobody tries.
    world.settle().await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    world.settle().await;
    assert_eq!(world.crm.calls(), (1, 0));
});

promise!(a_touch_seen_in_the_last_second_spares_the_lead, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(2)).await;
    // Nobody told us of it; only the read before the write does.
    world.crm.edit(
        Object::Lead,
        "000",
        minute(61),
        &[("touches", Value::Number(1.0)), ("last_touch", Value::Time(minute(61)))],
    );
    world.settle().await;
    let times = world.crm.times_written();
    assert_eq!((times.get("000"), times.get("001")), (None, Some(&1)));
    assert_eq!(owner(&world, "000").as_deref(), Some("80"));
    assert_eq!(world.count("000", FactKind::MetLate).await, 1);
});

promise!(an_excluded_lead_stays, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(1)).await;
    world.crm.edit(Object::Lead, "000", minute(61), &[("customer", Value::Bool(true))]);
    world.settle().await;
    assert_eq!(world.crm.calls().1, 0);
    assert_eq!(world.count("000", FactKind::Dropped).await, 1);
});

promise!(a_lead_that_left_the_waterfall_stays, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(1)).await;
    world.crm.edit(Object::Lead, "000", minute(61), &[("status", text("Nurture"))]);
    world.settle().await;
    assert_eq!(world.crm.calls().1, 0);
});

promise!(a_person_who_takes_the_lead_after_the_breach_keeps_it_for_a_while, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(1)).await;
    world.crm.edit(Object::Lead, "000", minute(61), &[("owner", text("81"))]);
    world.settle().await;
    assert_eq!(world.crm.calls().1, 0);
    assert_eq!(world.open_effects().await.due, 1, "it waits");
    world.at(61 + 5 * 60);
    world.settle().await;
    assert_eq!(world.crm.calls().1, 1, "four hours later it goes back after all");
});

promise!(an_answer_in_our_own_inbox_prevents_the_breach, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.hand_over(&ids(1)).await;
    world.at(61);
    world.change("000", minute(59), &[("status", text("Working"))]).await;
    world.settle().await;
    assert_eq!(world.count("000", FactKind::Breached).await, 0);
    assert!(world.count("000", FactKind::Met).await > 0);
    assert_eq!(world.crm.calls().1, 0);
});

promise!(the_echo_of_our_write_is_no_news_after_it_settled, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(1)).await;
    world.settle().await;
    let facts = world.facts("000").await;
    let values = [("owner", text("70")), ("status", text("MQL"))];
    world.receive(&[changed("000", minute(61) + Elapsed::from_millis(400), &values)]).await;
    world.settle().await;
    assert_eq!(world.facts("000").await, facts);
    assert_eq!(world.standing("000").await.pass, 2);
});

promise!(the_echo_of_our_write_is_no_news_before_it_settles, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(1)).await;
    world.crm.with(|s| s.write_calls.push_back(Call::DoneButHangs));
    world.step_until_it_hangs().await;
    let facts = world.facts("000").await;
    let values = [("owner", text("70")), ("status", text("MQL"))];
    world.receive(&[changed("000", minute(61) + Elapsed::from_millis(400), &values)]).await;
    world.turn().await;
    assert_eq!(world.facts("000").await, facts, "our own write is nobody's news");
    assert_eq!(world.standing("000").await.owner().unwrap().as_str(), "80", "not before it is known to be done");
    world.crash().await;
    world.settle().await;
    assert_eq!(world.standing("000").await.pass, 2);
    assert_eq!(world.count("000", FactKind::PassBegan).await, 2);
    assert_eq!(world.count("000", FactKind::Spared).await, 0);
    assert_eq!(world.crm.times_written()["000"], 1);
});

promise!(whoever_lost_the_lease_changes_nothing, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(1)).await;
    world.receive(&[changed("000", minute(61), &[("status", text("Working"))])]).await;
    let stale = world.lease.clone();
    world.crash().await;
    let (engine, site) = (&world.engine, &world.site);
    let mark = leadpact::store::inbox::mark(&engine.db, &acme()).await.unwrap().unwrap();
    let facts = world.facts("000").await;
    let applied = leadpact::engine::apply::step(engine, site, &stale, &mark).await;
    assert!(matches!(applied, Err(StoreError::LostLease(_))));
    let delivered = world.deliver.step(engine, site, &stale).await;
    assert!(matches!(delivered, Err(StoreError::LostLease(_))));
    assert_eq!(world.facts("000").await, facts);
    assert_eq!(world.crm.calls().1, 0);
});

promise!(a_clock_that_is_due_does_not_wake_for_who_lost_the_lease, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.hand_over(&ids(1)).await;
    world.at(61);
    let stale = world.lease.clone();
    world.crash().await;
    let woken = leadpact::engine::wake::step(&world.engine, &world.site, &stale).await;
    assert!(matches!(woken, Err(StoreError::LostLease(_))));
    assert_eq!(world.count("000", FactKind::Breached).await, 0);
});

promise!(a_frozen_holder_settles_nothing_after_the_take_over, |store| {
    let mut world = World::new(store, RECYCLE).await;
    overdue(&mut world, &ids(1)).await;
    world.crm.with(|s| s.write_calls.push_back(Call::Waits));
    let crm = world.crm.clone();
    let db = world.engine.db.clone();
    let take_over = async {
        crm.arrived.notified().await;
        let later = leadpact::engine::clock::real_now() + Elapsed::from_secs(3600);
        let taken = lease::take(&db, &acme(), "second", later, Elapsed::from_secs(60)).await.unwrap();
        crm.go_on.notify_one();
        taken.unwrap()
    };
    let (frozen, lease) = tokio::join!(world.deliver.step(&world.engine, &world.site, &world.lease), take_over);
    assert!(matches!(frozen, Err(StoreError::LostLease(_))));
    assert_eq!(world.open_effects().await.sending, 1);
    assert_eq!(world.count("000", FactKind::Recycled).await, 0);
    world.lease = lease;
    world.deliver = leadpact::engine::deliver::Deliver::with_patience(crate::world::PATIENCE);
    world.settle().await;
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
    assert_eq!(world.crm.times_written()["000"], 1);
});

promise!(one_write_a_record_and_call, |store| {
    let steps = r#"{ at = "due", set = { source = "stale" } }, { at = "+1s", recycle = true }"#;
    let mut world = World::new(store, steps).await;
    overdue(&mut world, &ids(2)).await;
    world.settle().await;
    for call in world.crm.with(|s| s.writes.clone()) {
        let mut ids: Vec<_> = call.iter().map(|w| w.id.clone()).collect();
        ids.dedup();
        assert_eq!(ids.len(), call.len());
    }
    assert_eq!(world.crm.value(Object::Lead, "000", "source"), text("stale"));
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
});

promise!(observing_writes_nothing, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.site.acts = Acts::Never;
    overdue(&mut world, &ids(1)).await;
    world.settle().await;
    assert_eq!(world.crm.calls().1, 0);
    assert_eq!(world.count("000", FactKind::WouldHave).await, 1);
    assert_eq!(world.standing("000").await.pass, 1);
});

promise!(members_take_turns_and_who_left_or_had_it_is_passed_over, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.crm.with(|s| {
        s.people = vec![
            crate::world::person("70", Some("sam@acme.example"), None, true),
            crate::world::person("71", Some("kim@acme.example"), None, false),
            crate::world::person("72", Some("lou@acme.example"), None, true),
        ];
    });
    let members = vec!["70".into(), "kim@acme.example".into(), "lou@acme.example".into(), "80".into()];
    world.site.connection.parties.insert(PartyName::new("teleprospecting"), Roster::Members(members));
    overdue(&mut world, &ids(4)).await;
    world.settle().await;
    let owners: Vec<String> = ids(4).iter().filter_map(|id| owner(&world, id)).collect();
    assert_eq!(owners, ["70", "72", "70", "72"]);
});

promise!(a_queue_or_nobody_takes_it, |store| {
    let mut world = World::new(store, RECYCLE).await;
    let tele = PartyName::new("teleprospecting");
    world.site.connection.parties.insert(tele.clone(), Roster::Queue("queue-1".into()));
    overdue(&mut world, &["a".to_owned()]).await;
    world.settle().await;
    assert_eq!(owner(&world, "a").as_deref(), Some("queue-1"));
    world.site.connection.parties.insert(tele, Roster::Unassigned);
    overdue_one(&mut world, "b").await;
    assert_eq!(owner(&world, "b"), None);
    assert_eq!(world.count("b", FactKind::Recycled).await, 1);
});

promise!(a_queue_that_was_deleted_is_parked_at_once_and_named, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world
        .crm
        .with(|s| s.people.push(leadpact::crm::Person { queue: true, ..crate::world::person("q2", None, None, true) }));
    let tele = PartyName::new("teleprospecting");
    world.site.connection.parties.insert(tele, Roster::Queue("queue-1".into()));
    overdue(&mut world, &ids(1)).await;
    world.settle().await;
    let parked = world.parked().await;
    let why = parked[0].outcome.as_deref().unwrap();
    assert!(why.contains("queue-1") && why.contains("not in the CRM any more"), "{why}");
    assert!(world.crm.times_written().is_empty());
});

promise!(of_two_owners_with_one_address_whoever_is_active_gets_it, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.crm.with(|s| {
        let of = |id: &str, active| crate::world::person(id, Some("Sam@ACME.example"), None, active);
        s.people = vec![of("60", false), of("91", true), of("61", false)];
    });
    let members = Roster::Members(vec!["sam@acme.example".into()]);
    world.site.connection.parties.insert(PartyName::new("teleprospecting"), members);
    overdue(&mut world, &ids(1)).await;
    world.settle().await;
    assert_eq!(owner(&world, "000").as_deref(), Some("91"));
});

promise!(one_record_that_a_rule_refuses_is_parked_and_the_other_ninety_nine_go_through, |store| {
    let mut world = World::new(store, RECYCLE).await;
    let all = ids(100);
    overdue(&mut world, &all).await;
    let refused = ItemResult::Refused { message: "VALIDATION_ERROR: closedate is required".into() };
    world.crm.with(|s| s.items.insert(RecordId::new("042"), VecDeque::from([refused])));
    world.settle().await;
    let parked = world.parked().await;
    assert_eq!(parked.len(), 1, "{parked:?}");
    assert!(parked[0].outcome.as_deref().unwrap().contains("closedate"), "{parked:?}");
    assert_eq!(world.crm.times_written()["042"], 1, "and never tried again");
    let moved = all.iter().filter(|id| owner(&world, id).as_deref() != Some("80")).count();
    assert_eq!(moved, 99);
});

promise!(a_party_without_a_roster_is_parked_with_what_to_configure, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.site.connection.parties.clear();
    overdue(&mut world, &ids(1)).await;
    world.settle().await;
    let parked = world.parked().await;
    let why = parked[0].outcome.as_deref().unwrap();
    assert!(why.contains("teleprospecting") && why.contains("connection.parties"), "{why}");
});

promise!(a_receiver_whom_the_crm_does_not_tell_at_the_moment_is_waited_for, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.crm.with(|s| s.people_fail = true);
    let members = Roster::Members(vec!["sam@acme.example".into()]);
    world.site.connection.parties.insert(PartyName::new("teleprospecting"), members);
    overdue(&mut world, &ids(1)).await;
    world.settle().await;
    assert!(world.parked().await.is_empty());
    assert_eq!(world.open_effects().await.due, 1);
});

promise!(our_own_fields_say_what_is_violated_and_are_cleared, |store| {
    let db = store.db.clone();
    let mut world =
        World::over(db, agreement(r#"{ at = "+9h", notify = ["owner"] }"#, r#"requires = ["company"]"#), "first").await;
    world.hand_over(&ids(1)).await;
    world.at(1);
    world.settle().await;
    assert_eq!(world.crm.value(Object::Lead, "000", "flag"), Value::Bool(true));
    let said = world.crm.value(Object::Lead, "000", "violation");
    assert!(said.as_text().is_some_and(|t| t.contains("company")), "{said:?}");
    assert_eq!(world.count("000", FactKind::Flagged).await, 1);
    world.at(2);
    world.change("000", minute(2), &[("company", text("Acme"))]).await;
    world.settle().await;
    assert_eq!(world.crm.value(Object::Lead, "000", "flag"), Value::Bool(false));
    assert_eq!(world.crm.value(Object::Lead, "000", "violation"), Value::Null);
    assert_eq!(world.count("000", FactKind::Unflagged).await, 1);
    assert_eq!(world.crm.calls().1, 2);
});

promise!(without_a_field_for_it_nothing_is_written_or_told, |store| {
    let db = store.db.clone();
    let mut world =
        World::over(db, agreement(r#"{ at = "+9h", notify = ["owner"] }"#, r#"requires = ["company"]"#), "first").await;
    for name in ["flag", "violation"] {
        world.crm.with(|s| s.unmapped.insert(FieldName::new(name)));
    }
    world.hand_over(&ids(1)).await;
    world.at(1);
    world.settle().await;
    assert_eq!(world.count("000", FactKind::ViolationOpened).await, 1);
    assert_eq!(world.crm.calls().1, 0);
    assert_eq!(world.count("000", FactKind::Dropped).await, 0);
    assert_eq!(world.open_effects().await.due, 0);
});
