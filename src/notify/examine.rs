//! What a channel says when it is asked whether it would work; nothing is sent to anybody. One
//! answer for each thing that was looked at.

use super::NotifyError;

/// One thing that was looked at, such as a token or a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// `Slack channel #marketing-ops`
    pub at: String,
    pub seen: Seen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    Works(String),
    /// It may work, or works in part.
    Doubtful {
        says: String,
        fix: String,
    },
    Broken {
        says: String,
        fix: String,
    },
}

impl Look {
    pub fn works(at: impl Into<String>, says: impl Into<String>) -> Self {
        Self { at: at.into(), seen: Seen::Works(says.into()) }
    }

    pub fn doubtful(at: impl Into<String>, says: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { at: at.into(), seen: Seen::Doubtful { says: says.into(), fix: fix.into() } }
    }

    pub fn broken(at: impl Into<String>, says: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { at: at.into(), seen: Seen::Broken { says: says.into(), fix: fix.into() } }
    }

    /// Broken, unless the other side asked us to come back later.
    pub fn failed(at: impl Into<String>, error: &NotifyError, fix: impl Into<String>) -> Self {
        Self::broken(at, error.to_string(), fix)
    }
}
