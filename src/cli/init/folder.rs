//! A package's folder: shows what would change in it, asks, and writes. What somebody edited stays
//! as it is unless they say otherwise.

use super::FolderArguments;
use crate::cli::opened::agreed;
use crate::package::compare::{Comparison, State, compare, kept};
use crate::package::manifest::FILE;
use crate::package::{Manifest, Package};
use anyhow::{Context, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Writes the package to its folder, by default `install/` and `name`.
///
/// # Errors
/// When a file cannot be read or written, or nobody is there to agree to a change.
pub(super) fn write(
    package: &Package,
    manifest: Manifest,
    arguments: &FolderArguments,
    name: &str,
) -> Result<ExitCode> {
    let folder = arguments.out.clone().unwrap_or_else(|| Path::new("install").join(name));
    let before = read_manifest(&folder)?;
    let on_disk =
        |path: &str| fs::read(folder.join(path)).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let comparison = compare(package, before.as_ref(), on_disk);
    let due = comparison.is_due(arguments.overwrite);
    let is_first = before.is_none() && comparison.only_creates();
    if !is_first {
        show(&comparison, &folder, arguments.overwrite);
    }
    if due && !is_first && !agreed(&format!("Write this to {}?", folder.display()), arguments.yes)? {
        println!("Nothing was written.");
        return Ok(ExitCode::FAILURE);
    }
    let manifest = kept(manifest, before.as_ref(), &comparison, arguments.overwrite);
    if due {
        apply(package, &comparison, &folder, arguments.overwrite)?;
    }
    if due || before.as_ref() != Some(&manifest) {
        create(&folder.join(FILE), &manifest.text())?;
    }
    if due {
        println!("{}: written. Its README.md holds the steps, in their order.", folder.display());
    } else {
        println!("{}: nothing to write.", folder.display());
    }
    if !arguments.overwrite && comparison.files.values().any(|state| *state == State::Edited { is_due: true }) {
        println!(
            "What you edited is kept and lacks what is new. Merge it from what `--out ANOTHER-FOLDER` writes, or take \
             ours with `--overwrite`."
        );
    }
    notes(package);
    Ok(ExitCode::SUCCESS)
}

fn read_manifest(folder: &Path) -> Result<Option<Manifest>> {
    let path = folder.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let advice = || format!("{} is no manifest of ours: generate into another folder", path.display());
            serde_json::from_str(&text).map(Some).with_context(advice)
        }
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn show(comparison: &Comparison, folder: &Path, overwrite: bool) {
    if comparison.files.values().all(|state| *state == State::Same) {
        return;
    }
    println!("{}, compared with what was generated before:", folder.display());
    comparison.removed.iter().for_each(|what| println!("  - {what}"));
    comparison.added.iter().for_each(|what| println!("  + {what}"));
    for (path, state) in &comparison.files {
        if let Some(line) = line(*state, overwrite) {
            println!("  {line:<26}{path}");
        }
    }
}

fn line(state: State, overwrite: bool) -> Option<String> {
    Some(match state {
        State::Same => return None,
        State::New => "new".to_owned(),
        State::Changed { more, less } => format!("changed (+{more} -{less} lines)"),
        State::Edited { .. } | State::UnneededEdited if overwrite => "edited, REPLACED".to_owned(),
        State::Edited { is_due: true } => "edited, kept OUT OF DATE".to_owned(),
        State::Edited { is_due: false } => "edited, kept".to_owned(),
        State::Unneeded => "deleted".to_owned(),
        State::UnneededEdited => "edited, kept, unneeded".to_owned(),
    })
}

fn apply(package: &Package, comparison: &Comparison, folder: &Path, overwrite: bool) -> Result<()> {
    for (path, state) in &comparison.files {
        let target = folder.join(path);
        if state.is_deleted(overwrite) {
            fs::remove_file(&target).with_context(|| format!("{} cannot be deleted", target.display()))?;
        } else if state.is_written(overwrite) {
            create(&target, package.text(path).unwrap_or_default())?;
        }
    }
    Ok(())
}

/// Writes a file, and the folders above it.
pub(super) fn create(path: &PathBuf, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be created", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

fn notes(package: &Package) {
    if !package.notes.is_empty() {
        println!("Please note:");
        package.notes.iter().for_each(|note| println!("  - {note}"));
    }
}
