//! `/`: both sides of the agreement face to face, and what needs somebody now. What a commitment says is in `card`, what
//! waits in `needs`.

mod card;
mod needs;

use super::super::Web;
use super::super::asked::{Asked, Unasked};
use super::super::attest::{Unsaid, Word as Given, say};
use super::super::connections::{self, Trouble};
use super::super::people::Names;
use super::super::record::url;
use super::super::routes::{Entry, get, post};
use super::super::session::Visitor;
use super::choices::{Choices, PATIENCE, Shown, address, refuse};
use super::tally::{Counts, OfConnection};
use super::{Nav, html, tell, unavailable};
use crate::engine::Site;
use crate::record::{OwnerId, Timestamp};
use crate::store::StoreError;
use crate::store::clock::{self, ClockRow, ClockState};
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Form, Query};
use askama::Template;
use card::Side;
use needs::Need;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) const ROUTES: &[Entry] = &[
    get("/", Permission::Look, |route| route.to(front)),
    post("/attest", Permission::Attest, |route| route.to(attest)),
];

/// So many overdue clocks are shown; all of them have a list of their own.
const OVERDUE: usize = 5;
/// Of the earliest deadlines so many are looked at for those that are overdue: paused ones are not.
const LOOKED_AT: u32 = 50;

#[derive(Template)]
#[template(path = "front.html")]
struct Page {
    nav: Nav,
    choices: Choices,
    /// Where this page is asked for again, to stay fresh.
    here: String,
    connection: String,
    title: String,
    period: String,
    shown: Shown,
    sides: Vec<Side>,
    troubles: Vec<Trouble>,
    /// `None` while they are counted for the first time, as of this connection.
    counts: Option<Arc<Counts>>,
    mine: Option<OfConnection>,
    overdue: Vec<Overdue>,
    all_clocks: Option<&'static str>,
    needs: Vec<Need>,
    /// Where CRMs send their webhooks, for when nothing came yet.
    webhook: String,
}

impl Page {
    fn is_counting(&self) -> bool {
        self.shown.report.is_none() || self.counts.is_none()
    }

    fn has_promises(&self) -> bool {
        self.sides.iter().any(|side| !side.cards.is_empty())
    }
}

struct Overdue {
    name: String,
    story: String,
    url: Option<String>,
    clock: String,
    owner: String,
    late: String,
    deadline: String,
}

async fn front(web: Data<Web>, visitor: Visitor, asked: Query<Asked>) -> HttpResponse {
    match page(&web, &visitor, &asked).await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(why) => refuse(&visitor, &why),
    }
}

async fn page(web: &Web, visitor: &Visitor, asked: &Asked) -> Result<Page, Unasked> {
    let site = asked.site(web)?;
    let (now, zone) = (web.engine.clock.now(), site.agreement.zone());
    let (figures, counts) = tokio::join!(asked.figures(web, &site, None, PATIENCE), web.tally.counts(web));
    let shown = Shown::of(figures?, &zone, now);
    let name = site.name().as_str();
    let sides = shown.report.as_ref().map(|report| card::sides(report, &site.agreement).into());
    let version = shown.report.as_ref().map(|r| (r.title.clone(), r.version.clone()));
    let (title, version) =
        version.unwrap_or_else(|| (site.agreement.title.to_string(), site.agreement.version.to_string()));
    let overdue = overdue(web, &site, now).await?;
    Ok(Page {
        nav: Nav::at("/", visitor),
        choices: Choices::of(web, asked, &site),
        here: address("/", &[("connection", &asked.connection), ("period", &asked.period)]),
        connection: name.to_owned(),
        title: format!("{title}, version {version}"),
        period: shown.report.as_ref().map(|r| r.period.to_string()).unwrap_or_default(),
        sides: sides.unwrap_or_default(),
        troubles: connections::troubles(web).await?,
        mine: counts.as_ref().and_then(|counts| counts.connections.iter().find(|c| c.name == name).cloned()),
        needs: needs::needs(web, visitor, &site, counts.as_deref()).await?,
        overdue,
        all_clocks: needs::list_of_clocks(),
        webhook: format!("{}/webhooks/{name}", web.public_base),
        shown,
        counts,
    })
}

/// The longest overdue first.
async fn overdue(web: &Web, site: &Site, now: Timestamp) -> Result<Vec<Overdue>, StoreError> {
    let db = &web.engine.db;
    let mut rows = clock::open_soonest(db, Some(site.name()), None, LOOKED_AT).await?;
    rows.retain(|row| row.state != ClockState::Paused && row.deadline.is_some_and(|at| at < now));
    rows.truncate(OVERDUE);
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let names = Names::load(&web.engine, BTreeSet::from([site.name().clone()])).await?;
    Ok(rows.iter().map(|row| line(site, &names, row, now)).collect())
}

fn line(site: &Site, names: &Names, row: &ClockRow, now: Timestamp) -> Overdue {
    let key = &row.record;
    let name = |owner: &OwnerId| names.get(&key.connection, owner).unwrap_or(owner.as_str()).to_owned();
    Overdue {
        name: if row.name.is_empty() { key.id.to_string() } else { row.name.clone() },
        story: super::record::path(key),
        url: url(site, key),
        clock: row.source.clone(),
        owner: row.owner.as_ref().map_or_else(|| "nobody".to_owned(), name),
        late: late(row.state, row.deadline, now),
        deadline: row.deadline.map_or_else(String::new, |at| at.in_zone(&site.agreement.zone())),
    }
}

/// How late it is; nothing where that is not known or time stands still.
fn late(state: ClockState, deadline: Option<Timestamp>, now: Timestamp) -> String {
    match deadline {
        Some(at) if at < now && state != ClockState::Paused => format!("{} late", now - at),
        _ => String::new(),
    }
}

/// Somebody's word about a promise.
#[derive(Deserialize)]
struct Word {
    connection: String,
    commitment: String,
    period: String,
    answer: Answer,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Yes,
    No,
}

async fn attest(web: Data<Web>, visitor: Visitor, word: Form<Word>) -> HttpResponse {
    let refuse = |status, why: &str| tell(&visitor, status, "This cannot be attested", why);
    let Some(site) = web.engine.site(&word.connection) else {
        return refuse(StatusCode::BAD_REQUEST, "No connection is called so.");
    };
    let given = Given {
        commitment: &word.commitment,
        period: Some(&word.period),
        is_kept: word.answer == Answer::Yes,
        note: None,
    };
    match say(&web, &visitor, &site, given).await {
        Ok(_) => {
            let back = address("/", &[("connection", site.name().as_str())]);
            HttpResponse::SeeOther().insert_header((header::LOCATION, back)).finish()
        }
        Err(Unsaid::Impossible(why)) => refuse(StatusCode::BAD_REQUEST, &why),
        Err(Unsaid::NotTheirs(why)) => refuse(StatusCode::FORBIDDEN, &why),
        Err(Unsaid::Unavailable(error)) => unavailable(&error),
    }
}
