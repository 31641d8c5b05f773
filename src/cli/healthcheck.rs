//! `leadpact healthcheck`: one request to the daemon's own `/healthz`, for a container's health check.

use super::{ConfigArguments, color};
use crate::app::read_configuration;
use anyhow::{Context, Result};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

/// Exit 0 when the daemon answers.
pub fn run(arguments: &ConfigArguments) -> Result<ExitCode> {
    let Some((settings, ..)) = read_configuration(&arguments.config, color()) else { return Ok(ExitCode::FAILURE) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(ask(settings.server.listen))
}

async fn ask(listen: SocketAddr) -> Result<ExitCode> {
    let ip = if listen.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { listen.ip() };
    let url = format!("http://{}/healthz", SocketAddr::new(ip, listen.port()));
    let client = reqwest::Client::builder().timeout(Duration::from_secs(3)).no_proxy().build()?;
    let answer = client.get(&url).send().await.with_context(|| format!("{url} does not answer"))?;
    Ok(if answer.status().is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
