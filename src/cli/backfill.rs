//! `leadpact backfill`: imports the open records of a connection. The work is done under the
//! connection's lease: here, where nobody holds it, else by the daemon that does, which finds the
//! request in the database; then this command only shows how far it is. Stopped, it goes on where it
//! was, here or in the daemon.

use super::{ConfigArguments, color, connection};
use crate::app::{App, read_configuration};
use crate::engine::backfill::{self, Asked, Import, Stepped};
use crate::engine::clock::real_now;
use crate::engine::{Clock, Engine, Site, worker};
use crate::record::Timestamp;
use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::tz::TimeZone;
use std::process::ExitCode;
use std::time::Duration;

/// How often it is looked how far the import is.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub struct BackfillArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name.
    connection: String,
    /// Although it was imported before: records that are known are read again, nothing else.
    #[arg(long)]
    again: bool,
}

/// Exit 0 when all was imported, 1 when the CRM refused a part of it.
pub fn run(arguments: &BackfillArguments) -> Result<ExitCode> {
    let Some((settings, agreements, _)) = read_configuration(&arguments.config.config, color()) else {
        return Ok(ExitCode::FAILURE);
    };
    let name = connection(&settings, &arguments.connection)?.name.clone();
    let zone = agreements.of(&name).agreement.zone();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let app = App::build(&settings, agreements, Clock::real()).await?;
        let site = app.engine.site(name.as_str()).context("the connection is in the configuration")?;
        if !site.crm.searches() {
            bail!("`{name}` cannot be asked what is open: its records are known from their first change on");
        }
        let by = super::opened::who();
        let asked = backfill::ask(&app.engine.db, &name, &by, arguments.again, real_now()).await?;
        let import = match asked {
            Asked::Ended(import) => {
                println!("{name} was imported before; `--again` reads all its open records once more.");
                import
            }
            Asked::Stands => imported(&app.engine, &site).await?,
        };
        app.engine.db.close().await;
        print!("{}", summary(&import, &zone));
        Ok(if import.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// Works on the import until it is over, whoever does the work.
async fn imported(engine: &Engine, site: &Site) -> Result<Import> {
    // Draws on a terminal only.
    let bar = ProgressBar::new(0)
        .with_style(ProgressStyle::with_template("{prefix} {bar:40} {pos}/{len} {eta} {msg}")?)
        .with_prefix(site.name().to_string());
    loop {
        let mine = worker::under_lease(engine, site, async |lease| {
            loop {
                let stepped = backfill::step(engine, site, lease).await?;
                show(&bar, backfill::state(&engine.db, site.name()).await?.as_ref());
                match stepped {
                    Stepped::Went => {}
                    Stepped::PutOff { after } => tokio::time::sleep(after).await,
                    Stepped::Ended | Stepped::Nothing => return Ok(()),
                }
            }
        });
        let elsewhere = mine.await?.is_none();
        let import = backfill::state(&engine.db, site.name()).await?.context("the import was forgotten")?;
        show(&bar, Some(&import));
        if import.ended.is_some() {
            bar.finish_and_clear();
            return Ok(import);
        }
        if elsewhere {
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn show(bar: &ProgressBar, import: Option<&Import>) {
    let Some(import) = import else { return };
    let done = import.imported + import.known;
    bar.set_length(import.total.max(done));
    bar.set_position(done);
    bar.set_message(import.waits.clone().unwrap_or_default());
}

fn summary(import: &Import, zone: &TimeZone) -> String {
    let mut text = format!("Imported {}", records(import.imported));
    if import.known > 0 {
        text.push_str(&format!("; {} known before, and read again", records(import.known)));
    }
    text.push_str(".\n");
    import.refused.iter().for_each(|why| text.push_str(&format!("Not imported: {why}\n")));
    if import.undated > 0 {
        let undated = records(import.undated);
        text.push_str(&format!("{undated} of unknown start: measured in silence, nothing fires for them.\n"));
    }
    if import.overdue > 0 {
        text.push_str(&format!("{} overdue already: listed, not acted upon.\n", records(import.overdue)));
        import.named.iter().for_each(|one| text.push_str(&overdue(one, zone)));
        let more = import.overdue.saturating_sub(import.named.len() as u64);
        if more > 0 {
            text.push_str(&format!("  … and {more} more\n"));
        }
    }
    text
}

fn records(n: u64) -> String {
    if n == 1 { "1 record".to_owned() } else { format!("{n} records") }
}

fn overdue(one: &backfill::Overdue, zone: &TimeZone) -> String {
    let due: Timestamp = one.deadline;
    // Names come from the CRM: a terminal must not take them for commands.
    let name: String = one.name.chars().filter(|c| !c.is_control()).collect();
    format!("  {} {} ({name}): {}, due {}\n", one.object, one.id, one.clock, due.in_zone(zone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn import(more: serde_json::Value) -> Import {
        let mut import = json!({
            "asked": 0, "by": "sam", "object": "lead", "next": null, "total": 3, "imported": 3, "known": 0,
            "overdue": 0, "undated": 0, "named": [], "refused": [], "waits": null, "ended": 0,
        });
        import.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(import).unwrap()
    }

    #[test]
    fn what_was_found_overdue_is_listed_and_said_to_be_left_alone() {
        let named = json!([{ "object": "lead", "id": "7", "name": "Z\u{1b}oë", "clock": "Follow up", "deadline": 0 }]);
        let text = summary(&import(json!({ "overdue": 2, "undated": 1, "named": named })), &TimeZone::UTC);
        let expected = "Imported 3 records.\n\
            1 record of unknown start: measured in silence, nothing fires for them.\n\
            2 records overdue already: listed, not acted upon.\n";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("  lead 7 (Zoë): Follow up, due ") && text.ends_with("… and 1 more\n"), "{text}");
    }

    #[test]
    fn what_the_crm_refused_is_said() {
        let text = summary(&import(json!({ "refused": ["opportunity: 403"], "known": 1 })), &TimeZone::UTC);
        assert_eq!(
            text,
            "Imported 3 records; 1 record known before, and read again.\nNot imported: opportunity: 403\n"
        );
    }
}
