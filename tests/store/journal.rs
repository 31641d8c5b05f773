//! The journal: one unbroken chain a connection, and every way of breaking it is found.

use crate::{Store, acme, at, lead, other};
use leadpact::record::{Actor, Fact, FactKind, RecordKey};
use leadpact::store::StoreError;
use leadpact::store::journal::{self, Fault, Head, JournalEntry};

fn entry(id: &str, ms: i64) -> JournalEntry {
    let detail = serde_json::json!({ "deadline": ms, "seen": "score = 70" });
    let fact = Fact {
        kind: FactKind::Breached,
        at: at(ms),
        pass: 1,
        source: "accept".into(),
        run: 1,
        item: "".into(),
        party: Some("field_sales".into()),
        owner: None,
        stage: Some("mql".into()),
        by: Actor::Person("7020".into()),
        detail: detail.as_object().unwrap().clone(),
    };
    JournalEntry { record: Some(lead(id)), fact, seen_at: at(ms + 1), agreement: "abc".into() }
}

async fn append(store: &Store, entries: &[JournalEntry]) {
    let mut tx = store.begin().await;
    journal::append(&mut tx, &acme(), entries).await.unwrap();
    tx.commit().await.unwrap();
}

async fn first_bad(store: &Store) -> Option<i64> {
    journal::verify(&store.db, &acme()).await.unwrap().first_bad
}

promise!(entries_come_back_as_they_were_written, |store| {
    append(&store, &[entry("1", 10), entry("2", 20)]).await;
    append(&store, &[entry("1", 30)]).await;
    let story = journal::of_record(&store.db, &lead("1")).await.unwrap();
    assert_eq!(story.iter().map(|row| row.seq).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((&story[0].entry, &story[1].entry), (&entry("1", 10), &entry("1", 30)));
    let recent = journal::recent(&store.db, &acme(), 1, 1).await.unwrap();
    assert_eq!((recent.len(), &recent[0].entry), (1, &entry("2", 20)));
    let head = journal::head(&store.db, &acme()).await.unwrap().unwrap();
    assert_eq!((head.seq, &head.hash), (3, &story[1].hash));
});

promise!(each_connection_has_its_own_chain, |store| {
    append(&store, &[entry("1", 10)]).await;
    let key = RecordKey { connection: other(), ..lead("1") };
    let mut tx = store.begin().await;
    let entries = [JournalEntry { record: Some(key), ..entry("1", 10) }];
    journal::append(&mut tx, &other(), &entries).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(journal::head(&store.db, &other()).await.unwrap().unwrap().seq, 1);
    let mut tx = store.begin().await;
    let stray = journal::append(&mut tx, &acme(), &entries).await;
    assert!(matches!(stray, Err(StoreError::Refused(_))));
});

promise!(a_thousand_entries_make_a_chain_that_holds, |store| {
    let entries: Vec<JournalEntry> = (0..1001).map(|n| entry(&n.to_string(), n)).collect();
    append(&store, &entries).await;
    let verified = journal::verify(&store.db, &acme()).await.unwrap();
    assert_eq!((verified.entries, verified.erased, verified.first_bad), (1001, 0, None));
});

promise!(an_empty_journal_holds, |store| {
    append(&store, &[]).await;
    assert_eq!(journal::verify(&store.db, &acme()).await.unwrap().entries, 0);
    assert_eq!(journal::head(&store.db, &acme()).await.unwrap(), None);
});

promise!(every_altered_column_is_found, |store| {
    append(&store, &[entry("1", 10), entry("2", 20), entry("3", 30)]).await;
    for (column, value) in [
        ("fact_key", "'x'"),
        ("kind", "'met'"),
        ("at", "21"),
        ("seen_at", "22"),
        ("object", "'opportunity'"),
        ("id", "'9'"),
        ("pass", "2"),
        ("source", "'x'"),
        ("run", "2"),
        ("item", "'x'"),
        ("party", "NULL"),
        ("owner", "'7'"),
        ("stage", "'sal'"),
        ("actor", "'\"leadpact\"'"),
        ("agreement", "'x'"),
        ("detail", "'{}'"),
        ("salt", "'00'"),
        ("digest", "'00'"),
        ("hash", "'00'"),
    ] {
        store.meddle("CREATE TABLE kept AS SELECT * FROM journal").await;
        store.meddle(&format!("UPDATE journal SET {column} = {value} WHERE seq = 2")).await;
        assert_eq!(first_bad(&store).await, Some(2), "{column}");
        store.meddle("DELETE FROM journal").await;
        store.meddle("INSERT INTO journal SELECT * FROM kept").await;
        store.meddle("DROP TABLE kept").await;
        assert_eq!(first_bad(&store).await, None);
    }
});

promise!(a_missing_entry_is_found_wherever_it_stood, |store| {
    for (seq, left) in [(2, 1), (1, 0), (3, 2)] {
        store.meddle("DELETE FROM journal").await;
        store.meddle("DELETE FROM journal_head").await;
        append(&store, &[entry("1", 10), entry("2", 20), entry("3", 30)]).await;
        store.meddle(&format!("DELETE FROM journal WHERE seq = {seq}")).await;
        let verified = journal::verify(&store.db, &acme()).await.unwrap();
        assert_eq!((verified.entries, verified.first_bad), (left, Some(seq)));
    }
});

promise!(a_head_that_was_set_back_is_found, |store| {
    append(&store, &[entry("1", 10), entry("2", 20)]).await;
    store.meddle("UPDATE journal_head SET seq = 1").await;
    assert!(first_bad(&store).await.is_some());
    store.meddle("DELETE FROM journal_head").await;
    assert!(first_bad(&store).await.is_some());
});

promise!(an_entry_put_between_others_or_behind_the_end_is_found, |store| {
    append(&store, &[entry("1", 10), entry("2", 20), entry("3", 30)]).await;
    let columns = "connection, seq, fact_key, kind, at, seen_at, object, id, pass, source, run, item, party, owner, \
                   stage, actor, agreement, detail, salt, digest, hash";
    let copied = columns.replace("seq,", "4,");
    store.meddle(&format!("INSERT INTO journal ({columns}) SELECT {copied} FROM journal WHERE seq = 3")).await;
    let verified = journal::verify(&store.db, &acme()).await.unwrap();
    assert_eq!((verified.entries, verified.first_bad, verified.fault), (3, Some(4), Some(Fault::Stray)));
    // Moved into the middle, with all others after it and the head pushed on.
    store.meddle("UPDATE journal SET seq = seq + 100 WHERE seq > 1").await;
    store.meddle("UPDATE journal SET seq = 2 WHERE seq = 104").await;
    store.meddle("UPDATE journal SET seq = seq - 99 WHERE seq > 100").await;
    store.meddle("UPDATE journal_head SET seq = 4").await;
    let verified = journal::verify(&store.db, &acme()).await.unwrap();
    assert_eq!((verified.entries, verified.first_bad, verified.fault), (1, Some(2), Some(Fault::Altered)));
});

promise!(two_entries_that_changed_places_are_found, |store| {
    append(&store, &[entry("1", 10), entry("2", 20), entry("3", 30)]).await;
    for (from, to) in [(2, 102), (3, 2), (102, 3)] {
        store.meddle(&format!("UPDATE journal SET seq = {to} WHERE seq = {from}")).await;
    }
    assert_eq!(first_bad(&store).await, Some(2));
});

promise!(a_head_noted_elsewhere_shows_a_cut_tail_and_a_chain_written_anew, |store| {
    append(&store, &[entry("1", 10), entry("2", 20), entry("3", 30)]).await;
    let noted = journal::head(&store.db, &acme()).await.unwrap().unwrap();
    let walk = async |noted: &Head| {
        let verified = journal::walk(&store.db, &acme(), Some(noted), &mut |_, _| {}).await.unwrap();
        (verified.entries, verified.first_bad, verified.fault)
    };
    append(&store, &[entry("4", 40)]).await;
    assert_eq!(walk(&noted).await, (4, None, None), "what was appended since is no harm");

    // Whoever cuts the tail sets the head back as well: the chain alone shows nothing.
    let kept = journal::recent(&store.db, &acme(), 0, 2).await.unwrap();
    store.meddle("DELETE FROM journal WHERE seq > 2").await;
    store.meddle(&format!("UPDATE journal_head SET seq = 2, hash = '{}'", kept[1].hash)).await;
    assert_eq!(first_bad(&store).await, None);
    assert_eq!(walk(&noted).await, (2, Some(3), Some(Fault::Cut)));

    store.meddle("DELETE FROM journal").await;
    store.meddle("DELETE FROM journal_head").await;
    append(&store, &[entry("1", 10), entry("2", 20), entry("3", 31)]).await;
    assert_eq!(first_bad(&store).await, None);
    assert_eq!(walk(&noted).await, (2, Some(3), Some(Fault::Rewritten)));
});

promise!(a_head_set_back_to_an_earlier_entry_leaves_strays, |store| {
    append(&store, &[entry("1", 10), entry("2", 20)]).await;
    let first = journal::recent(&store.db, &acme(), 0, 1).await.unwrap().remove(0);
    store.meddle(&format!("UPDATE journal_head SET seq = 1, hash = '{}'", first.hash)).await;
    let verified = journal::verify(&store.db, &acme()).await.unwrap();
    assert_eq!((verified.entries, verified.first_bad, verified.fault), (1, Some(2), Some(Fault::Stray)));
});

#[test]
fn a_head_is_read_back_as_it_is_written() {
    let head = Head { seq: 12, hash: "ab".repeat(32) };
    assert_eq!(head.to_string().parse(), Ok(head));
    for text in ["", "12", "12:", "0:".to_owned().as_str(), "x:00", &format!("-1:{}", "ab".repeat(32))] {
        assert!(text.parse::<Head>().unwrap_err().contains("SEQ:HASH"), "{text}");
    }
}

promise!(a_privacy_deletion_takes_the_values_and_the_chain_still_holds, |store| {
    append(&store, &[entry("1", 10), entry("2", 20), entry("1", 30)]).await;
    let mut tx = store.begin().await;
    assert_eq!(journal::erase(&mut tx, &lead("1")).await.unwrap(), 2);
    tx.commit().await.unwrap();
    let story = journal::of_record(&store.db, &lead("1")).await.unwrap();
    assert!(story.iter().all(|row| row.erased && row.entry.fact.detail.is_empty()));
    let verified = journal::verify(&store.db, &acme()).await.unwrap();
    assert_eq!((verified.entries, verified.erased, verified.first_bad), (3, 2, None));
});

promise!(two_writers_make_one_chain, |store| {
    let tasks: Vec<_> = (0..8)
        .map(|n: i64| {
            let db = store.db.clone();
            tokio::spawn(async move {
                let mut tx = db.begin(leadpact::store::Priority::Work).await.unwrap();
                journal::append(&mut tx, &acme(), &[entry("1", n), entry("2", n)]).await.unwrap();
                tx.commit().await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let verified = journal::verify(&store.db, &acme()).await.unwrap();
    assert_eq!((verified.entries, verified.first_bad), (16, None));
});
