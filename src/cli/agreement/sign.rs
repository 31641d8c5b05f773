//! `leadpact agreement sign`: a party's signature under one exact version. What is signed is the
//! version's hash; any change of the file's meaning has another one and needs new signatures.

use super::Desk;
use crate::app::{AgreementFile, Scope, read_agreement};
use crate::cli::{ConfigArguments, color};
use crate::engine::clock::real_now;
use crate::engine::signing::{Signing, sign, signature};
use crate::engine::versions::outlook;
use crate::settings;
use crate::store::signature::Signature;
use anyhow::{Result, bail};
use clap::Args;
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
    let signing = Signing {
        party: &arguments.party,
        name: arguments.name.as_deref(),
        title: arguments.title.as_deref(),
        on_behalf: arguments.on_behalf,
        entered_by: &user(),
    };
    let signature = signature(&paper.file().agreement, signing, real_now())?;
    paper.show(&signature);
    if !arguments.yes && !agreed()? {
        println!("Nothing was signed.");
        return Ok(ExitCode::FAILURE);
    }
    desk.with_db(async |db| {
        let is_new = sign(&db, &paper.scopes, &paper.file().row(signature.signed_at), &signature).await?;
        println!("{}", if is_new { "Signed." } else { "This party signed this version before; nothing changed." });
        for scope in &paper.scopes {
            let known = desk.known(&db, scope).await?;
            println!("{}", outlook(&known, &paper.file().agreement.hash, real_now(), &desk.zone(scope)));
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
        println!("  governs    {}", self.scopes.iter().map(Scope::names).collect::<Vec<_>>().join(", "));
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
