//! What can go wrong with the store, told as what to do next.

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;

/// Every variant is a decision for the caller.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Locked, full, unreachable, shutting down: the same call may succeed later. Whether a commit
    /// that failed this way took hold is unknown.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Another replica works the connection now: stop at once, write nothing more.
    #[error("the lease of `{0}` is lost")]
    LostLease(String),
    /// What is stored is not what was written: a person must look at it.
    #[error("the database holds what it should not: {0}")]
    Corrupt(String),
    /// A newer leadpact has migrated this database: start that one instead.
    #[error(
        "the database has schema version {found}, newer than the {known} that this leadpact knows; start a newer leadpact"
    )]
    TooNew { found: i64, known: i64 },
    /// The URL or the server's settings do not do: start again once they are mended.
    #[error("the store cannot be used as it is set up: {0}")]
    Misconfigured(String),
    /// The statement itself was refused: a mistake of ours, the same again fails again.
    #[error("the database refused a statement: {0}")]
    Refused(String),
}

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::Database(database) => from_database(database.as_ref()),
            E::ColumnDecode { .. } | E::Decode(_) | E::TypeNotFound { .. } | E::ColumnNotFound(_) => {
                StoreError::Corrupt(error.to_string())
            }
            E::Configuration(_) | E::InvalidArgument(_) => StoreError::Misconfigured(error.to_string()),
            E::Encode(_) | E::ColumnIndexOutOfBounds { .. } | E::RowNotFound => StoreError::Refused(error.to_string()),
            _ => StoreError::Unavailable(error.to_string()),
        }
    }
}

/// SQLite tells a number (primary result code in the low byte), PostgreSQL five characters whose
/// first two are the class.
fn from_database(error: &dyn DatabaseError) -> StoreError {
    let text = error.to_string();
    let code = error.code().unwrap_or_default().into_owned();
    let postgres = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some();
    if postgres {
        return match code.get(..2).unwrap_or_default() {
            // Connection, resources, operator intervention, system, serialisation, read-only.
            "08" | "53" | "55" | "57" | "58" | "40" | "25" => StoreError::Unavailable(text),
            "XX" => StoreError::Corrupt(text),
            "28" | "3D" => StoreError::Misconfigured(text),
            _ => StoreError::Refused(text),
        };
    }
    match code.parse::<u32>().unwrap_or(0) & 0xff {
        // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL.
        5 | 6 | 7 | 8 | 9 | 10 | 13 | 14 | 15 => StoreError::Unavailable(text),
        // CORRUPT, NOTADB.
        11 | 26 => StoreError::Corrupt(text),
        _ => StoreError::Refused(text),
    }
}

/// What a failed migration means; `known` is the newest version in this binary.
pub(super) fn from_migration(error: MigrateError, known: i64) -> StoreError {
    match error {
        MigrateError::VersionMissing(found) | MigrateError::VersionNotPresent(found) if found > known => {
            StoreError::TooNew { found, known }
        }
        MigrateError::VersionTooNew(found, _) => StoreError::TooNew { found, known },
        MigrateError::Execute(e) => e.into(),
        MigrateError::ExecuteMigration(e, version) => match e.into() {
            StoreError::Refused(text) => StoreError::Refused(format!("migration {version}: {text}")),
            other => other,
        },
        other => StoreError::Corrupt(other.to_string()),
    }
}
