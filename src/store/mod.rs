//! Floor 2: what must outlive the process, on SQLite or PostgreSQL from one SQL text: `Db`, its
//! transactions, and one file a table. No rules about leads live here, and no clock is read: every
//! moment is an argument.

#[macro_use]
mod db;
mod batch;
mod error;
mod postgres;
mod sqlite;

pub mod absence;
pub mod account;
pub mod agreement;
pub mod answer;
pub mod api_token;
pub mod attempt;
pub mod attestation;
pub mod clock;
pub mod credential;
pub mod cursor;
pub mod dispute;
pub mod dispute_list;
pub mod entries;
pub mod examine;
pub mod history;
pub mod inbox;
pub mod inbox_list;
pub mod journal;
pub mod lease;
pub mod letter;
pub mod letter_list;
pub mod lookup;
pub mod oidc;
pub mod outbox;
pub mod person;
pub mod preference;
pub mod privacy;
pub mod receipt;
pub mod role;
pub mod rotation;
pub mod seal;
pub mod secret;
pub mod session;
pub mod sign_in;
pub mod signature;
pub mod standing;
pub mod switch;
pub mod tale;
pub mod vitals;

pub use db::{Db, OpenOptions, Priority, Tx};
pub use error::{Result, StoreError};

use crate::record::{Object, Timestamp};

/// A moment that the database may leave out.
fn moment(ms: Option<i64>) -> Option<Timestamp> {
    ms.map(Timestamp::from_millis)
}

/// The object that a row names.
fn object(text: &str) -> Result<Object> {
    Object::parse(text).ok_or_else(|| StoreError::Corrupt(format!("`{text}` is no object")))
}

/// A count that a row holds.
fn count<T: TryFrom<i64>>(n: i64) -> Result<T> {
    T::try_from(n).map_err(|_| StoreError::Corrupt(format!("{n} is out of range")))
}

/// Our own JSON, read back.
fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| StoreError::Corrupt(format!("stored JSON cannot be read: {e}")))
}

/// Our own types as JSON for a TEXT column.
fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| StoreError::Refused(format!("cannot be written as JSON: {e}")))
}

/// Text from outside, fit for a TEXT column of either engine: PostgreSQL refuses NUL.
fn clean(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}
