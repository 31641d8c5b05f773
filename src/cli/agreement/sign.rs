//! `leadpact agreement sign`: a party's signature under one exact version. What is signed is the
//! version's hash; any change of the file's meaning has another one and needs new signatures.

use super::{Desk, names};
use crate::agreement::Agreement;
use crate::agreement::model::Signatory;
use crate::app::activation::{draft, offer};
use crate::app::versions::Known;
use crate::app::{AgreementFile, Scope, read_agreement};
use crate::cli::{ConfigArguments, color};
use crate::engine::clock::real_now;
use crate::record::{Fact, FactKind, PartyName};
use crate::settings;
use crate::store::journal::{self, JournalEntry};
use crate::store::signature::{self, Signature};
use crate::store::{Db, Priority, StoreError, agreement};
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Map, json};
use std::io::{BufRead, IsTerminal, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub struct SignArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// The agreement's file; may be left out where the configuration names only one.
    #[arg(long, value_name = "FILE")]
    agreement: Option<PathBuf>,
    /// The party that is signed for, as the agreement calls it.
    #[arg(long, value_name = "NAME")]
    party: String,
    /// Who signs. Without it: whom the agreement names.
    #[arg(long)]
    name: Option<String>,
    /// As what. Without it: as the agreement says.
    #[arg(long)]
    title: Option<String>,
    /// Somebody else than the agreement names may sign, on that person's behalf.
    #[arg(long)]
    on_behalf: bool,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

/// Exit 1 where nothing was signed.
pub fn run(arguments: &SignArguments) -> Result<ExitCode> {
    let Some(desk) = Desk::read(&arguments.config.config) else { return Ok(ExitCode::FAILURE) };
    let Some(paper) = Paper::find(&desk, arguments)? else { return Ok(ExitCode::FAILURE) };
    let signature = signature(&paper.file().agreement, arguments)?;
    paper.show(&signature);
    if !arguments.yes && !agreed()? {
        println!("Nothing was signed.");
        return Ok(ExitCode::FAILURE);
    }
    desk.with_db(async |db| {
        let is_new = sign(&db, &paper, &signature).await?;
        println!("{}", if is_new { "Signed." } else { "This party signed this version before; nothing changed." });
        for scope in &paper.scopes {
            println!("{}", outlook(&desk.known(&db, scope).await?, &paper, &desk.zone(scope)));
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// What is signed, and whom it governs.
struct Paper<'a> {
    file: Held<'a>,
    scopes: Vec<Scope>,
}

/// A file of the configuration, or another one.
enum Held<'a> {
    Configured(&'a AgreementFile),
    Other(Box<AgreementFile>),
}

impl<'a> Paper<'a> {
    /// `None`: the file has errors, which were printed.
    fn find(desk: &'a Desk, arguments: &SignArguments) -> Result<Option<Self>> {
        let files = desk.agreements.files();
        let same = |file: &&AgreementFile, path: &PathBuf| match (file.path.canonicalize(), path.canonicalize()) {
            (Ok(one), Ok(other)) => one == other,
            _ => file.path == *path,
        };
        let named: Vec<String> = files.iter().map(|f| f.path.display().to_string()).collect();
        let configured = match (&arguments.agreement, files) {
            (None, [only]) => Some(only),
            (None, _) => bail!("say which with --agreement; the configuration names {}", named.join(", ")),
            (Some(path), _) => files.iter().find(|file| same(file, path)),
        };
        if let Some(file) = configured {
            let governed = |scope: &&Scope| desk.agreements.of_scope(scope).path == file.path;
            let scopes = desk.scopes.iter().filter(governed).cloned().collect();
            return Ok(Some(Self { file: Held::Configured(file), scopes }));
        }
        match (&arguments.agreement, files) {
            (Some(path), [_]) => Ok(Self::other(desk, path)),
            _ => bail!("the configuration does not name this file, but {}", named.join(", ")),
        }
    }

    /// A next version in a file of its own, where there is only one agreement that it can follow.
    fn other(desk: &Desk, path: &std::path::Path) -> Option<Self> {
        let read = read_agreement(path).and_then(|(file, _)| {
            let report = settings::check_against(&desk.settings, &file.agreement, |_| true);
            if report.has_errors() { Err(report) } else { Ok(file) }
        });
        match read {
            Ok(file) => Some(Self { file: Held::Other(Box::new(file)), scopes: desk.scopes.clone() }),
            Err(report) => {
                eprintln!("{}", report.render(color()));
                None
            }
        }
    }

    fn file(&self) -> &AgreementFile {
        match &self.file {
            Held::Configured(file) => file,
            Held::Other(file) => file,
        }
    }

    fn show(&self, signature: &Signature) {
        let file = self.file();
        let a = &file.agreement;
        println!("{}, version {}", a.title, a.version);
        println!("  file       {}", file.path.display());
        println!("  SHA-256    {}", a.hash);
        let zone = a.zone();
        let zone = zone.iana_name().unwrap_or("UTC").to_owned();
        match a.effective {
            Some(day) => println!("  effective  {day}, in {zone}"),
            None => println!("  effective  at once"),
        }
        a.review_by.iter().for_each(|day| println!("  review by  {day}"));
        println!("  governs    {}", self.scopes.iter().map(names).collect::<Vec<_>>().join(", "));
        println!("Read it first (leadpact agreement render), and what changed (leadpact agreement diff).");
        let Signature { name, title, party, on_behalf_of, .. } = signature;
        println!("Signing for {party}: {name}, {title}");
        if let Some(named) = on_behalf_of {
            println!(
                "Warning: the agreement names {named}; the signature will say that {name} signed on their behalf."
            );
        }
    }
}

/// The signature as it will be stored. A party that does not sign, or another name than the
/// agreement's without `--on-behalf`, is refused.
fn signature(agreement: &Agreement, arguments: &SignArguments) -> Result<Signature> {
    let sign = agreement.parties.iter().filter_map(|p| Some((&p.name, p.signs.as_ref()?)));
    let party = PartyName::new(&arguments.party);
    let Some((_, named)) = sign.clone().find(|(name, _)| **name == party) else {
        let who: Vec<&str> = sign.map(|(name, _)| name.as_str()).collect();
        if who.is_empty() {
            bail!("nobody signs this agreement: name who does in [parties.{party}] with `signs`");
        }
        bail!("`{party}` does not sign this agreement; {} do", who.join(" and "));
    };
    let name = arguments.name.as_deref().unwrap_or(&named.name).trim();
    let is_other = !same_name(name, named);
    if name.is_empty() || (is_other && !arguments.on_behalf) {
        bail!("the agreement names {} for {party}; with --on-behalf somebody else signs for them", named.name);
    }
    let title = arguments.title.as_deref().or((!is_other).then_some(named.title.as_str()));
    Ok(Signature {
        agreement: agreement.hash.to_string(),
        party,
        name: name.to_owned(),
        title: title.context("say with --title as what they sign")?.trim().to_owned(),
        on_behalf_of: is_other.then(|| named.name.clone()),
        entered_by: user(),
        signed_at: real_now(),
    })
}

fn same_name(name: &str, named: &Signatory) -> bool {
    let words = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    words(name) == words(&named.name)
}

fn agreed() -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here: --yes signs without asking");
    }
    print!("Sign this version? [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Stores the version, the signature and what the journals say of it. Answers whether it was new.
async fn sign(db: &Db, paper: &Paper<'_>, signature: &Signature) -> Result<bool, StoreError> {
    let mut tx = db.begin(Priority::Work).await?;
    for scope in &paper.scopes {
        agreement::lock(&mut tx, scope.own.as_ref()).await?;
        offer(&mut tx, scope, paper.file(), signature.signed_at).await?;
    }
    let is_new = signature::add(&mut tx, signature).await?;
    for connection in paper.scopes.iter().flat_map(|scope| &scope.connections).filter(|_| is_new) {
        journal::append(&mut tx, connection, &[entry(signature)]).await?;
    }
    tx.commit().await?;
    Ok(is_new)
}

fn entry(signature: &Signature) -> JournalEntry {
    let Signature { agreement, party, name, title, on_behalf_of, entered_by, signed_at } = signature;
    let mut detail = Map::from_iter([
        ("party".to_owned(), json!(party)),
        ("name".to_owned(), json!(name)),
        ("by".to_owned(), json!(name)),
        ("title".to_owned(), json!(title)),
        ("entered_by".to_owned(), json!(entered_by)),
    ]);
    on_behalf_of.iter().for_each(|named| drop(detail.insert("on_behalf_of".to_owned(), json!(named))));
    let mut fact = Fact::of_no_record(FactKind::Signed, *signed_at, party.as_str(), detail);
    fact.party = Some(party.clone());
    JournalEntry { record: None, fact, seen_at: *signed_at, agreement: agreement.clone() }
}

/// What happens next with this version.
fn outlook(known: &[Known], paper: &Paper<'_>, zone: &jiff::tz::TimeZone) -> String {
    let agreement = &paper.file().agreement;
    let Some(own) = known.iter().find(|k| k.version.hash == *agreement.hash) else { return String::new() };
    let active = known.iter().find(|k| k.is_active());
    if own.is_active() {
        return "It is the active version.".to_owned();
    }
    let waits =
        own.version.effective_at > real_now() && own.missing().is_empty() && own.version.superseded_at.is_none();
    if waits {
        return format!(
            "Complete. It is in effect from {}, and taken up then by itself.",
            own.version.effective_at.in_zone(zone)
        );
    }
    match draft(own, active, real_now(), zone) {
        Some(why) => format!("This version {why}."),
        None => "Complete. A running daemon takes it up within seconds.".to_owned(),
    }
}

/// The operating system's user, from the owner of this process; its environment could say anything.
fn user() -> String {
    let Ok(id) = std::fs::metadata("/proc/self").map(|of_process| of_process.uid()) else {
        return std::env::var("USER").unwrap_or_else(|_| "unknown".to_owned());
    };
    let names = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = names.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)? == id.to_string()).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("user {id}"))
}
