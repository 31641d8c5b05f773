//! `leadpact parked`: what was given up is shown, tried again or dropped for good. Works beside the
//! daemon and while it is stopped; what it does is `engine/replay`'s.

use super::ConfigArguments;
use super::opened::{self, Opened, agreed, counted, now, past_moment, who};
use crate::engine::replay::{self, Said, Thing};
use crate::engine::switches::Told;
use crate::record::{ConnectionName, EffectKey};
use crate::store::outbox::Wanted;
use crate::store::{inbox, outbox};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// So many of each are shown.
const SHOWN: u32 = 200;

#[derive(Debug, Subcommand)]
pub enum ParkedCommand {
    /// Show what waits for a person: effects and deliveries, each with its last error.
    List(ListArguments),
    /// Have it tried again: one, or all of a stretch of time.
    Replay(ReplayArguments),
    /// Give one up for good.
    Drop(DropArguments),
}

#[derive(Debug, Args)]
pub struct ListArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name; all of them when absent.
    connection: Option<String>,
}

/// One thing, as `list` names it.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct Which {
    /// An effect by its key.
    #[arg(long, value_name = "KEY")]
    effect: Option<String>,
    /// A delivery, order or event by its id.
    #[arg(long, value_name = "ID")]
    delivery: Option<String>,
}

#[derive(Debug, Args)]
pub struct ReplayArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name.
    connection: String,
    #[command(flatten)]
    which: Which,
    /// All from then on: effects by when they were given up, deliveries by when they were received.
    #[arg(long, value_name = "TIME", conflicts_with_all = ["effect", "delivery"])]
    from: Option<String>,
    /// And before then; now, when absent.
    #[arg(long, value_name = "TIME", requires = "from")]
    until: Option<String>,
    /// Why, for the journal.
    #[arg(long, default_value = "")]
    why: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub struct DropArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name.
    connection: String,
    #[command(flatten)]
    which: Which,
    /// Why, for the journal.
    #[arg(long)]
    why: String,
}

impl Which {
    fn thing(&self) -> Option<Thing> {
        let effect = self.effect.as_ref().map(|key| Thing::Effect(EffectKey::new(key)));
        effect.or_else(|| self.delivery.clone().map(Thing::Row))
    }
}

/// Exit 1 when nothing was changed that was to be.
pub fn run(command: &ParkedCommand) -> Result<ExitCode> {
    match command {
        ParkedCommand::List(arguments) => list(arguments),
        ParkedCommand::Replay(arguments) => again(arguments),
        ParkedCommand::Drop(arguments) => give_up(arguments),
    }
}

fn list(arguments: &ListArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let names = match &arguments.connection {
            Some(name) => vec![opened.connection(name)?],
            None => opened.names(),
        };
        for name in &names {
            show(opened, name).await?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn show(opened: &Opened, name: &ConnectionName) -> Result<()> {
    let zone = opened.agreement(name).zone();
    let wanted = Wanted { connections: vec![name.clone()], states: vec!["parked"], ..Wanted::default() };
    let effects = outbox::page(&opened.db, &wanted, None, SHOWN).await?;
    let rows = inbox::parked(&opened.db, name, SHOWN).await?;
    let (some, others) = (counted(effects.len(), "effect"), counted(rows.len(), "delivery or event"));
    println!("{name}: {some}, {others} given up.");
    for one in effects {
        let outcome = one.row.outcome.as_deref().unwrap_or_default();
        println!("  {}  --effect '{}'\n      {}", one.updated.in_zone(&zone), one.row.effect.key, plain(outcome));
    }
    for row in rows {
        let (at, error) = (row.received_at.in_zone(&zone), row.error.as_deref().unwrap_or_default());
        println!("  {at}  --delivery {} ({})\n      {}", row.id, row.kind.as_str(), plain(error));
    }
    Ok(())
}

/// What others answered may hold anything; a line stays a line.
fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

fn chain(opened: &Opened, name: &ConnectionName) -> Result<Told> {
    let [chain] = &opened.chains(std::slice::from_ref(name))[..] else { bail!("one connection has one journal") };
    Ok(chain.clone())
}

fn said(why: &str) -> Said {
    Said { by: who(), why: why.to_owned() }
}

fn again(arguments: &ReplayArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let name = opened.connection(&arguments.connection)?;
        let (chain, said) = (chain(opened, &name)?, said(&arguments.why));
        if let Some(thing) = arguments.which.thing() {
            return Ok(told(replay::replay(&opened.db, &chain, &thing, &said, now()).await?, "It is tried again."));
        }
        let Some(from) = &arguments.from else { bail!("say what: --effect, --delivery, or --from a moment on") };
        let zone = opened.agreement(&name).zone();
        let from = past_moment(from, &zone, now())?;
        let until = arguments.until.as_deref().map_or(Ok(now()), |text| past_moment(text, &zone, now()))?;
        let parked = replay::parked_between(&opened.db, &chain, from, until).await?;
        println!("Given up between {} and {}: {} in all.", from.in_zone(&zone), until.in_zone(&zone), parked.all());
        if parked.all() == 0 || !agreed(&format!("Try {} again?", parked.all()), arguments.yes)? {
            println!("Nothing was changed.");
            return Ok(ExitCode::FAILURE);
        }
        let done = replay::replay_between(&opened.db, &chain, (from, until), &said, now()).await?;
        println!("{} tried again; effects leave once they were confirmed on a fresh read.", done.all());
        Ok(ExitCode::SUCCESS)
    })
}

fn give_up(arguments: &DropArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let name = opened.connection(&arguments.connection)?;
        let Some(thing) = arguments.which.thing() else { bail!("say what: --effect or --delivery") };
        if arguments.why.trim().is_empty() {
            bail!("say why: the journal keeps the reason");
        }
        let chain = chain(opened, &name)?;
        let done = replay::give_up(&opened.db, &chain, &thing, &said(&arguments.why), now()).await?;
        Ok(told(done, "It is given up for good."))
    })
}

fn told(done: bool, sentence: &str) -> ExitCode {
    if done {
        println!("{sentence}");
        return ExitCode::SUCCESS;
    }
    println!("Nothing was changed: it does not wait for anybody.");
    ExitCode::FAILURE
}
