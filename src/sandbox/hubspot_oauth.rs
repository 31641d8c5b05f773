//! HubSpot's sign-in: the page, and the token endpoint in its dated and its older forms (`v1` is what
//! HubSpot's own client still calls), which take everything in the body. What is granted to whom is in `oauth.rs`.

use super::call::{Answer, Call};
use super::hubspot_api::HubSpotApi;
use super::oauth::{Form, Refused, Tokens};
use super::world::World;
use serde_json::{Value as Json, json};

/// What kind of call a path below `/oauth/` is.
pub fn kind(method: &str, rest: &[&str]) -> &'static str {
    match (method, rest) {
        ("GET" | "POST", ["authorize"]) => "hubspot.authorize",
        ("POST", [version, "token"]) if takes_body(version) => "hubspot.token",
        ("POST", [version, "token", "revoke"]) if takes_body(version) => "hubspot.token_revoke",
        ("POST", [_, "private-apps", "get", "access-token-info"]) => "hubspot.token_info",
        _ => "hubspot.unknown",
    }
}

fn takes_body(version: &str) -> bool {
    matches!(version, "v1" | "v3") || version.starts_with("20")
}

/// Calls that sign somebody in, or out.
pub fn answer(world: &World, api: &HubSpotApi, kind: &str, call: &Call) -> Answer {
    let form = Form::of(call);
    match kind {
        "hubspot.authorize" => api.app.authorize(call, world.now()),
        "hubspot.token_revoke" => match api.app.client(&form, true) {
            Ok(()) => {
                api.app.revoke(form.get("token"));
                Answer::empty(204)
            }
            Err(why) => refused(why),
        },
        _ => match token(world, api, &form) {
            Ok(tokens) => Answer::json(200, &granted(api, tokens)),
            Err(why) => refused(why),
        },
    }
}

fn token(world: &World, api: &HubSpotApi, form: &Form) -> Result<Tokens, Refused> {
    api.app.client(form, true)?;
    api.app.grant(form, |what, number| format!("na1-pretend-{what}-{number}"), world.now())
}

fn granted(api: &HubSpotApi, tokens: Tokens) -> Json {
    let seconds = tokens.lifetime.map_or(1800, |life| life.as_millis() / 1000);
    let mut body = json!({
        "token_type": "bearer",
        "access_token": tokens.access,
        "expires_in": seconds,
        "hub_id": api.portal_id,
        "scopes": tokens.scopes,
        "token_use": "access_token",
    });
    if let Some(refresh) = tokens.refresh {
        body["refresh_token"] = json!(refresh);
    }
    body
}

fn refused(why: Refused) -> Answer {
    let (error, description, status) = match why {
        Refused::UnknownClient => ("invalid_client", "missing or unknown client id", "BAD_CLIENT_ID"),
        Refused::WrongSecret => ("invalid_client", "missing or invalid client secret", "BAD_CLIENT_SECRET"),
        Refused::Code => ("invalid_grant", "missing or unknown auth code", "BAD_AUTH_CODE"),
        Refused::Verifier => ("invalid_grant", "code verifier does not match", "BAD_CODE_VERIFIER"),
        Refused::Redirect => {
            ("invalid_grant", "redirect URI differs from the auth code's", "MISMATCH_REDIRECT_URI_AUTH_CODE")
        }
        Refused::Refresh => ("invalid_grant", "refresh token is invalid, expired or revoked", "BAD_REFRESH_TOKEN"),
        Refused::GrantType => ("unsupported_grant_type", "grant type not supported", "BAD_GRANT_TYPE"),
    };
    let body = json!({ "error": error, "error_description": description, "status": status, "message": description });
    Answer::json(400, &body)
}
