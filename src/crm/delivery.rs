//! A webhook request on its way from bytes to trust: only a [`Crm`](super::Crm)'s `verify` (and our
//! own inbox) can make a [`VerifiedDelivery`], so unverified bytes cannot reach a parser.

/// A request as it came in: nothing about it is believed yet.
#[derive(Clone, Debug)]
pub struct RawDelivery {
    pub method: String,
    /// The configured public base URL plus the received path and query; never built from `Host`.
    pub url: String,
    /// The part of the path after the connection's name, if there was one.
    pub path_secret: Option<String>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl RawDelivery {
    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// A body that was sent by whom it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedDelivery {
    body: Vec<u8>,
    id: Option<String>,
}

impl VerifiedDelivery {
    /// For `verify` only. `id`: what is the same on every retry, if the CRM sends such a thing.
    pub(super) fn new(body: Vec<u8>, id: Option<String>) -> Self {
        Self { body, id }
    }

    /// A delivery that was verified before it was stored in our inbox.
    pub fn from_inbox(body: Vec<u8>) -> Self {
        Self { body, id: None }
    }

    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The delivery's id, the same on every retry; `None` where the CRM has none.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}

/// Not from whom it says: 401.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused: {0}")]
pub struct Refusal(pub &'static str);

/// Not what this CRM sends: 400, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// The answer to a stored delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    pub status: u16,
    pub content_type: Option<&'static str>,
    pub body: &'static str,
}
