//! `/assets/…`: styles and scripts, part of the binary. A file's name holds the hash of what is in it,
//! so that browsers keep it for good and a new version is fetched at once.

use super::routes::{Entry, Needs, Verb, open};
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Path, ServiceConfig};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

pub(super) const ROUTES: &[Entry] = &[open(Verb::Get, "/assets/{file}", Needs::Nothing, |route| route.to(asset))];

/// For the address that the internet may reach, where a few pages are, too.
pub fn routes(config: &mut ServiceConfig) {
    config.route("/assets/{file}", web::get().to(asset));
}

struct Asset {
    /// As templates call it: `style.css`.
    name: &'static str,
    url: String,
    content_type: &'static str,
    bytes: &'static [u8],
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
/// htmx is vendored as it is released; its licence is beside it.
const FILES: [(&str, &str, &[u8]); 4] = [
    ("style.css", "text/css; charset=utf-8", include_bytes!("../../templates/style.css")),
    ("htmx.js", SCRIPT, include_bytes!("../../assets/htmx.min.js")),
    ("app.js", SCRIPT, include_bytes!("../../assets/app.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("../../assets/icon.svg")),
];

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| FILES.map(named).into());

fn named((name, content_type, bytes): (&'static str, &'static str, &'static [u8])) -> Asset {
    const ENOUGH: usize = 16;
    let hash = hex::encode(Sha256::digest(bytes));
    let (stem, kind) = name.rsplit_once('.').unwrap_or((name, ""));
    Asset { name, url: format!("/assets/{stem}.{}.{kind}", &hash[..ENOUGH]), content_type, bytes }
}

/// The address of a file by its name, for templates: `{{ crate::web::assets::url("style.css") }}`.
pub fn url(name: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or("", |asset| &asset.url)
}

async fn asset(file: Path<String>) -> HttpResponse {
    let found = ASSETS.iter().find(|asset| asset.url.strip_prefix("/assets/") == Some(file.as_str()));
    let Some(asset) = found else { return HttpResponse::NotFound().finish() };
    HttpResponse::Ok()
        .content_type(asset.content_type)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(asset.bytes)
}
