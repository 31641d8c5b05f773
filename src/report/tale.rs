//! What is known of one record when it is measured: its facts as the journal has them, and its
//! latest values. Reading tales from a database is `engine/measure`.

use crate::record::{Fact, Fields, RecordKey, Timestamp};
use std::sync::Arc;

/// One record's facts and latest values.
#[derive(Clone, Debug, PartialEq)]
pub struct Tale {
    pub key: RecordKey,
    /// All of them in the order of the journal, with those that were withdrawn later.
    pub entries: Vec<Entry>,
    /// What is known of it now; `None` where a privacy deletion took it.
    pub latest: Option<Latest>,
}

/// A journal entry as far as measures look at it. Details of facts that no measure reads are empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub fact: Fact,
    /// When it was journalled.
    pub seen_at: Timestamp,
}

/// The part of a standing that measures look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latest {
    pub fields: Fields,
    /// Handoffs of the current pass whose definition and fields wait to be judged.
    pub unjudged: Vec<Arc<str>>,
}

/// Somebody's answer to a commitment that no CRM records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// The commitment's name.
    pub commitment: String,
    /// The first moment of the period that is attested to.
    pub period_start: Timestamp,
    pub answer: bool,
    /// Who answered, in words.
    pub by: String,
    pub at: Timestamp,
}
