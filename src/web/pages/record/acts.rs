//! The buttons of a record's page: each does what the command of its name does, in the name of who is
//! signed in, and goes back to the page.

use super::super::super::Web;
use super::super::super::record::Place;
use super::super::super::record_acts::{Asked, Refusal, dispute, go_on, leave_alone, undo};
use super::super::super::routes::{Entry, post};
use super::super::super::session::Visitor;
use super::super::{tell, unavailable};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form, Path};

pub const ROUTES: [Entry; 4] = [
    post("/records/{connection}/{object}/{id}/dispute", Permission::Operate, |route| route.to(disputed)),
    post("/records/{connection}/{object}/{id}/undo", Permission::Operate, |route| route.to(undone)),
    post("/records/{connection}/{object}/{id}/exclude", Permission::Operate, |route| route.to(excluded)),
    post("/records/{connection}/{object}/{id}/include", Permission::Operate, |route| route.to(included)),
];

/// What the page says after each.
pub fn said(done: &str) -> Option<&'static str> {
    Some(match done {
        "dispute" => "Disputed. Those who decide are told; until then it counts.",
        "undo" => "Ordered: it is put back, but for what somebody has changed since.",
        "exclude" => "Ordered: leadpact leaves it alone. Clocks and reminders go on.",
        "include" => "Ordered: leadpact treats it like any other again.",
        _ => return None,
    })
}

async fn disputed(web: Data<Web>, visitor: Visitor, place: Path<Place>, asked: Form<Asked>) -> HttpResponse {
    back(&visitor, &place, "dispute", dispute(&web, &visitor, &place, &asked).await.map(|_| ()))
}

async fn undone(web: Data<Web>, visitor: Visitor, place: Path<Place>, asked: Form<Asked>) -> HttpResponse {
    back(&visitor, &place, "undo", undo(&web, &visitor, &place, &asked).await)
}

async fn excluded(web: Data<Web>, visitor: Visitor, place: Path<Place>, asked: Form<Asked>) -> HttpResponse {
    back(&visitor, &place, "exclude", leave_alone(&web, &visitor, &place, &asked).await.map(|_| ()))
}

async fn included(web: Data<Web>, visitor: Visitor, place: Path<Place>, asked: Form<Asked>) -> HttpResponse {
    back(&visitor, &place, "include", go_on(&web, &visitor, &place, &asked).await)
}

fn back(visitor: &Visitor, place: &Place, what: &str, done: Result<(), Refusal>) -> HttpResponse {
    match done {
        Ok(()) => {
            let page = format!("{}?done={what}", super::path_of(&place.connection, &place.object, &place.id));
            HttpResponse::SeeOther().insert_header((header::LOCATION, page)).finish()
        }
        Err(Refusal::Unknown) => super::unknown(visitor),
        Err(Refusal::Refused(why)) => tell(visitor, StatusCode::CONFLICT, "Nothing was changed", &why),
        Err(Refusal::Unavailable(error)) => unavailable(&error),
    }
}
