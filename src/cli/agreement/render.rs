//! `leadpact agreement render`: the five slides and the signature page, as a web page or a PowerPoint file.

use super::Desk;
use crate::agreement::Agreement;
use crate::app::read_agreement;
use crate::cli::color;
use crate::document::{Signed, document, html, pptx};
use crate::store::signature::{self, Signature};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Debug, Args)]
pub struct RenderArguments {
    /// The agreement. Without it: the one that the configuration names.
    #[arg(long, value_name = "FILE")]
    agreement: Option<PathBuf>,
    /// The configuration of the daemon: signatures under this very version stand on its page then. Without
    /// either: leadpact.toml.
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to write it; the ending says as what: `.html` or `.pptx`.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// What a file is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Html,
    Pptx,
}

/// What all commands read where nothing names another.
fn usual() -> PathBuf {
    std::env::var_os("LEADPACT_CONFIG").map_or_else(|| PathBuf::from("leadpact.toml"), PathBuf::from)
}

/// Exit 1 when the agreement has errors, which are shown as `check` shows them.
pub fn run(arguments: &RenderArguments) -> Result<ExitCode> {
    let format = format_of(&arguments.out)?;
    let read = match &arguments.agreement {
        None => configured(&arguments.config.clone().unwrap_or_else(usual))?,
        Some(file) => named(file, arguments.config.as_deref())?,
    };
    let Some(Read { path, agreement, signed }) = read else { return Ok(ExitCode::FAILURE) };
    let document = document(&agreement, &signed)
        .with_context(|| format!("{} does not fit on five slides, and nothing was written", path.display()))?;
    let bytes = match format {
        Format::Html => html::html(&document).into_bytes(),
        Format::Pptx => pptx::pptx(&document)?,
    };
    let out = &arguments.out;
    std::fs::write(out, bytes).with_context(|| format!("{} cannot be written", out.display()))?;
    let slides = document.pages.len() - 1;
    println!("{}: {slides} slides and a signature page of {}", out.display(), document.title);
    println!("  version {}, SHA-256 {}", document.version, document.hash);
    signed.iter().for_each(|s| println!("  signed by {}, {}, for {}", s.name, s.title, s.party));
    if format == Format::Html {
        println!("  A browser prints it as PDF: landscape, no margins, with background graphics.");
    }
    Ok(ExitCode::SUCCESS)
}

/// An agreement with the signatures under this very version.
struct Read {
    path: PathBuf,
    agreement: Arc<Agreement>,
    signed: Vec<Signed>,
}

/// The only agreement of this configuration. `None`: there are errors, which were printed.
fn configured(config: &Path) -> Result<Option<Read>> {
    let Some(desk) = Desk::read(config) else { return Ok(None) };
    let [only] = desk.agreements.files() else {
        let named: Vec<String> = desk.agreements.files().iter().map(|file| file.path.display().to_string()).collect();
        bail!("say which with --agreement; the configuration names {}", named.join(", "));
    };
    let signed = signatures(&desk, &only.agreement.hash)?;
    Ok(Some(Read { path: only.path.clone(), agreement: only.agreement.clone(), signed }))
}

/// As [`configured`], for a file of its own.
fn named(file: &Path, config: Option<&Path>) -> Result<Option<Read>> {
    let agreement = match read_agreement(file) {
        Ok((file, warnings)) => {
            if warnings.counts().1 > 0 {
                eprintln!("{}", warnings.render(color()));
            }
            file.agreement
        }
        Err(report) => {
            eprintln!("{}", report.render(color()));
            return Ok(None);
        }
    };
    let signed = match config.map(Desk::read) {
        None => Vec::new(),
        Some(None) => return Ok(None),
        Some(Some(desk)) => signatures(&desk, &agreement.hash)?,
    };
    Ok(Some(Read { path: file.to_path_buf(), agreement, signed }))
}

fn signatures(desk: &Desk, hash: &str) -> Result<Vec<Signed>> {
    let known = desk.with_db(async |db| Ok(signature::of(&db, hash).await?))?;
    let one = |s: Signature| Signed { party: s.party, name: s.name, title: s.title, signed_at: s.signed_at };
    Ok(known.into_iter().map(one).collect())
}

fn format_of(out: &Path) -> Result<Format> {
    let ending = out.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("html" | "htm") => Ok(Format::Html),
        Some("pptx") => Ok(Format::Pptx),
        Some("pdf") => bail!("PDF is not written directly: write X.html, open it in a browser and print it as PDF"),
        _ => bail!("`{}` says neither `.html` nor `.pptx`; end it with one of them", out.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_what_is_written_and_a_wrong_one_gets_advice() {
        assert_eq!(format_of(Path::new("a.html")).expect("known"), Format::Html);
        assert_eq!(format_of(Path::new("a.PPTX")).expect("known"), Format::Pptx);
        for (name, advice) in [("a.pdf", "print it as PDF"), ("a.ppt", "neither"), ("a", "neither")] {
            assert!(format_of(Path::new(name)).expect_err(name).to_string().contains(advice));
        }
    }
}
