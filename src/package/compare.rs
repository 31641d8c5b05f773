//! A package beside what lies in its folder: which files are new, changed, edited by hand or no
//! longer needed, and what the CRM will do otherwise than before. Nothing is read or written here.

use super::manifest::{Manifest, digest};
use super::{File, Package};
use std::collections::BTreeMap;
use std::path::{Component, Path};

/// How a file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not there yet, or deleted since.
    New,
    Same,
    /// As it was generated, and now to be otherwise: so many lines more, so many less.
    Changed {
        more: usize,
        less: usize,
    },
    /// Somebody edited it, or it is not from us. `is_due`: what we would write changed as well.
    Edited {
        is_due: bool,
    },
    /// As it was generated, and part of the package no more.
    Unneeded,
    /// Part of the package no more, and edited by somebody.
    UnneededEdited,
}

/// What writing the package would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// By path.
    pub files: BTreeMap<String, State>,
    /// What the CRM will do in addition, in words.
    pub added: Vec<String>,
    /// What it will do no more.
    pub removed: Vec<String>,
}

impl Comparison {
    /// Whether there is anything to write or to delete; with `overwrite` edited files count too.
    pub fn is_due(&self, overwrite: bool) -> bool {
        self.files.values().any(|state| state.is_written(overwrite) || state.is_deleted(overwrite))
    }

    /// Whether all that would be done is to create files.
    pub fn only_creates(&self) -> bool {
        self.files.values().all(|state| *state == State::New)
    }
}

impl State {
    pub fn is_written(self, overwrite: bool) -> bool {
        matches!(self, State::New | State::Changed { .. }) || (overwrite && matches!(self, State::Edited { .. }))
    }

    pub fn is_deleted(self, overwrite: bool) -> bool {
        self == State::Unneeded || (overwrite && self == State::UnneededEdited)
    }
}

/// Compares a package with its folder. `on_disk` answers the text of a file, if it is there.
pub fn compare(package: &Package, before: Option<&Manifest>, on_disk: impl Fn(&str) -> Option<String>) -> Comparison {
    let generated = |path: &str| before.and_then(|manifest| manifest.files.get(path)).map(String::as_str);
    let mut files: BTreeMap<String, State> = package
        .files
        .iter()
        .map(|file| (file.path.clone(), state(file, generated(&file.path), on_disk(&file.path))))
        .collect();
    let old = before.into_iter().flat_map(|manifest| &manifest.files);
    for (path, hash) in old.filter(|(path, _)| package.text(path).is_none() && is_inside(path)) {
        if let Some(text) = on_disk(path) {
            files.insert(path.clone(), if digest(&text) == *hash { State::Unneeded } else { State::UnneededEdited });
        }
    }
    let contents = before.map_or(&[][..], |manifest| &manifest.contents);
    let missing_in = |list: &[String], of: &[String]| of.iter().filter(|one| !list.contains(one)).cloned().collect();
    Comparison {
        files,
        added: missing_in(contents, &package.contents),
        removed: missing_in(&package.contents, contents),
    }
}

/// A manifest is a file that anybody can edit: nothing outside the folder is deleted on its word.
fn is_inside(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    !path.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}

fn state(file: &File, generated: Option<&str>, on_disk: Option<String>) -> State {
    let Some(there) = on_disk else { return State::New };
    if there == file.text {
        State::Same
    } else if generated == Some(digest(&there).as_str()) {
        let (more, less) = (beyond(&file.text, &there), beyond(&there, &file.text));
        State::Changed { more, less }
    } else {
        State::Edited { is_due: generated != Some(digest(&file.text).as_str()) }
    }
}

/// How many lines of one text the other lacks.
fn beyond(one: &str, other: &str) -> usize {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for line in other.lines() {
        *left.entry(line).or_default() += 1;
    }
    let mut lacking = 0;
    for line in one.lines() {
        match left.get_mut(line).filter(|count| **count > 0) {
            Some(count) => *count -= 1,
            None => lacking += 1,
        }
    }
    lacking
}

/// The manifest to keep after writing: what was not overwritten keeps the hash it was generated
/// with, so that it is still known as edited.
pub fn kept(mut new: Manifest, before: Option<&Manifest>, comparison: &Comparison, overwrite: bool) -> Manifest {
    for (path, state) in &comparison.files {
        let old = before.and_then(|manifest| manifest.files.get(path));
        let stays = match state {
            State::Edited { .. } | State::UnneededEdited => !overwrite,
            State::New | State::Same | State::Changed { .. } | State::Unneeded => false,
        };
        match old {
            Some(hash) if stays => {
                new.files.insert(path.clone(), hash.clone());
            }
            None if stays => {
                new.files.remove(path);
            }
            _ => {}
        }
    }
    new
}
