//! `leadpact serve`: the daemon, until a signal. SIGTERM and SIGINT stop it gracefully: not ready
//! any more, open requests answered, what is in hand finished, leases given back. SIGHUP offers the
//! agreements' files again.

use super::{ConfigArguments, color, logging};
use crate::app::{App, read_configuration};
use crate::engine::Clock;
use anyhow::{Context, Result};
use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Exit 1 when the configuration is wrong: then nothing was started.
pub fn run(arguments: &ConfigArguments) -> Result<ExitCode> {
    let Some((settings, agreements, warnings)) = read_configuration(&arguments.config, color()) else {
        return Ok(ExitCode::FAILURE);
    };
    warnings.iter().filter(|r| r.counts().1 > 0).for_each(|report| eprintln!("{}", report.render(color())));
    logging::start(&settings.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before all else, since a SIGHUP that nobody waits for ends the process.
        let mut hangups = signal(SignalKind::hangup()).context("SIGHUP")?;
        let app = App::build(&settings, agreements, Clock::real()).await?;
        let serving = app.listen(&settings.server)?;
        app.start();
        tracing::info!(listen = %serving.public, admin = %serving.admin, "leadpact is listening");
        tokio::select! {
            done = app.run_until(serving, wait_for_signal()) => done?,
            never = reread_at(&mut hangups, &app) => match never {},
        }
        tracing::info!("stopped");
        Ok(ExitCode::SUCCESS)
    })
}

/// The agreements' files are read and offered again whenever the signal comes.
async fn reread_at(hangups: &mut Signal, app: &App) -> std::convert::Infallible {
    loop {
        hangups.recv().await;
        app.reread_agreements();
    }
}

/// Ends at SIGTERM or SIGINT.
pub async fn wait_for_signal() {
    let terminated = async {
        match signal(SignalKind::terminate()).context("SIGTERM") {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
