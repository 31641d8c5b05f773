//! What waits for somebody: each in a line, with where it is done. What is asked here must be cheap: counts come from
//! the tally, lists are short and have an index.

use super::super::super::Web;
use super::super::super::attest::may_attest;
use super::super::super::routes::{self, Verb};
use super::super::super::session::Visitor;
use super::super::tally::Counts;
use crate::document::words;
use crate::engine::Site;
use crate::engine::attestation::{attested_by, remind_at};
use crate::engine::switches::Switches;
use crate::record::{ConnectionName, PartyName, Timestamp};
use crate::report::window::Window;
use crate::store::{StoreError, agreement, attestation, dispute, signature};

/// So many disputes are named one by one.
const NAMED: usize = 3;

/// One thing that waits.
pub struct Need {
    /// The badge: its class and its word.
    pub state: &'static str,
    pub word: &'static str,
    pub what: String,
    pub why: String,
    pub link: Option<Link>,
    /// What to run, where no page does it.
    pub command: Option<String>,
    pub attest: Option<Attest>,
}

pub struct Link {
    pub href: String,
    pub label: &'static str,
}

/// A promise that somebody attests to, by one of two buttons.
pub struct Attest {
    pub commitment: String,
    pub period: String,
    /// Whether the visitor may.
    pub is_allowed: bool,
}

impl Need {
    fn new((state, word): (&'static str, &'static str), what: String, why: String) -> Self {
        Self { state, word, what, why, link: None, command: None, attest: None }
    }

    /// Where it is done: a page, once there is one; else a command.
    fn at(self, path: &'static str, label: &'static str, command: String) -> Self {
        match has_page(path) {
            true => Self { link: Some(Link { href: path.to_owned(), label }), ..self },
            false => Self { command: Some(command), ..self },
        }
    }
}

fn has_page(path: &str) -> bool {
    routes::all().any(|entry| entry.path == path && entry.verb == Verb::Get)
}

/// Where all open clocks are listed, once there is such a page.
pub fn list_of_clocks() -> Option<&'static str> {
    has_page("/risk").then_some("/risk")
}

/// Everything that waits in a connection, what keeps others from working first.
///
/// # Errors
/// When the database cannot be read.
pub async fn needs(
    web: &Web,
    visitor: &Visitor,
    site: &Site,
    counts: Option<&Counts>,
) -> Result<Vec<Need>, StoreError> {
    let now = web.engine.clock.now();
    let mut all: Vec<Need> = paused(web, site, now).await?.into_iter().collect();
    all.extend(waiting(site, counts));
    all.extend(disputes(web, site).await?);
    all.extend(unattested(web, visitor, site, now).await?);
    all.extend(unsigned(web, site).await?);
    Ok(all)
}

async fn paused(web: &Web, site: &Site, now: Timestamp) -> Result<Option<Need>, StoreError> {
    let switches = Switches::read(&web.engine.db, site.name()).await?;
    let Some(row) = switches.pause(now) else { return Ok(None) };
    let until = row
        .until
        .map_or("until somebody resumes it".to_owned(), |t| format!("until {}", t.in_zone(&site.agreement.zone())));
    let why = if row.why.is_empty() { String::new() } else { format!(": {}", row.why) };
    let need = Need::new(
        ("paused", "paused"),
        format!("{} is paused {until}", site.name()),
        format!("By {}{why}. Clocks go on; nothing is sent or written.", row.by),
    );
    Ok(Some(need.at("/health", "Resume", format!("leadpact resume {}", site.name()))))
}

fn many(n: u64, one: &str, several: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {several}") }
}

/// What is held or given up, by the counts.
fn waiting(site: &Site, counts: Option<&Counts>) -> Vec<Need> {
    let name = site.name().as_str();
    let Some(of) = counts.and_then(|counts| counts.connections.iter().find(|c| c.name == name)) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    if of.held > 0 {
        let what = format!("{} held by the breaker", many(of.held, "move", "moves"));
        let why = "More leads were to be taken back at once than the agreement allows. Let them go, or give them up.";
        let need = Need::new(("held", "held"), what, why.to_owned());
        all.push(need.at("/deliveries", "Look and release", format!("leadpact release {name}")));
    }
    if of.parked_deliveries > 0 {
        let what = many(of.parked_deliveries, "delivery was parked", "deliveries were parked");
        let why = "What the CRM sent could not be applied; what changed there is unknown here until it is replayed.";
        let need = Need::new(("parked", "parked"), what, why.to_owned());
        all.push(need.at("/deliveries", "Look and replay", format!("leadpact doctor {name}")));
    }
    if of.parked_effects > 0 {
        let what = many(of.parked_effects, "effect was parked", "effects were parked");
        let why = "The CRM or a channel refused it for good. It is sent again once somebody says so.";
        let need = Need::new(("parked", "parked"), what, why.to_owned());
        all.push(need.at("/deliveries", "Look and send again", format!("leadpact doctor {name}")));
    }
    all
}

async fn disputes(web: &Web, site: &Site) -> Result<Vec<Need>, StoreError> {
    let waiting = dispute::undecided(&web.engine.db, site.name()).await?;
    let zone = site.agreement.zone();
    let more = waiting.len().saturating_sub(NAMED);
    let mut all: Vec<Need> = waiting
        .iter()
        .take(NAMED)
        .map(|row| {
            let due = row.step_due.map_or("all steps are over".to_owned(), |t| {
                format!("step {}, to be decided by {}", row.step, t.in_zone(&zone))
            });
            let what = format!("{} disputes {}: {due}", row.by, row.source);
            let need = Need::new(("open", "dispute"), what, row.why.clone());
            need.at("/disputes", "Decide", format!("leadpact dispute decide {}", row.id))
        })
        .collect();
    if more > 0 {
        let what = format!("{more} more disputes wait");
        let need = Need::new(("open", "dispute"), what, "The oldest are named above.".to_owned());
        all.push(need.at("/disputes", "See all", format!("leadpact dispute list --connection {}", site.name())));
    }
    Ok(all)
}

/// The agreement's own connection; `None` for the one that all others share.
fn own(site: &Site) -> Option<&ConnectionName> {
    site.connection.agreement.is_some().then(|| site.name())
}

/// Promises that nobody attested to: of the period before, and of this one once its end is near.
async fn unattested(web: &Web, visitor: &Visitor, site: &Site, now: Timestamp) -> Result<Vec<Need>, StoreError> {
    let (agreement, zone) = (&site.agreement, site.agreement.zone());
    let mut all = Vec::new();
    for (commitment, period) in agreement.commitments.iter().filter_map(|c| Some((c, attested_by(c)?))) {
        let running = Window::containing(period, now, &zone);
        for window in [running.before(&zone), running] {
            let is_due = remind_at(agreement, commitment, &window) <= now;
            if !is_due || window.until <= agreement.effective_at || now < agreement.effective_at {
                continue;
            }
            let name = window.to_string();
            if attestation::get(&web.engine.db, own(site), &commitment.name, &name).await?.is_some() {
                continue;
            }
            let what = format!("{}: kept in {name}?", commitment.name);
            let by = words::capital(&words::party(&commitment.by));
            let why = format!("{by} promised it; no CRM records it, so a person says so.");
            let is_allowed = may_attest(visitor, &commitment.by);
            let attest = Some(Attest { commitment: commitment.name.clone(), period: name, is_allowed });
            all.push(Need { attest, ..Need::new(("open", "attest"), what, why) });
        }
    }
    Ok(all)
}

/// Versions that were offered and wait for a signature.
async fn unsigned(web: &Web, site: &Site) -> Result<Vec<Need>, StoreError> {
    let db = &web.engine.db;
    let signatures = signature::of_offered(db, own(site)).await?;
    let mut all = Vec::new();
    for version in agreement::versions(db, own(site)).await? {
        if version.activated_at.is_some() || version.superseded_at.is_some() {
            continue;
        }
        let signed = |party: &PartyName| signatures.iter().any(|s| s.agreement == version.hash && s.party == *party);
        let missing: Vec<String> =
            version.signers.iter().flatten().filter(|party| !signed(party)).map(words::party).collect();
        if missing.is_empty() {
            continue;
        }
        let what = format!("{} ({}) is not signed yet", version.title, version.version);
        let why = format!("{} did not sign it.", words::capital(&words::join(&missing, "and")));
        let need = Need::new(("warning", "unsigned"), what, why);
        all.push(need.at("/agreement", "Read and sign", "leadpact agreement sign".to_owned()));
    }
    Ok(all)
}
