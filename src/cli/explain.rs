//! `leadpact explain`: a record's story from the journal, with each condition's terms and the
//! values that were seen.

use super::{ConfigArguments, color};
use crate::app::read_configuration;
use crate::record::{ConnectionName, Object, OwnerId, RecordKey};
use crate::report::story::{Line, Reader, Told, story};
use crate::store::{Db, OpenOptions, journal, person};
use anyhow::{Context, Result, bail};
use clap::Args;
use jiff::tz::TimeZone;
use secrecy::ExposeSecret;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct ExplainArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name.
    connection: String,
    /// `lead` or `opportunity`.
    object: String,
    /// The record's id in the CRM.
    id: String,
}

pub fn run(arguments: &ExplainArguments) -> Result<ExitCode> {
    let Some((settings, agreements, _)) = read_configuration(&arguments.config.config, color()) else {
        return Ok(ExitCode::FAILURE);
    };
    let name = ConnectionName::new(&arguments.connection);
    let connection = super::connection(&settings, &arguments.connection)?;
    let object = Object::parse(&arguments.object).context("the object is `lead` or `opportunity`")?;
    let key = RecordKey { connection: name.clone(), object, id: connection.record_id(&arguments.id) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let db = Db::open(settings.store.url.expose_secret(), &OpenOptions::default()).await?;
        let rows = journal::of_record(&db, &key).await?;
        if rows.is_empty() {
            bail!("nothing is known of {key}");
        }
        let people = person::load_all(&db, &name).await?;
        let names = person::called(&people);
        let agreement = &agreements.of(&name).agreement;
        let zone = agreement.zone();
        let name_of = |id: &OwnerId| names.get(id).cloned();
        let reader = Reader { agreement, zone: &zone, name_of: &name_of };
        let told: Vec<Told<'_>> = rows.iter().map(|r| Told { fact: &r.entry.fact, seen_at: r.entry.seen_at }).collect();
        println!("{key}");
        story(&reader, &told).iter().for_each(|line| print(line, &zone));
        Ok(ExitCode::SUCCESS)
    })
}

fn print(line: &Line, zone: &TimeZone) {
    let at = line.at.to_jiff().to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
    let struck = if line.withdrawn { "  (withdrawn later)" } else { "" };
    println!("{at}  {}{struck}", line.text);
    for term in &line.terms {
        let sign = if term.held { "✓" } else { "✗" };
        println!("                           {sign} {} (saw {})", term.text, term.seen);
    }
}
