//! A CRM that refuses our credentials: the connection stops, clocks go on, it is told once, one call an
//! hour asks, and it returns through the catch-up.

use crate::world::{PATIENCE, RECYCLE, Store, World, acme, agreement, minute, text};
use leadpact::engine::deliver::Deliver;
use leadpact::engine::switches::Switches;
use leadpact::engine::watch::Watch;
use leadpact::engine::{letters, signed_out};
use leadpact::record::{Elapsed, FactKind, Object, Value};
use leadpact::store::{journal, lease};
use tokio_util::sync::CancellationToken;

const WORDS: &str = "the token was revoked";

fn ids(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{i:03}")).collect()
}

async fn look(world: &World, watch: &mut Watch) {
    watch.step(&world.engine, &world.site, &world.lease, &CancellationToken::new()).await.unwrap();
    while letters::step(&world.engine, &world.site, &world.lease).await.unwrap() > 0 {}
}

async fn is_out(world: &World) -> bool {
    Switches::read(&world.engine.db, &acme()).await.unwrap().signed_out().is_some()
}

/// How it was switched, by the journal.
async fn told(world: &World) -> Vec<String> {
    let rows = journal::recent(&world.engine.db, &acme(), 0, 10_000).await.unwrap();
    let settings = rows.into_iter().map(|row| row.entry.fact).filter(|fact| fact.kind == FactKind::Setting);
    settings.map(|f| format!("{} {}", f.item, f.detail["to"].as_str().unwrap())).collect()
}

fn subjects(world: &World) -> Vec<String> {
    world.channels.sent().into_iter().map(|(place, said)| format!("{place}: {}", said.subject)).collect()
}

fn called(world: &World) -> usize {
    world.crm.with(|s| s.called)
}

/// Leads handed over at noon, and the CRM refuses us from minute 50 on, which a read of ours finds out.
async fn refused(store: Store, n: usize) -> (World, Watch) {
    let mut world = World::new(store, RECYCLE).await;
    world.crm.with(|s| s.searchable = true);
    let mut watch = Watch::default();
    leadpact::engine::reconcile::sweep(&world.engine, &world.site, &world.lease, &CancellationToken::new())
        .await
        .unwrap();
    world.hand_over(&ids(n)).await;
    look(&world, &mut watch).await;
    world.at(50);
    world.crm.with(|s| s.refuses = Some(WORDS));
    world.receive(&[crate::world::said("000", minute(50), leadpact::crm::Says::ReadIt)]).await;
    world.settle().await;
    look(&world, &mut watch).await;
    assert!(is_out(&world).await);
    world.crm.with(|s| s.called = 0);
    (world, watch)
}

promise!(it_is_told_once_by_all_processes_and_after_a_restart, |store| {
    let (mut world, mut watch) = refused(store, 3).await;
    assert_eq!(subjects(&world), ["#teleprospecting: acme is signed out: nothing is written to the CRM"]);
    let said = world.channels.sent().remove(0).1.text;
    assert!(said.contains(WORDS) && said.contains("leadpact connect acme") && said.contains("leadpact doctor acme"));
    // A second process over the same database takes over, and finds the same.
    let mut second = World::over(world.engine.db.clone(), agreement(RECYCLE, ""), "first").await;
    second.clock.set(minute(70));
    let later = leadpact::engine::clock::real_now() + Elapsed::from_secs(3600);
    let taken = lease::take(&world.engine.db, &acme(), "second", later, Elapsed::from_secs(60)).await;
    second.lease = taken.unwrap().unwrap();
    second.crm.with(|s| (s.refuses, s.searchable) = (Some(WORDS), true));
    let mut of_second = Watch::default();
    look(&second, &mut of_second).await;
    second.settle().await;
    look(&second, &mut of_second).await;
    // The first was only frozen: its lease is gone, and so is its word.
    let stale = watch.step(&world.engine, &world.site, &world.lease, &CancellationToken::new()).await;
    assert!(stale.is_ok());
    // An import that somebody asked for is refused as well.
    let over = CancellationToken::new();
    leadpact::engine::reconcile::sweep(&second.engine, &second.site, &second.lease, &over).await.unwrap();
    look(&second, &mut of_second).await;
    // It starts again.
    world.at(75);
    world.crash_after(2).await;
    let mut restarted = Watch::default();
    look(&world, &mut restarted).await;
    world.settle().await;
    assert_eq!((subjects(&world).len(), subjects(&second).len()), (1, 0));
    assert_eq!(told(&world).await, ["signed_out on"]);
});

promise!(nothing_is_called_while_clocks_count_on_and_the_breach_is_journalled, |store| {
    let (mut world, mut watch) = refused(store, 3).await;
    for at in [61, 80, 109] {
        world.at(at);
        // No rest of a failed call is what keeps it from calling.
        world.deliver = Deliver::with_patience(PATIENCE);
        world.receive(&[crate::world::said("001", minute(at), leadpact::crm::Says::ReadIt)]).await;
        world.settle().await;
        look(&world, &mut watch).await;
    }
    assert_eq!((called(&world), world.crm.calls().1), (0, 0));
    assert_eq!(world.count("000", FactKind::Breached).await, 1);
    assert_eq!(world.count("000", FactKind::Recycled).await, 0);
    let metrics = world.engine.metrics.encode();
    assert!(metrics.contains("leadpact_signed_out{connection=\"acme\"} 1"), "{metrics}");
});

promise!(one_call_an_hour_asks_and_more_only_when_somebody_has_a_reason, |store| {
    let (mut world, mut watch) = refused(store, 1).await;
    for at in [51, 80, 109] {
        world.at(at);
        look(&world, &mut watch).await;
    }
    assert_eq!(called(&world), 0);
    for (at, calls) in [(110, 1), (111, 1), (169, 1), (170, 2), (171, 2)] {
        world.at(at);
        world.settle().await;
        look(&world, &mut watch).await;
        assert_eq!(called(&world), calls, "minute {at}");
    }
    // Somebody stored a new credential, or ran `doctor`.
    signed_out::ask_to_try(&world.engine.db, &acme(), world.clock.now()).await.unwrap();
    for _ in 0..3 {
        look(&world, &mut watch).await;
    }
    assert_eq!(called(&world), 3);
    // A process that starts tries at once.
    let mut restarted = Watch::default();
    for _ in 0..3 {
        look(&world, &mut restarted).await;
    }
    assert_eq!(called(&world), 4);
    assert!(is_out(&world).await);
});

promise!(it_returns_by_a_sweep_and_nobody_who_answered_meanwhile_loses_a_lead, |store| {
    let (mut world, mut watch) = refused(store, 3).await;
    world.at(61);
    world.settle().await;
    assert_eq!(world.count("001", FactKind::Breached).await, 1);
    // Answered in time, in the CRM, which told us nothing.
    let touched = [("touches", Value::Number(1.0)), ("last_touch", Value::Time(minute(55)))];
    world.crm.edit(Object::Lead, "001", minute(55), &touched);
    world.crm.edit(Object::Lead, "002", minute(58), &[("status", text("Working"))]);
    world.at(110);
    world.crm.with(|s| s.refuses = None);
    let searched = world.crm.with(|s| s.searches.len());
    look(&world, &mut watch).await;
    assert!(!is_out(&world).await);
    // Before anything is sent, all of it is known.
    assert_eq!((world.crm.with(|s| s.searches.len()), world.crm.calls().1), (searched + 1, 0));
    assert_eq!(world.standing("002").await.stage.unwrap().as_str(), "sal");
    world.settle().await;
    let written = world.crm.times_written();
    assert_eq!(written.keys().collect::<Vec<_>>(), ["000"]);
    assert_eq!(world.count("001", FactKind::Met).await, 1);
    look(&world, &mut watch).await;
    assert_eq!(subjects(&world)[1..], ["#teleprospecting: acme is connected again"]);
    assert_eq!(told(&world).await, ["signed_out on", "signed_out off"]);
    assert!(world.engine.metrics.encode().contains("leadpact_signed_out{connection=\"acme\"} 0"));
});

promise!(all_that_is_due_is_known_before_it_may_call_again, |store| {
    let (world, mut watch) = refused(store, 3).await;
    // Nobody took a turn since before the deadline.
    world.at(110);
    world.crm.with(|s| s.refuses = None);
    // Nor does a sweep tell of any of them.
    world.crm.with(|s| s.searchable = false);
    let due = world.open_effects().await.due;
    look(&world, &mut watch).await;
    assert!(!is_out(&world).await);
    assert_eq!(world.open_effects().await.due, due + 3);
});

promise!(a_short_absence_needs_no_sweep, |store| {
    let (world, mut watch) = refused(store, 1).await;
    world.at(60);
    world.crm.with(|s| s.refuses = None);
    let searched = world.crm.with(|s| s.searches.len());
    signed_out::ask_to_try(&world.engine.db, &acme(), world.clock.now()).await.unwrap();
    look(&world, &mut watch).await;
    assert!(!is_out(&world).await);
    assert_eq!(world.crm.with(|s| s.searches.len()), searched);
});

promise!(a_sweep_that_is_refused_leaves_it_signed_out_for_another_hour, |store| {
    let (mut world, mut watch) = refused(store, 1).await;
    world.at(110);
    world.crm.with(|s| {
        s.refuses = None;
        let refusal = leadpact::crm::CrmError::SignIn { message: WORDS.to_owned() };
        s.search_calls.push_back(crate::crm::Call::Fails(refusal));
    });
    look(&world, &mut watch).await;
    world.settle().await;
    assert!(is_out(&world).await);
    assert_eq!((world.crm.calls().1, called(&world)), (0, 2));
    world.at(169);
    look(&world, &mut watch).await;
    assert!(is_out(&world).await);
    world.at(170);
    look(&world, &mut watch).await;
    assert!(!is_out(&world).await);
});

promise!(what_fell_due_meanwhile_is_held_by_the_breaker_when_it_is_too_much, |store| {
    let limits = "quiet = true\nstop_above = { count = 2 }";
    let mut world = World::with(store, crate::world::agreement_with(RECYCLE, "", limits, "")).await;
    let mut watch = Watch::default();
    world.hand_over(&ids(3)).await;
    look(&world, &mut watch).await;
    world.at(50);
    world.crm.with(|s| s.refuses = Some(WORDS));
    world.receive(&[crate::world::said("000", minute(50), leadpact::crm::Says::ReadIt)]).await;
    world.settle().await;
    world.at(61);
    world.settle().await;
    look(&world, &mut watch).await;
    assert!(is_out(&world).await);
    assert_eq!((world.open_effects().await.held, world.count("001", FactKind::Breached).await), (0, 1));
    world.at(130);
    world.crm.with(|s| s.refuses = None);
    look(&world, &mut watch).await;
    world.settle().await;
    assert!(!is_out(&world).await);
    assert_eq!((world.crm.calls().1, world.open_effects().await.held), (0, 3));
});

promise!(whoever_finds_it_out_every_kind_of_call_counts, |store| {
    for kind in ["write", "search", "task", "people", "daily use"] {
        let mut world = World::over(store.db.clone(), agreement(r#"{ at = "due", task = "Call" }"#, ""), "first").await;
        let id = kind.replace(' ', "_");
        let mut watch = Watch::default();
        world.crm.with(|s| s.searchable = true);
        let refusal = || crate::crm::Call::Fails(leadpact::crm::CrmError::SignIn { message: WORDS.to_owned() });
        let over = CancellationToken::new();
        match kind {
            "search" => {
                for _ in 0..2 {
                    world.crm.with(|s| s.search_calls = [refusal()].into());
                    leadpact::engine::reconcile::sweep(&world.engine, &world.site, &world.lease, &over).await.unwrap();
                }
            }
            "people" => {
                look(&world, &mut watch).await;
                world.crm.with(|s| s.refuses = Some(WORDS));
                let site = &world.site;
                site.directory.people(&world.engine.db, site.name(), &site.crm, &[]).await.unwrap();
                look(&world, &mut watch).await;
            }
            "daily use" => {
                world.crm.with(|s| s.refuses = Some(WORDS));
                world.at(25 * 60);
                look(&world, &mut watch).await;
            }
            "task" => {
                world.hand_over(std::slice::from_ref(&id)).await;
                world.crm.with(|s| s.task_calls = [refusal()].into());
                world.at(61);
                world.settle().await;
            }
            _ => {
                world.site = crate::world::site(agreement(RECYCLE, ""), world.crm.clone());
                world.hand_over(std::slice::from_ref(&id)).await;
                world.crm.with(|s| s.write_calls = [refusal()].into());
                world.at(61);
                world.settle().await;
                assert_eq!(world.open_effects().await.due, 1, "it is due still, and not parked");
            }
        }
        assert!(is_out(&world).await, "{kind}");
        world.crm.with(|s| s.refuses = None);
        signed_out::ask_to_try(&world.engine.db, &acme(), world.clock.now()).await.unwrap();
        look(&world, &mut Watch::default()).await;
        assert!(!is_out(&world).await, "{kind}");
    }
});

promise!(an_idle_token_is_used_once_a_day, |store| {
    let world = World::new(store, RECYCLE).await;
    let mut watch = Watch::default();
    for (hour, used) in [(0, 1), (23, 1), (24, 2), (25, 2), (48, 3)] {
        world.at(hour * 60);
        look(&world, &mut watch).await;
        assert_eq!(world.crm.with(|s| s.exercised), used, "hour {hour}");
    }
    // A process that starts uses it no earlier.
    world.at(49 * 60);
    look(&world, &mut Watch::default()).await;
    assert_eq!(world.crm.with(|s| s.exercised), 3);
});
