//! Where HubSpot's calls go and how they are sent: paths of either version form, the token, the
//! object types. What a call carries and what its answer means lives with each kind of call.

use super::auth::Auth;
use super::error;
use crate::crm::CrmError;
use crate::crm::http::{Answer, Http};
use crate::crm::usage::{Allowance, Meter, Usage};
use crate::record::Object;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// Most inputs of a batch call.
pub(super) const BATCH: usize = 100;

/// The kinds of HubSpot record that a lead or an opportunity can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ObjectType {
    Contact,
    Lead,
    Deal,
}

impl ObjectType {
    /// `lead_object` is the connection's: `contacts` or `leads`.
    pub fn of(object: Object, lead_object: &str) -> Self {
        match object {
            Object::Opportunity => ObjectType::Deal,
            Object::Lead if lead_object == "leads" => ObjectType::Lead,
            Object::Lead => ObjectType::Contact,
        }
    }

    /// The type in a path.
    pub fn path(self) -> &'static str {
        match self {
            ObjectType::Contact => "contacts",
            ObjectType::Lead => "0-136",
            ObjectType::Deal => "deals",
        }
    }

    /// The type in `objectTypeId` and in links.
    pub fn type_id(self) -> &'static str {
        match self {
            ObjectType::Contact => "0-1",
            ObjectType::Lead => "0-136",
            ObjectType::Deal => "0-3",
        }
    }

    /// What people and scopes call the records.
    pub fn plural(self) -> &'static str {
        match self {
            ObjectType::Contact => "contacts",
            ObjectType::Lead => "leads",
            ObjectType::Deal => "deals",
        }
    }

    /// The association from a task to such a record.
    pub fn association_from_task(self) -> u32 {
        match self {
            ObjectType::Contact => 204,
            ObjectType::Lead => 647,
            ObjectType::Deal => 216,
        }
    }

    /// Contacts alone name it without the prefix.
    pub fn modified_property(self) -> &'static str {
        match self {
            ObjectType::Contact => "lastmodifieddate",
            ObjectType::Lead | ObjectType::Deal => "hs_lastmodifieddate",
        }
    }
}

/// One account's API.
pub(super) struct Api {
    pub http: Http,
    pub base_url: String,
    /// `2026-03`, or `v3` for the older paths.
    pub version: String,
    pub auth: Auth,
    pub meter: Meter,
}

impl Api {
    /// `…/contacts/batch/read` and the like.
    pub fn objects(&self, rest: &str) -> String {
        match self.is_legacy() {
            true => format!("{}/crm/{}/objects/{rest}", self.base_url, self.version),
            false => format!("{}/crm/objects/{}/{rest}", self.base_url, self.version),
        }
    }

    pub fn owners(&self) -> String {
        match self.is_legacy() {
            true => format!("{}/crm/{}/owners/", self.base_url, self.version),
            false => format!("{}/crm/owners/{}", self.base_url, self.version),
        }
    }

    pub fn deal_pipelines(&self) -> String {
        match self.is_legacy() {
            true => format!("{}/crm/{}/pipelines/deals", self.base_url, self.version),
            false => format!("{}/crm/pipelines/{}/deals", self.base_url, self.version),
        }
    }

    /// The older form of associations is v4 whatever the rest is.
    pub fn associations(&self, from: ObjectType, to: &str) -> String {
        let rest = format!("{}/{to}/batch/read", from.path());
        match self.is_legacy() {
            true => format!("{}/crm/v4/associations/{rest}", self.base_url),
            false => format!("{}/crm/associations/{}/{rest}", self.base_url, self.version),
        }
    }

    /// All properties of an object; `…/groups` for the groups.
    pub fn properties(&self, of: ObjectType, rest: &str) -> String {
        match self.is_legacy() {
            true => format!("{}/crm/{}/properties/{}{rest}", self.base_url, self.version, of.path()),
            false => format!("{}/crm/properties/{}/{}{rest}", self.base_url, self.version, of.path()),
        }
    }

    pub fn account_details(&self) -> String {
        format!("{}/account-info/{}/details", self.base_url, self.version)
    }

    /// Whose a token is and what it may do; for tokens of private apps.
    pub fn token_info(&self) -> String {
        format!("{}/oauth/v2/private-apps/get/access-token-info", self.base_url)
    }

    fn is_legacy(&self) -> bool {
        self.version.starts_with('v')
    }

    /// Sends JSON; an answer that is no success is an error.
    pub async fn post(&self, url: &str, body: &impl Serialize) -> Result<Answer, CrmError> {
        self.send(self.http.post(url).json(body)).await
    }

    /// Fetches; an answer that is no success is an error.
    pub async fn get(&self, url: &str) -> Result<Answer, CrmError> {
        self.send(self.http.get(url)).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, CrmError> {
        error::accept(self.ask(request).await?)
    }

    /// Sends once; a second time with a new token when the first is over, since then nothing was done.
    /// The answer may have any status.
    pub async fn ask(&self, request: RequestBuilder) -> Result<Answer, CrmError> {
        self.meter.admit(self.http.now()).await?;
        let token = self.auth.token(&self.http).await?;
        let again = request.try_clone();
        let answer = self.once(request, &token).await?;
        match again {
            Some(request) if answer.status == 401 => match self.auth.renewed(&self.http, &token).await? {
                Some(token) => self.once(request, &token).await,
                None => Ok(answer),
            },
            _ => Ok(answer),
        }
    }

    async fn once(&self, request: RequestBuilder, token: &SecretString) -> Result<Answer, CrmError> {
        let answer = self.http.send(request.bearer_auth(token.expose_secret())).await?;
        self.meter.note(usage(&answer));
        self.meter.note_ahead(self.http.ahead(&answer));
        Ok(answer)
    }
}

/// What the rate headers tell: of a few seconds always but for searches, of the day for private apps.
fn usage(answer: &Answer) -> Usage {
    let of = |limit: &str, left: &str| {
        let (limit, left) = (answer.number(limit)?, answer.number(left)?);
        Some(Allowance { used: limit.saturating_sub(left), limit })
    };
    let window = of("x-hubspot-ratelimit-max", "x-hubspot-ratelimit-remaining");
    let length = answer.number("x-hubspot-ratelimit-interval-milliseconds");
    let day = of("x-hubspot-ratelimit-daily", "x-hubspot-ratelimit-daily-remaining");
    Usage { at: answer.at, day, window: window.zip(length) }
}
