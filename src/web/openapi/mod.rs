//! The API's description of itself: an OpenAPI 3.1 document, the page that shows it, and the checks of
//! requests that follow from it. Every address of the API has an operation here, a list a room; what
//! somebody needs for it is taken from the table of routes.

mod agreement;
mod body;
mod check;
mod connections;
mod deliveries;
mod figures;
mod journal;
mod operation;
mod page;
mod records;
pub mod schema;
mod trials;

pub use body::refused_body;
pub use check::{Refusal, refusal};
pub use operation::Operation;

use super::routes::{self, Entry, Verb, get};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use schema::{Schema, may, must, object, text};
use serde_json::{Map, Value as Json, json};
use std::sync::LazyLock;

pub(super) const ROUTES: &[Entry] = &[
    get("/api", Permission::Look, |route| route.to(page::show)),
    get("/api/v1/openapi.json", Permission::Look, |route| route.to(answer)),
];

/// What one room says: its name, its operations, and the shapes that they name.
struct Room {
    name: &'static str,
    operations: Vec<Operation>,
    schemas: Vec<(&'static str, Schema)>,
}

static ALL: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let of = |room: Room| room.operations.into_iter().map(move |operation| operation.of(room.name));
    rooms().into_iter().flat_map(of).collect()
});

static DOCUMENT: LazyLock<Json> = LazyLock::new(document);

fn rooms() -> Vec<Room> {
    vec![
        records::room(),
        figures::room(),
        connections::room(),
        agreement::room(),
        deliveries::room(),
        journal::room(),
        trials::room(),
        own(),
    ]
}

/// All that the API can be asked, in the order of the document.
pub fn operations() -> &'static [Operation] {
    &ALL
}

/// The operation of a request that took this pattern.
pub fn operation(method: &str, pattern: &str) -> Option<&'static Operation> {
    ALL.iter().find(|operation| operation.path == pattern && operation.verb.method().as_str() == method)
}

/// `GET /api/v1/openapi.json`
async fn answer() -> HttpResponse {
    HttpResponse::Ok().json(&*DOCUMENT)
}

fn own() -> Room {
    let document = Operation::get("/api/v1/openapi.json", "This document").answers(
        200,
        "OpenAPI 3.1.",
        object([
            must("openapi", text()),
            must("info", schema::map(schema::anything())),
            must("paths", schema::map(schema::anything())),
            must("components", schema::map(schema::anything())),
            may("tags", schema::anything()),
            may("servers", schema::anything()),
            may("security", schema::anything()),
        ]),
    );
    let error = object([
        must("error", text().says("What is wrong, in a sentence.")),
        may("parameter", text().says("The parameter or field that is meant, where it is one.")),
    ]);
    Room { name: "The API itself", operations: vec![document], schemas: vec![("Error", error)] }
}

const ABOUT: &str = "What the pages of leadpact show and do, for programs. A program shows a token, which `leadpact token \
    add NAME --scope SCOPE` makes: `Authorization: Bearer TOKEN`. Its scope is `read`, `operate`, `sign` or `admin`: what \
    the roles viewer, operator, signer and admin may do. In the journal what it does is done by the token's name.\n\n\
    Times are RFC 3339; answers give them in UTC. Ids are texts. Lists go on with `after`, which is `next` of the answer \
    before; `next` is null at the end. Parameters that are not known here, or given twice, are refused, so that a mistyped \
    filter is not mistaken for none. Further fields may come to answers. Slides and CSV are files of their kind; \
    all else is JSON. Whatever is refused is answered with `error`, a sentence. What is asked for about records is done by \
    whoever works the connection, in its turn: such answers are 202.";

/// The OpenAPI document.
pub fn document() -> Json {
    let mut paths: Map<String, Json> = Map::new();
    for operation in operations() {
        let Some(entry) = routes::all().find(|entry| operation.is(entry)) else { continue };
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.verb.method().as_str().to_lowercase()] = operation.as_json(entry.needs);
    }
    let rooms = rooms();
    let schemas = rooms.iter().flat_map(|room| &room.schemas);
    let schemas: Map<String, Json> = schemas.map(|(name, s)| ((*name).to_owned(), s.as_json().clone())).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "leadpact",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The address of the pages (`server.admin_listen`)." }],
        "tags": rooms.iter().map(|room| json!({ "name": room.name })).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": "An API token." } },
        },
    })
}

/// Every address of the API that is served.
pub fn served() -> impl Iterator<Item = &'static Entry> {
    routes::all().filter(|entry| entry.path.starts_with("/api/"))
}

/// The word for a method in pages.
fn method(verb: Verb) -> String {
    verb.method().as_str().to_owned()
}
