//! Record ids: 15 case-sensitive characters, or 18 whose last three say which letters are capitals.
//! The system compares and stores 18 characters only.

use crate::record::{Object, OwnerId, RecordId};

const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The id as 18 characters; `None` when it is no id or its suffix belongs to another one.
pub fn normalise(text: &str) -> Option<String> {
    let bytes = text.trim().as_bytes();
    if !matches!(bytes.len(), 15 | 18) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let (id, given) = bytes.split_at(15);
    let suffix: Vec<u8> = id.chunks(5).map(|chunk| SUFFIX[capitals(chunk)]).collect();
    if !given.is_empty() && !given.eq_ignore_ascii_case(&suffix) {
        return None;
    }
    String::from_utf8([id, &suffix].concat()).ok()
}

/// Bit k is set when character k is a capital.
fn capitals(chunk: &[u8]) -> usize {
    chunk.iter().enumerate().map(|(k, c)| usize::from(c.is_ascii_uppercase()) << k).sum()
}

/// An id that Salesforce itself told us (or an operator wrote): 18 characters if it is one, else as
/// it came, since an id that nobody else can read is still the one to answer with.
pub fn or_as_is(text: &str) -> String {
    normalise(text).unwrap_or_else(|| text.to_owned())
}

pub fn record(text: &str) -> RecordId {
    RecordId::new(or_as_is(text))
}

pub fn owner(text: &str) -> OwnerId {
    OwnerId::new(or_as_is(text))
}

/// Whether an owner is a queue.
pub fn is_queue(owner: &str) -> bool {
    owner.starts_with("00G")
}

/// The prefix that every id of this object begins with, in every organisation.
pub fn prefix(object: Object) -> &'static str {
    match object {
        Object::Lead => "00Q",
        Object::Opportunity => "006",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors() -> serde_json::Value {
        serde_json::from_str(include_str!("../../../tests/fixtures/salesforce/id-15-to-18.json")).unwrap()
    }

    #[test]
    fn fifteen_and_eighteen_characters_are_one_id() {
        for pair in vectors()["pairs"].as_array().unwrap() {
            let (short, long) = (pair["id15"].as_str().unwrap(), pair["id18"].as_str().unwrap());
            assert_eq!(normalise(short).as_deref(), Some(long));
            assert_eq!(normalise(long).as_deref(), Some(long));
        }
    }

    #[test]
    fn a_wrong_length_or_suffix_or_character_is_no_id() {
        for text in vectors()["invalid"].as_array().unwrap() {
            assert_eq!(normalise(text.as_str().unwrap()), None, "{text}");
        }
        assert_eq!(normalise("00Q5g00000LeÄd1"), None);
    }

    #[test]
    fn ids_that_differ_only_in_case_are_two_records() {
        for pair in vectors()["not_same_record"].as_array().unwrap() {
            assert_ne!(normalise(pair[0].as_str().unwrap()), normalise(pair[1].as_str().unwrap()));
        }
    }

    #[test]
    fn an_id_that_is_none_stays_as_it_came() {
        assert_eq!(or_as_is("queue-1"), "queue-1");
        assert_eq!(owner("0055g00000AbCdE").as_str(), "0055g00000AbCdEAAV");
    }
}
