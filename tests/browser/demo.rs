//! The demo, looked at: a lead breaches and comes back before one's eyes, and every page is walked.

use crate::browser;
use crate::process::{Running, free_port};
use leadpact::web::routes::{self, Needs, Verb};
use serde_json::json;
use std::time::Duration;

/// Those that no link leads to, as forms and scripts do.
const UNLINKED: [(&str, &str); 4] = [
    ("/deliveries/window", "/deliveries/window?connection=hubspot&from=2027-01-11T08%3A00&until=2027-01-12T20%3A00"),
    ("/find", "/find?q=berg"),
    ("/live", "/live"),
    ("/templates/mail.html", "/templates/mail.html"),
];
/// What a fresh demo has none of: disputes, other versions, connections to arm, simulations. `first_day` looks at
/// most of them.
const NOT_THERE: [&str; 4] = ["/agreement/difference", "/disputes/{id}", "/health/arm", "/simulate/{id}"];
/// Shown in frames or printed: documents rather than pages.
pub const DOCUMENTS: [&str; 2] = ["/agreement/slides.html", "/templates/mail.html"];

/// The demo with its address and the link that signs in once.
pub struct Demo {
    pub base: String,
    pub link: String,
    _process: Running,
    _folder: tempfile::TempDir,
}

impl Demo {
    pub async fn start(ends_after: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listen = format!("127.0.0.1:{}", free_port());
        let arguments = ["demo", "--listen", &listen, "--seed", "7", "--speed", "720", "--for", ends_after];
        let mut process = Running::start(&arguments, &folder.path().join("log"));
        let link = async |said: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix("Sign in, once: "))?;
            line.split_whitespace().next().map(str::to_owned)
        };
        let link = process.until("it tells how to sign in", link).await;
        Self { base: format!("http://{listen}"), link, _process: process, _folder: folder }
    }
}

/// The pages of the table, without what is for programs.
pub fn pages() -> Vec<&'static str> {
    let of_programs = |path: &str| ["/api", "/metrics", "/assets"].iter().any(|start| path.starts_with(start));
    let is_page = |entry: &&routes::Entry| {
        entry.verb == Verb::Get && matches!(entry.needs, Needs::Permission(_)) && !of_programs(entry.path)
    };
    routes::all().filter(is_page).map(|entry| entry.path).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demo_lead_breaches_and_comes_back_before_ones_eyes_and_every_page_is_sound() {
    if !browser::is_here() {
        return;
    }
    let demo = Demo::start("4m").await;
    let asked = json!({ "link": demo.link, "patterns": pages(), "unlinked": UNLINKED, "not_there": NOT_THERE, "documents": DOCUMENTS });
    browser::run("demo.mjs", &demo.base, asked, Duration::from_secs(180)).await;
}
