//! What all requests of programs have in common: they ask for what the API's document says, and whatever
//! refuses them, they are answered in JSON. Who they are is decided in `guard`.

use super::openapi::{self, Refusal};
use super::{Web, answer, routes};
use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{Error, HttpRequest, HttpResponse};

/// An answer to a program as it leaves, for whoever watches.
pub struct Answered<'a> {
    pub method: &'a Method,
    /// The address as the table of routes has it; `None`: none of ours.
    pub pattern: Option<&'a str>,
    pub path: &'a str,
    pub status: u16,
    pub headers: &'a HeaderMap,
    /// `None`: it comes piece by piece, and is not looked into.
    pub body: Option<&'a [u8]>,
}

/// Looks at answers: tests hold them against the document.
pub type Witness = dyn Fn(&Answered<'_>) + Send + Sync;

/// Whether this address is the API's.
pub fn is_api(path: &str) -> bool {
    path.starts_with("/api/")
}

/// Lets a request through that asks for what the document says. Its body is read here and laid back for
/// the handler; where none has to be sent, the handler finds an empty object.
///
/// # Errors
/// The answer to whoever asks for something else.
pub async fn admit(request: &mut ServiceRequest) -> Result<(), Box<HttpResponse>> {
    let pattern = request.match_pattern();
    let found = pattern.and_then(|pattern| openapi::operation(request.method().as_str(), &pattern));
    let Some(operation) = found else { return Ok(()) };
    if let Some(refusal) = openapi::refusal(operation, request.uri(), request.headers()) {
        return Err(refused(&refusal));
    }
    let Some(schema) = &operation.body else { return Ok(()) };
    let body = request.extract::<Bytes>().await.map_err(|error| plain(&error))?;
    let body = if body.is_empty() { Bytes::from_static(b"{}") } else { body };
    if let Some(refusal) = openapi::refused_body(schema, &body) {
        return Err(refused(&refusal));
    }
    let headers = request.headers_mut();
    headers.remove(header::CONTENT_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.set_payload(Payload::from(body));
    Ok(())
}

fn refused(refusal: &Refusal) -> Box<HttpResponse> {
    Box::new(answer::refused(refusal.status, &refusal.text, refusal.parameter.as_deref()))
}

fn plain(error: &Error) -> Box<HttpResponse> {
    let status = error.as_response_error().status_code();
    let text =
        if status == StatusCode::PAYLOAD_TOO_LARGE { "the body is too large".to_owned() } else { error.to_string() };
    Box::new(answer::error(status, &text))
}

/// Makes what other hands refused an answer in JSON, and shows the answer to the witness.
pub fn finish<B: MessageBody + 'static>(web: &Web, response: ServiceResponse<B>) -> ServiceResponse<EitherBody<B>> {
    if !is_api(response.request().path()) {
        return response.map_into_left_body();
    }
    let is_refused = response.status().is_client_error() || response.status().is_server_error();
    let response = match is_refused && !is_json(response.headers()) {
        true => {
            let answer = in_json(response.request(), response.response().error(), response.status());
            response.into_response(answer)
        }
        false => response.map_into_boxed_body(),
    };
    match &web.witness {
        Some(witness) => shown(&**witness, response).map_into_right_body(),
        None => response.map_into_right_body(),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

fn in_json(request: &HttpRequest, error: Option<&Error>, status: StatusCode) -> HttpResponse {
    if status == StatusCode::METHOD_NOT_ALLOWED {
        return not_so(request);
    }
    match (status.is_server_error(), error) {
        (false, Some(error)) => answer::error(status, &error.to_string()),
        (true, Some(error)) => {
            tracing::error!("a request could not be answered: {error}");
            answer::error(status, "this could not be answered; the log says why")
        }
        (_, None) => answer::error(status, status.canonical_reason().unwrap_or("this is refused")),
    }
}

fn not_so(request: &HttpRequest) -> HttpResponse {
    let pattern = request.match_pattern();
    let here = routes::all().filter(|entry| Some(entry.path) == pattern.as_deref());
    let methods: Vec<String> = here.map(|entry| entry.verb.method().to_string()).collect();
    let methods = methods.join(", ");
    let mut answer = answer::error(StatusCode::METHOD_NOT_ALLOWED, &format!("this address takes {methods}"));
    if let Ok(value) = HeaderValue::from_str(&methods) {
        answer.headers_mut().insert(header::ALLOW, value);
    }
    answer
}

fn shown(witness: &Witness, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let body = body.try_into_bytes();
    let pattern = request.match_pattern();
    witness(&Answered {
        method: request.method(),
        pattern: pattern.as_deref(),
        path: request.path(),
        status: response.status().as_u16(),
        headers: response.headers(),
        body: body.as_ref().ok().map(Bytes::as_ref),
    });
    let body = body.map_or_else(|pieces| pieces, BoxBody::new);
    ServiceResponse::new(request, response.set_body(body))
}
