//! The agreements that a configuration names, read from their files. Which version is enforced is
//! decided in `activation`.

use crate::agreement::parse::{Parsed, parse};
use crate::agreement::problem::{Problem, Report};
use crate::agreement::{Agreement, lint};
use crate::crm::connection::Connection;
use crate::engine::versions::{Scope, row};
use crate::record::{ConnectionName, Timestamp};
use crate::settings::{self, Settings};
use crate::store::agreement::AgreementRow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An agreement as its file has it.
pub struct AgreementFile {
    pub path: PathBuf,
    pub text: String,
    /// The files that it names, by the name that it uses.
    pub files: BTreeMap<String, String>,
    pub agreement: Arc<Agreement>,
}

impl AgreementFile {
    /// What is offered to the database.
    pub fn row(&self, offered_at: Timestamp) -> AgreementRow {
        row(&self.agreement, self.text.clone(), self.files.clone(), offered_at)
    }
}

/// The agreements of a configuration: the general one first, then those that connections name.
pub struct Agreements {
    files: Vec<AgreementFile>,
    of: HashMap<ConnectionName, usize>,
}

impl Agreements {
    /// Reads and checks every file. `Err` holds what is wrong in any of them, `Ok` the warnings.
    pub fn read(settings: &Settings) -> Result<(Self, Vec<Report>), Vec<Report>> {
        let mut paths = vec![settings.agreement.clone()];
        let mut of = HashMap::new();
        for connection in &settings.connections {
            let path = connection.agreement.as_ref().map_or_else(|| paths[0].clone(), PathBuf::from);
            let at = paths.iter().position(|p| *p == path).unwrap_or_else(|| {
                paths.push(path);
                paths.len() - 1
            });
            of.insert(connection.name.clone(), at);
        }
        let (mut files, mut warnings, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for path in paths {
            match read_agreement(&path) {
                Ok((file, warned)) => {
                    files.push(file);
                    warnings.push(warned);
                }
                Err(report) => errors.push(report),
            }
        }
        if errors.is_empty() { Ok((Self { files, of }, warnings)) } else { Err(errors) }
    }

    pub fn files(&self) -> &[AgreementFile] {
        &self.files
    }

    fn index_of(&self, connection: &ConnectionName) -> usize {
        self.of.get(connection).copied().unwrap_or(0)
    }

    /// The agreement file that a connection names.
    pub fn of(&self, connection: &ConnectionName) -> &AgreementFile {
        &self.files[self.index_of(connection)]
    }

    /// The file of a scope.
    pub fn of_scope(&self, scope: &Scope) -> &AgreementFile {
        scope.own.as_ref().map_or(&self.files[0], |connection| self.of(connection))
    }

    /// What the agreements leave unsaid, each in a sentence.
    pub fn unsaid(&self) -> Vec<String> {
        self.files.iter().flat_map(|f| lint::unsaid(&f.agreement)).collect()
    }

    /// Holds every file against the connections that name it: one report a file, warnings and errors.
    pub fn check_against(&self, settings: &Settings) -> Vec<Report> {
        let one = |(i, file): (usize, &AgreementFile)| {
            settings::check_against(settings, &file.agreement, |c: &Connection| self.index_of(&c.name) == i)
        };
        self.files.iter().enumerate().map(one).collect()
    }
}

/// Who is governed together, the general agreement's connections first.
pub fn scopes(settings: &Settings) -> Vec<Scope> {
    Scope::all(&settings.connections)
}

/// Reads one agreement file, with the files that it names beside it.
pub fn read_agreement(path: &Path) -> Result<(AgreementFile, Report), Report> {
    let (text, files, parsed) = parse_file(path)?;
    let file = AgreementFile { path: path.to_owned(), text, files, agreement: Arc::new(parsed.agreement) };
    Ok((file, parsed.warnings))
}

/// The same with the agreement's canonical form, and the text beside it.
pub fn parse_agreement(path: &Path) -> Result<(String, Parsed), Report> {
    parse_file(path).map(|(text, _, parsed)| (text, parsed))
}

fn parse_file(path: &Path) -> Result<(String, BTreeMap<String, String>, Parsed), Report> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|e| Report::new(&name, "", vec![Problem::of_file(format!("the agreement cannot be read: {e}"))]))?;
    let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
    let files = RefCell::new(BTreeMap::new());
    let include = |file: &str| {
        let text = std::fs::read_to_string(folder.join(file)).map_err(|e| e.to_string())?;
        files.borrow_mut().insert(file.to_owned(), text.clone());
        Ok(text)
    };
    let parsed = parse(&name, &text, &include)?;
    Ok((text, files.take(), parsed))
}

/// The agreement that a configuration with errors names, so that its errors show together with them.
fn agreement_beside(configuration: &Path) -> Option<PathBuf> {
    let table: toml::Table = std::fs::read_to_string(configuration).ok()?.parse().ok()?;
    let named = table.get("agreement").and_then(toml::Value::as_str).unwrap_or("agreement.toml");
    let path = configuration.parent()?.join(named);
    path.is_file().then_some(path)
}

/// Reads a configuration and its agreements, printing everything that is wrong with any of them.
/// `None`: there are errors and nothing may start.
pub fn read_configuration(path: &Path, color: bool) -> Option<(Settings, Agreements, Vec<Report>)> {
    let (settings, mut warnings) = match settings::load(path, &settings::Environment::of_process()) {
        Ok((settings, warnings)) => (settings, vec![warnings]),
        Err(report) => {
            eprintln!("{}", report.render(color));
            if let Some(Err(report)) = agreement_beside(path).map(|path| read_agreement(&path)) {
                eprintln!("{}", report.render(color));
            }
            return None;
        }
    };
    let agreements = match Agreements::read(&settings) {
        Ok((agreements, more)) => {
            warnings.extend(more);
            agreements
        }
        Err(reports) => {
            reports.iter().for_each(|report| eprintln!("{}", report.render(color)));
            return None;
        }
    };
    let reports = agreements.check_against(&settings);
    if let Some(report) = reports.iter().find(|r| r.has_errors()) {
        eprintln!("{}", report.render(color));
        return None;
    }
    warnings.extend(reports);
    Some((settings, agreements, warnings))
}
