//! Tasks: made once, for who owns the lead.

use crate::crm::{Call, doubt, never};
use crate::world::{World, minute, text};
use leadpact::record::{FactKind, Object, OwnerId};

const TASK: &str = r#"{ at = "due", task = "Call {{ record.name }}" }"#;

async fn due(store: crate::world::Store, n: usize) -> World {
    let mut world = World::new(store, TASK).await;
    let ids: Vec<String> = (0..n).map(|i| i.to_string()).collect();
    world.hand_over(&ids).await;
    world.at(61);
    world.turn().await;
    world
}

promise!(a_task_is_made_once_for_the_owner, |store| {
    let mut world = due(store, 1).await;
    world.settle().await;
    let made = world.crm.with(|s| s.made.clone());
    assert_eq!(made.len(), 1);
    assert_eq!((made[0].title.as_str(), made[0].owner.clone()), ("Call Zoë Ünal", Some(OwnerId::new("80"))));
    assert_eq!(made[0].due, minute(60));
    assert_eq!(world.count("0", FactKind::TaskCreated).await, 1);
});

promise!(a_task_that_was_made_though_its_answer_was_lost_is_found, |store| {
    let mut world = due(store, 3).await;
    world.crm.with(|s| s.task_calls.push_back(Call::DoneBut(doubt())));
    world.settle().await;
    assert_eq!(world.crm.with(|s| (s.task_attempts, s.made.len())), (1, 3));
    assert_eq!(world.count("2", FactKind::TaskCreated).await, 1);
});

promise!(killed_while_making_it_a_task_is_looked_for_first, |store| {
    let mut world = due(store, 1).await;
    world.crm.with(|s| s.task_calls.push_back(Call::DoneButHangs));
    world.step_until_it_hangs().await;
    world.crash().await;
    world.settle().await;
    assert_eq!(world.crm.with(|s| (s.task_attempts, s.made.len())), (1, 1));
    assert_eq!(world.count("0", FactKind::TaskCreated).await, 1);
});

promise!(a_task_that_was_not_made_is_made, |store| {
    let mut world = due(store, 1).await;
    world.crm.with(|s| s.task_calls.push_back(Call::Fails(doubt())));
    world.settle().await;
    assert_eq!(world.crm.with(|s| (s.task_attempts, s.made.len())), (2, 1));
});

promise!(tasks_that_are_refused_together_are_halved, |store| {
    let mut world = due(store, 4).await;
    world.crm.with(|s| s.task_calls.extend([Call::Fails(never()), Call::Fails(never()), Call::Fails(never())]));
    world.settle().await;
    assert_eq!(world.parked().await.len(), 1);
    assert_eq!(world.crm.with(|s| s.made.len()), 3);
});

promise!(a_lead_that_was_answered_gets_no_task, |store| {
    let mut world = due(store, 1).await;
    world.crm.edit(Object::Lead, "0", minute(61), &[("status", text("Working"))]);
    world.settle().await;
    assert_eq!(world.crm.with(|s| s.task_attempts), 0);
});
