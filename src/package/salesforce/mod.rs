//! A Salesforce project in source form: outbound messages with the flows that send them, the fields
//! that we write, a permission set, an external client app, and what removes it all again. This file
//! says which files there are; their contents live beside it.

mod access;
mod messages;
mod readme;
mod uninstall;

use super::wiring::{Own, Wired, wiring};
use super::xml::Xml;
use super::{File, Order, Package, PackageError};
use crate::crm::connection::{Salesforce, SalesforceAuth};
use crate::record::{FieldType, Object};
use serde_json::json;

const SOURCE: &str = "force-app/main/default";
/// The name of the external client app; its siblings name it too.
const APP: &str = "Leadpact";
const PERMISSIONS: &str = "Leadpact_Integration";
/// Filled in from the environment while deploying, so that neither stands in a file.
const SECRET: (&str, &str) = ("__SF_PATH_SECRET__", "SF_PATH_SECRET");
const USER: (&str, &str) = ("__SF_INTEGRATION_USER__", "SF_INTEGRATION_USER");
/// Filled in from a file beside the project, which the administrator makes.
const CERTIFICATE: (&str, &str) = ("__SF_CERTIFICATE__", "leadpact.crt");

fn type_name(object: Object) -> &'static str {
    match object {
        Object::Lead => "Lead",
        Object::Opportunity => "Opportunity",
    }
}

/// The name of an object's outbound message and of the flow that sends it.
fn message_name(object: Object) -> String {
    format!("Leadpact_{}", type_name(object))
}

/// `67.0`, as the metadata wants it.
fn version<'a>(order: &Order<'a>) -> &'a str {
    &order.connection.api_version
}

/// Where messages go; the secret is put in while deploying.
fn endpoint(order: &Order<'_>, settings: &Salesforce) -> String {
    match settings.path_secret {
        Some(_) => format!("{}/{}", order.target(), SECRET.0),
        None => order.target(),
    }
}

/// Whether this is our field to create: a custom one that belongs to no managed package.
fn is_creatable(own: &Own) -> bool {
    own.crm_name.strip_suffix("__c").is_some_and(|rest| !rest.contains("__"))
}

pub(super) fn package(order: &Order<'_>, settings: &Salesforce) -> Result<Package, PackageError> {
    let mut wiring = wiring(order.agreement, order.connection);
    for wired in &mut wiring.objects {
        nameable(wired)?;
        wiring.notes.extend(unwatchable(wired));
    }
    notes(order, settings, &wiring.objects, &mut wiring.notes);
    let objects = &wiring.objects;
    let mut files = vec![
        File::new("README.md", readme::readme(order, settings, &wiring)),
        File::new("sfdx-project.json", project(order, settings)),
        File::new("manifest/package.xml", uninstall::package_xml(version(order), &members(objects))),
    ];
    for wired in objects {
        let (object, name) = (type_name(wired.object), message_name(wired.object));
        files.push(File::new(
            format!("{SOURCE}/workflows/{object}.workflow-meta.xml"),
            messages::workflow(order, &endpoint(order, settings), wired),
        ));
        files.push(File::new(format!("{SOURCE}/flows/{name}.flow-meta.xml"), messages::flow(version(order), wired)));
        for own in wired.own.iter().filter(|own| is_creatable(own)) {
            let path = format!("{SOURCE}/objects/{object}/fields/{}.field-meta.xml", own.crm_name);
            files.push(File::new(path, field(own)));
        }
    }
    files.extend(access::files(order, settings, objects));
    files.extend(uninstall::files(version(order), objects));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let contents = contents(order, settings, objects);
    Ok(Package { files, contents, notes: wiring.notes })
}

/// Names go into paths and formulas, where nothing but a name may stand.
fn nameable(wired: &Wired) -> Result<(), PackageError> {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let all = wired.watched.iter().map(|w| &w.crm_name).chain(&wired.read).chain(&wired.written);
    for name in all {
        if !name.split('.').all(word) {
            let logical = wired.own.iter().find(|own| own.crm_name == *name).map(|own| own.name.to_string());
            let logical = logical.unwrap_or_else(|| "a field".to_owned());
            return Err(PackageError::NoField { object: wired.object.as_str(), logical, name: name.clone() });
        }
    }
    Ok(())
}

/// A flow sees the record itself: a field of a related record is read, but its changes are not heard of.
fn unwatchable(wired: &mut Wired) -> Vec<String> {
    let (related, plain) = std::mem::take(&mut wired.watched).into_iter().partition(|w| w.crm_name.contains('.'));
    wired.watched = plain;
    let related: Vec<super::wiring::Watched> = related;
    let note = |w: super::wiring::Watched| {
        format!(
            "{} is a field of a related record ({}): a flow on {} does not hear of its changes, so they are seen when \
             something else about the record changes.",
            w.crm_name,
            w.why.join("; "),
            type_name(wired.object)
        )
    };
    related.into_iter().map(note).collect()
}

fn notes(order: &Order<'_>, settings: &Salesforce, objects: &[Wired], notes: &mut Vec<String>) {
    if settings.path_secret.is_none() {
        notes.push(
            "No path_secret is set: outbound messages are not signed, and anybody who learns the address can make \
             leadpact read records needlessly. Set one before you deploy."
                .to_owned(),
        );
    }
    let port = url::Url::parse(order.public_base).ok().and_then(|url| url.port());
    if let Some(port) = port.filter(|port| ![80, 443].contains(port) && !(7000..=10_000).contains(port)) {
        notes.push(format!(
            "Salesforce sends outbound messages to ports 80, 443 and 7000 to 10000 only, not to {port}."
        ));
    }
    for (wired, own) in objects.iter().flat_map(|w| w.own.iter().map(move |own| (w, own))) {
        if !is_creatable(own) {
            notes.push(format!(
                "{}.{} is no custom field of your own, so the package does not create it: it has to exist.",
                type_name(wired.object),
                own.crm_name
            ));
        }
    }
}

fn project(order: &Order<'_>, settings: &Salesforce) -> String {
    let replacement = |(text, variable): (&str, &str)| json!({ "glob": "force-app/**/*-meta.xml", "stringToReplace": text, "replaceWithEnv": variable });
    let secret = settings.path_secret.as_ref().map(|_| replacement(SECRET));
    let certificate = matches!(settings.auth, SalesforceAuth::Jwt { .. }).then(|| {
        json!({ "glob": "force-app/**/*-meta.xml", "stringToReplace": CERTIFICATE.0, "replaceWithFile": CERTIFICATE.1 })
    });
    let replacements: Vec<_> = secret.into_iter().chain([replacement(USER)]).chain(certificate).collect();
    let project = json!({
        "name": format!("leadpact-{}", order.connection.name),
        "packageDirectories": [{ "path": "force-app", "default": true }],
        "sourceApiVersion": version(order),
        "replacements": replacements,
    });
    let mut text = serde_json::to_string_pretty(&project).expect("JSON values can be written");
    text.push('\n');
    text
}

/// A custom field, its elements in the order of Salesforce's schema.
fn field(own: &Own) -> String {
    let (kind, length) = match own.kind {
        FieldType::Bool => ("Checkbox", None),
        FieldType::Number => ("Number", None),
        FieldType::Date => ("Date", None),
        FieldType::Time => ("DateTime", None),
        FieldType::Text if own.is_long() => ("LongTextArea", Some("32768")),
        FieldType::Text => ("Text", Some("255")),
    };
    Xml::document("CustomField", |xml| {
        xml.element("fullName", &own.crm_name);
        if kind == "Checkbox" {
            xml.element("defaultValue", "false");
        }
        xml.element("description", own.meaning());
        xml.element("label", own.label());
        if let Some(length) = length {
            xml.element("length", length);
        }
        if kind == "Number" {
            xml.element("precision", "18").element("scale", "2");
        }
        xml.element("type", kind);
        if kind == "LongTextArea" {
            xml.element("visibleLines", "3");
        }
    })
}

/// What the package puts into the organisation, by metadata type and in its order.
fn members(objects: &[Wired]) -> Vec<(&'static str, Vec<String>)> {
    let own = |wired: &Wired| -> Vec<String> {
        let made = wired.own.iter().filter(|own| is_creatable(own));
        made.map(|own| format!("{}.{}", type_name(wired.object), own.crm_name)).collect()
    };
    let messages = objects.iter().map(|w| format!("{}.{}", type_name(w.object), message_name(w.object)));
    let mut members = vec![
        ("CustomField", objects.iter().flat_map(own).collect()),
        ("ExternalClientApplication", vec![APP.to_owned()]),
        ("ExtlClntAppGlobalOauthSettings", vec![APP.to_owned()]),
        ("ExtlClntAppOauthConfigurablePolicies", vec![APP.to_owned()]),
        ("ExtlClntAppOauthSettings", vec![APP.to_owned()]),
        ("Flow", objects.iter().map(|w| message_name(w.object)).collect()),
        ("PermissionSet", vec![PERMISSIONS.to_owned()]),
        ("WorkflowOutboundMessage", messages.collect()),
    ];
    members.retain(|(_, names): &(_, Vec<String>)| !names.is_empty());
    members
}

/// The way that the connection signs in, in a word or two.
fn sign_in(settings: &Salesforce) -> &'static str {
    match settings.auth {
        SalesforceAuth::AccessToken(_) => "a session's token",
        SalesforceAuth::ClientCredentials { .. } => "client credentials",
        SalesforceAuth::Jwt { .. } => "JWT bearer",
        SalesforceAuth::Browser { .. } => "a browser",
    }
}

fn contents(order: &Order<'_>, settings: &Salesforce, objects: &[Wired]) -> Vec<String> {
    let mut said = vec![format!("target {}", endpoint(order, settings)), format!("sign-in by {}", sign_in(settings))];
    for wired in objects {
        let object = type_name(wired.object);
        said.extend(wired.watched.iter().map(|w| format!("watched field {object}.{}", w.crm_name)));
        let made = wired.own.iter().filter(|own| is_creatable(own));
        said.extend(made.map(|own| format!("custom field {object}.{} ({})", own.crm_name, own.kind.as_str())));
        said.extend(access::permitted(wired).map(|(field, editable)| {
            format!("permission to {} {object}.{field}", if editable { "read and write" } else { "read" })
        }));
    }
    said.sort();
    said
}
