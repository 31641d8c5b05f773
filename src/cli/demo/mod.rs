//! `leadpact demo`: the whole daemon on a fresh SQLite file against the sandbox CRM, its time
//! running faster. Only the engine's `now` is scaled: sockets, leases, signature windows and the
//! age of reads are real.

mod configuration;
mod door;
mod narrator;
mod summary;

use super::{color, logging};
use crate::app::{Agreements, App};
use crate::engine::Clock;
use crate::notify::{Notifiers, Templates};
use crate::record::Timestamp;
use crate::sandbox::floor::{FloorOptions, SalesFloor};
use crate::sandbox::{HubSpotOrg, SalesforceOrg, Sandbox, SandboxOptions};
use crate::settings::{self, Environment, Log, LogFormat, Settings};
use anyhow::{Context, Result, bail};
use clap::Args;
use configuration::{HUBSPOT, SALESFORCE};
use narrator::{Narrator, Printed};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use summary::Summary;
use tokio_util::sync::CancellationToken;

/// Monday 2027-01-11 08:30 in Boston.
const BEGINS: Timestamp = Timestamp::from_millis(1_799_674_200_000);
/// How often the people of the sandbox look up, really.
const STEP: Duration = Duration::from_millis(50);

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Where webhooks, pages and the API are served.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// How many times faster than life; 720 is a twelve-hour business day a minute.
    #[arg(long, value_name = "N", default_value_t = 720.0)]
    speed: f64,
    /// End by itself after so long: `90s`, `5m`.
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    ends_after: Option<Duration>,
    /// Another course of events.
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
    /// Show the daemon's log beside the narration.
    #[arg(long)]
    log: bool,
}

fn span(text: &str) -> Result<Duration, String> {
    match crate::agreement::span::parse_span(text)? {
        crate::agreement::model::Span::Elapsed(span) => Ok(span.to_std()),
        _ => Err("a demo counts real time: `90s` or `5m`".to_owned()),
    }
}

pub fn run(arguments: &DemoArguments) -> Result<ExitCode> {
    if !(1.0..=5_000.0).contains(&arguments.speed) {
        bail!("--speed goes from 1 to 5000");
    }
    if arguments.log {
        logging::start(&Log { format: LogFormat::Human, level: "info".to_owned() });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(play(arguments))
}

async fn play(arguments: &DemoArguments) -> Result<ExitCode> {
    let folder = Folder::make()?;
    let clock = Clock::fast(BEGINS, arguments.speed);
    let base = format!("http://{}", arguments.listen);
    let sandbox = start_sandbox(&clock, &base).await?;
    let hubspot = SalesFloor::new(sandbox.hubspot().clone(), floor(arguments.seed));
    let salesforce = SalesFloor::new(sandbox.salesforce().clone(), floor(arguments.seed + 1));
    let text = configuration::text(&sandbox.base_url(), &base, arguments.listen, hubspot.staff(), salesforce.staff());
    let (settings, agreements) = read(&folder, &text)?;

    let said = Arc::new(Mutex::new(Summary::default()));
    let notifiers = Notifiers::of(Templates::load(None)?, vec![Box::new(Printed::new(&clock, &said))]);
    let app = App::build_with(&settings, agreements, clock.clone(), notifiers).await?;
    let listening = app.listen(&settings.server).context("choose another address with --listen")?;
    let stop = CancellationToken::new();
    greet(arguments, &base, &door::open(&app.engine.db).await?);
    let narrator = Narrator::new(&app.engine, &said, &[sandbox.hubspot(), sandbox.salesforce()]);
    let telling = tokio::spawn(narrator.tell(app.engine.told.subscribe(), sandbox.subscribe(), stop.clone()));
    app.start();
    tokio::spawn(hubspot.work(STEP, stop.clone()));
    tokio::spawn(salesforce.work(STEP, stop.clone()));

    let ends = arguments.ends_after;
    let stopped = async {
        match ends {
            Some(time) => {
                tokio::select! { () = tokio::time::sleep(time) => {}, () = super::serve::wait_for_signal() => {} }
            }
            None => super::serve::wait_for_signal().await,
        }
    };
    app.run_until(listening, stopped).await?;
    stop.cancel();
    telling.await.context("the narrator stopped")?;
    sandbox.stop().await;
    said.lock().unwrap_or_else(|e| e.into_inner()).print(&clock, BEGINS);
    Ok(ExitCode::SUCCESS)
}

fn greet(arguments: &DemoArguments, base: &str, door: &str) {
    println!("leadpact demo: a pretend HubSpot and a pretend Salesforce, {} times faster than life.", arguments.speed);
    println!("Sign in, once: {base}{door}   Metrics: {base}/metrics   End: Ctrl-C");
    println!("The agreement: config/demo-agreement.toml\n");
}

fn read(folder: &Folder, text: &str) -> Result<(Settings, Agreements)> {
    let file = folder.0.join("leadpact.toml");
    std::fs::write(folder.0.join("agreement.toml"), configuration::AGREEMENT)?;
    let database = format!("sqlite://{}", folder.0.join("leadpact.db").display());
    let environment = Environment::from_iter([("LEADPACT_STORE__URL".to_owned(), database)]);
    let read = settings::from_text(&file.display().to_string(), text, &environment);
    let (settings, _) = read.map_err(|report| anyhow::anyhow!("{}", report.render(color())))?;
    match Agreements::read(&settings) {
        Ok((agreements, _)) => Ok((settings, agreements)),
        Err(reports) => bail!("{}", reports.iter().map(|r| r.render(color())).collect::<String>()),
    }
}

async fn start_sandbox(clock: &Clock, base: &str) -> Result<Sandbox> {
    let time = clock.clone();
    let hubspot = HubSpotOrg {
        portal_id: configuration::PORTAL,
        token: configuration::TOKEN.to_owned(),
        client_secret: configuration::SECRET.to_owned(),
        webhook_url: format!("{base}/webhooks/{HUBSPOT}"),
    };
    let salesforce = SalesforceOrg {
        organization_id: configuration::ORGANIZATION.to_owned(),
        client_id: configuration::TOKEN.to_owned(),
        client_secret: configuration::SECRET.to_owned(),
        webhook_url: format!("{base}/webhooks/{SALESFORCE}/{}", configuration::SECRET),
    };
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = SandboxOptions {
        clock: Arc::new(move || time.now()),
        hubspot: Some(hubspot),
        salesforce: Some(salesforce),
        listen,
    };
    Sandbox::start(options).await
}

fn floor(seed: u64) -> FloorOptions {
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap_or(jiff::tz::TimeZone::UTC);
    let is_open = move |t: Timestamp| (8..20).contains(&t.to_jiff().to_zoned(zone.clone()).hour());
    FloorOptions { seed, is_open: Arc::new(is_open), leads_per_hour: 1.5, opening_leads: 4, pace: 0.4 }
}

/// A folder of this demo's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("leadpact-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is a temporary folder's to keep.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
