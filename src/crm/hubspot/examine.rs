//! What HubSpot tells about itself: whose account the token opens, its scopes, and every mapped
//! property. Nothing is changed. Shapes: account information, properties, and token information of
//! private apps, which other tokens do not have.

use super::api::ObjectType;
use super::{HubSpot, error};
use crate::crm::CrmError;
use crate::crm::examine::{Account, Described, Examined, FieldTold, Found, ObjectTold, Permission, Wanted};
use crate::crm::fields::MappedField;
use crate::crm::token::Grant;
use crate::record::{Elapsed, FieldType, Object, Value};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    portal_id: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenInfo {
    hub_id: u64,
    scopes: Vec<String>,
}

#[derive(Deserialize)]
struct Listing {
    results: Vec<Property>,
}

/// One property; all but its name may be missing.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Property {
    pub name: String,
    #[serde(rename = "type")]
    kind: String,
    calculated: bool,
    options: Vec<Choice>,
    modification_metadata: Modification,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice {
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Modification {
    read_only_value: bool,
}

pub(super) async fn examine(crm: &HubSpot, wanted: &Wanted) -> Examined {
    let ((ahead, details), info, leads, deals) = tokio::join!(
        details(crm),
        token_info(crm),
        object(crm, Object::Lead, wanted),
        object(crm, Object::Opportunity, wanted),
    );
    let portal = details.map(|d| d.portal_id).or_else(|error| info.as_ref().map(|info| info.hub_id).map_err(|_| error));
    Examined {
        ahead,
        account: portal.map(|id| Account {
            id: id.to_string(),
            configured: crm.settings.portal_id.map(|id| id.to_string()),
            user: None,
        }),
        permissions: info.map(|info| permissions(crm, &info.scopes, wanted)),
        objects: vec![leads, deals],
    }
}

/// The clock can be told from a refusal too.
async fn details(crm: &HubSpot) -> (Option<Elapsed>, Result<Details, CrmError>) {
    match crm.api.ask(crm.api.http.get(&crm.api.account_details())).await {
        Ok(answer) => (crm.api.http.ahead(&answer), error::accept(answer).and_then(|answer| answer.json())),
        Err(error) => (None, Err(error)),
    }
}

/// Of a private app's token HubSpot tells; what somebody granted, it told when it was granted.
async fn token_info(crm: &HubSpot) -> Result<TokenInfo, CrmError> {
    if let Some(grant) = crm.api.auth.grant(&crm.api.http).await {
        let Grant { account, scopes, .. } = grant?;
        let unknown = || CrmError::SignIn { message: "it is not known whose account was signed in to".to_owned() };
        let hub_id = account.and_then(|id| id.parse().ok()).ok_or_else(unknown)?;
        return Ok(TokenInfo { hub_id, scopes });
    }
    let token = crm.api.auth.token(&crm.api.http).await?;
    crm.api.post(&crm.api.token_info(), &json!({ "tokenKey": token.expose_secret() })).await?.json()
}

/// What the calls of this connection need, by HubSpot's list of scopes.
fn permissions(crm: &HubSpot, granted: &[String], wanted: &Wanted) -> Vec<Permission> {
    let writes = |object| wanted.writes.keys().any(|(of, _)| *of == object);
    let lead = crm.object_type(Object::Lead).plural();
    let mut needed = vec![
        (format!("crm.objects.{lead}.read"), "to read leads"),
        ("crm.objects.deals.read".to_owned(), "to read opportunities"),
        ("crm.objects.owners.read".to_owned(), "to know who owns records"),
    ];
    if writes(Object::Lead) {
        needed.push((format!("crm.objects.{lead}.write"), "to write owner, status and fields of leads"));
    }
    if writes(Object::Opportunity) {
        needed.push(("crm.objects.deals.write".to_owned(), "to write fields of opportunities"));
    }
    if wanted.tasks {
        needed.push(("crm.objects.contacts.write".to_owned(), "to make tasks"));
    }
    needed.sort();
    needed.dedup_by(|later, first| later.0 == first.0);
    let permission = |(name, reason): (String, &'static str)| {
        let granted = granted.contains(&name);
        Permission { name, reason, granted }
    };
    needed.into_iter().map(permission).collect()
}

async fn object(crm: &HubSpot, object: Object, wanted: &Wanted) -> ObjectTold {
    let of = crm.object_type(object);
    let fields = properties(crm, of).await.map(|known| {
        let told = |mapped: &MappedField| FieldTold {
            name: mapped.name,
            crm_name: mapped.crm_name.clone(),
            kind: mapped.kind,
            found: found(&known, mapped, wanted.writes.get(&(object, mapped.name))),
        };
        crm.fields.of(object).iter().map(told).collect()
    });
    ObjectTold { object, theirs: of.plural(), fields }
}

/// All properties of an object by name.
pub(super) async fn properties(crm: &HubSpot, of: ObjectType) -> Result<HashMap<String, Property>, CrmError> {
    let listing: Listing = crm.api.get(&crm.api.properties(of, "")).await?.json()?;
    Ok(listing.results.into_iter().map(|p| (p.name.clone(), p)).collect())
}

fn found(known: &HashMap<String, Property>, mapped: &MappedField, written: Option<&Vec<Value>>) -> Found {
    let Some(property) = known.get(&mapped.crm_name) else { return Found::Missing };
    let listed = property.kind == "enumeration" && !property.options.is_empty();
    let described = Described {
        kind: &property.kind,
        reads_as: reads_as(&property.kind),
        takes: takes(&property.kind),
        writable: !property.calculated && !property.modification_metadata.read_only_value,
        options: listed.then(|| property.options.iter().map(|option| option.value.as_str()).collect()),
    };
    described.against(mapped, written)
}

/// Every value comes as text; these are the types that the text of any value can be read as.
fn reads_as(kind: &str) -> &'static [FieldType] {
    match kind {
        "number" => &[FieldType::Number],
        "bool" => &[FieldType::Bool],
        "date" | "datetime" => &[FieldType::Date, FieldType::Time],
        _ => &[],
    }
}

fn takes(kind: &str) -> Option<FieldType> {
    match kind {
        "string" => Some(FieldType::Text),
        "number" => Some(FieldType::Number),
        "bool" => Some(FieldType::Bool),
        "date" => Some(FieldType::Date),
        "datetime" => Some(FieldType::Time),
        _ => None,
    }
}
