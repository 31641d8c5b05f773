//! Floor 2: journal entries in, what people read out. Nothing here asks a database; how pages and
//! the command line lay it out is their own.

pub mod difference;
pub mod story;
pub mod words;
