//! Where a list goes on, as an opaque word in an address.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

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
    serde_json::from_slice(&bytes).ok()
}
