//! The demo's one account, and the link by which whoever started the demo signs in to it.

use crate::engine::clock::real_now;
use crate::record::Elapsed;
use crate::store::account::{self, Account, Purpose};
use crate::store::role::Role;
use crate::store::secret::Secret;
use crate::store::{Db, Priority, StoreError};

/// The link works once, and no longer than this.
const OPEN: Elapsed = Elapsed::from_secs(3600);

/// Adds the account, which has no password, and answers the path of the link.
///
/// # Errors
/// When the database is unavailable.
pub async fn open(db: &Db) -> Result<String, StoreError> {
    let (secret, now) = (Secret::fresh(""), real_now());
    let account = Account {
        id: uuid::Uuid::now_v7().to_string(),
        login: "demo@localhost".to_owned(),
        name: "Demo admin".to_owned(),
        role: Role::Admin,
        signs_for: None,
        password: None,
        disabled: false,
        created_at: now,
        created_by: "demo".to_owned(),
    };
    let mut tx = db.begin(Priority::Work).await?;
    account::add(&mut tx, &account).await?;
    account::add_link(&mut tx, &secret, &account.id, Purpose::SignIn, now + OPEN).await?;
    tx.commit().await?;
    Ok(format!("/login/link/{}", secret.expose()))
}
