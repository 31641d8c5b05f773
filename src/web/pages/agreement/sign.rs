//! `POST /agreement/sign`: a person puts their name under one exact version. What they saw is what they
//! sign: the version's hash and the active one's come with the form, and neither may have changed. How
//! a signature is stored is `engine/signing.rs`, for the command and for this page alike.

use super::shelf::{Shelf, scopes};
use super::{none, query_of, shown, to, version};
use crate::agreement::Agreement;
use crate::engine::signing::{self, Signing, SigningError};
use crate::engine::versions::{Known, Scope};
use crate::store::account::{self, Account};
use crate::store::role::Permission;
use crate::store::signature::Signature;
use crate::store::{Priority, StoreError, agreement};
use crate::web::pages::{tell, unavailable};
use crate::web::session::Visitor;
use crate::web::throttle::Attempt;
use crate::web::{Web, address, password};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

/// Whether somebody can sign a version here.
pub enum Offer {
    /// They can: this would stand under it.
    Open(Box<Terms>),
    /// They cannot, and why.
    Closed(String),
    /// It is none of their business.
    Nothing,
}

/// What would stand under the version.
pub struct Terms {
    pub party: String,
    pub name: String,
    pub title: String,
    /// Whom the agreement names instead of them.
    pub named: Option<String>,
    /// They prove that it is they by their password, else by typing their name.
    pub by_password: bool,
}

fn closed(why: impl Into<String>) -> Offer {
    Offer::Closed(why.into())
}

/// What is offered to a visitor under this version.
pub fn offer(visitor: &Visitor, account: Option<&Account>, agreement: &Agreement, known: &Known) -> Offer {
    if !visitor.may(Permission::Sign) || known.version.superseded_at.is_some() {
        return Offer::Nothing;
    }
    let Some(account) = account else {
        return closed("An API token names no person, so it cannot sign.");
    };
    let Some(signs) = visitor.signs_for() else {
        return closed(
            "Your account signs for no party. An administrator can say for which one: \
             leadpact user role YOU signer --party NAME --title TITLE.",
        );
    };
    let Some(named) = signing::signatory(agreement, &signs.party) else {
        return closed(format!("You sign for {}, which does not sign this version.", shown::words(&signs.party)));
    };
    if let Some(before) = known.signatures.iter().find(|s| s.party == signs.party) {
        return closed(format!("{} signed it for {}.", before.name, shown::words(&signs.party)));
    }
    Offer::Open(Box::new(Terms {
        party: shown::words(&signs.party),
        name: visitor.name().to_owned(),
        title: signs.title.clone(),
        named: Some(named).filter(|named| !signing::is_named(visitor.name(), named)).map(|named| named.name.clone()),
        by_password: account.password.is_some(),
    }))
}

#[derive(Deserialize)]
pub struct SignForm {
    of: String,
    hash: String,
    /// Of the version that was active when the page was shown.
    #[serde(default)]
    active: String,
    /// The password, or the name once more.
    #[serde(default)]
    proof: String,
    on_behalf: Option<String>,
}

pub async fn sign(web: Data<Web>, request: HttpRequest, visitor: Visitor, form: Form<SignForm>) -> HttpResponse {
    match try_sign(&web, &request, &visitor, &form).await {
        Ok(answer) => answer,
        Err(error) => unavailable(&error),
    }
}

async fn try_sign(
    web: &Web,
    request: &HttpRequest,
    visitor: &Visitor,
    form: &SignForm,
) -> Result<HttpResponse, StoreError> {
    let Some((_, login)) = visitor.account() else {
        let text = "An API token names no person. Sign in with an account to sign.";
        return Ok(tell(visitor, StatusCode::FORBIDDEN, "A token cannot sign", text));
    };
    let Some(shelf) = Shelf::find(web, Some(&form.of)).await? else { return Ok(none(visitor)) };
    let refuse = async |status, why: String| {
        version::shown_version(web, visitor, &shelf, &form.hash, (status, Some(why), None)).await
    };
    let (Some(known), Some(paper)) = (shelf.version(&form.hash), shelf.paper(web, &form.hash).await?) else {
        return refuse(StatusCode::CONFLICT, String::new()).await;
    };
    let active = shelf.active().map(|active| active.version.hash.as_str()).unwrap_or_default();
    if active != form.active {
        let why =
            "Another version became active since you opened this page. Nothing was signed: read what differs now.";
        return refuse(StatusCode::CONFLICT, why.to_owned()).await;
    }
    let Some(account) = account::find(&web.engine.db, login).await? else {
        return refuse(StatusCode::FORBIDDEN, "Your account is gone.".to_owned()).await;
    };
    let terms = match offer(visitor, Some(&account), &paper.agreement, known) {
        Offer::Open(terms) => terms,
        Offer::Closed(why) => return refuse(StatusCode::FORBIDDEN, why).await,
        Offer::Nothing => return refuse(StatusCode::CONFLICT, "This version was superseded.".to_owned()).await,
    };
    if let Err((status, why)) = proves(web, request, &account, &form.proof).await? {
        return refuse(status, why).await;
    }
    let signs = visitor.signs_for().map(|signs| signs.party.to_string()).unwrap_or_default();
    let asked = Signing {
        party: &signs,
        name: Some(visitor.name()),
        title: Some(&terms.title),
        on_behalf: form.on_behalf.is_some(),
        entered_by: login,
    };
    let signature = match signing::signature(&paper.agreement, asked, web.clock.now()) {
        Ok(signature) => signature,
        Err(SigningError::Another { named, .. }) => {
            let why = format!("The agreement names {named}. Say that you sign on their behalf, or leave it to them.");
            return refuse(StatusCode::UNPROCESSABLE_ENTITY, why).await;
        }
        Err(error) => return refuse(StatusCode::UNPROCESSABLE_ENTITY, shown::sentence(&error.to_string())).await,
    };
    if keep(web, &shelf, &signature).await?.is_none() {
        return refuse(StatusCode::CONFLICT, "This version is gone.".to_owned()).await;
    }
    Ok(to(&format!("/agreement/versions/{}?{}said=signed", form.hash, query_of(&shelf))))
}

/// Stores a signature under a version of this shelf, for every scope that it was offered to. Answers
/// whether it was new: a party signs a version once. `None`: the version is not kept any more.
///
/// # Errors
/// When the database is unavailable.
pub async fn keep(web: &Web, shelf: &Shelf, signature: &Signature) -> Result<Option<bool>, StoreError> {
    let (db, hash) = (&web.engine.db, &signature.agreement);
    let Some(row) = agreement::load(db, shelf.scope.own.as_ref(), hash).await? else { return Ok(None) };
    let is_new = signing::sign(db, &governed(web, hash).await?, &row, signature).await?;
    let (party, by) = (&signature.party, &signature.entered_by);
    tracing::info!(%party, %hash, %by, "a version of the agreement was signed over the web");
    Ok(Some(is_new))
}

/// Every scope that this version was offered to: one signature counts in all of them.
async fn governed(web: &Web, hash: &str) -> Result<Vec<Scope>, StoreError> {
    let mut governed = Vec::new();
    for scope in scopes(web) {
        let versions = agreement::versions(&web.engine.db, scope.own.as_ref()).await?;
        if versions.iter().any(|version| version.hash == hash) {
            governed.push(scope);
        }
    }
    Ok(governed)
}

type Proved = Result<(), (StatusCode, String)>;

/// Whoever has a password types it, throttled as at the sign-in; whoever has none types their name.
async fn proves(web: &Web, request: &HttpRequest, account: &Account, proof: &str) -> Result<Proved, StoreError> {
    let Some(hash) = account.password.clone() else {
        let same = |a: &str, b: &str| a.split_whitespace().eq(b.split_whitespace());
        let why = || format!("Type your name as it will stand under the agreement: {}.", account.name);
        return Ok(if same(proof, &account.name) { Ok(()) } else { Err((StatusCode::UNPROCESSABLE_ENTITY, why())) });
    };
    let (db, now) = (&web.engine.db, web.clock.now());
    let attempt = match Attempt::begin(db, &account.login, &address::of(web, request), now).await? {
        Ok(attempt) => attempt,
        Err(wait) => {
            let why = format!("Too many wrong passwords. Try again in {wait}.");
            return Ok(Err((StatusCode::TOO_MANY_REQUESTS, why)));
        }
    };
    match password::verify(proof.to_owned(), Some(hash)).await {
        Ok(true) => {
            let mut tx = db.begin(Priority::Work).await?;
            attempt.succeeded(&mut tx, now).await?;
            tx.commit().await?;
            Ok(Ok(()))
        }
        Ok(false) => {
            Ok(Err((StatusCode::UNPROCESSABLE_ENTITY, "The password is wrong. Nothing was signed.".to_owned())))
        }
        Err(error) => {
            tracing::error!("a password could not be looked at: {error}");
            Ok(Err((StatusCode::SERVICE_UNAVAILABLE, "That does not work now. Try again in a moment.".to_owned())))
        }
    }
}
