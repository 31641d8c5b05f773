//! What the commands that look into a running house share: the configuration read, the database
//! opened, a connection found, who asks, moments as people write them, and the question before
//! anything is changed.

use super::{ConfigArguments, color};
use crate::agreement::Agreement;
use crate::app::{Agreements, read_configuration};
use crate::engine::clock::real_now;
use crate::engine::moment::{back, to_come};
use crate::engine::switches::Told;
use crate::record::{ConnectionName, OwnerId, PartyName, RecordId, Timestamp};
use crate::settings::Settings;
use crate::store::{Db, OpenOptions, StoreError, person};
use anyhow::{Context, Result, bail};
use jiff::tz::TimeZone;
use secrecy::ExposeSecret;
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

/// A configuration with its database.
pub struct Opened {
    pub settings: Settings,
    pub agreements: Agreements,
    pub db: Db,
}

/// Runs a command on the opened house; exit 1 where the configuration is wrong, which was printed.
pub fn run(config: &ConfigArguments, command: impl AsyncFnOnce(&Opened) -> Result<ExitCode>) -> Result<ExitCode> {
    let Some((settings, agreements, _)) = read_configuration(&config.config, color()) else {
        return Ok(ExitCode::FAILURE);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let url = settings.store.url.expose_secret();
        let db = Db::open(url, &OpenOptions::default()).await.context("the database cannot be used")?;
        let opened = Opened { settings, agreements, db };
        let done = command(&opened).await;
        opened.db.close().await;
        done
    })
}

impl Opened {
    /// The connection of that name.
    pub fn connection(&self, name: &str) -> Result<ConnectionName> {
        let name = ConnectionName::new(name);
        if self.settings.connection(&name).is_none() {
            let known: Vec<&str> = self.settings.connections.iter().map(|c| c.name.as_str()).collect();
            bail!("no connection is called `{name}`; there are: {}", known.join(", "));
        }
        Ok(name)
    }

    /// A record's id as it was typed, in the form that its CRM's records are known by.
    pub fn record_id(&self, name: &ConnectionName, typed: &str) -> RecordId {
        self.settings.connection(name).map_or_else(|| RecordId::new(typed), |c| c.record_id(typed))
    }

    /// The same of an owner's id; an e-mail address stays as it is.
    pub fn owner_id(&self, name: &ConnectionName, typed: &str) -> OwnerId {
        self.settings.connection(name).map_or_else(|| OwnerId::new(typed), |c| c.owner_id(typed))
    }

    /// All connections of the configuration.
    pub fn names(&self) -> Vec<ConnectionName> {
        self.settings.connections.iter().map(|c| c.name.clone()).collect()
    }

    pub fn agreement(&self, name: &ConnectionName) -> &Arc<Agreement> {
        &self.agreements.of(name).agreement
    }

    /// The journals that are told of a setting.
    pub fn chains(&self, names: &[ConnectionName]) -> Vec<Told> {
        names.iter().map(|name| (name.clone(), self.agreement(name).hash.to_string())).collect()
    }

    /// What people are called, by owner id.
    pub async fn people(&self, name: &ConnectionName) -> Result<People, StoreError> {
        let rows = person::load_all(&self.db, name).await?;
        Ok(People(person::called(&rows)))
    }
}

/// What owners are called.
pub struct People(HashMap<OwnerId, String>);

impl People {
    pub fn name(&self, owner: Option<&OwnerId>) -> String {
        let Some(id) = owner else { return "nobody".to_owned() };
        self.0.get(id).map_or_else(|| id.to_string(), |name| format!("{name} ({id})"))
    }
}

/// Who asks: the operating system's name of the user.
pub fn who() -> String {
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok().filter(|u| !u.is_empty()));
    user.unwrap_or_else(|| "the command line".to_owned())
}

/// Asks before something is changed; `yes` answers for people who are not there to be asked.
pub fn agreed(question: &str, yes: bool) -> Result<bool> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        bail!("{question} Nobody is there to answer: say --yes");
    }
    print!("{question} [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

/// A moment to come, as people write it: see [`crate::engine::moment::to_come`].
pub fn moment(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp> {
    to_come(text, zone, now).map_err(anyhow::Error::msg)
}

/// A moment that is over, or not; a length counts back from now.
pub fn past_moment(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Timestamp> {
    back(text, zone, now).map_err(anyhow::Error::msg)
}

/// The wall clock: commands work beside a daemon that runs by it.
pub fn now() -> Timestamp {
    real_now()
}

/// `3 leads`, `1 lead`.
pub fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Prints how many there are of each party and owner.
pub fn by_party<'a>(
    title: &str,
    rows: impl Iterator<Item = (Option<&'a PartyName>, Option<&'a OwnerId>)>,
    people: &People,
) {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (party, owner) in rows {
        let party = party.map_or_else(|| "no party".to_owned(), |p| p.as_str().replace('_', " "));
        *counts.entry((party, people.name(owner))).or_default() += 1;
    }
    println!("{title}{}", if counts.is_empty() { "." } else { ":" });
    for ((party, owner), n) in counts {
        println!("  {n:>6}  {party}, {owner}");
    }
}
