//! How the library's requests go out: by our own client, with its time-outs, one answer each.

use crate::crm::CrmError;
use crate::crm::http::Http;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use std::pin::Pin;

/// Longest answer that is read; documents, keys and tokens stay far below.
const MOST_BYTES: usize = 1024 * 1024;

/// Sends the library's requests by our client, with its time-outs, and follows no redirect.
pub(super) struct Sender<'h>(pub(super) &'h Http);

impl<'c> AsyncHttpClient<'c> for Sender<'_> {
    type Error = CrmError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, CrmError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let request = self.0.request(head.method, &head.uri.to_string()).headers(head.headers).body(body);
            let answer = self.0.send(request).await?;
            if answer.body.len() > MOST_BYTES {
                return Err(CrmError::Never { message: "the answer is too long".to_owned() });
            }
            let mut response = http::Response::new(answer.body);
            *response.status_mut() = http::StatusCode::from_u16(answer.status)
                .map_err(|_| CrmError::Never { message: "the answer has no status".to_owned() })?;
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}
