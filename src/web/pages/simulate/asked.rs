//! What somebody asks to have simulated, read from the form: a connection, days, and other terms as a
//! version that is kept here or as a text. A text is read and forgotten; nothing of it is stored.

use super::Shelf;
use crate::agreement::Agreement;
use crate::agreement::parse::parse;
use crate::engine::Site;
use crate::engine::simulate::Question;
use crate::engine::versions::read_stored;
use crate::store::{StoreError, agreement};
use crate::web::Web;
use jiff::civil::Date;
use serde::Deserialize;
use std::num::NonZero;

/// Longer texts are not read, in bytes.
pub const LONGEST: usize = 128 * 1024;
/// So many leads of a line are named.
const NAMED: usize = 20;
/// What the pasted text is called in its problems.
const NAME: &str = "your text";

/// The form as it was filled in, or what a program sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    pub connection: String,
    pub from: String,
    pub to: String,
    /// The hash of a version that is kept here; empty: the text.
    pub version: String,
    pub text: String,
}

/// Why it cannot be asked.
pub enum Refused {
    /// A sentence.
    Why(String),
    /// All problems of the text, each with its line and a caret.
    Text(String),
}

impl Asked {
    /// The form's fields; what is missing is empty.
    pub fn read(body: &[u8]) -> Self {
        let mut asked = Asked::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            let value = value.into_owned();
            match &*name {
                "connection" => asked.connection = value,
                "from" => asked.from = value,
                "to" => asked.to = value,
                "version" => asked.version = value,
                "text" => asked.text = value.replace("\r\n", "\n"),
                _ => {}
            }
        }
        asked
    }

    /// The question, against the terms by which the connection is judged now.
    ///
    /// # Errors
    /// When the database cannot be read; inside, why the question cannot be asked.
    pub async fn question(&self, web: &Web, site: &Site) -> Result<Result<Question, Refused>, StoreError> {
        let Some(shelf) = Shelf::find(web, Some(site.name().as_str())).await? else {
            return Ok(Err(Refused::Why("Choose a connection.".to_owned())));
        };
        let old = match self.stored(web, &shelf, &site.agreement.hash, "in force").await? {
            Ok(old) => old,
            Err(refused) => return Ok(Err(refused)),
        };
        let new = if self.version.is_empty() {
            self.of_text(web, &shelf).await?
        } else {
            self.stored(web, &shelf, &self.version, "a version that is kept here").await?
        };
        let (new, from, to) = match (new, day(&self.from), day(&self.to)) {
            (Err(refused), ..) => return Ok(Err(refused)),
            (_, Err(why), _) | (_, _, Err(why)) => return Ok(Err(Refused::Why(why))),
            (Ok(new), Ok(from), Ok(to)) => (new, from, to),
        };
        // One is left for the pages.
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get).saturating_sub(1).max(1);
        Ok(Ok(Question { connection: site.name().clone(), old, new, from, to, keep: NAMED, threads }))
    }

    async fn stored(
        &self,
        web: &Web,
        shelf: &Shelf,
        hash: &str,
        origin: &str,
    ) -> Result<Result<(Agreement, String), Refused>, StoreError> {
        let Some(row) = agreement::load(&web.engine.db, shelf.scope.own.as_ref(), hash).await? else {
            let why = "That version is not kept for this connection. Versions are once `leadpact serve` offered them.";
            return Ok(Err(Refused::Why(why.to_owned())));
        };
        Ok(match read_stored(&row) {
            Ok(read) => Ok((read, origin.to_owned())),
            Err(report) => Err(Refused::Text(report.render(false))),
        })
    }

    /// Files that the text names are those that the version in force has.
    async fn of_text(&self, web: &Web, shelf: &Shelf) -> Result<Result<(Agreement, String), Refused>, StoreError> {
        if self.text.trim().is_empty() {
            return Ok(Err(Refused::Why("Choose a version, or paste the text of an agreement.".to_owned())));
        }
        if self.text.len() > LONGEST {
            return Ok(Err(Refused::Why(format!("The text is longer than {} KiB.", LONGEST / 1024))));
        }
        let own = shelf.scope.own.as_ref();
        let row = agreement::load(&web.engine.db, own, &shelf.enforced.hash).await?;
        let files = row.map(|row| row.files).unwrap_or_default();
        let include = |file: &str| {
            files.get(file).cloned().ok_or_else(|| "only files of the version in force can be named here".to_owned())
        };
        Ok(match parse(NAME, &self.text, &include) {
            Ok(parsed) => Ok((parsed.agreement, "the text that was sent".to_owned())),
            Err(report) => Err(Refused::Text(report.render(false))),
        })
    }
}

fn day(text: &str) -> Result<Option<Date>, String> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| "Write days like 2027-01-31.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_what_it_has() {
        let asked = Asked::read(b"connection=a%20b&text=x%0D%0Ay&from=2027-01-05&csrf=z");
        assert_eq!((asked.connection.as_str(), asked.text.as_str(), asked.to.as_str()), ("a b", "x\ny", ""));
        assert!(day("").is_ok_and(|day| day.is_none()) && day("5.1.2027").is_err());
        assert!(day(&asked.from).is_ok_and(|day| day.is_some()));
    }
}
