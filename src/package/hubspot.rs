//! A HubSpot project: the app with its scopes, the webhook subscriptions, and the list of properties
//! that leadpact writes. The shapes are those of platform version 2026.03 and later.

use super::wiring::{Own, Wired, Wiring, wiring};
use super::{File, Order, Package, PackageError};
use crate::agreement::Agreement;
use crate::crm::Connection;
use crate::crm::connection::{HubSpot, HubSpotAuth, Platform};
use crate::crm::hubspot;
use crate::crm::oauth::callback_path;
use crate::record::{FieldType, Object};
use askama::Template;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// HubSpot's limit of one app.
const MOST_SUBSCRIPTIONS: usize = 1_000;
/// The newest version that HubSpot builds, for connections that name an older form of path.
const PLATFORM: &str = "2026.09";

/// What HubSpot calls an object: in subscriptions, in scopes and paths.
#[derive(Clone, Copy)]
struct Names {
    one: &'static str,
    many: &'static str,
}

const CONTACT: Names = Names { one: "contact", many: "contacts" };
const LEAD: Names = Names { one: "lead", many: "leads" };
const DEAL: Names = Names { one: "deal", many: "deals" };

fn names(object: Object, settings: &HubSpot) -> Names {
    match object {
        Object::Opportunity => DEAL,
        Object::Lead if settings.lead_object == "leads" => LEAD,
        Object::Lead => CONTACT,
    }
}

pub(super) fn package(order: &Order<'_>, settings: &HubSpot) -> Result<Package, PackageError> {
    let wiring = wiring(order.agreement, order.connection);
    let named: Vec<(Names, &Wired)> = wiring.objects.iter().map(|w| (names(w.object, settings), w)).collect();
    nameable(&named)?;
    let scopes = scopes(&named, settings);
    let subscriptions: Vec<Json> = named.iter().flat_map(|(names, wired)| subscriptions(*names, wired)).collect();
    let privacy: Vec<Json> = named.iter().filter(|(n, _)| n.one == "contact").map(|_| privacy_deletion()).collect();
    let wanted = subscriptions.len() + privacy.len();
    if wanted > MOST_SUBSCRIPTIONS {
        return Err(PackageError::Subscriptions { wanted, most: MOST_SUBSCRIPTIONS });
    }
    let properties = properties(&named);
    let redirect_url = redirect_url(order, settings);
    let mut contents = contents(order, &scopes, &subscriptions, &privacy, &named);
    contents.extend(redirect_url.iter().map(|url| format!("sign-in by a browser, back to {url}")));
    contents.sort();
    let readme = readme(order, &wiring, &named, &scopes, wanted, redirect_url);
    let files = vec![
        File::new("README.md", readme),
        File::new("hsproject.json", pretty(&project(order))),
        File::new("properties.json", pretty(&properties)),
        File::new("src/app/app-hsmeta.json", pretty(&app(order, settings, &scopes))),
        File::new("src/app/webhooks/webhooks-hsmeta.json", pretty(&webhooks(order, subscriptions, privacy))),
    ];
    Ok(Package { files, contents, notes: wiring.notes })
}

/// A name that leadpact will have to create must be one that HubSpot lets us create.
fn nameable(named: &[(Names, &Wired)]) -> Result<(), PackageError> {
    let fits = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let mut own = named.iter().flat_map(|(names, wired)| wired.own.iter().map(move |own| (names, own)));
    match own.find(|(_, own)| !fits(&own.crm_name)) {
        Some((names, own)) => {
            let (logical, name) = (own.name.to_string(), own.crm_name.clone());
            Err(PackageError::NoProperty { object: names.one, logical, name })
        }
        None => Ok(()),
    }
}

/// The scopes that a connection's app needs; nothing where the connection is to another CRM.
pub fn hubspot_scopes(agreement: &Agreement, connection: &Connection) -> BTreeSet<String> {
    let Platform::HubSpot(settings) = &connection.platform else { return BTreeSet::new() };
    let wiring = wiring(agreement, connection);
    scopes(&wiring.objects.iter().map(|wired| (names(wired.object, settings), wired)).collect::<Vec<_>>(), settings)
}

/// What the agreement needs; where somebody signs in with a browser, what the sign-in asks for, since
/// HubSpot wants both to be the same. Tasks are made under the permission to write contacts, whatever
/// they are about.
fn scopes(named: &[(Names, &Wired)], settings: &HubSpot) -> BTreeSet<String> {
    if let HubSpotAuth::Browser { .. } = settings.auth {
        return hubspot::scopes(settings);
    }
    let mut scopes = BTreeSet::from(["oauth".to_owned(), "crm.objects.owners.read".to_owned()]);
    for (names, wired) in named {
        scopes.insert(format!("crm.objects.{}.read", names.many));
        if wired.tasks || !wired.written.is_empty() {
            scopes.insert(format!("crm.objects.{}.write", names.many));
        }
        if !wired.own.is_empty() {
            scopes.insert(format!("crm.schemas.{}.write", names.many));
        }
        if wired.tasks {
            scopes.extend(["read", "write"].map(|what| format!("crm.objects.contacts.{what}")));
        }
    }
    scopes
}

/// The types that `crm/hubspot/events.rs` understands, for this object.
fn subscriptions(names: Names, wired: &Wired) -> Vec<Json> {
    let plain =
        |what: &str| json!({ "subscriptionType": format!("object.{what}"), "objectType": names.one, "active": true });
    let links = wired.linked.then(|| plain("associationChange"));
    let changes = wired.watched.iter().map(|watched| {
        json!({
            "subscriptionType": "object.propertyChange",
            "objectType": names.one,
            "propertyName": watched.crm_name,
            "active": true,
        })
    });
    ["creation", "deletion", "merge", "restore"].map(plain).into_iter().chain(links).chain(changes).collect()
}

/// It has no general form, and concerns contacts alone.
fn privacy_deletion() -> Json {
    json!({ "subscriptionType": "contact.privacyDeletion", "active": true })
}

fn uid(order: &Order<'_>) -> String {
    format!("leadpact_{}", order.connection.name.as_str().replace('-', "_"))
}

fn project(order: &Order<'_>) -> Json {
    json!({
        "name": format!("leadpact-{}", order.connection.name),
        "srcDir": "src",
        "platformVersion": platform(&order.connection.api_version),
    })
}

/// `2026-03` in paths is `2026.03` in projects.
fn platform(version: &str) -> String {
    let dated = version.len() == 7 && version.starts_with("20") && version.as_bytes()[4] == b'-';
    if dated { version.replace('-', ".") } else { PLATFORM.to_owned() }
}

/// Where HubSpot sends the browser back to; `None` where nobody signs in with one.
fn redirect_url(order: &Order<'_>, settings: &HubSpot) -> Option<String> {
    matches!(settings.auth, HubSpotAuth::Browser { .. })
        .then(|| format!("{}{}", order.public_base, callback_path(&order.connection.name)))
}

fn app(order: &Order<'_>, settings: &HubSpot, scopes: &BTreeSet<String>) -> Json {
    let mut auth = json!({
        "type": "static",
        "requiredScopes": scopes,
        "optionalScopes": [],
        "conditionallyRequiredScopes": [],
    });
    if let Some(url) = redirect_url(order, settings) {
        auth["type"] = json!("oauth");
        auth["redirectUrls"] = json!([url]);
    }
    json!({
        "uid": format!("{}_app", uid(order)),
        "type": "app",
        "config": {
            "name": format!("leadpact ({})", order.connection.name),
            "description": format!("Keeps the agreement “{}”.", order.agreement.title),
            "distribution": "private",
            "auth": auth,
            "permittedUrls": { "fetch": [], "iframe": [], "img": [] },
            "support": { "supportEmail": order.contact },
        },
    })
}

fn webhooks(order: &Order<'_>, subscriptions: Vec<Json>, privacy: Vec<Json>) -> Json {
    json!({
        "uid": format!("{}_webhooks", uid(order)),
        "type": "webhooks",
        "config": {
            "settings": { "targetUrl": order.target(), "maxConcurrentRequests": 10 },
            "subscriptions": { "crmObjects": subscriptions, "legacyCrmObjects": [], "hubEvents": privacy },
        },
    })
}

/// The group and the properties in the form of HubSpot's properties API, for each object.
fn properties(named: &[(Names, &Wired)]) -> Json {
    let objects = named.iter().filter(|(_, wired)| !wired.own.is_empty());
    let objects: serde_json::Map<String, Json> =
        objects.map(|(names, wired)| (names.many.to_owned(), wired.own.iter().map(property).collect())).collect();
    json!({ "group": { "name": "leadpact", "label": "leadpact", "displayOrder": -1 }, "objects": objects })
}

fn property(own: &Own) -> Json {
    let (kind, field) = match own.kind {
        FieldType::Bool => ("bool", "booleancheckbox"),
        FieldType::Time => ("datetime", "date"),
        FieldType::Date => ("date", "date"),
        FieldType::Number => ("number", "number"),
        FieldType::Text if own.is_long() => ("string", "textarea"),
        FieldType::Text => ("string", "text"),
    };
    let mut property = json!({
        "groupName": "leadpact",
        "name": own.crm_name,
        "label": own.label(),
        "description": own.meaning(),
        "type": kind,
        "fieldType": field,
    });
    if own.kind == FieldType::Bool {
        property["options"] = json!([
            { "label": "Yes", "value": "true", "displayOrder": 0 },
            { "label": "No", "value": "false", "displayOrder": 1 },
        ]);
    }
    property
}

fn contents(
    order: &Order<'_>,
    scopes: &BTreeSet<String>,
    subscriptions: &[Json],
    privacy: &[Json],
    named: &[(Names, &Wired)],
) -> Vec<String> {
    let mut said: Vec<String> = scopes.iter().map(|scope| format!("scope {scope}")).collect();
    said.extend(subscriptions.iter().chain(privacy).map(|one| {
        let part = |key: &str| one[key].as_str().unwrap_or_default();
        let words = ["subscription", part("objectType"), part("subscriptionType"), part("propertyName")];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }));
    for (names, wired) in named {
        said.extend(
            wired.own.iter().map(|own| format!("property {}.{} ({})", names.many, own.crm_name, own.kind.as_str())),
        );
    }
    said.push(format!("target {}", order.target()));
    said.sort();
    said
}

fn pretty(json: &Json) -> String {
    let mut text = serde_json::to_string_pretty(json).expect("JSON values can be written");
    text.push('\n');
    text
}

#[derive(Template)]
#[template(path = "package/hubspot.md", escape = "none")]
struct Readme<'a> {
    connection: &'a str,
    title: String,
    version: String,
    hash: &'a str,
    target: String,
    scopes: Vec<(String, &'static str)>,
    /// Where a browser comes back to, if somebody signs in with one.
    redirect_url: Option<String>,
    subscriptions: usize,
    objects: Vec<ReadmeObject<'a>>,
    notes: &'a [String],
}

struct ReadmeObject<'a> {
    many: &'static str,
    wired: &'a Wired,
}

fn readme(
    order: &Order<'_>,
    wiring: &Wiring,
    named: &[(Names, &Wired)],
    scopes: &BTreeSet<String>,
    subscriptions: usize,
    redirect_url: Option<String>,
) -> String {
    let readme = Readme {
        connection: order.connection.name.as_str(),
        title: super::words::plain(&order.agreement.title),
        version: super::words::plain(&order.agreement.version),
        hash: &order.agreement.hash,
        target: order.target(),
        scopes: scopes.iter().map(|scope| (scope.clone(), purpose(scope))).collect(),
        redirect_url,
        subscriptions,
        objects: named.iter().map(|(names, wired)| ReadmeObject { many: names.many, wired }).collect(),
        notes: &wiring.notes,
    };
    readme.render().expect("the template takes every value")
}

fn purpose(scope: &str) -> &'static str {
    match scope {
        "oauth" => "every app has it",
        "crm.objects.owners.read" => "who owns a record, and whom to tell",
        _ if scope.starts_with("crm.schemas") => "to create the properties below",
        _ if scope.ends_with(".read") => "to hear of changes and to read a record before anything is decided",
        _ => "to mark a record, to give it to another owner, to make a task",
    }
}
