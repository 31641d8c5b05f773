//! Names and ids as types, so that an owner cannot stand where a record should.
//! CRM-specific normalising (Salesforce's 15 and 18 characters) lives with the connector.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// The text inside.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

name_type!(
    /// A `[[connection]]` of the configuration: one CRM organisation.
    ConnectionName
);
name_type!(
    /// The CRM's own id of a lead or an opportunity, as text (Salesforce: always 18 characters).
    RecordId
);
name_type!(
    /// The CRM's own id of an owner: a person or a queue.
    OwnerId
);
name_type!(
    /// A party of the agreement: `marketing`, `teleprospecting`, `field_sales`.
    PartyName
);
name_type!(
    /// A stage of the agreement: `mql`, `sal`, `won`.
    StageName
);

/// The two kinds of record that an agreement speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Object {
    Lead,
    Opportunity,
}

impl Object {
    /// `lead` or `opportunity`, as in the agreement, the routes and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Object::Lead => "lead",
            Object::Opportunity => "opportunity",
        }
    }

    /// The object that [`Object::as_str`] names, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "lead" => Some(Object::Lead),
            "opportunity" => Some(Object::Opportunity),
            _ => None,
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which record, in which CRM organisation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordKey {
    pub connection: ConnectionName,
    pub object: Object,
    pub id: RecordId,
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.connection, self.object, self.id)
    }
}
