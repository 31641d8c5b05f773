//! Agreements as files: the shipped example becomes the model it describes, bad ones are refused
//! with every error at once, and the hash follows the meaning alone.

mod bad;
mod difference;
mod example;
mod hash;
mod schema;
mod shown;

use leadpact::agreement::parse::{Parsed, parse};
use leadpact::agreement::problem::Report;

/// The example that is shipped.
pub const EXAMPLE: &str = include_str!("../../config/agreement.toml");

/// Reads an agreement that names no other file.
pub fn read(text: &str) -> Result<Parsed, Report> {
    parse("agreement.toml", text, &|name| Err(format!("there is no {name}")))
}

/// The example with one passage replaced, which must be there exactly once.
pub fn example_with(passage: &str, by: &str) -> String {
    assert_eq!(EXAMPLE.matches(passage).count(), 1, "{passage:?} must stand once in the example");
    EXAMPLE.replacen(passage, by, 1)
}

/// Reads the shipped example, which must be sound.
pub fn example() -> Parsed {
    read(EXAMPLE).unwrap_or_else(|report| panic!("{report}"))
}
