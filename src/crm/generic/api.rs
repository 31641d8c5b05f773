//! Sending a described CRM's requests: addresses, pages, and no more than four at a time. Credentials
//! are in `session.rs`; what a request is for and what its answer means lives with each kind of call.

use super::description::{CallsLeft, Description, Listing, Paging, Request};
use super::error::{self, Failure};
use super::path;
use super::session::Session;
use super::template::{Given, JsonTemplate, Placeholder, Template};
use crate::crm::CrmError;
use crate::crm::connection::Described;
use crate::crm::http::{Answer, Http};
use crate::crm::usage::{self, Meter};
use crate::record::Timestamp;
use reqwest::header::ACCEPT;
use serde_json::Value as Json;
use std::future::{Future, poll_fn};
use std::task::Poll;
use url::Url;

/// Requests under way at once.
const AT_ONCE: usize = 4;

/// One described CRM.
pub(super) struct Api {
    pub http: Http,
    /// Without a slash at its end.
    pub base_url: String,
    pub described: Described,
    pub meter: Meter,
    pub session: Session,
}

/// A success.
pub(super) struct Told {
    /// The CRM's clock.
    pub at: Timestamp,
    pub json: Json,
    /// Where the header `Link` says that the next page is.
    pub next: Option<String>,
}

/// One page of a listing.
pub(super) struct Page {
    pub at: Timestamp,
    pub items: Vec<Json>,
    /// How to ask for the next one.
    pub next: Option<String>,
}

impl Api {
    pub fn description(&self) -> &Description {
        &self.described.description
    }

    /// Sends a request, filled in.
    pub async fn send(&self, request: &Request, given: &Given) -> Result<Told, Failure> {
        let url = self.url(request, given)?;
        self.send_to(request, given, &url).await
    }

    async fn send_to(&self, request: &Request, given: &Given, url: &Url) -> Result<Told, Failure> {
        let answer = self.answer(request, given, url).await?;
        let json = error::accept(self.description(), &answer)?;
        let next = answer.header("link").and_then(next_of);
        Ok(Told { at: answer.at, json, next })
    }

    /// The answer to a request, whatever its status.
    pub async fn answer(&self, request: &Request, given: &Given, url: &Url) -> Result<Answer, CrmError> {
        let body = request.body.as_ref().and_then(|body| body.fill(given));
        self.signed(|| {
            let builder = self.http.request(request.method.clone(), url.as_str()).header(ACCEPT, "application/json");
            match &body {
                Some(body) => builder.json(body),
                None => builder,
            }
        })
        .await
    }

    pub(super) fn note(&self, answer: &Answer) {
        self.meter.note_ahead(self.http.ahead(answer));
        let told = &self.description().allowance;
        let calls = |headers: &CallsLeft| {
            let (limit, left) = (answer.number(&headers.limit)?, answer.number(&headers.left)?);
            Some(usage::Allowance { used: limit.saturating_sub(left), limit })
        };
        let window = told.window.as_ref().and_then(|(h, seconds)| Some((calls(h)?, u64::from(*seconds) * 1000)));
        self.meter.note(usage::Usage { at: answer.at, day: told.day.as_ref().and_then(calls), window });
    }

    pub(super) fn url(&self, request: &Request, given: &Given) -> Result<Url, Failure> {
        let path = request.path.fill(given, encode);
        let path = path.ok_or_else(|| never("a value for the request's path is missing"))?;
        // An address of another record, or of all of them.
        if path.split('/').skip(1).any(|part| matches!(part, "" | "." | "..")) {
            let message = "no record can have this id".to_owned();
            return Err(Failure::Gone { message, at: self.http.real_time() });
        }
        let one = |(key, value): &(_, _)| pair(key, value, given);
        let query: Vec<String> = request.query.iter().filter_map(one).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{mark}{}", self.base_url, query.join("&"));
        Url::parse(&url).map_err(|_| never("`base_url` and the request's path make no address"))
    }

    /// Where a person opens a record: the template's own text as it is, values escaped.
    pub fn record_url(&self, web: &Template, type_name: &str, id: &str) -> Option<String> {
        let given = Given::default()
            .with(Placeholder::BaseUrl, self.base_url.as_str())
            .with(Placeholder::Type, in_url(type_name))
            .with(Placeholder::Id, in_url(id));
        web.plain(&given).filter(|url| url.starts_with("https://") || url.starts_with("http://"))
    }

    /// One page: the first, or the one that the page before told of.
    pub async fn page(&self, list: &Listing, given: Given, next: Option<&str>) -> Result<Page, Failure> {
        let given = paged(list, given, next)?;
        let first = self.url(&list.request, &given)?;
        let url = match (&list.paging, next) {
            (Paging::Link(_) | Paging::LinkHeader, Some(link)) => self.own(&first, link)?,
            _ => first,
        };
        let told = self.send_to(&list.request, &given, &url).await?;
        let items = match path::find(list.items.as_ref(), &told.json) {
            Some(Json::Array(items)) => items.clone(),
            // An empty list, as some CRMs write it.
            Some(Json::Null) | None => Vec::new(),
            Some(_) => return Err(never("`items` does not lead to a list")),
        };
        let next = following(list, &told, items.len(), next);
        Ok(Page { at: told.at, items, next })
    }

    /// All items, up to so many pages.
    pub async fn pages(&self, list: &Listing, given: &Given, most: usize) -> Result<Vec<Json>, Failure> {
        let (mut items, mut next) = (Vec::new(), None);
        for _ in 0..most {
            let page = self.page(list, given.clone(), next.as_deref()).await?;
            items.extend(page.items);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        Ok(items)
    }

    /// The next page's address, where it is the same server's: another one would get our credentials.
    fn own(&self, from: &Url, link: &str) -> Result<Url, CrmError> {
        let next = from.join(link).ok().filter(|url| url.origin() == from.origin());
        next.ok_or_else(|| CrmError::Never { message: "the next page is on another server".to_owned() })
    }
}

fn never(message: &str) -> Failure {
    Failure::Other(CrmError::Never { message: message.to_owned() })
}

/// Slashes stand as they are in what the description wrote, never in a value.
fn encode(text: &str, filled: bool) -> String {
    match filled {
        true => in_url(text),
        false => text.split('/').map(in_url).collect::<Vec<_>>().join("/"),
    }
}

fn in_url(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

fn pair(key: &Template, value: &JsonTemplate, given: &Given) -> Option<String> {
    Some(format!("{}={}", in_url(&key.plain(given)?), in_url(&value.query(given)?)))
}

fn paged(list: &Listing, given: Given, next: Option<&str>) -> Result<Given, CrmError> {
    Ok(match &list.paging {
        Paging::Cursor(_) => given.with(Placeholder::Cursor, next),
        Paging::Offset(page) => {
            let offset: u64 = next
                .map_or(Ok(0), str::parse)
                .map_err(|_| CrmError::Never { message: "the cursor is none of this CRM's".to_owned() })?;
            let number = offset / u64::from(*page) + 1;
            given.with(Placeholder::Offset, offset).with(Placeholder::Number, number).with(Placeholder::Page, *page)
        }
        Paging::Link(_) | Paging::LinkHeader | Paging::Single => given,
    })
}

/// How to ask for the page after this one; one that leads to itself ends the list.
fn following(list: &Listing, told: &Told, items: usize, this: Option<&str>) -> Option<String> {
    let next = match &list.paging {
        Paging::Single => None,
        Paging::Cursor(path) | Paging::Link(path) => path.text(&told.json),
        Paging::LinkHeader => told.next.clone(),
        Paging::Offset(page) => {
            let offset: u64 = this.and_then(|text| text.parse().ok()).unwrap_or(0);
            (items >= *page as usize).then(|| offset.saturating_add(items as u64).to_string())
        }
    };
    next.filter(|next| Some(next.as_str()) != this)
}

/// The address of `<…>; rel="next"` in a header `Link` (RFC 8288).
fn next_of(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, opened)) = rest.split_once('<') {
        let (address, after) = opened.split_once('>')?;
        let parameters = after.split('<').next().unwrap_or_default();
        let is_next = |p: &str| {
            let relations = p.trim().strip_prefix("rel=").map(|rel| rel.trim_end_matches([',', ' ']).trim_matches('"'));
            relations.is_some_and(|all| all.split(' ').any(|one| one.eq_ignore_ascii_case("next")))
        };
        if parameters.split(';').any(is_next) {
            return Some(address.to_owned());
        }
        rest = after;
    }
    None
}

/// Calls for each of `0..count`, four at a time, until an outcome says to stop; the rest is not called.
pub(super) async fn in_fours<Called: Future>(
    count: usize,
    call: impl Fn(usize) -> Called,
    stops: impl Fn(&Called::Output) -> bool,
) -> Vec<Called::Output> {
    let mut outcomes = Vec::with_capacity(count);
    while outcomes.len() < count && !outcomes.iter().any(&stops) {
        let next = outcomes.len()..count.min(outcomes.len() + AT_ONCE);
        outcomes.extend(together(next.map(&call).collect()).await);
    }
    outcomes
}

/// All outcomes, in the order of the futures.
async fn together<Called: Future>(futures: Vec<Called>) -> Vec<Called::Output> {
    let mut running: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        for (future, outcome) in running.iter_mut().filter(|(_, outcome)| outcome.is_none()) {
            if let Poll::Ready(ready) = future.as_mut().poll(context) {
                *outcome = Some(ready);
            }
        }
        if running.iter().all(|(_, outcome)| outcome.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, outcome)| outcome).collect()
}

#[cfg(test)]
mod tests {
    use super::next_of;

    #[test]
    fn the_next_page_is_the_one_whose_relation_is_next() {
        let header =
            "<https://a.example/x?p=1,2>; rel=\"prev\", <https://a.example/x?p=3>; title=\"n\"; rel=\"last next\"";
        assert_eq!(next_of(header).as_deref(), Some("https://a.example/x?p=3"));
        assert_eq!(next_of("</x>; rel=next, </y>; rel=prev").as_deref(), Some("/x"));
        for none in ["", "</x>", "</x; rel=next", "</x>; rel=\"nextish\"", "rel=next"] {
            assert_eq!(next_of(none), None, "{none}");
        }
    }
}
