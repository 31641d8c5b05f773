//! Salesforce's sign-in: the page and the token endpoint for client credentials, JWT bearer, codes and
//! rotating refresh tokens. What is granted to whom is in `oauth.rs`.

use super::call::{Answer, Call};
use super::oauth::{Form, OauthApp, Refused, Tokens};
use super::salesforce_api::SalesforceApi;
use super::salesforce_whole::identity_url;
use super::world::World;
use crate::record::{Elapsed, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde_json::json;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// An assertion may not live longer.
const LONGEST: Elapsed = Elapsed::from_secs(180);

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    /// Seconds since 1970.
    exp: i64,
}

/// A refusal: an error and its description.
type Denied = (&'static str, &'static str);

/// What kind of call it is, if it is one to sign in.
pub fn kind(call: &Call) -> Option<&'static str> {
    match call.path.as_str() {
        "/services/oauth2/token" => Some("salesforce.token"),
        "/services/oauth2/authorize" => Some("salesforce.authorize"),
        "/services/oauth2/revoke" => Some("salesforce.token_revoke"),
        _ => None,
    }
}

/// Calls that sign somebody in, or out.
pub fn answer(world: &World, api: &SalesforceApi, kind: &str, call: &Call) -> Answer {
    let (form, now) = (Form::of(call), world.now());
    match kind {
        "salesforce.authorize" => api.app.authorize(call, now),
        "salesforce.token_revoke" => {
            api.app.revoke(form.get("token"));
            Answer::empty(200)
        }
        _ => match token(api, &form, now) {
            Ok(tokens) => granted(api, call, tokens),
            Err((error, description)) => {
                Answer::json(400, &json!({ "error": error, "error_description": description }))
            }
        },
    }
}

fn token(api: &SalesforceApi, form: &Form, now: Timestamp) -> Result<Tokens, Denied> {
    let start = api.organization_id.get(..15).unwrap_or_default();
    let access = |number: u64| format!("{start}!AQEAQ.pretend.{number}");
    match form.get("grant_type") {
        "client_credentials" => {
            api.app.client(form, true).map_err(|_| ("invalid_client", "invalid client credentials"))?;
            Ok(api.app.issue(access, now))
        }
        JWT_BEARER => {
            assertion(&api.app, form.get("assertion"), now)?;
            Ok(api.app.issue(access, now))
        }
        _ => {
            api.app.client(form, false).map_err(denied)?;
            let name = |what: &str, number| match what {
                "access" => access(number),
                _ => format!("5Aep861.pretend.{number}"),
            };
            api.app.grant(form, name, now).map_err(denied)
        }
    }
}

/// Checks an assertion as Salesforce does: the certificate, whom it is for, when it ends, and whether
/// the app may speak for that user.
fn assertion(app: &OauthApp, assertion: &str, now: Timestamp) -> Result<(), Denied> {
    let rules = app.rules();
    let pem = rules.certificate.ok_or(("invalid_client", "the app has no certificate"))?;
    let key = DecodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| ("server_error", "the certificate is none"))?;
    let mut validation = Validation::new(Algorithm::RS256);
    // The sandbox has a clock of its own, and says which part is wrong.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let claims = decode::<Claims>(assertion, &key, &validation).map_err(|_| ("invalid_grant", "invalid assertion"))?;
    let Claims { iss, sub, aud, exp } = claims.claims;
    let end = Timestamp::from_millis(exp.saturating_mul(1000));
    match () {
        () if iss != app.client_id => Err(("invalid_client_id", "client identifier invalid")),
        () if aud != rules.audience => Err(("invalid_grant", "audience is invalid")),
        () if end <= now || end - now > LONGEST => Err(("invalid_grant", "expired authorization code")),
        () if !rules.approved.contains(&sub) => Err(("invalid_grant", "user hasn't approved this consumer")),
        () => Ok(()),
    }
}

fn granted(api: &SalesforceApi, call: &Call, tokens: Tokens) -> Answer {
    let host = call.header("host").unwrap_or("localhost");
    let scope = if tokens.scopes.is_empty() { "api".to_owned() } else { tokens.scopes.join(" ") };
    let mut body = json!({
        "access_token": tokens.access,
        "scope": scope,
        "instance_url": format!("http://{host}"),
        "id": identity_url(&api.organization_id, call),
        "token_type": "Bearer",
    });
    if let Some(refresh) = tokens.refresh {
        body["refresh_token"] = json!(refresh);
    }
    Answer::json(200, &body)
}

fn denied(why: Refused) -> Denied {
    match why {
        Refused::UnknownClient => ("invalid_client_id", "client identifier invalid"),
        Refused::WrongSecret => ("invalid_client", "invalid client credentials"),
        Refused::Code => ("invalid_grant", "expired authorization code"),
        Refused::Redirect => ("redirect_uri_mismatch", "redirect_uri must match configuration"),
        Refused::Verifier => ("invalid_grant", "invalid code verifier"),
        Refused::Refresh => ("invalid_grant", "expired access/refresh token"),
        Refused::GrantType => ("unsupported_grant_type", "grant type not supported"),
    }
}
