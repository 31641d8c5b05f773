//! SQLite: settings that keep every acknowledged commit, one writer with a queue in which ingest
//! goes first, and readers beside it.

use super::{OpenOptions, Priority, Result, StoreError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqliteConnection, SqlitePool, Transaction};
use std::str::FromStr;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Prepared statements to keep: every text times the few batch lengths.
const STATEMENTS: usize = 512;

/// One writer and several readers of one file.
pub struct Sqlite {
    writer: SqlitePool,
    readers: SqlitePool,
    /// Held while writing; first come, first served.
    turn: Arc<Mutex<()>>,
    /// All but ingest queue here first, so that only one of them ever stands before ingest.
    line: Arc<Mutex<()>>,
}

/// A write transaction with its place in the queue. Fields drop in this order: the transaction ends
/// before the turn goes on, and the turn goes to a waiting ingest before the line moves.
pub struct SqliteTx {
    transaction: Transaction<'static, sqlx::Sqlite>,
    turn: OwnedMutexGuard<()>,
    line: Option<OwnedMutexGuard<()>>,
}

/// Opens the file and reads back what it was told.
pub(super) async fn open(url: &str, options: &OpenOptions) -> Result<Sqlite> {
    let connect = connect_options(url, options)?;
    let pool = || SqlitePoolOptions::new().acquire_timeout(options.patience).test_before_acquire(false);
    let writer = pool()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(connect.clone())
        .await
        .map_err(|e| cannot_open(&connect, e))?;
    check_settings(&writer, options).await?;
    let readers =
        pool().max_connections(options.max_connections.max(1)).connect_lazy_with(connect.pragma("query_only", "ON"));
    Ok(Sqlite { writer, readers, turn: Arc::default(), line: Arc::default() })
}

fn connect_options(url: &str, options: &OpenOptions) -> Result<SqliteConnectOptions> {
    let connect = SqliteConnectOptions::from_str(url).map_err(|e| StoreError::Misconfigured(e.to_string()))?;
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(StoreError::Misconfigured("a database in memory would forget what was acknowledged".into()));
    }
    let file = connect.get_filename();
    if let Some(folder) = file.parent().filter(|f| !f.as_os_str().is_empty() && !f.is_dir()) {
        let text = format!("the folder {} of the database does not exist", folder.display());
        return Err(StoreError::Misconfigured(text));
    }
    Ok(connect
        .create_if_missing(!options.only_look)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(options.patience)
        .statement_cache_capacity(STATEMENTS))
}

fn cannot_open(connect: &SqliteConnectOptions, error: sqlx::Error) -> StoreError {
    let file = connect.get_filename().display().to_string();
    match error.into() {
        StoreError::Unavailable(text) => StoreError::Unavailable(format!("{file}: {text}")),
        StoreError::Corrupt(text) => StoreError::Corrupt(format!("{file}: {text}")),
        other => other,
    }
}

/// WAL with `synchronous=FULL` keeps an acknowledged commit through a power cut; `NORMAL` may lose
/// it. Some file systems refuse WAL without an error, hence the second look.
async fn check_settings(writer: &SqlitePool, options: &OpenOptions) -> Result<()> {
    let (journal,): (String,) = sqlx::query_as("PRAGMA journal_mode").fetch_one(writer).await?;
    let (synchronous,): (i64,) = sqlx::query_as("PRAGMA synchronous").fetch_one(writer).await?;
    let (busy,): (i64,) = sqlx::query_as("PRAGMA busy_timeout").fetch_one(writer).await?;
    refuse_mismatch(&journal, synchronous, busy, options)
}

fn refuse_mismatch(journal: &str, synchronous: i64, busy: i64, options: &OpenOptions) -> Result<()> {
    const FULL: i64 = 2;
    let wanted = i64::try_from(options.patience.as_millis()).unwrap_or(i64::MAX);
    let wrong = match () {
        _ if !journal.eq_ignore_ascii_case("wal") => format!("journal_mode is `{journal}`, not `wal`"),
        _ if synchronous != FULL => format!("synchronous is {synchronous}, not {FULL} (FULL)"),
        _ if busy != wanted => format!("busy_timeout is {busy} ms, not {wanted}"),
        _ => return Ok(()),
    };
    Err(StoreError::Misconfigured(format!("SQLite did not keep a setting: {wrong}")))
}

impl Sqlite {
    /// Connections that only read.
    pub fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// The one connection that writes, past the queue: for migrations, and for whoever watches what it does.
    pub fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    pub(super) async fn begin(&self, priority: Priority) -> Result<SqliteTx> {
        let line = match priority {
            Priority::Ingest => None,
            Priority::Work => Some(self.line.clone().lock_owned().await),
        };
        let turn = self.turn.clone().lock_owned().await;
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(SqliteTx { transaction, turn, line })
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl SqliteTx {
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    pub(super) async fn commit(self) -> Result<()> {
        let SqliteTx { transaction, turn, line } = self;
        let done = transaction.commit().await;
        drop(turn);
        drop(line);
        Ok(done?)
    }

    pub(super) async fn rollback(self) -> Result<()> {
        let SqliteTx { transaction, turn, line } = self;
        let done = transaction.rollback().await;
        drop(turn);
        drop(line);
        Ok(done?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_may_lose_a_commit_are_refused() {
        let options = OpenOptions::default();
        assert!(refuse_mismatch("wal", 2, 5000, &options).is_ok());
        for (journal, synchronous, busy) in [("delete", 2, 5000), ("wal", 1, 5000), ("wal", 2, 0)] {
            let refused = refuse_mismatch(journal, synchronous, busy, &options);
            assert!(matches!(refused, Err(StoreError::Misconfigured(_))), "{journal} {synchronous} {busy}");
        }
    }
}
