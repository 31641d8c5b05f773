//! The administrator's steps for Salesforce, in order.

use super::{Salesforce, access, endpoint, is_creatable, type_name};
use crate::crm::connection::SalesforceAuth;
use crate::crm::oauth::callback_path;
use crate::package::Order;
use crate::package::wiring::{Wired, Wiring};
use crate::package::words::plain;
use askama::Template;

#[derive(Template)]
#[template(path = "package/salesforce.md", escape = "none")]
struct Readme<'a> {
    connection: &'a str,
    title: String,
    version: String,
    hash: &'a str,
    base_url: &'a str,
    endpoint: String,
    sign_in: &'static str,
    has_client_secret: bool,
    callback: String,
    has_secret: bool,
    has_fields: bool,
    has_leads: bool,
    makes_tasks: bool,
    counts_touches: bool,
    objects: Vec<ReadmeObject<'a>>,
    notes: &'a [String],
}

struct ReadmeObject<'a> {
    name: &'static str,
    wired: &'a Wired,
    permitted: Vec<(&'a str, bool)>,
}

pub(super) fn readme(order: &Order<'_>, settings: &Salesforce, wiring: &Wiring) -> String {
    let own = || wiring.objects.iter().flat_map(|wired| &wired.own);
    let readme = Readme {
        connection: order.connection.name.as_str(),
        title: plain(&order.agreement.title),
        version: plain(&order.agreement.version),
        hash: &order.agreement.hash,
        base_url: &order.connection.base_url,
        endpoint: endpoint(order, settings),
        sign_in: super::sign_in(settings),
        has_client_secret: has_client_secret(settings),
        callback: format!("{}{}", order.public_base, callback_path(&order.connection.name)),
        has_secret: settings.path_secret.is_some(),
        has_fields: own().any(is_creatable),
        has_leads: wiring.objects.iter().any(|w| type_name(w.object) == "Lead"),
        makes_tasks: wiring.objects.iter().any(|w| w.tasks),
        counts_touches: access::counts_activities(&wiring.objects),
        objects: wiring.objects.iter().map(object).collect(),
        notes: &wiring.notes,
    };
    readme.render().expect("the template takes every value")
}

fn has_client_secret(settings: &Salesforce) -> bool {
    match &settings.auth {
        SalesforceAuth::ClientCredentials { .. } => true,
        SalesforceAuth::Browser { client_secret, .. } => client_secret.is_some(),
        SalesforceAuth::Jwt { .. } | SalesforceAuth::AccessToken(_) => false,
    }
}

fn object(wired: &Wired) -> ReadmeObject<'_> {
    ReadmeObject { name: type_name(wired.object), wired, permitted: access::permitted(wired).collect() }
}
