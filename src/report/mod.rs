//! Floor 2: journal entries in, what people read out. Nothing here asks a database; how pages and
//! the command line lay it out is their own.
//!
//! `story`, `words` and `outlook` tell of one record, `lanes` draws it. The rest measures many: a `tale` is what is known of one
//! record, its `course` puts that together, `tally` counts over all of them, and `figures` are what is
//! answered; `window` is the stretch of time that is asked about, `terms` the agreement that measures it.

pub mod course;
pub mod difference;
pub mod figures;
pub mod lanes;
pub mod layout;
pub mod meeting;
pub mod money;
pub mod outlook;
pub mod pack;
pub mod story;
pub mod tale;
pub mod tally;
pub mod terms;
pub mod window;
pub mod words;
