//! stub
pub(super) const ROUTES: &[crate::web::routes::Entry] = &[];
#[derive(Default)]
pub struct Pace;
