//! `leadpact erase`: everything that is kept of a record's person goes. HubSpot asks for it by a webhook
//! of its own; for any other CRM somebody says so here. Whoever works the connection does it in its turn.

use super::ConfigArguments;
use super::exclude::Named;
use super::opened::{self, agreed, now, who};
use crate::engine::orders::submit;
use crate::record::{Ask, Order, RecordKey};
use anyhow::Result;
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct EraseArguments {
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    record: Named,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// Exit 1 when nobody wants it after all.
pub fn run(arguments: &EraseArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let RecordKey { connection: name, object, id } = arguments.record.find(opened)?;
        println!("Fields, history, what was received and sent, and the values in the journal of {object} {id} go.");
        println!("That it was there, and when its clocks ended, stays. This cannot be taken back.");
        if !agreed(&format!("Erase {object} {id}?"), arguments.yes)? {
            println!("Nothing was erased.");
            return Ok(ExitCode::FAILURE);
        }
        let order = Order { object, id: id.clone(), by: who(), ask: Ask::Erase };
        submit(&opened.db, &name, &[order], now()).await?;
        println!("Ordered: it is done as soon as the daemon works {name}.");
        Ok(ExitCode::SUCCESS)
    })
}
