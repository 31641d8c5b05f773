//! The inbox: what is stored once, taken in order, parked, replayed and deleted by age.

use crate::{Store, acme, at, other};
use leadpact::store::inbox::{self, Insertion, Kind, NewDelivery};

fn delivery(id: Option<&str>, body: &str, ms: i64) -> NewDelivery {
    NewDelivery {
        connection: acme(),
        delivery_id: id.map(str::to_owned),
        kind: Kind::Delivery,
        body: body.to_owned(),
        received_at: at(ms),
    }
}

async fn store_all(store: &Store, deliveries: &[NewDelivery]) -> Vec<Insertion> {
    let mut tx = store.db.begin(leadpact::store::Priority::Ingest).await.unwrap();
    let answers = inbox::insert_all(&mut tx, deliveries).await.unwrap();
    tx.commit().await.unwrap();
    answers
}

async fn waiting(store: &Store, limit: u32) -> Vec<inbox::InboxRow> {
    match inbox::mark(&store.db, &acme()).await.unwrap() {
        Some(mark) => inbox::received(&store.db, &acme(), &mark, limit).await.unwrap(),
        None => Vec::new(),
    }
}

promise!(a_repeated_delivery_id_is_not_stored_again, |store| {
    use Insertion::{Repeated, Stored};
    let first = [delivery(Some("a"), "1", 1), delivery(Some("a"), "2", 2), delivery(None, "3", 3)];
    assert_eq!(store_all(&store, &first).await, [Stored, Repeated, Stored]);
    let elsewhere = NewDelivery { connection: other(), ..delivery(Some("a"), "4", 4) };
    let again = [delivery(Some("a"), "5", 5), delivery(None, "3", 3), elsewhere];
    assert_eq!(store_all(&store, &again).await, [Repeated, Stored, Stored]);
    let bodies: Vec<String> = waiting(&store, 10).await.into_iter().map(|row| row.body).collect();
    assert_eq!(bodies, ["1", "3", "3"]);
});

promise!(a_thousand_rows_come_back_in_order, |store| {
    let rows: Vec<NewDelivery> =
        (0..1000).map(|n| delivery(Some(&format!("d{n}")), &format!("{{\"ä\": {n}}}"), 1_000)).collect();
    assert!(store_all(&store, &rows).await.iter().all(|answer| *answer == Insertion::Stored));
    let back = waiting(&store, 2_000).await;
    assert_eq!(back.len(), 1000);
    assert!(back.iter().zip(&rows).all(|(b, r)| b.body == r.body && b.delivery_id == r.delivery_id));
    let ids: Vec<&str> = back.iter().map(|row| row.id.as_str()).collect();
    let mut tx = store.begin().await;
    inbox::applied(&mut tx, &acme(), &ids).await.unwrap();
    tx.commit().await.unwrap();
    assert!(waiting(&store, 1).await.is_empty());
});

promise!(a_turn_takes_nothing_received_after_its_mark, |store| {
    store_all(&store, &[delivery(None, "before", 1)]).await;
    let mark = inbox::mark(&store.db, &acme()).await.unwrap().unwrap();
    store_all(&store, &[delivery(None, "after", 2)]).await;
    let rows = inbox::received(&store.db, &acme(), &mark, 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.body.as_str()).collect::<Vec<_>>(), ["before"]);
    assert_eq!(inbox::mark(&store.db, &other()).await.unwrap(), None);
});

promise!(a_row_that_is_committed_late_is_still_taken, |store| {
    store_all(&store, &[delivery(None, "late clock", 9)]).await;
    let first = waiting(&store, 10).await;
    let mut tx = store.begin().await;
    inbox::applied(&mut tx, &acme(), &[&first[0].id]).await.unwrap();
    tx.commit().await.unwrap();
    store_all(&store, &[delivery(None, "early clock", 3)]).await;
    assert_eq!(waiting(&store, 10).await[0].body, "early clock");
});

promise!(attempts_are_counted_and_a_parked_row_can_be_replayed, |store| {
    store_all(&store, &[delivery(None, "poison", 1), delivery(None, "fine", 2)]).await;
    let poison = waiting(&store, 1).await.remove(0).id;
    for _ in 0..2 {
        let mut tx = store.begin().await;
        inbox::count_attempt(&mut tx, &acme(), &[&poison]).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(waiting(&store, 1).await[0].attempts, 2);

    let mut tx = store.begin().await;
    inbox::park(&mut tx, &acme(), &poison, "no such\0field").await.unwrap();
    tx.commit().await.unwrap();
    let parked = inbox::parked(&store.db, &acme(), 10).await.unwrap();
    assert_eq!(parked[0].error.as_deref(), Some("no such\u{fffd}field"));
    assert_eq!(waiting(&store, 10).await.len(), 1);
    let counts = inbox::counts(&store.db, &acme()).await.unwrap();
    assert_eq!((counts.received, counts.parked), (1, 1));

    let mut tx = store.begin().await;
    inbox::replay(&mut tx, &acme(), &[&poison]).await.unwrap();
    tx.commit().await.unwrap();
    let back = waiting(&store, 10).await;
    assert_eq!((back.len(), back[0].attempts, back[0].error.as_deref()), (2, 0, None));
});

promise!(an_event_set_aside_waits_for_a_person, |store| {
    let event = NewDelivery { kind: Kind::Event, ..delivery(None, "{\"bad\": true}", 5) };
    let mut tx = store.begin().await;
    let id = inbox::put_aside(&mut tx, &event, "its time is no time").await.unwrap();
    tx.commit().await.unwrap();
    let parked = inbox::parked(&store.db, &acme(), 10).await.unwrap();
    assert_eq!(
        (parked[0].id.as_str(), parked[0].kind, parked[0].body.as_str()),
        (id.as_str(), Kind::Event, "{\"bad\": true}")
    );
    assert!(waiting(&store, 10).await.is_empty());
});

promise!(only_old_applied_rows_are_deleted, |store| {
    let rows: Vec<NewDelivery> = (1..=6).map(|n| delivery(None, &n.to_string(), n * 1000)).collect();
    store_all(&store, &rows).await;
    let ids: Vec<String> = waiting(&store, 10).await.into_iter().map(|row| row.id).collect();
    let mut tx = store.begin().await;
    inbox::applied(&mut tx, &acme(), &[&ids[1], &ids[2], &ids[3], &ids[4]]).await.unwrap();
    let mut gone = Vec::new();
    for _ in 0..3 {
        gone.push(inbox::delete_before(&mut tx, &acme(), at(5000), 2).await.unwrap());
    }
    inbox::replay(&mut tx, &acme(), &[&ids[4]]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(gone, [2, 1, 0]);
    let left: Vec<String> = waiting(&store, 10).await.into_iter().map(|row| row.body).collect();
    assert_eq!(left, ["1", "5", "6"]);
});
