//! `leadpact agreement`: what is done with the agreement itself, one file a subcommand. What several
//! of those need that work on the database stands here.

mod confirm;
mod diff;
mod receipts;
mod render;
mod schema;
mod sign;
mod signatures;

use crate::app::{Agreements, Scope, open, read_configuration, scopes};
use crate::engine::versions::{Known, known};
use crate::settings::Settings;
use crate::store::Db;
use anyhow::Result;
use clap::Subcommand;
use jiff::tz::TimeZone;
use std::future::Future;
use std::path::Path;
use std::process::ExitCode;

#[derive(Debug, Subcommand)]
pub enum AgreementCommand {
    /// Write the agreement as slides with a signature page, to read and to sign.
    Render(render::RenderArguments),
    /// Say in words what changed between two versions, and for whom it is stricter or looser.
    Diff(diff::DiffArguments),
    /// Print the JSON Schema of the file, for editors.
    Schema,
    /// Sign this exact version for a party.
    Sign(sign::SignArguments),
    /// List the versions: offered, signed by whom, active since when.
    Signatures(signatures::SignaturesArguments),
    /// List who was told of which version, and who confirmed it.
    Receipts(receipts::ReceiptsArguments),
    /// Note that somebody confirmed having read the active version.
    Confirm(confirm::ConfirmArguments),
}

/// Runs the subcommand that the arguments name.
pub fn run(command: &AgreementCommand) -> Result<ExitCode> {
    match command {
        AgreementCommand::Render(arguments) => render::run(arguments),
        AgreementCommand::Diff(arguments) => diff::run(arguments),
        AgreementCommand::Schema => schema::run(),
        AgreementCommand::Sign(arguments) => sign::run(arguments),
        AgreementCommand::Signatures(arguments) => signatures::run(arguments),
        AgreementCommand::Receipts(arguments) => receipts::run(arguments),
        AgreementCommand::Confirm(arguments) => confirm::run(arguments),
    }
}

/// What these commands work on.
struct Desk {
    settings: Settings,
    agreements: Agreements,
    scopes: Vec<Scope>,
}

impl Desk {
    /// `None`: the configuration has errors, which were printed.
    fn read(config: &Path) -> Option<Self> {
        let (settings, agreements, _) = read_configuration(config, super::color())?;
        let scopes = scopes(&settings);
        Some(Self { settings, agreements, scopes })
    }

    /// Runs the body with the database.
    fn with_db<T, F: Future<Output = Result<T>>>(&self, body: impl FnOnce(Db) -> F) -> Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let db = open(&self.settings).await?;
            let done = body(db.clone()).await;
            db.close().await;
            done
        })
    }

    /// The zone that a scope's agreement is written in.
    fn zone(&self, scope: &Scope) -> TimeZone {
        self.agreements.of_scope(scope).agreement.zone()
    }

    async fn known(&self, db: &Db, scope: &Scope) -> Result<Vec<Known>> {
        Ok(known(db, scope.own.as_ref()).await?)
    }
}
