//! `leadpact release`: what the breaker holds is shown, and let go or given up. Works beside the
//! daemon and while it is stopped.

use super::ConfigArguments;
use super::opened::{self, People, agreed, by_party, counted, now, who};
use crate::engine::deliver::streaks;
use crate::engine::held::{Decision, decide, of_record};
use crate::engine::switches::Switches;
use crate::record::{EffectKey, Object};
use crate::store::outbox::{self, WaitingMove};
use anyhow::{Context, Result, bail};
use clap::Args;
use jiff::tz::TimeZone;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct ReleaseArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name.
    connection: String,
    /// Only show what is held, record by record.
    #[arg(long, conflicts_with_all = ["discard", "yes"])]
    list: bool,
    /// Give it up: the records stay where they are.
    #[arg(long)]
    discard: bool,
    /// Only these records: `lead` or `opportunity`, and ids in the CRM.
    #[arg(long, num_args = 2.., value_names = ["OBJECT", "ID"])]
    only: Option<Vec<String>>,
    /// Why, for the journal.
    #[arg(long, default_value = "")]
    why: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Exit 1 when nothing was decided.
pub fn run(arguments: &ReleaseArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let name = opened.connection(&arguments.connection)?;
        let zone = opened.agreement(&name).zone();
        let people = opened.people(&name).await?;
        let holds = Switches::read(&opened.db, &name).await?.breaker().filter(|row| row.on).cloned();
        match &holds {
            Some(row) => println!("The breaker holds since {}: {}.", row.at.in_zone(&zone), row.why),
            None => println!("The breaker of {name} does not hold."),
        }
        for (policy, streak) in streaks(&opened.db, &name).await? {
            if let Some(since) = streak.held {
                println!("`{policy}` is held since {}: the CRM refused it, {}.", since.in_zone(&zone), streak.message);
            }
        }
        let held = outbox::held(&opened.db, &name).await?;
        let named = match &arguments.only {
            None => None,
            Some(words) => Some(these(&held, words)?),
        };
        let chosen: Vec<&WaitingMove> =
            held.iter().filter(|one| named.as_ref().is_none_or(|keys| keys.contains(&one.effect.key))).collect();
        let rows = chosen.iter().map(|one| (one.party.as_ref(), one.owner.as_ref()));
        by_party(&counted(chosen.len(), "held move"), rows, &people);
        if arguments.list {
            chosen.iter().for_each(|one| print(one, &people, &zone));
            return Ok(ExitCode::SUCCESS);
        }
        if chosen.is_empty() && holds.is_none() {
            return Ok(ExitCode::SUCCESS);
        }
        let what = if arguments.discard { "Give up" } else { "Let go" };
        if !agreed(&format!("{what} {}?", counted(chosen.len(), "held move")), arguments.yes)? {
            println!("Nothing was changed.");
            return Ok(ExitCode::FAILURE);
        }
        let decision = Decision { discard: arguments.discard, by: who(), why: arguments.why.clone() };
        let [chain] = &opened.chains(std::slice::from_ref(&name))[..] else { bail!("one connection has one journal") };
        let decided = decide(&opened.db, chain, named.as_deref(), &decision, now()).await?;
        let done = if arguments.discard {
            "given up: the records stay where they are"
        } else {
            "let go: each leaves once it was confirmed again, at the agreed pace"
        };
        println!("{} {done}.", counted(decided.effects, "move"));
        if decided.closed {
            println!("The breaker counts afresh.");
        } else if holds.is_some() {
            println!("The breaker goes on holding every recycle until nothing is held any more.");
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// The held moves of the records that are named.
fn these(held: &[WaitingMove], words: &[String]) -> Result<Vec<EffectKey>> {
    let (object, ids) = words.split_first().context("name an object and ids")?;
    let object = Object::parse(object).context("the object is `lead` or `opportunity`")?;
    let of = |id: &String| {
        let keys = of_record(held, object, id);
        if keys.is_empty() { bail!("nothing is held of {object} {id}") } else { Ok(keys) }
    };
    Ok(ids.iter().map(of).collect::<Result<Vec<_>>>()?.concat())
}

fn print(one: &WaitingMove, people: &People, zone: &TimeZone) {
    let (effect, since) = (&one.effect, one.since.in_zone(zone));
    let (object, id, owner) = (effect.record.object, &effect.record.id, people.name(one.owner.as_ref()));
    println!(
        "  {object} {id}  {}: {} by {}, of {owner}, held since {since}",
        one.name,
        effect.action.as_str(),
        effect.source
    );
}
