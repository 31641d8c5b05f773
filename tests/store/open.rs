//! Opening: what is refused, what is created, who may write and when.

use crate::Store;
use leadpact::store::{Db, OpenOptions, Priority, StoreError, cursor};
use std::sync::{Arc, Mutex};
use std::time::Duration;

async fn refused(url: &str) -> StoreError {
    match Db::open(url, &OpenOptions::default()).await {
        Ok(_) => panic!("{url} was opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_url_that_cannot_do_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = format!("sqlite://{}/none/test.db", folder.path().display());
    for (url, reason) in [
        (nowhere.as_str(), "does not exist"),
        ("mysql://localhost/x", "neither sqlite:// nor postgres://"),
        ("sqlite://:memory:", "in memory"),
    ] {
        let error = refused(url).await;
        assert!(matches!(error, StoreError::Misconfigured(_)) && error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.db");
    std::fs::write(&file, "certainly not a database, and long enough to tell").unwrap();
    assert!(matches!(refused(&format!("sqlite://{}", file.display())).await, StoreError::Corrupt(_)));
}

#[tokio::test]
async fn sqlite_runs_with_the_settings_that_lose_nothing() {
    let store = Store::sqlite().await;
    let Db::Sqlite(sqlite) = &store.db else { panic!("this is SQLite") };
    let (journal,): (String,) = sqlx::query_as("PRAGMA journal_mode").fetch_one(sqlite.readers()).await.unwrap();
    let (synchronous,): (i64,) = sqlx::query_as("PRAGMA synchronous").fetch_one(sqlite.readers()).await.unwrap();
    assert_eq!((journal.as_str(), synchronous), ("wal", 2));
    let write = sqlx::query("DELETE FROM cursor").execute(sqlite.readers()).await;
    assert!(write.is_err(), "readers only read");
}

#[tokio::test]
async fn a_postgres_that_answers_before_it_has_stored_is_refused() {
    let Some(store) = Store::postgres().await else { return };
    let (_, name) = store.url.split_once("localhost/").unwrap();
    let name = name.split('?').next().unwrap();
    store.meddle(&format!("ALTER DATABASE {name} SET synchronous_commit = off")).await;
    assert!(refused(&store.url).await.to_string().contains("synchronous_commit"));
}

#[tokio::test]
async fn who_only_looks_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.db");
    let options = OpenOptions { only_look: true, ..OpenOptions::default() };
    assert!(Db::open(&format!("sqlite://{}", file.display()), &options).await.is_err());
    assert!(!file.exists());
}

promise!(a_newer_schema_is_refused, |store| {
    store
        .meddle(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (99991231000000, 'later', true, '', 0)",
        )
        .await;
    let error = refused(&store.url).await;
    assert!(matches!(error, StoreError::TooNew { found: 99991231000000, .. }), "{error}");
});

promise!(a_database_opened_again_has_what_was_committed, |store| {
    let mut tx = store.begin().await;
    cursor::set(&mut tx, &crate::acme(), "sweep", "here").await.unwrap();
    tx.commit().await.unwrap();
    store.db.close().await;
    assert!(!store.db.is_healthy().await);
    let options = OpenOptions { migration_lock: false, ..OpenOptions::default() };
    let again = Db::open(&store.url, &options).await.unwrap();
    assert!(again.is_healthy().await);
    assert_eq!(cursor::get(&again, &crate::acme(), "sweep").await.unwrap().as_deref(), Some("here"));
});

promise!(what_is_not_committed_is_undone, |store| {
    for by_hand in [true, false] {
        let mut tx = store.begin().await;
        cursor::set(&mut tx, &crate::acme(), "sweep", "here").await.unwrap();
        if by_hand {
            tx.rollback().await.unwrap();
        } else {
            drop(tx);
        }
        store.begin().await.commit().await.unwrap();
        assert_eq!(cursor::get(&store.db, &crate::acme(), "sweep").await.unwrap(), None);
    }
});

promise!(many_writers_lose_no_update, |store| {
    let tasks: Vec<_> = (0..20)
        .map(|n: i32| {
            let db = store.db.clone();
            tokio::spawn(async move {
                let priority = if n % 2 == 0 { Priority::Ingest } else { Priority::Work };
                let mut tx = db.begin(priority).await.unwrap();
                let party = "field_sales".into();
                leadpact::store::rotation::next(&mut tx, &crate::acme(), &party, 1000).await.unwrap();
                tx.commit().await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let mut tx = store.begin().await;
    let turn = leadpact::store::rotation::next(&mut tx, &crate::acme(), &"field_sales".into(), 1000).await;
    assert_eq!(turn.unwrap(), Some(20));
});

#[tokio::test]
async fn ingest_waits_for_one_transaction_and_goes_before_all_that_wait() {
    let store = Store::sqlite().await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let running = store.begin().await;
    let mut tasks = Vec::new();
    for (name, priority) in [("first", Priority::Work), ("second", Priority::Work), ("ingest", Priority::Ingest)] {
        let (db, order) = (store.db.clone(), order.clone());
        tasks.push(tokio::spawn(async move {
            let tx = db.begin(priority).await.unwrap();
            order.lock().unwrap().push(name);
            tx.commit().await.unwrap();
        }));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(order.lock().unwrap().is_empty(), "one writer at a time");
    running.commit().await.unwrap();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), ["ingest", "first", "second"]);
}
