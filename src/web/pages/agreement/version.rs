//! `/agreement/versions/{hash}`: one version, what it changes, and the form to sign it; and
//! `/agreement/difference`: any two versions beside each other, in words.

use super::shelf::Shelf;
use super::shown::{self, Difference, Part, Version};
use super::{none, sign};
use crate::store::role::Permission;
use crate::store::{StoreError, account};
use crate::web::Web;
use crate::web::pages::{Nav, html, tell, unavailable};
use crate::web::session::Visitor;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use askama::Template;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "agreement_version.html")]
struct Page {
    nav: Nav,
    of: String,
    governs: String,
    version: Version,
    /// Of the active version, which this one is compared with; empty where there is none.
    active: String,
    active_number: String,
    difference: Option<Difference>,
    sign: sign::Offer,
    parts: Vec<Part>,
    /// Why its slides cannot be shown.
    unshown: Option<String>,
    problem: Option<String>,
    said: Option<String>,
}

pub async fn version(web: Data<Web>, visitor: Visitor, hash: Path<String>, asked: Query<super::Of>) -> HttpResponse {
    let answer = async {
        let Some(shelf) = Shelf::find(&web, asked.of.as_deref()).await? else { return Ok(none(&visitor)) };
        let party = visitor.signs_for().map(|signs| &signs.party);
        let is_theirs = shelf.version(&hash).is_some_and(|k| k.signatures.iter().any(|s| Some(&s.party) == party));
        let said = asked.said.as_deref().filter(|said| *said == "signed" && is_theirs);
        let outlook = || crate::engine::versions::outlook(&shelf.known, &hash, shelf.now, &shelf.zone);
        let said = said.map(|_| format!("Signed. {}", outlook()));
        shown_version(&web, &visitor, &shelf, &hash, (StatusCode::OK, None, said)).await
    };
    answer.await.unwrap_or_else(|error: StoreError| unavailable(&error))
}

/// The page of a version, with what is to be said above it.
pub(super) async fn shown_version(
    web: &Web,
    visitor: &Visitor,
    shelf: &Shelf,
    hash: &str,
    (status, problem, said): (StatusCode, Option<String>, Option<String>),
) -> Result<HttpResponse, StoreError> {
    let (Some(known), Some(paper)) = (shelf.version(hash), shelf.paper(web, hash).await?) else {
        let text = "No version of this hash is kept, or its text is not what was signed; the log says more.";
        return Ok(tell(visitor, StatusCode::NOT_FOUND, "There is no such version", text));
    };
    let active = shelf.active().filter(|active| active.version.hash != hash);
    let before = match active {
        Some(active) => shelf.paper(web, &active.version.hash).await?,
        None => None,
    };
    let account = match visitor.account().filter(|_| visitor.may(Permission::Sign)) {
        Some((_, login)) => account::find(&web.engine.db, login).await?,
        None => None,
    };
    let slides = shown::slides(&paper.agreement, Some(known));
    let page = Page {
        nav: Nav::at("/agreement", visitor),
        of: shelf.of().to_owned(),
        governs: shelf.scope.names(),
        version: shown::version(shelf, known),
        active: shelf.active().map(|active| active.version.hash.clone()).unwrap_or_default(),
        active_number: active.map(|active| active.version.version.clone()).unwrap_or_default(),
        difference: before.map(|before| shown::difference(&before, &paper)),
        sign: sign::offer(visitor, account.as_ref(), &paper.agreement, known),
        unshown: slides.as_ref().err().cloned(),
        parts: slides.map(|document| shown::parts(&document)).unwrap_or_default(),
        problem,
        said,
    };
    Ok(html(status, &page))
}

#[derive(Deserialize)]
pub struct Two {
    of: Option<String>,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

#[derive(Template)]
#[template(path = "agreement_difference.html")]
struct Compared {
    nav: Nav,
    of: String,
    from: String,
    to: String,
    versions: Vec<Version>,
    /// The two, once both are chosen and can be read.
    difference: Option<Difference>,
    names: (String, String),
}

pub async fn difference(web: Data<Web>, visitor: Visitor, two: Query<Two>) -> HttpResponse {
    match compared(&web, &visitor, &two).await {
        Ok(Some(page)) => html(StatusCode::OK, &page),
        Ok(None) => none(&visitor),
        Err(error) => unavailable(&error),
    }
}

async fn compared(web: &Web, visitor: &Visitor, two: &Two) -> Result<Option<Compared>, StoreError> {
    let Some(shelf) = Shelf::find(web, two.of.as_deref()).await? else { return Ok(None) };
    let (old, new) = (shelf.paper(web, &two.from).await?, shelf.paper(web, &two.to).await?);
    let name = |hash: &str| shelf.version(hash).map(|known| known.version.version.clone()).unwrap_or_default();
    Ok(Some(Compared {
        nav: Nav::at("/agreement", visitor),
        of: shelf.of().to_owned(),
        names: (name(&two.from), name(&two.to)),
        from: two.from.clone(),
        to: two.to.clone(),
        versions: shelf.known.iter().map(|known| shown::version(&shelf, known)).collect(),
        difference: old.zip(new).map(|(old, new)| shown::difference(&old, &new)),
    }))
}
