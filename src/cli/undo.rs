//! `leadpact undo`: puts back what moves of ours changed, of one record or of a stretch of time. What
//! stood there before is known from the journal; who changed a record since keeps it as it is.

use super::ConfigArguments;
use super::opened::{self, Opened, People, agreed, counted, now, past_moment, who};
use crate::engine::orders::{Made, moves_between, moves_of, submit};
use crate::engine::switches::Switches;
use crate::record::{ConnectionName, Object, Order, RecordKey};
use anyhow::{Context, Result, bail};
use clap::Args;
use jiff::tz::TimeZone;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct UndoArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name.
    connection: String,
    /// `lead` or `opportunity`: the last move of one record.
    #[arg(requires = "id", required_unless_present = "since")]
    object: Option<String>,
    /// The record's id in the CRM.
    id: Option<String>,
    /// All moves from then on: a day, a day and time, or a length back from now such as 1h.
    #[arg(long, value_name = "TIME", conflicts_with = "object")]
    since: Option<String>,
    /// And before then; now where nothing is said.
    #[arg(long, value_name = "TIME", requires = "since")]
    until: Option<String>,
    /// Why, for the journal and for those who are told.
    #[arg(long, default_value = "")]
    why: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Exit 1 when there is nothing to undo, or nobody wants it.
pub fn run(arguments: &UndoArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let name = opened.connection(&arguments.connection)?;
        let (zone, people) = (opened.agreement(&name).zone(), opened.people(&name).await?);
        let found = find(opened, &name, arguments, &zone).await?;
        let (known, unknown): (Vec<Made>, Vec<Made>) = found.into_iter().partition(|made| !made.before.is_empty());
        for made in &unknown {
            println!("{} {}: what stood there before is not known any more", made.record.object, made.record.id);
        }
        known.iter().for_each(|made| print(made, &people, &zone));
        if known.is_empty() {
            println!("There is nothing to undo.");
            return Ok(ExitCode::FAILURE);
        }
        if !agreed(&format!("Undo {}?", counted(known.len(), "move")), arguments.yes)? {
            println!("Nothing was changed.");
            return Ok(ExitCode::FAILURE);
        }
        let orders: Vec<Order> = known.into_iter().map(|made| made.undo(&who(), &arguments.why)).collect();
        submit(&opened.db, &name, &orders, now()).await?;
        if let Some(pause) = Switches::read(&opened.db, &name).await?.pause(now()) {
            println!("{name} is paused by {}: nothing is put back before it is resumed.", pause.by);
        }
        println!("Ordered: {} put back, but for what somebody has changed since.", counted(orders.len(), "record"));
        Ok(ExitCode::SUCCESS)
    })
}

async fn find(opened: &Opened, name: &ConnectionName, arguments: &UndoArguments, zone: &TimeZone) -> Result<Vec<Made>> {
    if let (Some(object), Some(id)) = (&arguments.object, &arguments.id) {
        let object = Object::parse(object).context("the object is `lead` or `opportunity`")?;
        let key = RecordKey { connection: name.clone(), object, id: opened.record_id(name, id) };
        return Ok(moves_of(&opened.db, &key).await?.pop().into_iter().collect());
    }
    let Some(since) = &arguments.since else { bail!("name a record, or a time with --since") };
    let since = past_moment(since, zone, now())?;
    let until = arguments.until.as_deref().map(|text| past_moment(text, zone, now())).transpose()?.unwrap_or(now());
    Ok(moves_between(&opened.db, name, since, until).await?)
}

fn print(made: &Made, people: &People, zone: &TimeZone) {
    let (from, to) = (people.name(made.from.as_ref()), people.name(made.to.as_ref()));
    let (at, what) = (made.at.in_zone(zone), made.kind.as_str());
    println!("  {at}  {} {}: {what} from {from} to {to} ({})", made.record.object, made.record.id, made.source);
}
