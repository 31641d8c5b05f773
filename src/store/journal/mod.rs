//! The append-only list of facts, one hash chain a connection. A chain alone does not show a cut
//! tail or a full rewrite: keep [`head`] outside as well. Walking along the chain is in `verify`.
//!
//! hash = SHA-256(previous hash + own columns as JSON + digest), digest = SHA-256(salt + detail);
//! all as lower-case hex. The values seen are in the chain only through the digest, so a privacy
//! deletion takes detail and salt away and the chain still holds.

mod list;
mod verify;

pub use list::{Page, Sought, list, seq_at};
pub use verify::{Fault, Verified, verify, walk};

use super::batch::{slices, values};
use super::{Db, Result, StoreError, Tx, clean, count, from_json, object, to_json};
use crate::record::{ConnectionName, Fact, FactKind, OwnerId, PartyName, RecordId, RecordKey, StageName, Timestamp};
use sha2::{Digest, Sha256};
use sqlx::AssertSqlSafe;
use std::fmt;
use std::str::FromStr;

/// A fact, with when it was seen and under which agreement.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEntry {
    /// `None` for what concerns the agreement or the connection as a whole: a signature, a setting.
    pub record: Option<RecordKey>,
    pub fact: Fact,
    pub seen_at: Timestamp,
    /// The hash of the agreement that judged.
    pub agreement: String,
}

/// An entry in its place in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalRow {
    /// From 1, without gaps, in each connection.
    pub seq: i64,
    pub entry: JournalEntry,
    /// The values seen were deleted; `entry.fact.detail` is empty.
    pub erased: bool,
    pub hash: String,
}

/// The last link of a connection's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub seq: i64,
    pub hash: String,
}

impl fmt::Display for Head {
    /// `SEQ:HASH`, as it is noted elsewhere and read back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl FromStr for Head {
    type Err = String;

    /// Reads `SEQ:HASH`; the error is a sentence for whoever noted it.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let how = || format!("`{text}` is no head of a journal: write it as it was noted, `SEQ:HASH`");
        let (seq, hash) = text.trim().split_once(':').ok_or_else(how)?;
        let seq: i64 = seq.parse().ok().filter(|seq| *seq > 0).ok_or_else(how)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hash { Ok(Self { seq, hash: hash.to_ascii_lowercase() }) } else { Err(how()) }
    }
}

/// A row as the table has it.
#[derive(sqlx::FromRow)]
struct Link {
    seq: i64,
    fact_key: String,
    kind: String,
    at: i64,
    seen_at: i64,
    object: String,
    id: String,
    pass: i64,
    source: String,
    run: i64,
    item: String,
    party: Option<String>,
    owner: Option<String>,
    stage: Option<String>,
    actor: String,
    agreement: String,
    detail: Option<String>,
    salt: Option<String>,
    digest: String,
    hash: String,
}

const SELECT: &str = "SELECT seq, fact_key, kind, at, seen_at, object, id, pass, source, run, item, party, owner, \
     stage, actor, agreement, detail, salt, digest, hash FROM journal";

fn sha256(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
    }
    hex::encode(hasher.finalize())
}

impl Link {
    fn new(entry: &JournalEntry, seq: i64) -> Result<Self> {
        let fact = &entry.fact;
        let detail = to_json(&fact.detail)?;
        let salt = hex::encode(rand::random::<[u8; 16]>());
        Ok(Link {
            seq,
            fact_key: clean(&fact.key()).into_owned(),
            kind: fact.kind.as_str().to_owned(),
            at: fact.at.as_millis(),
            seen_at: entry.seen_at.as_millis(),
            object: entry.record.as_ref().map_or("", |key| key.object.as_str()).to_owned(),
            id: entry.record.as_ref().map_or("", |key| key.id.as_str()).to_owned(),
            pass: fact.pass.into(),
            source: clean(&fact.source).into_owned(),
            run: fact.run.into(),
            item: clean(&fact.item).into_owned(),
            party: fact.party.as_ref().map(|party| party.as_str().to_owned()),
            owner: fact.owner.as_ref().map(|owner| clean(owner.as_str()).into_owned()),
            stage: fact.stage.as_ref().map(|stage| stage.as_str().to_owned()),
            actor: to_json(&fact.by)?,
            agreement: entry.agreement.clone(),
            digest: sha256(&[&salt, &detail]),
            detail: Some(detail),
            salt: Some(salt),
            hash: String::new(),
        })
    }

    /// JSON marks where each column ends, so that no text can be moved from one to the next.
    fn chained(&self, connection: &ConnectionName, previous: &str) -> Result<String> {
        let Link { seq, fact_key, kind, at, seen_at, object, id, pass, .. } = self;
        let Link { source, run, item, party, owner, stage, actor, agreement, digest, .. } = self;
        let what = (connection, seq, fact_key, kind, at, seen_at, object, id);
        let canonical = to_json(&(what, (pass, source, run, item, party, owner, stage, actor, agreement)))?;
        Ok(sha256(&[previous, &canonical, digest]))
    }

    /// Whether detail and salt are those that were written, or both erased.
    fn detail_holds(&self) -> bool {
        match (&self.salt, &self.detail) {
            (Some(salt), Some(detail)) => sha256(&[salt, detail]) == self.digest,
            (None, None) => true,
            _ => false,
        }
    }

    fn into_row(self, connection: &ConnectionName) -> Result<JournalRow> {
        let kind = FactKind::parse(&self.kind)
            .ok_or_else(|| StoreError::Corrupt(format!("`{}` is no kind of fact", self.kind)))?;
        let record = match self.object.as_str() {
            "" => None,
            name => {
                Some(RecordKey { connection: connection.clone(), object: object(name)?, id: RecordId::new(self.id) })
            }
        };
        let fact = Fact {
            kind,
            at: Timestamp::from_millis(self.at),
            pass: count(self.pass)?,
            source: self.source.into(),
            run: count(self.run)?,
            item: self.item.into(),
            party: self.party.map(PartyName::new),
            owner: self.owner.map(OwnerId::new),
            stage: self.stage.map(StageName::new),
            by: from_json(&self.actor)?,
            detail: self.detail.as_deref().map(from_json).transpose()?.unwrap_or_default(),
        };
        let seen_at = Timestamp::from_millis(self.seen_at);
        let entry = JournalEntry { record, fact, seen_at, agreement: self.agreement };
        Ok(JournalRow { seq: self.seq, entry, erased: self.detail.is_none(), hash: self.hash })
    }
}

/// Adds these facts to the connection's chain, in order. The head stays locked until the
/// transaction ends, so two writers make one chain.
///
/// # Errors
/// `Unavailable`; `Refused` for an entry of another connection.
pub async fn append(tx: &mut Tx, connection: &ConnectionName, entries: &[JournalEntry]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    if let Some(stray) =
        entries.iter().filter_map(|entry| entry.record.as_ref()).find(|key| key.connection != *connection)
    {
        return Err(StoreError::Refused(format!("{stray} is not of `{connection}`")));
    }
    let mut head = lock_head(tx, connection).await?;
    let mut links = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut link = Link::new(entry, head.seq + 1)?;
        link.hash = link.chained(connection, &head.hash)?;
        head = Head { seq: link.seq, hash: link.hash.clone() };
        links.push(link);
    }
    insert(tx, connection, &links).await?;
    move_head(tx, connection, &head).await
}

async fn lock_head(tx: &mut Tx, connection: &ConnectionName) -> Result<Head> {
    const SQL: &str = "INSERT INTO journal_head (connection, seq, hash) VALUES ($1, 0, '') \
         ON CONFLICT (connection) DO UPDATE SET seq = journal_head.seq RETURNING seq, hash";
    let (seq, hash): (i64, String) = on_tx!(tx, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_one(c).await)?;
    Ok(Head { seq, hash })
}

async fn move_head(tx: &mut Tx, connection: &ConnectionName, head: &Head) -> Result<()> {
    const SQL: &str = "UPDATE journal_head SET seq = $2, hash = $3 WHERE connection = $1";
    on_tx!(tx, |c| {
        sqlx::query(SQL).bind(connection.as_str()).bind(head.seq).bind(&head.hash).execute(c).await.map(|_| ())
    })?;
    Ok(())
}

async fn insert(tx: &mut Tx, connection: &ConnectionName, links: &[Link]) -> Result<()> {
    const COLUMNS: usize = 21;
    for slice in slices(links, COLUMNS) {
        let sql = format!(
            "INSERT INTO journal (connection, seq, fact_key, kind, at, seen_at, object, id, pass, source, run, \
             item, party, owner, stage, actor, agreement, detail, salt, digest, hash) VALUES {}",
            values(0, slice.len(), COLUMNS)
        );
        on_tx!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for link in slice {
                query = query.bind(connection.as_str()).bind(link.seq).bind(&link.fact_key).bind(&link.kind);
                query = query.bind(link.at).bind(link.seen_at).bind(&link.object).bind(&link.id);
                query = query.bind(link.pass).bind(&link.source).bind(link.run).bind(&link.item);
                query = query.bind(&link.party).bind(&link.owner).bind(&link.stage).bind(&link.actor);
                query = query.bind(&link.agreement).bind(&link.detail).bind(&link.salt);
                query = query.bind(&link.digest).bind(&link.hash);
            }
            query.execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

/// A record's story, in the order in which it was written.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn of_record(db: &Db, key: &RecordKey) -> Result<Vec<JournalRow>> {
    let sql = format!("{SELECT} WHERE connection = $1 AND object = $2 AND id = $3 ORDER BY seq");
    let links: Vec<Link> = on_db!(db, |c| {
        sqlx::query_as(AssertSqlSafe(sql))
            .bind(key.connection.as_str())
            .bind(key.object.as_str())
            .bind(key.id.as_str())
            .fetch_all(c)
            .await
    })?;
    links.into_iter().map(|link| link.into_row(&key.connection)).collect()
}

/// The records that moved from `since` on and before `until`.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn moved(db: &Db, connection: &ConnectionName, since: Timestamp, until: Timestamp) -> Result<Vec<RecordKey>> {
    const SQL: &str = "SELECT DISTINCT object, id FROM journal WHERE connection = $1 AND at >= $2 AND at < $3 \
         AND kind IN ('recycled', 'reassigned', 'nurtured') ORDER BY object, id";
    let rows: Vec<(String, String)> = on_db!(db, |c| {
        sqlx::query_as(SQL).bind(connection.as_str()).bind(since.as_millis()).bind(until.as_millis()).fetch_all(c).await
    })?;
    let key = |(kind, id): (String, String)| {
        Ok(RecordKey { connection: connection.clone(), object: object(&kind)?, id: RecordId::new(id) })
    };
    rows.into_iter().map(key).collect()
}

/// The facts of a record so far, read within the transaction.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn facts(tx: &mut Tx, key: &RecordKey) -> Result<Vec<Fact>> {
    let sql = format!("{SELECT} WHERE connection = $1 AND object = $2 AND id = $3 ORDER BY seq");
    let links: Vec<Link> = on_tx!(tx, |c| {
        sqlx::query_as(AssertSqlSafe(sql))
            .bind(key.connection.as_str())
            .bind(key.object.as_str())
            .bind(key.id.as_str())
            .fetch_all(c)
            .await
    })?;
    links.into_iter().map(|link| Ok(link.into_row(&key.connection)?.entry.fact)).collect()
}

/// The entries after `after_seq` (0: from the start), in order.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn recent(db: &Db, connection: &ConnectionName, after_seq: i64, limit: u32) -> Result<Vec<JournalRow>> {
    let links = links_after(db, connection, after_seq, limit).await?;
    links.into_iter().map(|link| link.into_row(connection)).collect()
}

async fn links_after(db: &Db, connection: &ConnectionName, after_seq: i64, limit: u32) -> Result<Vec<Link>> {
    let sql = format!("{SELECT} WHERE connection = $1 AND seq > $2 ORDER BY seq LIMIT $3");
    let links = on_db!(db, |c| {
        sqlx::query_as(AssertSqlSafe(sql))
            .bind(connection.as_str())
            .bind(after_seq)
            .bind(i64::from(limit))
            .fetch_all(c)
            .await
    })?;
    Ok(links)
}

/// The last link; `None` before the first entry.
///
/// # Errors
/// `Unavailable`.
pub async fn head(db: &Db, connection: &ConnectionName) -> Result<Option<Head>> {
    const SQL: &str = "SELECT seq, hash FROM journal_head WHERE connection = $1";
    let row: Option<(i64, String)> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(connection.as_str()).fetch_optional(c).await)?;
    Ok(row.map(|(seq, hash)| Head { seq, hash }))
}

/// Deletes the values seen of one record, and their salts: a privacy deletion. Answers of how many
/// entries.
///
/// # Errors
/// `Unavailable`.
pub async fn erase(tx: &mut Tx, key: &RecordKey) -> Result<u64> {
    const SQL: &str = "UPDATE journal SET detail = NULL, salt = NULL \
         WHERE connection = $1 AND object = $2 AND id = $3 AND detail IS NOT NULL";
    let erased = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(key.connection.as_str())
            .bind(key.object.as_str())
            .bind(key.id.as_str())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(erased)
}
