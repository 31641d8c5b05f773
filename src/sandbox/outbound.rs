//! Salesforce's outbound messages: a SOAP envelope with the record as it is when the message is
//! sent, and the answer that counts as taken. Sending is done in `webhooks.rs`.

use super::event::{Happened, WorldEvent};
use super::id;
use super::record::{StoredRecord, datetime};
use super::webhooks::{Notice as AnyNotice, Prepared, Target};
use super::world::{World, text_of};
use quick_xml::escape::escape;
use quick_xml::events::Event;
use serde_json::Value as Json;

/// Changes of these fields are told; the rules of an organisation name them, in reality.
const TOLD: [&str; 10] = [
    "Status",
    "OwnerId",
    "IsConverted",
    "Amount",
    "CloseDate",
    "StageName",
    "Loss_Reason__c",
    "Loss_Review__c",
    "Reject_Reason__c",
    "On_Hold__c",
];

/// One notification: which record, not what it holds.
#[derive(Clone, Debug)]
pub struct Notice {
    id: String,
    pub object: String,
    record: String,
}

/// The notifications of these events. Several changes of a record at one moment are one.
pub fn notices(events: &[WorldEvent], number: impl Fn() -> u64) -> Vec<Notice> {
    let mut told: Vec<(&str, i64)> = Vec::new();
    let mut notices = Vec::new();
    for event in events.iter().filter(|e| is_told(e)) {
        let moment = (event.id.as_str(), event.at.as_millis());
        if !told.contains(&moment) {
            told.push(moment);
            let id = id::salesforce("04l", number());
            notices.push(Notice { id, object: event.object.clone(), record: event.id.clone() });
        }
    }
    notices
}

fn is_told(event: &WorldEvent) -> bool {
    let object = matches!(event.object.as_str(), "Lead" | "Opportunity");
    let what = match &event.what {
        Happened::Created | Happened::Deleted => true,
        Happened::Changed { property, .. } => TOLD.contains(&property.as_str()),
        Happened::Merged { .. } | Happened::Associated { .. } => false,
    };
    object && what
}

/// The request of a batch, with the records' values of this moment.
pub fn request(world: &World, batch: &[AnyNotice], target: &Target) -> Prepared {
    let notices = batch.iter().filter_map(|notice| match notice {
        AnyNotice::Salesforce(notice) => Some(notice),
        AnyNotice::HubSpot(_) => None,
    });
    let notifications: String = notices.map(|notice| notification(world, notice)).collect();
    let organization = &target.organization_id;
    let short = organization.get(..15).unwrap_or(organization);
    let action = id::salesforce("04k", 1);
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n \
         <soapenv:Body>\n  <notifications xmlns=\"http://soap.sforce.com/2005/09/outbound\">\n   \
         <OrganizationId>{organization}</OrganizationId>\n   <ActionId>{action}</ActionId>\n   \
         <SessionId xsi:nil=\"true\"/>\n   \
         <EnterpriseUrl>https://sandbox.my.salesforce.com/services/Soap/c/67.0/{short}</EnterpriseUrl>\n   \
         <PartnerUrl>https://sandbox.my.salesforce.com/services/Soap/u/67.0/{short}</PartnerUrl>\n\
         {notifications}  </notifications>\n </soapenv:Body>\n</soapenv:Envelope>\n"
    );
    let headers = vec![("Content-Type", "text/xml; charset=utf-8".to_owned()), ("SOAPAction", "\"\"".to_owned())];
    Prepared { headers, body }
}

fn notification(world: &World, notice: &Notice) -> String {
    let record = world.get(&notice.object, &notice.record).filter(|record| !record.archived);
    let fields = record.map(|record| elements(&record)).unwrap_or_default();
    let (id, object, record) = (&notice.id, &notice.object, &notice.record);
    format!(
        "   <Notification>\n    <Id>{id}</Id>\n    <sObject xsi:type=\"sf:{object}\" \
         xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\">\n     <sf:Id>{record}</sf:Id>\n{fields}    \
         </sObject>\n   </Notification>\n"
    )
}

/// The set fields by name; null ones are left out. Moments have a `Z` here, unlike in REST.
fn elements(record: &StoredRecord) -> String {
    let derived: &[&str] = match record.object.as_str() {
        "Lead" => &["IsConverted", "Name"],
        _ => &["IsClosed", "IsWon"],
    };
    let mut fields: Vec<(String, Json)> = record.properties.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
    fields.extend(derived.iter().map(|name| ((*name).to_owned(), record.get(name))));
    fields.push(("CreatedDate".to_owned(), Json::String(datetime(record.created).replace("+0000", "Z"))));
    fields.push(("LastModifiedDate".to_owned(), Json::String(datetime(record.modified).replace("+0000", "Z"))));
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields.dedup_by(|a, b| a.0 == b.0);
    fields.iter().map(|(name, value)| format!("     <sf:{name}>{}</sf:{name}>\n", escape(text_of(value)))).collect()
}

/// Only the envelope with a true `Ack` counts.
pub fn is_ack(answer: &str) -> bool {
    let mut reader = quick_xml::Reader::from_str(answer);
    let mut inside = false;
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => inside = start.local_name().as_ref() == "Ack",
            Ok(Event::Text(text)) if inside => return text.xml10_content().trim() == "true",
            Ok(Event::Eof) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}
