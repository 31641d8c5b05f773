//! The CRM's clock and ours: more than five minutes apart, nothing is done until they agree again.

use crate::world::{RECYCLE, World, acme};
use leadpact::engine::letters;
use leadpact::engine::switches::Switches;
use leadpact::engine::watch::Watch;
use leadpact::record::{Elapsed, FactKind};
use tokio_util::sync::CancellationToken;

fn minutes(n: i64) -> Option<Elapsed> {
    Some(Elapsed::from_secs(60 * n))
}

async fn look(world: &World, watch: &mut Watch) {
    watch.step(&world.engine, &world.site, &world.lease, &CancellationToken::new()).await.unwrap();
    while letters::step(&world.engine, &world.site, &world.lease).await.unwrap() > 0 {}
}

fn subjects(world: &World) -> Vec<String> {
    world.channels.sent().into_iter().map(|(_, said)| said.subject).collect()
}

async fn are_apart(world: &World) -> bool {
    Switches::read(&world.engine.db, &acme()).await.unwrap().clocks_apart().is_some()
}

promise!(nothing_is_done_while_the_clocks_are_apart_and_all_of_it_afterwards, |store| {
    let steps = r#"{ at = "50%", notify = ["slack:#a"] }, { at = "due", task = "Call", recycle = true }"#;
    let mut world = World::new(store, steps).await;
    let mut watch = Watch::default();
    world.hand_over(&["000".to_owned()]).await;
    world.crm.with(|s| s.ahead = minutes(-6));
    for at in [31, 61] {
        world.at(at);
        world.settle().await;
        look(&world, &mut watch).await;
    }
    assert_eq!((world.crm.calls().1, world.crm.with(|s| s.task_attempts)), (0, 0));
    assert_eq!(world.count("000", FactKind::Breached).await, 1, "clocks count on");
    assert_eq!(subjects(&world), ["Nothing is done in acme: the clocks do not agree"]);
    assert!(world.channels.sent()[0].1.text.contains("6m behind this machine's"));
    assert!(world.engine.metrics.encode().contains("leadpact_clocks_apart{connection=\"acme\"} 1"));
    // Another process knows it by the database, before the CRM has answered it.
    world.crash().await;
    world.crm.with(|s| s.ahead = None);
    let mut watch = Watch::default();
    look(&world, &mut watch).await;
    world.settle().await;
    assert_eq!((world.crm.calls().1, subjects(&world).len()), (0, 1));
    world.crm.with(|s| s.ahead = minutes(5));
    look(&world, &mut watch).await;
    world.settle().await;
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
    assert!(!are_apart(&world).await);
    assert!(subjects(&world).contains(&"acme goes on: the clocks agree again".to_owned()));
});

promise!(the_read_before_a_write_tells_the_time_before_the_write_leaves, |store| {
    let mut world = World::new(store, RECYCLE).await;
    world.hand_over(&["000".to_owned()]).await;
    world.at(61);
    world.turn().await;
    // Nobody has looked yet.
    world.crm.with(|s| s.ahead = minutes(6));
    world.settle().await;
    assert_eq!(world.crm.calls().1, 0);
    world.crm.with(|s| s.ahead = minutes(-5));
    world.settle().await;
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
});

promise!(within_five_minutes_nobody_is_troubled, |store| {
    let mut world = World::new(store, RECYCLE).await;
    let mut watch = Watch::default();
    world.hand_over(&["000".to_owned()]).await;
    for ahead in [minutes(5), minutes(-5), None] {
        world.crm.with(|s| s.ahead = ahead);
        look(&world, &mut watch).await;
        assert!(!are_apart(&world).await);
    }
    world.at(61);
    world.settle().await;
    assert_eq!(world.count("000", FactKind::Recycled).await, 1);
    assert!(subjects(&world).is_empty());
});
