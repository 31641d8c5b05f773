//! What a token must be before anything in it counts, and whom it is of then.

use super::OidcSettings;
use super::claims::More;
use super::document::ProviderMetadata;
use super::provider::{Person, Proof, ProviderError};
use crate::record::{Elapsed, Timestamp};
use openidconnect::core::{CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreTokenType};
use openidconnect::{
    ClaimsVerificationError, ClientId, EmptyExtraTokenFields, IdTokenClaims, IdTokenFields, IdTokenVerifier,
    LocalizedClaim, Nonce, StandardTokenResponse, TokenResponse, UserInfoClaims,
};
use secrecy::ExposeSecret;

/// How far its clock may be ahead of ours.
const SKEW: Elapsed = Elapsed::from_secs(120);
/// A token is made for the code that is being exchanged: an older one is not it.
const OLDEST: Elapsed = Elapsed::from_secs(900);
/// Longest `sub` (OpenID Connect Core, section 2).
const LONGEST_SUBJECT: usize = 255;

/// How a token may be signed: with the provider's own key. A secret that two know proves nothing.
pub(super) const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Fields = IdTokenFields<
    More,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
pub(super) type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
pub(super) type Claims = IdTokenClaims<More, CoreGenderClaim>;
/// What was asked for with the access token.
pub(super) type Asked = UserInfoClaims<More, CoreGenderClaim>;

/// Everything that must be true of an ID token (OpenID Connect Core, section 3.1.3.7).
pub(super) fn verified(
    settings: &OidcSettings,
    document: &ProviderMetadata,
    tokens: &Tokens,
    proof: &Proof,
    now: Timestamp,
) -> Result<Claims, ClaimsVerificationError> {
    let token = tokens.id_token();
    let token = token.ok_or_else(|| ClaimsVerificationError::Other("no ID token came".to_owned()))?;
    let id = ClientId::new(settings.client_id.clone());
    let keys = document.jwks().clone();
    let moment = chrono::DateTime::from_timestamp_millis(now.as_millis()).unwrap_or_default();
    // As of a client without a secret: nobody but the provider can have signed it.
    let verifier = IdTokenVerifier::new_public_client(id, document.issuer().clone(), keys)
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || moment)
        .set_issue_time_verifier_fn(move |issued| is_fresh(Timestamp::from_millis(issued.timestamp_millis()), now));
    let claims = token.claims(&verifier, &Nonce::new(proof.nonce.expose_secret().to_owned()))?.clone();
    match claims.authorized_party() {
        Some(party) if **party != settings.client_id => {
            Err(ClaimsVerificationError::InvalidAudience("it was made for another application".to_owned()))
        }
        _ => Ok(claims),
    }
}

/// The token's word goes before what was asked for it. An address and whether it is verified come
/// from one and the same.
pub(super) fn told(settings: &OidcSettings, claims: &Claims, more: Option<&Asked>) -> Result<Person, ProviderError> {
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT {
        return Err(ProviderError::Untrusted("it names nobody".to_owned()));
    }
    let of_token = claims.email().map(|email| (email.to_string(), claims.email_verified()));
    let asked = || more.and_then(|m| Some((m.email()?.to_string(), m.email_verified())));
    let (email, verified) = of_token.or_else(asked).unzip();
    let role_claim = &settings.role_claim;
    let values = claims.additional_claims().values(role_claim);
    let values = values.or_else(|| more.and_then(|m| m.additional_claims().values(role_claim)));
    let name = whole(claims.name()).or_else(|| more.and_then(|m| whole(m.name())));
    let known_as = claims.preferred_username().or_else(|| more.and_then(|m| m.preferred_username()));
    Ok(Person {
        subject: subject.to_owned(),
        email,
        email_verified: verified.flatten() == Some(true),
        name: name.or_else(|| known_as.map(|name| name.to_string())),
        values: values.unwrap_or_default(),
    })
}

/// The name without a language, or in any.
fn whole<T: Clone + std::ops::Deref<Target = String>>(name: Option<&LocalizedClaim<T>>) -> Option<String> {
    let name = name?;
    name.get(None).or_else(|| name.iter().next().map(|(_, name)| name)).map(|name| name.to_string())
}

fn is_fresh(issued: Timestamp, now: Timestamp) -> Result<(), String> {
    if issued > now + SKEW {
        return Err("it was issued in our future: compare the clocks".to_owned());
    }
    if issued + OLDEST < now {
        return Err("it was issued long ago".to_owned());
    }
    Ok(())
}
