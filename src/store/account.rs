//! Accounts of people who sign in, and the links that do so once. Passwords come here hashed.

use super::role::Role;
use super::secret::Secret;
use super::{Db, Result, StoreError, Tx, clean};
use crate::record::{PartyName, Timestamp};

/// For whom somebody signs agreements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignsFor {
    pub party: PartyName,
    pub title: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    /// As [`login`] makes it: lower case, without space around it.
    pub login: String,
    /// What people call them; stands in the journal.
    pub name: String,
    pub role: Role,
    pub signs_for: Option<SignsFor>,
    /// Argon2id as a PHC string; `None` until it is set by a link.
    pub password: Option<String>,
    pub disabled: bool,
    pub created_at: Timestamp,
    pub created_by: String,
}

/// A login as it is stored and compared.
pub fn login(text: &str) -> String {
    clean(text.trim()).to_lowercase()
}

type Row = (String, String, String, String, Option<String>, Option<String>, Option<String>, bool, i64, String);

const COLUMNS: &str = "id, login, name, role, party, title, password, disabled, created_at, created_by";

/// The role that a row names.
pub(super) fn role(text: &str) -> Result<Role> {
    Role::parse(text).ok_or_else(|| StoreError::Corrupt(format!("`{text}` is no role")))
}

pub(super) fn signs_for(party: Option<String>, title: Option<String>) -> Option<SignsFor> {
    party.map(|party| SignsFor { party: PartyName::new(party), title: title.unwrap_or_default() })
}

fn read((id, login, name, said, party, title, password, disabled, created_at, created_by): Row) -> Result<Account> {
    let created_at = Timestamp::from_millis(created_at);
    let (role, signs_for) = (role(&said)?, signs_for(party, title));
    Ok(Account { id, login, name, role, signs_for, password, disabled, created_at, created_by })
}

/// Adds an account. `false`: its login is taken.
///
/// # Errors
/// `Unavailable`.
pub async fn add(tx: &mut Tx, account: &Account) -> Result<bool> {
    const SQL: &str = "INSERT INTO account (id, login, name, role, party, title, password, disabled, created_at, \
         created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (login) DO NOTHING";
    let added = on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(&account.id)
            .bind(&account.login)
            .bind(clean(&account.name))
            .bind(account.role.as_str())
            .bind(account.signs_for.as_ref().map(|s| s.party.as_str()))
            .bind(account.signs_for.as_ref().map(|s| clean(&s.title)))
            .bind(&account.password)
            .bind(account.disabled)
            .bind(account.created_at.as_millis())
            .bind(clean(&account.created_by))
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(added == 1)
}

/// The account of a login, disabled ones too.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn find(db: &Db, login: &str) -> Result<Option<Account>> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM account WHERE login = $1"));
    let row: Option<Row> = on_db!(db, |c| sqlx::query_as(sql).bind(self::login(login)).fetch_optional(c).await)?;
    row.map(read).transpose()
}

/// The account of this id, disabled ones too.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn by_id(db: &Db, id: &str) -> Result<Option<Account>> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM account WHERE id = $1"));
    let row: Option<Row> = on_db!(db, |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    row.map(read).transpose()
}

/// All accounts, by login.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn all(db: &Db) -> Result<Vec<Account>> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM account ORDER BY login"));
    let rows: Vec<Row> = on_db!(db, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    rows.into_iter().map(read).collect()
}

/// Gives an account another role.
///
/// # Errors
/// `Unavailable`.
pub async fn set_role(tx: &mut Tx, id: &str, role: Role, signs_for: Option<&SignsFor>) -> Result<()> {
    const SQL: &str = "UPDATE account SET role = $2, party = $3, title = $4 WHERE id = $1";
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(id)
            .bind(role.as_str())
            .bind(signs_for.map(|s| s.party.as_str()))
            .bind(signs_for.map(|s| clean(&s.title)))
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

/// Sets or takes away a password, and ends what the old one opened: sessions and links.
///
/// # Errors
/// `Unavailable`.
pub async fn set_password(tx: &mut Tx, id: &str, hash: Option<&str>) -> Result<()> {
    const SQL: &str = "UPDATE account SET password = $2 WHERE id = $1";
    on_tx!(tx, |c| sqlx::query(SQL).bind(id).bind(hash).execute(c).await.map(|_| ()))?;
    end(tx, id).await
}

/// Lets an account in no more, or again; its sessions and links end.
///
/// # Errors
/// `Unavailable`.
pub async fn set_disabled(tx: &mut Tx, id: &str, disabled: bool) -> Result<()> {
    const SQL: &str = "UPDATE account SET disabled = $2 WHERE id = $1";
    on_tx!(tx, |c| sqlx::query(SQL).bind(id).bind(disabled).execute(c).await.map(|_| ()))?;
    end(tx, id).await
}

async fn end(tx: &mut Tx, id: &str) -> Result<()> {
    const LINKS: &str = "DELETE FROM one_time_link WHERE account = $1";
    super::session::end_all(tx, id).await?;
    on_tx!(tx, |c| sqlx::query(LINKS).bind(id).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    SignIn,
    SetPassword,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Purpose::SignIn => "sign_in",
            Purpose::SetPassword => "password",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let known = [Purpose::SignIn, Purpose::SetPassword].into_iter().find(|purpose| purpose.as_str() == text);
        known.ok_or_else(|| StoreError::Corrupt(format!("`{text}` is no purpose of a link")))
    }
}

/// Keeps a link that works once, until then.
///
/// # Errors
/// `Unavailable`.
pub async fn add_link(tx: &mut Tx, secret: &Secret, id: &str, purpose: Purpose, until: Timestamp) -> Result<()> {
    const SQL: &str = "INSERT INTO one_time_link (token, account, purpose, expires_at) VALUES ($1, $2, $3, $4)";
    on_tx!(tx, |c| {
        sqlx::query(SQL)
            .bind(secret.hash())
            .bind(id)
            .bind(purpose.as_str())
            .bind(until.as_millis())
            .execute(c)
            .await
            .map(|_| ())
    })?;
    Ok(())
}

/// Whose link this is and what for, if it still works; it is not used up by looking.
///
/// # Errors
/// `Unavailable`, `Corrupt`.
pub async fn look_at_link(db: &Db, secret: &Secret, now: Timestamp) -> Result<Option<(Account, Purpose)>> {
    const SQL: &str = "SELECT a.login, l.purpose FROM one_time_link l JOIN account a ON a.id = l.account \
         WHERE l.token = $1 AND l.expires_at > $2 AND NOT a.disabled";
    let row: Option<(String, String)> =
        on_db!(db, |c| sqlx::query_as(SQL).bind(secret.hash()).bind(now.as_millis()).fetch_optional(c).await)?;
    let Some((login, purpose)) = row else { return Ok(None) };
    let purpose = Purpose::parse(&purpose)?;
    Ok(find(db, &login).await?.map(|account| (account, purpose)))
}

/// Uses a link up. `false`: somebody was first, or its time is over.
///
/// # Errors
/// `Unavailable`.
pub async fn use_link(tx: &mut Tx, secret: &Secret, now: Timestamp) -> Result<bool> {
    const SQL: &str = "DELETE FROM one_time_link WHERE token = $1 AND expires_at > $2";
    let gone = on_tx!(tx, |c| {
        sqlx::query(SQL).bind(secret.hash()).bind(now.as_millis()).execute(c).await.map(|done| done.rows_affected())
    })?;
    Ok(gone == 1)
}
