//! Passwords as Argon2id with OWASP's parameters. Hashing takes a while and 19 MiB, so it is done on
//! threads of its own and few at a time; a wrong login costs as long as a wrong password.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::LazyLock;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Fewest characters of a password.
pub const SHORTEST: usize = 12;
/// Most characters: more would only make us work.
const LONGEST: usize = 256;
/// As many are hashed at once in this process.
const AT_ONCE: usize = 2;
/// Whoever waits longer than this for a turn is told to come again.
const PATIENCE: Duration = Duration::from_secs(10);

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PasswordError {
    /// The person can mend it.
    #[error("{0}")]
    Unfit(String),
    /// Later.
    #[error("too many people sign in at this moment")]
    Busy,
    /// Never: what is stored is no hash, or memory is short.
    #[error("the password could not be hashed: {0}")]
    Broken(String),
}

/// 19 MiB, two passes, one lane: <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>
fn argon2() -> Argon2<'static> {
    const MEMORY_KIB: u32 = 19 * 1024;
    let params = Params::new(MEMORY_KIB, 2, 1, None).expect("constant parameters are within the limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Whether it may be a password.
///
/// # Errors
/// `Unfit`.
pub fn fit(password: &str) -> Result<(), PasswordError> {
    match password.chars().count() {
        n if n < SHORTEST => {
            Err(PasswordError::Unfit(format!("A password has at least {SHORTEST} characters; this one has {n}.")))
        }
        n if n > LONGEST => Err(PasswordError::Unfit(format!("A password has at most {LONGEST} characters."))),
        _ => Ok(()),
    }
}

/// The hash of a password that is [`fit`], as a PHC string. Takes a while: for commands.
///
/// # Errors
/// `Unfit`, `Broken`.
pub fn hash_here(password: &str) -> Result<String, PasswordError> {
    fit(password)?;
    let hash = argon2().hash_password(password.as_bytes()).map_err(|e| PasswordError::Broken(e.to_string()))?;
    Ok(hash.to_string())
}

/// The same among requests.
///
/// # Errors
/// `Unfit`, `Busy`, `Broken`.
pub async fn hash(password: String) -> Result<String, PasswordError> {
    apart(move || hash_here(&password)).await
}

/// Whether this is the password; `None` for an account that has none, which takes as long.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool, PasswordError> {
    if password.chars().count() > LONGEST {
        return Ok(false);
    }
    apart(move || verify_here(&password, hash.as_deref())).await
}

fn verify_here(password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
    static NOBODYS: LazyLock<String> = LazyLock::new(|| hash_here("the password of nobody").unwrap_or_default());
    // Made whoever comes first, so that the first unknown login does not take longer.
    let nobodys: &str = &NOBODYS;
    let is_somebodys = hash.is_some();
    let hash = PasswordHash::new(hash.unwrap_or(nobodys)).map_err(|e| PasswordError::Broken(e.to_string()))?;
    let is_right = argon2().verify_password(password.as_bytes(), &hash).is_ok();
    Ok(is_right && is_somebodys)
}

async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
) -> Result<T, PasswordError> {
    let turn = tokio::time::timeout(PATIENCE, TURNS.acquire()).await;
    let Ok(Ok(_turn)) = turn else { return Err(PasswordError::Busy) };
    tokio::task::spawn_blocking(work).await.map_err(|e| PasswordError::Broken(e.to_string()))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_hashed_with_owasps_parameters_and_known_again() {
        let hash = hash_here("correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(verify_here("correct horse battery", Some(&hash)), Ok(true));
        assert_eq!(verify_here("correct horse batterY", Some(&hash)), Ok(false));
        assert_eq!(verify_here("the password of nobody", None), Ok(false));
        assert!(matches!(verify_here("x", Some("plain")), Err(PasswordError::Broken(_))));
    }

    #[test]
    fn short_and_endless_passwords_are_unfit() {
        assert!(fit("elevenchars").is_err() && fit(&"x".repeat(257)).is_err());
        assert!(fit("twelve chars").is_ok() && fit("zwölf zwölfä").is_ok());
    }
}
