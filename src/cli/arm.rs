//! `leadpact arm` and `leadpact disarm`: whether a connection acts, where the configuration names no
//! mode. Before it is armed it is shown what would move.

use super::ConfigArguments;
use super::opened::{self, Opened, agreed, by_party, counted, now, who};
use crate::engine::arming::{Arming, Outlook, fixed, outlook, set};
use crate::record::{ConnectionName, EffectKey, PartyName, Timestamp};
use crate::store::signature;
use anyhow::{Result, bail};
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct ArmArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name.
    connection: String,
    /// Also make the moves that were missed while it observed, where they are still due.
    #[arg(long)]
    include_overdue: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Why, for the journal.
    #[arg(long, default_value = "")]
    why: String,
}

#[derive(Debug, Args)]
pub struct DisarmArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name.
    connection: String,
    /// Why, for the journal.
    #[arg(long, default_value = "")]
    why: String,
}

/// Shows what would move, asks, and arms.
pub fn arm(arguments: &ArmArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let name = switchable(opened, &arguments.connection)?;
        let at = now();
        let outlook = outlook(&opened.db, opened.agreement(&name), &name, at).await?;
        show(opened, &name, &outlook).await?;
        let missed = outlook.missed;
        if outlook.is_armed {
            println!("{name} is armed already.");
            if !arguments.include_overdue {
                return Ok(ExitCode::SUCCESS);
            }
        }
        let moves = if arguments.include_overdue { missed.len() } else { 0 };
        let question = format!("Let {name} act from now on{}?", also(moves));
        if !agreed(&question, arguments.yes)? {
            println!("Nothing was changed.");
            return Ok(ExitCode::FAILURE);
        }
        let keys: Vec<EffectKey> = missed.into_iter().take(moves).map(|one| one.effect.key).collect();
        let reissued = switch(opened, &name, true, &arguments.why, &keys, at).await?;
        println!("{name} is armed: it acts on the steps that fall due from now on{}.", also(reissued));
        if at < opened.agreement(&name).effective_at {
            println!("The agreement is not in effect yet; until then it goes on observing.");
        }
        let unsigned = unsigned(opened, &name).await?;
        if opened.settings.require_signatures && !unsigned.is_empty() {
            println!("It goes on observing until both sides have signed, which is still to be done:");
            unsigned.iter().for_each(|party| println!("  leadpact agreement sign --party {party}"));
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// The parties whose signature under the agreement of the file is missing.
async fn unsigned(opened: &Opened, name: &ConnectionName) -> Result<Vec<PartyName>> {
    let agreement = opened.agreement(name);
    let signed = signature::of(&opened.db, &agreement.hash).await?;
    let parties = agreement.parties.iter().filter(|party| party.signs.is_some()).map(|party| party.name.clone());
    Ok(parties.filter(|party| signed.iter().all(|one| one.party != *party)).collect())
}

pub fn disarm(arguments: &DisarmArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let name = switchable(opened, &arguments.connection)?;
        switch(opened, &name, false, &arguments.why, &[], now()).await?;
        println!("{name} is disarmed: it observes. What would be done is journalled, nothing is written.");
        Ok(ExitCode::SUCCESS)
    })
}

fn also(moves: usize) -> String {
    match moves {
        0 => String::new(),
        n => format!(", and on {} that {} overdue, through breaker and pace", counted(n, "move"), is(n)),
    }
}

fn is(n: usize) -> &'static str {
    if n == 1 { "is" } else { "are" }
}

/// A mode in the file goes before arming.
fn switchable(opened: &Opened, name: &str) -> Result<ConnectionName> {
    let name = opened.connection(name)?;
    let mode = opened.settings.connection(&name).and_then(|c| c.mode);
    let Some(said) = fixed(mode) else { return Ok(name) };
    bail!(
        "the configuration says mode = \"{said}\" for {name}, and the file goes before arming: \
         change it there, or take the line out to arm and disarm from here"
    )
}

async fn switch(
    opened: &Opened,
    name: &ConnectionName,
    on: bool,
    why: &str,
    overdue: &[EffectKey],
    at: Timestamp,
) -> Result<usize> {
    let [chain] = &opened.chains(std::slice::from_ref(name))[..] else { bail!("one connection has one journal") };
    let arming = Arming { on, by: who(), why: why.to_owned(), overdue };
    Ok(set(&opened.db, chain, arming, at).await?)
}

async fn show(opened: &Opened, name: &ConnectionName, outlook: &Outlook) -> Result<()> {
    let people = opened.people(name).await?;
    let breached = outlook.breached.iter().map(|row| (row.party.as_ref(), row.owner.as_ref()));
    by_party(&format!("{} breached and still open", counted(outlook.breached.len(), "clock")), breached, &people);
    let would = outlook.missed.iter().map(|one| (one.party.as_ref(), one.owner.as_ref()));
    let moves = counted(outlook.missed.len(), "record");
    by_party(&format!("{moves} would move now with --include-overdue"), would, &people);
    if !outlook.next.is_empty() {
        println!("Due next:");
    }
    let zone = opened.agreement(name).zone();
    for row in &outlook.next {
        let deadline = row.deadline.map(|d| d.in_zone(&zone)).unwrap_or_default();
        println!("  {deadline}  {}: {}, {}", row.name, row.source, people.name(row.owner.as_ref()));
    }
    Ok(())
}
