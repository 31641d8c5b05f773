//! `leadpact audit verify`, as an auditor runs it: on a journal that holds, and on one that somebody
//! changed behind the daemon's back.

use crate::agreements::{follow_up, swift};
use crate::daemon::run;
use crate::house::{Engine, House, HubSpot, on_both};
use leadpact::record::ConnectionName;
use leadpact::store::{Db, OpenOptions, journal};
use sqlx::{AssertSqlSafe, Connection};
use std::time::Duration;

/// Exit code, and what was printed.
fn verify(house: &House, arguments: &[&str]) -> (Option<i32>, String) {
    let arguments = [&["audit", "verify"], arguments].concat();
    let output = run(&arguments, &house.file("leadpact.toml"));
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(printed).expect("text"))
}

async fn meddle(house: &House, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    match house.engine {
        Engine::Sqlite => {
            let mut hand = sqlx::SqliteConnection::connect(&house.store).await.expect("the database");
            sqlx::query(sql).execute(&mut hand).await.expect("done");
        }
        Engine::Postgres => {
            let mut hand = sqlx::PgConnection::connect(&house.store).await.expect("the database");
            sqlx::query(sql).execute(&mut hand).await.expect("done");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_auditor_sees_that_a_journal_holds_and_what_was_done_to_one_that_does_not() {
    on_both(&swift("2s"), async |house| {
        house.start().await;
        let lead = house.lead(HubSpot, "Ada Stone", "Qualified by teleprospecting");
        house.until("the lead goes back", async || house.is_back(HubSpot, &lead)).await;
        let (code, printed) = verify(house, &[]);
        assert_eq!(code, Some(0), "{printed}");
        assert!(printed.contains("hubspot: ") && printed.contains(" entries hold, 0 erased, head "), "{printed}");
        assert!(printed.contains("salesforce: 2 entries hold"), "{printed}");

        let mut daemon = house.take_daemon();
        daemon.terminate();
        daemon.ended(Duration::from_secs(10)).await;
        let db = Db::open(&house.store, &OpenOptions::default()).await.expect("opened");
        let name = ConnectionName::new("hubspot");
        let head = journal::head(&db, &name).await.expect("read").expect("some entries");
        let entries = journal::recent(&db, &name, 0, 10_000).await.expect("read");
        db.close().await;
        assert!(daemon.log().contains(&head.to_string()), "the log has the newest entry: {}", daemon.log());

        let noted = head.to_string();
        let (code, printed) = verify(house, &["hubspot", "--head", &noted]);
        assert_eq!(code, Some(0), "{printed}");
        let (code, printed) = verify(house, &["--head", &noted]);
        assert!(code == Some(1) && printed.contains("a head belongs to one connection"), "{printed}");

        // The tail is cut, and the head set back with it.
        let last = &entries[1];
        meddle(house, "DELETE FROM journal WHERE connection = 'hubspot' AND seq > 2").await;
        let back = format!("UPDATE journal_head SET seq = 2, hash = '{}' WHERE connection = 'hubspot'", last.hash);
        meddle(house, &back).await;
        assert_eq!(verify(house, &["hubspot"]).0, Some(0), "the chain alone shows nothing");
        let (code, printed) = verify(house, &["hubspot", "--head", &noted]);
        assert_eq!(code, Some(1), "{printed}");
        assert!(printed.contains("hubspot: entry 3 and those after it were cut off"), "{printed}");

        meddle(house, "UPDATE journal SET owner = 'somebody' WHERE connection = 'hubspot' AND seq = 2").await;
        let (code, printed) = verify(house, &["hubspot", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
        assert_eq!((code, &json["holds"], &json["connections"][0]["first_bad"]), (Some(1), &false.into(), &2.into()));
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_is_not_there_is_named_with_those_that_are() {
    let house = House::open(Engine::Sqlite, &follow_up()).await.expect("SQLite is always there");
    let (code, printed) = verify(&house, &["hubspt"]);
    assert!(code == Some(1) && printed.contains("there are: hubspot, salesforce"), "{printed}");
    let (code, printed) = verify(&house, &["hubspot", "--head", "12"]);
    assert!(code == Some(2) && printed.contains("SEQ:HASH"), "{printed}");
}
