//! A look at a database: what it is, how far its schema is, whether it keeps what it acknowledged.
//! Nothing is created or brought up to date.

use super::{Db, OpenOptions, Result, StoreError};
use sqlx::migrate::Migrator;
use std::path::{Path, PathBuf};

/// What a database tells about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// `SQLite` or `PostgreSQL`, with its version.
    pub engine: String,
    /// Changes of the schema that the next start would make; all of them where it is empty.
    pub pending: usize,
    pub empty: bool,
    /// The settings that decide whether an acknowledged commit outlives a power cut, as they are.
    pub settings: Vec<(&'static str, String)>,
    /// Those of them that endanger the database.
    pub dangerous: Vec<&'static str>,
    /// Where a SQLite file lies; `None` where the operating system does not tell, and for a server.
    pub disk: Option<Disk>,
}

/// The disk that a database file lies on, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// What is left for whoever runs leadpact.
    pub free: u64,
    /// The file with its write-ahead log.
    pub database: u64,
}

/// Looks at the database of this URL. `None`: it is a SQLite file that does not exist yet.
///
/// # Errors
/// As [`Db::open`]; a server that answers before it has stored is `Misconfigured`.
pub async fn examine(url: &str) -> Result<Option<Examined>> {
    if is_missing_file(url) {
        return Ok(None);
    }
    let db = Db::open(url, &OpenOptions { only_look: true, max_connections: 2, ..OpenOptions::default() }).await?;
    let examined = look(&db).await;
    db.close().await;
    let disk = file(url).and_then(|file| disk(&file));
    examined.map(|examined| Some(Examined { disk, ..examined }))
}

fn file(url: &str) -> Option<PathBuf> {
    let options = url.starts_with("sqlite:").then(|| url.parse::<sqlx::sqlite::SqliteConnectOptions>().ok()).flatten();
    options.map(|options| options.get_filename().to_path_buf())
}

fn is_missing_file(url: &str) -> bool {
    file(url).is_some_and(|file| {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        !file.exists() && folder.is_none_or(Path::is_dir)
    })
}

fn disk(file: &Path) -> Option<Disk> {
    let told = rustix::fs::statvfs(file).ok()?;
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let size = |path: &Path| std::fs::metadata(path).map(|known| known.len()).ok();
    let database = size(file)? + size(Path::new(&log)).unwrap_or_default();
    Some(Disk { free: told.f_bavail.saturating_mul(told.f_frsize), database })
}

async fn look(db: &Db) -> Result<Examined> {
    let known: Migrator = sqlx::migrate!("./migrations");
    let known: Vec<i64> = known.iter().map(|m| m.version).collect();
    let applied = applied(db).await?;
    if let Some(found) = applied.iter().max().filter(|found| known.iter().max() < Some(found)) {
        return Err(StoreError::TooNew { found: *found, known: known.into_iter().max().unwrap_or_default() });
    }
    let (engine, settings) = match db {
        Db::Sqlite(sqlite) => (version(sqlite).await?, sqlite_settings(sqlite).await?),
        Db::Postgres(pool) => postgres(pool).await?,
    };
    let dangerous = settings.iter().filter(|(name, value)| *name != "synchronous_commit" && value == "off");
    Ok(Examined {
        engine,
        pending: known.iter().filter(|version| !applied.contains(version)).count(),
        empty: applied.is_empty(),
        disk: None,
        dangerous: dangerous.map(|(name, _)| *name).collect(),
        settings,
    })
}

/// The versions that were applied; none where there is no table of them.
async fn applied(db: &Db) -> Result<Vec<i64>> {
    let rows: std::result::Result<Vec<(i64,)>, _> =
        on_db!(db, |c| sqlx::query_as("SELECT version FROM _sqlx_migrations WHERE success").fetch_all(c).await);
    match rows {
        Ok(rows) => Ok(rows.into_iter().map(|(version,)| version).collect()),
        Err(error) if error.as_database_error().is_some_and(|e| e.message().contains("_sqlx_migrations")) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error.into()),
    }
}

async fn version(sqlite: &super::sqlite::Sqlite) -> Result<String> {
    let (version,): (String,) = sqlx::query_as("SELECT sqlite_version()").fetch_one(sqlite.readers()).await?;
    Ok(format!("SQLite {version}"))
}

/// Opening refuses every other setting, so these are read to be shown.
async fn sqlite_settings(sqlite: &super::sqlite::Sqlite) -> Result<Vec<(&'static str, String)>> {
    let (journal,): (String,) = sqlx::query_as("PRAGMA journal_mode").fetch_one(sqlite.writer()).await?;
    let (synchronous,): (i64,) = sqlx::query_as("PRAGMA synchronous").fetch_one(sqlite.writer()).await?;
    let synchronous = if synchronous == 2 { "FULL".to_owned() } else { synchronous.to_string() };
    Ok(vec![("journal_mode", journal), ("synchronous", synchronous)])
}

async fn postgres(pool: &sqlx::PgPool) -> Result<(String, Vec<(&'static str, String)>)> {
    let (version, commit, fsync, pages): (String, String, String, String) = sqlx::query_as(
        "SELECT current_setting('server_version'), current_setting('synchronous_commit'), current_setting('fsync'), \
         current_setting('full_page_writes')",
    )
    .fetch_one(pool)
    .await?;
    let settings = vec![("synchronous_commit", commit), ("fsync", fsync), ("full_page_writes", pages)];
    Ok((format!("PostgreSQL {version}"), settings))
}
