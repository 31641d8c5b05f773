//! What a generic connection asks for: how its messages are checked and, with a `connector`, the
//! description of its CRM and the credentials that the description speaks of.

use super::platform::header;
use super::values::{choice, filled, need_secret, secrets};
use crate::agreement::document::{Reader, Sink, Word};
use crate::agreement::problem::did_you_mean;
use crate::crm::connection::{Described, Generic, GenericVerify, SignatureEncoding};
use crate::crm::generic::{self as crm, Authentication, Description, Placeholder, Scheme};
use jiff::tz::TimeZone;
use secrecy::SecretString;
use std::path::Path;
use std::sync::Arc;

/// What only a described CRM has.
const WITH_CONNECTOR: [&str; 6] =
    ["access_token", "client_id", "client_secret", "refresh_token", "webhook_secret", "time_zone"];

pub(super) fn generic(reader: &mut Reader<'_>, folder: &Path, sink: &Sink<'_>) -> Option<Generic> {
    if reader.has("connector") {
        return described(reader, folder, sink);
    }
    for key in WITH_CONNECTOR {
        if reader.has(key) {
            let help = "name the CRM's description: connector = \"pipedrive\", or a file";
            sink.error_with(reader.span_of(key), format!("`{key}` is for a connection with a `connector`"), help);
        }
    }
    reader.need("verify");
    let span = reader.span_of("verify");
    let verify = reader.table("verify").and_then(|r| verify(r, sink))?;
    if !verify.is_signed() {
        let message = "what is not signed may only say which record to read, and there is nothing to read it with";
        sink.error_with(span, message, "let the sender sign, or name the CRM's description with `connector`");
        return None;
    }
    Some(Generic::listening(verify))
}

fn verify(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<GenericVerify> {
    const OWN: [&str; 3] = ["header", "encoding", "prefix"];
    reader.need("scheme");
    let schemes = [("standard-webhooks", 0), ("hmac-sha256", 1), ("basic", 2), ("token", 3)];
    let scheme = choice(&mut reader, sink, "scheme", &schemes);
    let secret = secrets(&mut reader, sink, "secret");
    let verify = match scheme {
        Some(0) => Some(GenericVerify::StandardWebhooks { secret }),
        Some(1) => hmac(&mut reader, sink, secret),
        Some(2) => Some(GenericVerify::Basic { secret: logins(&mut reader, sink, "secret", secret) }),
        Some(_) => token(&mut reader, sink, secret),
        None => {
            // Nobody knows whether these belong here; the scheme is what to mend.
            for key in OWN {
                reader.has(key);
            }
            None
        }
    };
    reader.finish();
    verify
}

fn hmac(reader: &mut Reader<'_>, sink: &Sink<'_>, secret: Vec<SecretString>) -> Option<GenericVerify> {
    let header = reader.need_text("header").and_then(|word| header(sink, &word, "header"));
    let encodings = [("hex", SignatureEncoding::Hex), ("base64", SignatureEncoding::Base64)];
    let encoding = choice(reader, sink, "encoding", &encodings).unwrap_or(SignatureEncoding::Hex);
    let prefix = prefix(reader);
    Some(GenericVerify::HmacSha256 { header: header?, encoding, prefix, secret })
}

fn token(reader: &mut Reader<'_>, sink: &Sink<'_>, secret: Vec<SecretString>) -> Option<GenericVerify> {
    let header = reader.need_text("header").and_then(|word| header(sink, &word, "header"));
    let prefix = prefix(reader);
    Some(GenericVerify::Token { header: header?, prefix, secret })
}

fn prefix(reader: &mut Reader<'_>) -> String {
    reader.text("prefix").map_or("", |word| word.text).to_owned()
}

/// Basic credentials travel as `user:password`.
fn logins(
    reader: &mut Reader<'_>,
    sink: &Sink<'_>,
    key: &'static str,
    secrets: Vec<SecretString>,
) -> Vec<SecretString> {
    for word in reader.texts(key).iter().filter(|word| !word.text.contains(':')) {
        sink.error_with(word.span.clone(), "credentials for `basic` have a colon", "write user:password");
    }
    secrets
}

fn described(reader: &mut Reader<'_>, folder: &Path, sink: &Sink<'_>) -> Option<Generic> {
    let word = filled(reader, sink, "connector");
    let description = word.and_then(|word| description(&word, folder, sink));
    let zone = zone(reader, sink);
    let Some(mut description) = description else {
        // Which of these the description asks for is not known.
        for key in WITH_CONNECTOR.iter().chain(&["verify"]) {
            reader.has(key);
        }
        return None;
    };
    if let Some(zone) = zone {
        description.in_zone(zone);
    }
    let verify = match reader.has("verify") {
        true => reader.table("verify").and_then(|r| verify(r, sink)),
        false => Some(verify_as_described(reader, sink, &description.webhook.scheme)),
    };
    let [access_token, client_id, client_secret, refresh_token] =
        credentials(reader, sink, &description.authentication);
    let description = Arc::new(description);
    Some(Generic {
        verify: verify?,
        described: Some(Described { description, access_token, client_id, client_secret, refresh_token }),
    })
}

/// A shipped description by its name, or the one of a file beside the configuration.
fn description(word: &Word<'_>, folder: &Path, sink: &Sink<'_>) -> Option<Description> {
    if let Some(text) = crm::shipped(word.text) {
        return read(word, &format!("{} (shipped)", word.text), text, sink);
    }
    let is_file = word.text.ends_with(".toml") || word.text.contains(['/', '\\']);
    if !is_file {
        let names: Vec<&str> = crm::SHIPPED.iter().map(|(name, _)| *name).collect();
        let mut problem = crate::agreement::problem::Problem::error(
            word.span.clone(),
            "no description of this name comes with leadpact",
        );
        problem.help = did_you_mean(word.text, &names).map(|help| format!("{help}; a file of yours ends with .toml"));
        sink.note(problem);
        return None;
    }
    match std::fs::read_to_string(folder.join(word.text)) {
        Ok(text) => read(word, word.text, &text, sink),
        Err(e) => {
            let help = "a relative path begins at the configuration file";
            sink.error_with(word.span.clone(), format!("the description cannot be read: {e}"), help);
            None
        }
    }
}

/// What is wrong with a description is shown below the line that names it.
fn read(word: &Word<'_>, file: &str, text: &str, sink: &Sink<'_>) -> Option<Description> {
    match crm::parse(file, text) {
        Ok(description) => Some(description),
        Err(report) => {
            let count = match report.counts().0 {
                1 => "an error".to_owned(),
                many => format!("{many} errors"),
            };
            sink.error_with(word.span.clone(), format!("the description {file} has {count}"), report.render(false));
            None
        }
    }
}

fn zone(reader: &mut Reader<'_>, sink: &Sink<'_>) -> Option<TimeZone> {
    let word = reader.text("time_zone")?;
    let zone = TimeZone::get(word.text).ok();
    if zone.is_none() {
        sink.error_with(word.span, "`time_zone` is no time zone", "for example Europe/Berlin");
    }
    zone
}

fn verify_as_described(reader: &mut Reader<'_>, sink: &Sink<'_>, scheme: &Scheme) -> GenericVerify {
    let secret = secrets(reader, sink, "webhook_secret");
    match scheme.clone() {
        Scheme::StandardWebhooks => GenericVerify::StandardWebhooks { secret },
        Scheme::HmacSha256 { header, encoding, prefix } => {
            GenericVerify::HmacSha256 { header, encoding, prefix, secret }
        }
        Scheme::Basic => GenericVerify::Basic { secret: logins(reader, sink, "webhook_secret", secret) },
        Scheme::Token { header, prefix } => GenericVerify::Token { header, prefix, secret },
    }
}

/// Access token, client id, client secret and refresh token, as far as the description asks for them.
fn credentials(reader: &mut Reader<'_>, sink: &Sink<'_>, authentication: &Authentication) -> [Option<SecretString>; 4] {
    let asked = [
        ("access_token", Placeholder::AccessToken),
        ("client_id", Placeholder::ClientId),
        ("client_secret", Placeholder::ClientSecret),
        ("refresh_token", Placeholder::RefreshToken),
    ];
    asked.map(|(key, placeholder)| {
        if authentication.uses(placeholder) {
            return need_secret(reader, key);
        }
        if reader.has(key) {
            let message = format!("the description does not sign in with `{key}`");
            sink.error_with(reader.span_of(key), message, "leave it out");
        }
        None
    })
}
