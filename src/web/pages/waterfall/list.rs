//! `/waterfall/stage`: the records behind one bar, the newest first; the API lists the same.

use super::super::super::Web;
use super::super::super::asked::{Asked, Unasked};
use super::super::super::cursor;
use super::super::super::people::Names;
use super::super::super::record::url;
use super::super::super::session::Visitor;
use super::super::choices::{address, refuse};
use super::super::{Nav, html, tell};
use crate::agreement::Agreement;
use crate::agreement::standing::PassKind;
use crate::document::words;
use crate::engine::reached::{self, Passes, Reached};
use crate::engine::{Site, measure};
use crate::record::{Object, OwnerId, PartyName};
use crate::report::figures::Dimension;
use crate::report::terms::Terms;
use crate::report::window::Window;
use crate::store::entries::Before;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use askama::Template;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;

const ROWS: usize = 50;
const BY_THEMSELVES: &str = "Opportunities are listed here by what stands on themselves; the chart counts them under the \
     lead that they were made of, where it says something else.";

/// The part of the address after `?`.
#[derive(Deserialize)]
pub struct Wanted {
    stage: String,
    #[serde(default)]
    connection: String,
    #[serde(default)]
    period: String,
    /// Empty for deliveries, `again` or `all`.
    #[serde(default)]
    passes: String,
    #[serde(default)]
    by: String,
    value: Option<String>,
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "waterfall_stage.html")]
struct Page {
    nav: Nav,
    term: String,
    means: String,
    period: String,
    what: &'static str,
    /// `campaign: Spring`
    only: Option<String>,
    note: Option<&'static str>,
    back: String,
    rows: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
}

struct Row {
    name: String,
    story: String,
    url: Option<String>,
    object: &'static str,
    at: String,
    pass: &'static str,
    party: String,
    owner: String,
}

pub async fn stage(web: Data<Web>, visitor: Visitor, wanted: Query<Wanted>) -> HttpResponse {
    let Ok(before) = wanted.before() else {
        return tell(&visitor, StatusCode::BAD_REQUEST, "No such page", "Begin again at the first page.");
    };
    match page(&web, &visitor, &wanted, before).await {
        Ok(Some(page)) => html(StatusCode::OK, &page),
        Ok(None) => {
            let text = "The agreement has no stage of that name, or the period is over which it had it.";
            tell(&visitor, StatusCode::NOT_FOUND, "There is no such stage", text)
        }
        Err(why) => refuse(&visitor, &why),
    }
}

/// What stands behind a bar, from one place of the list on.
pub struct Behind {
    pub site: Arc<Site>,
    /// The version that measures the period.
    pub agreement: Arc<Agreement>,
    /// The stage's place in it.
    pub stage: usize,
    pub window: Window,
    pub passes: Passes,
    pub found: reached::Page,
    pub names: Names,
    /// Set where opportunities are listed by what stands on themselves.
    pub note: Option<&'static str>,
}

/// The records behind the bar that is wanted. `None`: the agreement has no such stage.
///
/// # Errors
/// Connection, period or split that there is not; a database that does not answer.
pub async fn behind(
    web: &Web,
    wanted: &Wanted,
    before: Option<Before>,
    limit: usize,
) -> Result<Option<Behind>, Unasked> {
    let asked = Asked { connection: wanted.connection.clone(), period: wanted.period.clone(), by: wanted.by.clone() };
    let (site, db) = (asked.site(web)?, &web.engine.db);
    let (terms, window, now) = measured_by(web, &site, &asked).await?;
    let agreement = terms.measuring(&window, now).clone();
    let Some(stage) = agreement.stages.iter().position(|s| s.name.as_str() == wanted.stage) else { return Ok(None) };
    let names = Names::load(&web.engine, BTreeSet::from([site.name().clone()])).await?;
    let only = asked.dimension()?.zip(wanted.value.as_deref());
    let passes = match wanted.passes.as_str() {
        "again" => Passes::Again,
        "all" => Passes::All,
        _ => Passes::Deliveries,
    };
    let question = reached::Asked {
        connection: site.name(),
        agreement: &agreement,
        stage,
        window,
        since: terms.since(),
        passes,
        only,
        name_of: &|owner| names.get(site.name(), owner),
    };
    let found = reached::page(db, &question, before, limit).await?;
    let is_by_text = matches!(only, Some((Dimension::Source | Dimension::Campaign, _)));
    let note = (is_by_text && agreement.stages[stage].of == Object::Opportunity).then_some(BY_THEMSELVES);
    Ok(Some(Behind { site, agreement, stage, window, passes, found, names, note }))
}

async fn page(web: &Web, visitor: &Visitor, wanted: &Wanted, before: Option<Before>) -> Result<Option<Page>, Unasked> {
    let is_first = before.is_none();
    let Some(behind) = behind(web, wanted, before, ROWS).await? else { return Ok(None) };
    let Behind { site, agreement, found, names, .. } = &behind;
    let of = &agreement.stages[behind.stage];
    let only = wanted.value.as_deref().filter(|_| !wanted.by.is_empty());
    Ok(Some(Page {
        nav: Nav::at("/waterfall", visitor),
        term: of.term.clone(),
        means: of.means.clone(),
        period: behind.window.to_string(),
        what: match behind.passes {
            Passes::Deliveries => "Came to this stage for the first time, or were revived",
            Passes::Again => "Came back to this stage: recycled or returned",
            Passes::All => "Came to this stage",
        },
        only: only.map(|value| format!("{}: {}", wanted.by, if value.is_empty() { "(none)" } else { value })),
        note: behind.note,
        back: address(
            "/waterfall",
            &[("connection", &wanted.connection), ("period", &wanted.period), ("by", &wanted.by)],
        ),
        rows: found.rows.iter().map(|row| shown(site, names, &agreement.zone(), row)).collect(),
        first: (!is_first).then(|| wanted.address(None)),
        next: found.next.as_ref().map(|place| wanted.address(Some(place))),
    }))
}

async fn measured_by(
    web: &Web,
    site: &Arc<Site>,
    asked: &Asked,
) -> Result<(Terms, Window, crate::record::Timestamp), Unasked> {
    let db = &web.engine.db;
    let own = site.connection.agreement.is_some().then(|| site.name());
    let terms = measure::terms(db, own, &site.agreement).await?;
    let now = measure::known_until(db, site.name(), web.engine.clock.now()).await?;
    let window = Window::named(asked.period(), now, &terms.zone()).ok_or(Unasked::NoSuchPeriod)?;
    Ok((terms, window, now))
}

impl Wanted {
    /// Where the list goes on.
    ///
    /// # Errors
    /// A place that we did not give out.
    pub fn before(&self) -> Result<Option<Before>, cursor::Unknown> {
        cursor::asked(self.after.as_deref())
    }

    fn address(&self, after: Option<&Before>) -> String {
        let after = after.map(cursor::write).unwrap_or_default();
        let value = self.value.as_deref().unwrap_or_default();
        let path = address(
            "/waterfall/stage",
            &[
                ("stage", &self.stage),
                ("connection", &self.connection),
                ("period", &self.period),
                ("passes", &self.passes),
                ("by", &self.by),
                ("value", value),
                ("after", &after),
            ],
        );
        if self.value.as_deref() == Some("") { format!("{path}&value=") } else { path }
    }
}

fn shown(site: &Site, names: &Names, zone: &TimeZone, row: &Reached) -> Row {
    let name = |owner: &OwnerId| names.get(&row.key.connection, owner).unwrap_or(owner.as_str()).to_owned();
    Row {
        name: row.name.clone(),
        story: super::super::record::path(&row.key),
        url: url(site, &row.key),
        object: row.key.object.as_str(),
        at: row.at.in_zone(zone),
        pass: match row.kind {
            PassKind::First => "first",
            PassKind::Revived => "revived",
            PassKind::Recycled => "recycled",
            PassKind::Returned => "returned",
        },
        party: row.party.as_ref().map(|party: &PartyName| words::party(party)).unwrap_or_default(),
        owner: row.owner.as_ref().map_or_else(|| "nobody".to_owned(), name),
    }
}
