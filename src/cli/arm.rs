//! `leadpact arm` and `leadpact disarm`: whether a connection acts, where the configuration names no
//! mode. Before it is armed it is shown what would move.

use super::ConfigArguments;
use super::opened::{self, Opened, agreed, by_party, counted, now, who};
use crate::engine::controls::{self, By};
use crate::engine::overdue::overdue;
use crate::engine::switches::{Switches, Told};
use crate::record::{ConnectionName, EffectKey, Timestamp};
use crate::store::StoreError;
use crate::store::clock::{ClockRow, ClockState, open_soonest};
use crate::store::outbox::WaitingMove;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::process::ExitCode;

/// How many of the next deadlines are shown.
const NEXT: usize = 5;

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
        let missed = overdue(&opened.db, opened.agreement(&name), &name, at).await?;
        show(opened, &name, &missed, at).await?;
        if Switches::read(&opened.db, &name).await?.is_armed() {
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
        let by = By { name: &who(), why: &arguments.why, at };
        let reissued = controls::arm(&opened.db, &chain(opened, &name)?, &keys, by).await?;
        println!("{name} is armed: it acts on the steps that fall due from now on{}.", also(reissued));
        if at < opened.agreement(&name).effective_at {
            println!("The agreement is not in effect yet; until then it goes on observing.");
        }
        let signs = opened.agreement(&name).parties.iter().any(|p| p.signs.is_some());
        if opened.settings.require_signatures && signs {
            println!("As long as the agreement is not signed, it goes on observing all the same.");
        }
        Ok(ExitCode::SUCCESS)
    })
}

pub fn disarm(arguments: &DisarmArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let name = switchable(opened, &arguments.connection)?;
        let by = By { name: &who(), why: &arguments.why, at: now() };
        controls::disarm(&opened.db, &chain(opened, &name)?, by).await?;
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
    match controls::fixed_mode(&name, mode) {
        None => Ok(name),
        Some(why) => bail!(why),
    }
}

/// One connection has one journal.
fn chain(opened: &Opened, name: &ConnectionName) -> Result<Told> {
    opened.chains(std::slice::from_ref(name)).into_iter().next().context("one connection has one journal")
}

async fn show(opened: &Opened, name: &ConnectionName, missed: &[WaitingMove], at: Timestamp) -> Result<()> {
    let people = opened.people(name).await?;
    let runs = Runs::read(opened, name, at).await?;
    let breached = runs.breached.iter().map(|row| (row.party.as_ref(), row.owner.as_ref()));
    by_party(&format!("{} breached and still open", counted(runs.breached.len(), "clock")), breached, &people);
    let would = missed.iter().map(|one| (one.party.as_ref(), one.owner.as_ref()));
    by_party(&format!("{} would move now with --include-overdue", counted(missed.len(), "record")), would, &people);
    if !runs.next.is_empty() {
        println!("Due next:");
    }
    let zone = opened.agreement(name).zone();
    for row in &runs.next {
        let deadline = row.deadline.map(|d| d.in_zone(&zone)).unwrap_or_default();
        println!("  {deadline}  {}: {}, {}", row.name, row.source, people.name(row.owner.as_ref()));
    }
    Ok(())
}

/// Open runs by their deadlines.
#[derive(Default)]
struct Runs {
    breached: Vec<ClockRow>,
    next: Vec<ClockRow>,
}

impl Runs {
    async fn read(opened: &Opened, name: &ConnectionName, at: Timestamp) -> Result<Self, StoreError> {
        const PAGE: u32 = 500;
        let (mut runs, mut after) = (Self::default(), None);
        loop {
            let page = open_soonest(&opened.db, Some(name), after.as_ref(), PAGE).await?;
            after = page.last().map(ClockRow::place);
            for row in page {
                match row.deadline {
                    _ if row.state == ClockState::Breached => runs.breached.push(row),
                    Some(deadline) if deadline > at && runs.next.len() < NEXT => runs.next.push(row),
                    Some(deadline) if deadline > at => return Ok(runs),
                    _ => {}
                }
            }
            if after.is_none() {
                return Ok(runs);
            }
        }
    }
}
