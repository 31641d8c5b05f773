//! `leadpact dispute`: somebody thinks a breach, rejection or violation wrong and says why; others
//! decide. The daemon tells them, and climbs the agreement's steps.

use super::{ConfigArguments, color, open_store};
use crate::agreement::Agreement;
use crate::app::{Agreements, read_configuration};
use crate::engine::clock::real_now;
use crate::engine::dispute::{Ruling, decide, disputable, open};
use crate::record::{Fact, Object, OwnerId, RecordKey};
use crate::report::story::Reader;
use crate::report::words;
use crate::settings::Settings;
use crate::store::dispute::{self, DisputeRow};
use crate::store::{Db, journal, person};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use std::process::ExitCode;

/// `dispute list` shows so many of a connection.
const LISTED: u32 = 100;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct DisputeArguments {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name.
    #[arg(required = true)]
    connection: Option<String>,
    /// `lead` or `opportunity`.
    #[arg(required = true)]
    object: Option<String>,
    /// The record's id in the CRM.
    #[arg(required = true)]
    id: Option<String>,
    /// Which fact, by its number in the list or by its key, where the record has several.
    #[arg(long, value_name = "KEY")]
    fact: Option<String>,
    /// Only show what can be disputed.
    #[arg(long)]
    list: bool,
    /// Who disputes it.
    #[arg(long, value_name = "WHO", required_unless_present = "list")]
    by: Option<String>,
    #[arg(long, value_name = "TEXT", required_unless_present = "list")]
    why: Option<String>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Uphold a dispute (the fact does not count) or dismiss it (it stands).
    Decide {
        #[command(flatten)]
        config: ConfigArguments,
        /// The dispute's id.
        id: String,
        #[arg(long, value_enum)]
        verdict: Verdict,
        #[arg(long, value_name = "WHO")]
        by: String,
        #[arg(long, value_name = "TEXT")]
        why: String,
    },
    /// Give a dispute up.
    Withdraw {
        #[command(flatten)]
        config: ConfigArguments,
        /// The dispute's id.
        id: String,
        #[arg(long, value_name = "WHO")]
        by: String,
        #[arg(long, value_name = "TEXT", default_value = "")]
        why: String,
    },
    /// Show disputes, the newest first.
    List {
        #[command(flatten)]
        config: ConfigArguments,
        /// Of this connection only.
        connection: Option<String>,
        /// Decided ones too.
        #[arg(long)]
        all: bool,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Verdict {
    Upheld,
    Dismissed,
}

/// A configuration with its database.
struct House {
    settings: Settings,
    agreements: Agreements,
    db: Db,
}

pub fn run(arguments: &DisputeArguments) -> Result<ExitCode> {
    let config = match &arguments.what {
        Some(What::Decide { config, .. } | What::Withdraw { config, .. } | What::List { config, .. }) => config,
        None => &arguments.config,
    };
    let Some((settings, agreements, _)) = read_configuration(&config.config, color()) else {
        return Ok(ExitCode::FAILURE);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let db = open_store(&settings).await?;
        let house = House { settings, agreements, db };
        let done = match &arguments.what {
            Some(What::Decide { id, verdict, by, why, .. }) => {
                let ruling = match verdict {
                    Verdict::Upheld => Ruling::Upheld,
                    Verdict::Dismissed => Ruling::Dismissed,
                };
                house.rule(id, ruling, by, why).await
            }
            Some(What::Withdraw { id, by, why, .. }) => house.rule(id, Ruling::Withdrawn, by, why).await,
            Some(What::List { connection, all, .. }) => house.list(connection.as_deref(), *all).await,
            None => house.dispute(arguments).await,
        };
        house.db.close().await;
        done.map(|()| ExitCode::SUCCESS)
    })
}

impl House {
    async fn dispute(&self, arguments: &DisputeArguments) -> Result<()> {
        let given = |text: &Option<String>| text.clone().unwrap_or_default();
        let connection = super::connection(&self.settings, &given(&arguments.connection))?;
        let object = Object::parse(&given(&arguments.object)).context("the object is `lead` or `opportunity`")?;
        let name = connection.name.clone();
        let key = RecordKey { connection: name, object, id: connection.record_id(&given(&arguments.id)) };
        let agreement = &*self.agreements.of(&key.connection).agreement;
        let rows = journal::of_record(&self.db, &key).await?;
        let facts = disputable(&rows);
        if facts.is_empty() {
            bail!("nothing about {key} can be disputed: it has no breach, rejection or violation");
        }
        let listed = self.listed(agreement, &key, &facts).await?;
        if arguments.list {
            println!("What can be disputed about {key}:\n{listed}");
            return Ok(());
        }
        let fact = chosen(&facts, arguments.fact.as_deref(), &listed)?;
        let words = (given(&arguments.by), given(&arguments.why));
        let row = open(&self.db, agreement, &key, fact, (&words.0, &words.1), real_now()).await?;
        println!("Disputed: {}", row.id);
        let zone = agreement.zone_of(row.party.as_ref());
        if let (Some(due), Some(step)) = (row.step_due, agreement.resolutions.first()) {
            let who = crate::engine::reach::in_words(&step.who, row.party.as_ref());
            println!("Asked to decide by {}: {who}. The daemon tells them.", due.in_zone(&zone));
        }
        Ok(())
    }

    /// The facts in sentences, numbered, each with its key.
    async fn listed(&self, agreement: &Agreement, key: &RecordKey, facts: &[&Fact]) -> Result<String> {
        let people = person::load_all(&self.db, &key.connection).await?;
        let names = person::called(&people);
        let (zone, name_of) = (agreement.zone(), |id: &OwnerId| names.get(id).cloned());
        let reader = Reader { agreement, zone: &zone, name_of: &name_of };
        let line = |(n, fact): (usize, &&Fact)| {
            format!(
                "{:>3}  {}  {}\n     --fact '{}'",
                n + 1,
                fact.at.in_zone(&zone),
                words::sentence(&reader, fact),
                fact.key()
            )
        };
        Ok(facts.iter().enumerate().map(line).collect::<Vec<_>>().join("\n"))
    }

    async fn rule(&self, id: &str, ruling: Ruling, by: &str, why: &str) -> Result<()> {
        let row = dispute::find(&self.db, id.trim()).await?;
        let row = row.with_context(|| format!("there is no dispute `{id}`; `leadpact dispute list` shows them"))?;
        let agreement = &*self.agreements.of(&row.record.connection).agreement;
        let is = decide(&self.db, agreement, &row, ruling, (by, why), real_now()).await?;
        println!("{}: {}. {}", is.id, is.state.as_str(), meaning(ruling));
        Ok(())
    }

    async fn list(&self, connection: Option<&str>, all: bool) -> Result<()> {
        let only = connection.map(|name| super::connection(&self.settings, name)).transpose()?;
        let mut shown = 0;
        for connection in self.settings.connections.iter().filter(|c| only.is_none_or(|only| only.name == c.name)) {
            let rows = dispute::newest(&self.db, &connection.name, LISTED).await?;
            for row in rows.iter().filter(|row| all || row.state.is_open()) {
                println!("{}", shown_row(&self.agreements.of(&connection.name).agreement, row));
                shown += 1;
            }
        }
        if shown == 0 {
            println!("Nothing is disputed.");
        }
        Ok(())
    }
}

fn meaning(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Upheld => "What was disputed does not count any more.",
        Ruling::Dismissed => "What was disputed stands.",
        Ruling::Withdrawn => "What was disputed stands, as if nobody had disputed it.",
    }
}

/// The one fact that is meant.
fn chosen<'f>(facts: &[&'f Fact], named: Option<&str>, listed: &str) -> Result<&'f Fact> {
    match (facts, named) {
        ([only], None) => Ok(only),
        (_, None) => bail!("say which with --fact:\n{listed}"),
        (_, Some(named)) => {
            let numbered = named.parse::<usize>().ok().and_then(|n| facts.get(n.checked_sub(1)?));
            let keyed = facts.iter().rfind(|fact| fact.key() == named);
            numbered.or(keyed).copied().with_context(|| format!("no fact is called `{named}`; there are:\n{listed}"))
        }
    }
}

fn shown_row(agreement: &Agreement, row: &DisputeRow) -> String {
    let zone = agreement.zone_of(row.party.as_ref());
    let state = match (row.step_due, &row.decided_by) {
        (Some(due), _) => {
            format!("step {} of {}, until {}", row.step, agreement.resolutions.len(), due.in_zone(&zone))
        }
        (None, Some(by)) => {
            let why = row.verdict.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            format!("{} by {by}{why}", row.state.as_str())
        }
        (None, None) => format!("{}: nobody decided", row.state.as_str()),
    };
    let (what, source) = (row.kind.as_str().replace('_', " "), &row.source);
    let head = format!("{}  {}  {what} of {}: {source}", row.id, row.opened_at.in_zone(&zone), row.record);
    format!("{head}\n    by {}: {}\n    {state}", row.by, row.why)
}
