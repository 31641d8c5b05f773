//! The database handle, its transactions, and the macros that run one SQL text on either engine.
//! How each engine is opened and set up is in `sqlite.rs` and `postgres.rs`.

use super::error::from_migration;
use super::{Result, StoreError, postgres, sqlite};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use std::sync::Arc;
use std::time::Duration;

/// The database: clones share it.
#[derive(Clone)]
pub enum Db {
    Sqlite(Arc<sqlite::Sqlite>),
    Postgres(PgPool),
}

/// A write transaction. Dropped without [`Tx::commit`], it is rolled back.
pub enum Tx {
    Sqlite(sqlite::SqliteTx),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

/// Who waits for SQLite's one writer. PostgreSQL has no such queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Goes next, after at most the one transaction that is running.
    Ingest,
    /// In turn, after ingest.
    Work,
}

#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Readers on SQLite, all connections on PostgreSQL.
    pub max_connections: u32,
    /// Guard migrations by a session lock. Off behind a pooler that breaks session locks; then only
    /// one replica may start first.
    pub migration_lock: bool,
    /// How long to wait for a connection, and on SQLite for another process that writes.
    pub patience: Duration,
    /// Neither create a missing file nor bring the schema up to date: for commands that change nothing.
    pub only_look: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { max_connections: 8, migration_lock: true, patience: Duration::from_secs(5), only_look: false }
    }
}

/// Runs the body on a pool of either engine: `on_db!(db, |c| query(..).fetch_all(c).await)`. On
/// SQLite these connections only read.
macro_rules! on_db {
    ($db:expr, |$c:ident| $body:expr) => {
        match $db {
            $crate::store::Db::Sqlite(sqlite) => {
                let $c = sqlite.readers();
                $body
            }
            $crate::store::Db::Postgres(pool) => {
                let $c = pool;
                $body
            }
        }
    };
}

/// Runs the body on a transaction's connection of either engine; the body may use `c` once.
macro_rules! on_tx {
    ($tx:expr, |$c:ident| $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(tx) => {
                let $c = tx.connection();
                $body
            }
            $crate::store::Tx::Postgres(tx) => {
                let $c = &mut **tx;
                $body
            }
        }
    };
}

impl Db {
    /// Opens the database of `sqlite://path` (created when missing) or `postgres://…`, checks its
    /// durability settings and brings its schema up to date.
    ///
    /// # Errors
    /// `Misconfigured` for a bad URL, a missing folder or settings that may lose commits; `TooNew`
    /// for a database of a newer version; `Unavailable` when it cannot be reached.
    pub async fn open(url: &str, options: &OpenOptions) -> Result<Db> {
        let scheme = url.split(':').next().unwrap_or_default();
        let db = match scheme {
            "sqlite" => Db::Sqlite(Arc::new(sqlite::open(url, options).await?)),
            "postgres" | "postgresql" => Db::Postgres(postgres::open(url, options).await?),
            _ => {
                return Err(StoreError::Misconfigured("the URL begins with neither sqlite:// nor postgres://".into()));
            }
        };
        if !options.only_look {
            db.migrate(options).await?;
        }
        Ok(db)
    }

    async fn migrate(&self, options: &OpenOptions) -> Result<()> {
        let mut migrator: Migrator = sqlx::migrate!("./migrations");
        migrator.set_locking(options.migration_lock);
        let known = migrator.iter().map(|m| m.version).max().unwrap_or_default();
        let done = match self {
            Db::Sqlite(sqlite) => migrator.run(sqlite.writer()).await,
            Db::Postgres(pool) => migrator.run(pool).await,
        };
        done.map_err(|e| from_migration(e, known))
    }

    /// Begins a write transaction: immediate on SQLite, read committed on PostgreSQL. Waiting for it
    /// may be cancelled, which leaves the queue in order.
    ///
    /// # Errors
    /// `Unavailable` when there is no connection in time or another process holds SQLite's lock.
    pub async fn begin(&self, priority: Priority) -> Result<Tx> {
        match self {
            Db::Sqlite(sqlite) => Ok(Tx::Sqlite(sqlite.begin(priority).await?)),
            Db::Postgres(pool) => Ok(Tx::Postgres(pool.begin().await?)),
        }
    }

    /// Whether the database answers.
    pub async fn is_healthy(&self) -> bool {
        on_db!(self, |c| sqlx::query("SELECT 1").execute(c).await.is_ok())
    }

    /// Lets go of all connections, once those in use are given back.
    pub async fn close(&self) {
        match self {
            Db::Sqlite(sqlite) => sqlite.close().await,
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Makes everything in it durable: when this returns `Ok` it survives a power cut.
    ///
    /// # Errors
    /// `Unavailable`: it is unknown whether the commit took hold.
    pub async fn commit(self) -> Result<()> {
        match self {
            Tx::Sqlite(tx) => tx.commit().await,
            Tx::Postgres(tx) => Ok(tx.commit().await?),
        }
    }

    /// Undoes everything in it.
    ///
    /// # Errors
    /// `Unavailable` when the connection broke; it is undone all the same.
    pub async fn rollback(self) -> Result<()> {
        match self {
            Tx::Sqlite(tx) => tx.rollback().await,
            Tx::Postgres(tx) => Ok(tx.rollback().await?),
        }
    }
}
