//! What takes leadpact out of the organisation again, in the order that Salesforce asks for: flows
//! are deactivated, then deleted version by version, then what they used, and at last our fields.

use super::{File, is_creatable, members, message_name, type_name};
use crate::package::wiring::Wired;
use crate::package::xml::Xml;

/// A list of members by type, as deploys and deletions want it.
pub(super) fn package_xml(version: &str, members: &[(&str, Vec<String>)]) -> String {
    Xml::document("Package", |xml| {
        for (name, of) in members {
            xml.group("types", |xml| {
                of.iter().for_each(|member| {
                    xml.element("members", member);
                });
                xml.element("name", *name);
            });
        }
        xml.element("version", version);
    })
}

pub(super) fn files(version: &str, objects: &[Wired]) -> Vec<File> {
    let mut files = deactivate(version, objects);
    // A newly deployed flow is version 1; each deploy after it makes another.
    let flows = objects.iter().map(|w| format!("{}-1", message_name(w.object))).collect();
    files.extend(remove("2-flows", version, &[("Flow", flows)]));
    let all = members(objects);
    let rest: Vec<_> = all.into_iter().filter(|(kind, _)| !["Flow", "CustomField"].contains(kind)).collect();
    files.extend(remove("3-app", version, &rest));
    let fields: Vec<String> = objects
        .iter()
        .flat_map(|w| w.own.iter().filter(|own| is_creatable(own)).map(move |own| (w, own)))
        .map(|(w, own)| format!("{}.{}", type_name(w.object), own.crm_name))
        .collect();
    if !fields.is_empty() {
        files.extend(remove("4-fields", version, &[("CustomField", fields)]));
    }
    files
}

/// A definition whose active version is 0 has none.
fn deactivate(version: &str, objects: &[Wired]) -> Vec<File> {
    let names: Vec<String> = objects.iter().map(|w| message_name(w.object)).collect();
    let definition = || {
        Xml::document("FlowDefinition", |xml| {
            xml.element("activeVersionNumber", "0");
        })
    };
    let folder = "uninstall/1-deactivate";
    let definitions =
        names.iter().map(|name| File::new(format!("{folder}/flowDefinitions/{name}.flowDefinition"), definition()));
    let mut files: Vec<File> = definitions.collect();
    files.push(File::new(format!("{folder}/package.xml"), package_xml(version, &[("FlowDefinition", names.clone())])));
    files
}

fn remove(folder: &str, version: &str, members: &[(&str, Vec<String>)]) -> [File; 2] {
    [
        File::new(format!("uninstall/{folder}/package.xml"), package_xml(version, &[])),
        File::new(format!("uninstall/{folder}/destructiveChanges.xml"), package_xml(version, members)),
    ]
}
