//! Reports from a database: the same figures on either engine, however many pages there are.

use crate::postgres;
use crate::world::{World, said};
use leadpact::engine::measure;
use leadpact::record::ConnectionName;
use leadpact::store::agreement::{AgreementRow, activate, offer};
use leadpact::store::journal::{self, JournalEntry};
use leadpact::store::standing::{self, StandingRow};
use leadpact::store::{Db, OpenOptions, Priority};

const DELIVERED: &str = "Delivered | marketing | count = \"mql\" | >= 2 | month";
const NOW: &str = "02-01 00:00";

async fn store(db: &Db, world: &World) {
    let connection = ConnectionName::new("crm");
    let mut tx = db.begin(Priority::Work).await.unwrap();
    for records in world.records.chunks(200) {
        let entries = records.iter().flat_map(|r| {
            r.journal.iter().map(|entry| JournalEntry {
                record: Some(r.standing.key.clone()),
                fact: entry.fact.clone(),
                seen_at: entry.seen_at,
                agreement: world.agreement.hash.to_string(),
            })
        });
        journal::append(&mut tx, &connection, &entries.collect::<Vec<_>>()).await.unwrap();
        let rows = records.iter().map(|r| StandingRow {
            key: r.standing.key.clone(),
            stage: None,
            owner: None,
            party: None,
            name: String::new(),
            wake_at: None,
            state: serde_json::to_string(&r.standing).unwrap(),
            updated: crate::world::at(NOW),
        });
        standing::save(&mut tx, &rows.collect::<Vec<_>>()).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// More records than a page holds, and every part of a report.
fn big_world() -> World {
    let mut world = World::enforcing(&[DELIVERED]);
    for n in 0..1_203 {
        let lead = world.delivered(&format!("l{n}"), "01-05 10:00");
        lead.event("01-05 11:00", "status=Accepted");
        if n % 3 == 0 {
            lead.event("01-06 10:00", &format!("opportunity=o{n}"));
            world.decided(&format!("o{n}"), "01-20 10:00", "status=won amount=10 currency=EUR");
        }
    }
    let bad = "status=MQL score=10 company=Acme";
    world.lead("bad").event("01-05 10:00", bad).read("01-05 10:01", "01-05 10:00", bad);
    world.lead("bad").event("01-05 11:00", "status=Rejected reject_reason=student");
    world.delivered("neglected", "01-05 10:00");
    world
}

async fn the_same_figures_come_from_the_database(db: Db) {
    let mut world = big_world();
    let expected = world.report("2027-01", NOW);
    store(&db, &world).await;
    let report = measure::measure(&db, world.question("2027-01", NOW)).await.unwrap();
    assert_eq!(said(&report.commitments[0]), "1205, attained, 3 more recycled or returned");
    assert_eq!(report, expected);
    // What the journal tells of a record whose values are gone still counts.
    let erased = measure::measure(&db, world.question("2027-02", "02-10 00:00")).await.unwrap();
    assert_eq!(erased.notes, Vec::<String>::new());
}

#[tokio::test]
async fn the_same_figures_come_from_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    the_same_figures_come_from_the_database(Db::open(&url, &OpenOptions::default()).await.unwrap()).await;
}

#[tokio::test]
async fn the_same_figures_come_from_postgres() {
    if let Some(url) = postgres::fresh_database().await {
        the_same_figures_come_from_the_database(Db::open(&url, &OpenOptions::default()).await.unwrap()).await;
    }
}

#[tokio::test]
async fn versions_that_were_never_active_measure_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let db = Db::open(&url, &OpenOptions::default()).await.unwrap();
    let (file, no_file) = (crate::world::terms(&[DELIVERED]), |_: &str| Err("none".to_owned()));
    let text = include_str!("terms.toml");
    let active = crate::world::of_text(text);
    let mut tx = db.begin(Priority::Work).await.unwrap();
    for (hash, text) in [(&active.hash, text), (&file.hash, "never read")] {
        let row = AgreementRow {
            hash: hash.to_string(),
            title: String::new(),
            version: String::new(),
            text: text.to_owned(),
            offered_at: crate::world::at(NOW),
            activated_at: None,
        };
        offer(&mut tx, None, &row).await.unwrap();
    }
    tx.commit().await.unwrap();
    let window = World::of(&[]).question("2027-01", NOW).period;
    let hash = |terms: leadpact::report::terms::Terms| terms.measuring(&window, crate::world::at(NOW)).hash.clone();
    assert_eq!(hash(measure::terms(&db, None, &file, &no_file).await.unwrap()), file.hash, "none is active yet");
    let mut tx = db.begin(Priority::Work).await.unwrap();
    activate(&mut tx, None, &active.hash, crate::world::at("01-05 10:00")).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(hash(measure::terms(&db, None, &file, &no_file).await.unwrap()), active.hash);
}
