//! What Salesforce tells about itself: whose organisation and user the token is, and, by describing
//! the objects, what that user may do with them. Nothing is changed.

use super::api::Api;
use super::{id, read};
use crate::crm::CrmError;
use crate::crm::examine::{Account, Described, Examined, FieldTold, Found, ObjectTold, Permission, Wanted};
use crate::crm::fields::{FieldMap, MappedField};
use crate::record::{Elapsed, FieldType, Object, Value};
use serde::Deserialize;

/// The resources of a version, of which only the link to who we are is of use.
#[derive(Deserialize)]
struct Resources {
    /// `https://login.salesforce.com/id/{organization}/{user}`
    identity: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Description {
    queryable: bool,
    createable: bool,
    updateable: bool,
    fields: Vec<Column>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    updateable: bool,
    relationship_name: Option<String>,
    restricted_picklist: bool,
    picklist_values: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    value: String,
    #[serde(default)]
    active: bool,
}

/// `counted`: whether completed tasks, and whether meetings count as touches.
pub(super) async fn examine(
    api: &Api,
    map: &FieldMap,
    counted: (bool, bool),
    organization: &str,
    wanted: &Wanted,
) -> Examined {
    let (account, leads, opportunities, activities) = tokio::join!(
        account(api, organization),
        describe(api, read::type_name(Object::Lead)),
        describe(api, read::type_name(Object::Opportunity)),
        activities(api, counted, wanted.tasks),
    );
    let (ahead, account) = match account {
        Ok((ahead, account)) => (ahead, Ok(account)),
        // A wrong clock is a cause of refusals: it has to be told then, too.
        Err(error) => (api.clock().await, Err(error)),
    };
    Examined {
        ahead,
        account,
        permissions: permissions(&leads, &opportunities, activities, wanted),
        objects: vec![told(map, Object::Lead, leads, wanted), told(map, Object::Opportunity, opportunities, wanted)],
    }
}

async fn account(api: &Api, organization: &str) -> Result<(Option<Elapsed>, Account), CrmError> {
    let answer = api.get("/").await?;
    let ahead = api.ahead(&answer);
    let identity = answer.json::<Resources>()?.identity;
    let mut parts = identity.rsplit('/').map(id::normalise);
    let (user, organization_id) = (parts.next().flatten(), parts.next().flatten());
    let id =
        organization_id.ok_or_else(|| CrmError::Never { message: "the answer names no organization".to_owned() })?;
    let configured = id::normalise(organization);
    Ok((ahead, Account { id, configured, user }))
}

/// The user of the account behind this API.
pub(super) async fn user(api: &Api) -> Result<String, CrmError> {
    let (_, account) = account(api, "").await?;
    account.user.ok_or_else(|| CrmError::Never { message: "the answer names no user".to_owned() })
}

/// What we may do with tasks and meetings, as far as the agreement needs it. What is hidden counts as if
/// nobody had done anything, so that a lead would be taken from somebody who has just called.
async fn activities(api: &Api, (tasks, meetings): (bool, bool), creates: bool) -> Vec<Permission> {
    let asked = async |is_asked: bool, object| match is_asked {
        true => Some(describe(api, object).await),
        false => None,
    };
    let (task, event) = tokio::join!(asked(tasks || creates, "Task"), asked(meetings, "Event"));
    let permission =
        |told: &Option<Result<Description, CrmError>>, name: &str, reason, may: fn(&Description) -> bool| {
            let granted = match told.as_ref()? {
                Ok(told) => may(told),
                Err(CrmError::Never { .. }) => false,
                Err(_) => return None,
            };
            Some(Permission { name: name.to_owned(), reason, granted })
        };
    let create = permission(&task, "Task: Create", "to make tasks", |told| told.createable);
    let read =
        permission(&task, "Task: Read", "to see calls, mails and tasks, which spare a lead", |told| told.queryable);
    let meet = permission(&event, "Event: Read", "to see meetings, which spare a lead", |told| told.queryable);
    create.filter(|_| creates).into_iter().chain(read.filter(|_| tasks)).chain(meet).collect()
}

async fn describe(api: &Api, object: &str) -> Result<Description, CrmError> {
    api.get(&format!("/sobjects/{object}/describe")).await?.json()
}

/// What the user may do with whole objects; fields are looked at one by one. An object that the
/// user may not see at all cannot be described, which its own answer tells.
fn permissions(
    leads: &Result<Description, CrmError>,
    opportunities: &Result<Description, CrmError>,
    activities: Vec<Permission>,
    wanted: &Wanted,
) -> Result<Vec<Permission>, CrmError> {
    let writes = |object| wanted.writes.keys().any(|(of, _)| *of == object);
    let mut all = Vec::new();
    let mut add = |name: &str, reason, granted| all.push(Permission { name: name.to_owned(), reason, granted });
    if let Ok(leads) = leads {
        add("Lead: Read", "to read leads", leads.queryable);
        if writes(Object::Lead) {
            add("Lead: Edit", "to write owner, status and fields of leads", leads.updateable);
        }
    }
    if let Ok(opportunities) = opportunities {
        add("Opportunity: Read", "to read opportunities", opportunities.queryable);
        if writes(Object::Opportunity) {
            add("Opportunity: Edit", "to write fields of opportunities", opportunities.updateable);
        }
    }
    all.extend(activities);
    match (all.is_empty(), leads) {
        (true, Err(error)) => Err(error.clone()),
        _ => Ok(all),
    }
}

fn told(map: &FieldMap, object: Object, described: Result<Description, CrmError>, wanted: &Wanted) -> ObjectTold {
    let fields = described.map(|known| {
        let one = |mapped: &MappedField| FieldTold {
            name: mapped.name,
            crm_name: mapped.crm_name.clone(),
            kind: mapped.kind,
            found: found(&known.fields, mapped, wanted.writes.get(&(object, mapped.name))),
        };
        map.of(object).iter().map(one).collect()
    });
    ObjectTold { object, theirs: read::type_name(object), fields }
}

fn found(known: &[Column], mapped: &MappedField, written: Option<&Vec<Value>>) -> Found {
    if let Some((relationship, rest)) = mapped.crm_name.split_once('.') {
        return through(known, relationship, rest);
    }
    let Some(column) = known.iter().find(|c| c.name.eq_ignore_ascii_case(&mapped.crm_name)) else {
        return Found::Missing;
    };
    let active = || column.picklist_values.iter().filter(|choice| choice.active).map(|choice| choice.value.as_str());
    let described = Described {
        kind: &column.kind,
        reads_as: reads_as(&column.kind),
        takes: takes(&column.kind),
        writable: column.updateable,
        options: (column.restricted_picklist && active().next().is_some()).then(|| active().collect()),
    };
    offered(described.against(mapped, written), active())
}

/// A picklist that is not restricted takes any value by the API, but people choose from its list.
fn offered<'a>(mut found: Found, active: impl Iterator<Item = &'a str>) -> Found {
    if let Found::There { options, .. } = &mut found {
        *options = active.map(str::to_owned).collect();
    }
    found
}

/// A field of a related record: the way there is known, the type at its end is not.
fn through(known: &[Column], relationship: &str, rest: &str) -> Found {
    let leads_there = |column: &&Column| {
        column.relationship_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(relationship))
    };
    match known.iter().find(leads_there) {
        None => Found::Missing,
        Some(_) => Found::There {
            kind: format!("{rest} of {relationship}"),
            fits: true,
            writable: false,
            untaken: Vec::new(),
            options: Vec::new(),
        },
    }
}

fn reads_as(kind: &str) -> &'static [FieldType] {
    match kind {
        "int" | "long" | "double" | "currency" | "percent" => &[FieldType::Number],
        "boolean" => &[FieldType::Bool],
        "date" | "datetime" => &[FieldType::Date, FieldType::Time],
        _ => &[],
    }
}

fn takes(kind: &str) -> Option<FieldType> {
    match kind {
        "string" | "textarea" => Some(FieldType::Text),
        "int" | "long" | "double" | "currency" | "percent" => Some(FieldType::Number),
        "boolean" => Some(FieldType::Bool),
        "date" => Some(FieldType::Date),
        "datetime" => Some(FieldType::Time),
        _ => None,
    }
}
