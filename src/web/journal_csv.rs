//! The journal as CSV, for its page and for programs: a download of any length, read piece by piece
//! as it is taken. What is looked for is in `journal`.

use super::Web;
use super::journal::{Question, Told};
use crate::report::layout::lines;
use crate::store::StoreError;
use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Entries in one piece of a download.
const PIECE: u32 = 1_000;

/// All entries that a question asks for, the newest first.
pub fn download(web: Data<Web>, question: Question) -> HttpResponse {
    let name = format!("attachment; filename=\"journal-{}.csv\"", question.site.name());
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(Pieces { next: Some(Box::pin(begin(web, question))) })
}

/// A download that is on its way: each piece is read when the one before it was taken.
struct Pieces {
    next: Option<Pin<Box<dyn Future<Output = Piece>>>>,
}

/// Some text, and where it goes on.
struct Piece {
    text: Result<String, StoreError>,
    rest: Option<(Data<Web>, Question, i64)>,
}

async fn begin(web: Data<Web>, question: Question) -> Piece {
    const HEAD: [&str; 14] = [
        "connection",
        "seq",
        "happened",
        "seen",
        "kind",
        "object",
        "record id",
        "record",
        "clock",
        "what",
        "who",
        "party",
        "agreement",
        "hash",
    ];
    let head = lines(&[HEAD.map(str::to_owned).to_vec()]);
    let mut piece = piece(web, question, None).await;
    // A spreadsheet takes the text for UTF-8 by this mark.
    piece.text = piece.text.map(|text| format!("\u{feff}{head}{text}"));
    piece
}

async fn piece(web: Data<Web>, question: Question, before: Option<i64>) -> Piece {
    match question.ask(&web, before, PIECE).await {
        Err(error) => Piece { text: Err(error), rest: None },
        Ok(found) => {
            let rows: Vec<Vec<String>> = found.told.iter().map(|told| cells(&question, told)).collect();
            Piece { text: Ok(lines(&rows)), rest: found.before.map(|before| (web, question, before)) }
        }
    }
}

fn cells(question: &Question, told: &Told) -> Vec<String> {
    let (row, entry) = (&told.row, &told.row.entry);
    let record = entry.record.as_ref();
    vec![
        question.site.name().to_string(),
        row.seq.to_string(),
        entry.fact.at.to_string(),
        entry.seen_at.to_string(),
        entry.fact.kind.as_str().to_owned(),
        record.map(|key| key.object.to_string()).unwrap_or_default(),
        record.map(|key| key.id.to_string()).unwrap_or_default(),
        told.record_name.clone().unwrap_or_default(),
        entry.fact.source.to_string(),
        told.text.clone(),
        told.who.clone(),
        entry.fact.party.as_ref().map(ToString::to_string).unwrap_or_default(),
        entry.agreement.clone(),
        row.hash.clone(),
    ]
}

impl MessageBody for Pieces {
    type Error = actix_web::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let Some(next) = self.next.as_mut() else { return Poll::Ready(None) };
        let Poll::Ready(done) = next.as_mut().poll(context) else { return Poll::Pending };
        self.next = match done.rest {
            Some((web, question, before)) => Some(Box::pin(piece(web, question, Some(before)))),
            None => None,
        };
        Poll::Ready(Some(done.text.map(Bytes::from).map_err(|error| {
            // The connection ends without its end, so that nobody takes half a journal for a whole one.
            tracing::error!("a download of the journal broke off: {error}");
            actix_web::error::ErrorServiceUnavailable("the database is not available")
        })))
    }
}
