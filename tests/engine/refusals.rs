//! Writes that the CRM refuses one after the other: the step is held until a person lets it go.

use crate::world::{RECYCLE, World, acme};
use leadpact::agreement::Agreement;
use leadpact::crm::ItemResult;
use leadpact::engine::held::{Decision, decide};
use leadpact::engine::{deliver, letters};
use leadpact::record::{FactKind, RecordId};
use leadpact::store::{journal, outbox};

const WORDS: &str = "Region is required";

fn ids(from: usize, n: usize) -> Vec<String> {
    (from..from + n).map(|i| format!("{i:03}")).collect()
}

fn refuse(world: &World, ids: &[String]) {
    let refused = || ItemResult::Refused { message: WORDS.to_owned() };
    world.crm.with(|s| s.items.extend(ids.iter().map(|id| (RecordId::new(&**id), [refused()].into()))));
}

async fn due_at(world: &mut World, ids: &[String], at: i64) {
    world.at(at - 60);
    world.hand_over(ids).await;
    world.at(at);
    world.settle().await;
    while letters::step(&world.engine, &world.site, &world.lease).await.unwrap() > 0 {}
}

async fn held(world: &World) -> u64 {
    outbox::count_held(&world.engine.db, &acme()).await.unwrap()
}

async fn let_go(world: &World) {
    let decision = Decision { discard: false, by: "Dana".into(), why: String::new() };
    let chain = (acme(), world.site.agreement.hash.to_string());
    decide(&world.engine.db, &chain, None, &decision, world.clock.now()).await.unwrap();
}

async fn told(world: &World) -> Vec<String> {
    let rows = journal::recent(&world.engine.db, &acme(), 0, 10_000).await.unwrap();
    let settings = rows.into_iter().map(|row| row.entry.fact).filter(|fact| fact.kind == FactKind::Setting);
    settings.map(|f| f.detail["to"].as_str().unwrap().to_owned()).collect()
}

fn freely(steps: &str) -> Agreement {
    crate::world::agreement(steps, "")
}

promise!(five_refusals_in_a_row_hold_the_step_until_a_person_lets_it_go, |store| {
    let mut world = World::with(store, freely(RECYCLE)).await;
    refuse(&world, &ids(0, 5));
    due_at(&mut world, &ids(0, 4), 61).await;
    assert_eq!((world.parked().await.len(), world.channels.sent().len()), (4, 0));
    due_at(&mut world, &ids(4, 1), 122).await;
    assert_eq!(world.parked().await.len(), 5);
    let sent = world.channels.sent();
    assert_eq!((sent.len(), sent[0].0.as_str()), (1, "#teleprospecting"));
    assert!(sent[0].1.text.contains(WORDS) && sent[0].1.text.contains("leadpact release acme"), "{}", sent[0].1.text);
    // Later ones are held, in another process too, and nobody is told again.
    let calls = world.crm.calls().1;
    due_at(&mut world, &ids(10, 3), 183).await;
    world.crash().await;
    due_at(&mut world, &ids(20, 3), 244).await;
    assert_eq!((held(&world).await, world.crm.calls().1, world.channels.sent().len()), (6, calls, 1));
    assert_eq!(world.count("010", FactKind::Held).await, 1);
    let known = deliver::streaks(&world.engine.db, &acme()).await.unwrap();
    assert_eq!(known["Follow up / due / recycle"].message, WORDS);
    // Mended in the CRM, and let go: what comes after that goes on by itself.
    let_go(&world).await;
    world.settle().await;
    assert_eq!((held(&world).await, world.count("020", FactKind::Recycled).await), (0, 1));
    due_at(&mut world, &ids(30, 1), 305).await;
    assert_eq!(world.count("030", FactKind::Recycled).await, 1);
    assert_eq!(told(&world).await, ["Follow up / due / recycle is held", "Follow up / due / recycle goes on"]);
});

promise!(what_is_let_go_and_refused_again_leaves_the_step_held, |store| {
    let mut world = World::with(store, freely(RECYCLE)).await;
    refuse(&world, &ids(0, 6));
    due_at(&mut world, &ids(0, 5), 61).await;
    due_at(&mut world, &ids(5, 1), 122).await;
    assert_eq!(held(&world).await, 1);
    let_go(&world).await;
    world.settle().await;
    assert_eq!((held(&world).await, world.parked().await.len()), (0, 6));
    due_at(&mut world, &ids(10, 1), 183).await;
    assert_eq!((held(&world).await, world.channels.sent().len()), (1, 1));
});

promise!(one_that_is_accepted_begins_the_count_anew_and_other_steps_go_on, |store| {
    let steps = r#"{ at = "50%", task = "Call" }, { at = "due", recycle = true }"#;
    let mut world = World::with(store, freely(steps)).await;
    let mut from = 0;
    for (first, n, refused) in [(0, 3, true), (10, 1, false), (20, 4, true)] {
        if refused {
            refuse(&world, &ids(first, n));
        }
        due_at(&mut world, &ids(first, n), from + 60).await;
        from += 120;
    }
    assert_eq!((world.parked().await.len(), held(&world).await), (7, 0));
    refuse(&world, &ids(30, 1));
    due_at(&mut world, &ids(30, 1), from + 60).await;
    // It was the fifth in a row: of the next the recycle is held, and the task is made all the same.
    world.at(from + 120);
    world.hand_over(&ids(40, 1)).await;
    for later in [151, 181] {
        world.at(from + later);
        world.settle().await;
    }
    assert_eq!(held(&world).await, 1);
    assert!(world.crm.with(|s| s.made.iter().any(|task| task.record.as_str() == "040")));
});

promise!(a_call_that_is_refused_as_a_whole_counts_for_the_record_that_is_to_blame, |store| {
    let mut world = World::with(store, freely(RECYCLE)).await;
    world.crm.with(|s| s.poison_writes.extend(ids(0, 5).iter().map(|id| RecordId::new(&**id))));
    due_at(&mut world, &ids(0, 5), 61).await;
    for _ in 0..8 {
        world.settle().await;
    }
    assert_eq!(world.parked().await.len(), 5);
    due_at(&mut world, &ids(10, 1), 122).await;
    assert_eq!((held(&world).await, world.channels.sent().len()), (1, 1));
});
