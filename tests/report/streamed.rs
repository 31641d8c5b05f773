//! Reports from a database: the same figures on either engine, however many pages there are.

use crate::postgres;
use crate::world::{World, at, said};
use leadpact::engine::measure;
use leadpact::record::{ConnectionName, RecordKey};
use leadpact::store::agreement::{AgreementRow, Version, activate, offer};
use leadpact::store::journal::{self, JournalEntry};
use leadpact::store::standing::{self, StandingRow};
use leadpact::store::{Db, OpenOptions, Priority};

const DELIVERED: &str = "Delivered | marketing | count = \"mql\" | >= 2 | month";
const NOW: &str = "02-01 00:00";

async fn store(db: &Db, world: &World) {
    store_but(db, world, None).await;
}

/// Stores everything but the standing of one record.
async fn store_but(db: &Db, world: &World, erased: Option<&RecordKey>) {
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
        let kept = records.iter().filter(|r| Some(&r.standing.key) != erased);
        let rows = kept.map(|r| StandingRow {
            key: r.standing.key.clone(),
            stage: None,
            owner: None,
            party: None,
            name: String::new(),
            wake_at: None,
            state: serde_json::to_string(&r.standing).unwrap(),
            updated: at(NOW),
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
}

async fn sqlite() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let db = Db::open(&url, &OpenOptions::default()).await.unwrap();
    (folder, db)
}

#[tokio::test]
async fn the_same_figures_come_from_sqlite() {
    let (_folder, db) = sqlite().await;
    the_same_figures_come_from_the_database(db).await;
}

#[tokio::test]
async fn the_same_figures_come_from_postgres() {
    if let Some(url) = postgres::fresh_database().await {
        the_same_figures_come_from_the_database(Db::open(&url, &OpenOptions::default()).await.unwrap()).await;
    }
}

#[tokio::test]
async fn a_record_whose_standing_is_gone_counts_by_its_facts_and_the_report_says_so() {
    let (_folder, db) = sqlite().await;
    let mut world = World::of(&[DELIVERED]);
    world.delivered("a", "01-05 10:00");
    world.delivered("b", "01-05 10:00");
    let erased = world.lead("a").standing.key.clone();
    store_but(&db, &world, Some(&erased)).await;
    let report = measure::measure(&db, world.question("2027-01", NOW)).await.unwrap();
    assert_eq!(said(&report.commitments[0]), "2, attained");
    assert_eq!(report.notes, ["The values of 1 record were erased; its facts count, its fields and amounts cannot."]);
}

#[tokio::test]
async fn a_journal_that_is_ahead_of_our_clock_tells_how_far_everything_is_known() {
    let (_folder, db) = sqlite().await;
    let (connection, early, late) = (ConnectionName::new("crm"), at("01-01 00:00"), at("03-01 00:00"));
    assert_eq!(measure::known_until(&db, &connection, early).await.unwrap(), early);
    let mut world = World::of(&[DELIVERED]);
    world.delivered("a", "01-05 10:00");
    store(&db, &world).await;
    assert_eq!(measure::known_until(&db, &connection, early).await.unwrap(), at("01-05 10:00"));
    assert_eq!(measure::known_until(&db, &connection, late).await.unwrap(), late);
}

#[tokio::test]
async fn versions_that_were_never_active_measure_nothing() {
    let (_folder, db) = sqlite().await;
    let file = crate::world::terms(&[DELIVERED]);
    let text = include_str!("terms.toml");
    let active = crate::world::of_text(text);
    let mut tx = db.begin(Priority::Work).await.unwrap();
    for (hash, text) in [(&active.hash, text), (&file.hash, "never read")] {
        let version = Version {
            hash: hash.to_string(),
            title: String::new(),
            version: String::new(),
            signers: None,
            effective_at: at("01-05 10:00"),
            offered_at: at(NOW),
            activated_at: None,
            superseded_at: None,
        };
        let row = AgreementRow { version, text: text.to_owned(), files: Default::default() };
        offer(&mut tx, None, &row).await.unwrap();
    }
    tx.commit().await.unwrap();
    let window = World::of(&[]).question("2027-01", NOW).period;
    let hash = |terms: leadpact::report::terms::Terms| terms.measuring(&window, at(NOW)).hash.clone();
    assert_eq!(hash(measure::terms(&db, None, &file).await.unwrap()), file.hash, "none is active yet");
    let mut tx = db.begin(Priority::Work).await.unwrap();
    activate(&mut tx, None, &active.hash, at("01-05 10:00")).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(hash(measure::terms(&db, None, &file).await.unwrap()), active.hash);
}
