//! The pictures of the README, taken of the demo: `LEADPACT_SCREENSHOTS=1 cargo test --test browser screenshots`.

use crate::browser;
use crate::demo::Demo;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn screenshots_of_the_main_pages_are_taken_when_asked_for() {
    if std::env::var_os("LEADPACT_SCREENSHOTS").is_none() || !browser::is_here() {
        return;
    }
    let demo = Demo::start("5m").await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images");
    std::fs::create_dir_all(&folder).expect("a folder");
    let asked = json!({ "link": demo.link, "folder": folder });
    browser::run("screenshots.mjs", &demo.base, asked, Duration::from_secs(240)).await;
}
