//! The HTTP client that every connector sends its calls with: one time-out, no redirects, no
//! retries, capped answers. What a status means is the connector's business (`*/error.rs`).

use super::CrmError;
use crate::record::{Elapsed, Timestamp};
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// Tells the real time, for answers without a `Date`.
pub type RealClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// From the first byte sent to the last received.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of an answer, after decompression: 200 wide records stay far below.
const MOST_BYTES: usize = 16 * 1024 * 1024;
const USER_AGENT: &str = concat!("leadpact/", env!("CARGO_PKG_VERSION"));

/// A client to share among connectors; cloning it shares its connections.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    clock: RealClock,
}

/// An answer, read whole, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// The `Date` header (whole seconds); the real time on arrival where there is none.
    pub at: Timestamp,
    pub body: Vec<u8>,
}

impl Http {
    /// # Errors
    /// [`CrmError::Never`] when no TLS client can be built, such as without root certificates.
    pub fn new(clock: RealClock) -> Result<Self, CrmError> {
        Self::with_timeout(clock, TIMEOUT)
    }

    /// With a total time-out of its own; half of it at most may go into connecting.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn with_timeout(clock: RealClock, timeout: Duration) -> Result<Self, CrmError> {
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout / 2)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(USER_AGENT)
            .build()
            .map_err(|e| CrmError::Never { message: format!("no HTTP client: {}", innermost(&e)) })?;
        Ok(Self { client, clock })
    }

    /// The real time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub fn get(&self, url: &str) -> RequestBuilder {
        self.client.get(url)
    }

    pub fn post(&self, url: &str) -> RequestBuilder {
        self.client.post(url)
    }

    pub fn patch(&self, url: &str) -> RequestBuilder {
        self.client.patch(url)
    }

    pub fn request(&self, method: reqwest::Method, url: &str) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// What the time is here, where no answer tells the CRM's.
    pub fn real_time(&self) -> Timestamp {
        (self.clock)()
    }

    /// How far the other side's clock is ahead of ours, by an answer that has just come; within a
    /// second, which is all that a `Date` tells.
    pub fn ahead(&self, answer: &Answer) -> Option<Elapsed> {
        Some(date(&answer.headers)? - (self.clock)())
    }

    /// Sends a request once and reads the answer whole.
    ///
    /// # Errors
    /// [`CrmError::Later`] when no connection came about, so nothing was sent; [`CrmError::Doubt`]
    /// when it broke, timed out or was too long after that; [`CrmError::Never`] when the request
    /// could not be built. An answer of any status is no error here.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, CrmError> {
        let response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let at = date(&headers).unwrap_or_else(|| (self.clock)());
        let body = whole_body(response).await?;
        Ok(Answer { status, headers, at, body })
    }
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The header as text; its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A header that is a whole number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.header(name)?.trim().parse().ok()
    }

    /// `Retry-After`, as seconds or as a date.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        match text.parse::<u64>() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => Some((http_date(text)? - self.at).to_std()),
        }
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`CrmError::Doubt`]: a success that cannot be read may have been one.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CrmError> {
        serde_json::from_slice(&self.body).map_err(|e| CrmError::Doubt {
            message: format!("status {} with a body that cannot be read: {e}", self.status),
        })
    }
}

/// A text as part of an address.
pub fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn whole_body(mut response: Response) -> Result<Vec<u8>, CrmError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(CrmError::Doubt { message: "the answer is too long".to_owned() });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn failed(error: reqwest::Error) -> CrmError {
    // A URL may carry names and ids; it does not belong into messages.
    let error = error.without_url();
    let message = innermost(&error);
    if error.is_builder() {
        CrmError::Never { message }
    } else if error.is_connect() {
        CrmError::Later { message: format!("cannot connect: {message}"), after: None }
    } else if error.is_timeout() {
        CrmError::Doubt { message: "no answer in time".to_owned() }
    } else {
        CrmError::Doubt { message }
    }
}

/// The cause says most: "connection refused" rather than "error sending request".
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    http_date(headers.get(reqwest::header::DATE)?.to_str().ok()?)
}

/// `Mon, 05 Jan 2026 09:00:00 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_jiff(zoned.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&'static str, &'static str)]) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let at = date(&map).unwrap_or(Timestamp::from_millis(7));
        Answer { status: 429, headers: map, at, body: Vec::new() }
    }

    #[test]
    fn the_date_header_is_the_time_of_the_answer() {
        let answer = answer(&[("date", "Mon, 05 Jan 2026 09:00:00 GMT")]);
        assert_eq!(answer.at.to_string(), "2026-01-05T09:00:00.000Z");
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        assert_eq!(answer(&[("retry-after", "30")]).retry_after(), Some(Duration::from_secs(30)));
        let dated =
            answer(&[("date", "Mon, 05 Jan 2026 09:00:00 GMT"), ("retry-after", "Mon, 05 Jan 2026 09:01:00 GMT")]);
        assert_eq!(dated.retry_after(), Some(Duration::from_secs(60)));
        assert_eq!(answer(&[("retry-after", "soon")]).retry_after(), None);
        assert_eq!(answer(&[]).retry_after(), None);
    }

    #[tokio::test]
    async fn a_refused_connection_means_nothing_was_done_and_the_message_hides_the_address() {
        let http = Http::new(Arc::new(|| Timestamp::from_millis(0))).unwrap();
        // Port 9 of this machine: nobody listens there.
        let error = http.send(http.get("http://127.0.0.1:9/secret-path")).await.unwrap_err();
        assert!(matches!(&error, CrmError::Later { .. }), "{error}");
        assert!(!error.to_string().contains("secret-path"));
    }
}
