//! Leases: one holder at a time, and who lost it writes nothing more.

use crate::{Store, acme, at, other};
use leadpact::record::Elapsed;
use leadpact::store::StoreError;
use leadpact::store::lease::{self, Lease};

const TTL: Elapsed = Elapsed::from_millis(100);

async fn take(store: &Store, holder: &str, now: i64) -> Option<Lease> {
    lease::take(&store.db, &acme(), holder, at(now), TTL).await.unwrap()
}

async fn holds(store: &Store, lease: &Lease) -> bool {
    let mut tx = store.begin().await;
    let checked = lease.check(&mut tx).await;
    tx.commit().await.unwrap();
    match checked {
        Ok(()) => true,
        Err(StoreError::LostLease(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

promise!(only_one_holds_it_until_it_expires, |store| {
    let first = take(&store, "a", 0).await.unwrap();
    assert_eq!((first.fence, first.until), (1, at(100)));
    assert_eq!(take(&store, "b", 99).await, None);
    assert!(lease::take(&store.db, &other(), "b", at(0), TTL).await.unwrap().is_some());
    assert!(holds(&store, &first).await);
    assert_eq!(take(&store, "b", 100).await.unwrap().fence, 2);
});

promise!(who_was_frozen_writes_nothing_after_the_takeover, |store| {
    let mut frozen = take(&store, "a", 0).await.unwrap();
    let now = take(&store, "b", 100).await.unwrap();
    assert!(!holds(&store, &frozen).await);
    assert!(holds(&store, &now).await);
    assert!(matches!(frozen.renew(&store.db, at(101), TTL).await, Err(StoreError::LostLease(_))));
    frozen.release(&store.db).await.unwrap();
    assert_eq!(take(&store, "a", 150).await, None, "a late release frees nobody's lease");
});

promise!(a_renewed_lease_lasts_and_a_released_one_is_free_at_once, |store| {
    let mut held = take(&store, "a", 0).await.unwrap();
    held.renew(&store.db, at(90), TTL).await.unwrap();
    assert_eq!(held.until, at(190));
    assert_eq!(take(&store, "b", 150).await, None);
    held.release(&store.db).await.unwrap();
    assert_eq!(take(&store, "b", 150).await.unwrap().fence, 2);
});

promise!(its_own_holder_takes_it_again_and_the_older_fence_ends, |store| {
    let before = take(&store, "a", 0).await.unwrap();
    let after = take(&store, "a", 1).await.unwrap();
    assert!(!holds(&store, &before).await && holds(&store, &after).await);
});

promise!(of_many_who_reach_for_it_one_gets_it, |store| {
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let db = store.db.clone();
            tokio::spawn(async move { lease::take(&db, &acme(), &n.to_string(), at(0), TTL).await.unwrap() })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += usize::from(task.await.unwrap().is_some());
    }
    assert_eq!(winners, 1);
});

promise!(nobody_takes_over_in_the_midst_of_a_transaction, |store| {
    let held = take(&store, "a", 0).await.unwrap();
    let mut tx = store.begin().await;
    held.check(&mut tx).await.unwrap();
    let db = store.db.clone();
    let takeover = tokio::spawn(async move { lease::take(&db, &acme(), "b", at(500), TTL).await.unwrap() });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(!takeover.is_finished());
    tx.commit().await.unwrap();
    assert_eq!(takeover.await.unwrap().unwrap().fence, 2);
});
