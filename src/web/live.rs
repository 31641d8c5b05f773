//! `GET /live`: server-sent events that tell open pages that something changed, at most one a second. They say how many
//! facts there were and in which connections, nothing of any record: what is shown is asked for by the page itself, as
//! whoever looks may see it. https://html.spec.whatwg.org/multipage/server-sent-events.html

use super::Web;
use super::answer;
use super::routes::{Entry, get};
use super::session::Visitor;
use crate::store::journal::JournalEntry;
use crate::store::role::Permission;
use crate::store::secret::Secret;
use crate::store::session;
use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use serde_json::json;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{MissedTickBehavior, interval, sleep};

pub(super) const ROUTES: &[Entry] = &[get("/live", Permission::Look, |route| route.to(live))];

/// Pages that listen at most; one more asks again by itself later.
const LISTENERS: usize = 200;
/// Something is sent so often at least, so that nobody between takes the connection for dead.
const BEAT: Duration = Duration::from_secs(5);
/// After something was told nothing more is, for so long.
const PAUSE: Duration = Duration::from_secs(1);
/// A program's token cannot be looked up again: it has to come back.
const WITH_TOKEN: Duration = Duration::from_secs(60);

/// Who listens.
pub struct Live {
    seats: Arc<Semaphore>,
}

impl Default for Live {
    fn default() -> Self {
        Self { seats: Arc::new(Semaphore::new(LISTENERS)) }
    }
}

async fn live(web: Data<Web>, visitor: Visitor) -> HttpResponse {
    let Ok(seat) = web.live.seats.clone().try_acquire_owned() else {
        return answer::error(StatusCode::SERVICE_UNAVAILABLE, "too many pages listen already");
    };
    let (lines, body) = mpsc::channel(4);
    let listener = Listener { told: web.engine.told.subscribe(), web, session: visitor.session().cloned(), lines };
    tokio::spawn(listener.run(seat));
    HttpResponse::Ok()
        .content_type("text/event-stream; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store, no-transform"))
        // Proxies of nginx's kind hold answers back otherwise.
        .insert_header(("x-accel-buffering", "no"))
        .insert_header(header::ContentEncoding::Identity)
        .body(Lines(body))
}

struct Listener {
    web: Data<Web>,
    told: broadcast::Receiver<Arc<JournalEntry>>,
    /// `None`: a program with a token.
    session: Option<Secret>,
    lines: mpsc::Sender<Bytes>,
}

/// What was told since the last event.
#[derive(Default)]
struct News {
    facts: u64,
    connections: BTreeSet<String>,
}

impl News {
    fn add(&mut self, heard: Result<Arc<JournalEntry>, RecvError>) {
        match heard {
            Ok(entry) => {
                self.facts += 1;
                self.connections.extend(entry.record.as_ref().map(|key| key.connection.to_string()));
            }
            Err(RecvError::Lagged(n)) => self.facts += n,
            Err(RecvError::Closed) => {}
        }
    }

    fn event(self) -> String {
        format!("event: told\ndata: {}\n\n", json!({ "facts": self.facts, "connections": self.connections }))
    }
}

impl Listener {
    /// Until the page is closed, its session ends, or the daemon stops.
    async fn run(mut self, _seat: OwnedSemaphorePermit) {
        let (stopping, lines) = (self.web.stopping.clone(), self.lines.clone());
        let limit = if self.session.is_some() { Duration::MAX } else { WITH_TOKEN };
        tokio::select! {
            () = self.tell() => {}
            () = stopping.cancelled() => {}
            () = lines.closed() => {}
            () = sleep(limit) => {}
        }
    }

    async fn tell(&mut self) {
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let line = tokio::select! {
                heard = self.told.recv() => self.gathered(heard).await,
                _ = beat.tick() => ": here\n\n".to_owned(),
            };
            if !self.is_signed_in().await || self.lines.send(line.into()).await.is_err() {
                return;
            }
        }
    }

    /// One event of all that is told within the pause.
    async fn gathered(&mut self, first: Result<Arc<JournalEntry>, RecvError>) -> String {
        let mut news = News::default();
        news.add(first);
        let pause = sleep(PAUSE);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return news.event(),
                heard = self.told.recv() => news.add(heard),
            }
        }
    }

    /// Somebody who signed out is told nothing more. A database that does not answer signs nobody out.
    async fn is_signed_in(&self) -> bool {
        let Some(secret) = &self.session else { return true };
        let found = session::find(&self.web.engine.db, secret, self.web.clock.now()).await;
        found.map_or(true, |session| session.is_some())
    }
}

/// The lines as they come. It is no stream of known length, and nothing holds it back to compress it.
struct Lines(mpsc::Receiver<Bytes>);

impl MessageBody for Lines {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.0.poll_recv(context).map(|line| line.map(Ok))
    }
}
