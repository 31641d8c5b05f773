//! How the connections stand: what keeps one from doing what was agreed, for the first page and the API.

use super::{Web, answer};
use crate::engine::context::Site;
use crate::engine::deliver::{Streaks, streaks};
use crate::engine::switches::Switches;
use crate::record::Timestamp;
use crate::store::StoreError;
use crate::store::switch::SwitchRow;
use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value as Json, json};

/// What somebody has to look after, said at the top of the first page.
pub struct Trouble {
    pub heading: String,
    pub text: String,
    /// What to run.
    pub command: String,
}

/// `GET /api/v1/connections`
pub async fn list(web: Data<Web>) -> HttpResponse {
    let mut all = Vec::new();
    for site in web.engine.sites() {
        match shown(&web, &site).await {
            Ok(shown) => all.push(shown),
            Err(error) => return answer::unavailable(&error),
        }
    }
    HttpResponse::Ok().json(json!({ "connections": all }))
}

/// How one connection stands.
///
/// # Errors
/// When the database cannot be read.
pub async fn shown(web: &Web, site: &Site) -> Result<Json, StoreError> {
    Ok(stands(web, site).await?.as_json(site, web.engine.clock.now()))
}

/// What keeps connections from doing what was agreed.
///
/// # Errors
/// When the database cannot be read.
pub async fn troubles(web: &Web) -> Result<Vec<Trouble>, StoreError> {
    let mut all = Vec::new();
    for site in web.engine.sites() {
        all.extend(stands(web, &site).await?.troubles(&site));
    }
    Ok(all)
}

struct Stands {
    switches: Switches,
    refused: Streaks,
}

async fn stands(web: &Web, site: &Site) -> Result<Stands, StoreError> {
    let db = &web.engine.db;
    Ok(Stands { switches: Switches::read(db, site.name()).await?, refused: streaks(db, site.name()).await? })
}

impl Stands {
    fn as_json(&self, site: &Site, now: Timestamp) -> Json {
        let since = |row: Option<&SwitchRow>| row.map(|r| json!({ "since": r.at.to_string(), "why": r.why }));
        let held = self.refused.iter().filter_map(|(policy, streak)| {
            let since = streak.held?.to_string();
            Some(json!({ "policy": policy, "since": since, "why": streak.message }))
        });
        json!({
            "connection": site.name(),
            "acts": self.switches.acts(site),
            "armed": self.switches.is_armed(),
            "paused": self.switches.pause(now).map(|row| json!({
                "since": row.at.to_string(),
                "until": row.until.map(|until| until.to_string()),
                "everywhere": row.connection.is_none(),
                "by": row.by,
                "why": row.why,
            })),
            "breaker": since(self.switches.breaker().filter(|row| row.on)),
            "signed_out": since(self.switches.signed_out()),
            "clocks_apart": since(self.switches.clocks_apart()),
            "refused": held.collect::<Vec<_>>(),
        })
    }

    fn troubles(&self, site: &Site) -> Vec<Trouble> {
        let (name, zone) = (site.name(), site.agreement.zone());
        let out = self.switches.signed_out().map(|row| Trouble {
            heading: format!("{name} is signed out"),
            text: format!(
                "The CRM refuses leadpact's credentials since {}: {}. Nothing is written there, clocks go on counting. \
                 Sign in again, or renew the token in the configuration and restart. What the CRM says:",
                row.at.in_zone(&zone),
                row.why
            ),
            command: format!("leadpact doctor {name}"),
        });
        let apart = self.switches.clocks_apart().map(|row| Trouble {
            heading: format!("The clocks do not agree: nothing is done in {name}"),
            text: format!(
                "Since {}, {}. It goes on by itself once both agree within five minutes. How far they are apart now:",
                row.at.in_zone(&zone),
                row.why
            ),
            command: format!("leadpact doctor {name}"),
        });
        let held = self.refused.iter().filter_map(|(policy, streak)| {
            let since = streak.held?.in_zone(&zone);
            Some(Trouble {
                heading: format!("{policy} is held in {name}"),
                text: format!(
                    "The CRM refuses it, for one record after the other since {since}: {}. Once that is mended, let go \
                     what is held:",
                    streak.message
                ),
                command: format!("leadpact release {name}"),
            })
        });
        out.into_iter().chain(apart).chain(held).collect()
    }
}
