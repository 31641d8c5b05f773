//! `leadpact serve`: the daemon, until a signal. SIGTERM and SIGINT stop it gracefully: not ready
//! any more, open requests answered, what is in hand finished, leases given back.

use super::{ConfigArguments, color, logging};
use crate::app::{App, read_configuration};
use crate::engine::Clock;
use anyhow::{Context, Result};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Exit 1 when the configuration is wrong: then nothing was started.
pub fn run(arguments: &ConfigArguments) -> Result<ExitCode> {
    let Some((settings, agreements, warnings)) = read_configuration(&arguments.config, color()) else {
        return Ok(ExitCode::FAILURE);
    };
    warnings.iter().filter(|r| r.counts().1 > 0).for_each(|report| eprintln!("{}", report.render(color())));
    logging::start(&settings.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let app = App::build(&settings, &agreements, Clock::real()).await?;
        let serving = app.listen(&settings.server)?;
        app.start();
        tracing::info!(listen = %serving.public, admin = %serving.admin, "leadpact is listening");
        let stopped = wait_for_signal();
        app.run_until(serving, stopped).await?;
        tracing::info!("stopped");
        Ok(ExitCode::SUCCESS)
    })
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
