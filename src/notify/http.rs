//! The HTTP client of notifiers. It never follows redirects and never tries again by itself, and
//! no error that leaves here names the address: a webhook's address is a secret.

use super::NotifyError;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, StatusCode};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

/// Two hundred of Slack's channels are a few hundred kilobytes; what is longer than this is somebody
/// else's page.
const LARGEST: usize = 1024 * 1024;

/// An answer, whatever its status.
pub struct Answer {
    pub status: StatusCode,
    /// What the other side asks us to wait, from a Retry-After in seconds.
    pub after: Option<Duration>,
    /// What Slack says that the token may do.
    pub scopes: Option<String>,
    pub body: Vec<u8>,
}

pub fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .user_agent(concat!("leadpact/", env!("CARGO_PKG_VERSION")))
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .build()
}

/// Sends once. A timeout, a dropped connection or a server that fails is a reason to try later.
pub async fn send(request: RequestBuilder) -> Result<Answer, NotifyError> {
    let mut response = request.send().await.map_err(failed)?;
    let status = response.status();
    let after = retry_after(response.headers());
    let scopes = response.headers().get("x-oauth-scopes").and_then(|value| value.to_str().ok()).map(str::to_owned);
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT || status.is_server_error() {
        return Err(NotifyError::Later { message: format!("answered {}", status.as_u16()), after });
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return Err(NotifyError::Never { message: "the answer is too long".to_owned() });
        }
    }
    Ok(Answer { status, after, scopes, body })
}

fn failed(error: reqwest::Error) -> NotifyError {
    let what = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "cannot connect"
    } else if error.is_builder() {
        return NotifyError::Never { message: "the request cannot be built".to_owned() };
    } else {
        "the connection broke"
    };
    NotifyError::Later { message: what.to_owned(), after: None }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
