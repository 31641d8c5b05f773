//! Which signatures are missing under the agreements' files as they are. Signing itself is a command's.

use super::{AgreementFile, Agreements, open_to_look};
use crate::record::PartyName;
use crate::settings::Settings;
use crate::store::examine::examine;
use crate::store::signature::{self, Signature};
use secrecy::ExposeSecret;

/// Which signatures are missing under the files as they are; nothing where no signature is asked for.
/// The database is only looked into, and where that cannot be, it is said.
pub async fn signing(settings: &Settings, agreements: &Agreements) -> Vec<String> {
    let signed = signatures(settings, agreements).await.ok();
    let mut said: Vec<String> = agreements.files().iter().filter_map(|file| missing(file, signed.as_deref())).collect();
    if !settings.require_signatures && !said.is_empty() {
        said.push(
            "require_signatures = false: it may act all the same, which is meant for trying things out.".to_owned(),
        );
    }
    said
}

async fn signatures(settings: &Settings, agreements: &Agreements) -> anyhow::Result<Vec<Signature>> {
    // Where nothing was stored yet, nothing was signed.
    if examine(settings.store.url.expose_secret()).await?.is_none_or(|examined| examined.empty) {
        return Ok(Vec::new());
    }
    let db = open_to_look(settings).await?;
    let mut all = Vec::new();
    for file in agreements.files() {
        all.extend(signature::of(&db, &file.agreement.hash).await?);
    }
    db.close().await;
    Ok(all)
}

/// `signed`: `None` where the database says nothing.
fn missing(file: &AgreementFile, signed: Option<&[Signature]>) -> Option<String> {
    let has = |party: &PartyName| {
        signed.into_iter().flatten().any(|s| s.party == *party && s.agreement == *file.agreement.hash)
    };
    let signs = file.agreement.parties.iter().filter(|p| p.signs.is_some() && !has(&p.name));
    let missing = signs.map(|p| p.name.as_str()).collect::<Vec<_>>().join(" and ");
    let path = file.path.display();
    match signed {
        _ if missing.is_empty() => None,
        Some(_) => Some(format!("{path}: {missing} did not sign this version yet; see `leadpact agreement sign`.")),
        None => Some(format!("{path}: {missing} have to sign; whether they did cannot be looked up in the database.")),
    }
}
