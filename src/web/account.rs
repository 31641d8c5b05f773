//! `/account`: what somebody can do about their own account: see where they are signed in, end that,
//! and change the password. Everything else about accounts is done by `leadpact user`.

use super::pages::{self, Nav, html, tell};
use super::password::{self, PasswordError};
use super::routes::{Entry, get, post};
use super::session::Visitor;
use super::throttle::Attempt;
use super::{Web, address, login};
use crate::store::account::{self, Account};
use crate::store::role::Permission;
use crate::store::session::{self, SessionRow};
use crate::store::{Priority, StoreError};
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use jiff::tz::TimeZone;
use serde::Deserialize;

pub(super) const ROUTES: &[Entry] = &[
    get("/account", Permission::Look, |route| route.to(show)),
    post("/account/sessions", Permission::Look, |route| route.to(end)),
    post("/account/password", Permission::Look, |route| route.to(change)),
];

#[derive(Template)]
#[template(path = "account.html")]
struct Page {
    nav: Nav,
    name: String,
    login: String,
    role: &'static str,
    signs: Option<String>,
    sessions: Vec<Session>,
    problem: Option<String>,
}

struct Session {
    mark: String,
    browser: String,
    address: String,
    since: String,
    seen: String,
    is_this: bool,
}

#[derive(Deserialize)]
struct End {
    mark: String,
}

#[derive(Deserialize)]
struct Change {
    current: String,
    password: String,
    again: String,
}

async fn show(web: Data<Web>, visitor: Visitor) -> HttpResponse {
    answered(page(&web, &visitor, StatusCode::OK, None).await)
}

fn answered(done: Result<HttpResponse, StoreError>) -> HttpResponse {
    done.unwrap_or_else(|error| pages::unavailable(&error))
}

async fn page(
    web: &Web,
    visitor: &Visitor,
    status: StatusCode,
    problem: Option<String>,
) -> Result<HttpResponse, StoreError> {
    let (Some((id, login)), Some(secret)) = (visitor.account(), visitor.session()) else {
        return Ok(no_person(visitor));
    };
    let open = session::of_account(&web.engine.db, id, web.clock.now()).await?;
    let hash = secret.hash();
    let page = Page {
        nav: Nav::at("/account", visitor),
        name: visitor.name().to_owned(),
        login: login.to_owned(),
        role: visitor.role().as_str(),
        signs: visitor.signs_for().map(|s| format!("for {} as {}", s.party.as_str().replace('_', " "), s.title)),
        sessions: open.into_iter().map(|row| shown(row, &hash)).collect(),
        problem,
    };
    Ok(html(status, &page))
}

fn shown(row: SessionRow, this: &str) -> Session {
    Session {
        is_this: this.starts_with(&row.mark),
        mark: row.mark,
        browser: browser(&row.browser),
        address: row.address,
        since: row.created_at.in_zone(&TimeZone::UTC),
        seen: row.seen_at.in_zone(&TimeZone::UTC),
    }
}

/// What people call a browser that describes itself so. Each claims to be most others as well: the
/// first that is found counts.
fn browser(said: &str) -> String {
    const BROWSERS: [(&str, &str); 5] =
        [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
    const SYSTEMS: [(&str, &str); 6] = [
        ("iPhone", "an iPhone"),
        ("iPad", "an iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Macintosh", "a Mac"),
        ("Linux", "Linux"),
    ];
    let found = |of: &[(&str, &'static str)]| of.iter().find(|(mark, _)| said.contains(mark)).map(|(_, name)| *name);
    match (found(&BROWSERS), found(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ if said.is_empty() => "unknown".to_owned(),
        _ => said.chars().take(60).collect(),
    }
}

fn no_person(visitor: &Visitor) -> HttpResponse {
    tell(visitor, StatusCode::NOT_FOUND, "A token has no account", "Only people have one.")
}

async fn end(web: Data<Web>, visitor: Visitor, form: Form<End>) -> HttpResponse {
    let Some((id, _)) = visitor.account() else { return no_person(&visitor) };
    let ended = async {
        let mut tx = web.engine.db.begin(Priority::Work).await?;
        session::end_marked(&mut tx, id, &form.mark).await?;
        tx.commit().await?;
        Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, "/account")).finish())
    };
    answered(ended.await)
}

async fn change(web: Data<Web>, request: HttpRequest, visitor: Visitor, form: Form<Change>) -> HttpResponse {
    answered(try_change(&web, &request, &visitor, &form).await)
}

/// Wrong passwords count as they do at the sign-in: a stolen session is no way around that.
async fn try_change(
    web: &Web,
    request: &HttpRequest,
    visitor: &Visitor,
    form: &Change,
) -> Result<HttpResponse, StoreError> {
    let (db, now) = (&web.engine.db, web.clock.now());
    let Some((_, login)) = visitor.account() else { return Ok(no_person(visitor)) };
    let attempt = match Attempt::begin(db, login, &address::of(web, request), now).await? {
        Ok(attempt) => attempt,
        Err(wait) => {
            let problem = format!("Too many wrong passwords. Try again in {wait}.");
            return page(web, visitor, StatusCode::TOO_MANY_REQUESTS, Some(problem)).await;
        }
    };
    let Some(account) = account::find(db, login).await? else { return Ok(no_person(visitor)) };
    let hash = match changed(&account, form).await {
        Ok(hash) => hash,
        Err(PasswordError::Unfit(problem)) => {
            return page(web, visitor, StatusCode::BAD_REQUEST, Some(problem)).await;
        }
        Err(error) => {
            tracing::error!("a password could not be changed: {error}");
            let problem = "That does not work now. Try again in a moment.".to_owned();
            return page(web, visitor, StatusCode::SERVICE_UNAVAILABLE, Some(problem)).await;
        }
    };
    let mut tx = db.begin(Priority::Work).await?;
    attempt.succeeded(&mut tx, now).await?;
    account::set_password(&mut tx, &account.id, Some(&hash)).await?;
    tx.commit().await?;
    login::begin(web, request, &account, "/account").await
}

/// The new hash, where the old password is right and the new one typed twice.
async fn changed(account: &Account, form: &Change) -> Result<String, PasswordError> {
    if !password::verify(form.current.clone(), account.password.clone()).await? {
        return Err(PasswordError::Unfit("The current password is wrong.".to_owned()));
    }
    if form.password != form.again {
        return Err(PasswordError::Unfit("The two new passwords are not the same.".to_owned()));
    }
    password::hash(form.password.clone()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_has_the_name_that_people_know() {
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0";
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1";
        assert_eq!(browser(edge), "Edge on Windows");
        assert_eq!(browser(phone), "Safari on an iPhone");
        assert_eq!((browser("curl/8.9"), browser("")), ("curl/8.9".into(), "unknown".into()));
    }
}
