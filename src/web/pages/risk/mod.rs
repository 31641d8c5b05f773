//! `/risk`: the open clocks of all connections by the time that is left, soonest first, with what
//! happens next. What is asked for is in `filter`, a line in `row`, the counts above in `groups`.

mod filter;
pub mod groups;
mod row;

pub use filter::{Asked, rows};
pub use row::next_in_words;

use super::super::people::Names;
use super::super::routes::{Entry, get};
use super::super::session::Visitor;
use super::super::{Web, cursor};
use super::tally::Counts;
use super::{Nav, html, tell, unavailable};
use crate::record::{ConnectionName, OwnerId};
use crate::store::StoreError;
use crate::store::clock::After;
use crate::store::role::Permission;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use askama::Template;
use filter::{STATES, WITHIN};
use groups::Groups;
use row::Row;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) const ROUTES: &[Entry] = &[get("/risk", Permission::Look, |route| route.to(risk))];

const ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "risk.html")]
struct Page {
    nav: Nav,
    /// `None` while they are counted for the first time, as below.
    counts: Option<Arc<Counts>>,
    groups: Option<Arc<Groups>>,
    asked: Asked,
    fields: Vec<Field>,
    rows: Vec<Row>,
    /// The address of the next page.
    next: Option<String>,
    first: String,
    is_first: bool,
    /// Where this page is asked for again, to stay fresh.
    here: String,
    /// Where CRMs send their webhooks, for when there is nothing to show yet.
    webhooks: Vec<String>,
}

/// One choice of the form.
struct Field {
    name: &'static str,
    label: &'static str,
    /// Value, what it is called, whether it is chosen.
    options: Vec<(String, String, bool)>,
}

async fn risk(web: Data<Web>, visitor: Visitor, asked: Query<Asked>) -> HttpResponse {
    let place = match asked.after.as_deref().map(cursor::read) {
        Some(None) => {
            return tell(&visitor, StatusCode::BAD_REQUEST, "No such page", "Begin again at the first page.");
        }
        known => known.flatten(),
    };
    if let Err(why) = asked.check(&web.engine) {
        return tell(&visitor, StatusCode::BAD_REQUEST, "Nothing can be looked for so", &why);
    }
    match page(&web, &visitor, asked.into_inner(), place.as_ref()).await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(error) => unavailable(&error),
    }
}

async fn page(web: &Web, visitor: &Visitor, asked: Asked, place: Option<&After>) -> Result<Page, StoreError> {
    let now = web.engine.clock.now();
    let mut found = rows(&web.engine, &asked, place, now, ROWS + 1).await?;
    let more = found.len() > ROWS as usize;
    found.truncate(ROWS as usize);
    let next = found.last().filter(|_| more).map(|row| asked.address("/risk", Some(&cursor::write(&row.place()))));
    let (counts, groups) = tokio::join!(web.tally.counts(web), web.risk.groups(web));
    let fields = fields(web, &asked, groups.as_deref()).await?;
    Ok(Page {
        nav: Nav::at("/risk", visitor),
        counts,
        groups,
        fields,
        rows: row::shown(&web.engine, &found, now).await?,
        next,
        first: asked.address("/risk", None),
        is_first: place.is_none(),
        here: asked.address("/risk", asked.after.as_deref()),
        webhooks: web.engine.sites().iter().map(|s| format!("{}/webhooks/{}", web.public_base, s.name())).collect(),
        asked,
    })
}

async fn fields(web: &Web, asked: &Asked, groups: Option<&Groups>) -> Result<Vec<Field>, StoreError> {
    let sites = web.engine.sites();
    let connections: BTreeSet<ConnectionName> = sites.iter().map(|s| s.name().clone()).collect();
    let names = Names::load(&web.engine, connections.clone()).await?;
    let parties: BTreeSet<&str> =
        sites.iter().flat_map(|s| s.agreement.clocks.iter().map(|clock| clock.party.as_str())).collect();
    let clocks: BTreeSet<&str> =
        sites.iter().flat_map(|s| s.agreement.clocks.iter().map(|clock| &*clock.name)).collect();
    let same = |text: &str| (text.to_owned(), text.to_owned());
    let plain = |party: &str| (party.to_owned(), party.replace('_', " "));
    let pair = |(value, label): &(&str, &str)| (value.to_string(), label.to_string());
    let called =
        |id: &OwnerId, connection: &ConnectionName| names.get(connection, id).unwrap_or(id.as_str()).to_owned();
    let mut owners: Vec<(String, String)> = groups
        .iter()
        .flat_map(|groups| &groups.owners)
        .map(|g| (g.owner.to_string(), format!("{} ({})", called(&g.owner, &g.connection), g.runs)))
        .collect();
    owners.sort_by_key(|(_, name)| name.to_lowercase());
    let mut fields = vec![
        field("owner", "Owner", &asked.owner, owners),
        field("party", "Party", &asked.party, parties.into_iter().map(plain).collect()),
        field("clock", "Clock", &asked.clock, clocks.into_iter().map(same).collect()),
        field("state", "State", &asked.state, STATES.iter().map(pair).collect()),
        field("due", "Due within", &asked.due, WITHIN.iter().map(pair).collect()),
    ];
    if connections.len() > 1 {
        let options = connections.iter().map(|name| same(name.as_str())).collect();
        fields.push(field("connection", "Connection", &asked.connection, options));
    }
    Ok(fields)
}

/// What is chosen can be seen, be it among the options or not.
fn field(name: &'static str, label: &'static str, chosen: &str, mut options: Vec<(String, String)>) -> Field {
    if !chosen.is_empty() && !options.iter().any(|(value, _)| value == chosen) {
        options.push((chosen.to_owned(), chosen.to_owned()));
    }
    let options = options.into_iter().map(|(value, label)| (value.clone(), label, value == chosen)).collect();
    Field { name, label, options }
}
