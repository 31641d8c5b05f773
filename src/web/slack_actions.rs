//! `POST /slack/actions`: buttons that somebody pressed in Slack. Verified by Slack's signature over the
//! raw form, taken into the inbox, and only then answered; what is to be said comes by the address that
//! Slack gave. What an answer does is decided elsewhere.

use super::outcome::outcome;
use super::slack_message::{Decisions, Line, Message, escaped};
use super::webhooks::{read, refuse_encoded};
use super::{Web, answer};
use crate::crm::signature::verify_slack_v0;
use crate::engine::answers::{self, Became, Choice, Refused, Said, Taken};
use crate::engine::clock::real_now;
use crate::notify::{Home, NotifyError, REJECT, SlackPeople};
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// How long what came of an answer is waited for, to be told in the message.
const WATCHED: Duration = Duration::from_secs(60);

/// How Slack's calls are known and answered.
pub struct SlackDoor {
    /// Two while Slack's secret is being changed; any of them is believed.
    signing_secrets: Vec<SecretString>,
    people: SlackPeople,
    decisions: Decisions,
}

impl SlackDoor {
    pub fn new(signing_secrets: Vec<SecretString>, people: SlackPeople) -> Self {
        Self { signing_secrets, people, decisions: Decisions::default() }
    }
}

pub fn routes(routes: &mut ServiceConfig) {
    routes.service(web::resource("/slack/actions").route(web::post().to(receive)));
}

/// What of Slack's payload is looked at.
#[derive(Debug, Deserialize)]
struct Click {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    user: Named,
    #[serde(default)]
    team: Option<Team>,
    #[serde(default)]
    enterprise: Option<Named>,
    #[serde(default)]
    is_enterprise_install: bool,
    #[serde(default)]
    response_url: Option<String>,
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    actions: Vec<Action>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Team {
    id: String,
    enterprise_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Action {
    action_id: String,
    value: Option<String>,
    selected_option: Option<SelectedOption>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SelectedOption {
    value: String,
}

/// A request as Slack sends it: a form of one field, which is JSON.
fn parsed(body: &[u8]) -> Option<Click> {
    let fields: Vec<_> = url::form_urlencoded::parse(body).filter(|(name, _)| name == "payload").collect();
    let [(_, payload)] = fields.as_slice() else { return None };
    serde_json::from_str(payload).ok()
}

/// The word behind the button, and what it says.
fn said(action: &Action) -> Option<(&str, Choice)> {
    let option = action.selected_option.as_ref().map(|o| o.value.as_str());
    match action.action_id.as_str() {
        "accept" => Some((action.value.as_deref()?, Choice::Accept)),
        "on_it" => Some((action.value.as_deref()?, Choice::OnIt)),
        "snooze" => Some((action.value.as_deref()?, Choice::Snooze)),
        "reject" => option?.rsplit_once(':').map(|(word, mark)| (word, Choice::Reject(mark.to_owned()))),
        "menu" => {
            let (word, answer) = option?.rsplit_once(':')?;
            let choice = match answer {
                "accept" => Choice::Accept,
                "on_it" => Choice::OnIt,
                "snooze" => Choice::Snooze,
                other => Choice::Reject(other.strip_prefix(REJECT)?.to_owned()),
            };
            Some((word, choice))
        }
        _ => None,
    }
}

fn verify(door: &SlackDoor, request: &HttpRequest, body: &[u8]) -> Result<(), &'static str> {
    let header = |name: &str| {
        let mut all = request.headers().get_all(name);
        let one = all.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
        if all.next().is_some() { "" } else { one }
    };
    let (at, signature) = (header("x-slack-request-timestamp"), header("x-slack-signature"));
    let mut why = "no signing secret is configured";
    for secret in &door.signing_secrets {
        match verify_slack_v0(secret.expose_secret().as_bytes(), at, body, signature, real_now()) {
            Ok(()) => return Ok(()),
            Err(refusal) => why = refusal.0,
        }
    }
    Err(why)
}

async fn receive(web: Data<Web>, request: HttpRequest, body: Payload) -> HttpResponse {
    let Some(door) = web.slack.clone() else {
        return answer::error(StatusCode::NOT_FOUND, "no Slack signing secret is configured");
    };
    let body = match read(&request, body).await {
        Ok(body) => body,
        Err(refused) => return answer::error(refused.told().0, &refused.to_string()),
    };
    if let Err(refused) = refuse_encoded(&request) {
        return answer::error(refused.told().0, &refused.to_string());
    }
    if let Err(why) = verify(&door, &request, &body) {
        tracing::warn!("a call of Slack's was refused: {why}");
        return answer::error(StatusCode::UNAUTHORIZED, "not signed as agreed");
    }
    let Some(click) = parsed(&body) else {
        return answer::error(StatusCode::BAD_REQUEST, "this is no payload of Slack's");
    };
    if click.kind != "block_actions" {
        return HttpResponse::Ok().finish();
    }
    match clicked(&web, &door, click, &hex::encode(Sha256::digest(&body))).await {
        Ok(()) => HttpResponse::Ok().finish(),
        Err(status) => answer::error(status, "this could not be taken"),
    }
}

/// Whether a click is of the place that our own token is of. One of an app that is installed for a whole
/// organisation names the organisation, and a workspace of it at most.
fn is_from(click: &Click, home: &Home) -> bool {
    match home {
        Home::Workspace(id) => click.team.as_ref().is_some_and(|team| team.id == *id),
        Home::Organisation(id) => {
            let named = click.enterprise.as_ref().is_some_and(|enterprise| enterprise.id == *id);
            let elsewhere = click.team.as_ref().and_then(|t| t.enterprise_id.as_ref()).is_some_and(|of| of != id);
            click.is_enterprise_install && named && !elsewhere
        }
    }
}

/// Takes the click. Whoever may not, or comes too late, is told so by Slack; that is no error.
async fn clicked(web: &Data<Web>, door: &Arc<SlackDoor>, click: Click, delivery: &str) -> Result<(), StatusCode> {
    let unavailable = |error: NotifyError| {
        tracing::warn!("a click in Slack could not be looked into: {error}");
        StatusCode::SERVICE_UNAVAILABLE
    };
    let home = door.people.home().await.map_err(unavailable)?;
    if !is_from(&click, &home) {
        tracing::warn!("a click that is not from {} was refused", home.id());
        return Err(StatusCode::FORBIDDEN);
    }
    let Some((word, choice)) = click.actions.first().and_then(said) else { return Ok(()) };
    let taken = match door.people.email(&click.user.id, &home).await {
        Ok(email) => answered(web, word, &choice, &email, delivery).await,
        Err(NotifyError::Later { message, after }) => return Err(unavailable(NotifyError::Later { message, after })),
        Err(_) => {
            Err(Refused::NotYours("Slack tells no e-mail address of yours, so nobody knows who you are.".to_owned()))
        }
    };
    match taken {
        Err(Refused::Store(error)) => {
            tracing::error!("a click in Slack could not be taken: {error}");
            Err(StatusCode::SERVICE_UNAVAILABLE)
        }
        Err(refused) => {
            explain(door.clone(), &click, &refused.to_string());
            Ok(())
        }
        Ok(taken) => {
            let said = Pressed { word: word.to_owned(), choice };
            follow(web.clone(), door.clone(), click, said, taken);
            Ok(())
        }
    }
}

async fn answered(web: &Web, word: &str, choice: &Choice, email: &str, delivery: &str) -> Result<Taken, Refused> {
    let shown = answers::look(&web.engine, word).await?;
    answers::take(&web.engine, &shown, choice, Said { email, via: "Slack", delivery }).await
}

/// To the one who clicked alone.
fn explain(door: Arc<SlackDoor>, click: &Click, why: &str) {
    let Some(url) = click.response_url.clone() else { return };
    let body = json!({ "response_type": "ephemeral", "replace_original": false, "text": escaped(why) });
    actix_web::rt::spawn(async move { say(&door, &url, &body).await });
}

/// The button of a message that was pressed.
struct Pressed {
    word: String,
    choice: Choice,
}

/// Tells in the message what was said: at once, and again once it is known what came of it. An answer that
/// came to nothing gives the buttons back; where somebody else's stands, only who pressed is told.
fn follow(web: Data<Web>, door: Arc<SlackDoor>, click: Click, pressed: Pressed, taken: Taken) {
    let Some(url) = click.response_url.clone() else { return };
    let message = click.message.clone().unwrap_or_default();
    let line = |text: String| Line { id: taken.id.clone(), choice: pressed.choice.clone(), text };
    let pending = taken.waits.clone().unwrap_or_else(|| "It is being written down.".to_owned());
    let first = line(format!("{}: {}. {pending}", taken.name, taken.words));
    let done = line(format!("{}: {}.", taken.name, taken.words));
    actix_web::rt::spawn(async move {
        let (decisions, word) = (&door.decisions, pressed.word.as_str());
        decisions.say(word, first);
        say(&door, &url, &decisions.redrawn(&message, word, None)).await;
        match outcome(&web, &taken, WATCHED).await {
            Became::Pending => {}
            Became::Done => {
                decisions.say(word, done);
                say(&door, &url, &decisions.redrawn(&message, word, None)).await;
            }
            Became::Failed(why) => {
                let why = format!("{} was not changed: {why}.", taken.name);
                let others = decisions.take_back(word, &taken.id);
                let stands = others.iter().any(|line| line.choice.decides());
                say(&door, &url, &decisions.redrawn(&message, word, Some(&why).filter(|_| !stands).map(|w| &**w)))
                    .await;
                // Who pressed twice has what they wanted.
                if stands && !others.iter().any(|line| line.text == done.text || line.text.starts_with(&done.text)) {
                    explain(door.clone(), &click, &why);
                }
            }
        }
    });
}

async fn say(door: &SlackDoor, url: &str, body: &Value) {
    if let Err(error) = door.people.respond(url, body).await {
        tracing::warn!("Slack could not be told what came of a click: {error}");
    }
}
