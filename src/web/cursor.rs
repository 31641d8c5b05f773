//! Where a list goes on, as an opaque word in an address.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Longer ones were never given out.
const LONGEST: usize = 4096;

/// The word for this place.
pub fn write(place: &impl Serialize) -> String {
    // The place is made of texts and numbers, which JSON can always hold.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// The place that the word names; `None` for one that we did not give out.
pub fn read<T: DeserializeOwned>(word: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(word).ok().filter(|bytes| bytes.len() <= LONGEST)?;
    let place: Value = serde_json::from_slice(&bytes).ok()?;
    if holds_null(&place) { None } else { serde_json::from_value(place).ok() }
}

/// Where a list is to go on; `None`: it begins.
///
/// # Errors
/// A word that we did not give out.
pub fn asked<T: DeserializeOwned>(word: Option<&str>) -> Result<Option<T>, Unknown> {
    word.filter(|word| !word.is_empty()).map(|word| read(word).ok_or(Unknown)).transpose()
}

/// The word names no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

/// PostgreSQL refuses to compare with such a text, and no place of ours has it.
fn holds_null(place: &Value) -> bool {
    match place {
        Value::String(text) => text.contains('\0'),
        Value::Array(parts) => parts.iter().any(holds_null),
        Value::Object(parts) => parts.values().any(holds_null),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_from_its_word_and_no_other_word_is_one() {
        let place = (7, Some("a/\"b".to_owned()));
        assert_eq!(read(&write(&place)), Some(place));
        assert_eq!(read::<(i64, String)>("nonsense"), None);
        assert_eq!(read::<(i64, String)>(&write(&(7, "a\0"))), None);
        assert_eq!(read::<String>(&write(&"x".repeat(LONGEST))), None);
    }
}
