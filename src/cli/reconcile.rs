//! `leadpact reconcile`: asks the CRM now what was modified since the last sweep, instead of waiting for
//! `schedule.reconcile`. The work is done under the connection's lease: here, where nobody holds it,
//! else by the daemon that does, which finds the request in the database.

use super::{ConfigArguments, color, connection};
use crate::app::{App, read_configuration};
use crate::engine::clock::real_now;
use crate::engine::reconcile::{self, Asked, Counted, Swept, asked};
use crate::engine::{Clock, Engine, Site, worker};
use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::ProgressBar;
use std::process::ExitCode;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it is looked whether the sweep has ended.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub struct ReconcileArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name.
    connection: String,
}

/// Exit 0 when all was looked at, 1 when the CRM refused a part of it.
pub fn run(arguments: &ReconcileArguments) -> Result<ExitCode> {
    let Some((settings, agreements, _)) = read_configuration(&arguments.config.config, color()) else {
        return Ok(ExitCode::FAILURE);
    };
    let name = connection(&settings, &arguments.connection)?.name.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let app = App::build(&settings, agreements, Clock::real()).await?;
        let site = app.engine.site(name.as_str()).context("the connection is in the configuration")?;
        if !site.crm.searches() {
            bail!("`{name}` cannot be asked what was modified: what its webhooks miss is learnt by the next read");
        }
        asked::ask(&app.engine.db, &name, &super::opened::who(), real_now()).await?;
        let done = swept(&app.engine, &site).await?;
        app.engine.db.close().await;
        print!("{}", summary(&done.found));
        Ok(if done.found.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// Works on the sweep until it is over, whoever does the work.
async fn swept(engine: &Engine, site: &Site) -> Result<Asked> {
    // Draws on a terminal only.
    let spinner = ProgressBar::new_spinner().with_prefix(site.name().to_string());
    spinner.enable_steady_tick(LOOK);
    loop {
        let mine = worker::under_lease(engine, site, async |lease| {
            reconcile::sweep(engine, site, lease, &CancellationToken::new()).await
        });
        let mine = mine.await?;
        let asked = asked::state(&engine.db, site.name()).await?.context("the request was forgotten")?;
        if asked.ended.is_some() {
            spinner.finish_and_clear();
            return Ok(asked);
        }
        let waits = asked.waits.map(|why| format!("waits: {why}"));
        spinner.set_message(waits.unwrap_or_else(|| format!("asking {}", site.name())));
        match mine {
            Some(Swept::PutOff { after, .. }) => tokio::time::sleep(after).await,
            Some(Swept::Through) | None => tokio::time::sleep(LOOK).await,
        }
    }
}

fn summary(found: &Counted) -> String {
    let mut text = match (found.modified, found.ended) {
        (0, 0) if found.begun > 0 => {
            "Never looked at before: watched from now on. `leadpact backfill` imports what is open.\n".to_owned()
        }
        (0, 0) => "Nothing was modified since the last sweep.\n".to_owned(),
        (modified, ended) => {
            let ended = if ended > 0 { format!("; {ended} deleted or merged") } else { String::new() };
            format!("Read {} modified since a little before the last sweep{ended}.\n", records(modified))
        }
    };
    found.refused.iter().for_each(|why| text.push_str(&format!("Not looked at: {why}\n")));
    text
}

fn records(n: u64) -> String {
    if n == 1 { "1 record".to_owned() } else { format!("{n} records") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_and_what_was_refused_is_said() {
        let found = Counted { modified: 2, ended: 1, begun: 0, refused: vec!["opportunity: refused: 403".to_owned()] };
        let expected = "Read 2 records modified since a little before the last sweep; 1 deleted or merged.\n\
             Not looked at: opportunity: refused: 403\n";
        assert_eq!(summary(&found), expected);
        assert_eq!(summary(&Counted::default()), "Nothing was modified since the last sweep.\n");
        assert!(summary(&Counted { begun: 2, ..Counted::default() }).contains("leadpact backfill"));
    }
}
