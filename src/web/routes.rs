//! The one table of everything that is served to people and tools of the house, each with what a
//! visitor needs for it. It is registered from here, and the guard looks here: nothing is served there
//! that has no line, and no line is without a need.

use super::{account, api, api_agreement, api_attest, api_control, api_deliveries, api_disputes, api_figures};
use super::{api_find, api_health, api_journal, api_needs, api_people, api_records, api_simulate, api_templates};
use super::{api_versions, assets, guard, live, login, metrics, openapi, pages};
use crate::store::role::Permission;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Resource, Route};

/// What somebody needs for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: for what is shown before anybody signed in.
    Nothing,
    /// To ask from this very machine, or [`Permission::Look`].
    ToBeNear,
    Permission(Permission),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

impl Verb {
    pub fn method(self) -> Method {
        match self {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Put => Method::PUT,
            Verb::Delete => Method::DELETE,
        }
    }
}

/// Makes a route of a method answer by a handler: `|route| route.to(handler)`.
type Handler = fn(Route) -> Route;

/// A line of the table.
#[derive(Clone, Copy)]
pub struct Entry {
    pub verb: Verb,
    pub path: &'static str,
    pub needs: Needs,
    handler: Handler,
}

/// A page or an answer to look at.
pub const fn get(path: &'static str, needs: Permission, handler: Handler) -> Entry {
    Entry { verb: Verb::Get, path, needs: Needs::Permission(needs), handler }
}

/// Something to be done.
pub const fn post(path: &'static str, needs: Permission, handler: Handler) -> Entry {
    Entry { verb: Verb::Post, path, needs: Needs::Permission(needs), handler }
}

/// Something to be set, in the API.
pub const fn put(path: &'static str, needs: Permission, handler: Handler) -> Entry {
    Entry { verb: Verb::Put, path, needs: Needs::Permission(needs), handler }
}

/// Something to be taken away, in the API.
pub const fn delete(path: &'static str, needs: Permission, handler: Handler) -> Entry {
    Entry { verb: Verb::Delete, path, needs: Needs::Permission(needs), handler }
}

/// The few that are not behind a sign-in.
pub(super) const fn open(verb: Verb, path: &'static str, needs: Needs, handler: Handler) -> Entry {
    Entry { verb, path, needs, handler }
}

/// Every line, in the order in which paths are tried.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    const OWN: &[&[Entry]] = &[
        account::ROUTES,
        api::ROUTES,
        api_agreement::ROUTES,
        api_attest::ROUTES,
        api_control::ROUTES,
        api_deliveries::ROUTES,
        api_disputes::ROUTES,
        api_figures::ROUTES,
        api_find::ROUTES,
        api_health::ROUTES,
        api_journal::ROUTES,
        api_needs::ROUTES,
        api_people::ROUTES,
        api_records::ROUTES,
        api_simulate::ROUTES,
        api_templates::ROUTES,
        api_versions::ROUTES,
        assets::ROUTES,
        live::ROUTES,
        login::ROUTES,
        metrics::ROUTES,
        #[cfg(feature = "oidc")]
        super::oidc::ROUTES,
        openapi::ROUTES,
    ];
    OWN.iter().chain(pages::ROUTES).copied().flatten()
}

/// What a request to this pattern needs. What is not in the table is found missing by visitors only.
pub(super) fn needs(method: &Method, pattern: Option<&str>) -> Needs {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let of = |entry: &&Entry| Some(entry.path) == pattern && entry.verb.method() == *method;
    all().find(of).map_or(Needs::Permission(Permission::Look), |entry| entry.needs)
}

/// Registers everything behind the guard. It takes every path that is left: register it last.
pub(super) fn register(config: &mut ServiceConfig) {
    let mut resources: Vec<(&str, Resource)> = Vec::new();
    for entry in all() {
        let route = (entry.handler)(web::method(entry.verb.method()));
        let known = resources.iter().position(|(path, _)| *path == entry.path);
        let resource = known.map_or_else(|| web::resource(entry.path), |at| resources.remove(at).1);
        resources.insert(known.unwrap_or(resources.len()), (entry.path, resource.route(route)));
    }
    let scope = resources.into_iter().fold(web::scope(""), |scope, (_, resource)| scope.service(resource));
    config.service(scope.default_service(web::to(pages::nothing)).wrap(from_fn(guard::guard)));
}
