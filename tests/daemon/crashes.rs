//! Killed at any moment, the daemon loses nothing and does nothing twice.

use crate::agreements::follow_up;
use crate::daemon::Daemon;
use crate::house::{Engine, House, HubSpot, Salesforce, on_both, pause};
use sqlx::{Connection, PgConnection, SqliteConnection};

/// How long it lives each time, in milliseconds.
const LIVES: [u64; 10] = [900, 350, 1_250, 140, 620, 1_010, 480, 760, 230, 1_100];

/// A killed process leaves its lease behind, which runs out by itself; the test does not wait for it.
async fn end_leases(house: &House) {
    const SQL: &str = "UPDATE lease SET expires_at = 0";
    match house.engine {
        Engine::Sqlite => {
            let mut connection = SqliteConnection::connect(&house.store).await.expect("the file");
            sqlx::query(SQL).execute(&mut connection).await.expect("the leases");
            connection.close().await.expect("closed");
        }
        Engine::Postgres => {
            let mut connection = PgConnection::connect(&house.store).await.expect("the server");
            sqlx::query(SQL).execute(&mut connection).await.expect("the leases");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_kills_lose_no_lead_and_move_none_twice() {
    on_both(&follow_up(), async |house| {
        house.start().await;
        let mut leads = Vec::new();
        for (n, life) in LIVES.into_iter().enumerate() {
            for crm in [HubSpot, Salesforce] {
                let name = format!("{crm:?} Lead{n}");
                leads.push((crm, house.lead(crm, &name, "Qualified by teleprospecting"), name));
            }
            pause(life).await;
            house.with_daemon(Daemon::kill);
            end_leases(house).await;
            house.start().await;
        }
        for (crm, lead, _) in &leads {
            house.until("every lead goes back", async || house.is_back(*crm, lead)).await;
            house.until("it is journalled", async || !house.facts(*crm, lead, "recycled").await.is_empty()).await;
        }
        for (crm, lead, name) in &leads {
            let story = house.story(*crm, lead).await;
            assert_eq!(house.moves(*crm, lead), 1, "{name}\n{story}");
            assert_eq!(house.writes(*crm, lead), 1, "{name}\n{story}");
            for (kind, count) in [("recycled", 1), ("breached", 1), ("parked", 0)] {
                assert_eq!(house.facts(*crm, lead, kind).await.len(), count, "{kind} of {name}\n{story}");
            }
            house
                .until("every notice has ended", async || {
                    // One in doubt at a kill is not sent again once the lead has gone back.
                    let dropped = house.facts(*crm, lead, "dropped").await.len();
                    house.facts(*crm, lead, "notified").await.len() + dropped == 2
                })
                .await;
        }
        let slack = house.slack.messages("#sales");
        for (.., name) in &leads {
            let told = slack.iter().filter(|message| message.to_string().contains(name.as_str())).count();
            assert!((1..=LIVES.len() + 1).contains(&told), "{name} was told of {told} times");
        }
        let messages = slack.len();
        assert!(messages <= leads.len() + LIVES.len(), "one more a kill at the most, and there were {messages}");
    })
    .await;
}
