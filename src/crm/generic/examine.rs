//! What a described CRM shows of itself: whom it takes us for, its clock, and the mapped fields in a few
//! records. It has no list of its fields that we know of, so what no record shows may only be unset.
//! What the description has no request for is said too, with what does not happen therefore.

use super::DescribedCrm;
use super::description::{Action, Record};
use super::error::Failure;
use super::path::find;
use super::read::value_of;
use super::search;
use super::template::{Given, Placeholder};
use crate::crm::examine::{Account, Described, Examined, FieldTold, Lack, ObjectTold, Wanted};
use crate::crm::{CrmError, Sought};
use crate::record::{Elapsed, FieldType, Object};
use serde_json::Value as Json;

/// Records of each object that are looked at.
const SAMPLES: usize = 3;
const OBJECTS: [Object; 2] = [Object::Lead, Object::Opportunity];
/// The types that a value may be read as, once it was.
const ANY: &[FieldType] = &[FieldType::Text, FieldType::Number, FieldType::Bool, FieldType::Date, FieldType::Time];

pub(super) async fn examine(crm: &DescribedCrm, wanted: &Wanted) -> Examined {
    let (ahead, account) = account(crm).await;
    let mut objects = Vec::new();
    for object in OBJECTS {
        let Some(record) = crm.api.description().record(object) else { continue };
        let fields = match samples(crm, object, record).await {
            Ok(samples) if samples.is_empty() => continue,
            Ok(samples) => Ok(told(crm, object, record, &samples, wanted)),
            Err(error) => Err(error),
        };
        objects.push(ObjectTold { object, theirs: plural(object), fields });
    }
    let permissions = Err(CrmError::Never { message: "a described CRM does not list what it allows".to_owned() });
    Examined { ahead, account, permissions, objects }
}

fn plural(object: Object) -> &'static str {
    match object {
        Object::Lead => "leads",
        Object::Opportunity => "opportunities",
    }
}

/// By `[whoami]`, else by the list of people; the address is all that a connection names of its account.
async fn account(crm: &DescribedCrm) -> (Option<Elapsed>, Result<Account, CrmError>) {
    let description = crm.api.description();
    let people = description.people.as_ref().map(|people| &people.list.request);
    let Some(request) = description.whoami.as_ref().map(|whoami| &whoami.request).or(people) else {
        return (None, Ok(by_address(crm)));
    };
    let given = Given::default().with(Placeholder::Offset, 0).with(Placeholder::Number, 1).with(Placeholder::Page, 1);
    let url = match crm.api.url(request, &given) {
        Ok(url) => url,
        Err(failure) => return (None, Err(failure.into())),
    };
    let answer = match crm.api.answer(request, &given, &url).await {
        Ok(answer) => answer,
        Err(error) => return (None, Err(error)),
    };
    let ahead = crm.api.http.ahead(&answer);
    let account = super::error::accept(description, &answer).map_err(CrmError::from).map(|json| {
        let Some(whoami) = &description.whoami else { return by_address(crm) };
        let id = whoami.id.id(&json);
        let user = whoami.user.as_ref().and_then(|path| path.id(&json));
        id.map_or_else(|| by_address(crm), |id| Account { configured: Some(id.clone()), id, user })
    });
    (ahead, account)
}

fn by_address(crm: &DescribedCrm) -> Account {
    let id = crm.api.base_url.clone();
    Account { configured: Some(id.clone()), id, user: None }
}

/// Some records as they are read; none where no request lists any, or there are none.
async fn samples(crm: &DescribedCrm, object: Object, record: &Record) -> Result<Vec<Json>, CrmError> {
    if record.search.is_empty() && record.open.is_empty() {
        return Ok(Vec::new());
    }
    let page = search::search(crm, object, Sought::Open, None).await?;
    let mut samples = Vec::new();
    for id in page.found.iter().take(SAMPLES) {
        let given = crm.given(object).with(Placeholder::Id, crm.id(object, id));
        match crm.api.send(&record.read.request, &given).await {
            Ok(told) => samples.extend(find(record.read.item.as_ref(), &told.json).cloned()),
            Err(Failure::Gone { .. }) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(samples)
}

/// The fields that some record shows.
fn told(crm: &DescribedCrm, object: Object, record: &Record, samples: &[Json], wanted: &Wanted) -> Vec<FieldTold> {
    let times = &crm.api.description().times;
    let one = |placed: &super::described::Placed| {
        let shown: Vec<&Json> = samples.iter().filter_map(|sample| placed.path.find(sample)).collect();
        let of_all = shown.iter().find(|json| !json.is_null()).or(shown.first())?;
        let fits = shown.iter().all(|json| value_of(&placed.field, json, times).is_ok());
        let described = Described {
            kind: kind(of_all),
            reads_as: if fits { ANY } else { &[] },
            takes: fits.then_some(placed.field.kind),
            writable: record.update.is_some(),
            options: None,
        };
        Some(FieldTold {
            name: placed.field.name,
            crm_name: placed.field.crm_name.clone(),
            kind: placed.field.kind,
            found: described.against(&placed.field, wanted.writes.get(&(object, placed.field.name))),
        })
    };
    crm.fields(object).iter().filter_map(one).collect()
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "unset",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a table",
    }
}

/// What will not happen on this connection, and why.
pub(super) async fn lacks(crm: &DescribedCrm, wanted: &Wanted) -> Vec<Lack> {
    let description = crm.api.description();
    let mut lacks = Vec::new();
    let mut lack = |breaks: bool, what: String, found: &str| lacks.push(Lack { breaks, what, found: found.to_owned() });
    if wanted.tasks && description.task.is_none() {
        lack(true, "[task]".to_owned(), "not described: the agreement asks for tasks, and none is made");
    }
    if description.people.is_none() {
        lack(false, "[people]".to_owned(), "not described: owners have no names, and members are taken by their ids");
    }
    for object in OBJECTS {
        let Some(record) = description.record(object) else { continue };
        let of = plural(object);
        let writes = wanted.writes.keys().any(|(written, _)| *written == object);
        if writes && record.update.is_none() {
            lack(true, format!("[{object}.update]"), &format!("not described: no {of} are moved or marked"));
        }
        if record.search.is_empty() {
            let found =
                format!("not described: what webhooks about {of} miss is not looked for, and none are imported");
            lack(false, format!("[{object}.search]"), &found);
        }
        let told = description.webhook.actions.values().any(|action| *action == Action::Deleted);
        if record.deleted.is_empty() && record.gone.is_none() && !told {
            let found = format!("not described, and no webhook tells: that {of} were deleted shows when they are read");
            lack(false, format!("[{object}.deleted]"), &found);
        }
    }
    lacks.extend(of_samples(crm).await);
    lacks
}

/// Fields that no record shows, and lists of deleted records that are not shown to us.
async fn of_samples(crm: &DescribedCrm) -> Vec<Lack> {
    let mut lacks = Vec::new();
    for object in OBJECTS {
        let Some(record) = crm.api.description().record(object) else { continue };
        let samples = samples(crm, object, record).await.unwrap_or_default();
        let count = samples.len();
        for placed in crm.fields(object).iter().filter(|_| count > 0) {
            if samples.iter().all(|sample| placed.path.find(sample).is_none()) {
                let what = format!("{object} field {} ({})", placed.field.name, placed.field.crm_name);
                let found =
                    format!("in none of {count} records that were looked at: it is unset there, or does not exist");
                lacks.push(Lack { breaks: false, what, found });
            }
        }
        let now = crm.api.http.now();
        for deleted in &record.deleted {
            let since = crm.api.description().times.write_bound(now);
            let given = crm.given(object).with(Placeholder::Since, since);
            if let Err(failure) = crm.api.page(&deleted.list, given, None).await {
                let error = CrmError::from(failure);
                let found = format!("{error}: deletions that webhooks miss show when a record is read");
                lacks.push(Lack { breaks: false, what: format!("[{object}.deleted]"), found });
            }
        }
    }
    lacks
}
