//! What is asked of Slack about a click: where the bot is installed and which address somebody has;
//! and what is said back to them; beforehand, whether all that can be. Whether a click is believed is
//! decided elsewhere.

use super::examine::Look;
use super::settings::{SetupError, SlackSettings};
use super::{NotifyError, http, slack};
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// Slack waits three seconds for our whole answer.
const PATIENCE: Duration = Duration::from_millis(1_200);
/// Whoever only looks has more time.
const AT_LEISURE: Duration = Duration::from_secs(8);
/// More people than this are asked for again.
const REMEMBERED: usize = 10_000;
/// Where Slack takes what is said back.
const HOOKS: &str = "hooks.slack.com";
/// Reserved for what does not exist (RFC 2606).
const NOBODY: &str = "nobody@leadpact.invalid";

/// Where the token is installed, which is where clicks must come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Home {
    Workspace(String),
    /// An Enterprise organisation with all its workspaces: Slack then may name no workspace with a click.
    Organisation(String),
}

impl Home {
    /// From an id as the configuration has it: those of organisations begin with `E`.
    fn named(id: String) -> Self {
        if id.starts_with('E') { Home::Organisation(id) } else { Home::Workspace(id) }
    }

    fn of(token: Token) -> Option<Self> {
        let organisation = token.enterprise_id.filter(|_| token.is_enterprise_install).map(Home::Organisation);
        organisation.or_else(|| token.team_id.map(Home::Workspace))
    }

    pub fn id(&self) -> &str {
        let (Home::Workspace(id) | Home::Organisation(id)) = self;
        id
    }

    /// Whether somebody is at home there, as our own token is told. In an organisation a member's own
    /// workspace may be another one than ours, or the organisation itself.
    fn has(&self, user: &User) -> bool {
        match self {
            Home::Workspace(id) => {
                user.team_id.as_ref().is_none_or(|team| team == id) || user.enterprise_user.teams.contains(id)
            }
            Home::Organisation(id) => {
                [&user.team_id, &user.enterprise_user.enterprise_id].into_iter().flatten().any(|of| of == id)
            }
        }
    }
}

/// Slack, as far as clicks go.
#[derive(Debug)]
pub struct SlackPeople {
    client: Client,
    token: Option<SecretString>,
    base_url: String,
    home: Mutex<Option<Home>>,
    emails: Mutex<HashMap<String, String>>,
    patience: Duration,
}

/// Methods call different things by one name: `user` is a name to one and a member to another.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Token {
    team_id: Option<String>,
    enterprise_id: Option<String>,
    /// Installed for the whole organisation.
    is_enterprise_install: bool,
    /// The bot itself.
    user_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Member {
    user: Option<User>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct User {
    deleted: bool,
    is_bot: bool,
    team_id: Option<String>,
    enterprise_user: Affiliation,
    profile: Profile,
}

/// Of an organisation's people only.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Affiliation {
    enterprise_id: Option<String>,
    /// The workspaces that they are members of.
    teams: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Profile {
    email: Option<String>,
}

impl SlackPeople {
    /// `team`: the workspace's or organisation's id where the configuration names it; else the token tells.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(settings: &SlackSettings, team: Option<String>) -> Result<Self, SetupError> {
        let client = http::client().map_err(|error| SetupError::Slack(error.without_url().to_string()))?;
        let base_url = settings.base_url.trim_end_matches('/').to_owned();
        let (token, home) = (settings.token.clone(), Mutex::new(team.map(Home::named)));
        Ok(Self { client, token, base_url, home, emails: Mutex::default(), patience: PATIENCE })
    }

    /// With time to wait: nobody has pressed anything.
    #[must_use]
    pub fn at_leisure(self) -> Self {
        Self { patience: AT_LEISURE, ..self }
    }

    /// Whether clicks could be believed: the workspace is the one that is configured, and Slack tells who a
    /// member is. Empty where the token is not accepted, which is said elsewhere.
    pub async fn examine(&self) -> Vec<Look> {
        let Ok(told) = self.ask::<Token>("auth.test", &[]).await else { return Vec::new() };
        let bot = told.user_id.clone().unwrap_or_default();
        let configured = self.home.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut looks = Vec::new();
        // A workspace's name beside an organisation's token leaves out the other workspaces: that may be meant.
        let is_wrong = |(configured, home): &(Home, Home)| {
            configured != home && !matches!((configured, home), (Home::Workspace(_), Home::Organisation(_)))
        };
        if let Some((configured, home)) = configured.zip(Home::of(told)).filter(is_wrong) {
            let (of, names) = (home.id(), configured.id());
            let says = format!("the token is of {of}, and [notify.slack] team names {names}: every click is refused");
            looks.push(Look::broken("Slack workspace", says, "correct `team`, or leave it out"));
        }
        if let Err(error) = self.tells_who(&bot).await {
            let says = format!("{error}: who presses a button is not known, and nothing is taken from them");
            let fix = "add the scopes users:read and users:read.email in api.slack.com › your app › OAuth & Permissions, \
                       and install the app again";
            looks.push(Look::broken("Slack look-up of who answers", says, fix));
        }
        looks
    }

    /// Whether members and their addresses are told, asked about the bot itself and about nobody: that it may
    /// be asked is all that counts.
    async fn tells_who(&self, bot: &str) -> Result<(), NotifyError> {
        match self.ask::<Member>("users.info", &[("user", bot)]).await {
            Ok(_) | Err(NotifyError::Nobody { .. }) => self.knows(NOBODY).await.map(|_| ()),
            Err(error) => Err(error),
        }
    }

    /// Whether an active member of the workspace has this address.
    ///
    /// # Errors
    /// When Slack does not tell.
    pub async fn knows(&self, email: &str) -> Result<bool, NotifyError> {
        match self.ask::<Member>("users.lookupByEmail", &[("email", email)]).await {
            Ok(told) => Ok(told.user.is_some_and(|user| !user.deleted)),
            Err(NotifyError::Nobody { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The workspace or organisation that clicks must come from.
    ///
    /// # Errors
    /// When Slack does not tell.
    pub async fn home(&self) -> Result<Home, NotifyError> {
        if let Some(home) = self.home.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(home);
        }
        let told = Home::of(self.ask("auth.test", &[]).await?);
        let home = told.ok_or_else(|| never("Slack does not say which workspace the token is of"))?;
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = Some(home.clone());
        Ok(home)
    }

    /// The address of somebody who is at home there.
    ///
    /// # Errors
    /// `Nobody` for guests from elsewhere, bots, and who has no address; `Later` when Slack does
    /// not answer in time.
    pub async fn email(&self, user: &str, home: &Home) -> Result<String, NotifyError> {
        if let Some(email) = self.emails.lock().unwrap_or_else(PoisonError::into_inner).get(user) {
            return Ok(email.clone());
        }
        let told: Member = self.ask("users.info", &[("user", user)]).await?;
        let member = told.user.filter(|u| !u.deleted && !u.is_bot && home.has(u));
        let email = member.and_then(|u| u.profile.email).filter(|email| email.contains('@'));
        let email =
            email.ok_or_else(|| NotifyError::Nobody { message: "Slack knows no address of theirs".to_owned() })?;
        let mut emails = self.emails.lock().unwrap_or_else(PoisonError::into_inner);
        if emails.len() >= REMEMBERED {
            emails.clear();
        }
        emails.insert(user.to_owned(), email.clone());
        Ok(email)
    }

    /// Says something back to a click. Only to Slack itself, or to what the configuration has in its
    /// place: the address came with the request.
    ///
    /// # Errors
    /// When it is no address of Slack's, or Slack does not take it.
    pub async fn respond(&self, response_url: &str, body: &Value) -> Result<(), NotifyError> {
        let url = self.trusted(response_url).ok_or_else(|| never("that is no address of Slack's"))?;
        let answer = http::send(self.client.post(url).json(body)).await?;
        if answer.status.is_success() { Ok(()) } else { Err(never(&format!("answered {}", answer.status.as_u16()))) }
    }

    fn trusted(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let is_slacks = url.scheme() == "https" && url.host_str() == Some(HOOKS) && url.port().is_none();
        let base = Url::parse(&self.base_url).ok()?;
        let stands_in = url.origin() == base.origin() && base.host_str() != Some("slack.com");
        let bare = url.username().is_empty() && url.password().is_none();
        (bare && (is_slacks || stands_in)).then_some(url)
    }

    async fn ask<T: DeserializeOwned>(&self, method: &str, query: &[(&str, &str)]) -> Result<T, NotifyError> {
        let token = self.token.as_ref().ok_or_else(|| never("there is no bot's token to ask with"))?;
        let request = self.client.get(format!("{}/{method}", self.base_url)).query(query);
        let request = request.bearer_auth(token.expose_secret()).timeout(self.patience);
        let answer = http::send(request).await?;
        slack::accepted(&answer)?;
        serde_json::from_slice(&answer.body).map_err(|_| never("that is not Slack's answer"))
    }
}

fn never(message: &str) -> NotifyError {
    NotifyError::Never { message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slack_or_its_configured_stand_in_is_answered() {
        let of = |base: &str, url: &str| {
            let settings = SlackSettings { token: None, webhook_url: None, base_url: base.to_owned() };
            SlackPeople::new(&settings, None).unwrap().trusted(url).is_some()
        };
        let slack = SlackSettings::BASE_URL;
        assert!(of(slack, "https://hooks.slack.com/actions/T/1/x"));
        assert!(of("http://127.0.0.1:9/api", "http://127.0.0.1:9/actions"));
        for bad in [
            "http://hooks.slack.com/actions/T",
            "https://hooks.slack.com:8443/x",
            "https://hooks.slack.com.evil.example/x",
            "https://hooks.slack.com@evil.example/x",
            "https://user@hooks.slack.com/x",
            "https://slack.com/x",
            "http://169.254.169.254/latest",
            "file:///etc/passwd",
            "",
        ] {
            assert!(!of(slack, bad), "{bad}");
        }
        assert!(!of("http://127.0.0.1:9/api", "http://127.0.0.1:10/actions"));
    }
}
