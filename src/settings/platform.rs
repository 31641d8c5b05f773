//! What each CRM asks of its connection: who the organisation is and how its messages are checked.
//! Nothing is called here; how we sign in is in `sign_in`, what a generic connection asks for in `generic`.

use super::connection::Crm;
use super::sign_in;
use super::values::{choice, secret, secrets};
use crate::agreement::document::{Reader, Sink, Word};
use crate::crm::connection::{ClientCertificate, HubSpot, Salesforce};
use crate::crm::salesforce::id;

/// The settings that only some CRMs have.
const OWN: &[(&str, &[Crm])] = &[
    ("portal_id", &[Crm::HubSpot]),
    ("access_token", &[Crm::HubSpot, Crm::Salesforce, Crm::Generic]),
    ("webhook_secret", &[Crm::HubSpot, Crm::Generic]),
    ("lead_object", &[Crm::HubSpot]),
    ("organization_id", &[Crm::Salesforce]),
    ("sign_in", &[Crm::HubSpot, Crm::Salesforce]),
    ("login_url", &[Crm::HubSpot, Crm::Salesforce]),
    ("client_id", &[Crm::HubSpot, Crm::Salesforce, Crm::Generic]),
    ("client_secret", &[Crm::HubSpot, Crm::Salesforce, Crm::Generic]),
    ("private_key", &[Crm::Salesforce]),
    ("username", &[Crm::Salesforce]),
    ("path_secret", &[Crm::Salesforce]),
    ("client_certificate", &[Crm::Salesforce]),
    ("verify", &[Crm::Generic]),
    ("connector", &[Crm::Generic]),
    ("time_zone", &[Crm::Generic]),
];

/// Where the CRM itself is in doubt, none of its settings is an unknown key besides.
pub(super) fn ask_for_all(reader: &mut Reader<'_>) {
    for (key, _) in OWN.iter().chain(&[("base_url", &[] as &[Crm])]) {
        reader.has(key);
    }
}

/// Says of other CRMs' settings whose they are.
pub(super) fn refuse_others(reader: &mut Reader<'_>, crm: Crm, sink: &Sink<'_>) {
    for (key, of) in OWN.iter().filter(|(_, of)| !of.contains(&crm)) {
        if !reader.entries().iter().any(|(word, _)| word.text == *key) {
            continue;
        }
        reader.has(key);
        let theirs: Vec<&str> = of.iter().map(|crm| crm.as_str()).collect();
        let message = format!("`{key}` is a setting of {}, this connection is {}", theirs.join(" and "), crm.as_str());
        sink.error(reader.span_of(key), message);
    }
}

pub(super) fn hubspot(reader: &mut Reader<'_>, sink: &Sink<'_>) -> Option<HubSpot> {
    let portal_id = reader.count("portal_id").map(|n| u64::from(n.value));
    let auth = sign_in::hubspot(reader, sink);
    let webhook_secret = secrets(reader, sink, "webhook_secret");
    let objects = [("contacts", "contacts"), ("leads", "leads")];
    let lead_object = choice(reader, sink, "lead_object", &objects).unwrap_or("contacts").to_owned();
    Some(HubSpot { portal_id, auth: auth?, webhook_secret, lead_object })
}

pub(super) fn salesforce(reader: &mut Reader<'_>, sink: &Sink<'_>) -> Option<Salesforce> {
    let organization_id = reader.need_text("organization_id").and_then(|word| organization(sink, &word));
    let login_url = sign_in::login_url(reader, sink);
    let auth = sign_in::salesforce(reader, sink, login_url.as_deref());
    let path_secret = secret(reader, sink, "path_secret");
    let client_certificate = reader.table("client_certificate").map(|r| client_certificate(r, sink));
    Some(Salesforce {
        organization_id: organization_id?,
        auth: auth?,
        login_url,
        path_secret,
        client_certificate: match client_certificate {
            None => None,
            Some(certificate) => Some(certificate?),
        },
    })
}

fn organization(sink: &Sink<'_>, word: &Word<'_>) -> Option<String> {
    let id = id::normalise(word.text);
    if id.is_none() {
        let message = match word.text.trim().len() {
            18 => "the last three characters do not belong to this organisation id: a letter is mistyped",
            _ => "an organisation id has 15 or 18 letters and digits",
        };
        sink.error_with(word.span.clone(), message, "copy it from Setup, Company Information: 00D…");
    }
    id
}

fn client_certificate(mut reader: Reader<'_>, sink: &Sink<'_>) -> Option<ClientCertificate> {
    let header = reader.need_text("header").and_then(|word| header(sink, &word, "header"));
    let prints = reader.need_texts("sha256");
    let sha256: Vec<String> = prints.iter().filter_map(|word| fingerprint(sink, word)).collect();
    reader.finish();
    Some(ClientCertificate { header: header?, sha256 })
}

/// A header's name, in lower case.
pub(super) fn header(sink: &Sink<'_>, word: &Word<'_>, key: &str) -> Option<String> {
    let fits = word.text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !fits {
        sink.error(word.span.clone(), format!("`{key}` must be the name of an HTTP header"));
    }
    fits.then(|| word.text.to_ascii_lowercase())
}

/// 32 bytes in hex, with or without colons, in lower case.
fn fingerprint(sink: &Sink<'_>, word: &Word<'_>) -> Option<String> {
    let bare = word.text.replace(':', "").to_ascii_lowercase();
    let fits = bare.len() == 64 && bare.chars().all(|c| c.is_ascii_hexdigit());
    if !fits {
        let help = "openssl x509 -noout -fingerprint -sha256 -in certificate.pem prints it";
        sink.error_with(word.span.clone(), "a SHA-256 fingerprint has 64 hex digits", help);
    }
    fits.then_some(bare)
}
