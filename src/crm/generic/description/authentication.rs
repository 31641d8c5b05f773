//! How a described CRM is signed in to, and which of the connection's credentials that takes.

use super::super::template::{Placeholder, Template};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// The access token.
    Bearer,
    /// Client id and secret.
    Basic,
    Header {
        /// Lower case.
        name: String,
        value: Template,
    },
    /// In the address of every request, which other people's logs may keep.
    Query { name: String, value: Template },
    /// An access token that is asked for with the credentials, and again when it ends (RFC 6749).
    OAuth2(OAuth2),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth2 {
    /// Where tokens are given out: a path behind `base_url`, or an address.
    pub token: String,
    pub grant: Grant,
    pub scope: Option<String>,
    /// The text of the header `Authorization`.
    pub value: Template,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    ClientCredentials,
    /// With a refresh token that stays the same.
    RefreshToken,
}

impl Authentication {
    /// Whether a credential is needed.
    pub fn uses(&self, credential: Placeholder) -> bool {
        let is_client = [Placeholder::ClientId, Placeholder::ClientSecret].contains(&credential);
        match self {
            Authentication::Bearer => credential == Placeholder::AccessToken,
            Authentication::Basic => is_client,
            Authentication::Header { value, .. } | Authentication::Query { value, .. } => value.uses(credential),
            Authentication::OAuth2(oauth) => match oauth.grant {
                Grant::ClientCredentials => is_client,
                Grant::RefreshToken => is_client || credential == Placeholder::RefreshToken,
            },
        }
    }
}
