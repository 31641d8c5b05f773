//! `POST /webhooks/{connection}`: checked in one order, stored, and only then acknowledged. Whether
//! a signature is right and what a body means is each connector's business.

use super::{Web, answer};
use crate::crm::{Acknowledgement, RawDelivery, VerifiedDelivery};
use crate::engine::Site;
use crate::engine::clock::real_now;
use crate::store::inbox::{Insertion, Kind, NewDelivery, text_body};
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Largest body that is read.
const MOST_BYTES: usize = 1024 * 1024;
/// A body must have come in within this time.
const BODY: Duration = Duration::from_secs(10);

pub fn routes(routes: &mut ServiceConfig) {
    for path in ["/webhooks/{connection}", "/webhooks/{connection}/{path_secret}"] {
        let resource = web::resource(path).route(web::post().to(receive));
        routes.service(resource.default_service(web::to(not_allowed)));
    }
}

#[derive(Deserialize)]
struct Place {
    connection: String,
    path_secret: Option<String>,
}

/// Why a delivery was not taken. Each variant has its status; nothing was stored.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("unknown connection")]
    UnknownConnection,
    #[error("the body is larger than {MOST_BYTES} bytes")]
    TooLarge,
    #[error("the body did not come within {} seconds", BODY.as_secs())]
    TooSlow,
    #[error("the body is incomplete")]
    Incomplete,
    #[error("encoded bodies are not accepted")]
    Encoded,
    /// Why is for the log alone.
    #[error("not signed as agreed")]
    BadSignature(&'static str),
    #[error("{0}")]
    Malformed(String),
    #[error("cannot be stored now, try again")]
    CannotStore,
}

impl Refused {
    /// The status, and the word for it in metrics.
    pub fn told(&self) -> (StatusCode, &'static str) {
        match self {
            Refused::UnknownConnection => (StatusCode::NOT_FOUND, "unknown_connection"),
            Refused::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Refused::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too_slow"),
            Refused::Incomplete => (StatusCode::BAD_REQUEST, "incomplete"),
            Refused::Encoded => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoded"),
            Refused::BadSignature(_) => (StatusCode::UNAUTHORIZED, "bad_signature"),
            Refused::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Refused::CannotStore => (StatusCode::SERVICE_UNAVAILABLE, "cannot_store"),
        }
    }
}

async fn not_allowed() -> HttpResponse {
    let mut response = answer::error(StatusCode::METHOD_NOT_ALLOWED, "deliveries come by POST");
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
    response
}

async fn receive(web: Data<Web>, request: HttpRequest, place: Path<Place>, body: Payload) -> HttpResponse {
    let Some(site) = web.engine.site(&place.connection) else {
        return refuse(&web, "", &Refused::UnknownConnection);
    };
    match take(&web, &site, &request, place.path_secret.clone(), body).await {
        Ok(stored) => {
            let result = if stored == Insertion::Stored { "stored" } else { "repeated" };
            web.engine.metrics.webhook(site.name().as_str(), result);
            tracing::debug!(connection = %site.name(), "a delivery was {result}");
            acknowledge(&site.crm.acknowledgement())
        }
        Err(refused) => refuse(&web, site.name().as_str(), &refused),
    }
}

/// The checks, in the order that is promised.
async fn take(
    web: &Web,
    site: &Arc<Site>,
    request: &HttpRequest,
    path_secret: Option<String>,
    body: Payload,
) -> Result<Insertion, Refused> {
    let body = read(request, body).await?;
    refuse_encoded(request)?;
    let raw = raw_delivery(&web.public_base, request, path_secret, body);
    let delivery = site.crm.verify(raw, real_now()).map_err(|refusal| Refused::BadSignature(refusal.0))?;
    let dropped = dropped_events(site, &delivery)?;
    let row = NewDelivery {
        connection: site.name().clone(),
        delivery_id: delivery.id().map(str::to_owned),
        kind: Kind::Delivery,
        body: text(delivery)?,
        received_at: web.engine.clock.now(),
    };
    let stored = web.ingest.store(row).await.map_err(|error| {
        tracing::warn!(connection = %site.name(), "a delivery was not stored: {error}");
        Refused::CannotStore
    })?;
    for reason in dropped {
        web.engine.metrics.dropped(site.name(), reason);
    }
    Ok(stored)
}

/// The whole body. A length that is too great already by its header is not waited for.
pub(super) async fn read(request: &HttpRequest, body: Payload) -> Result<Vec<u8>, Refused> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|n| n.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|n| n > MOST_BYTES as u64) {
        return Err(Refused::TooLarge);
    }
    match tokio::time::timeout(BODY, body.to_bytes_limited(MOST_BYTES)).await {
        Err(_) => Err(Refused::TooSlow),
        Ok(Err(_)) => Err(Refused::TooLarge),
        Ok(Ok(Err(_))) => Err(Refused::Incomplete),
        Ok(Ok(Ok(bytes))) => Ok(bytes.into()),
    }
}

/// Signatures are over the bytes as sent; a body that must be unpacked first could be a bomb.
pub(super) fn refuse_encoded(request: &HttpRequest) -> Result<(), Refused> {
    let plain = |value: &header::HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    match request.headers().get_all(header::CONTENT_ENCODING).all(plain) {
        true => Ok(()),
        false => Err(Refused::Encoded),
    }
}

/// The URL is the configured one and the path and query as they were sent: never `Host`.
fn raw_delivery(base: &str, request: &HttpRequest, path_secret: Option<String>, body: Vec<u8>) -> RawDelivery {
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    let headers = request.headers().iter();
    RawDelivery {
        method: Method::as_str(request.method()).to_owned(),
        url: format!("{base}{path}"),
        path_secret,
        headers: headers
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect(),
        body,
    }
}

/// Why events of it do not concern us. A body that nobody can read is refused now, not found in the
/// inbox later.
fn dropped_events(site: &Site, delivery: &VerifiedDelivery) -> Result<Vec<&'static str>, Refused> {
    site.crm.events(delivery).map(|events| events.dropped).map_err(|malformed| Refused::Malformed(malformed.0))
}

fn text(delivery: VerifiedDelivery) -> Result<String, Refused> {
    let no_text = || Refused::Malformed("the body is no UTF-8 text".to_owned());
    text_body(delivery.body()).ok_or_else(no_text)?;
    String::from_utf8(delivery.into_body()).map_err(|_| no_text())
}

fn acknowledge(ack: &Acknowledgement) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(ack.status).unwrap_or(StatusCode::OK));
    if let Some(content_type) = ack.content_type {
        response.content_type(content_type);
    }
    response.body(ack.body)
}

fn refuse(web: &Web, connection: &str, refused: &Refused) -> HttpResponse {
    let (status, result) = refused.told();
    web.engine.metrics.webhook(connection, result);
    match refused {
        Refused::BadSignature(why) => tracing::warn!(connection, "a delivery was refused: {why}"),
        // Whoever asks for connections that do not exist should not fill the log.
        Refused::UnknownConnection => tracing::debug!("a delivery to an unknown connection was refused"),
        other => tracing::warn!(connection, "a delivery was refused: {other}"),
    }
    answer::error(status, &refused.to_string())
}
