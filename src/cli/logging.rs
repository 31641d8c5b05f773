//! Logs: sentences for people or JSON for machines, both with the same fields, to standard error.

use crate::settings::{Log, LogFormat};
use tracing_subscriber::EnvFilter;

/// What others say of their own insides, unless the level names them.
const QUIET: &str = "actix_server=warn,";

/// Starts logging. `LEADPACT_LOG` stands in for the configured level. A second call does nothing.
pub fn start(log: &Log) {
    let level = format!("{QUIET}{}", std::env::var("LEADPACT_LOG").unwrap_or_else(|_| log.level.clone()));
    let filter = EnvFilter::try_new(&level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(super::color()).with_writer(std::io::stderr);
    // Only a second subscriber can make this fail, and the first is as good.
    let _ = match log.format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Human => builder.with_target(false).try_init(),
    };
}
