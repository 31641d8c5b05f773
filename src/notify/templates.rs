//! The templates of messages: the shipped ones, embedded, and an operator's in their place.
//! What is put into them is gathered in `render`; they cannot loop for ever or read files.

use super::words::{LISTED, Listing};
use super::{letter, render, sample};
use crate::record::effect::Notice;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};
use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// What one template may cost, in steps of the template engine.
const FUEL: u64 = 100_000;

/// The largest template file that is read.
const LARGEST: u64 = 256 * 1024;

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../config/templates/", $name)))),*]
    };
}

/// Names and texts of what is shipped. Those that begin with `_` are parts of others.
pub const SHIPPED: &[(&str, &str)] = shipped![
    "reminder.txt",
    "reminder.html",
    "breach.txt",
    "breach.html",
    "recycled.txt",
    "recycled.html",
    "reassigned.txt",
    "reassigned.html",
    "nurtured.txt",
    "nurtured.html",
    "violation.txt",
    "violation.html",
    "agreement.txt",
    "agreement.html",
    "renewal.txt",
    "renewal.html",
    "undone.txt",
    "undone.html",
    "contested.txt",
    "contested.html",
    "bundle.txt",
    "bundle.html",
    "dispute.txt",
    "dispute.html",
    "attestation.txt",
    "attestation.html",
    "journal.txt",
    "journal.html",
    "_facts.txt",
    "_facts.html",
    "_layout.html",
    "_name.html",
];

/// Every notice has its template.
pub const NOTICES: [Notice; 8] = [
    Notice::Reminder,
    Notice::Breach,
    Notice::Recycled,
    Notice::Reassigned,
    Notice::Nurtured,
    Notice::Violation,
    Notice::Undone,
    Notice::Contested,
];

/// Where a template is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The operator's file, or the name of a shipped template or of a line in the agreement.
    pub file: String,
    pub line: Option<usize>,
    pub message: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for TemplateError {}

/// All templates, compiled and tried.
pub struct Templates {
    environment: Environment<'static>,
    /// Which templates the operator wrote, and where.
    files: BTreeMap<String, PathBuf>,
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Templates {
    /// The shipped templates alone.
    pub fn shipped() -> &'static Templates {
        static SHIPPED_ONLY: LazyLock<Templates> = LazyLock::new(Templates::embedded);
        &SHIPPED_ONLY
    }

    /// The shipped templates, with the `.txt` and `.html` files of the directory in their place.
    /// A name that nobody would use is an error, but for parts, which begin with `_`. Every
    /// template is tried on made-up items.
    pub fn load(directory: Option<&Path>) -> Result<Templates, TemplateError> {
        let mut templates = Templates::embedded();
        for (name, path) in directory.map(files_of).transpose()?.unwrap_or_default() {
            let source = read(&path)?;
            templates.files.insert(name.clone(), path);
            let added = templates.environment.add_template_owned(name.clone(), source);
            added.map_err(|error| templates.located(&name, &error))?;
        }
        templates.tried()?;
        Ok(templates)
    }

    fn embedded() -> Templates {
        let mut environment = environment();
        for (name, source) in SHIPPED {
            environment.add_template(name, source).expect("the shipped templates compile");
        }
        Templates { environment, files: BTreeMap::new() }
    }

    /// A template such as a task's title, on one item, as one line without markup.
    pub fn line(template: &str, context: Value) -> Result<String, TemplateError> {
        static LINES: LazyLock<Environment<'static>> = LazyLock::new(environment);
        const NAME: &str = "title";
        LINES.render_named_str(NAME, template, context).map_err(|error| TemplateError {
            file: format!("title {template:?}"),
            line: None,
            message: explained(&error),
        })
    }

    /// One template by its file's name.
    pub(super) fn fill(&self, name: &str, context: Value) -> Result<String, TemplateError> {
        let filled = self.environment.get_template(name).and_then(|template| template.render(context));
        filled.map_err(|error| self.located(name, &error))
    }

    pub(super) fn error(&self, name: &str, line: usize, message: &str) -> TemplateError {
        TemplateError { file: self.file(name), line: Some(line), message: message.to_owned() }
    }

    /// Every template with everything said, and with as little as may be.
    fn tried(&self) -> Result<(), TemplateError> {
        for notice in NOTICES {
            for item in [sample::item(notice), sample::bare(notice)] {
                render::words_of(self, &Listing::of(std::slice::from_ref(&item)))?;
                render::words_of(self, &Listing::of(&vec![item; LISTED + 1]))?;
            }
        }
        letter::tried(self)
    }

    /// The innermost template that failed, since parts are included by others.
    fn located(&self, name: &str, error: &minijinja::Error) -> TemplateError {
        let inner = innermost(error);
        TemplateError { file: self.file(inner.name().unwrap_or(name)), line: inner.line(), message: explained(inner) }
    }

    /// The operator's file of this name, if there is one.
    pub fn overridden(&self, name: &str) -> Option<&Path> {
        self.files.get(name).map(PathBuf::as_path)
    }

    fn file(&self, name: &str) -> String {
        match self.files.get(name) {
            Some(path) => path.display().to_string(),
            None => format!("shipped template {name}"),
        }
    }
}

/// Unknown names are errors, a value that is not there prints as nothing.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the usual delimiters are valid"));
    environment.set_formatter(
        |out, state, value| {
            if value.is_none() { Ok(()) } else { minijinja::escape_formatter(out, state, value) }
        },
    );
    environment
}

/// Template files in a directory, by name.
fn files_of(directory: &Path) -> Result<BTreeMap<String, PathBuf>, TemplateError> {
    let mut files = BTreeMap::new();
    let entries = std::fs::read_dir(directory).map_err(|error| unreadable(directory, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| unreadable(directory, &error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if !name.ends_with(".txt") && !name.ends_with(".html") {
            continue;
        }
        if !name.starts_with('_') && SHIPPED.iter().all(|(known, _)| *known != name) {
            return Err(unknown(&path));
        }
        files.insert(name.to_owned(), path.clone());
    }
    Ok(files)
}

fn read(path: &Path) -> Result<String, TemplateError> {
    let size = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
    if size > LARGEST {
        let message = format!("larger than {} KiB", LARGEST / 1024);
        return Err(TemplateError { file: path.display().to_string(), line: None, message });
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> TemplateError {
    TemplateError { file: path.display().to_string(), line: None, message: format!("cannot be read: {error}") }
}

fn unknown(path: &Path) -> TemplateError {
    let known: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).filter(|name| !name.starts_with('_')).collect();
    let message = format!("no message uses a template of this name; there are {}", known.join(", "));
    TemplateError { file: path.display().to_string(), line: None, message }
}

fn innermost(error: &minijinja::Error) -> &minijinja::Error {
    let mut inner = error;
    while let Some(next) = inner.source().and_then(|source| source.downcast_ref::<minijinja::Error>()) {
        inner = next;
    }
    inner
}

fn explained(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
#[path = "templates_tests.rs"]
mod tests;
