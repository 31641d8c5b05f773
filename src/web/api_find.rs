//! `/api/v1/find`: records by name or id, as the page finds them.

use super::find::{self, Found};
use super::people::Names;
use super::routes::{Entry, get};
use super::{Web, answer};
use crate::store::StoreError;
use crate::store::role::Permission;
use crate::store::standing::Hit;
use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use serde::Deserialize;
use serde_json::{Value as Json, json};

pub(super) const ROUTES: &[Entry] = &[get("/api/v1/find", Permission::Look, |route| route.to(found))];

#[derive(Deserialize)]
struct Asked {
    q: String,
}

async fn found(web: Data<Web>, asked: Query<Asked>) -> HttpResponse {
    match told(&web, &find::typed(&asked.q)).await {
        Ok(told) => HttpResponse::Ok().json(told),
        Err(error) => answer::unavailable(&error),
    }
}

async fn told(web: &Web, q: &str) -> Result<Json, StoreError> {
    let (hits, more) = match find::find(web, q).await? {
        Found::One(hit) => (vec![hit], false),
        Found::Some { hits, more } => (hits, more),
    };
    let names = Names::load(&web.engine, hits.iter().map(|hit| hit.key.connection.clone()).collect()).await?;
    let records: Vec<Json> = hits.iter().map(|hit| record(&names, hit)).collect();
    Ok(json!({ "records": records, "more": more }))
}

fn record(names: &Names, hit: &Hit) -> Json {
    let key = &hit.key;
    json!({
        "record": { "connection": key.connection, "object": key.object, "id": key.id, "name": hit.name },
        "stage": hit.stage,
        "owner": hit.owner,
        "owner_name": hit.owner.as_ref().and_then(|id| names.get(&key.connection, id)),
    })
}
