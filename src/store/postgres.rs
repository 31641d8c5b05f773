//! PostgreSQL: the pool, and a look at the server's durability settings.

use super::{OpenOptions, Result, StoreError};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::str::FromStr;

/// Prepared statements to keep: every text times the few batch lengths.
const STATEMENTS: usize = 512;

pub(super) async fn open(url: &str, options: &OpenOptions) -> Result<PgPool> {
    let connect = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::Misconfigured("the PostgreSQL URL cannot be read".into()))?
        .application_name("leadpact")
        .statement_cache_capacity(STATEMENTS);
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections.max(2))
        .acquire_timeout(options.patience)
        .connect_with(connect)
        .await?;
    check_settings(&pool).await?;
    Ok(pool)
}

async fn check_settings(pool: &PgPool) -> Result<()> {
    let (commit, fsync, pages): (String, String, String) = sqlx::query_as(
        "SELECT current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes')",
    )
    .fetch_one(pool)
    .await?;
    if fsync == "off" || pages == "off" {
        tracing::warn!(fsync, full_page_writes = pages, "a power cut may destroy this PostgreSQL database");
    }
    refuse_early_answers(&commit)
}

/// With `off` the server says "committed" before it is.
fn refuse_early_answers(synchronous_commit: &str) -> Result<()> {
    if synchronous_commit != "off" {
        return Ok(());
    }
    Err(StoreError::Misconfigured(
        "synchronous_commit is off, so a crash loses acknowledged webhooks: \
         ALTER ROLE … SET synchronous_commit = on"
            .into(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_answers_before_it_has_stored_is_refused() {
        assert!(refuse_early_answers("off").is_err());
        for waits in ["on", "local", "remote_write", "remote_apply"] {
            assert!(refuse_early_answers(waits).is_ok(), "{waits}");
        }
    }
}
