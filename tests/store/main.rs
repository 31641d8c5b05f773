//! One suite for the store, run on SQLite and on PostgreSQL. Each test is a promise, named as a
//! sentence; `promise!` makes two tests of it.

#[path = "../support/postgres.rs"]
mod postgres;

use leadpact::record::{ConnectionName, Object, RecordId, RecordKey, Timestamp};
use leadpact::store::{Db, OpenOptions, Priority, Tx};
use sqlx::{AssertSqlSafe, Connection};

/// A fresh database, and where it is.
pub struct Store {
    pub db: Db,
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

/// Runs the body on a fresh database of each engine.
macro_rules! promise {
    ($name:ident, |$store:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn keep($store: crate::Store) $body

            #[tokio::test]
            async fn on_sqlite() {
                keep(crate::Store::sqlite().await).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                if let Some(store) = crate::Store::postgres().await {
                    keep(store).await;
                }
            }
        }
    };
}

mod answers;
mod costs;
mod credentials;
mod inbox;
mod interlocks;
mod journal;
mod lease;
mod lists;
mod meet;
mod open;
mod outbox;
mod people;
mod records;
mod signing;
mod small_tables;

impl Store {
    pub async fn sqlite() -> Store {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        Store { db: open(&url).await, url, _folder: Some(folder) }
    }

    pub async fn postgres() -> Option<Store> {
        let url = postgres::fresh_database().await?;
        Some(Store { db: open(&url).await, url, _folder: None })
    }

    /// A transaction that waits in turn.
    pub async fn begin(&self) -> Tx {
        self.db.begin(Priority::Work).await.unwrap()
    }

    /// What somebody does who does not go through the store.
    pub async fn meddle(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.db {
            Db::Sqlite(_) => {
                let mut hand = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
                sqlx::query(sql).execute(&mut hand).await.unwrap();
            }
            Db::Postgres(_) => {
                let mut hand = sqlx::PgConnection::connect(&self.url).await.unwrap();
                sqlx::query(sql).execute(&mut hand).await.unwrap();
            }
        }
    }
}

async fn open(url: &str) -> Db {
    Db::open(url, &OpenOptions { max_connections: 4, ..OpenOptions::default() }).await.unwrap()
}

pub fn acme() -> ConnectionName {
    ConnectionName::new("acme")
}

pub fn other() -> ConnectionName {
    ConnectionName::new("other")
}

pub fn lead(id: &str) -> RecordKey {
    RecordKey { connection: acme(), object: Object::Lead, id: RecordId::new(id) }
}

pub fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}
