//! Asks Slack whether token, scopes and channels do, posting nothing: `auth.test`, a look-up of an
//! address that nobody has, and the list of channels. An incoming webhook is asked with an empty
//! message, which Slack refuses where the webhook exists.

use super::examine::Look;
use super::slack::{Access, Slack, accepted};
use super::{NotifyError, http};
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::HashMap;

/// Slack advises pages of no more than 200; this many pages are 20,000 channels.
const PAGE: &str = "200";
const MOST_PAGES: usize = 100;
/// Reserved for what does not exist (RFC 2606).
const NOBODY: &str = "nobody@leadpact.invalid";
const PEOPLE: &str = "Slack look-up of people";
const SCOPES: &str = "in api.slack.com › your app › OAuth & Permissions";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Page {
    channels: Vec<Channel>,
    response_metadata: Cursor,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Channel {
    id: String,
    name: String,
    is_archived: bool,
    is_member: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cursor {
    next_cursor: String,
}

/// By name and by id.
type Channels = HashMap<String, State>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Archived,
    /// The app is in it.
    Joined,
    /// Nobody invited the app.
    Strange,
}

/// Without it nothing can be said at all.
const POST: &str = "chat:write";
/// Lets the app post where nobody invited it.
const ANYWHERE: &str = "chat:write.public";

/// `channels` as the agreement names them.
pub(super) async fn examine(slack: &Slack, channels: &[&str]) -> Vec<Look> {
    match slack.access() {
        Access::Webhook { url } => vec![webhook(slack, url).await],
        Access::Bot { token, base_url } => bot(slack, token, base_url, channels).await,
    }
}

async fn bot(slack: &Slack, token: &SecretString, base: &str, channels: &[&str]) -> Vec<Look> {
    let (signed_in, people, known) = tokio::join!(
        call(slack, token, format!("{base}/auth.test"), &[]),
        call(slack, token, format!("{base}/users.lookupByEmail"), &[("email", NOBODY)]),
        all_channels(slack, token, base),
    );
    let mut looks = Vec::new();
    let scopes = signed_in.as_ref().ok().and_then(scopes);
    match signed_in.and_then(|body| accepted(&body)) {
        Ok(_) => looks.push(Look::works("Slack token", "accepted")),
        Err(error) => {
            let fix = format!("copy the bot token (xoxb-…) {SCOPES} into [notify.slack] token");
            // Whatever else was asked was asked with this token.
            return vec![Look::failed("Slack token", &error, fix)];
        }
    }
    looks.push(match people.and_then(|body| accepted(&body)) {
        // Nobody has the address: that it could be looked up is what we wanted to know.
        Ok(_) | Err(NotifyError::Nobody { .. }) => Look::works(PEOPLE, "people can be found by e-mail address"),
        Err(error) => {
            let fix = format!("add the scope users:read.email {SCOPES} and install the app again");
            Look::doubtful(PEOPLE, format!("{error}: owners get e-mail instead"), fix)
        }
    });
    looks.extend(scopes.as_deref().and_then(lacking));
    // Where Slack names no scopes, the app may post anywhere for all we know.
    let anywhere = scopes.is_none_or(|scopes| scopes.iter().any(|scope| scope == ANYWHERE));
    looks.extend(channels.iter().map(|channel| look_at(channel, &known, anywhere)));
    looks
}

/// The token's scopes, which every answer of the Web API names.
fn scopes(answer: &http::Answer) -> Option<Vec<String>> {
    Some(answer.scopes.as_ref()?.split(',').map(|scope| scope.trim().to_owned()).collect())
}

fn lacking(scopes: &[String]) -> Option<Look> {
    if scopes.iter().any(|granted| granted == POST) {
        return None;
    }
    let fix = format!("add the scope {POST} {SCOPES} and install the app again");
    Some(Look::broken(format!("Slack scope {POST}"), "not granted: nothing can be posted", fix))
}

/// Public and private channels; the latter only where we may list them.
struct Known {
    public: Result<Channels, NotifyError>,
    private: Result<Channels, NotifyError>,
}

async fn all_channels(slack: &Slack, token: &SecretString, base: &str) -> Known {
    let (public, private) =
        tokio::join!(list(slack, token, base, "public_channel"), list(slack, token, base, "private_channel"));
    Known { public, private }
}

fn look_at(channel: &str, known: &Known, anywhere: bool) -> Look {
    let at = format!("Slack channel {channel}");
    let name = channel.trim_start_matches('#');
    let found = [&known.public, &known.private].into_iter().flatten().find_map(|channels| channels.get(name));
    match (found, &known.public, &known.private) {
        (Some(State::Joined), ..) => Look::works(at, "there"),
        (Some(State::Strange), ..) if anywhere => Look::works(at, "there"),
        (Some(State::Strange), ..) => {
            let fix = format!("write /invite in {channel} and name the app, or add the scope {ANYWHERE} {SCOPES}");
            Look::broken(at, "the app is not in it, and may post only where it is", fix)
        }
        (Some(State::Archived), ..) => {
            Look::broken(at, "it is archived", "unarchive it in Slack, or name another one in the agreement")
        }
        (None, Err(error), _) => {
            let fix = format!("add the scope channels:read {SCOPES} and install the app again");
            Look::doubtful(at, format!("cannot be looked up: {error}"), fix)
        }
        (None, Ok(_), Err(_)) => {
            let says = "no public channel has this name, and private ones cannot be listed";
            let fix = "create it in Slack; if it is private, invite the app there (and add the scope groups:read to see it here)";
            Look::doubtful(at, says, fix)
        }
        (None, Ok(_), Ok(_)) => {
            let fix = "create it in Slack, invite the app if it is private, or correct its name in the agreement";
            Look::broken(at, "there is no such channel", fix)
        }
    }
}

async fn list(slack: &Slack, token: &SecretString, base: &str, types: &str) -> Result<Channels, NotifyError> {
    let mut known = Channels::new();
    let mut cursor = String::new();
    for _ in 0..MOST_PAGES {
        let mut query = vec![("types", types), ("limit", PAGE)];
        // The first page has no cursor.
        query.extend((!cursor.is_empty()).then_some(("cursor", cursor.as_str())));
        let body = call(slack, token, format!("{base}/conversations.list"), &query).await?;
        accepted(&body)?;
        let page: Page = serde_json::from_slice(&body.body)
            .map_err(|_| NotifyError::Never { message: "the list of channels cannot be read".to_owned() })?;
        for channel in page.channels {
            let state = match channel {
                Channel { is_archived: true, .. } => State::Archived,
                Channel { is_member: true, .. } => State::Joined,
                Channel { .. } => State::Strange,
            };
            known.insert(channel.id, state);
            known.insert(channel.name, state);
        }
        if page.response_metadata.next_cursor.is_empty() || page.response_metadata.next_cursor == cursor {
            break;
        }
        cursor = page.response_metadata.next_cursor;
    }
    Ok(known)
}

async fn call(
    slack: &Slack,
    token: &SecretString,
    url: String,
    query: &[(&str, &str)],
) -> Result<http::Answer, NotifyError> {
    http::send(slack.client().get(url).query(query).bearer_auth(token.expose_secret())).await
}

async fn webhook(slack: &Slack, url: &SecretString) -> Look {
    let at = "Slack incoming webhook";
    let request = slack.client().post(url.expose_secret()).header(CONTENT_TYPE, "application/json").body("{}");
    let fix =
        "make a new incoming webhook in api.slack.com › your app, and put its URL into [notify.slack] webhook_url";
    match http::send(request).await {
        Err(error) => Look::failed(at, &error, fix),
        Ok(answer) => match String::from_utf8_lossy(&answer.body).trim() {
            "no_text" | "invalid_payload" | "missing_text_or_fallback_or_attachments" => Look::works(
                at,
                "it exists; whatever channel the agreement names, all messages go to the one that it was made for",
            ),
            _ => Look::broken(at, format!("Slack answered {}", answer.status.as_u16()), fix),
        },
    }
}
