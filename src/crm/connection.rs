//! The settings of one connection: which organisation, which fields and values, who takes records.
//! Read from the configuration by `settings/`.

use super::generic::Description;
use super::salesforce::id;
use super::salesforce::jwt::RsaKey;
use crate::record::{ConnectionName, FieldName, Object, OwnerId, PartyName, RecordId};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A logical value and the CRM's own values that stand for it.
pub type ValueNames = (String, Vec<String>);

#[derive(Clone, Debug)]
pub struct Connection {
    pub name: ConnectionName,
    /// The file that names this connection's own agreement, if it does.
    pub agreement: Option<String>,
    /// `None`: the file names no mode; observe until armed.
    pub mode: Option<Mode>,
    /// Without a slash at its end.
    pub base_url: String,
    pub api_version: String,
    pub backfill: Backfill,
    /// Sweeps and imports rest once more than this share of the day's calls is used, by anybody.
    pub api_share: f64,
    pub fields: BTreeMap<(Object, FieldName), String>,
    /// Logical value and the CRM's own; several are read as one, the first is written.
    pub values: BTreeMap<(Object, FieldName), Vec<ValueNames>>,
    pub parties: BTreeMap<PartyName, Roster>,
    pub touches: Touches,
    pub platform: Platform,
}

impl Connection {
    /// A record's id as people type or paste it: Salesforce's address bar may show 15 characters, where
    /// the system knows 18.
    pub fn record_id(&self, typed: &str) -> RecordId {
        RecordId::new(self.id(typed))
    }

    /// An owner's id as people type it.
    pub fn owner_id(&self, typed: &str) -> OwnerId {
        OwnerId::new(self.id(typed))
    }

    fn id(&self, typed: &str) -> String {
        match self.platform {
            Platform::Salesforce(_) => id::or_as_is(typed.trim()),
            Platform::HubSpot(_) | Platform::Generic(_) => typed.trim().to_owned(),
        }
    }
}

/// Half of the CRM's calls of a day.
pub const API_SHARE: f64 = 0.5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Observe,
    Enforce,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backfill {
    #[default]
    FromCrm,
    FromImport,
}

/// Who takes records for a party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roster {
    /// In turn; owner ids or e-mail addresses as written.
    Members(Vec<String>),
    Queue(OwnerId),
    /// The owner is cleared.
    Unassigned,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touches {
    pub types: Vec<String>,
    pub by: TouchBy,
    pub automation_users: Vec<OwnerId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TouchBy {
    Owner,
    Party,
    Anyone,
}

#[derive(Clone, Debug)]
pub enum Platform {
    HubSpot(HubSpot),
    Salesforce(Salesforce),
    Generic(Generic),
}

#[derive(Clone, Debug)]
pub struct HubSpot {
    /// Always there where somebody signs in with a browser.
    pub portal_id: Option<u64>,
    pub auth: HubSpotAuth,
    /// One, or two while rotating.
    pub webhook_secret: Vec<SecretString>,
    /// `contacts` or `leads`.
    pub lead_object: String,
}

/// How we sign in to HubSpot.
#[derive(Clone, Debug)]
pub enum HubSpotAuth {
    /// Of an app with `static` authentication, made for one account.
    AccessToken(SecretString),
    /// Somebody signs in with a browser; the grant is kept for all replicas.
    Browser {
        client_id: SecretString,
        client_secret: SecretString,
        /// Where the page is that asks the person; without a slash at its end.
        login_url: String,
    },
}

#[derive(Clone, Debug)]
pub struct Salesforce {
    /// 18 characters.
    pub organization_id: String,
    pub auth: SalesforceAuth,
    /// Where we sign in, without a slash at its end; `None`: at the organisation's own domain.
    pub login_url: Option<String>,
    pub path_secret: Option<SecretString>,
    pub client_certificate: Option<ClientCertificate>,
}

/// How we sign in to Salesforce.
#[derive(Clone, Debug)]
pub enum SalesforceAuth {
    AccessToken(SecretString),
    /// As the user that the app runs as.
    ClientCredentials {
        client_id: SecretString,
        client_secret: SecretString,
    },
    /// As that user, vouched for with the key whose certificate the app has.
    Jwt {
        client_id: SecretString,
        private_key: RsaKey,
        username: String,
    },
    /// Somebody signs in with a browser; the grant is kept for all replicas.
    Browser {
        client_id: SecretString,
        client_secret: Option<SecretString>,
    },
}

/// A client certificate that a proxy checked and names in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Lower case.
    pub header: String,
    /// Hex fingerprints, lower case.
    pub sha256: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Generic {
    pub verify: GenericVerify,
    /// `None`: it posts events in our own JSON and is only listened to.
    pub described: Option<Described>,
}

impl Generic {
    /// A sender that is only listened to.
    pub fn listening(verify: GenericVerify) -> Self {
        Self { verify, described: None }
    }
}

/// A CRM that a description tells of, and what we sign in with there.
#[derive(Clone, Debug)]
pub struct Described {
    pub description: Arc<Description>,
    pub access_token: Option<SecretString>,
    pub client_id: Option<SecretString>,
    pub client_secret: Option<SecretString>,
    pub refresh_token: Option<SecretString>,
}

#[derive(Clone, Debug)]
pub enum GenericVerify {
    StandardWebhooks {
        secret: Vec<SecretString>,
    },
    HmacSha256 {
        header: String,
        encoding: SignatureEncoding,
        prefix: String,
        secret: Vec<SecretString>,
    },
    /// `user:password`; whoever has seen it can say anything.
    Basic {
        secret: Vec<SecretString>,
    },
    /// The same text in a header of every message.
    Token {
        header: String,
        prefix: String,
        secret: Vec<SecretString>,
    },
}

impl GenericVerify {
    /// The body itself is vouched for; else a message is only a hint which record to read.
    pub fn is_signed(&self) -> bool {
        match self {
            GenericVerify::StandardWebhooks { .. } | GenericVerify::HmacSha256 { .. } => true,
            GenericVerify::Basic { .. } | GenericVerify::Token { .. } => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureEncoding {
    Hex,
    Base64,
}
