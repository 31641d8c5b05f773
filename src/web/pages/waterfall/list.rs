//! `/waterfall/stage`: the records behind one bar, the newest first.

use super::super::super::Web;
use super::super::super::asked::{Asked, Unasked};
use super::super::super::people::Names;
use super::super::super::record::url;
use super::super::super::session::Visitor;
use super::super::choices::{address, refuse};
use super::super::{Nav, html, tell};
use crate::agreement::standing::PassKind;
use crate::document::words;
use crate::engine::reached::{self, Passes, Reached};
use crate::engine::{Site, measure};
use crate::record::{OwnerId, PartyName};
use crate::report::figures::Dimension;
use crate::report::terms::Terms;
use crate::report::window::Window;
use crate::store::entries::Before;
use crate::store::person;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

const ROWS: usize = 50;
/// A longer place was never given out.
const LONGEST: usize = 1024;

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
    let before = match wanted.after.as_deref().map(read) {
        Some(None) => return tell(&visitor, StatusCode::BAD_REQUEST, "No such page", "Begin again at the first page."),
        known => known.flatten(),
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

async fn page(web: &Web, visitor: &Visitor, wanted: &Wanted, before: Option<Before>) -> Result<Option<Page>, Unasked> {
    let asked = Asked { connection: wanted.connection.clone(), period: wanted.period.clone(), by: wanted.by.clone() };
    let (site, db) = (asked.site(web)?, &web.engine.db);
    let (terms, window, now) = measured_by(web, &site, &asked).await?;
    let agreement = terms.measuring(&window, now).clone();
    let Some(stage) = agreement.stages.iter().position(|s| s.name.as_str() == wanted.stage) else { return Ok(None) };
    let people = person::load_all(db, site.name()).await?;
    let names: HashMap<OwnerId, String> = people.into_iter().map(|p| (p.id, p.name)).collect();
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
        names: &names,
    };
    let is_first = before.is_none();
    let found = reached::page(db, &question, before, ROWS).await?;
    let known = Names::load(db, BTreeSet::from([site.name().clone()])).await?;
    let of = &agreement.stages[stage];
    let is_by_text = matches!(only, Some((Dimension::Source | Dimension::Campaign, _)));
    let is_opportunity = of.of == crate::record::Object::Opportunity;
    Ok(Some(Page {
        nav: Nav::at("/waterfall", visitor),
        term: of.term.clone(),
        means: of.means.clone(),
        period: window.to_string(),
        what: match passes {
            Passes::Deliveries => "Came to this stage for the first time, or were revived",
            Passes::Again => "Came back to this stage: recycled or returned",
            Passes::All => "Came to this stage",
        },
        only: only.map(|(_, value)| format!("{}: {}", wanted.by, if value.is_empty() { "(none)" } else { value })),
        note: (is_by_text && is_opportunity).then_some(
            "Opportunities are listed here by what stands on themselves; the chart counts them under the lead that they \
             were made of, where it says something else.",
        ),
        back: address("/waterfall", &[("connection", &wanted.connection), ("period", &wanted.period), ("by", &wanted.by)]),
        rows: found.rows.iter().map(|row| shown(&site, &known, &agreement.zone(), row)).collect(),
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
    fn address(&self, after: Option<&Before>) -> String {
        let after = after.map(write).unwrap_or_default();
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

/// The place as a word in an address.
fn write(place: &Before) -> String {
    // A moment and a text, which JSON can always hold.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

fn read(word: &str) -> Option<Before> {
    let bytes = URL_SAFE_NO_PAD.decode(word).ok().filter(|bytes| bytes.len() <= LONGEST)?;
    let place: Before = serde_json::from_slice(&bytes).ok()?;
    // PostgreSQL refuses to compare with it.
    Some(place).filter(|place| !place.id.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Timestamp;

    #[test]
    fn a_place_in_a_list_comes_back_from_its_word_and_no_other_word_is_one() {
        let place = Before { at: Timestamp::from_millis(7), id: "a/\"b".to_owned() };
        assert_eq!(read(&write(&place)), Some(place));
        assert_eq!(read("nonsense"), None);
        assert_eq!(read(&write(&Before { at: Timestamp::from_millis(7), id: "\0".to_owned() })), None);
    }
}
