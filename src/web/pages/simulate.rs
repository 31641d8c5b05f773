//! stub
pub(super) const ROUTES: &[crate::web::routes::Entry] = &[];
