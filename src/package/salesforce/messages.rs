//! Outbound messages, and the record-triggered flows that send them. The flow fires when a record is
//! made or one of the watched fields changes, and on nothing else: our own writes must not come back.

use super::{USER, message_name, type_name};
use crate::package::Order;
use crate::package::wiring::Wired;
use crate::package::xml::Xml;

/// The message: the record's id, the watched fields, and when it was changed.
pub(super) fn workflow(order: &Order<'_>, endpoint: &str, wired: &Wired) -> String {
    let object = type_name(wired.object);
    Xml::document("Workflow", |xml| {
        xml.group("outboundMessages", |xml| {
            xml.element("fullName", message_name(wired.object))
                .element("apiVersion", super::version(order))
                .element("description", "Tells leadpact which record to look at. Sent by the flow of the same name.")
                .element("endpointUrl", endpoint);
            for field in fields(wired) {
                xml.element("fields", field);
            }
            xml.element("includeSessionId", "false")
                .element("integrationUser", USER.0)
                .element("name", format!("leadpact {object}"))
                .element("protected", "false")
                .element("useDeadLetterQueue", "false");
        });
    })
}

fn fields(wired: &Wired) -> impl Iterator<Item = &str> {
    let watched = wired.watched.iter().map(|w| w.crm_name.as_str());
    std::iter::once("Id").chain(watched).chain(std::iter::once("SystemModstamp"))
}

/// The flow. `ISNEW()` stands in the formula because a bare `ISCHANGED` is refused on flows that
/// fire on creation too.
pub(super) fn flow(version: &str, wired: &Wired) -> String {
    let (object, name) = (type_name(wired.object), message_name(wired.object));
    let action = format!("{object}.{name}");
    Xml::document("Flow", |xml| {
        xml.group("actionCalls", |xml| {
            xml.element("name", "Send")
                .element("label", "Send")
                .element("locationX", "176")
                .element("locationY", "287")
                .element("actionName", &action)
                .element("actionType", "outboundMessage")
                .element("flowTransactionModel", "CurrentTransaction")
                .element("nameSegment", &action);
        });
        xml.element("apiVersion", version)
            .element(
                "description",
                "Tells leadpact of a new record, and of changes to the fields that the agreement uses.",
            )
            .element("environments", "Default")
            .element("interviewLabel", format!("{name} {{!$Flow.CurrentDateTime}}"))
            .element("label", &name)
            .element("processType", "AutoLaunchedFlow");
        xml.group("start", |xml| {
            xml.element("locationX", "50").element("locationY", "0");
            xml.group("connector", |xml| {
                xml.element("targetReference", "Send");
            });
            xml.element("filterFormula", formula(wired))
                .element("object", object)
                .element("recordTriggerType", "CreateAndUpdate")
                .element("triggerType", "RecordAfterSave");
        });
        xml.element("status", "Active");
    })
}

fn formula(wired: &Wired) -> String {
    let changed = wired.watched.iter().map(|w| format!("ISCHANGED({{!$Record.{}}})", w.crm_name));
    let all: Vec<String> = std::iter::once("ISNEW()".to_owned()).chain(changed).collect();
    format!("OR({})", all.join(", "))
}
