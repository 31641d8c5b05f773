//! Calls to the REST API: signed in, renewed once when the session is over, queries paged, records
//! saved in collections. Which records and fields is for `read.rs`, `write.rs`, `task.rs`, `people.rs`.

use super::auth::Auth;
use super::error::{self, SaveResult};
use crate::crm::http::{Answer, Http, encoded};
use crate::crm::usage::{Allowance, Meter, Usage};
use crate::crm::{CrmError, SharedKeeper};
use crate::record::{Elapsed, Timestamp};
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// More pages than any read of 200 records has; an organisation of 200,000 users still fits.
const MOST_PAGES: usize = 100;

pub struct Api {
    http: Http,
    auth: Auth,
    base_url: String,
    /// `{base_url}/services/data/v67.0`
    root: String,
    pub meter: Meter,
}

/// The rows of a query, and the clock of its first answer.
#[derive(Debug)]
pub struct Rows {
    pub at: Timestamp,
    pub rows: Vec<Json>,
}

#[derive(Deserialize)]
struct Page {
    records: Vec<Json>,
    done: bool,
    #[serde(rename = "nextRecordsUrl")]
    next: Option<String>,
}

/// The answer of a composite call.
#[derive(Deserialize)]
struct Composite {
    #[serde(rename = "compositeResponse")]
    answers: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    body: Json,
    http_status_code: u16,
}

impl Part {
    /// As if it had been asked for alone.
    fn answer(&self, whole: &Answer) -> Answer {
        let body = self.body.to_string().into_bytes();
        Answer { status: self.http_status_code, headers: whole.headers.clone(), at: whole.at, body }
    }
}

impl Api {
    /// Calls go to `base_url` whatever `instance_url` a token answer names: the operator's address
    /// may be a proxy's or a test's, and a token must not choose where records are sent.
    pub fn new(http: Http, auth: Auth, base_url: &str, version: &str) -> Self {
        let root = format!("{base_url}/services/data/v{}", version.trim_start_matches('v'));
        Self { http, auth, base_url: base_url.to_owned(), root, meter: Meter::default() }
    }

    /// Sends once; a second time with a new token when the session is over, since then nothing was
    /// done. The answer may have any other status.
    async fn send(&self, build: impl Fn(&Http) -> RequestBuilder) -> Result<Answer, CrmError> {
        use secrecy::ExposeSecret;
        self.meter.admit(self.http.now()).await?;
        let token = self.auth.token(&self.http).await?;
        let answer = self.http.send(build(&self.http).bearer_auth(token.expose_secret())).await?;
        self.meter.note(usage(&answer));
        self.meter.note_ahead(self.http.ahead(&answer));
        if answer.status != 401 {
            return Ok(answer);
        }
        let token = self.auth.renewed(&self.http, &token).await?;
        let answer = self.http.send(build(&self.http).bearer_auth(token.expose_secret())).await?;
        self.meter.note(usage(&answer));
        self.meter.note_ahead(self.http.ahead(&answer));
        Ok(answer)
    }

    /// With somebody who keeps a browser's grant.
    pub fn keeping(self, keeper: SharedKeeper) -> Self {
        Self { auth: self.auth.keeping(keeper), ..self }
    }

    /// See [`Auth::keep_signed_in`].
    pub async fn keep_signed_in(&self) -> Result<(), CrmError> {
        self.auth.keep_signed_in(&self.http).await
    }

    /// The real time.
    pub fn now(&self) -> Timestamp {
        self.http.now()
    }

    async fn first_page(&self, soql: &str) -> Result<Answer, CrmError> {
        self.ask("query", soql).await
    }

    async fn ask(&self, resource: &str, soql: &str) -> Result<Answer, CrmError> {
        let url = format!("{}/{resource}", self.root);
        self.send(|http| http.get(&url).query(&[("q", soql)])).await
    }

    /// All rows of a query, deleted records included.
    ///
    /// # Errors
    /// As [`Api::query`].
    pub async fn query_all(&self, soql: &str) -> Result<Rows, CrmError> {
        let answer = error::check(self.ask("queryAll", soql).await?)?;
        self.rest(answer).await
    }

    /// As [`Api::query_all`]; `None` when the object does not exist here or is not shown to us.
    ///
    /// # Errors
    /// As [`Api::query`], but for that.
    pub async fn query_all_if_visible(&self, soql: &str) -> Result<Option<Rows>, CrmError> {
        let answer = self.ask("queryAll", soql).await?;
        if error::is_hidden(&answer) {
            return Ok(None);
        }
        self.rest(error::check(answer)?).await.map(Some)
    }

    /// How many rows a `SELECT COUNT()` counts.
    ///
    /// # Errors
    /// As [`Api::query`].
    pub async fn count(&self, soql: &str) -> Result<u64, CrmError> {
        #[derive(Deserialize)]
        struct Counted {
            #[serde(rename = "totalSize")]
            total: u64,
        }
        let counted: Counted = error::check(self.first_page(soql).await?)?.json()?;
        Ok(counted.total)
    }

    /// All rows of a query.
    ///
    /// # Errors
    /// As `error::of`.
    pub async fn query(&self, soql: &str) -> Result<Rows, CrmError> {
        let answer = error::check(self.first_page(soql).await?)?;
        self.rest(answer).await
    }

    /// All rows of a query; `None` when the object does not exist here or is not shown to us.
    ///
    /// # Errors
    /// As [`Api::query`], but for that.
    pub async fn query_if_visible(&self, soql: &str) -> Result<Option<Rows>, CrmError> {
        let answer = self.first_page(soql).await?;
        if error::is_hidden(&answer) {
            return Ok(None);
        }
        self.rest(error::check(answer)?).await.map(Some)
    }

    /// The rows of up to five queries in one call, each as of [`Api::query_if_visible`]. The subrequests of a
    /// composite count as one call towards the day's limit, other than those of a batch.
    ///
    /// # Errors
    /// As [`Api::query`], by the first query that fails.
    pub async fn queries_if_visible(&self, queries: &[String]) -> Result<Vec<Option<Rows>>, CrmError> {
        if queries.len() < 2 {
            return self.one_by_one(queries).await;
        }
        let path = self.root.strip_prefix(&self.base_url).unwrap_or(&self.root);
        let one = |(n, soql): (usize, &String)| {
            let url = format!("{path}/query?q={}", encoded(soql));
            json!({ "method": "GET", "url": url, "referenceId": format!("query{n}") })
        };
        let asked: Vec<Json> = queries.iter().enumerate().map(one).collect();
        let body = json!({ "allOrNone": false, "compositeRequest": asked });
        let url = format!("{}/composite", self.root);
        let whole = self.send(|http| http.post(&url).json(&body)).await?;
        if whole.status == 404 {
            // What stands in front of Salesforce passes on queries alone.
            return self.one_by_one(queries).await;
        }
        let whole = error::check(whole)?;
        let told: Composite = whole.json()?;
        if told.answers.len() != queries.len() {
            return Err(CrmError::Doubt { message: "the answer does not tell of each query".to_owned() });
        }
        let mut all = Vec::new();
        for answer in told.answers.iter().map(|part| part.answer(&whole)) {
            all.push(match error::is_hidden(&answer) {
                true => None,
                false => Some(self.rest(error::check(answer)?).await?),
            });
        }
        Ok(all)
    }

    async fn one_by_one(&self, queries: &[String]) -> Result<Vec<Option<Rows>>, CrmError> {
        let mut all = Vec::new();
        for soql in queries {
            all.push(self.query_if_visible(soql).await?);
        }
        Ok(all)
    }

    async fn rest(&self, first: Answer) -> Result<Rows, CrmError> {
        let at = first.at;
        let mut page: Page = first.json()?;
        let mut rows = std::mem::take(&mut page.records);
        for _ in 1..MOST_PAGES {
            if page.done {
                return Ok(Rows { at, rows });
            }
            page = self.page(page.next.as_deref()).await?;
            rows.append(&mut page.records);
        }
        match page.done {
            true => Ok(Rows { at, rows }),
            false => Err(CrmError::Never { message: "a query has too many pages".to_owned() }),
        }
    }

    /// The page at that path, which Salesforce gives without a host.
    async fn page(&self, path: Option<&str>) -> Result<Page, CrmError> {
        let path = path
            .filter(|path| path.starts_with('/'))
            .ok_or_else(|| CrmError::Never { message: "the next page of a query has no path".to_owned() })?;
        let url = format!("{}{path}", self.base_url);
        error::check(self.send(|http| http.get(&url)).await?)?.json()
    }

    /// Fetches what stands at this path below the version's root.
    ///
    /// # Errors
    /// As `error::of`.
    pub async fn get(&self, path: &str) -> Result<Answer, CrmError> {
        let url = format!("{}{path}", self.root);
        error::check(self.send(|http| http.get(&url)).await?)
    }

    /// Creates one thing at this path below the version's root.
    ///
    /// # Errors
    /// As `error::of`.
    pub async fn post(&self, path: &str, body: &Json) -> Result<Answer, CrmError> {
        let url = format!("{}{path}", self.root);
        error::check(self.send(|http| http.post(&url).json(body)).await?)
    }

    /// How far Salesforce's clock is ahead of ours, by the list of its versions, which it shows to
    /// anybody; `None` where nothing answers.
    pub async fn clock(&self) -> Option<Elapsed> {
        let url = format!("{}/services/data/", self.base_url);
        let answer = self.http.send(self.http.get(&url)).await.ok()?;
        self.http.ahead(&answer)
    }

    /// How far Salesforce's clock is ahead of ours, by an answer that has just come.
    pub fn ahead(&self, answer: &Answer) -> Option<Elapsed> {
        self.http.ahead(answer)
    }

    /// Saves up to 200 records, each for itself. The results are in the order of the records.
    ///
    /// # Errors
    /// As `error::of`; [`CrmError::Doubt`] when the answer does not tell of each record.
    pub async fn save(&self, method: Method, records: &[Json]) -> Result<(Timestamp, Vec<SaveResult>), CrmError> {
        let url = format!("{}/composite/sobjects", self.root);
        let body = json!({ "allOrNone": false, "records": records });
        let answer = self
            .send(|http| {
                let request = if method == Method::PATCH { http.patch(&url) } else { http.post(&url) };
                // Without the first, assignment rules run and may take the record from its new owner.
                request
                    .header("Sforce-Auto-Assign", "FALSE")
                    // A lead that moves is no duplicate being made: rules that only warn let it pass.
                    .header("Sforce-Duplicate-Rule-Header", "allowSave=true")
                    .header("Sforce-Call-Options", "client=leadpact")
                    .json(&body)
            })
            .await?;
        let answer = error::check(answer)?;
        let results: Vec<SaveResult> = answer.json()?;
        match results.len() == records.len() {
            true => Ok((answer.at, results)),
            false => Err(CrmError::Doubt { message: "the answer does not tell of each record".to_owned() }),
        }
    }
}

/// `Sforce-Limit-Info: api-usage=10018/100000`, with more parts after a semicolon or comma.
fn usage(answer: &Answer) -> Usage {
    let told = answer.header("sforce-limit-info").unwrap_or_default();
    let part = told.split([';', ',']).find_map(|part| part.trim().strip_prefix("api-usage="));
    let allowance = |(used, limit): (&str, &str)| {
        Some(Allowance { used: used.trim().parse().ok()?, limit: limit.trim().parse().ok()? })
    };
    Usage { at: answer.at, day: part.and_then(|part| part.split_once('/')).and_then(allowance), window: None }
}

/// A text as a SOQL literal.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// `('00Q…','00Q…')`
pub fn id_list<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let ids: Vec<String> = ids.into_iter().map(quoted).collect();
    format!("({})", ids.join(","))
}

/// A field of a row, through relationships (`Account.Name`). Names in any case, since rows carry the
/// schema's spelling, not the query's.
pub fn field<'a>(row: &'a Json, name: &str) -> &'a Json {
    name.split('.').fold(row, |row, part| {
        let exact = row.get(part);
        let any_case = || row.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(part)).map(|(_, v)| v);
        exact.or_else(any_case).unwrap_or(&Json::Null)
    })
}

/// A text field of a row; `None` when it is unset.
pub fn text<'a>(row: &'a Json, name: &str) -> Option<&'a str> {
    field(row, name).as_str().filter(|text| !text.is_empty())
}

/// A time field of a row.
pub fn time(row: &Json, name: &str) -> Option<Timestamp> {
    text(row, name).and_then(Timestamp::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_cannot_leave_its_literal() {
        assert_eq!(quoted(r"a' OR Name != '\"), r"'a\' OR Name != \'\\'");
        assert_eq!(id_list(["1", "2"]), "('1','2')");
    }

    #[test]
    fn fields_are_found_through_relationships_and_in_any_case() {
        let row = json!({ "OwnerId": "005", "Account": { "Name": "Acme" }, "Parent": null });
        assert_eq!(text(&row, "ownerid"), Some("005"));
        assert_eq!(text(&row, "Account.Name"), Some("Acme"));
        assert_eq!(text(&row, "Parent.Name"), None);
    }
}
