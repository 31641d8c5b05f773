//! Sealing what must not be read from the database: XChaCha20-Poly1305 with a random nonce, under a
//! key that lies outside of it, and bound to the row that it was sealed for. Which rows those are is
//! in the files of their tables.

use crate::record::ConnectionName;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a nonce: long enough to be drawn at random for ever.
const NONCE_BYTES: usize = 24;
/// Bytes of a key's hash that name it beside what it sealed.
const ID_BYTES: usize = 8;

/// The keys of a house: the first seals, all open. Without any, nothing can be sealed or opened.
#[derive(Clone, Default)]
pub struct Keys(Arc<[Key]>);

struct Key {
    id: String,
    bytes: SecretBox<[u8; KEY_BYTES]>,
}

/// What stands in the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Which key opens it; tells nothing of the key itself.
    pub key_id: String,
    /// The nonce and what it hides, in base64.
    pub text: String,
}

/// The row that something is sealed for: elsewhere it does not open.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub table: &'static str,
    pub connection: &'a ConnectionName,
    /// What else tells the row from others, and from what it held before.
    pub version: &'a str,
}

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("is no base64")]
    NotBase64,
    #[error("has {0} bytes, not {KEY_BYTES}")]
    Length(usize),
}

/// Why something cannot be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("no `[store] credential_key` is configured")]
    NoKey,
    #[error("it was sealed with the key {0}, which is not in `[store] credential_key`")]
    OtherKey(String),
    /// Moved from another row, altered, or cut off.
    #[error("it was altered in the database, or does not belong into this row")]
    Altered,
}

impl Keys {
    /// Keys of 32 bytes each, in base64.
    ///
    /// # Errors
    /// The place of the first that cannot be one in the list, and why.
    pub fn read(texts: &[SecretString]) -> Result<Self, (usize, KeyError)> {
        let keys = texts.iter().enumerate().map(|(i, text)| Key::read(text).map_err(|why| (i, why)));
        keys.collect::<Result<Vec<_>, _>>().map(|keys| Self(keys.into()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of the key that seals.
    pub fn first_id(&self) -> Option<&str> {
        self.0.first().map(|key| key.id.as_str())
    }

    /// # Errors
    /// [`SealError::NoKey`].
    pub fn seal(&self, place: Place<'_>, secret: &[u8]) -> Result<Sealed, SealError> {
        let key = self.0.first().ok_or(SealError::NoKey)?;
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload { msg: secret, aad: &place.bound() };
        // Fails for texts of hundreds of gigabytes only.
        let hidden = key.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Altered)?;
        let text = STANDARD.encode([nonce.as_slice(), &hidden].concat());
        Ok(Sealed { key_id: key.id.clone(), text })
    }

    /// # Errors
    /// Each [`SealError`].
    pub fn open(&self, place: Place<'_>, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        if self.is_empty() {
            return Err(SealError::NoKey);
        }
        let key = self.0.iter().find(|key| key.id == sealed.key_id);
        let key = key.ok_or_else(|| SealError::OtherKey(sealed.key_id.clone()))?;
        let bytes = STANDARD.decode(&sealed.text).map_err(|_| SealError::Altered)?;
        let (nonce, hidden) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Altered)?;
        let payload = Payload { msg: hidden, aad: &place.bound() };
        key.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError::Altered)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

impl Key {
    fn read(text: &SecretString) -> Result<Self, KeyError> {
        let bytes = STANDARD.decode(text.expose_secret().trim()).map_err(|_| KeyError::NotBase64)?;
        let bytes: [u8; KEY_BYTES] = bytes.try_into().map_err(|b: Vec<u8>| KeyError::Length(b.len()))?;
        let hash = Sha256::new().chain_update(b"leadpact credential key\0").chain_update(bytes).finalize();
        Ok(Self { id: hex::encode(&hash[..ID_BYTES]), bytes: SecretBox::new(Box::new(bytes)) })
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.bytes.expose_secret().into())
    }
}

impl Place<'_> {
    /// The place as bytes, each part with its length before it: no two places look alike.
    fn bound(&self) -> Vec<u8> {
        let parts = ["leadpact 1", self.table, self.connection.as_str(), self.version];
        parts.iter().flat_map(|part| [&(part.len() as u64).to_le_bytes()[..], part.as_bytes()].concat()).collect()
    }
}

/// A new random key, as the configuration takes it.
pub fn new_key() -> String {
    STANDARD.encode(rand::random::<[u8; KEY_BYTES]>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(texts: &[&str]) -> Keys {
        let texts: Vec<SecretString> = texts.iter().map(|text| SecretString::from(*text)).collect();
        Keys::read(&texts).unwrap()
    }

    fn place<'a>(connection: &'a ConnectionName, version: &'a str) -> Place<'a> {
        Place { table: "credential", connection, version }
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_and_nowhere_else() {
        let (acme, other) = (ConnectionName::new("acme"), ConnectionName::new("acme2"));
        let keys = keys(&[&new_key()]);
        let sealed = keys.seal(place(&acme, "21"), b"token").unwrap();
        assert_eq!(keys.open(place(&acme, "21"), &sealed).as_deref(), Ok(b"token".as_slice()));
        for elsewhere in [
            place(&acme, "22"),
            place(&other, "1"),
            place(&other, "21"),
            Place { table: "sign_in", ..place(&acme, "21") },
        ] {
            assert_eq!(keys.open(elsewhere, &sealed), Err(SealError::Altered), "{elsewhere:?}");
        }
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        let acme = ConnectionName::new("acme");
        let keys = keys(&[&new_key()]);
        let sealed = keys.seal(place(&acme, "1"), b"token").unwrap();
        let bytes = STANDARD.decode(&sealed.text).unwrap();
        for i in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[i] ^= 1;
            let altered = Sealed { text: STANDARD.encode(altered), ..sealed.clone() };
            assert_eq!(keys.open(place(&acme, "1"), &altered), Err(SealError::Altered));
        }
        for cut in ["", "AAAA", "no base64!"] {
            let altered = Sealed { text: cut.to_owned(), ..sealed.clone() };
            assert_eq!(keys.open(place(&acme, "1"), &altered), Err(SealError::Altered));
        }
    }

    #[test]
    fn the_first_key_seals_and_all_open() {
        let acme = ConnectionName::new("acme");
        let (old, new) = (new_key(), new_key());
        let sealed = keys(&[&old]).seal(place(&acme, "1"), b"token").unwrap();
        let both = keys(&[&new, &old]);
        assert!(both.open(place(&acme, "1"), &sealed).is_ok());
        assert_eq!(Some(both.seal(place(&acme, "1"), b"t").unwrap().key_id.as_str()), keys(&[&new]).first_id());
        assert_eq!(keys(&[&new]).open(place(&acme, "1"), &sealed), Err(SealError::OtherKey(sealed.key_id.clone())));
        assert_eq!(Keys::default().open(place(&acme, "1"), &sealed), Err(SealError::NoKey));
        assert_eq!(Keys::default().seal(place(&acme, "1"), b"t"), Err(SealError::NoKey));
    }

    #[test]
    fn the_same_text_is_never_sealed_alike() {
        let acme = ConnectionName::new("acme");
        let keys = keys(&[&new_key()]);
        let seal = || keys.seal(place(&acme, "1"), b"token").unwrap().text;
        assert_ne!(seal(), seal());
    }

    #[test]
    fn a_key_has_32_bytes_and_does_not_show() {
        let read = |text: &str| Keys::read(&[SecretString::from(text)]).map(|_| ()).unwrap_err();
        assert_eq!(read("c2hvcnQ="), (0, KeyError::Length(5)));
        assert_eq!(read("not base64!"), (0, KeyError::NotBase64));
        let key = new_key();
        assert!(!format!("{:?}", keys(&[&key])).contains(&key));
        assert_ne!(key, new_key());
    }
}
