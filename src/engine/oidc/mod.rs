//! Single sign-on by OpenID Connect: what the configuration says of the identity provider (this file),
//! talking to it (`provider.rs`; what it says of itself `document.rs`, what a token must be `token.rs`), who
//! comes in as whom (`admission.rs`), and the way there and back (`door.rs`). The pages are in
//! `web/oidc.rs`. All but this file needs the feature `oidc`.

#[cfg(feature = "oidc")]
pub mod admission;
#[cfg(feature = "oidc")]
mod claims;
#[cfg(feature = "oidc")]
mod document;
#[cfg(feature = "oidc")]
pub mod door;
#[cfg(feature = "oidc")]
pub mod provider;
#[cfg(feature = "oidc")]
mod sender;
#[cfg(feature = "oidc")]
mod token;

use crate::record::Elapsed;
use crate::store::role::Role;
use secrecy::SecretString;

/// Below the pages' address: what is registered with the provider as redirect URI.
pub const CALLBACK_PATH: &str = "/login/oidc/callback";
/// And as the address to come back to after signing out there.
pub const SIGNED_OUT_PATH: &str = "/login";

/// The identity provider, as the configuration describes it.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// To the letter as the provider names itself; https, or this machine.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: SecretString,
    /// Asked for beside `openid`.
    pub scopes: Vec<String>,
    /// What people call it; stands on the button.
    pub name: String,
    /// The claim whose values `roles` names: a name, or the way to it with dots.
    pub role_claim: String,
    /// Which values make somebody what. Empty: roles are given here.
    pub roles: Vec<(Role, Vec<String>)>,
    pub others: Others,
    /// After so long a session ends, and the provider is asked again.
    pub session: Elapsed,
}

/// What becomes of people who have neither an account nor a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    Refuse,
    /// They come in to look.
    Viewer,
}

impl OidcSettings {
    /// The role that the provider gives somebody of whom it says these values: of several the one that
    /// may most. A signer may not operate, nor an operator sign: whoever is both is a signer.
    pub fn role_of(&self, values: &[String]) -> Option<Role> {
        let has = |role: &Role| self.roles.iter().any(|(r, any)| r == role && any.iter().any(|v| values.contains(v)));
        Role::ALL.into_iter().rev().find(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_roles_the_one_that_may_most_counts() {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let settings = OidcSettings {
            issuer: "https://login.acme.example".to_owned(),
            client_id: "leadpact".to_owned(),
            client_secret: "secret".into(),
            scopes: Vec::new(),
            name: "Acme".to_owned(),
            role_claim: "groups".to_owned(),
            roles: vec![(Role::Viewer, names(&["staff"])), (Role::Admin, names(&["ops", "it"]))],
            others: Others::Refuse,
            session: Elapsed::from_secs(3600),
        };
        assert_eq!(settings.role_of(&names(&["staff", "it"])), Some(Role::Admin));
        assert_eq!(settings.role_of(&names(&["staff"])), Some(Role::Viewer));
        assert_eq!(settings.role_of(&names(&["Staff", "sales"])), None, "as they are written");
    }
}
