//! What people did about a record: completed tasks (calls and mails among them) and meetings that
//! took place. Whose count is settled here; what a count means is the agreement's business.

use super::api::{self, Api, Rows, id_list};
use super::{id, task};
use crate::crm::connection::{Connection, Roster, TouchBy};
use crate::crm::fields::FieldMap;
use crate::crm::{CrmError, Person};
use crate::record::field::well_known;
use crate::record::{Object, RecordId, Timestamp};
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

/// The kinds of completed task that a connection may leave out.
const TASK_KINDS: [&str; 3] = ["call", "email", "task"];

/// Which activities count, by the connection's settings.
pub struct Policy {
    by: TouchBy,
    types: HashSet<String>,
    automation: HashSet<String>,
    /// Owner ids that stand in a party's roster.
    members: HashSet<String>,
    /// E-mail addresses that stand there, in lower case.
    addresses: HashSet<String>,
    /// The owner ids of these addresses, and of automations that are listed by theirs, once the
    /// directory was read.
    resolved: RwLock<Option<Resolved>>,
}

#[derive(Default)]
struct Resolved {
    members: HashSet<String>,
    automation: HashSet<String>,
}

/// How often and when a record was last touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    pub count: u32,
    pub last: Option<Timestamp>,
}

/// The rows of Task and Event about some records.
#[derive(Debug, Default)]
pub struct Activities {
    pub tasks: Vec<Json>,
    pub meetings: Vec<Json>,
}

impl Policy {
    pub fn new(connection: &Connection) -> Self {
        let listed = connection.parties.values().flat_map(|roster| match roster {
            Roster::Members(members) => members.as_slice(),
            Roster::Queue(_) | Roster::Unassigned => &[],
        });
        let (addresses, members): (Vec<&String>, Vec<&String>) = listed.partition(|member| member.contains('@'));
        Self {
            by: connection.touches.by,
            types: connection.touches.types.iter().map(|kind| kind.to_lowercase()).collect(),
            automation: connection.touches.automation_users.iter().map(|id| as_listed(id.as_str())).collect(),
            members: members.into_iter().map(|member| id::or_as_is(member)).collect(),
            addresses: addresses.into_iter().map(|address| address.trim().to_lowercase()).collect(),
            resolved: RwLock::new(None),
        }
    }

    /// Takes from the directory who the addresses in the rosters are.
    pub fn learn(&self, people: &[Person]) {
        let ids_of = |addresses: &HashSet<String>| {
            let email = |person: &Person| person.email.as_ref().map(|email| email.trim().to_lowercase());
            let known = people.iter().filter(|person| email(person).is_some_and(|email| addresses.contains(&email)));
            known.map(|person| person.id.as_str().to_owned()).collect()
        };
        let resolved = Resolved { members: ids_of(&self.addresses), automation: ids_of(&self.automation) };
        *self.resolved.write().unwrap_or_else(PoisonError::into_inner) = Some(resolved);
    }

    /// Whether addresses decide and nobody has read the directory yet.
    pub fn needs_directory(&self) -> bool {
        let members = self.by == TouchBy::Party && !self.addresses.is_empty();
        (members || self.automation.iter().any(|listed| listed.contains('@')))
            && self.resolved.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Reads the activities about these records, completed tasks and meetings in one call.
    /// Nothing is asked where the connection maps counter fields instead.
    ///
    /// # Errors
    /// When a query fails, so that nobody takes "unknown" for "nothing was done".
    pub async fn activities(
        &self,
        api: &Api,
        map: &FieldMap,
        object: Object,
        ids: &[RecordId],
    ) -> Result<Activities, CrmError> {
        if Self::is_mapped(map, object) {
            return Ok(Activities::default());
        }
        let asked = [("Task", self.tasks_query(object, ids)), ("Event", self.meetings_query(object, ids))];
        let queries: Vec<String> = asked.iter().filter_map(|(_, query)| query.clone()).collect();
        let mut told = api.queries_if_visible(&queries).await?.into_iter();
        let mut rows = asked.into_iter().map(|(what, query)| match query.and_then(|_| told.next()) {
            Some(told) => seen(what, told),
            None => Vec::new(),
        });
        Ok(Activities { tasks: rows.next().unwrap_or_default(), meetings: rows.next().unwrap_or_default() })
    }

    /// The record itself counts what people did about it.
    fn is_mapped(map: &FieldMap, object: Object) -> bool {
        let names = well_known();
        [names.touches, names.last_touch].iter().all(|name| map.by_name(object, *name).is_some())
    }

    /// Whether tasks, and whether meetings are touches that have to be looked for.
    pub fn looks_at(&self, map: &FieldMap, object: Object) -> (bool, bool) {
        let looks = !Self::is_mapped(map, object);
        let tasks = TASK_KINDS.iter().any(|kind| self.types.contains(*kind));
        (looks && tasks, looks && self.types.contains("meeting"))
    }

    fn tasks_query(&self, object: Object, ids: &[RecordId]) -> Option<String> {
        let wanted = TASK_KINDS.iter().filter(|kind| self.types.contains(**kind)).count();
        // The kind of a task matters only where some kinds are left out.
        let kind = if wanted == TASK_KINDS.len() { "" } else { ",TaskSubtype" };
        let about = about(object, ids);
        (wanted > 0).then(|| {
            format!(
                "SELECT Id,WhoId,WhatId,OwnerId,CreatedById,Subject,Description,CompletedDateTime,\
                 LastModifiedDate{kind} FROM Task WHERE {about} AND IsClosed = true"
            )
        })
    }

    fn meetings_query(&self, object: Object, ids: &[RecordId]) -> Option<String> {
        let about = about(object, ids);
        self.types.contains("meeting").then(|| {
            format!("SELECT Id,WhoId,WhatId,OwnerId,CreatedById,EndDateTime,LastModifiedDate FROM Event WHERE {about}")
        })
    }

    /// Counts for each record what counts. `owners`: who owns it; `now`: a meeting that ends later
    /// has not taken place.
    pub fn count(
        &self,
        activities: &Activities,
        owners: &HashMap<String, String>,
        now: Timestamp,
    ) -> HashMap<String, Touched> {
        let tasks = activities.tasks.iter().filter(|row| self.task_counts(row)).map(|row| (row, done_at(row)));
        let held = |(_, at): &(&Json, Option<Timestamp>)| at.is_none_or(|at| at <= now);
        let meetings = activities.meetings.iter().map(|row| (row, held_at(row))).filter(held);
        let mut touched: HashMap<String, Touched> = HashMap::new();
        for (row, at) in tasks.chain(meetings) {
            for record in [api::text(row, "WhoId"), api::text(row, "WhatId")].into_iter().flatten().map(id::or_as_is) {
                if self.person_counts(row, owners.get(&record)) {
                    let of = touched.entry(record).or_default();
                    of.count += 1;
                    of.last = of.last.max(at);
                }
            }
        }
        touched
    }

    fn task_counts(&self, row: &Json) -> bool {
        let kind = match api::text(row, "TaskSubtype") {
            Some("Call") => "call",
            Some("Email" | "ListEmail") => "email",
            _ => "task",
        };
        self.types.contains(kind) && !task::is_ours(row)
    }

    fn person_counts(&self, row: &Json, owner: Option<&String>) -> bool {
        let of = |name| api::text(row, name).map(id::or_as_is);
        let (doer, creator) = (of("OwnerId"), of("CreatedById"));
        if [&doer, &creator].into_iter().flatten().any(|user| self.is_automation(user)) {
            return false;
        }
        let is_owner = doer.is_some() && doer.as_ref() == owner;
        match self.by {
            TouchBy::Anyone => true,
            TouchBy::Owner => is_owner,
            TouchBy::Party => is_owner || doer.is_some_and(|user| self.is_member(&user)),
        }
    }

    fn is_member(&self, user: &str) -> bool {
        self.members.contains(user) || self.is_resolved(|resolved| resolved.members.contains(user))
    }

    fn is_automation(&self, user: &str) -> bool {
        self.automation.contains(user) || self.is_resolved(|resolved| resolved.automation.contains(user))
    }

    fn is_resolved(&self, test: impl FnOnce(&Resolved) -> bool) -> bool {
        self.resolved.read().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(test)
    }
}

/// An owner as a configuration lists it: an id of 18 characters, or an address in lower case.
fn as_listed(text: &str) -> String {
    if text.contains('@') { text.trim().to_lowercase() } else { id::or_as_is(text) }
}

/// The activities of a lead name it as who, those of an opportunity as what.
pub fn about(object: Object, ids: &[RecordId]) -> String {
    let column = match object {
        Object::Lead => "WhoId",
        Object::Opportunity => "WhatId",
    };
    format!("{column} IN {}", id_list(ids.iter().map(RecordId::as_str)))
}

/// The rows of such activities, none where they are hidden from us.
fn seen(what: &str, told: Option<Rows>) -> Vec<Json> {
    if told.is_none() {
        tracing::warn!(object = what, "activities are not visible to us: touches of that kind are not counted");
    }
    told.map_or_else(Vec::new, |told| told.rows)
}

fn done_at(row: &Json) -> Option<Timestamp> {
    api::time(row, "CompletedDateTime").or_else(|| api::time(row, "LastModifiedDate"))
}

fn held_at(row: &Json) -> Option<Timestamp> {
    api::time(row, "EndDateTime").or_else(|| api::time(row, "LastModifiedDate"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::connection;
    use super::*;
    use crate::record::{OwnerId, PartyName};
    use serde_json::json;

    const LEAD: &str = "00Q5g00000LeAd1EAF";
    const AMY: &str = "0055g00000AbCdEAAV";
    const BEN: &str = "005000000000002AAA";
    const ROBOT: &str = "005000000000009AAA";

    fn done(owner: &str, creator: &str) -> Json {
        json!({ "WhoId": LEAD, "OwnerId": owner, "CreatedById": creator, "CompletedDateTime": "2026-01-05T09:00:00.000+0000" })
    }

    /// The touches of a lead that Amy owns.
    fn count(connection: &Connection, activities: Activities) -> u32 {
        let owners = HashMap::from([(LEAD.to_owned(), AMY.to_owned())]);
        let now = Timestamp::parse("2026-01-05T12:00:00Z").unwrap();
        Policy::new(connection).count(&activities, &owners, now).get(LEAD).map_or(0, |t| t.count)
    }

    fn tasks(tasks: Vec<Json>) -> Activities {
        Activities { tasks, meetings: Vec::new() }
    }

    fn by(by: TouchBy) -> Connection {
        let mut connection = connection();
        connection.touches.by = by;
        connection
    }

    #[test]
    fn what_the_owner_did_counts_and_the_latest_is_the_last_touch() {
        let mut later = done(AMY, AMY);
        later["CompletedDateTime"] = json!("2026-01-05T10:00:00.000+0000");
        let owners = HashMap::from([(LEAD.to_owned(), AMY.to_owned())]);
        let touched =
            Policy::new(&by(TouchBy::Owner)).count(&tasks(vec![later, done(AMY, AMY)]), &owners, Timestamp::MAX);
        assert_eq!(touched[LEAD].count, 2);
        assert_eq!(touched[LEAD].last.unwrap().to_string(), "2026-01-05T10:00:00.000Z");
    }

    #[test]
    fn a_strangers_call_counts_only_for_anyone() {
        assert_eq!(count(&by(TouchBy::Owner), tasks(vec![done(BEN, BEN)])), 0);
        assert_eq!(count(&by(TouchBy::Party), tasks(vec![done(BEN, BEN)])), 0);
        assert_eq!(count(&by(TouchBy::Anyone), tasks(vec![done(BEN, BEN)])), 1);
    }

    #[test]
    fn a_call_by_somebody_of_a_party_counts_for_the_party() {
        let mut connection = by(TouchBy::Party);
        // As the operator writes it: 15 characters.
        connection.parties.insert(PartyName::new("field"), Roster::Members(vec![BEN[..15].to_owned()]));
        assert_eq!(count(&connection, tasks(vec![done(BEN, BEN)])), 1);
    }

    #[test]
    fn an_automation_listed_by_address_never_touches() {
        let mut connection = by(TouchBy::Anyone);
        connection.touches.automation_users.push(OwnerId::new("Robot@ACME.example"));
        let policy = Policy::new(&connection);
        assert!(policy.needs_directory());
        policy.learn(&[Person {
            id: OwnerId::new(BEN),
            user: None,
            name: "Robot".to_owned(),
            email: Some("robot@acme.example".to_owned()),
            active: true,
            manager: None,
            queue: false,
        }]);
        let owners = HashMap::from([(LEAD.to_owned(), AMY.to_owned())]);
        let touched = policy.count(&tasks(vec![done(BEN, BEN), done(AMY, AMY)]), &owners, Timestamp::MAX);
        assert_eq!(touched[LEAD].count, 1);
    }

    #[test]
    fn a_member_given_by_address_is_found_in_the_directory() {
        let mut connection = by(TouchBy::Party);
        connection.parties.insert(PartyName::new("field"), Roster::Members(vec!["Ben@acme.example".to_owned()]));
        let policy = Policy::new(&connection);
        assert!(policy.needs_directory());
        policy.learn(&[Person {
            id: OwnerId::new(BEN),
            user: None,
            name: "Ben".to_owned(),
            email: Some("ben@acme.example".to_owned()),
            active: true,
            manager: None,
            queue: false,
        }]);
        assert!(!policy.needs_directory());
        let counted = policy.count(&tasks(vec![done(BEN, BEN)]), &HashMap::new(), Timestamp::MAX);
        assert_eq!(counted[LEAD].count, 1);
    }

    #[test]
    fn automation_is_nobody_whether_it_made_the_task_or_owns_it() {
        let mut connection = by(TouchBy::Anyone);
        connection.touches.automation_users.push(OwnerId::new(&ROBOT[..15]));
        assert_eq!(count(&connection, tasks(vec![done(AMY, ROBOT), done(ROBOT, AMY)])), 0);
    }

    #[test]
    fn our_own_tasks_are_no_touches() {
        let mut ours = done(AMY, AMY);
        ours["Description"] = json!("Please call.\r\n\r\nleadpact:acme/lead/1");
        assert_eq!(count(&by(TouchBy::Anyone), tasks(vec![ours])), 0);
    }

    #[test]
    fn a_meeting_counts_once_it_took_place() {
        let meeting = |end: &str| json!({ "WhoId": LEAD, "OwnerId": AMY, "EndDateTime": end });
        let held = meeting("2026-01-05T11:00:00.000+0000");
        let planned = meeting("2026-01-05T13:00:00.000+0000");
        let activities = Activities { tasks: Vec::new(), meetings: vec![held, planned] };
        assert_eq!(count(&by(TouchBy::Owner), activities), 1);
    }

    #[test]
    fn a_kind_that_is_left_out_is_neither_asked_for_nor_counted() {
        let mut connection = by(TouchBy::Anyone);
        connection.touches.types = vec!["call".to_owned()];
        let policy = Policy::new(&connection);
        let ids = [RecordId::new(LEAD)];
        assert_eq!(policy.meetings_query(Object::Lead, &ids), None);
        assert!(policy.tasks_query(Object::Lead, &ids).unwrap().contains("TaskSubtype"));
        let mut call = done(AMY, AMY);
        call["TaskSubtype"] = json!("Call");
        assert_eq!(count(&connection, tasks(vec![call, done(AMY, AMY)])), 1);
    }

    #[test]
    fn opportunities_are_asked_about_by_what() {
        let query = Policy::new(&connection()).tasks_query(Object::Opportunity, &[RecordId::new("006")]).unwrap();
        assert!(query.contains("WHERE WhatId IN ('006') AND IsClosed = true"), "{query}");
    }
}
