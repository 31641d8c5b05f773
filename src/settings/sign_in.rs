//! How a connection signs in to HubSpot or Salesforce: exactly one way, and for a mix of several which
//! to keep. Nothing is asked of a CRM here; a key is tried out, so that a wrong one is found now.

use super::values::{choice, filled, http_url, is_loopback, need_secret, secret};
use crate::agreement::document::{Reader, Sink};
use crate::crm::connection::{HubSpotAuth, SalesforceAuth};
use crate::crm::salesforce::jwt::RsaKey;
use secrecy::SecretString;

/// What `leadpact init` fills in for variables that nobody has set yet: no CRM is called with it.
pub const NOT_SET: &str = "https://not-set.invalid";
/// Where HubSpot asks a person.
const HUBSPOT_LOGIN: &str = "https://app.hubspot.com";
/// Where Salesforce takes everything but client credentials.
const SHARED_LOGINS: [&str; 2] = ["https://login.salesforce.com", "https://test.salesforce.com"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Token,
    ClientCredentials,
    Jwt,
    Browser,
}

impl Way {
    /// The setting that shows which way is meant; the first that is there decides.
    const SHOWN_BY: [(&'static str, Way); 6] = [
        ("sign_in", Way::Browser),
        ("private_key", Way::Jwt),
        ("username", Way::Jwt),
        ("access_token", Way::Token),
        ("client_secret", Way::ClientCredentials),
        ("client_id", Way::ClientCredentials),
    ];

    fn takes(self) -> &'static [&'static str] {
        match self {
            Way::Token => &["access_token"],
            Way::ClientCredentials => &["client_id", "client_secret"],
            Way::Jwt => &["client_id", "private_key", "username"],
            Way::Browser => &["sign_in", "client_id", "client_secret"],
        }
    }

    /// The settings of this way, as a sentence names them.
    fn words(self) -> &'static str {
        match self {
            Way::Token => "`access_token` alone",
            Way::ClientCredentials => "`client_id` and `client_secret` (client credentials)",
            Way::Jwt => "`client_id`, `private_key` and `username` (JWT bearer)",
            Way::Browser => "`sign_in = \"browser\"` with `client_id` and `client_secret`",
        }
    }
}

pub(super) fn hubspot(reader: &mut Reader<'_>, sink: &Sink<'_>) -> Option<HubSpotAuth> {
    let browser = sign_in(reader, sink);
    let login_url = login_url(reader, sink);
    if !browser.is_there {
        for key in ["client_id", "client_secret", "login_url"] {
            if !reader.has(key) {
                continue;
            }
            let help = "add sign_in = \"browser\", or keep `access_token` alone";
            sink.error_with(reader.span_of(key), format!("`{key}` is for signing in with a browser"), help);
        }
        return need_secret(reader, "access_token").map(HubSpotAuth::AccessToken);
    }
    only(reader, sink, Way::Browser);
    reader.need("portal_id");
    let (client_id, client_secret) = (need_secret(reader, "client_id"), need_secret(reader, "client_secret"));
    let login_url = login_url.unwrap_or_else(|| HUBSPOT_LOGIN.to_owned());
    let auth = HubSpotAuth::Browser { client_id: client_id?, client_secret: client_secret?, login_url };
    browser.is_right.then_some(auth)
}

pub(super) fn salesforce(reader: &mut Reader<'_>, sink: &Sink<'_>, login: Option<&str>) -> Option<SalesforceAuth> {
    let Some((_, way)) = Way::SHOWN_BY.into_iter().find(|(key, _)| is_there(reader, key)) else {
        for (key, _) in Way::SHOWN_BY {
            reader.has(key);
        }
        let ways = [Way::Jwt, Way::ClientCredentials, Way::Browser].map(Way::words);
        let help = format!("give {}, {} or {}", ways[0], ways[1], ways[2]);
        sink.error_with(reader.span(), "this connection does not say how to sign in", help);
        return None;
    };
    only(reader, sink, way);
    match way {
        Way::Token => secret(reader, sink, "access_token").map(SalesforceAuth::AccessToken),
        Way::ClientCredentials => {
            let (client_id, client_secret) = (need_secret(reader, "client_id"), need_secret(reader, "client_secret"));
            if login.is_some_and(|url| SHARED_LOGINS.contains(&url)) {
                let help = "leave it out: the token is asked for at base_url";
                let message = "client credentials are accepted at the organization's own domain only";
                sink.error_with(reader.span_of("login_url"), message, help);
            }
            Some(SalesforceAuth::ClientCredentials { client_id: client_id?, client_secret: client_secret? })
        }
        Way::Jwt => {
            let client_id = need_secret(reader, "client_id");
            let private_key = private_key(reader, sink);
            let username = reader.need_text("username").map(|word| word.text.to_owned());
            Some(SalesforceAuth::Jwt { client_id: client_id?, private_key: private_key?, username: username? })
        }
        Way::Browser => {
            let is_right = sign_in(reader, sink).is_right;
            let client_id = need_secret(reader, "client_id");
            let client_secret: Option<SecretString> = secret(reader, sink, "client_secret");
            let auth = SalesforceAuth::Browser { client_id: client_id?, client_secret };
            is_right.then_some(auth)
        }
    }
}

/// Where we sign in, if it is not where the CRM usually wants it.
pub(super) fn login_url(reader: &mut Reader<'_>, sink: &Sink<'_>) -> Option<String> {
    let word = reader.text("login_url")?;
    let url = http_url(sink, &word, "login_url")?;
    if url.scheme() != "https" && !is_loopback(&url) {
        let help = "secrets go there: anybody on the way could read them";
        sink.error_with(word.span, "`login_url` must begin with https://", help);
        return None;
    }
    Some(url.as_str().trim_end_matches('/').to_owned())
}

struct SignIn {
    is_there: bool,
    is_right: bool,
}

fn sign_in(reader: &mut Reader<'_>, sink: &Sink<'_>) -> SignIn {
    let is_there = is_there(reader, "sign_in");
    let is_right = choice(reader, sink, "sign_in", &[("browser", ())]).is_some();
    SignIn { is_there, is_right }
}

/// Says of settings of other ways which to keep.
fn only(reader: &mut Reader<'_>, sink: &Sink<'_>, way: Way) {
    let shown = Way::SHOWN_BY.iter().find(|(key, of)| *of == way && is_there(reader, key));
    let shown = shown.map_or("", |(key, _)| *key);
    for (key, of) in Way::SHOWN_BY {
        if way.takes().contains(&key) || !is_there(reader, key) {
            continue;
        }
        reader.has(key);
        let message = format!("`{key}` and `{shown}` exclude each other");
        let help = format!("keep the way that is meant: {}, or {}", way.words(), of.words());
        sink.error_with(reader.span_of(key), message, help);
    }
}

fn private_key(reader: &mut Reader<'_>, sink: &Sink<'_>) -> Option<RsaKey> {
    reader.need("private_key");
    let word = filled(reader, sink, "private_key")?;
    if word.text == NOT_SET {
        return Some(RsaKey::absent());
    }
    match RsaKey::parse(word.text) {
        Ok(key) => Some(key),
        Err(why) => {
            let help = "private_key = \"${SF_PRIVATE_KEY}\", and SF_PRIVATE_KEY_FILE names the file that `openssl req \
                        -x509 -newkey rsa:2048 -nodes -keyout leadpact.key -out leadpact.crt -days 730` made";
            sink.error_with(word.span, format!("`private_key` {why}"), help);
            None
        }
    }
}

fn is_there(reader: &Reader<'_>, key: &str) -> bool {
    reader.entries().iter().any(|(word, _)| word.text == key)
}
