//! `/api/v1/agreement/…`, one version: its text as it is kept, its slides as files, and who was told of
//! it. Confirming that one was told is a person's own, on the page.

use super::api_agreement::{no_such_version, shelf, version};
use super::api_control::{Refused, answered};
use super::pages::agreement::{Shelf, receipts, slides};
use super::routes::{Entry, get};
use super::{Web, cursor};
use crate::document::Document;
use crate::engine::versions::standing;
use crate::record::Timestamp;
use crate::store::agreement;
use crate::store::receipt::Receipt;
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// People in one answer, unless fewer or more are asked for.
const LIMIT: usize = 100;

pub(super) const ROUTES: &[Entry] = &[
    get("/api/v1/agreement/versions/{hash}", Permission::Look, |route| route.to(one)),
    get("/api/v1/agreement/slides.html", Permission::Look, |route| route.to(printed)),
    get("/api/v1/agreement/slides.pptx", Permission::Look, |route| route.to(presentation)),
    get("/api/v1/agreement/receipts", Permission::Look, |route| route.to(told)),
];

/// Which version of which scope; without a hash the one that is enforced.
#[derive(Deserialize)]
struct Which {
    connection: Option<String>,
    version: Option<String>,
}

impl Which {
    fn version(&self) -> Option<&str> {
        self.version.as_deref().filter(|hash| !hash.is_empty())
    }
}

async fn one(web: Data<Web>, hash: Path<String>, of: Query<Which>) -> HttpResponse {
    let done = async {
        let held = shelf(&web, of.connection.as_deref()).await?;
        let known = held.version(&hash).ok_or_else(no_such_version)?;
        let row = agreement::load(&web.engine.db, held.scope.own.as_ref(), &hash).await?;
        let row = row.ok_or_else(no_such_version)?;
        let mut told = version(known);
        told["effective_at"] = effective(&held, &hash);
        told["standing"] = standing(known, held.active(), held.now, &held.zone).into();
        told["connections"] = json!(held.scope.connections);
        told["text"] = row.text.into();
        told["files"] = json!(row.files);
        // Null where what is kept is not what was signed: the log says more.
        told["canonical"] = held.paper(&web, &hash).await?.map_or(Json::Null, |paper| paper.canonical.clone());
        Ok(told)
    };
    answered(done.await)
}

/// `null`: at once.
fn effective(held: &Shelf, hash: &str) -> Json {
    let at = held.version(hash).map(|known| known.version.effective_at);
    at.filter(|at| *at != Timestamp::MIN).map(|at| at.to_string()).into()
}

async fn printed(web: Data<Web>, which: Query<Which>) -> HttpResponse {
    served(&web, &which, slides::as_html).await
}

async fn presentation(web: Data<Web>, which: Query<Which>) -> HttpResponse {
    served(&web, &which, slides::as_pptx).await
}

async fn served(web: &Web, which: &Which, shape: fn(&Document) -> HttpResponse) -> HttpResponse {
    let found = async {
        let held = shelf(web, which.connection.as_deref()).await?;
        let slides = slides::slides(web, &held, which.version()).await?.ok_or_else(no_such_version)?;
        slides.map_err(Refused::Conflict)
    };
    match found.await {
        Ok(slides) => shape(&slides),
        Err(refused) => answered(Err(refused)),
    }
}

#[derive(Deserialize)]
struct Paging {
    after: Option<String>,
    limit: Option<usize>,
}

async fn told(web: Data<Web>, which: Query<Which>, paging: Query<Paging>) -> HttpResponse {
    let done = async {
        let held = shelf(&web, which.connection.as_deref()).await?;
        let hash = match which.version() {
            Some(hash) => held.version(hash).ok_or_else(no_such_version)?.version.hash.as_str(),
            None => &*held.enforced.hash,
        };
        let unclear = |_| Refused::Field("after", "is not what an answer's `next` said".to_owned());
        let after: Option<(String, String)> = cursor::asked(paging.after.as_deref()).map_err(unclear)?;
        let mut all = receipts(&web, &held, hash).await?;
        all.sort_by(|a, b| place(a).cmp(&place(b)));
        let from = after.map_or(0, |(c, p)| all.partition_point(|r| place(r) <= (c.as_str(), p.as_str())));
        let (limit, rest) = (paging.limit.unwrap_or(LIMIT), &all[from..]);
        let last = rest.get(..limit).filter(|_| rest.len() > limit).and_then(<[Receipt]>::last);
        Ok(json!({
            "version": hash,
            "people": all.len(),
            "told": all.iter().filter(|r| r.informed_at.is_some()).count(),
            "confirmed": all.iter().filter(|r| r.confirmed_at.is_some()).count(),
            "receipts": rest.iter().take(limit).map(receipt).collect::<Vec<_>>(),
            "next": last.map(|receipt| cursor::write(&place(receipt))),
        }))
    };
    answered(done.await)
}

/// By which the list goes on; a person is told once in a connection.
fn place(receipt: &Receipt) -> (&str, &str) {
    (receipt.connection.as_str(), receipt.person.as_str())
}

fn receipt(receipt: &Receipt) -> Json {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "connection": receipt.connection,
        "owner": receipt.person,
        "name": receipt.name,
        "email": receipt.email,
        "told_at": time(receipt.informed_at),
        "confirmed_at": time(receipt.confirmed_at),
        "next_try": time(receipt.next_at),
        "attempts": receipt.attempts,
        "how": receipt.how,
    })
}
