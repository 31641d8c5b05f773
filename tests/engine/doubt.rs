//! Crashes and calls whose end is unknown: nothing is lost, nothing is done twice.

use crate::crm::{Call, doubt};
use crate::world::{RECYCLE, World, minute, text};
use leadpact::record::{FactKind, Object, RecordId, Value};
use std::time::Duration;

async fn overdue(store: crate::world::Store, n: usize) -> World {
    let mut world = World::new(store, RECYCLE).await;
    let ids: Vec<String> = (0..n).map(|i| format!("{i:03}")).collect();
    world.hand_over(&ids).await;
    world.at(61);
    world.turn().await;
    world
}

fn owner_written(world: &World, call: usize) -> Value {
    let write = world.crm.with(|s| s.writes[call][0].clone());
    write.values.into_iter().find(|(name, _)| name.as_str() == "owner").unwrap().1
}

promise!(killed_before_the_call_the_same_owner_gets_it_once, |store| {
    let mut world = overdue(store, 1).await;
    world.crm.with(|s| s.write_calls.push_back(Call::Hangs));
    world.step_until_it_hangs().await;
    assert_eq!(world.open_effects().await.sending, 1, "the intent was stored before the call");
    world.crash().await;
    // The other's call may still be on its way.
    assert_eq!(world.step().await.unwrap(), 0);
    assert_eq!(world.crm.calls(), (1, 1));
    world.settle().await;
    assert_eq!(world.crm.calls().1, 2);
    assert_eq!(owner_written(&world, 0), owner_written(&world, 1), "the owner that was chosen first");
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
    assert_eq!(world.standing("000").await.pass, 2);
});

promise!(killed_after_the_call_it_is_found_done, |store| {
    let mut world = overdue(store, 3).await;
    world.crm.with(|s| s.write_calls.push_back(Call::DoneButHangs));
    world.step_until_it_hangs().await;
    world.crash().await;
    world.settle().await;
    assert_eq!(world.crm.calls().1, 1, "no second write");
    for id in ["000", "001", "002"] {
        assert_eq!(world.count(id, FactKind::Recycled).await, 1);
    }
    assert_eq!(world.open_effects().await.sending, 0);
});

promise!(a_write_that_landed_though_its_answer_was_lost_is_not_repeated, |store| {
    let mut world = overdue(store, 5).await;
    world.crm.with(|s| s.write_calls.push_back(Call::DoneBut(doubt())));
    world.settle().await;
    assert_eq!(world.crm.calls().1, 1);
    assert_eq!(world.count("004", FactKind::Recycled).await, 1);
});

promise!(a_write_that_did_not_land_is_sent_once_more, |store| {
    let mut world = overdue(store, 1).await;
    world.crm.with(|s| s.write_calls.push_back(Call::Fails(doubt())));
    world.settle().await;
    assert_eq!(world.crm.calls().1, 2);
    assert_eq!(owner_written(&world, 0), owner_written(&world, 1));
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
});

promise!(a_write_that_lands_after_it_was_given_up_is_not_repeated, |store| {
    let mut world = overdue(store, 1).await;
    world.crm.with(|s| s.write_calls.push_back(Call::Fails(doubt())));
    world.step().await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    // Read back too early, then the CRM does it after all.
    world.crm.with(|s| s.read_calls.push_back(Call::Fine));
    let owner = owner_written(&world, 0);
    let site = &world.site;
    let sending = leadpact::store::outbox::sending(&world.engine.db, site.name()).await.unwrap();
    let mut tx = world.engine.db.begin(leadpact::store::Priority::Work).await.unwrap();
    let keys: Vec<_> = sending.iter().map(|row| row.effect.key.clone()).collect();
    leadpact::store::outbox::untried(&mut tx, site.name(), &keys, minute(61), "not done", minute(61)).await.unwrap();
    tx.commit().await.unwrap();
    world.crm.edit(Object::Lead, "000", minute(61), &[("owner", owner), ("status", text("MQL"))]);
    world.settle().await;
    assert_eq!(world.crm.calls().1, 1);
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
});

promise!(a_record_of_which_the_crm_says_nothing_stays_in_doubt, |store| {
    let mut world = overdue(store, 1).await;
    world.crm.with(|s| s.write_calls.push_back(Call::DoneBut(doubt())));
    world.step().await.unwrap();
    world.crm.with(|s| s.untold.insert(RecordId::new("000")));
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(world.step().await.unwrap(), 0);
    assert_eq!(world.open_effects().await.sending, 1);
    let reads = world.crm.calls().0;
    world.step().await.unwrap();
    assert_eq!(world.crm.calls().0, reads, "it is not asked again at once");
});

promise!(nothing_else_is_written_to_a_record_while_a_write_is_in_doubt, |store| {
    let steps = r#"{ at = "due", set = { source = "stale" } }, { at = "+1m", recycle = true }"#;
    let mut world = World::new(store, steps).await;
    world.hand_over(&["000".to_owned()]).await;
    world.at(60);
    world.turn().await;
    world.crm.with(|s| s.write_calls.push_back(Call::Hangs));
    world.step_until_it_hangs().await;
    world.at(61);
    world.turn().await;
    world.crash().await;
    world.step().await.unwrap();
    assert_eq!(world.crm.calls().1, 1);
    world.settle().await;
    let fields: Vec<usize> = world.crm.with(|s| s.writes.iter().map(|w| w[0].values.len()).collect());
    assert_eq!(fields, [1, 1, 2], "set, set again, then recycled");
});

promise!(what_makes_the_crm_stumble_is_told_apart, |store| {
    let mut world = overdue(store, 8).await;
    world.crm.with(|s| s.write_calls.extend([Call::Fails(doubt()), Call::Fails(doubt())]));
    world.settle().await;
    let sizes: Vec<usize> = world.crm.with(|s| s.writes.iter().map(Vec::len).collect());
    assert_eq!(sizes, [8, 4, 2, 4, 2]);
});

promise!(a_human_who_edits_within_the_doubt_is_not_overwritten, |store| {
    let mut world = overdue(store, 1).await;
    world.crm.with(|s| s.write_calls.push_back(Call::Fails(doubt())));
    world.step().await.unwrap();
    world.crm.edit(Object::Lead, "000", minute(61), &[("status", text("Working"))]);
    world.settle().await;
    assert_eq!(world.crm.calls().1, 1);
    assert_eq!(world.crm.value(Object::Lead, "000", "status"), text("Working"));
});
