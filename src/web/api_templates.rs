//! `/api/v1/templates`: every message as it would be sent now, and tests of it, as on the page.

use super::pages::templates::test::{self, Sent, try_send};
use super::pages::templates::{About, LETTERS, Preview, Unseen, Which, own};
use super::routes::{Entry, get, post};
use super::session::Visitor;
use super::{Web, answer};
use crate::notify::NOTICES;
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json as Body, Path, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json};

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/templates", Permission::Look, |route| route.to(list)),
    // Before those of one template, whose names have anything in this place.
    post("/api/v1/templates/test", Permission::Operate, |route| route.to(send)),
    get("/api/v1/templates/{template}", Permission::Look, |route| route.to(preview)),
];

async fn list(web: Data<Web>, visitor: Visitor) -> HttpResponse {
    let shown =
        |name: &str, of_record: bool| json!({ "template": name, "of_record": of_record, "own": own(&web, name) });
    let notices = NOTICES.iter().map(|notice| shown(notice.as_str(), true));
    let templates: Vec<Json> = notices.chain(LETTERS.iter().map(|name| shown(name, false))).collect();
    let places = test::places(&web, &visitor);
    let places: Vec<Json> = places.iter().map(|place| json!({ "to": place.word, "label": place.label })).collect();
    HttpResponse::Ok().json(json!({ "templates": templates, "places": places }))
}

/// Which record a message speaks of.
#[derive(Deserialize)]
struct Of {
    #[serde(default)]
    connection: String,
    #[serde(default)]
    object: String,
    #[serde(default)]
    id: String,
}

async fn preview(web: Data<Web>, template: Path<String>, about: Query<Of>) -> HttpResponse {
    let Of { connection, object, id } = about.into_inner();
    let which = Which { template: template.into_inner(), connection, object, id };
    match which.preview(&web).await {
        Ok(preview) => HttpResponse::Ok().json(shown(&preview)),
        Err(why) => unseen(why),
    }
}

fn unseen(why: Unseen) -> HttpResponse {
    match why {
        Unseen::Why(why) => answer::error(StatusCode::NOT_FOUND, &why),
        Unseen::Store(error) => answer::unavailable(&error),
    }
}

fn shown(preview: &Preview) -> Json {
    let rendered = &preview.rendered;
    let record = match &preview.about {
        About::Record { key, name } => Some(json!({
            "connection": key.connection, "object": key.object, "id": key.id, "name": name,
        })),
        About::Letter | About::MadeUp => None,
    };
    json!({
        "template": preview.template,
        "record": record,
        "subject": rendered.subject,
        "text": rendered.text,
        "html": rendered.html,
        "blocks": rendered.blocks,
        "error": preview.error.as_ref().map(ToString::to_string),
    })
}

#[derive(Deserialize)]
struct Test {
    #[serde(flatten)]
    which: Which,
    to: String,
}

async fn send(web: Data<Web>, visitor: Visitor, asked: Body<Test>) -> HttpResponse {
    let sent = match try_send(&web, &visitor, &asked.which, &asked.to).await {
        Ok(sent) => sent,
        Err(why) => return unseen(why),
    };
    let status = match &sent {
        Sent::Done { to, id } => return HttpResponse::Ok().json(json!({ "to": to, "id": id })),
        Sent::Elsewhere => StatusCode::CONFLICT,
        Sent::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Sent::Failed { .. } => StatusCode::BAD_GATEWAY,
    };
    answer::error(status, &sent.text())
}
