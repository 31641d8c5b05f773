//! The agreement on its slides, to print and to show: `/agreement/slides.html` and `.pptx`, and the same
//! files for programs. The HTML is complete in itself, so it carries its styles and is kept from
//! everything else.

use super::shelf::Shelf;
use super::{none, shown};
use crate::document::{Document, html, pptx};
use crate::store::StoreError;
use crate::web::Web;
use crate::web::pages::{tell, unavailable};
use crate::web::session::Visitor;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Query};
use serde::Deserialize;

/// Styles stand in the file; nothing is loaded, sent or run.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; \
     form-action 'none'; sandbox allow-modals";
pub const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";

/// Which version; without a hash the one that is enforced.
#[derive(Deserialize)]
pub struct Which {
    of: Option<String>,
    version: Option<String>,
}

pub async fn page(web: Data<Web>, visitor: Visitor, which: Query<Which>) -> HttpResponse {
    answered(&web, &visitor, &which, as_html).await
}

pub async fn presentation(web: Data<Web>, visitor: Visitor, which: Query<Which>) -> HttpResponse {
    answered(&web, &visitor, &which, as_pptx).await
}

pub fn as_html(slides: &Document) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(html::html(slides))
}

pub fn as_pptx(slides: &Document) -> HttpResponse {
    match pptx::pptx(slides) {
        Ok(bytes) => HttpResponse::Ok()
            .content_type(PPTX)
            .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file_name(slides))))
            .body(bytes),
        Err(error) => {
            tracing::error!("the slides could not be written: {error}");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// Letters, digits and dashes only: a title may hold anything.
fn file_name(slides: &Document) -> String {
    let plain: String =
        slides.version.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).take(60).collect();
    format!("agreement-{}.pptx", plain.trim_matches(['-', '.']))
}

async fn answered(
    web: &Web,
    visitor: &Visitor,
    which: &Which,
    shape: impl FnOnce(&Document) -> HttpResponse,
) -> HttpResponse {
    let slides = async {
        let Some(shelf) = Shelf::find(web, which.of.as_deref()).await? else { return Ok(None) };
        slides(web, &shelf, which.version.as_deref()).await
    };
    match slides.await {
        Ok(Some(Ok(slides))) => shape(&slides),
        Ok(Some(Err(why))) => tell(visitor, StatusCode::UNPROCESSABLE_ENTITY, "There are no slides", &why),
        Ok(None) => none(visitor),
        Err(error) => unavailable(&error),
    }
}

/// The slides of a version, or why there are none. `None`: it is not kept.
///
/// # Errors
/// When the database cannot be read.
pub async fn slides(
    web: &Web,
    shelf: &Shelf,
    version: Option<&str>,
) -> Result<Option<Result<Document, String>>, StoreError> {
    let hash = version.unwrap_or(&shelf.enforced.hash);
    let known = shelf.version(hash);
    if *shelf.enforced.hash == *hash {
        return Ok(Some(shown::slides(&shelf.enforced, known)));
    }
    let paper = shelf.paper(web, hash).await?;
    Ok(paper.map(|paper| shown::slides(&paper.agreement, known)))
}
