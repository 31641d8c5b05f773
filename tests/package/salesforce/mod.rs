//! Salesforce's project: well-formed metadata in the schema's order, which watches exactly what the
//! agreement uses and keeps the secret out of every file.

mod access;
mod shapes;
mod watched;

use super::{BASE, agreement, agreement_with, connection, everything, generate};
use leadpact::agreement::Agreement;
use leadpact::package::{Package, PackageError};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::BTreeSet;

pub const CONNECTION: &str = r#"
[[connection]]
name            = "acme-salesforce"
crm             = "salesforce"
base_url        = "https://acme.my.salesforce.com"
organization_id = "00D5g000004XyZaEAK"
client_id       = "${SF_ID}"
client_secret   = "${SECRET}"
path_secret     = "${SECRET}"

  [connection.fields.lead]
  score         = "Score__c"
  budget        = "Budget__c"
  authority     = "Authority__c"
  need          = "Need__c"
  timeframe     = "Timeframe__c"
  campaign      = "Campaign__c"
  customer      = "Is_Customer__c"
  on_hold       = "On_Hold__c"
  region        = "Region__c"
  reject_reason = "Reject_Reason__c"
  flag          = "Leadpact_Violation__c"
  violation     = "Leadpact_Violations__c"
  due           = "Leadpact_Due__c"
  clock         = "Leadpact_Clock__c"

  [connection.fields.opportunity]
  loss_reason = "Loss_Reason__c"
  loss_review = "Loss_Review__c"
  flag        = "Leadpact_Violation__c"
  violation   = "Leadpact_Violations__c"
"#;

const FORCE: &str = "force-app/main/default";

fn package_of(agreement: &Agreement, text: &str) -> Package {
    generate(agreement, &connection(text)).expect("a package")
}

fn reference() -> Package {
    package_of(&agreement(), CONNECTION)
}

/// An element with its text and its elements.
#[derive(Debug, Default)]
struct Element {
    name: String,
    namespace: Option<String>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn all(&self, name: &str) -> Vec<&Element> {
        self.children.iter().filter(|child| child.name == name).collect()
    }

    fn at(&self, path: &str) -> &Element {
        path.split('/').fold(self, |at, name| at.all(name).first().copied().unwrap_or_else(|| panic!("no {name}")))
    }

    fn texts(&self, name: &str) -> Vec<&str> {
        self.all(name).iter().map(|child| child.text.as_str()).collect()
    }
}

fn read(text: &str) -> Element {
    let mut reader = Reader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().unwrap_or_else(|e| panic!("{e}: {text}")) {
            Event::Start(start) => {
                let namespace = start.attributes().map(|a| a.expect("sound")).find(|a| a.key.as_ref() == "xmlns");
                let namespace = namespace.map(|a| a.value.into_owned());
                let name = start.name().as_ref().to_owned();
                open.push(Element { name, namespace, ..Element::default() });
            }
            Event::Text(text) => open.last_mut().expect("open").text.push_str(text.xml10_content().trim_matches('\n')),
            Event::GeneralRef(reference) => {
                let found = quick_xml::escape::resolve_predefined_entity(&reference).expect("one of the five");
                open.last_mut().expect("open").text.push_str(found);
            }
            Event::End(_) => {
                let done = open.pop().expect("open");
                open.last_mut().expect("a parent").children.push(done);
            }
            Event::Eof => return open.remove(0).children.remove(0),
            Event::Decl(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn xml(package: &Package, path: &str) -> Element {
    read(
        package
            .text(path)
            .unwrap_or_else(|| panic!("{path}: {:?}", package.files.iter().map(|f| &f.path).collect::<Vec<_>>())),
    )
}

fn flow(package: &Package, object: &str) -> Element {
    xml(package, &format!("{FORCE}/flows/Leadpact_{object}.flow-meta.xml"))
}

/// The fields in a flow's formula, which must be of the one form that Salesforce takes.
fn watched(package: &Package, object: &str) -> BTreeSet<String> {
    let flow = flow(package, object);
    let formula = &flow.at("start/filterFormula").text;
    let inner = formula.strip_prefix("OR(ISNEW(), ").and_then(|f| f.strip_suffix(")")).expect(formula);
    let one = |part: &str| {
        let name = part.strip_prefix("ISCHANGED({!$Record.").and_then(|p| p.strip_suffix("})")).expect(part);
        name.to_owned()
    };
    inner.split(", ").map(one).collect()
}

fn message_fields(package: &Package, object: &str) -> BTreeSet<String> {
    let workflow = xml(package, &format!("{FORCE}/workflows/{object}.workflow-meta.xml"));
    workflow.at("outboundMessages").texts("fields").into_iter().map(str::to_owned).collect()
}

fn permissions(package: &Package) -> BTreeSet<(String, bool)> {
    let set = xml(package, &format!("{FORCE}/permissionsets/Leadpact_Integration.permissionset-meta.xml"));
    let one = |p: &&Element| (p.at("field").text.clone(), p.at("editable").text == "true");
    set.all("fieldPermissions").iter().map(one).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
