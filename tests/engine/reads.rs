//! Reads: each record once, and never in a hot loop.

use crate::crm::{Call, later, never};
use crate::world::{RECYCLE, World, changed, minute, said, text};
use leadpact::crm::Says;
use leadpact::record::{FactKind, Object, RecordId};
use leadpact::store::outbox;

async fn notice(world: &World, id: &str, at: i64) {
    world.receive(&[said(id, minute(at), Says::ReadIt)]).await;
    world.turn().await;
}

promise!(a_record_is_read_once_however_often_it_was_asked_for, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.crm.edit(Object::Lead, "1", minute(0), &[("status", text("TQL"))]);
    for _ in 0..3 {
        notice(&world, "1", 0).await;
    }
    notice(&world, "2", 0).await;
    world.step().await.unwrap();
    let reads = world.crm.with(|s| s.reads.clone());
    assert_eq!(reads, [[RecordId::new("1"), RecordId::new("2")]]);
    assert_eq!(world.open_effects().await.due, 0);
    assert_eq!(world.standing("1").await.stage.unwrap().as_str(), "tql");
});

promise!(an_unsigned_notice_moves_nothing_before_the_record_is_read, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.crm.edit(Object::Lead, "1", minute(0), &[("status", text("TQL"))]);
    notice(&world, "1", 0).await;
    assert_eq!(world.count("1", FactKind::ClockStarted).await, 0);
    world.settle().await;
    assert_eq!(world.count("1", FactKind::ClockStarted).await, 1);
});

promise!(what_is_gone_has_its_clocks_cancelled, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.hand_over(&["1".to_owned()]).await;
    world.crm.with(|s| s.records.clear());
    world.at(61);
    world.settle().await;
    assert_eq!(world.count("1", FactKind::Deleted).await, 1);
    assert_eq!(world.crm.calls(), (1, 0));
    assert_eq!(world.standing("1").await.open_runs().count(), 0);
});

promise!(what_the_crm_does_not_tell_is_asked_again_a_little_later, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.crm.edit(Object::Lead, "1", minute(0), &[("status", text("TQL"))]);
    world.crm.with(|s| s.untold.insert(RecordId::new("1")));
    notice(&world, "1", 0).await;
    for _ in 0..10 {
        world.step().await.unwrap();
    }
    assert_eq!(world.crm.calls().0, 1);
    let due = outbox::earliest(&world.engine.db, world.site.name()).await.unwrap();
    assert_eq!(due, Some(minute(0) + leadpact::record::Elapsed::from_secs(5)));
    world.crm.with(|s| s.untold.clear());
    world.at(1);
    world.settle().await;
    assert_eq!(world.crm.calls().0, 2);
});

promise!(a_read_that_is_refused_is_given_up_alone_and_not_asked_for_again, |store| {
    let mut world = World::new(store, RECYCLE).await;
    for id in ["1", "2", "3"] {
        world.crm.edit(Object::Lead, id, minute(0), &[("status", text("TQL"))]);
        notice(&world, id, 0).await;
    }
    world.crm.with(|s| s.poison.insert(RecordId::new("2")));
    world.settle().await;
    let calls = world.crm.calls().0;
    assert!(calls <= 5, "{calls}");
    assert_eq!(world.parked().await.iter().map(|r| r.effect.record.id.as_str()).collect::<Vec<_>>(), ["2"]);
    assert_eq!(world.count("3", FactKind::ClockStarted).await, 1);
    world.at(5);
    world.settle().await;
    assert_eq!(world.crm.calls().0, calls);
});

promise!(a_crm_that_refuses_everything_is_not_asked_forever, |store| {
    let mut world = World::new(store, RECYCLE).await;
    for id in ["1", "2"] {
        notice(&world, id, 0).await;
    }
    world.crm.with(|s| s.read_calls.extend(vec![Call::Fails(never()); 20]));
    world.settle().await;
    assert_eq!(world.crm.calls().0, 3);
    assert_eq!(world.parked().await.len(), 2);
});

promise!(reads_wait_while_the_crm_rests_and_none_is_lost, |store| {
    let mut world = World::new(store, RECYCLE).await;
    for id in ["1", "2"] {
        world.crm.edit(Object::Lead, id, minute(0), &[("status", text("TQL"))]);
        notice(&world, id, 0).await;
    }
    world.crm.with(|s| s.read_calls.push_back(Call::Fails(later(Some(3600)))));
    for _ in 0..5 {
        assert_eq!(world.step().await.unwrap(), 0);
    }
    assert_eq!(world.crm.calls().0, 1);
    assert_eq!(world.open_effects().await.due, 2);
});

promise!(an_event_from_the_future_only_causes_a_read, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.crm.edit(Object::Lead, "1", minute(0), &[("status", text("MQL"))]);
    world.receive(&[changed("1", minute(6), &[("status", text("TQL"))])]).await;
    world.settle().await;
    assert_eq!(world.count("1", FactKind::ClockStarted).await, 0);
    assert_eq!(world.standing("1").await.stage.unwrap().as_str(), "mql");
    assert_eq!(world.crm.calls().0, 1);
    // Five minutes are believed: clocks differ.
    world.receive(&[changed("1", minute(5), &[("status", text("TQL"))])]).await;
    world.turn().await;
    assert_eq!(world.standing("1").await.stage.unwrap().as_str(), "tql");
});
