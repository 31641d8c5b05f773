//! `[server.oidc]`: the identity provider by which people sign in to the pages.

use super::values::{choice, filled, http_url, is_loopback, need_secret};
use crate::agreement::document::{Reader, Sink, Word};
use crate::agreement::problem::{Problem, did_you_mean};
use crate::engine::oidc::{OidcSettings, Others};
use crate::record::Elapsed;
use crate::store::role::Role;
use crate::store::session::LONGEST;
use url::Url;

/// A working day and what comes before and after it.
const SESSION_HOURS: u32 = 12;
const ROLE_CLAIM: &str = "groups";
const SCOPES: [&str; 2] = ["email", "profile"];

/// What is said to whom. `None`: something is wrong with it, and was noted.
pub(super) fn oidc(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<OidcSettings> {
    let is_built_in = cfg!(feature = "oidc");
    if !is_built_in {
        let message = "this leadpact was built without single sign-on";
        let help = "take the image, or build with `cargo build --release --features oidc`; without it, leave \
                    [server.oidc] out: people sign in with accounts of their own";
        sink.error_with(reader.span(), message, help);
    }
    reader.need("issuer");
    let issuer = filled(&mut reader, sink, "issuer").and_then(|word| issuer(&word, sink));
    reader.need("client_id");
    let client_id = filled(&mut reader, sink, "client_id");
    let client_secret = need_secret(&mut reader, "client_secret");
    let scopes = match reader.has("scopes") {
        true => reader.texts("scopes").iter().filter_map(|word| scope(word, sink)).collect(),
        false => SCOPES.map(str::to_owned).to_vec(),
    };
    let name = filled(&mut reader, sink, "name").map(|word| word.text.trim().to_owned());
    let has_claim = reader.has("role_claim");
    let role_claim = filled(&mut reader, sink, "role_claim").map_or(ROLE_CLAIM, |word| word.text);
    let claim_at = reader.span_of("role_claim");
    let roles = reader.table("roles").map(|roles| self::roles(&roles, sink));
    if has_claim && roles.is_none() {
        let help = "for example roles = { admin = [\"leadpact-admins\"], viewer = [\"sales\"] }";
        sink.error_with(claim_at, "`role_claim` names roles, and `roles` is not there", help);
    }
    let others = choice(&mut reader, sink, "others", &[("refuse", Others::Refuse), ("viewer", Others::Viewer)]);
    let session = session(&mut reader, sink);
    reader.finish();
    let issuer = issuer?;
    let host = Url::parse(&issuer).ok().and_then(|url| url.host_str().map(str::to_owned));
    Some(OidcSettings {
        name: name.or(host).unwrap_or_else(|| issuer.clone()),
        issuer,
        client_id: client_id?.text.to_owned(),
        client_secret: client_secret?,
        scopes,
        role_claim: role_claim.to_owned(),
        roles: roles.unwrap_or_default(),
        others: others.unwrap_or(Others::Refuse),
        session: session?,
    })
    .filter(|_| is_built_in)
}

/// It has to be written as the provider writes it, with or without a slash at its end.
fn issuer(word: &Word<'_>, sink: &Sink<'_>) -> Option<String> {
    const DOCUMENT: &str = "/.well-known/openid-configuration";
    let url = http_url(sink, word, "issuer")?;
    if url.scheme() != "https" && !is_loopback(&url) {
        let help = "it says who people are: on the way anybody could say something else";
        sink.error_with(word.span.clone(), "`issuer` must begin with https://", help);
        return None;
    }
    if word.text.ends_with(DOCUMENT) {
        let message = "`issuer` is the address of its document, not the issuer itself";
        sink.error_with(word.span.clone(), message, "leave out /.well-known and what follows");
        return None;
    }
    Some(word.text.to_owned())
}

/// How long somebody is not asked for again.
fn session(reader: &mut Reader<'_>, sink: &Sink<'_>) -> Option<Elapsed> {
    const HOUR: i64 = 3_600;
    let hours = |hours: u32| Elapsed::from_secs(i64::from(hours) * HOUR);
    if !reader.has("session_hours") {
        return Some(hours(SESSION_HOURS));
    }
    let datum = reader.count("session_hours")?;
    let lasts = hours(datum.value);
    if lasts > LONGEST {
        let message = format!("`session_hours` must be at most {}", LONGEST.as_millis() / 1_000 / HOUR);
        sink.error_with(datum.span, message, "no session lasts longer than a week");
        return None;
    }
    Some(lasts)
}

fn scope(word: &Word<'_>, sink: &Sink<'_>) -> Option<String> {
    // Several are sent with a space between.
    let is_one = !word.text.is_empty() && word.text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
    if !is_one {
        let help = "for example scopes = [\"email\", \"profile\", \"groups\"]";
        sink.error_with(word.span.clone(), "an entry of `scopes` is no scope", help);
    }
    // Asked for anyway.
    (is_one && word.text != "openid").then(|| word.text.to_owned())
}

fn roles(reader: &Reader<'_>, sink: &Sink<'_>) -> Vec<(Role, Vec<String>)> {
    let names = Role::ALL.map(Role::as_str);
    let mut roles = Vec::new();
    for (name, values) in reader.entry_texts() {
        let Some(role) = Role::parse(name.text) else {
            let problem = Problem::error(name.span.clone(), format!("`{}` is no role", name.text));
            sink.note(match did_you_mean(name.text, &names) {
                Some(help) => problem.with_help(help),
                None => problem,
            });
            continue;
        };
        if values.is_empty() {
            let help = "leave the role out where nobody gets it";
            sink.error_with(name.span, format!("`{role}` names no value of the claim"), help);
        }
        for value in values.iter().filter(|value| value.text.trim().is_empty()) {
            sink.error(value.span.clone(), format!("an entry of `{role}` is empty"));
        }
        roles.push((role, values.into_iter().map(|word| word.text.to_owned()).collect()));
    }
    roles
}
