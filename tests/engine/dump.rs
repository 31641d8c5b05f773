//! Everything that a database holds, as text: for tests of what it must not hold.

use leadpact::notify::Rendered;
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

/// Every column of every row of every table.
pub async fn all(url: &str) -> String {
    if url.starts_with("sqlite") { sqlite(url).await } else { postgres(url).await }
}

async fn sqlite(url: &str) -> String {
    let pool = SqlitePool::connect(url).await.unwrap();
    let tables: Vec<(String,)> =
        sqlx::query_as("SELECT name FROM sqlite_master WHERE type = 'table'").fetch_all(&pool).await.unwrap();
    let mut dump = String::new();
    for (table,) in tables {
        let sql = format!("SELECT name FROM pragma_table_info('{table}')");
        let columns: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&pool).await.unwrap();
        let columns: Vec<String> = columns.into_iter().map(|(name,)| format!("quote(\"{name}\")")).collect();
        let sql = format!("SELECT {} FROM \"{table}\"", columns.join(" || '|' || "));
        add(&mut dump, &table, sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&pool).await.unwrap());
    }
    pool.close().await;
    dump
}

async fn postgres(url: &str) -> String {
    let pool = PgPool::connect(url).await.unwrap();
    let sql = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()";
    let tables: Vec<(String,)> = sqlx::query_as(sql).fetch_all(&pool).await.unwrap();
    let mut dump = String::new();
    for (table,) in tables {
        let sql = format!("SELECT t::text FROM \"{table}\" AS t");
        add(&mut dump, &table, sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&pool).await.unwrap());
    }
    pool.close().await;
    dump
}

fn add(dump: &mut String, table: &str, rows: Vec<(String,)>) {
    for (row,) in rows {
        dump.push_str(&format!("{table}: {row}\n"));
    }
}

/// A message that says nothing.
pub fn rendered() -> Rendered {
    let nothing = String::new;
    Rendered { key: nothing(), subject: nothing(), text: nothing(), html: nothing(), blocks: serde_json::Value::Null }
}
