//! `leadpact away` and `leadpact back`: who takes no records for a while. The rotation passes over
//! them; who is told of what does not change.

use super::ConfigArguments;
use super::opened::{self, Opened, People, moment, now, who};
use crate::engine::absences::{self, By};
use crate::record::{ConnectionName, OwnerId};
use crate::store::absence;
use anyhow::{Result, bail};
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct AwayArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name.
    connection: String,
    /// The owner's id in the CRM, or e-mail address.
    #[arg(required_unless_present = "list", requires = "until")]
    owner: Option<String>,
    /// Back from then on: a day, a day and time, or a length such as 3d.
    #[arg(long, value_name = "TIME", requires = "owner")]
    until: Option<String>,
    /// Show who is away.
    #[arg(long, conflicts_with_all = ["owner", "until"])]
    list: bool,
    /// Why, for the journal.
    #[arg(long, default_value = "")]
    why: String,
}

#[derive(Debug, Args)]
pub struct BackArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The connection's name.
    connection: String,
    /// The owner's id in the CRM, or e-mail address.
    owner: String,
}

pub fn away(arguments: &AwayArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let name = opened.connection(&arguments.connection)?;
        let (zone, people) = (opened.agreement(&name).zone(), opened.people(&name).await?);
        let (Some(owner), Some(until)) = (&arguments.owner, &arguments.until) else {
            return list(opened, &name, &people).await;
        };
        let owner = owner_named(opened, &name, owner).await?;
        let until = moment(until, &zone, now())?;
        let (said, called) = (until.in_zone(&zone), people.name(Some(&owner)));
        let by = By { name: &who(), why: &arguments.why, at: now() };
        for chain in opened.chains(std::slice::from_ref(&name)) {
            absences::away(&opened.db, &chain, &owner, until, (&called, &zone), by).await?;
        }
        println!("{called} takes no records until {said}.");
        Ok(ExitCode::SUCCESS)
    })
}

pub fn back(arguments: &BackArguments) -> Result<ExitCode> {
    opened::run(&arguments.config, async |opened| {
        let name = opened.connection(&arguments.connection)?;
        let owner = owner_named(opened, &name, &arguments.owner).await?;
        let called = opened.people(&name).await?.name(Some(&owner));
        let (who, at) = (who(), now());
        for chain in opened.chains(std::slice::from_ref(&name)) {
            if !absences::back(&opened.db, &chain, &owner, &called, By { name: &who, why: "", at }).await? {
                println!("{called} was not away.");
                return Ok(ExitCode::SUCCESS);
            }
        }
        println!("{called} takes records again.");
        Ok(ExitCode::SUCCESS)
    })
}

async fn list(opened: &Opened, name: &ConnectionName, people: &People) -> Result<ExitCode> {
    let zone = opened.agreement(name).zone();
    let away = absence::at(&opened.db, name, now()).await?;
    if away.is_empty() {
        println!("Nobody is away in {name}.");
    }
    for row in away {
        println!("{} is away until {}, said {}", people.name(Some(&row.owner)), row.until.in_zone(&zone), row.by);
    }
    Ok(ExitCode::SUCCESS)
}

/// An owner by id or e-mail address, as the directory of the CRM knows them. An id is believed even
/// where the directory was not read yet.
pub(super) async fn owner_named(opened: &Opened, name: &ConnectionName, text: &str) -> Result<OwnerId> {
    let found = absences::owner_named(&opened.db, name, &opened.owner_id(name, text)).await?;
    let Some(owner) = found else {
        bail!("the CRM of {name} told us of no owner `{text}`: give an owner's id or e-mail address")
    };
    Ok(owner)
}
