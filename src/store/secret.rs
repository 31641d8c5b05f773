//! Random words that open a door (sessions, one-time links, API tokens), and the hash of them that is
//! stored: who reads the database can use none.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use std::fmt;

/// 256 random bits as text for addresses, cookies and headers. Does not show in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A fresh one, beginning with `prefix`, by which people and scanners know what it is.
    ///
    /// # Panics
    /// When the operating system has no random numbers: nothing safe could be done then.
    pub fn fresh(prefix: &str) -> Self {
        let mut bytes = [0_u8; 32];
        OsRng.try_fill_bytes(&mut bytes).expect("the operating system gives random numbers");
        Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// One that somebody brought.
    pub fn brought(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The word itself, to be shown once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it: looking it up leaks nothing, since nobody can choose a hash.
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.0.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_never_the_same_and_do_not_show() {
        let (one, other) = (Secret::fresh("lp_"), Secret::fresh("lp_"));
        assert!(one != other && one.expose().starts_with("lp_") && one.expose().len() == 3 + 43);
        assert!(!format!("{one:?}").contains(&one.expose()[3..]));
        assert_eq!(one.hash(), Secret::brought(one.expose()).hash());
    }
}
